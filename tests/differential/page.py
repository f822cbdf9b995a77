"""The reference page of the differences, written from the table and the counts of the last whole run."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.differential.classes import DifferenceClass, known_classes
from tests.differential.comparison import Comparison

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "x12-referee.md"
_COUNTS = Path(__file__).with_name("counts.toml")
_VERDICTS = {"ours": "this product", "theirs": "pyx12", "opinion": "a matter of opinion"}
_HEAD = """\
# The X12 check and its referee

Written by `python -m tests.differential --all --write`; a test keeps it current.

`cleanclaim check` judges X12 by its own reading of the guides. In the tests pyx12 4.0.0 (the guide tables are compiled
from its maps, none of its code judges here) judges the same files, remark by remark. Every way in which the two are
known to differ is a class below, with who is right and a public source; a difference of no class fails `make test`.
Where pyx12 was right and the check was not, the check was changed, and there is no class.

Over files of others: `python -m tests.differential FOLDER`.

x12sdk 2.2.0 is a second judge of the 837s and 835s written here. It looks at neither the envelope nor the order of
segments, so what it lets pass says little and only its refusals of right files are looked at: it refuses the billing
note of an 837I (NTE01 = ADD), which pyx12's map has, and demands bank numbers of an 835 paid by ACH, which pyx12's map
leaves open: a receiver needs none to post money.

"""


def page() -> str:
    """The page as it should be now."""
    counts = tomllib.loads(_COUNTS.read_text())
    return "\n".join([_HEAD + _summary(counts), *_classes(counts["met"])]) + "\n"


def write_page(comparison: Comparison) -> None:
    """Keep the counts of a whole run, and write the page."""
    lines = [f"files = {comparison.files}", f"same_verdict = {comparison.same_verdict}"]
    lines += [f"shared_remarks = {comparison.shared_remarks}", "", "[met]"]
    lines += [f"{each.id} = {comparison.met[each.id]}" for each in known_classes()]
    _COUNTS.write_text("\n".join(lines) + "\n")
    PAGE.write_text(page())


def _summary(counts: dict[str, Any]) -> str:
    alone = sum(counts["met"].values())
    files, same, both = counts["files"], counts["same_verdict"], counts["shared_remarks"]
    return f"""\
The last whole run compared {files:,} files: written here (837I, 837P, 835, 277CA, 999, with dependents, other
payers and line adjudications) and damaged in one place each, every segment and element in turn. Both gave one verdict
on {same:,}, not on {files - same:,}. Both made {both:,} of the remarks, one alone {alone:,}, nearly always after
both had found the structure broken. `make test` compares a part of the files, drawn anew each time.
"""


def _classes(met: dict[str, int]) -> Iterator[str]:
    for each in known_classes():
        yield f"## {each.id}\n"
        yield f"{each.reason}\n"
        yield f"Right: **{_VERDICTS[each.verdict]}**. Source: {each.source}\n"
        yield f"{_where(each)} Met {met[each.id]:,} times.\n"


def _where(each: DifferenceClass) -> str:
    said = {"ours": "Remarks of this product's check", "theirs": "Remarks of pyx12"}.get(
        each.alone, "Remarks of either"
    )
    told = [f"{name} `{value}`" for name, value in each.patterns.items()]
    published = " In published files only." if each.published else ""
    return f"{said}{': ' + ', '.join(told) if told else ''}.{published}"
