"""The state of a claim from its draft, its versions and its facts; and who may move it by hand."""

from __future__ import annotations

import pytest

from gateway.errors import NotAllowed
from gateway.lifecycle import (
    ClaimFact,
    ClaimState,
    DraftSituation,
    FactKind,
    claim_state,
    guard_hold,
    guard_release,
    standing_version,
)
from tests.factories import a_fact, an_adjudication

FROZEN = a_fact(FactKind.FROZEN, "000000001", interchange_id="first")
REFUSED = a_fact(FactKind.TRANSACTION, "R", interchange_id="first")
VERSIONS = [("version-1", "content-1")]


def draft(content_hash: str = "content-1", **changes: bool) -> DraftSituation:
    given = {"blocked": False, "complete": True, "correction": False, **changes}
    return DraftSituation(content_hash=content_hash, **given)


def released(content_hash: str) -> ClaimFact:
    return a_fact(FactKind.RELEASED, content_hash, version_id="")


HELD = a_fact(FactKind.HELD, version_id="")


@pytest.mark.parametrize(
    ("situation", "facts", "state"),
    [
        (draft(complete=False), [], ClaimState.WAITING),
        (draft(complete=False, blocked=True), [], ClaimState.WAITING),
        (draft(blocked=True), [], ClaimState.HELD),
        (draft(), [], ClaimState.READY),
        (draft(), [HELD], ClaimState.HELD),
        (draft(), [HELD, released("content-1")], ClaimState.RELEASED),
        (draft(), [released("content-1"), HELD], ClaimState.HELD),
        (draft(), [released("content-1")], ClaimState.RELEASED),
        (draft(blocked=True), [released("content-1")], ClaimState.HELD),
        (draft("content-2"), [released("content-1")], ClaimState.READY),
        (draft(correction=True), [], ClaimState.CORRECTION_READY),
        (draft(correction=True, blocked=True), [], ClaimState.CORRECTION_HELD),
        (draft(correction=True), [HELD], ClaimState.CORRECTION_HELD),
        (draft(correction=True), [released("content-1")], ClaimState.RELEASED),
        (None, [], ClaimState.WITHDRAWN),
    ],
)
def test_an_unsent_claim_is_where_its_draft_and_the_last_command_put_it(
    situation: DraftSituation | None, facts: list[ClaimFact], state: ClaimState
) -> None:
    assert claim_state(situation, [], facts) is state


@pytest.mark.parametrize(
    ("fate", "state"),
    [
        ([], ClaimState.FROZEN),
        ([a_fact(FactKind.IN_DOUBT, interchange_id="first")], ClaimState.IN_DOUBT),
        ([a_fact(FactKind.DELIVERED, interchange_id="first")], ClaimState.RELEASED),
    ],
)
def test_nothing_follows_a_version_before_it_is_known_whether_that_one_arrived(
    fate: list[ClaimFact], state: ClaimState
) -> None:
    facts = [FROZEN, *fate, released("content-2")]
    assert claim_state(draft("content-2", correction=True), VERSIONS, facts) is state


def test_a_release_covers_the_content_that_was_released_and_no_other() -> None:
    facts = [released("content-1"), FROZEN, REFUSED]
    assert claim_state(draft("content-2"), VERSIONS, facts) is ClaimState.READY


def test_a_refused_version_stays_rejected_until_somebody_releases_it_again() -> None:
    facts = [released("content-1"), FROZEN, REFUSED]
    assert claim_state(draft(), VERSIONS, facts) is ClaimState.REJECTED
    assert claim_state(draft(), VERSIONS, [*facts, released("content-1")]) is ClaimState.RELEASED


def test_a_refused_version_that_a_block_holds_now_is_held_released_or_not() -> None:
    facts = [released("content-1"), FROZEN, REFUSED, released("content-1")]
    assert claim_state(draft(blocked=True), VERSIONS, facts) is ClaimState.HELD


def test_a_sent_claim_without_a_draft_is_where_its_newest_version_is() -> None:
    paid = a_fact(FactKind.REMITTED, "1", paid=an_adjudication())
    assert claim_state(None, VERSIONS, [FROZEN, paid]) is ClaimState.PAID
    newer = a_fact(FactKind.FROZEN, "000000002", version_id="version-2", interchange_id="second")
    both = [*VERSIONS, ("version-2", "content-2")]
    assert claim_state(None, both, [FROZEN, paid, newer]) is ClaimState.FROZEN


@pytest.mark.parametrize(
    ("kind", "code"), [(FactKind.FREED, ""), (FactKind.TRANSACTION, "R"), (FactKind.PAYER, "rejected")]
)
def test_behind_a_correction_that_was_refused_or_abandoned_stands_what_it_would_have_corrected(
    kind: FactKind, code: str
) -> None:
    paid = a_fact(FactKind.REMITTED, "1", paid=an_adjudication())
    frozen = a_fact(FactKind.FROZEN, "000000002", version_id="version-2", interchange_id="second")
    end = a_fact(kind, code, version_id="version-2", interchange_id="second")
    both, facts = [*VERSIONS, ("version-2", "content-2")], [FROZEN, paid, frozen, end]
    assert ("version-1", ClaimState.PAID) == standing_version(["version-1", "version-2"], facts)
    assert ClaimState.PAID is claim_state(None, both, facts)


def test_a_version_freed_unsent_that_nothing_supports_any_more_is_withdrawn() -> None:
    freed = a_fact(FactKind.FREED, interchange_id="first")
    assert claim_state(None, VERSIONS, [FROZEN, freed]) is ClaimState.WITHDRAWN
    assert claim_state(draft(), VERSIONS, [FROZEN, freed]) is ClaimState.READY


LEGAL_RELEASES = {
    ClaimState.READY,
    ClaimState.HELD,
    ClaimState.CORRECTION_READY,
    ClaimState.CORRECTION_HELD,
    ClaimState.REJECTED,
}
LEGAL_HOLDS = {ClaimState.WAITING, ClaimState.READY, ClaimState.RELEASED, ClaimState.CORRECTION_READY}


@pytest.mark.parametrize("state", ClaimState)
def test_every_state_may_be_released_or_may_not(state: ClaimState) -> None:
    if state in LEGAL_RELEASES:
        guard_release(state, blocked=False)
    else:
        with pytest.raises(NotAllowed, match="release"):
            guard_release(state, blocked=False)
    with pytest.raises(NotAllowed, match="release"):
        guard_release(state, blocked=True)


@pytest.mark.parametrize("state", ClaimState)
def test_every_state_may_be_held_or_may_not(state: ClaimState) -> None:
    if state in LEGAL_HOLDS:
        guard_hold(state)
        return
    with pytest.raises(NotAllowed, match="held"):
        guard_hold(state)
