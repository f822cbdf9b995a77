"""Which remarks of two judges speak of one thing, and which are one judge's alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from clearinghouse.x12.referee import Kind
from tests.differential.judges import Remark

OURS, THEIRS = "ours", "theirs"


@dataclass(frozen=True, slots=True)
class Difference:
    """A remark only one judge makes. `follows`: both had found the structure broken before, there or in the envelope.

    After that each judge goes on from where it believes to be.
    """

    alone: str
    remark: Remark
    follows: bool


def differences(ours: Iterable[Remark], theirs: Iterable[Remark]) -> list[Difference]:
    """Every remark left when those at one place are taken together, the nearest meaning of 'place' first."""
    every = list(ours), list(theirs)
    left, right = every
    shared: list[Remark] = []
    for key in (_exactly, _element, _gap, _segment):
        left, right, said_twice = _without_shared(left, right, key)
        shared += said_twice
    broken = [_broken([*side, *shared]) for side in every]
    return [
        Difference(alone, remark, all(_follows(remark, places) for places in broken))
        for alone, remarks in ((OURS, left), (THEIRS, right))
        for remark in remarks
    ]


def _without_shared(
    left: list[Remark], right: list[Remark], key: Callable[[Remark], object]
) -> tuple[list[Remark], list[Remark], list[Remark]]:
    """Remarks with one key are one thing said twice, however often each judge says it; those come last."""
    both = ({key(each) for each in left} & {key(each) for each in right}) - {None}
    rest = [[each for each in side if key(each) not in both] for side in (left, right)]
    return rest[0], rest[1], [each for each in (*left, *right) if key(each) in both]


def _exactly(remark: Remark) -> object:
    if remark.kind is Kind.MISSING or not remark.element:
        return None
    return remark.transaction, remark.position, remark.segment, remark.element


def _element(remark: Remark) -> object:
    """A composite and its component."""
    if remark.kind is Kind.MISSING or not remark.element:
        return None
    return remark.transaction, remark.position, remark.segment, remark.element.split("-")[0]


def _gap(remark: Remark) -> object:
    """What is missing has no place of its own."""
    return (remark.transaction, remark.segment) if remark.kind is Kind.MISSING else None


def _segment(remark: Remark) -> object:
    return None if remark.kind is Kind.MISSING else (remark.transaction, remark.position, remark.segment)


def _broken(remarks: Iterable[Remark]) -> list[tuple[int, int]]:
    """Where a judge found the structure broken; a gap is told at the loop's beginning, or where it ends."""
    return [
        (each.transaction, 0 if each.kind is Kind.MISSING else each.position)
        for each in remarks
        if each.kind is not Kind.ELEMENT
    ]


def _follows(remark: Remark, broken: list[tuple[int, int]]) -> bool:
    placed = remark.kind is not Kind.MISSING and remark.element != "HL04"  # HL04 promises what comes after it
    return any(
        0 in (transaction, remark.transaction)
        or (transaction == remark.transaction and (not placed or position <= remark.position + 1))
        for transaction, position in broken
    )
