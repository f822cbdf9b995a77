"""The table of the benchmark: what was caught of each defect, by which rule, for whom; what was held for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.bench.defects.catalogue import DEFECTS, NEAR_MISSES, cases
from gateway.bench.defects.label import Defect, Pitfall
from gateway.bench.labelled import Verdict, judge
from gateway.bench.rows import Row
from gateway.bench.timing import sized

SEED = 2026


@dataclass(slots=True)
class Tally:
    """One defect over the cases it was applied to, alone and with another."""

    tried: int = 0
    caught: int = 0
    right_family: int = 0
    right_owner: int = 0


@dataclass(slots=True)
class Score:
    """A whole run."""

    by_defect: dict[str, Tally] = field(default_factory=dict)
    clean: int = 0
    near_misses: int = 0
    false_holds: list[str] = field(default_factory=list)
    """Clean cases that were held or not billed, by what was done to them and where."""
    warned: list[str] = field(default_factory=list)
    """Clean cases, not on a boundary, that somebody is asked to look at all the same."""
    missed: list[str] = field(default_factory=list)
    """Defects that were not caught, or by another rule or for another owner than labelled, and where."""

    def add(self, verdict: Verdict) -> None:
        """Count one case."""
        place = verdict.case.chart.context.name
        if not verdict.case.defects:
            self.near_misses += bool(verdict.case.done)
            self.clean += not verdict.case.done
            if verdict.is_warned and not verdict.case.done:
                self.warned.append(f"{', '.join(sorted({each.rule for each in verdict.findings}))}: {place}")
            if not verdict.is_clean:
                self.false_holds.append(f"{' and '.join(each.name for each in verdict.case.done) or 'clean'}: {place}")
        for defect in verdict.case.defects:
            self._count(defect, verdict, place)

    def _count(self, defect: Defect, verdict: Verdict, place: str) -> None:
        tally = self.by_defect.setdefault(defect.name, Tally())
        caught, family, owner = verdict.catches(defect), verdict.names_family(defect), verdict.names_owner(defect)
        tally.tried += 1
        tally.caught += caught
        tally.right_family += family
        tally.right_owner += owner
        if not (caught and family and owner):
            wrong = "not caught" if not caught else "by another rule" if not family else "for another owner"
            self.missed.append(f"{defect.name}: {wrong}: {place}")

    def total(self, defects: Iterable[Defect]) -> Tally:
        """Several defects together."""
        known = [self.by_defect[each.name] for each in defects if each.name in self.by_defect]
        return Tally(
            tried=sum(each.tried for each in known),
            caught=sum(each.caught for each in known),
            right_family=sum(each.right_family for each in known),
            right_owner=sum(each.right_owner for each in known),
        )


def run_cases(*, clean_each: int, places_each: int, pairs: int, seed: int = SEED) -> Score:
    """Make the cases, send them through the product, count."""
    score = Score()
    for verdict in judge(cases(seed=seed, clean_each=clean_each, places_each=places_each, pairs=pairs)):
        score.add(verdict)
    return score


def measure(scale: float) -> list[dict[str, Any]]:
    """The task of the bench: recall by pitfall, right rule, right owner, false holds."""
    score = run_cases(clean_each=sized(3, scale), places_each=sized(2, scale), pairs=sized(50, scale))
    return [row.document() for row in rows(score)]


def rows(score: Score) -> list[Row]:
    """The score as rows of the bench's table; a note names what went wrong."""
    whole = score.total(DEFECTS)
    reference = f"{len(score.by_defect)} defects, alone and in pairs"
    wrong, near = _named(score.missed), f"{score.near_misses} on a boundary of {len(NEAR_MISSES)} kinds"
    clean = score.clean + score.near_misses
    return [
        *(_caught(score, each) for each in Pitfall),
        _percent("caught by the family of rules a biller expects", whole.right_family, whole.tried, reference, wrong),
        _percent("told to the desk that can put it right", whole.right_owner, whole.tried, reference, wrong),
        _none("clean claims held or left out", score.false_holds, f"{score.clean} clean and {near}", clean),
        _none("clean claims with a warning", score.warned, "clean, none on a boundary", score.clean),
    ]


def _caught(score: Score, pitfall: Pitfall) -> Row:
    defects = [each for each in DEFECTS if each.pitfall is pitfall]
    names = {each.name for each in defects}
    total = score.total(defects)
    missed = [each for each in score.missed if each.partition(":")[0] in names and ": not caught: " in each]
    return _percent(f"{pitfall}: caught", total.caught, total.tried, f"{len(defects)} kinds of defect", _named(missed))


def _percent(name: str, right: int, tried: int, reference: str, note: str) -> Row:
    return _row(name, 100 * right / tried, "% of cases", reference, tried, "100 %", met=right == tried, note=note)


def _none(name: str, wrong: Sequence[str], reference: str, tried: int) -> Row:
    return _row(name, len(wrong), "cases", reference, tried, "0", met=not wrong, note=_named(wrong))


def _row(name: str, value: float, unit: str, reference: str, tried: int, budget: str, *, met: bool, note: str) -> Row:
    """A count beside the number of cases it is of; nothing here is faster or slower than something else."""
    return Row(
        name=name, value=round(value, 2), unit=unit, reference=reference, reference_value=tried, ratio=None,
        budget=budget, met=met, note=note,
    )  # fmt: skip


def _named(wrong: Sequence[str]) -> str:
    return "; ".join(sorted(set(wrong)))
