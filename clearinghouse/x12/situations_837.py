"""SNIP 4 of an 837: what one part of a claim makes necessary in another. Payers' own rules are not here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clearinghouse.x12.claim_facts import (
    ClaimFact,
    CoverageFact,
    LineFact,
    SubscriberFact,
    is_inpatient,
    is_outpatient,
)
from clearinghouse.x12.decoding import at
from clearinghouse.x12.explain import is_date
from clearinghouse.x12.findings import ERROR, WARNING, Finding

_STILL_PATIENT = "30"
_POST_OFFICE_BOX = re.compile(r"(?:P\.? ?O\.?|POST OFFICE) ?BOX\b|PO BOX")
_MEDICARE = frozenset(("MA", "MB"))
_TRANSPORT_REVENUE = "054"
_MAX_CLAIM_NUMBER = 20
# Ways an attachment travels apart from the claim: mail, electronic, e-mail, file transfer, fax (guide, PWK02).
_SENT_APART = frozenset(("BM", "EL", "EM", "FT", "FX"))
# Principal and other diagnoses; an admitting diagnosis, a reason for the visit or a cause may repeat one of them.
_CLAIM_DIAGNOSES = frozenset(("ABK", "ABF", "BK", "BF"))


def subscriber_findings(subscriber: SubscriberFact) -> Iterator[Finding]:
    """Who the patient is: the subscriber (SBR02 = 18, with address and demographics) or a dependent (loop 2000C)."""
    at_name = subscriber.name_position or subscriber.position
    if subscriber.relationship == "18":
        if subscriber.has_patient:
            message = "SBR02 says the patient is the subscriber, and a patient loop follows."
            yield _finding(ERROR, "patient-twice", message, "SBR", subscriber.position + 1, "2000B", "SBR02", "I13")
            return
        if not subscriber.named:
            return  # the loop the rest would stand in is missing and told as such
        if not (subscriber.has_street and subscriber.has_city):
            message = "The patient is the subscriber, so the subscriber's address (N3, N4) is required."
            yield _missing("subscriber-address", message, "N4" if subscriber.has_street else "N3", at_name, "2010BA")
        if not subscriber.has_demographics:
            message = "The patient is the subscriber, so date of birth and gender (DMG) are required."
            yield _missing("subscriber-demographics", message, "DMG", at_name, "2010BA")
        if not subscriber.member_id:
            message = "The patient is the subscriber, so the member id (NM109) is required."
            yield _finding(ERROR, "member-id", message, "NM1", at_name, "2010BA", "NM109", "I9")
    elif subscriber.responsibility and not subscriber.has_patient and not subscriber.promises_patient:
        message = "SBR02 is not 18, so the patient is a dependent and a patient loop (2000C) is required."
        yield _missing("patient-missing", message, "HL", subscriber.position, "2000C")


def claim_findings(
    claim: ClaimFact, subscriber: SubscriberFact, institutional: bool, created: str
) -> Iterator[Finding]:
    """What the facts of one claim require of each other. `created` is BHT04."""
    yield from _frequency(claim)
    if claim.charge_cents is not None and claim.charge_cents < 0:
        message = "A claim's total charge cannot be negative."
        yield _finding(ERROR, "charge-negative", message, "CLM", claim.position, "2300", "CLM02", "7")
    yield from _diagnoses(claim)
    yield from _dates(claim, subscriber, created)
    if len(claim.number) > _MAX_CLAIM_NUMBER:
        message = "The claim number is longer than the 20 characters payers must return."
        yield _finding(WARNING, "claim-number-long", message, "CLM", claim.position, "2300", "CLM01", "5")
    if institutional:
        yield from _institutional(claim, subscriber)
    else:
        yield from _professional(claim)
    yield from _coverages(claim, subscriber)
    yield from _lines(claim, subscriber, institutional, created)
    yield from _control_numbers(claim)


def repeated_claim(claim: ClaimFact) -> Finding:
    """CLM01 was used before in this transaction set."""
    message = "The claim number was already used by an earlier claim of this transaction set."
    return _finding(WARNING, "claim-repeated", message, "CLM", claim.position, "2300", "CLM01", "7")


def street_findings(values: list[str], position: int, loop: str) -> Iterator[Finding]:
    """The billing provider's address is a street, not a post office box (that goes to loop 2010AB)."""
    if any(_POST_OFFICE_BOX.search(value.upper()) for value in values[1:]):
        message = "The billing provider's address must be a street; a post office box belongs in loop 2010AB."
        yield _finding(ERROR, "billing-address-box", message, "N3", position, loop, "N301", "7")


