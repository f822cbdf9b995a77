"""The partner's referee is asked before a file is frozen: what it objects to stays, the rest leaves, nothing loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gateway.errors import FormatError
from gateway.lifecycle import ClaimState
from gateway.pipeline.funnel import count
from gateway.pipeline.views import claim_detail, claim_why
from gateway.ports import InterchangeNumbers, NumberedClaim, RenderedInterchange
from gateway.store.database import Database
from tests.factories import CONNECTION, NOON
from tests.pipeline_site import BILLER, Site

Objection = Callable[[Sequence[NumberedClaim], InterchangeNumbers], str]
NUMBERS = InterchangeNumbers(isa13=1, batch_reference="CHECK", created_at=NOON)
OBJECTION = "pyx12 objects to NM109 of loop 2010BA (its code 7)"


@pytest.fixture
def refereed(store: Database, tmp_path: Path) -> Site:
    return Site(store, tmp_path, referee="pyx12")


def objecting(site: Site, monkeypatch: pytest.MonkeyPatch, objection: Objection) -> list[int]:
    """Stands in for pyx12; how many claims each question was about."""
    asked: list[int] = []

    def answer(claims: Sequence[NumberedClaim], numbers: InterchangeNumbers) -> str:
        asked.append(len(claims))
        return objection(claims, numbers)

    monkeypatch.setattr(site.exchange, "objection", answer)
    return asked


def states(site: Site) -> list[str]:
    return [row.state for row in site.claims()]


def test_claims_that_pyx12_agrees_to_leave(refereed: Site) -> None:
    refereed.admit(1)
    refereed.admit(2)
    assert (refereed.sending.run(CONNECTION).frozen, states(refereed)) == (1, [ClaimState.TRANSMITTED] * 2)


def test_pyx12_names_the_place_and_never_a_value(refereed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    refereed.admit()
    with refereed.store.read() as tx:
        drafts = tx.claims.drafts([row.id for row in refereed.claims()])
    claims = [NumberedClaim(claim=each.claim, claim_number="C1") for each in drafts.values()]
    assert refereed.exchange.objection(claims, NUMBERS) == ""
    render = refereed.exchange.render

    def broken(claims: Sequence[NumberedClaim], numbers: InterchangeNumbers) -> RenderedInterchange:
        rendered = render(claims, numbers)
        content = rendered.content.replace(b"*MI*", b"*QQ*")
        return RenderedInterchange(content=content, remote_name=rendered.remote_name)

    monkeypatch.setattr(refereed.exchange, "render", broken)
    assert refereed.exchange.objection(claims, NUMBERS) == "pyx12 objects to NM108 of loop 2010BA (its code 7)"


def test_one_claim_it_objects_to_is_held_with_a_finding_and_the_others_leave(
    refereed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3, 4, 5):
        refereed.admit(number)
    disputed = refereed.claims()[3]

    def objection(claims: Sequence[NumberedClaim], numbers: InterchangeNumbers) -> str:
        return OBJECTION if any(each.claim.key.patient_id == disputed.patient_id for each in claims) else ""

    asked = objecting(refereed, monkeypatch, objection)
    assert refereed.sending.run(CONNECTION).frozen == 1
    assert sorted(states(refereed)) == [ClaimState.HELD] + [ClaimState.TRANSMITTED] * 4
    with refereed.store.read() as tx:
        detail, why, (group,) = claim_detail(tx, disputed.id), claim_why(tx, disputed.id), count(tx).held
    assert detail["holds"] == ["referee-disagrees"]
    blocks = [(each["owner"], each["message"]) for each in detail["findings"] if each["severity"] == "block"]
    assert blocks == [("integration", OBJECTION)]
    assert OBJECTION in why["because"]
    assert (group.rule, group.claims) == ("referee-disagrees", 1)
    before = len(asked)
    refereed.sending.run(CONNECTION)
    assert len(asked) == before  # nothing is asked again until a person releases it
    assert refereed.ailing() == []


def test_a_released_claim_is_asked_about_again_and_leaves_once_there_is_no_objection(
    refereed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    refereed.admit()
    (row,) = refereed.claims()
    answers = [OBJECTION, OBJECTION, ""]
    objecting(refereed, monkeypatch, lambda claims, numbers: answers.pop(0))
    for expected in (ClaimState.HELD, ClaimState.HELD, ClaimState.TRANSMITTED):
        refereed.sending.run(CONNECTION)
        assert refereed.state() is expected
        if expected is ClaimState.HELD:
            refereed.commands.release(row.id, BILLER)


def test_an_objection_to_no_single_claim_holds_the_whole_file(refereed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        refereed.admit(number)
    objecting(refereed, monkeypatch, lambda claims, numbers: "pyx12 objects to SE01" if len(claims) == 3 else "")
    assert refereed.sending.run(CONNECTION).frozen == 0
    assert states(refereed) == [ClaimState.HELD] * 3
    assert refereed.interchanges() == []


def test_a_claim_that_cannot_be_written_is_the_freezes_to_hold(refereed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        refereed.admit(number)
    unwritable = refereed.claims()[1].patient_id
    render = refereed.exchange.render

    def picky(claims: Sequence[NumberedClaim], numbers: InterchangeNumbers) -> RenderedInterchange:
        if any(each.claim.key.patient_id == unwritable for each in claims):
            raise FormatError("loop 2010BA NM103: a character that cannot be written")
        return render(claims, numbers)

    monkeypatch.setattr(refereed.exchange, "render", picky)
    assert refereed.sending.run(CONNECTION).frozen == 1
    with refereed.store.read() as tx:
        (held,) = [row for row in refereed.claims() if row.state == ClaimState.HELD]
        assert claim_detail(tx, held.id)["holds"] == ["unwritable"]


def test_nobody_waits_for_the_referee_and_what_is_released_meanwhile_leaves_in_the_next_file(
    refereed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    refereed.admit(1)

    def objection(claims: Sequence[NumberedClaim], numbers: InterchangeNumbers) -> str:
        if len(refereed.claims()) == 1:
            refereed.admit(2)  # writes: it would wait for ever for a transaction that waits for this answer
        return ""

    asked = objecting(refereed, monkeypatch, objection)
    assert refereed.sending.run(CONNECTION).frozen == 2
    assert asked == [1, 1]
    assert states(refereed) == [ClaimState.TRANSMITTED] * 2


def test_without_a_referee_nobody_is_asked(store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(store, tmp_path, referee="none")
    site.admit()
    asked = objecting(site, monkeypatch, lambda claims, numbers: OBJECTION)
    assert (site.sending.run(CONNECTION).frozen, asked) == (1, [])
