"""A payer's decision always adds up, whatever is billed and however the payer pays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from clearinghouse.sandbox.payer import chance, content_key, decide
from clearinghouse.sandbox.payer_table import SimulatedPayer, read_payer_table
from clearinghouse.sandbox.remittances import Owed, claim_payment, remittance, reversal_of
from clearinghouse.sandbox.submission import Person, SubmittedClaim, SubmittedLine, read_claims, read_interchanges
from tests.unit.sandbox.referee import assert_balances
from tests.unit.sandbox.submissions import Claim, one

TABLE = read_payer_table()
PERCENT = st.integers(0, 100)
DAY = date(2026, 8, 3)
PROVIDER = Person("GATEWAY CLINIC", identifier="1999999984", qualifier="XX", entity_type="2")

payers = st.builds(
    SimulatedPayer,
    id=st.just("PRMT1"),
    name=st.just("PRAIRIE MUTUAL"),
    tin=st.just("910000003"),
    filing_days=st.integers(0, 365),
    fees_cents=st.dictionaries(st.sampled_from(["S9480", "H0035"]), st.integers(0, 90000)),
    status_of_denied=st.sampled_from(["1", "4"]),
    percent_of_other_charges=PERCENT,
    authorization=st.sampled_from([(), ("S9480",)]),
    copay_cents=st.integers(0, 20000),
    coinsurance_percent=PERCENT,
    deductible_percent=PERCENT,
    deductible_cents=st.integers(0, 90000),
    sequestration_percent=PERCENT,
    interest_percent=PERCENT,
    denial_percent=PERCENT,
)
billed = st.builds(
    SubmittedLine,
    number=st.just(1),
    revenue_code=st.sampled_from(["0905", "0913", "0915"]),
    code=st.sampled_from(["S9480", "H0035", "XYZ99", ""]),
    modifiers=st.just(()),
    charge_cents=st.integers(0, 200000),
    units=st.decimals(0, 9, places=1),
    from_on=st.integers(0, 20).map(lambda days: DAY + timedelta(days=days)),
    through_on=st.none(),
    place=st.just(""),
    control_number=st.just("LN0001"),
)


def claim_of(lines: list[SubmittedLine]) -> SubmittedClaim:
    (transaction,) = read_interchanges(one(Claim()).encode())[0].groups[0].transactions
    (claim,) = read_claims(transaction, read_interchanges(one(Claim()).encode())[0].delimiters)
    return replace(claim, lines=tuple(lines), charge_cents=sum(line.charge_cents for line in lines))


@given(payer=payers, lines=st.lists(billed, min_size=1, max_size=5), seed=st.integers(0, 99), duplicate=st.booleans())
def test_charge_is_paid_plus_adjustments_on_every_line_and_its_reversal_undoes_it(
    payer: SimulatedPayer, lines: list[SubmittedLine], seed: int, duplicate: bool
) -> None:
    claim = claim_of(lines)
    decision = decide(claim, payer, TABLE, seed, DAY + timedelta(days=30), duplicate)
    for line in decision.lines:
        assert line.line.charge_cents == line.paid_cents + sum(each.cents for each in line.adjustments)
        assert 0 <= line.paid_cents <= line.allowed_cents <= line.line.charge_cents
        assert all(each.cents > 0 for each in line.adjustments)
    paid = claim_payment(claim, decision, payer, "1")
    undone = reversal_of(paid)
    assert (0, 0) == (paid.paid_cents + undone.paid_cents, paid.charge_cents + undone.charge_cents)
    assert reversal_of(undone).lines == paid.lines
    values, forwarded = remittance(payer, Owed(PROVIDER, "1", (undone, paid)), "T1", DAY)
    assert (0, 0) == (values.header.payment.cents, forwarded)


@given(payments=st.lists(st.integers(-500000, 500000), max_size=6), carried=st.integers(0, 400000))
def test_a_payment_is_never_negative_and_nothing_is_lost_on_the_way(payments: list[int], carried: int) -> None:
    claim = claim_of([])
    payer = TABLE.payers[0]
    empty = claim_payment(claim, decide(claim, payer, TABLE, 1, DAY, is_duplicate=False), payer, "1")
    claims = tuple(structs.replace(empty, paid_cents=cents) for cents in payments)
    values, forwarded = remittance(payer, Owed(PROVIDER, "1", claims), "T2", DAY, (carried, "T1"))
    paid = values.header.payment.cents
    assert paid >= 0 and forwarded >= 0 and 0 in (paid, forwarded)
    assert sum(payments) - carried == paid - forwarded
    assert paid == sum(payments) - sum(each.cents for each in values.provider_adjustments)


@given(percent=PERCENT)
def test_a_chance_is_what_it_says_over_many_contents(percent: int) -> None:
    happened = sum(chance(7, percent, number) for number in range(1000))
    assert abs(happened - 10 * percent) < 80
    assert chance(7, 0, "anything") is False
    assert chance(7, 100, "anything") is True


def test_a_content_key_sees_the_services_and_not_the_number_or_order() -> None:
    claim = claim_of([SubmittedLine(1, "0905", "S9480", (), 1, Decimal(1), DAY, DAY, "", "LN1")] * 1)
    assert content_key(claim) == content_key(replace(claim, claim_number="OTHER", charge_cents=5))
    assert content_key(claim) != content_key(replace(claim, subscriber=Person("DOE", identifier="OTHER")))
    later = replace(claim.lines[0], from_on=DAY + timedelta(days=1))
    both = replace(claim, lines=(claim.lines[0], later))
    assert content_key(both) == content_key(replace(claim, lines=(later, claim.lines[0])))
    assert content_key(both) != content_key(claim)


def test_the_referee_itself_sees_one_cent() -> None:
    fine = b"BPR*I*10~CLP*A*1*12*10~SVC*HC:X*12*10~CAS*CO*45*2~"
    assert 10 == assert_balances(fine)
    for wrong in (b"BPR*I*10.01", b"BPR*I*9.99"):
        try:
            assert_balances(fine.replace(b"BPR*I*10", wrong))
        except AssertionError:
            continue
        raise AssertionError("a cent went unseen")
