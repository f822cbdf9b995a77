"""The sandbox's first answers as bytes: TA1, 999, 277CA. It is told what to say and decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from itertools import groupby

from clearinghouse.sandbox.submission import Person, SubmittedClaim, SubmittedInterchange, at
from clearinghouse.x12.envelope import Envelope
from clearinghouse.x12.interchange_ta1 import InterchangeAcknowledgement, write_ta1
from clearinghouse.x12.parties import Amount, DateSpan, Name, QualifiedDate, Quantity
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

CLEARINGHOUSE_NAME = "SANDBOX CLEARINGHOUSE"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one level says of one claim before adjudication: codes, and the payer's number once it has one."""

    claim: SubmittedClaim
    category: str
    status: str
    entity: str = ""
    payer_claim_number: str = ""

    @property
    def is_acceptance(self) -> bool:
        """A1 and A2 go on; every other category ends here."""
        return self.category in ("A0", "A1", "A2")


def reply_address(interchange: SubmittedInterchange) -> str:
    """Who gets the answers to an interchange, as JSON: kept with its claims for the remittances to come."""
    isa = interchange.header.elements
    group = interchange.groups[0].header if interchange.groups else []
    address = {
        "sender_qualifier": isa[7],
        "sender_id": isa[8].strip(),
        "receiver_qualifier": isa[5],
        "receiver_id": isa[6].strip(),
        "application_sender_code": at(group, 3) or isa[8].strip(),
        "application_receiver_code": at(group, 2) or isa[6].strip(),
        "usage": isa[15] if isa[15] in ("T", "P") else "T",
    }
    return json.dumps(address)


def envelope_to(address: str, number: int, now: datetime) -> Envelope:
    """An envelope to a reply address: our own control numbers, our clock, no acknowledgement wanted."""
    return Envelope(
        **json.loads(address),
        interchange_control_number=number,
        group_control_number=number,
        created_on=now.date(),
        created_time=now.time(),
        acknowledgment_requested=False,
    )


def reply_envelope(interchange: SubmittedInterchange, number: int, now: datetime) -> Envelope:
    """Back to the sender of an interchange, identities swapped."""
    return envelope_to(reply_address(interchange), number, now)


def interchange_answer(interchange: SubmittedInterchange, code: str, note: str, envelope: Envelope) -> bytes:
    """A TA1: code A, E or R with its note."""
    isa = interchange.header.elements
    answer = InterchangeAcknowledgement(
        control_number=isa[13],
        interchange_on=_date(isa[9]),
        interchange_time=_time(isa[10]),
        code=code,
        note=note,
    )
    return write_ta1(answer, envelope)


def status_answer(source: Name, role: str, verdicts: Sequence[Verdict], envelope: Envelope, now: datetime) -> bytes:
    """A 277CA for the claims of one submitted batch; `role` is AY for the clearinghouse, PR for a payer."""
    first = verdicts[0].claim
    today = now.date()
    received, processed = (QualifiedDate(qualifier, DateSpan(today)) for qualifier in ("050", "009"))
    counts, amounts = _totals(verdicts, ("90", "AA"))
    receiver = ReceiverStatus(
        receiver=_name(first.submitter),
        trace_number=first.batch_reference,
        statuses=(_received(verdicts, today),),
        providers=tuple(
            _provider_status(list(claims), today)
            for _, claims in groupby(verdicts, key=lambda each: each.claim.billing.identifier)
        ),
        quantities=counts,
        amounts=amounts,
    )
    reference = f"{envelope.interchange_control_number:09d}"
    transaction = StatusTransaction(
        reference=reference,
        created_on=today,
        created_time=now.time(),
        sources=(SourceStatus(source, role, reference, (received, processed), (receiver,)),),
    )
    return write_277ca(transaction, envelope)


def _provider_status(verdicts: Sequence[Verdict], today: date) -> ProviderStatus:
    counts, amounts = _totals(verdicts, ("QA", "QC"))
    return ProviderStatus(
        provider=_name(verdicts[0].claim.billing),
        claims=tuple(_claim_status(each, today) for each in verdicts),
        trace_number="0",
        statuses=(_received(verdicts, None),),
        quantities=counts,
        amounts=amounts,
    )


def _claim_status(verdict: Verdict, today: date) -> ClaimStatus:
    claim = verdict.claim
    days = claim.service_dates
    span = DateSpan(days[0], days[-1] if len(days) > 1 else None) if days else None
    return ClaimStatus(
        patient=_name(replace(claim.patient, identifier=claim.patient.identifier or claim.subscriber.identifier), "MI"),
        trace_number=claim.claim_number,
        statuses=(_status(verdict, today, claim.charge_cents),),
        payer_claim_number=verdict.payer_claim_number,
        bill_type=claim.facility + claim.frequency if claim.is_institutional else "",
        service_dates=span,
    )


def _status(verdict: Verdict, today: date | None, charge_cents: int) -> Status:
    return Status(
        codes=(StatusCode(verdict.category, verdict.status, verdict.entity),),
        effective_on=today,
        action="WQ" if verdict.is_acceptance else "U",
        charge_cents=charge_cents,
    )


def _received(verdicts: Sequence[Verdict], today: date | None) -> Status:
    """The levels above the claims only say that they came: refused there, a batch would have no claims below it."""
    total = sum(each.claim.charge_cents for each in verdicts)
    return _status(Verdict(verdicts[0].claim, "A1", "19", "PR"), today, total)


def _totals(verdicts: Iterable[Verdict], counted: tuple[str, str]) -> tuple[tuple[Quantity, ...], tuple[Amount, ...]]:
    """Counts (accepted, refused) and amounts (YU accepted, YY refused); what is zero is left out."""
    accepted = [each.claim.charge_cents for each in verdicts if each.is_acceptance]
    refused = [each.claim.charge_cents for each in verdicts if not each.is_acceptance]
    pairs = ((counted[0], "YU", accepted), (counted[1], "YY", refused))
    quantities = tuple(Quantity(count, Decimal(len(charges))) for count, _, charges in pairs if charges)
    return quantities, tuple(Amount(amount, sum(charges)) for _, amount, charges in pairs if charges)


def _name(person: Person, qualifier: str = "") -> Name:
    return Name(
        last_or_organization=person.last or "UNKNOWN",
        first=person.first,
        middle=person.middle,
        id_qualifier=(person.qualifier or qualifier) if person.identifier else "",
        identifier=person.identifier,
        entity_type=person.entity_type,
    )


def _date(text: str) -> date:
    try:
        return datetime.strptime(text, "%y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return date(2000, 1, 1)


def _time(text: str) -> time:
    try:
        return datetime.strptime(text, "%H%M").time()  # noqa: DTZ007 - the ISA has no zone
    except ValueError:
        return time(0)
