"""The three equations of an 835: line, claim, transaction. Integer cents."""

from __future__ import annotations

from msgspec import Struct

from clearinghouse.x12.remittance_835 import ClaimPayment, ProviderAdjustment, Remittance


class OutOfBalance(Struct, frozen=True, gc=False):
    """One equation that does not hold: where ("transaction", "claim 3", "claim 3 line 2"), cents on both sides."""

    where: str
    expected_cents: int
    found_cents: int


class Balance:
    """SVC02 - CAS = SVC03; CLP03 - all CAS = CLP04; sum of CLP04 - sum of PLB = BPR02 (X221 balancing)."""

    def __init__(self) -> None:
        self.paid_cents = 0
        self.claims = 0
        self.found: list[OutOfBalance] = []

    def add(self, claim: ClaimPayment) -> None:
        """Judge one claim and its lines."""
        self.claims += 1
        self.paid_cents += claim.paid_cents
        adjusted = 0
        for adjustment in claim.adjustments:
            adjusted += adjustment.cents
        claim_level, line_paid = adjusted, 0
        for index, line in enumerate(claim.lines, 1):
            own = 0
            for adjustment in line.adjustments:
                own += adjustment.cents
            adjusted += own
            line_paid += line.paid_cents
            if line.charge_cents - own != line.paid_cents:
                self._off(f"claim {self.claims} line {index}", line.charge_cents - own, line.paid_cents)
        if claim.charge_cents - adjusted != claim.paid_cents:
            self._off(f"claim {self.claims}", claim.charge_cents - adjusted, claim.paid_cents)
        elif claim.lines and line_paid - claim_level != claim.paid_cents:
            self._off(f"claim {self.claims} lines", line_paid - claim_level, claim.paid_cents)

    def close(self, payment_cents: int, adjustments: tuple[ProviderAdjustment, ...]) -> tuple[OutOfBalance, ...]:
        """Judge the transaction; everything that did not hold, in file order."""
        expected = self.paid_cents - sum(adjustment.cents for adjustment in adjustments)
        if expected != payment_cents:
            self._off("transaction", expected, payment_cents)
        return tuple(self.found)

    def _off(self, where: str, expected: int, found: int) -> None:
        self.found.append(OutOfBalance(where, expected, found))


def balance_of(remittance: Remittance) -> tuple[OutOfBalance, ...]:
    """The equations of an 835 that do not hold: each line, each claim, the transaction."""
    balance = Balance()
    for claim in remittance.claims:
        balance.add(claim)
    return balance.close(remittance.header.payment.cents, remittance.provider_adjustments)
