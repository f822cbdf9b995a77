"""Doctor: recounts from raw messages and frozen bytes, and compares with what the derived tables say."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.authorization.account import Stage
from gateway.claim.answer import Remittance
from gateway.claim.record import RecordKind
from gateway.errors import GatewayError
from gateway.lifecycle import ClaimState, DeliveryState
from gateway.pipeline.funnel import place_of
from gateway.pipeline.money import VOID, entries_of, live_version, state_of
from gateway.pipeline.reconcile import reconcile
from gateway.ports import Exchange, Interpretation
from gateway.ports.exchanges import AnswerStatus
from gateway.ports.inbox import InboundMessage
from gateway.ports.policy import PolicyInForce
from gateway.ports.storage import Store, Transaction
from gateway.receivable.ledger import total


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing the doctor looked at."""

    name: str
    ok: bool
    detail: str


def examine(store: Store, policy: PolicyInForce, exchanges: Mapping[str, Exchange]) -> list[Check]:
    """Every check, on one consistent picture."""
    with store.read() as tx:
        return [
            _outcome("messages-interpreted", _uninterpreted(tx)),
            _outcome("raw-messages-recounted", _recounted(tx, policy)),
            _outcome("encounters-in-one-place", _unplaced(tx)),
            _outcome("claims-explained", _unexplained(tx)),
            _outcome("attendance-reconciled", _unreconciled(tx)),
            _outcome("authorizations-recounted", _wrong_accounts(tx)),
            _outcome("states-follow-from-facts", _wrong_states(tx)),
            _outcome("money-sums-to-zero", _unbalanced(tx)),
            _outcome("ledger-follows-from-facts", _wrong_money(tx)),
            _outcome("cash-equals-remittances", _wrong_cash(tx)),
            _outcome("frozen-bytes-unchanged", _changed_bytes(tx)),
            _outcome("nothing-sent-twice", _sent_twice(tx, exchanges)),
            _outcome("audit-trail-intact", _broken_acts(tx)),
        ]


def _outcome(name: str, problems: Iterable[str]) -> Check:
    found = list(problems)
    detail = "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")
    return Check(name=name, ok=not found, detail=detail or "nothing amiss")


def _uninterpreted(tx: Transaction) -> Iterable[str]:
    waiting = {kind: number for kind, number in tx.work.count().items() if number}
    if waiting:
        yield "work is still waiting: " + ", ".join(f"{number} to {kind}" for kind, number in sorted(waiting.items()))


def _recounted(tx: Transaction, policy: PolicyInForce) -> Iterable[str]:
    """Read every message again from its bytes: the encounters it tells of are the encounters we know."""
    known = {
        each.subject_id
        for said in tx.subjects.about_patients(list(tx.subjects.patient_ids())).values()
        for each in said
        if each.kind is RecordKind.ENCOUNTER
    }
    told: set[str] = set()
    fhir_sources: dict[str, str] = {}
    for message, _ in tx.inbox.messages():
        if message.refusal:
            continue
        content = tx.inbox.content(message.sha256)
        if message.content_type.endswith("json"):
            fhir_sources[message.source] = message.organization
            least, most = _versions_answered(message.answer, content)
            if not least <= tx.resources.versions_told(message.id) <= most:
                yield f"message {message.id} was answered with other resources than were stored of it"
        else:
            told |= _encounters_of_message(tx, policy, message, content)
    for source, organization in fhir_sources.items():
        for reference in tx.resources.references(source):
            told |= _encounters_of_resource(tx, policy, source, organization, reference)
    yield from (f"encounter {id} is told of in the raw messages and nowhere else" for id in sorted(told - known))
    yield from (f"encounter {id} is known, and no raw message tells of it" for id in sorted(known - told))


