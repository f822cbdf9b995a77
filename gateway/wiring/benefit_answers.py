"""A 271 as an eligibility roster: the payers of the mapping set by the numbers and names an answer may use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from clearinghouse.eligibility_271 import PayerOf, eligibility_answers
from clearinghouse.x12.decoding import X12FormatError
from gateway.claim.contract import Payer
from gateway.claim.roster import RosterRecord
from gateway.errors import ConfigurationError, FormatError
from gateway.wiring.rosters import KnownNames


def read_benefit_answers(
    content: bytes, name: str, payers: Iterable[Payer], known: KnownNames
) -> tuple[dict[str, RosterRecord], int]:
    """(rows by key, members the payers could not answer for) of a 271.

    Raises FormatError for what is no 271, ConfigurationError with every answer that cannot be used.
    """
    record_numbers = next(iter(known.record_numbers)) if len(known.record_numbers) == 1 else ""
    try:
        answers = eligibility_answers(content, payers_by_number(payers), record_numbers)
    except X12FormatError as error:
        raise FormatError(str(error), name) from None
    if answers.problems:
        raise ConfigurationError([f"{name}: {each}" for each in answers.problems])
    file = name.rpartition("/")[2]
    rows = {key: replace(each, entry=f"{file}: {each.entry}") for key, each in answers.rows.items()}
    return dict(rows), answers.unanswered


def payers_by_number(payers: Iterable[Payer]) -> PayerOf:
    """Finds a payer by its number on a route, a name feeds give it, its id or its own name; only if that is one."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for payer in payers:
        numbers = (each.payer_number for each in payer.routes)
        for word in (payer.id, payer.name, *numbers, *(each.value for each in payer.names)):
            found[word.casefold()].add(payer.id)

    def payer_of(number: str, name: str) -> str:
        for word in (number, name):
            meant = found.get(word.strip().casefold(), set())
            if len(meant) == 1:
                return next(iter(meant))
        return ""

    return payer_of
