"""What a filter asks for by name has to be one of the names there are: no list is empty because of a typing mistake."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from adapters.mapping.remembered import Remembered
from adapters.mapping.yaml_reader import closest
from gateway.errors import NotKnown
from gateway.ports.storage import Store

_MOST_LISTED: Final = 40


def one_known(what: str, given: str, known: Iterable[str]) -> None:
    """Raise NotKnown, with the nearest name and those there are, for a name that was given and is none of them.

    The name itself is not repeated: somebody may have typed a patient's.
    """
    names = list(dict.fromkeys(map(str, known)))
    if not given or given in names:
        return
    close = closest(given, names)
    nearest = f"; did you mean {close!r}?" if close else ""
    rest = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    there_are = f"There are {', '.join(names[:_MOST_LISTED])}{rest}." if names else "There is none."
    raise NotKnown(f"there is no such {what}{nearest or '.'} {there_are}")


def one_payer(store: Store, given: str) -> None:
    """Raise NotKnown for what is no payer of the set in force, and none that was ever billed."""
    if given:
        from gateway.wiring.policy import policy_in_force

        with store.read() as tx:
            billed = {row.payer for row in tx.claims.search()}
        one_known("payer", given, [*policy_in_force(store, Remembered()).catalogue.payers, *sorted(billed)])


def one_source(store: Store, given: str) -> None:
    """Raise NotKnown for what is no source of the set in force, and none that ever sent anything."""
    if given:
        from gateway.wiring.policy import policy_in_force

        sources = policy_in_force(store, Remembered()).mapping_set.sources
        if given not in sources:
            with store.read() as tx:
                heard = {each.source for each, _ in tx.inbox.messages(given)}
            one_known("source", given, [*sources, *heard])