def _versions_answered(answer: bytes, content: bytes) -> tuple[int, int]:
    """How many resource versions a submission brought, at least and at most, by what its sender was told of each.

    201 says a resource is new; 200 that it was changed, or found to be there already.
    """
    head, _, body = answer.partition(b"\n\n")
    told = json.loads(body) if body else {}
    entries = told.get("entry", ()) if told.get("resourceType") == "Bundle" else ()
    statuses = [entry.get("response", {}).get("status", "")[:3] for entry in entries]
    if statuses:
        return statuses.count("201"), statuses.count("201") + statuses.count("200")
    sent = json.loads(content)
    most = len(sent.get("entry", ())) if sent.get("resourceType") == "Bundle" else 1
    return (1 if head.startswith(b"201") and most == 1 else 0), most


def _encounters_of_message(tx: Transaction, policy: PolicyInForce, message: InboundMessage, content: bytes) -> set[str]:
    try:
        found = policy.interpreter(message.source).interpret_message(content, message.received_at)
    except GatewayError:
        return set()  # listed among the messages that failed
    return _subjects(tx, message.organization, found)


def _encounters_of_resource(
    tx: Transaction, policy: PolicyInForce, source: str, organization: str, reference: str
) -> set[str]:
    resource = tx.resources.current(source, reference)
    assert resource is not None, "a reference that is listed is there"
    interpreter = policy.interpreter(source)
    found = interpreter.interpret_resource(resource, lambda each: tx.resources.current(source, each))
    return _subjects(tx, organization, found)


def _subjects(tx: Transaction, organization: str, found: Interpretation) -> set[str]:
    subjects = set()
    for mapped in found.records:
        if mapped.record.kind is RecordKind.ENCOUNTER:
            names = (tx.subjects.find(organization, RecordKind.ENCOUNTER, each) for each in mapped.record.identifiers)
            subjects.add(next((name for name in names if name), f"unknown {mapped.record.identifiers[0].namespace}"))
    return subjects


def _unplaced(tx: Transaction) -> Iterable[str]:
    """Every encounter anybody told us of is in exactly one place; none is there that nobody told of."""
    placed = Counter(row.encounter_id for row in tx.claims.placements())
    yield from (f"encounter {id} is in {number} places" for id, number in placed.items() if number > 1)
    told = set()
    for said in tx.subjects.about_patients(list(tx.subjects.patient_ids())).values():
        told |= {each.subject_id for each in said if each.kind is RecordKind.ENCOUNTER}
    yield from (f"encounter {id} is nowhere" for id in sorted(told - set(placed)))
    yield from (f"encounter {id} is placed but nobody told of it" for id in sorted(set(placed) - told))


def _unexplained(tx: Transaction) -> Iterable[str]:
    rows = tx.claims.search()
    drafts = tx.claims.drafts([row.id for row in rows])
    for row in rows:
        held = row.state in (ClaimState.HELD, ClaimState.CORRECTION_HELD)
        if held and not (row.id in drafts and (drafts[row.id].findings or tx.audit.acts(f"claim:{row.id}"))):
            yield f"claim {row.id} is held and nothing says why"
    states = {row.key: row.state for row in rows}
    for placed in tx.claims.placements():
        if place_of(placed, states) in ("held", "not-billable") and not (placed.reason or placed.findings):
            yield f"encounter {placed.encounter_id} is {placed.place} and nothing says why"


def _unreconciled(tx: Transaction) -> Iterable[str]:
    """Every attended day is billed or has its reason; the lines of claims that left are all in the reconciliation."""
    found = reconcile(tx)
    if found.attended_days != found.billed_days + len(found.attended_not_billed):
        yield "attended days are not those billed and those that are not"
    ids = [row.id for row in tx.claims.search()]
    versions, facts = tx.claims.versions(ids), tx.claims.facts(ids)
    live = [live_version(versions[each], facts[each]) for each in ids]
    sent = sum(each.claim.charge_cents for each in live if each is not None and each.claim.frequency != VOID)
    told = found.billed_cents + sum(each.cents for each in found.billed_not_attended)
    if sent != told:
        yield f"claims that left charge {sent} cents, the reconciliation tells of {told}"
    for each in found.attended_not_billed:
        if not each.reason:
            yield f"{each.on} was attended, is not billed, and nothing says why: encounter {each.encounter_ids[0]}"


