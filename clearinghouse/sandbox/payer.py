"""A simulated payer's decision on one claim. The same content and seed give the same decision, whatever came before.

What it knows is the submitted claim and the payer table: none of our rules, so that it can disagree with us.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from clearinghouse.sandbox.payer_table import PayerTable, SimulatedPayer
from clearinghouse.sandbox.submission import SubmittedClaim, SubmittedLine
from clearinghouse.x12.parties import Adjustment

_UNPROCESSABLE = "MA130"


@dataclass(frozen=True, slots=True)
class LineDecision:
    """What became of one line: allowed and paid cents, adjustments that make up the difference, remark codes."""

    line: SubmittedLine
    allowed_cents: int
    paid_cents: int
    adjustments: tuple[Adjustment, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one claim. `remarks` are the claim's own; `interest_cents` is owed on top of what was paid.

    `prior_cents` is what payers before this one had already paid of it: an adjustment of the claim, not of a line.
    """

    lines: tuple[LineDecision, ...]
    remarks: tuple[str, ...] = ()
    interest_cents: int = 0
    prior_cents: int = 0

    @property
    def paid_cents(self) -> int:
        """What the payer pays for the claim."""
        return sum(line.paid_cents for line in self.lines) - self.prior_cents

    @property
    def patient_cents(self) -> int:
        """What the patient owes: every PR adjustment."""
        return sum(each.cents for line in self.lines for each in line.adjustments if each.group == "PR")

    @property
    def is_denial(self) -> bool:
        """Whether no line was allowed anything."""
        return not any(line.allowed_cents for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Denial:
    group: str
    reason: str
    remark: str = ""


def content_key(claim: SubmittedClaim) -> str:
    """What makes two claims the same to a payer: who, by whom, which services on which days. Not the claim's number."""
    lines = sorted(
        "|".join((str(line.from_on), str(line.through_on), line.revenue_code, line.code, ".".join(line.modifiers)))
        for line in claim.lines
    )
    parts = (claim.payer.identifier, claim.subscriber.identifier, claim.patient.first, claim.billing.identifier, *lines)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def chance(seed: int, percent: int, *content: object) -> bool:
    """Whether something that happens `percent` of the time happens to this content."""
    text = "\n".join([str(seed), *map(str, content)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % 100 < percent


def decide(
    claim: SubmittedClaim,
    payer: SimulatedPayer,
    table: PayerTable,
    seed: int,
    received_on: date,
    is_duplicate: bool,
    authorized_days_used: int = 0,
) -> Decision:
    """The payer's decision. `authorized_days_used` counts days already paid under the claim's authorization number."""
    whole = _whole_claim_denial(claim, payer, table, received_on, is_duplicate)
    if whole is not None:
        remarks = (_UNPROCESSABLE,) if whole.reason == "16" else ()
        return Decision(tuple(_denied(line, whole) for line in claim.lines), remarks)
    days = _authorized_days(claim, payer, authorized_days_used)
    lines = tuple(_decide_line(line, claim, payer, table, seed, days) for line in claim.lines)
    due = sum(line.paid_cents for line in lines)
    prior = min(due, claim.prior_paid_cents)
    owed = due > prior and chance(seed, payer.interest_percent, "interest", content_key(claim))
    return Decision(lines, interest_cents=_percent(due - prior, 1) if owed else 0, prior_cents=prior)


def _whole_claim_denial(
    claim: SubmittedClaim, payer: SimulatedPayer, table: PayerTable, received_on: date, is_duplicate: bool
) -> _Denial | None:
    days = claim.service_dates
    if is_duplicate:
        return _Denial("OA", "18", "N522")
    if not days or not claim.diagnoses or (claim.is_institutional and claim.facility not in table.bill_types):
        return _Denial("CO", "16", "MA30")
    if (received_on - days[-1]).days > payer.filing_days:
        return _Denial("CO", "29")
    npis = {claim.billing.identifier, *(each.identifier for each in claim.providers if each.qualifier == "XX")}
    if any(days[0] < payer.not_credentialed[npi] for npi in npis & set(payer.not_credentialed)):
        return _Denial("CO", "B7", "N570")
    if payer.credentialed and not npis <= set(payer.credentialed):
        return _Denial("CO", "B7", "N570")
    return None


def _authorized_days(claim: SubmittedClaim, payer: SimulatedPayer, used: int) -> frozenset[date] | None:
    """The days of the claim its authorization still covers; None when the number of days is not limited."""
    limit = payer.authorized_days.get(claim.authorization_number)
    return None if limit is None else frozenset(claim.service_dates[: max(0, limit - used)])


def _decide_line(
    line: SubmittedLine,
    claim: SubmittedClaim,
    payer: SimulatedPayer,
    table: PayerTable,
    seed: int,
    authorized: frozenset[date] | None,
) -> LineDecision:
    denial = _line_denial(line, claim, payer, table, authorized)
    content = (payer.id, claim.subscriber.identifier, line.from_on, line.code, ".".join(line.modifiers))
    if denial is None and chance(seed, payer.denial_percent, "denial", *content):
        denial = _Denial("CO", "50", "N115")
    if denial is not None:
        return _denied(line, denial)
    return _paid(line, payer, has_deductible=chance(seed, payer.deductible_percent, "deductible", *content))


def _line_denial(
    line: SubmittedLine,
    claim: SubmittedClaim,
    payer: SimulatedPayer,
    table: PayerTable,
    authorized: frozenset[date] | None,
) -> _Denial | None:
    last_covered = payer.terminated.get(claim.subscriber.identifier)
    if last_covered and line.from_on and line.from_on > last_covered:
        return _Denial("CO", "27", "N30")
    fitting = table.revenue_codes.get(line.code)
    if claim.is_institutional and fitting is not None and line.revenue_code not in fitting:
        return _Denial("CO", "199", "M50")
    if line.place and line.code in payer.places and line.place not in payer.places[line.code]:
        return _Denial("CO", "5", "M77")
    if line.code not in payer.fees_cents and not payer.percent_of_other_charges:
        return _Denial("CO", "96", "N130")
    if line.code in payer.authorization and not claim.authorization_number:
        return _Denial("CO", "197", "M62")
    if authorized is not None and line.from_on not in authorized:
        return _Denial("CO", "198", "N435")
    if line.from_on in payer.undocumented.get(claim.subscriber.identifier, ()):
        return _Denial("CO", "150", "M127")
    return None


def _denied(line: SubmittedLine, denial: _Denial) -> LineDecision:
    adjustments = (Adjustment(denial.group, denial.reason, line.charge_cents),) if line.charge_cents else ()
    return LineDecision(line, 0, 0, adjustments, (denial.remark,) if denial.remark else ())


def _paid(line: SubmittedLine, payer: SimulatedPayer, has_deductible: bool) -> LineDecision:
    fee = payer.fees_cents.get(line.code)
    if fee is None:
        contracted = _percent(line.charge_cents, payer.percent_of_other_charges)
    else:
        contracted = int((fee * line.units).to_integral_value(ROUND_HALF_UP))
    allowed = min(line.charge_cents, contracted)
    deductible = min(allowed, payer.deductible_cents) if has_deductible else 0
    copay = min(allowed - deductible, payer.copay_cents)
    coinsurance = _percent(allowed - deductible - copay, payer.coinsurance_percent)
    due = allowed - deductible - copay - coinsurance
    sequestered = _percent(due, payer.sequestration_percent)
    adjustments = (
        Adjustment("CO", "45", line.charge_cents - allowed),
        Adjustment("CO", "253", sequestered),
        Adjustment("PR", "1", deductible),
        Adjustment("PR", "2", coinsurance),
        Adjustment("PR", "3", copay),
    )
    return LineDecision(line, allowed, due - sequestered, tuple(each for each in adjustments if each.cents))


def _percent(cents: int, percent: int) -> int:
    return int((Decimal(cents) * percent / 100).to_integral_value(ROUND_HALF_UP))
