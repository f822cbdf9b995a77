"""A claim's life: facts are appended, commands are guarded, and every state is a function of the set of facts.

Answers (TA1, 999, 277CA, 835) may come in any order, any number of times, and give one state: each question below asks
only whether a fact is in the set. Commands (release, hold) are a person's or the machine's moves and do have an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

from gateway.claim.answer import CONTRACTUAL_REASONS, PRIOR_PAYER, PROCESSED_AFTER_ANOTHER, Adjustment, PaidClaim
from gateway.errors import NotAllowed


class FactKind(StrEnum):
    """What can be said of a claim."""

    RELEASED = "released"
    """``code`` is the content hash released: another content needs another release."""
    HELD = "held"
    FROZEN = "frozen"
    """``code`` is the ISA13 in nine digits, of the connection the interchange goes by."""
    DELIVERED = "delivered"
    IN_DOUBT = "in-doubt"
    """``code`` is the attempt, a number."""
    NOT_ARRIVED = "not-arrived"
    """The file goes again as it is: it was proved that nothing of it arrived, or a person said so. ``code`` is the
    attempt whose doubt this ends, ``reason`` the proof."""
    FREED = "freed"
    """The interchange that carried the version is known not to count: abandoned unsent, TA1 R or 999 R."""
    INTERCHANGE = "interchange"
    """TA1; ``code`` is A, E or R."""
    TRANSACTION = "transaction"
    """999; ``code`` is A, E, P or R."""
    CLEARINGHOUSE = "clearinghouse"
    """277CA of the clearinghouse; ``code`` is ``accepted`` or ``rejected``."""
    PAYER = "payer"
    """277CA of the payer; ``code`` is ``accepted`` or ``rejected``."""
    REMITTED = "remitted"
    """One CLP of a balanced 835, in ``paid``."""


class ClaimState(StrEnum):
    """Where a claim is. Each word says who has it: us, a person of ours, the partner, the payer."""

    WAITING = "waiting"
    HELD = "held"
    READY = "ready"
    RELEASED = "released"
    FROZEN = "frozen"
    IN_DOUBT = "in-doubt"
    TRANSMITTED = "transmitted"
    INTERCHANGE_ACCEPTED = "interchange-accepted"
    TRANSACTION_ACCEPTED = "transaction-accepted"
    CLEARINGHOUSE_ACCEPTED = "clearinghouse-accepted"
    PAYER_ACCEPTED = "payer-accepted"
    REJECTED = "rejected"
    PAID = "paid"
    PARTIAL = "partial"
    DENIED = "denied"
    ZERO_PAY = "zero-pay"
    REVERSED = "reversed"
    CONFLICT = "conflict"
    CORRECTION_HELD = "correction-held"
    CORRECTION_READY = "correction-ready"
    VOIDED = "voided"
    WITHDRAWN = "withdrawn"


class DeliveryState(StrEnum):
    """Where an interchange is on its way to the partner."""

    READY = "ready"
    """Frozen; no byte of it was sent, or the partner is known to have none."""
    SENDING = "sending"
    IN_DOUBT = "in-doubt"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    ABANDONED = "abandoned"


_UNDER_WAY = frozenset({DeliveryState.SENDING, DeliveryState.IN_DOUBT})
DELIVERY_MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.READY: _UNDER_WAY,
    DeliveryState.IN_DOUBT: _UNDER_WAY,
    DeliveryState.DELIVERED: _UNDER_WAY | {DeliveryState.READY},
    DeliveryState.REJECTED: _UNDER_WAY | {DeliveryState.READY, DeliveryState.DELIVERED},
    DeliveryState.ABANDONED: frozenset({DeliveryState.READY}),
}
"""The states from which an interchange's delivery may become each state; sending is entered by claiming the send.

