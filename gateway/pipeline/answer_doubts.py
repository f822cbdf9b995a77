"""What makes a returned transaction the same one, and why a person must look at one before it is applied."""

from __future__ import annotations

from collections import Counter

from gateway.claim.answer import Answer, AnswerTransaction, InterchangeAnswer, Remittance, TransactionAnswer
from gateway.claim.contract import Organization
from gateway.lifecycle import DeliveryState, FactKind
from gateway.ports import OPENED, PROBED, REFUSED, Exchange
from gateway.ports.exchanges import AnswerStatus, InterchangeRow
from gateway.ports.storage import Transaction

_DUPLICATE_INTERCHANGE = "025"
_AGREEING = 2
REFUSALS = frozenset({"R", "M", "W", "X"})
"""Of TA104 and AK901: nothing of it was taken."""


def business_key(connection: str, transaction: AnswerTransaction) -> str:
    """What makes an answer the same answer.

    An 835 is known by payer, trace and payee: in another envelope, or by another connection, it is still the same.
    """
    spoken_of = []
    for answer in transaction.answers:
        if isinstance(answer, Remittance):
            return f"835|{trace_of(answer)}"
        if isinstance(answer, InterchangeAnswer):
            spoken_of.append(f"{answer.isa13:09d}")  # one interchange may carry a TA1 for each of several of ours
    numbers = (transaction.sender, str(transaction.isa13), str(transaction.gs06 or ""), transaction.st02)
    return "|".join((connection, transaction.type, *numbers, *spoken_of))


def trace_of(remittance: Remittance) -> str:
    """What a remittance is known by: payer (TRN03), number (TRN02), payee."""
    payee = remittance.payee_npi or remittance.payee_tax_id
    return f"{remittance.payer_identifier}|{remittance.trace_number}|{payee}"


def is_payee(organization: Organization, remittance: Remittance) -> bool:
    """By NPI; by tax id only where the payer names none."""
    if remittance.payee_npi:
        return organization.npi == remittance.payee_npi
    return bool(remittance.payee_tax_id) and organization.tax_id == remittance.payee_tax_id


def doubt_of(
    tx: Transaction, exchange: Exchange, connection: str, transaction: AnswerTransaction, answer: Answer
) -> str:
    """Why a person must say which file of ours an acknowledgement means; empty when it is plain."""
    if not isinstance(answer, InterchangeAnswer | TransactionAnswer):
        return ""
    number = answer.isa13 if isinstance(answer, InterchangeAnswer) else answer.gs06
    row = tx.exchanges.interchange_by_number(connection, number)
    if row is None:
        return ""
    if row.state in (DeliveryState.READY, DeliveryState.ABANDONED) and not tx.exchanges.steps(row.id):
        return "it names an interchange of ours of which no byte was sent: another file must have used its number"
    if isinstance(answer, InterchangeAnswer):
        another = exchange.is_about(transaction, answer, tx.exchanges.raw(row.sha256))
        if another:
            return another
    if is_repeat(answer) and not (_copies(tx, row) > 1 or _spoken_of(tx, row)):
        return "the partner says it has this number already; whether from us, a person must decide"
    if answer.code in REFUSALS and not is_repeat(answer) and _copies_there(tx, row) > 1 + _refusals_heard(tx, row):
        return "it refuses a file that was on its way more than once: another copy of it may have been taken"
    if row.state == DeliveryState.REJECTED and answer.code not in REFUSALS and _went_out_again(tx, row):
        return "it takes a file that was refused before, whose claims went out again since: they may be there twice"
    return ""


def _went_out_again(tx: Transaction, row: InterchangeRow) -> bool:
    """Whether any version the file carried left in a later one."""
    carried = tx.exchanges.versions_in(row.id)
    versions = {version_id for _, version_id in carried}
    facts = tx.claims.facts([claim_id for claim_id, _ in carried])
    return any(
        fact.kind is FactKind.FROZEN and fact.version_id in versions and fact.code > f"{row.isa13:09d}"
        for each in facts.values()
        for fact in each
    )


def is_repeat(answer: Answer) -> bool:
    """True for the refusal of a number that the partner has seen before: it speaks of the copy, not of the claims."""
    return isinstance(answer, InterchangeAnswer) and (answer.code, answer.note) == ("R", _DUPLICATE_INTERCHANGE)


def _copies(tx: Transaction, row: InterchangeRow) -> int:
    """In how many attempts our own log shows these bytes on their way."""
    steps = tx.exchanges.steps(row.id)
    refused = {step.epoch for step in steps if step.marker == REFUSED}
    return len({step.epoch for step in steps if step.marker == OPENED} - refused)


def _copies_there(tx: Transaction, row: InterchangeRow) -> int:
    """How many of them the partner may have: not those that two probes agreed it does not."""
    probes = Counter(step.epoch for step in tx.exchanges.steps(row.id) if step.marker == PROBED)
    return _copies(tx, row) - sum(count >= _AGREEING for count in probes.values())


def _refusals_heard(tx: Transaction, row: InterchangeRow) -> int:
    """How many refusals of its copies were set aside already: the last of them is the refusal of the file."""
    return sum(
        _refuses(answer, row.isa13)
        for each in tx.exchanges.answers(status=AnswerStatus.QUARANTINED)
        if each.connection == row.connection
        for answer in each.transaction.answers
    )


def _refuses(answer: Answer, number: int) -> bool:
    if isinstance(answer, InterchangeAnswer):
        return answer.isa13 == number and answer.code in REFUSALS and not is_repeat(answer)
    return isinstance(answer, TransactionAnswer) and answer.gs06 == number and answer.code in REFUSALS


def _spoken_of(tx: Transaction, row: InterchangeRow) -> bool:
    """Another answer names the interchange, so the partner has had it from us."""
    facts = tx.claims.facts([claim_id for claim_id, _ in tx.exchanges.versions_in(row.id)])
    return any(fact.interchange_id == row.id and fact.answer_id for each in facts.values() for fact in each)
