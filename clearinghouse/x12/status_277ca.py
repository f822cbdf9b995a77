"""Values of the 277 claim acknowledgment (005010X214), in the guide's words. Knows no claim of ours."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from msgspec import Struct

from clearinghouse.x12.parties import (
    Amount,
    DateSpan,
    Name,
    Procedure,
    QualifiedDate,
    Quantity,
    Reference,
    UnreadSegment,
)

GUIDE = "005010X214"


class StatusCode(Struct, frozen=True, gc=False):
    """One STC composite: category (A0-A8 ...), status code, entity code (PR, 85, IL ...) where it is asked for.

    `code_list` names the list the status is from where it is not X12's own (RX).
    """

    category: str
    status: str
    entity: str = ""
    code_list: str = ""


class Status(Struct, frozen=True, gc=False):
    """One STC: up to three status codes, date, action WQ (accept) or U (reject), amount, free text STC12."""

    codes: tuple[StatusCode, ...]
    effective_on: date | None = None
    action: str = ""
    charge_cents: int | None = None
    message: str = ""


class LineStatus(Struct, frozen=True, gc=False):
    """Loop 2220D: one line's rejection. `line_control_number` is REF*FJ."""

    procedure: Procedure
    charge_cents: int
    statuses: tuple[Status, ...]
    revenue_code: str = ""
    units: Decimal | None = None
    line_control_number: str = ""
    references: tuple[Reference, ...] = ()
    service_dates: DateSpan | None = None


class ClaimStatus(Struct, frozen=True, gc=False):
    """Loops 2000D, 2100D, 2200D. `trace_number` is TRN02 = our CLM01; `payer_claim_number` REF*1K.

    `clearinghouse_trace` is REF*D9, `bill_type` REF*BLT, `service_dates` DTP*472.
    """

    patient: Name
    trace_number: str
    statuses: tuple[Status, ...]
    payer_claim_number: str = ""
    clearinghouse_trace: str = ""
    bill_type: str = ""
    references: tuple[Reference, ...] = ()
    service_dates: DateSpan | None = None
    lines: tuple[LineStatus, ...] = ()


class ProviderStatus(Struct, frozen=True, gc=False):
    """Loops 2000C, 2100C, 2200C: one billing provider, its totals (QTY QA/QC, AMT YU/YY) and its claims.

    The guide has no date (STC02) in the statuses of this level; a writer leaves it out.
    """

    provider: Name
    claims: tuple[ClaimStatus, ...] = ()
    trace_number: str = ""
    statuses: tuple[Status, ...] = ()
    references: tuple[Reference, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    amounts: tuple[Amount, ...] = ()


class ReceiverStatus(Struct, frozen=True, gc=False):
    """Loops 2000B, 2100B, 2200B: the submitter. `trace_number` is TRN02 = our BHT03; QTY 90/AA, AMT YU/YY."""

    receiver: Name
    trace_number: str
    statuses: tuple[Status, ...]
    providers: tuple[ProviderStatus, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    amounts: tuple[Amount, ...] = ()


class SourceStatus(Struct, frozen=True, gc=False):
    """Loops 2000A, 2100A, 2200A: who answers (NM1 role PR payer or AY clearinghouse).

    Dates 050 received, 009 processed.
    """

    source: Name
    role: str
    trace_number: str
    dates: tuple[QualifiedDate, ...]
    receivers: tuple[ReceiverStatus, ...] = ()


class StatusTransaction(Struct, frozen=True, gc=False):
    """One ST of a 277CA. `reference` is BHT03; `unread` what a stranger's file says beyond these values."""

    reference: str
    created_on: date
    created_time: time
    sources: tuple[SourceStatus, ...]
    control_number: str = "0001"
    unread: tuple[UnreadSegment, ...] = ()
