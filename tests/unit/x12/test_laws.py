"""Laws over generated files with every optional part: what is written passes ours and pyx12, and reads back equal."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings

from clearinghouse.x12.acknowledgement_999 import Acknowledgement, read_999, write_999
from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.claims_837 import ClaimTransaction
from clearinghouse.x12.read_277ca import read_277ca
from clearinghouse.x12.read_835 import balance_of, read_835
from clearinghouse.x12.read_837 import read_837
from clearinghouse.x12.referee import ask_referee
from clearinghouse.x12.remittance_835 import Remittance
from clearinghouse.x12.status_277ca import StatusTransaction
from clearinghouse.x12.write_277ca import write_277ca
from clearinghouse.x12.write_835 import write_835
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import ENVELOPE
from tests.unit.x12.laws_835 import remittances
from tests.unit.x12.laws_837 import transactions
from tests.unit.x12.laws_answers import acknowledgements, statuses

# pyx12's 835 map lets the footer that PLB stands in occur once; the segment itself may repeat without limit. Its 999
# map counts a business unit's CTX among the situational triggers before it.
_PYX12_IS_WRONG = {("PLB", "4", ""), ("CTX", "5", "")}
# A whole file shrinks too slowly to be worth it: a failure is shown as it was found.
_LAW = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def errors(content: bytes) -> list[str]:
    """What is wrong with a written file, by our check."""
    found = check_bytes(content).all_findings()
    return [f"{each.code} {each.element} {each.position}" for each in found if each.severity == "error"]


def complaints(content: bytes) -> list[tuple[str, str, str]]:
    """What is wrong with a written file, by pyx12."""
    found = [(each.segment, each.code, each.element) for each in ask_referee(content)]
    return [complaint for complaint in found if complaint not in _PYX12_IS_WRONG]


@_LAW
@given(remittances())
def test_any_remittance_reads_back_equal_balances_and_passes_both_judges(remittance: Remittance) -> None:
    content = write_835(remittance, ENVELOPE)
    (again,) = read_835(content)
    assert remittance == again
    assert write_835(again, ENVELOPE) == content
    assert balance_of(again) == ()
    assert errors(content) == []
    assert complaints(content) == []


@_LAW
@given(transactions("institutional"))
def test_any_institutional_claims_read_back_equal_and_pass_both_judges(values: ClaimTransaction) -> None:
    hold_837(values)


@_LAW
@given(transactions("professional"))
def test_any_professional_claims_read_back_equal_and_pass_both_judges(values: ClaimTransaction) -> None:
    hold_837(values)


def hold_837(values: ClaimTransaction) -> None:
    content = write_837(values, ENVELOPE)
    (again,) = read_837(content)
    assert values == again
    assert write_837(again, ENVELOPE) == content
    assert errors(content) == []
    assert complaints(content) == []


@_LAW
@given(statuses)
def test_any_claim_acknowledgement_reads_back_equal_and_passes_the_check(values: StatusTransaction) -> None:
    content = write_277ca(values, ENVELOPE)
    ((_, again),) = read_277ca(content)
    assert values == again
    assert write_277ca(again, ENVELOPE) == content
    assert errors(content) == []  # pyx12 is not asked: its map of this guide refuses X12's own examples


@_LAW
@given(acknowledgements())
def test_any_implementation_acknowledgement_reads_back_equal_and_passes_both_judges(values: Acknowledgement) -> None:
    content = write_999(values, ENVELOPE)
    ((_, again),) = read_999(content)
    assert values == again
    assert write_999(again, ENVELOPE) == content
    assert errors(content) == []
    assert complaints(content) == []
