"""Small valid values of the trade for any test: made-up people and numbers, one moment that never moves by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from gateway.claim.answer import Adjustment, PaidClaim, Remittance
from gateway.claim.claim import BillingProvider, Claim, ClaimKey, ClaimLine, Insured
from gateway.claim.contract import ClaimForm, LineOfBusiness, ProgramKind
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.party import Address, Person, PersonName, Practitioner, Sex
from gateway.claim.record import LevelOfCare
from gateway.lifecycle import ClaimFact, FactKind
from gateway.store.audit_chain import AuditChain

NOON = datetime(2026, 8, 17, 12, 0, tzinfo=UTC)
TENANT, ORGANIZATION, CONNECTION = "riverside", "harbor", "clearing"
CHARGE_CENTS = 105_000
CHAIN = AuditChain(b"a key that only the tests know")


class ManualClock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


ADDRESS = Address(line1="100 HARBOR WAY", city="CHICAGO", state="IL", postal_code="606011234")
PSYCHIATRIST = Practitioner(
    npi="1882001013", name=PersonName(family="THORNBURY", given="ISOLDE"), taxonomy="2084P0800X"
)


def a_line(number: int = 1, **changes: Any) -> ClaimLine:
    """One program day of commercial intensive outpatient care."""
    given: dict[str, Any] = {
        "number": number,
        "service_on": date(2026, 8, 3) + timedelta(days=2 * (number - 1)),
        "revenue_code": "0905",
        "hcpcs": "S9480",
        "charge_cents": CHARGE_CENTS // 3,
        "units": 1,
    }
    return ClaimLine(**{**given, **changes})


def a_claim(**changes: Any) -> Claim:
    """A week of commercial intensive outpatient care for one adult: three days, 1,050 dollars."""
    given: dict[str, Any] = {
        "key": a_key(),
        "form": ClaimForm.INSTITUTIONAL,
        "program_kind": ProgramKind.MENTAL_HEALTH,
        "frequency": "1",
        "bill_class": "13",
        "billing_provider": BillingProvider(
            name="HARBOR BEHAVIORAL HEALTH",
            npi="1991000104",
            tax_id="990000017",
            taxonomy="261QM0801X",
            address=ADDRESS,
            contact_name="BILLING OFFICE",
            contact_phone="3125550100",
        ),
        "insured": Insured(
            coverage_id="coverage-1",
            payer="acme",
            payer_name="ACME",
            payer_number="ACME1",
            line_of_business=LineOfBusiness.COMMERCIAL,
            claim_filing_code="CI",
            sequence="P",
            member_number="ABC123456",
        ),
        "patient": Person(
            name=PersonName(family="SAMPLE", given="PAT"), birth_on=date(1990, 5, 17), sex=Sex.FEMALE, address=ADDRESS
        ),
        "statement_from_on": date(2026, 8, 3),
        "statement_through_on": date(2026, 8, 7),
        "admission_type": "3",
        "point_of_origin": "1",
        "patient_status": "30",
        "diagnoses": ("F332",),
        "authorization_number": "AUTH1",
        "attending": PSYCHIATRIST,
        "lines": tuple(a_line(number) for number in (1, 2, 3)),
        "connection": CONNECTION,
    }
    return Claim(**{**given, **changes})


def a_key(patient_id: str = "patient-1", **changes: Any) -> ClaimKey:
    """The key of that week's claim."""
    given: dict[str, Any] = {
        "organization": ORGANIZATION,
        "patient_id": patient_id,
        "payer": "acme",
        "facility": "harbor-main",
        "program": "mh-program",
        "level_of_care": LevelOfCare.IOP,
        "period_start_on": date(2026, 8, 2),
    }
    return ClaimKey(**{**given, **changes})


def a_finding(severity: Severity = Severity.BLOCK, **changes: Any) -> Finding:
    """A finding of the gate."""
    given: dict[str, Any] = {
        "rule": "authorization-covers-days",
        "code": "G08",
        "severity": severity,
        "path": "lines[2].service_on",
        "message": "Two days lie outside the authorization.",
        "fix": "Ask for an extension.",
        "owner": Owner.UTILIZATION_REVIEW,
        "values": {"authorization": "AUTH1"},
        "cents": 35_000,
    }
    return Finding(**{**given, **changes})


def a_fact(kind: FactKind, code: str = "", **changes: Any) -> ClaimFact:
    """A fact about the first version of one claim; the same fact for the same arguments."""
    given: dict[str, Any] = {
        "claim_id": "claim-1",
        "version_id": "version-1",
        "kind": kind,
        "at": NOON,
        "actor": "machine",
        "role": "machine",
        "code": code,
    }
    given |= changes
    ordinal = given["paid"].ordinal if given.get("paid") else ""
    named = (given["claim_id"], given["version_id"], kind, code, given.get("interchange_id", ""), ordinal)
    return ClaimFact(**{"id": "|".join(map(str, named)), **given})


def an_adjudication(
    paid_cents: int = CHARGE_CENTS, *adjustments: tuple[str, str, int], ordinal: int = 1, **changes: Any
) -> PaidClaim:
    """One CLP: paid, and adjusted by (group, reason, cents)."""
    given: dict[str, Any] = {
        "ordinal": ordinal,
        "claim_number": "C00000000010",
        "payer_claim_number": "ICN1",
        "status_code": "1",
        "charge_cents": paid_cents + sum(cents for _, _, cents in adjustments),
        "paid_cents": paid_cents,
        "patient_cents": sum(cents for group, _, cents in adjustments if group == "PR"),
        "adjustments": tuple(
            Adjustment(group=group, reason=reason, cents=cents) for group, reason, cents in adjustments
        ),
    }
    return PaidClaim(**{**given, **changes})


def reversal_of(paid: PaidClaim, ordinal: int = 90) -> PaidClaim:
    """The reversal (CLP02 22) that takes an adjudication back whole."""
    return an_adjudication(
        -paid.paid_cents,
        *((each.group, each.reason, -each.cents) for each in paid.adjustments),
        ordinal=ordinal,
        status_code="22",
        claim_number=paid.claim_number,
        payer_claim_number=paid.payer_claim_number,
    )


def a_remittance(*claims: PaidClaim, **changes: Any) -> Remittance:
    """A balanced 835 that pays these claims."""
    given: dict[str, Any] = {
        "payer_identifier": "1990000017",
        "trace_number": "EFT1",
        "payee_npi": "1991000104",
        "payment_cents": sum(each.paid_cents for each in claims),
        "paid_on": date(2026, 8, 24),
        "claims_paid_cents": sum(each.paid_cents for each in claims),
    }
    return Remittance(**{**given, **changes})