def _wrong_accounts(tx: Transaction) -> Iterable[str]:
    """Every day of a claim that left has consumed what its authorization grants, once, unless it was given back."""
    counted = Counter(
        (row.entry.claim_key, row.entry.on)
        for row in tx.authorizations.entries()
        if row.entry.stage is not Stage.RELEASED  # a denied day given back may be taken anew by its correction
    )
    consumed = {
        (row.entry.claim_key, row.entry.on)
        for row in tx.authorizations.entries()
        if row.entry.stage in (Stage.CONSUMED, Stage.RELEASED)
    }
    rows = tx.claims.search()
    ids = [row.id for row in rows]
    versions, facts = tx.claims.versions(ids), tx.claims.facts(ids)
    for row in rows:
        live = live_version(versions[row.id], facts[row.id])
        if live is None or not live.claim.authorization_number:
            continue
        for on in sorted({line.service_on for line in live.claim.lines}):
            if (row.key, on) not in consumed:
                yield f"claim {row.id} left with {on}, and its authorization's account does not say so"
            elif counted[row.key, on] > 1:
                yield f"{on} of claim {row.id} is {counted[row.key, on]} times in its authorization's account"


def _wrong_states(tx: Transaction) -> Iterable[str]:
    rows = tx.claims.search()
    ids = [row.id for row in rows]
    drafts, versions, facts = tx.claims.drafts(ids), tx.claims.versions(ids), tx.claims.facts(ids)
    for row in rows:
        state = state_of(drafts.get(row.id), versions[row.id], facts[row.id])
        if state != row.state:
            yield f"claim {row.id} is written {row.state} but its facts say {state}"


def _unbalanced(tx: Transaction) -> Iterable[str]:
    cents = total(tx.ledger.entries())
    if cents:
        yield f"the ledger sums to {cents} cents, not zero"


def _wrong_money(tx: Transaction) -> Iterable[str]:
    ids = [row.id for row in tx.claims.search()]
    versions, facts = tx.claims.versions(ids), tx.claims.facts(ids)
    for claim_id in ids:
        written = sorted(map(repr, tx.ledger.entries(f"claim:{claim_id}")))
        if written != sorted(map(repr, entries_of(versions[claim_id], facts[claim_id]))):
            yield f"the ledger of claim {claim_id} is not what its facts say"


def _wrong_cash(tx: Transaction) -> Iterable[str]:
    paid = sum(
        answer.payment_cents
        for row in tx.exchanges.answers(type="835", status=AnswerStatus.APPLIED)
        for answer in row.transaction.answers
        if isinstance(answer, Remittance)
    )
    cash = tx.ledger.balances().get("cash", 0)
    if paid != cash:
        yield f"applied remittances pay {paid} cents, the ledger has {cash} in cash"


def _changed_bytes(tx: Transaction) -> Iterable[str]:
    for row in tx.exchanges.interchanges():
        content = tx.exchanges.raw(row.sha256)
        if hashlib.sha256(content).hexdigest() != row.sha256 or len(content) != row.size:
            yield f"interchange {row.isa13} is not the bytes that were frozen"


def _sent_twice(tx: Transaction, exchanges: Mapping[str, Exchange]) -> Iterable[str]:
    """Read back every frozen file that may have been accepted: no claim number stands in two of them."""
    carriers: dict[str, list[int]] = {}
    for row in tx.exchanges.interchanges():
        exchange = exchanges.get(row.connection)
        if exchange is None or row.state in (DeliveryState.ABANDONED, DeliveryState.REJECTED):
            continue
        numbers = exchange.claim_numbers(tx.exchanges.raw(row.sha256))
        if len(numbers) != row.claim_count:
            yield f"interchange {row.isa13} holds {len(numbers)} claims, {row.claim_count} were frozen"
        for number in numbers:
            carriers.setdefault(number, []).append(row.isa13)
    for number, interchanges in carriers.items():
        if len(interchanges) > 1:
            yield f"claim {number} is in interchanges {', '.join(map(str, interchanges))}"


def _broken_acts(tx: Transaction) -> Iterable[str]:
    return (f"act {each.number}: {each.problem}" for each in tx.audit.verify().broken)
