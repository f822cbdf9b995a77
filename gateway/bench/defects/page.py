"""The labels as a page for people: what each defect is, which family of rules and which desk it is expected of."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.bench.defects.catalogue import DEFECTS, NEAR_MISSES
from gateway.bench.defects.chart import CONTEXTS
from gateway.bench.defects.label import Defect, Labelled, Pitfall

_HEAD = """\
# Labelled defects

Written from `gateway/bench/defects/` by `python -m gateway.cli.reference docs/reference`; a test keeps it current, and
another sends every one of them through the product.

`cleanclaim bench gate` makes clean two-week stays in {contexts} contexts (payer, program, and EHR feed: FHIR and HL7),
spoils them one defect at a time and in pairs, **in the EHR's messages and the organization's own files**, and sends all
of it through the doors, the mapping files, the assembly and the gate. What makes the cases imports no rule; labels are
in a biller's words. A defect counts as caught when its claim is held (or its day left out, or a warning given, as
labelled), and beside that it is counted whether a rule of the family a biller would expect spoke, and to the desk that
can put it right. Cases exactly on a boundary must pass. The figures are in
[performance](../explanation/performance.md).

Families are those of the [rules of the gate](rules.md); *payer* is a payer's own condition.
"""


def defects_page() -> str:
    """The whole page."""
    head = _HEAD.format(contexts=len(CONTEXTS))
    return "\n".join([head, *(_section(pitfall) for pitfall in Pitfall), _near_misses()])


def _section(pitfall: Pitfall) -> str:
    defects = [each for each in DEFECTS if each.pitfall is pitfall]
    lines = ["| defect | what is wrong | expected of | for | what comes of it |", "|---|---|---|---|---|"]
    return "\n".join([f"## {pitfall.value.capitalize()}\n", *lines, *map(_line, defects), ""])


def _line(defect: Defect) -> str:
    return (
        f"| {_words(defect)} | {defect.says} | {', '.join(defect.families)} | {defect.owner} | {defect.outcome.value} |"
    )


def _near_misses() -> str:
    return "\n".join(["## Clean, exactly on a boundary\n", "| case | what it is |", "|---|---|", *_lines(), ""])


def _lines() -> Iterator[str]:
    for each in NEAR_MISSES:
        yield f"| {_words(each)} | {each.says} |"


def _words(each: Labelled) -> str:
    return each.name.replace("-", " ")