Once the partner spoke of a file it has it: a sender that learns less, later, never moves it back.
"""
ADJUDICATED = frozenset(
    {ClaimState.PAID, ClaimState.PARTIAL, ClaimState.DENIED, ClaimState.ZERO_PAY, ClaimState.REVERSED}
)
REVERSAL = "22"
"""CLP02 of a reversal of an earlier payment."""


class ClaimFact(Struct, frozen=True, kw_only=True):
    """One fact about one claim, or one version of it. The same fact has the same ``id`` however often it comes."""

    id: str
    claim_id: str
    version_id: str
    kind: FactKind
    at: datetime
    actor: str
    role: str
    code: str = ""
    reason: str = ""
    interchange_id: str = ""
    """Which interchange it is about; empty when it is about the claim itself."""
    answer_id: str = ""
    payer_claim_number: str = ""
    paid: PaidClaim | None = None
    paid_on: date | None = None


class DraftSituation(Struct, frozen=True, kw_only=True):
    """What the state asks of a draft."""

    content_hash: str
    blocked: bool
    complete: bool
    correction: bool
    """It would replace or void a version the payer has."""


def version_state(facts: Iterable[ClaimFact]) -> ClaimState:
    """The state of one version from the set of its facts, in whatever order they came."""
    said: dict[FactKind, set[str]] = {}
    paid: list[PaidClaim] = []
    for fact in _of_last_interchange(list(facts)):
        said.setdefault(fact.kind, set()).add(fact.code)
        if fact.paid is not None:
            paid.append(fact.paid)
    if _contradiction(said, bool(paid)):
        return ClaimState.CONFLICT
    if paid:
        return outcome_of(paid)
    if _rejected(said):
        return ClaimState.REJECTED
    for kind, codes, state in _ACCEPTANCES:
        if said.get(kind, set()) & codes:
            return state
    if FactKind.FREED in said:
        return ClaimState.RELEASED
    if FactKind.DELIVERED in said:
        return ClaimState.TRANSMITTED
    doubts = said.get(FactKind.IN_DOUBT, set()) - said.get(FactKind.NOT_ARRIVED, set())
    return ClaimState.IN_DOUBT if doubts else ClaimState.FROZEN


def _of_last_interchange(facts: Sequence[ClaimFact]) -> Iterable[ClaimFact]:
    """The facts that count: what an earlier, rejected interchange heard says nothing of the one that followed.

    A version is in one interchange at a time that is neither freed nor rejected. Control numbers put those of one
    connection in order, not those of two, so the time of freezing decides between interchanges that are all refused.
    """
    refused = {fact.interchange_id for fact in facts if _refuses_interchange(fact)}
    frozen = [
        (fact.interchange_id not in refused, fact.at, fact.code, fact.interchange_id)
        for fact in facts
        if fact.kind is FactKind.FROZEN
    ]
    last = max(frozen)[3] if frozen else ""
    return (fact for fact in facts if not fact.interchange_id or fact.interchange_id == last)


def _refuses_interchange(fact: ClaimFact) -> bool:
    return fact.kind is FactKind.FREED or (
        fact.kind in (FactKind.INTERCHANGE, FactKind.TRANSACTION) and fact.code == "R"
    )


_ACCEPTANCES: tuple[tuple[FactKind, frozenset[str], ClaimState], ...] = (
    (FactKind.PAYER, frozenset({"accepted"}), ClaimState.PAYER_ACCEPTED),
    (FactKind.CLEARINGHOUSE, frozenset({"accepted"}), ClaimState.CLEARINGHOUSE_ACCEPTED),
    (FactKind.TRANSACTION, frozenset({"A", "E", "P"}), ClaimState.TRANSACTION_ACCEPTED),
    (FactKind.INTERCHANGE, frozenset({"A", "E"}), ClaimState.INTERCHANGE_ACCEPTED),
)
_REJECTIONS: tuple[tuple[FactKind, str], ...] = (
    (FactKind.PAYER, "rejected"),
    (FactKind.CLEARINGHOUSE, "rejected"),
    (FactKind.TRANSACTION, "R"),
    (FactKind.INTERCHANGE, "R"),
)


def _rejected(said: dict[FactKind, set[str]]) -> bool:
    return any(code in said.get(kind, ()) for kind, code in _REJECTIONS)


def _contradiction(said: dict[FactKind, set[str]], paid: bool) -> bool:
    """True when a stage both refused and passed the claim, or a later stage took what an earlier one refused."""
    later_accepted = paid
    for (kind, accepted, _), (_, rejected) in zip(_ACCEPTANCES, _REJECTIONS, strict=True):
        codes = said.get(kind, set())
        if rejected in codes and (later_accepted or codes & accepted):
            return True
        later_accepted = later_accepted or bool(codes & accepted)
        if rejected in codes:
            later_accepted = True  # a later stage spoke at all, so an earlier rejection cannot stand
    return False


def outcome_of(paid: Sequence[PaidClaim]) -> ClaimState:
    """Paid, partial, denied, zero-pay or reversed, from amounts and adjustments with reversals, never CLP02 alone.

    Source: CLP02=1 with a zero payment and a denying adjustment is a denial (X12 RFI 288, 791 on reversals).
    """
    standing = standing_adjudications(paid)
    if standing is None:
        return ClaimState.CONFLICT
    if not standing:
        return ClaimState.REVERSED
    total = sum(each.paid_cents for each in standing)
    denied = sum(denied_cents(each) for each in standing)
    if total > 0:
        return ClaimState.PARTIAL if denied > 0 else ClaimState.PAID
    return ClaimState.DENIED if denied > 0 else ClaimState.ZERO_PAY


def standing_adjudications(paid: Sequence[PaidClaim]) -> list[PaidClaim] | None:
    """The adjudications that no reversal took back; None when a reversal takes back nothing that we know of.

    A reversal takes back the adjudication of the same adjustments, else one of the same amounts. The order of arrival
    must not matter, so both are looked at in an order of their own.
    """
    standing = sorted((each for each in paid if each.status_code != REVERSAL), key=_movements)
    inexact = []
    for reversal in sorted((each for each in paid if each.status_code == REVERSAL), key=_movements):
        taken_back = next((each for each in standing if _movements(each) == _movements(reversal, -1)), None)
        if taken_back is None:
            inexact.append(reversal)
        else:
            standing.remove(taken_back)
    for reversal in inexact:
        amounts = (-reversal.charge_cents, -reversal.paid_cents)
        taken_back = next((each for each in standing if (each.charge_cents, each.paid_cents) == amounts), None)
        if taken_back is None:
            return None
        standing.remove(taken_back)
    return standing


def _movements(paid: PaidClaim, sign: int = 1) -> tuple[int, int, tuple[tuple[str, str, int], ...]]:
    """What an adjudication moves, comparable with what a reversal of it moves back."""
    adjustments = [*paid.adjustments, *(each for line in paid.lines for each in line.adjustments)]
    moved = sorted((each.group, each.reason, sign * each.cents) for each in adjustments)
    return sign * paid.charge_cents, sign * paid.paid_cents, tuple(moved)


def denied_cents(paid: PaidClaim) -> int:
    """Cents the payer refused; see `denied_adjustments`."""
    return sum(each.cents for each in denied_adjustments(paid))


def denied_adjustments(paid: PaidClaim) -> list[Adjustment]:
    """What the payer refused and did not leave to the patient, the contract or a payer before it.

    What a payer before it settled (OA-23) is no denial where CLP02 says that this one came after another. One that says
    it came first knows of no payer before it: paying nothing for that reason is a denial, until the COB is mended.
    """
    adjustments = [*paid.adjustments, *(each for line in paid.lines for each in line.adjustments)]
    came_after = paid.status_code in PROCESSED_AFTER_ANOTHER or paid.paid_cents > 0
    return [
        each
        for each in adjustments
        if each.group != "PR"
        and each.reason not in CONTRACTUAL_REASONS
        and not (came_after and (each.group, each.reason) == PRIOR_PAYER)
    ]


def claim_state(
    draft: DraftSituation | None, versions: Sequence[tuple[str, str]], facts: Sequence[ClaimFact]
) -> ClaimState:
    """The state of a claim from its draft, its versions as (id, content hash) oldest first, and its facts."""
    latest = _latest(versions, facts)
    if draft is None:
        if standing := standing_version([version_id for version_id, _ in versions], facts):
            return standing[1]
        # A version freed unsent, with nothing left that supports it, is not waiting to be sent again.
        return ClaimState.REJECTED if latest and latest[1] is ClaimState.REJECTED else ClaimState.WITHDRAWN
    if latest and latest[1] is ClaimState.REJECTED and latest[0] == draft.content_hash and not draft.blocked:
        return ClaimState.RELEASED if _released(draft, facts) else ClaimState.REJECTED
    if draft.correction:
        if latest and latest[1] in _FATE_UNKNOWN:
            return latest[1]  # what corrects it would arrive first, or beside it
        if draft.blocked or _held(facts):
            return ClaimState.CORRECTION_HELD
        return ClaimState.RELEASED if _released(draft, facts) else ClaimState.CORRECTION_READY
    if not draft.complete:
        return ClaimState.WAITING
    if draft.blocked or _held(facts):
        return ClaimState.HELD
    return ClaimState.RELEASED if _released(draft, facts) else ClaimState.READY


def standing_version(version_ids: Sequence[str], facts: Sequence[ClaimFact]) -> tuple[str, ClaimState] | None:
    """(id, state) of the newest version that the payer has or may have, of versions oldest first.

    Behind a correction that was refused or abandoned stands the version it would have corrected.
    """
    for version_id in reversed(version_ids):
        state = version_state(fact for fact in facts if fact.version_id == version_id)
        if state not in _NOT_THERE:
            return version_id, state
    return None


def _latest(versions: Sequence[tuple[str, str]], facts: Sequence[ClaimFact]) -> tuple[str, ClaimState] | None:
    """(content hash, state) of the newest version."""
    if not versions:
        return None
    version_id, content_hash = versions[-1]
    return content_hash, version_state(fact for fact in facts if fact.version_id == version_id)


def last_command(facts: Sequence[ClaimFact]) -> ClaimFact | None:
    """The last release, hold or freeze of a claim; None before the first."""
    commands = [fact for fact in facts if fact.kind in (FactKind.RELEASED, FactKind.HELD, FactKind.FROZEN)]
    return commands[-1] if commands else None


def _held(facts: Sequence[ClaimFact]) -> bool:
    last = last_command(facts)
    return last is not None and last.kind is FactKind.HELD


def _released(draft: DraftSituation, facts: Sequence[ClaimFact]) -> bool:
    last = last_command(facts)
    return last is not None and last.kind is FactKind.RELEASED and last.code == draft.content_hash


_NOT_THERE = frozenset({ClaimState.REJECTED, ClaimState.RELEASED})
"""A version in one of these is not at the payer's: refused, or freed."""
_FATE_UNKNOWN = frozenset({ClaimState.FROZEN, ClaimState.IN_DOUBT})
"""A version in one of these may reach the payer yet, or may never have."""
RELEASABLE = frozenset(
    {
        ClaimState.READY,
        ClaimState.HELD,
        ClaimState.CORRECTION_READY,
        ClaimState.CORRECTION_HELD,
        ClaimState.REJECTED,
    }
)
"""Held and correction-held: where a person holds the claim. Where a block does, no release helps."""
HOLDABLE = frozenset({ClaimState.READY, ClaimState.RELEASED, ClaimState.CORRECTION_READY, ClaimState.WAITING})


def guard_release(state: ClaimState, *, blocked: bool) -> None:
    """Raise NotAllowed unless a claim in this state may be released; one that a person held, but no block."""
    if blocked:
        raise NotAllowed("a block keeps this claim from being released; clear its findings or have them overridden")
    if state not in RELEASABLE:
        raise NotAllowed(f"a claim that is {state} cannot be released; only one that is ready, held or rejected can")


def guard_hold(state: ClaimState) -> None:
    """Raise NotAllowed unless a claim in this state may be held."""
    if state not in HOLDABLE:
        raise NotAllowed(f"a claim that is {state} cannot be held any more")
