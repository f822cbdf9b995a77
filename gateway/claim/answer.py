"""What comes back: acknowledgements, claim statuses and remittances as facts. A fact never overwrites another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

CONTRACTUAL_REASONS = frozenset({"45", "94", "131", "144", "223", "253"})
"""CARCs that explain an amount by contract or law (fee schedule, incentive, sequestration) instead of denying it."""
PRIOR_PAYER = ("OA", "23")
"""Group and CARC of what an earlier payer's adjudication settled: neither paid nor denied by this one."""
PROCESSED_AFTER_ANOTHER = frozenset({"2", "3", "20", "21"})
"""CLP02 of a payer that came second or third, forwarded or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterchangeAnswer:
    """A TA1: what became of one interchange."""

    isa13: int
    code: str
    """TA104: A accepted, E accepted with errors, R rejected."""
    note: str = ""
    """TA105."""
    created_on: date | None = None
    created_at: time | None = None
    """TA102 and TA103: ISA09 and ISA10 of the interchange that is answered, in its sender's own time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionAnswer:
    """A 999's word on one transaction set, or on the whole group when ``st02`` is empty."""

    gs06: int
    st02: str
    code: str
    """IK501 or AK901: A, E, R, P, M, W, X."""
    errors: tuple[str, ...] = ()
    """One sentence per IK3/IK4: segment, position, element, code. No values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAnswer:
    """A 277CA's word on one claim."""

    batch_reference: str
    """2200B TRN02, our BHT03; empty when the sender leaves it out."""
    claim_number: str
    """2200D TRN02, our CLM01."""
    accepted: bool
    by_payer: bool
    """True when the payer says it, False when the clearinghouse does."""
    statuses: tuple[str, ...] = ()
    """``category:code:entity`` as sent in STC01, STC10, STC11."""
    payer_claim_number: str = ""
    clearinghouse_number: str = ""
    charge_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """One CAS triplet: positive cents reduce the payment."""

    group: str
    reason: str
    cents: int
    quantity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidLine:
    """One SVC of an 835 claim."""

    control_number: str
    """REF*6R; empty when the payer drops it."""
    revenue_code: str
    hcpcs: str
    modifiers: tuple[str, ...]
    service_on: date | None
    charge_cents: int
    paid_cents: int
    adjustments: tuple[Adjustment, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidClaim:
    """One CLP of an 835; ``ordinal`` is its place in the transaction."""

    ordinal: int
    claim_number: str
    payer_claim_number: str
    status_code: str
    """CLP02. 22 is a reversal of an earlier payment."""
    charge_cents: int
    paid_cents: int
    patient_cents: int
    adjustments: tuple[Adjustment, ...] = ()
    remarks: tuple[str, ...] = ()
    lines: tuple[PaidLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAdjustment:
    """One PLB pair: money moved at the provider's level, not a claim's."""

    reason: str
    reference: str
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfBalance:
    """A place where the remittance's own arithmetic fails."""

    where: str
    expected_cents: int
    found_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remittance:
    """One 835 transaction, identified by (``payer_identifier`` TRN03, ``trace_number`` TRN02, ``payee_npi``)."""

    payer_identifier: str
    trace_number: str
    payee_npi: str
    payee_tax_id: str = ""
    payer_name: str = ""
    payment_cents: int
    payment_method: str = ""
    handling_code: str = ""
    paid_on: date | None = None
    claims_paid_cents: int
    """What its claims come to; they are entries of its transaction."""
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()
    out_of_balance: tuple[OutOfBalance, ...] = ()

    @property
    def balanced(self) -> bool:
        """True when line, claim and transaction arithmetic all hold."""
        return not self.out_of_balance


Answer = InterchangeAnswer | TransactionAnswer | Remittance
"""What a transaction says as a whole."""
Entry = ClaimAnswer | PaidClaim
"""What a 277CA or an 835 says of one claim. There may be a million, so nobody holds all of a transaction's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTransaction:
    """One transaction of a returned file with its envelope: the unit that is applied once. Its entries are apart."""

    type: str
    """``TA1``, ``999``, ``277CA`` or ``835``."""
    sender: str
    receiver: str
    usage: str
    """ISA15: T or P."""
    isa13: int
    gs06: int | None
    st02: str
    answers: tuple[Answer, ...]
    problems: tuple[str, ...] = ()
    """Why it cannot be applied; empty when it can."""
