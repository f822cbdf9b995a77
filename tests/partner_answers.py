"""What a partner answers, as real bytes: TA1, 999, 277CA and 835 about an interchange or a claim of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from itertools import count

from msgspec.structs import replace

from clearinghouse.x12.acknowledgement_999 import Acknowledgement, TransactionResponse, write_999
from clearinghouse.x12.envelope import Envelope
from clearinghouse.x12.interchange_ta1 import InterchangeAcknowledgement, write_ta1
from clearinghouse.x12.parties import Address, Adjustment, Amount, DateSpan, Name, QualifiedDate, Quantity
from clearinghouse.x12.remittance_835 import (
    ClaimPayment,
    Payee,
    Payment,
    ProviderAdjustment,
    Remittance,
    RemittanceHeader,
    RemittancePayer,
    Trace,
)
from clearinghouse.x12.status_277ca import (
    ClaimStatus,
    ProviderStatus,
    ReceiverStatus,
    SourceStatus,
    Status,
    StatusCode,
    StatusTransaction,
)
from clearinghouse.x12.write_277ca import write_277ca
from clearinghouse.x12.write_835 import write_835
from gateway.ports.claims import Version
from gateway.ports.exchanges import InterchangeRow
from tests.pipeline_site import LOCAL_TIME, RECEIVER_ID, SENDER_ID

TODAY = date(2026, 8, 18)
PATIENT = Name("SAMPLE", "PAT", id_qualifier="MI", identifier="ABC123456", entity_type="1")
CLINIC = Name("HARBOR BEHAVIORAL HEALTH", id_qualifier="XX", identifier="1000000012")
PAYER_ADDRESS = Address("1 PAYER WAY", "CHICAGO", "IL", "60601")


@dataclass
class Partner:
    """The other side. Its own control numbers count up; ``receiver`` and ``usage`` may be somebody else's."""

    payee_npi: str
    receiver: str = SENDER_ID
    sender: str = RECEIVER_ID
    usage: str = "T"
    numbers: count[int] = field(default_factory=lambda: count(500))

    def envelope(self) -> Envelope:
        number = next(self.numbers)
        return Envelope(
            sender_qualifier="ZZ",
            sender_id=self.sender,
            receiver_qualifier="ZZ",
            receiver_id=self.receiver,
            application_sender_code=self.sender,
            application_receiver_code=self.receiver,
            usage=self.usage,
            interchange_control_number=number,
            group_control_number=number,
            created_on=TODAY,
            created_time=time(9, 30),
        )

    def ta1(self, row: InterchangeRow, code: str = "A", note: str = "000") -> bytes:
        """On an interchange, named by its number, day and minute."""
        sent = row.created_at.astimezone(LOCAL_TIME)
        acknowledgement = InterchangeAcknowledgement(f"{row.isa13:09d}", sent.date(), sent.time(), code, note)
        return write_ta1(acknowledgement, self.envelope())

    def ack_999(self, row: InterchangeRow, code: str = "A") -> bytes:
        """On the one transaction of an interchange."""
        accepted = int(code in "AE")
        acknowledgement = Acknowledgement(
            functional_code="HC",
            group_control_number=str(row.isa13),
            group_guide="005010X223A2",
            responses=(TransactionResponse("837", "0001", code, "005010X223A2"),),
            group_code=code,
            included_count=1,
            received_count=1,
            accepted_count=accepted,
        )
        return write_999(acknowledgement, self.envelope())

    def status_277ca(
        self,
        version: Version,
        *,
        accepted: bool = True,
        by_payer: bool = False,
        charge_cents: int | None = None,
        payer_claim_number: str = "",
    ) -> bytes:
        """On one claim, by the clearinghouse or by the payer."""
        cents = version.claim.charge_cents if charge_cents is None else charge_cents
        code = StatusCode("A2", "20") if accepted else StatusCode("A3", "21")
        status = Status((code,), TODAY, "WQ" if accepted else "U", cents)
        claim = ClaimStatus(
            patient=PATIENT,
            trace_number=version.claim_number,
            statuses=(status,),
            payer_claim_number=payer_claim_number,
            bill_type="131",
            service_dates=DateSpan(version.claim.statement_from_on, version.claim.statement_through_on),
        )
        taken = (Quantity("QA" if accepted else "QC", Decimal(1)), Amount("YU" if accepted else "YY", cents))
        provider = ProviderStatus(
            CLINIC, (claim,), "0", (replace(status, effective_on=None),), (), taken[:1], taken[1:]
        )
        totals = (Quantity("90" if accepted else "AA", Decimal(1)),)
        receiver = ReceiverStatus(CLINIC, "BATCH", (status,), (provider,), totals, taken[1:])
        source = SourceStatus(
            Name("ACME" if by_payer else "CLEARING", id_qualifier="46", identifier="X1"),
            "PR" if by_payer else "AY",
            "1",
            (QualifiedDate("050", DateSpan(TODAY)), QualifiedDate("009", DateSpan(TODAY))),
            (receiver,),
        )
        return write_277ca(StatusTransaction("1", TODAY, time(9, 30), (source,)), self.envelope())

    def remit_835(
        self,
        *claims: ClaimPayment,
        trace: str = "EFT1",
        payment_cents: int | None = None,
        provider_adjustments: Sequence[tuple[str, int]] = (),
    ) -> bytes:
        """An 835 that pays these claims; ``provider_adjustments`` are (reason, cents that reduce the payment)."""
        adjustments = tuple(
            ProviderAdjustment(self.payee_npi, date(2026, 12, 31), reason, cents, "REF1")
            for reason, cents in provider_adjustments
        )
        paid = sum(each.paid_cents for each in claims) - sum(each.cents for each in adjustments)
        header = RemittanceHeader(
            payment=Payment(paid if payment_cents is None else payment_cents, TODAY, handling="I", method="CHK"),
            trace=Trace(trace, "1990000017"),
            payer=RemittancePayer(Name("ACME", id_qualifier="XV", identifier="ACME1"), PAYER_ADDRESS),
            payee=Payee(Name("HARBOR BEHAVIORAL HEALTH", id_qualifier="XX", identifier=self.payee_npi)),
            produced_on=TODAY,
        )
        numbered = tuple(replace(claim, position=number) for number, claim in enumerate(claims, 1))
        return write_835(Remittance(header, numbered, adjustments), self.envelope())


def payment(
    version: Version, paid_cents: int, *adjustments: tuple[str, str, int], status_code: str = "1", number: str = ""
) -> ClaimPayment:
    """One CLP for a version: the rest of its charge is adjusted by (group, reason, cents)."""
    return ClaimPayment(
        patient_control_number=number or version.claim_number,
        status_code=status_code,
        charge_cents=paid_cents + sum(cents for _, _, cents in adjustments),
        paid_cents=paid_cents,
        patient=PATIENT,
        patient_cents=sum(cents for group, _, cents in adjustments if group == "PR"),
        claim_filing_indicator="CI",
        payer_claim_number="ICN1",
        adjustments=tuple(Adjustment(group, reason, cents) for group, reason, cents in adjustments),
    )


def reversal(of: ClaimPayment) -> ClaimPayment:
    """The reversal (22) of a payment."""
    return replace(
        of,
        status_code="22",
        charge_cents=-of.charge_cents,
        paid_cents=-of.paid_cents,
        patient_cents=-(of.patient_cents or 0),
        adjustments=tuple(replace(each, cents=-each.cents) for each in of.adjustments),
    )
