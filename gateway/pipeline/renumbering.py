"""A stay that has several numbers: sessions named by one of them are known by the others too. Whatever came first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gateway.claim.party import Identifier
from gateway.claim.record import RecordKind
from gateway.ports.storage import Transaction

_BETWEEN = "/"


def under_every_number(
    tx: Transaction, organization: str, built: Mapping[str, str], named: Sequence[tuple[Identifier, ...]]
) -> list[tuple[Identifier, ...]]:
    """Each session's names, with those that begin with another number of the same stay."""
    numbers = {number for names in named for each in names for number, _ in _begins(each, built)}
    stays = tx.subjects.who_are(organization, RecordKind.EPISODE, sorted(numbers, key=str)) if numbers else {}
    known = tx.subjects.identifiers(sorted(set(stays.values())))
    others = {number: [each for each in known[stay] if each != number] for number, stay in stays.items()}
    return [tuple(dict.fromkeys((*names, *_other_names(names, built, others)))) for names in named]


def join_renumbered(tx: Transaction, organization: str, built: Mapping[str, str], stays: Iterable[str]) -> list[str]:
    """Give the sessions of these stays their names under every number: those told under two numbers become one.

    The sessions, for whoever has to be derived.
    """
    joined: list[str] = []
    for numbers in tx.subjects.identifiers(sorted(set(stays))).values():
        for namespace, of in built.items():
            same = [each.value for each in numbers if each.namespace == of]
            if len(same) > 1:
                joined += _join(tx, organization, namespace, same)
    return joined


def _join(tx: Transaction, organization: str, namespace: str, numbers: Sequence[str]) -> list[str]:
    """Names that end alike after numbers of one stay are names of one session."""
    tails = {
        name.value.removeprefix(number)
        for number in numbers
        for name in tx.subjects.beginning_with(organization, RecordKind.ENCOUNTER, namespace, number + _BETWEEN)
    }
    named = [[Identifier(namespace, number + tail) for number in numbers] for tail in sorted(tails)]
    return tx.subjects.resolve(organization, RecordKind.ENCOUNTER, named)


def _begins(name: Identifier, built: Mapping[str, str]) -> Iterator[tuple[Identifier, str]]:
    """Every number a name may begin with, and the rest of the name: a number may have slashes of its own."""
    of = built.get(name.namespace)
    if of is not None:
        for place, letter in enumerate(name.value):
            if letter == _BETWEEN:
                yield Identifier(of, name.value[:place]), name.value[place:]


def _other_names(
    names: Iterable[Identifier], built: Mapping[str, str], others: Mapping[Identifier, Sequence[Identifier]]
) -> Iterator[Identifier]:
    for name in names:
        for number, tail in _begins(name, built):
            for other in others.get(number, ()):
                if other.namespace == number.namespace:
                    yield Identifier(name.namespace, other.value + tail)