def birth_findings(born: str, created: str, position: int, loop: str) -> Iterator[Finding]:
    """Nobody is born after the file was created."""
    if len(born) == 8 and len(created) == 8 and born > created:
        message = "The date of birth is later than the date the file was created."
        yield _finding(ERROR, "birth-in-future", message, "DMG", position, loop, "DMG02", "8")


def span_findings(values: list[str], position: int, loop: str) -> Iterator[Finding]:
    """A date range runs forward."""
    first, dash, last = at(values, 3).partition("-")
    if dash and at(values, 2) == "RD8" and len(first) == len(last) == 8 and first > last:
        message = "The date range ends before it begins."
        yield _finding(ERROR, "span-reversed", message, "DTP", position, loop, "DTP03", "8")


def negative_amount(position: int, loop: str) -> Finding:
    """What a patient or another payer paid, or still owes, is not negative on a claim."""
    return _finding(ERROR, "amount-negative", "The amount cannot be negative.", "AMT", position, loop, "AMT02", "7")


def attachment_findings(values: list[str], position: int, loop: str) -> Iterator[Finding]:
    """An attachment that is sent apart needs the control number that will be written on it."""
    if at(values, 2) in _SENT_APART and not at(values, 6):
        message = "An attachment sent by mail, fax, file or post needs its control number (PWK05 = AC, PWK06)."
        yield _finding(ERROR, "attachment-number", message, "PWK", position, loop, "PWK06", "I9")


def _frequency(claim: ClaimFact) -> Iterator[Finding]:
    if claim.frequency in ("7", "8") and "F8" not in claim.references:
        what = "replaces" if claim.frequency == "7" else "voids"
        message = (
            f"Frequency {claim.frequency} {what} an earlier claim, so the payer's claim number (REF*F8) is required."
        )
        yield _missing("payer-claim-number", message, "REF", claim.position, "2300")


def _institutional(claim: ClaimFact, subscriber: SubscriberFact) -> Iterator[Finding]:
    transport = claim.lines and all(line.revenue.startswith(_TRANSPORT_REVENUE) for line in claim.lines)
    if "71" not in claim.roles and not transport:
        message = "An institutional claim needs its attending provider (loop 2310A)."
        yield _missing("attending-missing", message, "NM1", claim.position, "2310A")
    inpatient = is_inpatient(claim.facility)
    if inpatient:
        yield from _inpatient(claim)
    if not inpatient and is_outpatient(claim.facility):
        for fact in claim.diagnoses:
            if fact.qualifier in ("ABJ", "BJ"):
                message = "An admitting diagnosis belongs to inpatient claims only."
                yield _finding(
                    WARNING, "admitting-outpatient", message, "HI", fact.position, "2300", fact.element, "I13"
                )
            if fact.present_on_admission:
                message = "Present on admission belongs to inpatient claims only."
                element = fact.element[:-1] + "9"
                yield _finding(WARNING, "present-outpatient", message, "HI", fact.position, "2300", element, "I13")
    yield from _patient_status(claim, subscriber)


def _inpatient(claim: ClaimFact) -> Iterator[Finding]:
    status = claim.patient_status
    if claim.admitted is None:
        message = "An inpatient claim needs its admission date (DTP*435)."
        yield _missing("admission-missing", message, "DTP", claim.position, "2300")
    if status is not None and not claim.admission_type:
        message = "An inpatient claim needs its type of admission (CL101)."
        yield _finding(ERROR, "admission-type", message, "CL1", status.position, "2300", "CL101", "I9")
    final = claim.frequency in ("1", "4") and status is not None and status.value != _STILL_PATIENT
    if final and "096" not in claim.dates:
        message = "The final claim of an inpatient stay needs its discharge hour (DTP*096)."
        yield _situational(WARNING, "discharge-hour", message, "DTP", claim.position, "2300")
    if claim.diagnoses and not any(fact.qualifier in ("ABJ", "BJ") for fact in claim.diagnoses):
        message = "An inpatient claim needs its admitting diagnosis (HI*ABJ)."
        yield _situational(WARNING, "admitting-missing", message, "HI", claim.position, "2300")


