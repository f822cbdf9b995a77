"""Every defect and near miss, and the cases a run is made of: each where it can be applied, and defects in pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from random import Random
from types import ModuleType

from gateway.bench.defects import (
    attendance,
    authorization,
    codes,
    feeds,
    lists,
    near_misses,
    papers,
    payer,
    people,
    place,
)
from gateway.bench.defects.chart import CONTEXTS, Chart, Context, make_chart
from gateway.bench.defects.label import CodeListFile, Defect, Labelled, MappingChange, NearMiss, Outcome

JUDGED_ON = date(2026, 9, 1)


def _defects(*modules: ModuleType) -> tuple[Defect, ...]:
    return tuple(each for module in modules for each in vars(module).values() if isinstance(each, Defect))


DEFECTS = _defects(codes, lists, place, attendance, authorization, payer, people, papers, feeds)
NEAR_MISSES = tuple(
    each for module in (near_misses, lists) for each in vars(module).values() if isinstance(each, NearMiss)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One chart, and what was done to it: nothing, one near miss, one defect or two."""

    chart: Chart
    done: tuple[Labelled, ...]
    today: date
    mapping: tuple[MappingChange, ...]
    lists: tuple[CodeListFile, ...]

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What is wrong with it."""
        return tuple(each for each in self.done if isinstance(each, Defect))

    @property
    def unbilled_days(self) -> int:
        """Days that are rightly not billed."""
        return sum(each.unbilled_days for each in self.done if isinstance(each, NearMiss))


def cases(*, seed: int, clean_each: int, places_each: int, pairs: int) -> list[Case]:
    """Clean charts of every context, each near miss and defect in so many contexts, and so many pairs of defects."""
    numbers = count(1)
    random = Random(seed)  # noqa: S311 - reproducible fiction, no secret
    planned: list[tuple[Context, tuple[Labelled, ...]]] = [
        (context, ()) for context in CONTEXTS for _ in range(clean_each)
    ]
    for each in (*NEAR_MISSES, *DEFECTS):
        planned += [(context, (each,)) for context in _some(random, each, places_each)]
    planned += _pairs(random, pairs)
    return [_case(context, done, next(numbers), seed) for context, done in planned]


def _some(random: Random, each: Labelled, most: int) -> list[Context]:
    """Contexts it can be applied in, as many payers, programs and feeds as fit."""
    fitting = [context for context in CONTEXTS if each.fits(context)]
    assert fitting, f"{each.name} can be applied nowhere"
    return random.sample(fitting, min(most, len(fitting)))


def _pairs(random: Random, count: int) -> Iterator[tuple[Context, tuple[Labelled, ...]]]:
    """Two defects of different pitfalls on one claim; none that hides the other, or takes away the day it is on."""
    plain = [
        each for each in DEFECTS if not (each.conceals or each.apart or each.today or each.outcome is Outcome.LEFT_OUT)
    ]
    while count:
        context = random.choice(CONTEXTS)
        one, other = random.sample([each for each in plain if each.fits(context)], 2)
        if one.pitfall is not other.pitfall:
            count -= 1
            yield context, (one, other)


def _case(context: Context, done: Sequence[Labelled], number: int, seed: int) -> Case:
    chart = make_chart(context, number, seed=seed)
    for each in done:
        each.change(chart)
    todays = [each.today(chart) for each in done if each.today]
    return Case(
        chart=chart,
        done=tuple(done),
        today=todays[0] if todays else JUDGED_ON,
        mapping=tuple(change for each in done for change in each.mapping),
        lists=tuple(each for one in done for each in one.lists),
    )
