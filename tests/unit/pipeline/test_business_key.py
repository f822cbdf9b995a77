"""What makes an answer the same answer, whatever envelope, file or connection it comes in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.claim.answer import Answer, AnswerTransaction, InterchangeAnswer, Remittance, TransactionAnswer
from gateway.pipeline.answer_doubts import business_key
from tests.factories import a_remittance, an_adjudication


def enclosed(*said: Answer, **changes: Any) -> AnswerTransaction:
    given: dict[str, Any] = {"isa13": 500, "gs06": 500, "st02": "0001", "sender": "CLEARING", **changes}
    return AnswerTransaction(type="any", receiver="HARBOR", usage="P", answers=said, **given)


REMITTANCE = a_remittance(an_adjudication())


@pytest.mark.parametrize("changes", [{"isa13": 501}, {"gs06": 501}, {"st02": "0002"}, {"sender": "ANOTHER"}])
def test_an_835_is_the_same_in_any_envelope_and_by_any_connection(changes: dict[str, Any]) -> None:
    key = business_key("clearing", enclosed(REMITTANCE))
    assert business_key("clearing", enclosed(REMITTANCE, **changes)) == key
    assert business_key("another", enclosed(REMITTANCE)) == key


def test_amounts_and_claims_of_an_835_are_compared_and_never_part_of_its_key() -> None:
    changed: Remittance = replace(REMITTANCE, payment_cents=1, claims_paid_cents=1, paid_on=None)
    assert business_key("clearing", enclosed(changed)) == business_key("clearing", enclosed(REMITTANCE))


@pytest.mark.parametrize("changes", [{"payer_identifier": "2"}, {"trace_number": "EFT2"}, {"payee_npi": "1"}])
def test_another_payer_trace_or_payee_is_another_835(changes: dict[str, Any]) -> None:
    other = replace(REMITTANCE, **changes)
    assert business_key("clearing", enclosed(other)) != business_key("clearing", enclosed(REMITTANCE))


def test_where_a_payer_names_no_npi_the_tax_id_says_who_was_paid() -> None:
    one, other = (replace(REMITTANCE, payee_npi="", payee_tax_id=each) for each in ("990000017", "990000018"))
    assert business_key("clearing", enclosed(one)) != business_key("clearing", enclosed(other))


ACKNOWLEDGEMENT = TransactionAnswer(gs06=1, st02="0001", code="A")


@pytest.mark.parametrize("changes", [{"isa13": 501}, {"gs06": 501}, {"st02": "0002"}, {"sender": "ANOTHER"}])
def test_an_acknowledgement_is_known_by_its_own_numbers_and_its_connection(changes: dict[str, Any]) -> None:
    key = business_key("clearing", enclosed(ACKNOWLEDGEMENT))
    assert business_key("clearing", enclosed(ACKNOWLEDGEMENT)) == key
    assert business_key("clearing", enclosed(ACKNOWLEDGEMENT, **changes)) != key
    assert business_key("another", enclosed(ACKNOWLEDGEMENT)) != key


def test_two_ta1_of_one_interchange_are_two_answers() -> None:
    one, other = (enclosed(InterchangeAnswer(isa13=number, code="A"), gs06=None, st02="") for number in (1, 2))
    assert business_key("clearing", one) != business_key("clearing", other)