def _patient_status(claim: ClaimFact, subscriber: SubscriberFact) -> Iterator[Finding]:
    status = claim.patient_status
    if status is None or not status.value:
        return
    still = status.value == _STILL_PATIENT
    medicare = subscriber.filing_indicator in _MEDICARE
    message = ""
    if claim.frequency in ("2", "3") and not still:
        message = f"Frequency {claim.frequency} says the stay goes on, so patient status must be 30 (still a patient)."
    elif claim.frequency == "4" and still:
        message = "Frequency 4 is the last bill of a stay, so patient status cannot be 30 (still a patient)."
    elif claim.frequency == "1" and still and medicare:
        message = "Frequency 1 is a whole stay, so for Medicare patient status cannot be 30 (still a patient)."
    if message:
        severity = ERROR if medicare else WARNING
        yield _finding(severity, "status-frequency", message, "CL1", status.position, "2300", "CL103", "7")


def _professional(claim: ClaimFact) -> Iterator[Finding]:
    accident = any(cause in ("AA", "OA") for cause in claim.causes)
    if accident and "439" not in claim.dates:
        message = "A claim related to an accident (CLM11) needs the date of the accident (DTP*439)."
        yield _missing("accident-date", message, "DTP", claim.position, "2300")
    if "AA" in claim.causes and not claim.accident_state:
        message = "A claim related to an auto accident needs the state it happened in (CLM11-4)."
        yield _finding(ERROR, "accident-state", message, "CLM", claim.position, "2300", "CLM11-4", "I9")
    diagnoses = len(claim.diagnoses)
    for line in claim.lines if diagnoses else ():
        for pointer in line.pointers:
            if not (pointer.isdecimal() and 1 <= int(pointer[:3]) <= diagnoses):
                message = f"A diagnosis pointer of the line names no diagnosis; the claim has {diagnoses}."
                yield _finding(ERROR, "pointer-dangling", message, "SV1", line.service_position, "2400", "SV107", "7")
                break


def _coverages(claim: ClaimFact, subscriber: SubscriberFact) -> Iterator[Finding]:
    own = subscriber.responsibility
    if own in ("S", "T") and not claim.coverages:
        which = "secondary" if own == "S" else "tertiary"
        message = f"A {which} claim needs the earlier payer's decision (loop 2320)."
        yield _missing("earlier-payer-missing", message, "SBR", claim.position, "2320")
    taken = {own}
    for coverage in claim.coverages:
        if coverage.responsibility in taken and coverage.responsibility != "U":
            message = "Two payers of the claim hold the same place in the payment order."
            yield _finding(ERROR, "payer-order-repeated", message, "SBR", coverage.position, "2320", "SBR01", "7")
        taken.add(coverage.responsibility)
        yield from _decision(claim, coverage)


def _decision(claim: ClaimFact, coverage: CoverageFact) -> Iterator[Finding]:
    """Another payer that decided the claim says what it paid, and when: with each line, or with the claim."""
    by_line = any(decided.payer_id == coverage.payer_id for line in claim.lines for decided in line.adjudications)
    if (by_line or coverage.adjusted) and coverage.paid_cents is None:
        message = "Another payer decided this claim, so what it paid (AMT*D) is required, zero included."
        yield _missing("coverage-paid", message, "AMT", coverage.position, "2320")
    if coverage.payer_id and coverage.paid_cents is not None and not by_line and not coverage.decided_on:
        message = "Another payer decided this claim as a whole, so the date it did (DTP*573, loop 2330B) is required."
        yield _missing("coverage-date", message, "DTP", coverage.position, "2330B")


def _diagnoses(claim: ClaimFact) -> Iterator[Finding]:
    seen: set[str] = set()
    for fact in claim.diagnoses:
        if fact.qualifier not in _CLAIM_DIAGNOSES or not fact.code:
            continue
        if fact.code in seen:
            message = f"{fact.element} repeats a diagnosis of the same claim."
            yield _finding(WARNING, "diagnosis-repeated", message, "HI", fact.position, "2300", fact.element, "7")
        seen.add(fact.code)


