"""Frequency, patient status and the payer's number of an earlier claim agree with each other.

Why: an interim bill of a discharged patient, or a final one of a patient still in care, is returned; a replacement that
    does not name the claim it replaces is denied as a duplicate.
Fails: for Medicare and payers with interim billing: 2 or 3 without status 30, 1 or 4 with it; 7 or 8 without the
    payer's claim number, or of a claim of another payer or patient, or one the payer never took; an 837I without
    patient status; a frequency the form does not have; a Medicare institutional 7 without exactly one of D0 to D4, D7
    to D9 and E0, an 8 without D5 or D6, any of them on an original. Warns: D9, which a contractor suspends.
Passes: 2 and 3 with 30, 4 with the discharge status; a commercial 1 with 30; 7 with the payer's number.
Source: Medicare Claims Processing Manual ch. 1 s. 50.2 and ch. 25 s. 75 (bill type frequency, patient status);
    ch. 1 s. 130.1.2 (claim change reasons); 005010X223A2 loop 2300 CLM05-3, CL103, REF*F8, HI*BG.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.claim import CHANGE_REASONS
from gateway.claim.contract import ClaimForm, FrequencyScheme
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_OTHER = "D9"
_REASONS = {"7": CHANGE_REASONS - {"D5", "D6"}, "8": frozenset({"D5", "D6"})}
_STILL_A_PATIENT = "30"
_FREQUENCIES = {
    ClaimForm.INSTITUTIONAL: frozenset({"1", "2", "3", "4", "7", "8"}),
    ClaimForm.PROFESSIONAL: frozenset({"1", "7", "8"}),
}


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    frequency, status = claim.frequency, claim.patient_status
    if frequency not in _FREQUENCIES[claim.form]:
        yield RULE.finding(
            "frequency",
            f"An {claim.form} has no frequency '{frequency}'.",
            "Bill 1 for an original, 7 to replace, 8 to void; 2, 3 and 4 for interim institutional claims.",
            values={"found": frequency, "form": claim.form},
            cents=claim.charge_cents,
        )
    if claim.form is ClaimForm.INSTITUTIONAL:
        yield from _status(inspection, frequency, status)
    if frequency in ("7", "8"):
        yield from _earlier(inspection)
    if inspection.is_medicare and claim.form is ClaimForm.INSTITUTIONAL:
        yield from _change_reason(inspection, frequency)


def _status(inspection: Inspection, frequency: str, status: str) -> Iterator[Finding]:
    claim, payer = inspection.claim, inspection.context.payer
    if not status:
        yield RULE.finding(
            "patient_status",
            "The claim does not say whether the patient is still in the program or how they left it.",
            "Send the stay with its discharge disposition (EpisodeOfCare or Encounter.hospitalization in FHIR, "
            "PV1-36 in HL7).",
            origin=inspection.origin("patient_status"),
            cents=claim.charge_cents,
            owner=Owner.FRONT_DESK,
        )
        return
    interim = payer is not None and payer.frequency_scheme is FrequencyScheme.INTERIM
    still = status == _STILL_A_PATIENT
    wrong = (frequency in ("2", "3") and not still) or (frequency in ("1", "4") and still)
    if wrong and (inspection.is_medicare or interim):
        yield RULE.finding(
            "patient_status",
            f"Frequency {frequency} with patient status {status}: "
            + ("a final bill needs the discharge status." if still else "an interim bill is for a patient still here."),
            "Send the discharge, or correct its date; a bill before discharge is interim.",
            values={"frequency": frequency, "patient_status": status},
            origin=inspection.origin("patient_status") or inspection.origin("discharged_on"),
            cents=claim.charge_cents,
            owner=Owner.FRONT_DESK,
        )


def _earlier(inspection: Inspection) -> Iterator[Finding]:
    claim, previous = inspection.claim, inspection.context.previous
    if not claim.payer_claim_number:
        yield RULE.finding(
            "payer_claim_number",
            f"Frequency {claim.frequency} needs the payer's number of the claim it stands for.",
            "Wait for the payer's answer to the earlier claim; a claim the payer never took is sent again as original.",
            values={"frequency": claim.frequency},
            cents=claim.charge_cents,
        )
    elif previous is not None and previous.payer_claim_number != claim.payer_claim_number:
        yield RULE.finding(
            "payer_claim_number",
            "The payer's claim number is not the one the payer gave the earlier version.",
            "Use the number of the latest remittance or acknowledgement.",
            values={"found": claim.payer_claim_number, "expected": previous.payer_claim_number},
            cents=claim.charge_cents,
        )
    if previous is not None and (previous.payer, previous.patient_id) != (claim.insured.payer, claim.key.patient_id):
        yield RULE.finding(
            "insured.payer",
            "A replacement or void goes to the payer and for the patient of the earlier claim.",
            "Void the earlier claim with its own payer and bill this one as an original.",
            values={"payer": claim.insured.payer, "earlier_payer": previous.payer},
            cents=claim.charge_cents,
        )


def _change_reason(inspection: Inspection, frequency: str) -> Iterator[Finding]:
    """Medicare wants one code that says why, on a correction and on nothing else."""
    claim = inspection.claim
    found = [code for code in claim.condition_codes if code in CHANGE_REASONS]
    allowed = _REASONS.get(frequency, frozenset())
    if (len(found) != 1 or found[0] not in allowed) if allowed else found:
        wanted = f"one of {', '.join(sorted(allowed))}" if allowed else "none"
        yield RULE.finding(
            "condition_codes",
            f"A Medicare claim of frequency {frequency} carries {wanted} to say why it is changed; this one has "
            f"{' and '.join(found) or 'none'}.",
            "Assemble the claim again: the code follows from what changed.",
            values={"found": ", ".join(found), "expected": ", ".join(sorted(allowed)), "frequency": frequency},
            cents=claim.charge_cents,
        )
    elif found == [_OTHER]:
        yield RULE.finding(
            "condition_codes",
            "Condition code D9, another change, stops the claim at the contractor until a remark says what changed.",
            "Be ready to enter the remark at the contractor; no other code describes this change.",
            values={"found": _OTHER, "frequency": frequency},
            cents=claim.charge_cents,
            severity=Severity.WARN,
        )


RULE = Rule(
    name="frequency-fits-status",
    code="G15",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.SERIES,
    snip=4,
    page=__doc__,
    check=_check,
    judges_voids=True,
)
