"""What makes a returned transaction the same one, and why one is not applied yet.

Why not is asked of the facts at hand, whatever order they came in: our own markers, and everything the partner said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gateway.claim.answer import Answer, AnswerTransaction, InterchangeAnswer, Remittance, TransactionAnswer
from gateway.claim.contract import Organization
from gateway.lifecycle import DeliveryState, FactKind
from gateway.ports import OPENED, PROBED, REFUSED, Exchange
from gateway.ports.exchanges import ASSUMED, DeliveryStep, InterchangeRow
from gateway.ports.storage import Transaction

_DUPLICATE_INTERCHANGE = "025"
_AGREEING = 2
UNPROVEN_REPEAT = (
    "the partner says it has this number already; that it has it from us only a second send of ours, another answer or "
    "a person can say"
)
ANOTHER_COPY = "it refuses a file that was on its way more than once: another copy of it may have been taken"
LIFTED_BY_FACTS = (UNPROVEN_REPEAT, ANOTHER_COPY)
"""What a fact that comes later may settle: these answers are looked at again."""
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
    if is_repeat(answer):
        return "" if _copies(tx, row) > 1 or spoken_of(tx, row) else UNPROVEN_REPEAT
    refuses_all = row.state == DeliveryState.REJECTED or answer.code not in REFUSALS
    if not refuses_all and _copies_there(tx, row) > 1 + _other_refusals(tx, row, business_key(connection, transaction)):
        return ANOTHER_COPY
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
    return len(begun(step for step in tx.exchanges.steps(row.id) if step.detail != ASSUMED))


def begun(steps: Iterable[DeliveryStep]) -> set[int]:
    """The epochs in which the partner took the first byte."""
    markers = {(step.epoch, step.marker) for step in steps}
    return {epoch for epoch, marker in markers if marker == OPENED and (epoch, REFUSED) not in markers}


def _copies_there(tx: Transaction, row: InterchangeRow) -> int:
    """How many of them the partner may have: not those that two probes agreed it does not."""
    steps = tx.exchanges.steps(row.id)
    probes = Counter(step.epoch for step in steps if step.marker == PROBED)
    return len(begun(steps)) - sum(count >= _AGREEING for count in probes.values())


def _other_refusals(tx: Transaction, row: InterchangeRow, key: str) -> int:
    """How many other refusals of its copies were set aside: with the last of them the file is refused."""
    return len(
        {
            each.business_key
            for each in tx.exchanges.set_aside(row.connection, [ANOTHER_COPY])
            if each.business_key != key
            for answer in each.transaction.answers
            if _refuses(answer, row.isa13)
        }
    )


def _refuses(answer: Answer, number: int) -> bool:
    if isinstance(answer, InterchangeAnswer):
        return answer.isa13 == number and answer.code in REFUSALS and not is_repeat(answer)
    return isinstance(answer, TransactionAnswer) and answer.gs06 == number and answer.code in REFUSALS


def spoken_of(tx: Transaction, row: InterchangeRow) -> bool:
    """Whether an answer speaks of the interchange, or of a claim that was in no other: we are known to have sent it."""
    carried = set(tx.exchanges.versions_in(row.id))
    for claim_id, facts in tx.claims.facts([claim_id for claim_id, _ in carried]).items():
        elsewhere = {
            fact.version_id for fact in facts if fact.kind is FactKind.FROZEN and fact.interchange_id != row.id
        }
        for fact in facts:
            ours = (claim_id, fact.version_id) in carried and fact.version_id not in elsewhere
            if fact.answer_id and (fact.interchange_id == row.id or (not fact.interchange_id and ours)):
                return True
    return False
