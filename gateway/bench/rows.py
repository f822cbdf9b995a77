"""One line of the bench's table: a figure, what it is compared with, and whether the budget is met."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

NO_BUDGET = "none, for comparison"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measured figure. ``value`` and ``reference_value`` are in ``unit``; None is not measured; ``note`` says why.

    ``met`` is True only where the budget was shown to be met, or where there is none.
    """

    name: str
    value: float | None
    unit: str
    reference: str
    reference_value: float | None
    ratio: float | None
    budget: str
    met: bool
    note: str = ""

    def document(self) -> dict[str, Any]:
        """The row as ``bench --json`` shows it."""
        return asdict(self)


def compared(
    name: str,
    value: float,
    unit: str,
    reference: str,
    reference_value: float | None,
    *,
    budget: str = NO_BUDGET,
    at_least_ratio: float | None = None,
    at_most_ratio: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    note: str = "",
) -> Row:
    """A row whose ratio is ours by theirs; the bounds, where given, must all hold for the budget to be met."""
    ratio = value / reference_value if reference_value else None
    met = (
        (at_least_ratio is None or (ratio is not None and ratio >= at_least_ratio))
        and (at_most_ratio is None or (ratio is not None and ratio <= at_most_ratio))
        and (at_least is None or value >= at_least)
        and (at_most is None or value <= at_most)
    )
    return Row(
        name=name,
        value=_rounded(value),
        unit=unit,
        reference=reference,
        reference_value=None if reference_value is None else _rounded(reference_value),
        ratio=None if ratio is None else round(ratio, 3),
        budget=budget,
        met=met,
        note=note,
    )


def unmeasured(name: str, note: str) -> Row:
    """A row in place of a stage that did not come to its end."""
    return Row(
        name=name,
        value=None,
        unit="",
        reference="",
        reference_value=None,
        ratio=None,
        budget="to come to its end",
        met=False,
        note=note,
    )


def _rounded(value: float) -> float:
    """Four figures are more than any of these measurements can tell apart."""
    return float(f"{value:.4g}")
