"""Every diagnosis is a complete code of the release in force on the date of service; the principal fits the program.

Why: an unknown, incomplete or outdated code, or a principal diagnosis that is not behavioral, is denied (CARC 11, 146,
    167; RARC M76, MA63).
Fails: no principal diagnosis; a code the release of the fiscal year does not have, or that has longer codes below it; a
    principal outside the definition's chapters, an external cause or a manifestation; a code twice; more than the form
    holds; a line that points at no diagnosis. Warns: no release is loaded for the date of service; a principal that
    asks for the condition behind it to be coded first.
Passes: F33.2 with F41.1 on a mental health claim; F10.20 on a substance use claim; Z codes after the principal; G30.9
    before F02.80, whose place is second.
Source: 45 CFR 162.1002; ICD-10-CM official guidelines, yearly from 1 October; 005010X223A2 loop 2300 HI. Codes are
    judged on the first date of service, and on the last one too where a fiscal year ends between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from gateway.claim.calendar import federal_fiscal_year
from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_LIMITS = {ClaimForm.INSTITUTIONAL: 25, ClaimForm.PROFESSIONAL: 12}
_EXTERNAL_CAUSES = ("V", "W", "X", "Y")
# ICD-10-CM tabular list, chapter 5: "in diseases classified elsewhere", and "code first" at the category.
_MANIFESTATIONS = ("F02", "F54")
_CODE_FIRST = ("F01", "F04", "F05", "F06", "F07", "F09", "F482")
_POINTERS_MAX = 4


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    codes = claim.diagnoses
    if not codes:
        yield _finding(inspection, "diagnoses", "The claim has no principal diagnosis.", {})
        return
    yield from _known(inspection)
    yield from _principal(inspection, codes[0])
    if len(codes) > _LIMITS[claim.form] or len(set(codes)) < len(codes):
        yield _finding(
            inspection,
            "diagnoses",
            f"The claim has {len(codes)} diagnoses, {len(set(codes))} of them different; "
            f"an {claim.form} holds {_LIMITS[claim.form]}.",
            {"found": str(len(codes)), "limit": str(_LIMITS[claim.form])},
        )
    if claim.form is ClaimForm.PROFESSIONAL:
        yield from _pointers(inspection, len(codes))


def _known(inspection: Inspection) -> Iterator[Finding]:
    claim, code_sets = inspection.claim, inspection.context.codes
    dates = [claim.statement_from_on]
    if federal_fiscal_year(claim.statement_through_on) != federal_fiscal_year(claim.statement_from_on):
        dates.append(claim.statement_through_on)
    for on in dates:
        for index, code in enumerate(claim.diagnoses):
            billable = code_sets.diagnosis_is_billable(code, on)
            if billable:
                continue
            if billable is None:
                yield _no_release(on, claim.charge_cents)
                break
            yield _bad_code(inspection, index, code, on)


def _bad_code(inspection: Inspection, index: int, code: str, on: date) -> Finding:
    year = federal_fiscal_year(on)
    known = inspection.context.codes.diagnosis_is_known(code, on)
    said = "is incomplete: longer codes exist below it" if known else f"is no ICD-10-CM code of fiscal year {year}"
    return _finding(
        inspection,
        f"diagnoses[{index}]",
        f"Diagnosis {code} {said}.",
        {"code": code, "service_on": on.isoformat(), "fiscal_year": str(year)},
    )


def _no_release(on: date, cents: int) -> Finding:
    year = federal_fiscal_year(on)
    return RULE.finding(
        "diagnoses",
        f"No ICD-10-CM release is loaded for {on} (fiscal year {year}), so diagnoses were not checked.",
        f"Load the release of fiscal year {year}: 'cleanclaim codes import icd-10-cm FILE --from {year - 1}-10-01'.",
        values={"service_on": on.isoformat(), "fiscal_year": str(year)},
        cents=cents,
        owner=Owner.INTEGRATION,
        severity=Severity.WARN,
    )


def _principal(inspection: Inspection, code: str) -> Iterator[Finding]:
    fitting = (True for found in inspection.definitions if found and code.startswith(found.diagnosis_prefixes))
    prefixes: set[str] = set()
    if not next(fitting, False) and not _leads(inspection.claim.diagnoses):
        prefixes = {each for found in inspection.definitions if found for each in found.diagnosis_prefixes}
    if code.startswith(_MANIFESTATIONS):
        yield _finding(
            inspection,
            "diagnoses[0]",
            f"Principal diagnosis {code} is a manifestation; the condition behind it is coded first.",
            {"code": code},
        )
    elif code.startswith(_CODE_FIRST):
        yield replace(
            _finding(
                inspection,
                "diagnoses[0]",
                f"Principal diagnosis {code} asks for the condition behind it to be coded first, where it is known.",
                {"code": code},
            ),
            severity=Severity.WARN,
        )
    if prefixes or code.startswith(_EXTERNAL_CAUSES):
        expected = ", ".join(sorted(prefixes)) or "not an external cause"
        yield _finding(
            inspection,
            "diagnoses[0]",
            f"Principal diagnosis {code} is not one this program is billed with ({expected}).",
            {"code": code, "expected": expected},
        )


def _leads(codes: tuple[str, ...]) -> bool:
    """True when the principal is the condition behind a behavioral diagnosis, which the guidelines code second."""
    return any(code.startswith((*_MANIFESTATIONS, *_CODE_FIRST)) for code in codes[1:]) and not codes[0].startswith(
        _EXTERNAL_CAUSES
    )


def _pointers(inspection: Inspection, count: int) -> Iterator[Finding]:
    for index, line in enumerate(inspection.claim.lines):
        pointers = line.diagnosis_pointers
        inside = all(1 <= pointer <= count for pointer in pointers)
        if not 0 < len(pointers) <= _POINTERS_MAX or not inside:
            words = ", ".join(map(str, pointers))
            yield RULE.finding(
                f"lines[{index}].diagnosis_pointers",
                f"The line of {line.service_on} points at diagnosis {words or 'none'} of {count}.",
                "Assemble the claim again.",
                values={"pointers": words, "diagnoses": str(count)},
                cents=line.charge_cents,
                owner=Owner.BILLING,
            )


def _finding(inspection: Inspection, path: str, message: str, values: dict[str, str]) -> Finding:
    claim = inspection.claim
    return RULE.finding(
        path,
        message,
        "Correct the diagnosis in the EHR and send the visit or the stay again.",
        values=values,
        origin=inspection.origin("diagnoses"),
        cents=claim.charge_cents,
    )


RULE = Rule(
    name="diagnoses-valid",
    code="G19",
    severity=Severity.BLOCK,
    owner=Owner.CLINICIAN,
    group=Group.CODES,
    snip=5,
    page=__doc__,
    check=_check,
)