def _dates(claim: ClaimFact, subscriber: SubscriberFact, created: str) -> Iterator[Finding]:
    """What the claim's own dates say of each other; a line's dates lie inside the statement's and are judged there."""
    last, admitted = claim.statement_through, claim.admitted
    if not last:
        return
    if len(created) == 8 and last > created:
        message = "The statement period ends later than the date the file was created."
        yield _finding(ERROR, "service-in-future", message, "DTP", claim.statement_position, "2300", "DTP03", "8")
    if _born(subscriber, created) > claim.statement_from:
        yield _unborn(claim.statement_position, "2300")
    if admitted is not None and len(admitted.value) == 8 and admitted.value > last:
        message = "The admission date is later than the end of the statement period."
        yield _finding(ERROR, "admission-late", message, "DTP", admitted.position, "2300", "DTP03", "8")


def _born(subscriber: SubscriberFact, created: str) -> str:
    """The patient's date of birth, blank when it is no date or a future one."""
    born = subscriber.patient_born if subscriber.has_patient else subscriber.born
    return born if is_date(born) and born <= created else ""


def _unborn(position: int, loop: str) -> Finding:
    message = "The service is earlier than the patient's date of birth."
    return _finding(ERROR, "service-before-birth", message, "DTP", position, loop, "DTP03", "8")


def _lines(claim: ClaimFact, subscriber: SubscriberFact, institutional: bool, created: str) -> Iterator[Finding]:
    born = "" if claim.statement_from else _born(subscriber, created)
    needs_date = institutional and is_outpatient(claim.facility)
    for line in claim.lines:
        segment = "SV2" if institutional else "SV1"
        if line.charge_cents is not None and line.charge_cents < 0:
            element = "SV203" if institutional else "SV102"
            message = "A line charge cannot be negative."
            yield _finding(ERROR, "charge-negative", message, segment, line.service_position, "2400", element, "7")
        if line.units and (line.units.startswith("-") or not line.units.strip("0.")):
            element = "SV205" if institutional else "SV104"
            message = "A line needs more than zero units."
            yield _finding(ERROR, "units-zero", message, segment, line.service_position, "2400", element, "7")
        if needs_date and not line.date_position:
            message = "Every line of an outpatient claim needs its date of service (DTP*472)."
            yield _missing("line-date-missing", message, "DTP", line.position, "2400")
        yield from _line_date(claim, line, created)
        if born and line.date_from and line.date_from < born:
            yield _unborn(line.date_position, "2400")


def _line_date(claim: ClaimFact, line: LineFact, created: str) -> Iterator[Finding]:
    if not line.date_from:
        return
    outside = claim.statement_from and not (
        claim.statement_from <= line.date_from and line.date_through <= claim.statement_through
    )
    if outside:
        message = "The line's date of service is outside the statement period of the claim."
        yield _finding(ERROR, "line-outside-statement", message, "DTP", line.date_position, "2400", "DTP03", "8")
    elif not claim.statement_from and len(created) == 8 and line.date_through > created:
        message = "The line's date of service is later than the date the file was created."
        yield _finding(ERROR, "service-in-future", message, "DTP", line.date_position, "2400", "DTP03", "8")


def _control_numbers(claim: ClaimFact) -> Iterator[Finding]:
    seen: set[str] = set()
    for line in claim.lines:
        if line.control_number and line.control_number in seen:
            message = "The line control number (REF*6R) was already used by an earlier line of this claim."
            yield _finding(WARNING, "line-control-repeated", message, "REF", line.position, "2400", "REF02", "7")
        seen.add(line.control_number)


def _missing(code: str, message: str, segment: str, position: int, loop: str) -> Finding:
    return _situational(ERROR, code, message, segment, position, loop)


def _situational(severity: str, code: str, message: str, segment: str, position: int, loop: str) -> Finding:
    return Finding(4, severity, code, message, segment, position, loop, "", "", "I6", "")


def _finding(
    severity: str, code: str, message: str, segment: str, position: int, loop: str, element: str, ik4: str
) -> Finding:
    return Finding(4, severity, code, message, segment, position, loop, element, "", "8", ik4)
