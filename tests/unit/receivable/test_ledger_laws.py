"""Laws of the receivable ledger: every list of entries sums to zero, and the order of arrival moves no balance."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.claim.answer import Adjustment, PaidClaim, PaidLine, ProviderAdjustment
from gateway.receivable.ledger import Account, LedgerEntry, adjusted, billed, cash, remitted, total, unmatched
from tests.factories import CHARGE_CENTS, a_remittance, an_adjudication, reversal_of

cents = st.integers(min_value=-2_000_000, max_value=2_000_000)
adjustments = st.lists(
    st.builds(
        Adjustment,
        group=st.sampled_from(("CO", "PR", "OA", "PI")),
        reason=st.sampled_from(("1", "2", "16", "45", "50", "197", "253")),
        cents=cents,
    ),
    max_size=4,
).map(tuple)
lines = st.lists(
    st.builds(
        PaidLine,
        control_number=st.just(""),
        revenue_code=st.just("0905"),
        hcpcs=st.just("S9480"),
        modifiers=st.just(()),
        service_on=st.none(),
        charge_cents=cents,
        paid_cents=cents,
        adjustments=adjustments,
    ),
    max_size=3,
).map(tuple)


@st.composite
def adjudications(draw: st.DrawFn) -> PaidClaim:
    """A balanced CLP: what was charged is what was paid and what was adjusted, on the claim and on its lines."""
    paid = draw(cents)
    on_claim, on_lines = draw(adjustments), draw(lines)
    moved = sum(each.cents for each in (*on_claim, *(each for line in on_lines for each in line.adjustments)))
    bare = an_adjudication(paid, charge_cents=paid + moved)
    return replace(bare, adjustments=on_claim, lines=on_lines)


def balances(entries: list[LedgerEntry]) -> Counter[Account]:
    summed: Counter[Account] = Counter()
    for entry in entries:
        summed[entry.account] += entry.cents
    return Counter({account: amount for account, amount in summed.items() if amount})


@given(cents)
def test_a_bill_sums_to_zero_and_is_owed_by_the_payer(charge_cents: int) -> None:
    entries = billed("C1", charge_cents)
    assert total(entries) == 0
    assert balances(entries)[Account.PAYER] == charge_cents


@given(adjudications())
def test_every_remittance_of_a_claim_sums_to_zero_and_takes_its_charge_off_the_payer(paid: PaidClaim) -> None:
    entries = remitted("C1", paid)
    assert total(entries) == 0
    assert cash(entries) == paid.paid_cents
    assert balances(entries)[Account.PAYER] == -paid.charge_cents


@given(adjudications())
def test_money_for_nobody_we_know_sums_to_zero_and_lies_in_suspense(paid: PaidClaim) -> None:
    entries = unmatched(paid)
    assert total(entries) == 0
    assert cash(entries) == paid.paid_cents == -balances(entries)[Account.SUSPENSE]


@given(cents)
def test_a_provider_adjustment_sums_to_zero_and_takes_its_cents_out_of_the_payment(amount: int) -> None:
    entries = adjusted(a_remittance(), ProviderAdjustment(reason="WO", reference="ICN1", cents=amount))
    assert total(entries) == 0
    assert cash(entries) == -amount


@given(adjudications())
def test_a_claim_billed_and_wholly_adjudicated_leaves_the_payer_owing_nothing(paid: PaidClaim) -> None:
    assert balances(billed("C1", paid.charge_cents) + remitted("C1", paid))[Account.PAYER] == 0


@given(st.lists(adjudications(), max_size=6), st.randoms())
def test_the_order_in_which_remittances_come_moves_no_balance(paid: list[PaidClaim], random: object) -> None:
    shuffled = list(paid)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    in_order = [entry for each in paid for entry in remitted("C1", each)]
    out_of_order = [entry for each in shuffled for entry in remitted("C1", each)]
    assert balances(in_order) == balances(out_of_order)


@given(st.integers(0, 2_000_000), st.integers(0, 2_000_000), st.integers(0, 2_000_000), st.integers(0, 2_000_000))
def test_a_reversal_cancels_its_payment_account_by_account(
    paid: int, contractual: int, denied: int, copay: int
) -> None:
    own = (("CO", "45", contractual), ("CO", "197", denied), ("PR", "3", copay), ("OA", "23", copay))
    payment = an_adjudication(paid, *own)
    assert balances(remitted("C1", payment) + remitted("C1", reversal_of(payment))) == Counter()


@pytest.mark.parametrize(
    ("adjustment", "account"),
    [
        (("PR", "1"), Account.PATIENT),
        (("PR", "45"), Account.PATIENT),
        (("CO", "45"), Account.CONTRACTUAL),
        (("CO", "253"), Account.CONTRACTUAL),
        (("CO", "50"), Account.DENIED),
        (("OA", "18"), Account.DENIED),
        (("OA", "23"), Account.PRIOR_PAYER),
        (("CO", "23"), Account.DENIED),
        (("PI", "16"), Account.DENIED),
    ],
)
def test_an_adjustment_goes_where_its_group_and_reason_say(adjustment: tuple[str, str], account: Account) -> None:
    group, reason = adjustment
    moved = balances(remitted("C1", an_adjudication(80_000, (group, reason, 25_000))))
    assert moved == Counter({Account.CASH: 80_000, account: 25_000, Account.PAYER: -CHARGE_CENTS})
