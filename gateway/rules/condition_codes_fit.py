"""Condition codes are exactly those the service definition lists.

Why: Medicare tells PHP and IOP apart by condition code alone (41 and 92); without it the claim is returned, with both
    it cannot be priced.
Fails: a condition code of the definition is missing; one it does not list is present; a Medicare claim without the code
    of its level of care, whatever the definition lists; 41 together with 92; 92 on a date of service before 2024-01-01;
    a condition code on an 837P.
Passes: 41 on Medicare PHP, 92 on Medicare IOP from 2024, none where the definition lists none.
Source: Medicare Claims Processing Manual ch. 4 s. 260 and 261; CMS MM13222 (condition code 92 from 2024-01-01).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import LevelOfCare
from gateway.rules.rule import Group, Inspection, Limits, Rule

PHP, IOP = "41", "92"
_IOP_SINCE = date(2024, 1, 1)
_MEDICARE = {LevelOfCare.PHP: PHP, LevelOfCare.IOP: IOP}


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    found = claim.service_condition_codes
    expected: tuple[str, ...] = ()
    if claim.form is ClaimForm.INSTITUTIONAL:
        definition = next((each for each in inspection.definitions if each is not None), None)
        expected = definition.condition_codes if definition else found
    if found != expected and set(found) != set(expected):
        entries = {line.definition for line in claim.lines}
        yield RULE.finding(
            "condition_codes",
            f"The claim has condition code {_words(found)}; the definition lists {_words(expected)}.",
            "Correct the definition's condition codes, or take the code off the claim.",
            values={
                "found": ", ".join(found),
                "expected": ", ".join(expected),
                "definition": ", ".join(sorted(entries)),
            },
            cents=claim.charge_cents,
        )
    yield from _medicare(inspection)
    if PHP in found and IOP in found:
        yield RULE.finding(
            "condition_codes",
            "Condition codes 41 (PHP) and 92 (IOP) are both on the claim; a claim is one or the other.",
            "Keep the code of the level of care that was attended.",
            values={"found": ", ".join(found)},
            cents=claim.charge_cents,
        )
    if IOP in found and claim.statement_from_on < _IOP_SINCE:
        yield RULE.finding(
            "condition_codes",
            f"Condition code 92 is on a claim from {claim.statement_from_on}; it exists since {_IOP_SINCE}.",
            "Medicare pays intensive outpatient services from 2024-01-01 only.",
            values={"service_on": claim.statement_from_on.isoformat(), "since": _IOP_SINCE.isoformat()},
            cents=claim.charge_cents,
        )


def _medicare(inspection: Inspection) -> Iterator[Finding]:
    """Medicare's own code of the level of care, whatever the definition lists."""
    claim = inspection.claim
    wanted = _MEDICARE.get(claim.key.level_of_care)
    if (
        wanted
        and inspection.is_medicare
        and claim.statement_from_on >= _IOP_SINCE
        and wanted not in claim.condition_codes
    ):
        yield RULE.finding(
            "condition_codes",
            f"Medicare knows {claim.key.level_of_care} by condition code {wanted}, and the claim has "
            f"{_words(claim.condition_codes)}.",
            f"List condition code {wanted} in the service definition.",
            values={
                "found": ", ".join(claim.condition_codes),
                "expected": wanted,
                "definition": ", ".join(sorted({line.definition for line in claim.lines})),
            },
            cents=claim.charge_cents,
        )


def _words(codes: tuple[str, ...]) -> str:
    return " and ".join(codes) or "none"


RULE = Rule(
    name="condition-codes-fit",
    code="G13",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.CODES,
    snip=6,
    page=__doc__,
    check=_check,
)
