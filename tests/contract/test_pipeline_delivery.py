"""Delivering: whatever dies when, never two complete files, and always an end. On both databases, on real files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from clearinghouse.mailbox import AuthenticationFailed, HostKeyChanged, Step
from gateway.claim.contract import ClaimForm
from gateway.errors import DeliveryUnknown, NotAllowed, NotSent, Unavailable
from gateway.lifecycle import ClaimState
from gateway.pipeline.collect import Collected
from gateway.pipeline.deliver import LEASE
from gateway.pipeline.exchange_views import exchange_status
from gateway.pipeline.send import SendPass, Sent
from gateway.ports import RenderedInterchange, Settled
from gateway.store.database import Database
from tests.contract.races import at_once
from tests.factories import CONNECTION, NOON
from tests.partner_answers import Partner
from tests.pipeline_site import BILLER, OTHER_CONNECTION, SETTLE_GAP, SUPERVISOR, Site

PUBLISHED = {
    "direct": [Step.OPENED, Step.BYTES_DONE, Step.CLOSED],
    "rename_same_dir": [Step.OPENED, Step.BYTES_DONE, Step.CLOSED, Step.RENAME_SENT, Step.RENAME_OK],
}
CRASHES = [(publish, step, after) for publish, steps in PUBLISHED.items() for step in steps for after in (False, True)]


class Died(BaseException):
    """kill -9, seen from inside: nothing of ours catches it."""


def freeze_one(site: Site) -> str:
    site.admit()
    interchange_id = site.sending.freeze(CONNECTION, ClaimForm.INSTITUTIONAL)
    assert interchange_id is not None
    return interchange_id


def die_at(sending: SendPass, step: Step, *, after: bool, raises: BaseException | None = None) -> None:
    """Let the next sender die just before, or just after, the marker of this step is committed."""
    commit = sending._step

    def mark(interchange_id: str, epoch: int, lease: datetime, marker: str, detail: str) -> None:
        if marker == step.value and not after:
            raise raises or Died
        commit(interchange_id, epoch, lease, marker, detail)
        if marker == step.value:
            raise raises or Died

    sending._step = mark  # type: ignore[method-assign]


def complete_files(site: Site) -> list[str]:
    """Uploads that a partner would take: whole, under their final name."""
    (row,) = site.interchanges()
    return [name for name in site.uploaded() if name == row.remote_name and _size(site, name) == row.size]


def _size(site: Site, name: str) -> int:
    return next((site.root / folder / name).stat().st_size for folder in ("in", "archive") if _has(site, folder, name))


def _has(site: Site, folder: str, name: str) -> bool:
    return (site.root / folder / name).exists()


def run_until_settled(site: Site, passes: int = 6) -> str:
    """Passes of a sender that came after, each a minute later; the delivery state that stays."""
    site.clock.move(LEASE)
    for _ in range(passes):
        site.clock.move(SETTLE_GAP)
        site.sending.run(CONNECTION)
        assert len(complete_files(site)) <= 1
    return site.interchanges()[0].state


@pytest.mark.fault("F01")
@pytest.mark.parametrize(("publish", "step", "after"), CRASHES)
def test_a_sender_that_dies_at_any_step_leaves_one_file_or_a_question_for_a_person(
    store: Database, tmp_path: Path, publish: str, step: Step, after: bool
) -> None:
    site = Site(store, tmp_path, publish=publish)
    interchange_id = freeze_one(site)
    die_at(site.sending, step, after=after)
    with pytest.raises(Died):
        site.sending.deliver(interchange_id)
    assert site.interchanges()[0].state == "sending"

    heir = site.heir()
    state = run_until_settled(heir)
    assert state in ("delivered", "in-doubt")
    if state == "in-doubt":  # nothing to be seen where a partner may have taken it: only a person may send again
        assert complete_files(heir) == []
        assert (publish, step) in {("direct", Step.OPENED)}
        heir.commands.resolve(interchange_id, "resend", SUPERVISOR, "the partner has no such file")
        heir.sending.run(CONNECTION)
    assert len(complete_files(heir)) == 1
    assert heir.state() is ClaimState.TRANSMITTED
    assert heir.ailing() == []


@pytest.mark.fault("F01")
def test_a_sender_that_dies_before_its_first_step_costs_only_its_lease(
    site: Site, store: Database, tmp_path: Path
) -> None:
    freeze_one(site)
    die_at(site.sending, Step.OPENED, after=False)
    with pytest.raises(Died):
        site.sending.run(CONNECTION)
    heir = site.heir()
    heir.sending.run(CONNECTION)
    assert heir.uploaded() == []
    assert heir.interchanges()[0].state == "sending"
    with heir.store.read() as tx:
        (told,) = exchange_status(tx, {CONNECTION: heir.exchange})
    (under_way,) = told["under_way"]
    assert under_way["held_until"] == (heir.clock.at + LEASE).isoformat()
    heir.clock.move(LEASE + timedelta(seconds=1))
    heir.sending.run(CONNECTION)
    assert heir.interchanges()[0].state == "delivered"


def test_the_only_sender_need_not_wait_for_its_own_dead_lease(site: Site) -> None:
    freeze_one(site)
    die_at(site.sending, Step.OPENED, after=False)
    with pytest.raises(Died):
        site.sending.run(CONNECTION)
    heir = site.heir()
    heir.sending.release_leases(CONNECTION)
    heir.sending.run(CONNECTION)
    assert heir.interchanges()[0].state == "delivered"


@pytest.mark.fault("F02", "F03")
@pytest.mark.parametrize("publish", PUBLISHED)
def test_part_of_a_file_is_removed_and_the_same_bytes_follow_only_after_two_probes_agree(
    store: Database, tmp_path: Path, publish: str
) -> None:
    site = Site(store, tmp_path, publish=publish)
    interchange_id = freeze_one(site)
    die_at(site.sending, Step.BYTES_DONE, after=False)
    with pytest.raises(Died):
        site.sending.deliver(interchange_id)
    (row,) = site.interchanges()
    part = row.remote_name + ("" if publish == "direct" else ".part")
    (tmp_path / "in" / part).write_bytes(b"ISA*00*")

    heir = site.heir()
    heir.clock.move(LEASE + timedelta(seconds=1))
    heir.sending.run(CONNECTION)
    assert (heir.interchanges()[0].state, heir.uploaded()) == ("in-doubt", [])
    heir.clock.move(SETTLE_GAP / 2)
    heir.sending.run(CONNECTION)
    assert (heir.interchanges()[0].state, heir.uploaded()) == ("in-doubt", [])
    heir.clock.move(SETTLE_GAP)
    heir.sending.run(CONNECTION)
    assert (heir.interchanges()[0].state, heir.uploaded()) == ("delivered", [row.remote_name])
    assert [each.sha256 for each in heir.interchanges()] == [row.sha256]


@pytest.mark.fault("F06")
def test_a_file_the_partner_has_taken_is_never_sent_again_by_the_machine(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path)
    interchange_id = freeze_one(site)
    die_at(site.sending, Step.RENAME_SENT, after=True)
    with pytest.raises(Died):
        site.sending.deliver(interchange_id)
    (row,) = site.interchanges()
    part = site.root / "in" / (row.remote_name + ".part")
    part.rename(tmp_path / "taken away")
    heir = site.heir()
    assert run_until_settled(heir) == "in-doubt"
    assert heir.state() is ClaimState.IN_DOUBT
    partner = Partner(heir.payee_npi)
    heir.answer(partner.ack_999(row))
    assert (heir.interchanges()[0].state, heir.state()) == ("delivered", ClaimState.TRANSACTION_ACCEPTED)
    assert complete_files(heir) == []


@pytest.mark.fault("F06")
def test_a_file_moved_to_the_partners_archive_counts_as_delivered(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path)
    interchange_id = freeze_one(site)
    die_at(site.sending, Step.RENAME_OK, after=False)
    with pytest.raises(Died):
        site.sending.deliver(interchange_id)
    (name,) = site.uploaded()
    (tmp_path / "in" / name).rename(tmp_path / "archive" / name)
    assert run_until_settled(site.heir()) == "delivered"


@pytest.mark.fault("F14")
def test_many_senders_of_one_interchange_upload_it_once(site: Site) -> None:
    interchange_id = freeze_one(site)
    senders = [site.heir().sending for _ in range(4)]
    at_once(4, lambda number: senders[number].deliver(interchange_id))
    assert len(complete_files(site)) == 1
    (row,) = site.interchanges()
    assert (row.state, row.epoch, row.attempts) == ("delivered", 1, 1)


@pytest.mark.fault("F15")
def test_a_sender_that_slept_past_its_lease_stops_before_it_changes_anything(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wakes after an heir delivered the file and the partner took it: a second upload would be a double."""
    interchange_id = freeze_one(site)
    upload = site.exchange.upload

    def sleep_first(rendered: RenderedInterchange, on_step: Callable[[str, str], None]) -> None:
        heir = site.heir()
        heir.clock.move(LEASE + timedelta(seconds=1))
        heir.sending.run(CONNECTION)
        (name,) = heir.uploaded()
        (site.root / "in" / name).unlink()
        upload(rendered, on_step)

    monkeypatch.setattr(site.exchange, "upload", sleep_first)
    assert site.sending.deliver(interchange_id) == "delivered"
    assert site.uploaded() == []
    assert [row.epoch for row in site.interchanges()] == [2]


OnStep = Callable[[str, str], None]
Upload = Callable[[RenderedInterchange, OnStep], None]


def failing(error: Exception, *, after: Sequence[str] = ()) -> Upload:
    """An upload that commits these markers and then fails."""

    def upload(rendered: RenderedInterchange, on_step: Callable[[str, str], None]) -> None:
        for marker in after:
            on_step(marker, "")
        raise error

    return upload


@pytest.mark.fault("F09")
@pytest.mark.parametrize("error", [Unavailable(), NotSent()])
def test_a_partner_that_does_not_answer_leaves_the_file_ready_and_the_next_pass_sends_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    freeze_one(site)
    with monkeypatch.context() as patch:
        patch.setattr(site.exchange, "upload", failing(error))
        sent = site.sending.run(CONNECTION)
    assert (sent.delivered, len(sent.problems), site.interchanges()[0].state) == (0, 1, "ready")
    assert site.sending.run(CONNECTION).delivered == 1


@pytest.mark.fault("F12")
def test_a_file_the_partner_refuses_does_not_keep_the_others_waiting(
    store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(store, tmp_path, max_claims=1)
    for number in (1, 2):
        site.admit(number)
    upload = site.exchange.upload
    refused = []

    def picky(rendered: RenderedInterchange, on_step: Callable[[str, str], None]) -> None:
        if "000000001" in rendered.remote_name:
            refused.append(rendered.remote_name)
            raise NotSent("the partner already holds a file of that name")
        upload(rendered, on_step)

    monkeypatch.setattr(site.exchange, "upload", picky)
    sent = site.sending.run(CONNECTION)
    assert (sent.frozen, sent.delivered, len(sent.problems)) == (2, 1, 1)
    assert [row.state for row in site.interchanges()] == ["ready", "delivered"]


def test_nothing_is_frozen_or_sent_outside_the_partners_hours(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path, schedule={"time_zone": "UTC", "opens": "20:00", "closes": "04:00"})
    site.admit()
    assert site.sending.run(CONNECTION) == Sent()
    site.clock.move(timedelta(hours=8))
    assert site.sending.run(CONNECTION).delivered == 1


def test_a_partner_gets_no_more_files_in_an_hour_than_it_takes(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path, max_claims=1, max_files_per_hour=2)
    for number in (1, 2, 3):
        site.admit(number)
    assert [site.sending.run(CONNECTION).delivered for _ in range(2)] == [2, 0]
    site.clock.move(timedelta(hours=1, seconds=1))
    assert site.sending.run(CONNECTION).delivered == 1


@pytest.mark.fault("F10")
def test_a_partner_that_refuses_our_login_is_tried_once_until_a_person_resumes_the_connection(
    store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(store, tmp_path, max_claims=1)
    tries = []
    for number in (1, 2):
        site.admit(number)

    def refuse() -> None:
        tries.append("login")
        raise AuthenticationFailed("the partner refused the login")

    with monkeypatch.context() as patch:
        patch.setattr(site.mailbox, "session", refuse)
        assert site.sending.run(CONNECTION).paused == f"the partner refused the login (since {NOON:%Y-%m-%d %H:%M} UTC)"
        for process in (site, site.heir()):  # a restart is no reason to try again
            patch.setattr(process.mailbox, "session", refuse)
            assert "the partner refused the login" in process.sending.run(CONNECTION).paused
            assert "the partner refused the login" in process.collecting.run(CONNECTION).paused
    assert (len(tries), [row.state for row in site.interchanges()]) == (1, ["ready", "ready"])
    with pytest.raises(NotAllowed, match="say why"):
        site.connections.resume(CONNECTION, BILLER, "")
    site.connections.resume(CONNECTION, BILLER, "they unlocked the account")
    assert site.sending.run(CONNECTION).delivered == 2


def test_a_refused_login_while_collecting_pauses_sending_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.admit()

    def refuse() -> None:
        raise HostKeyChanged("the host key is not the pinned one")

    with monkeypatch.context() as patch:
        patch.setattr(site.mailbox, "session", refuse)
        assert "the host key is not the pinned one" in site.collecting.run(CONNECTION).paused
    assert "the host key is not the pinned one" in site.sending.run(CONNECTION).paused
    assert site.interchanges() == []


def test_an_upload_of_unknown_end_is_in_doubt_and_so_is_its_claim(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_one(site)
    monkeypatch.setattr(site.exchange, "upload", failing(DeliveryUnknown(), after=["opened"]))
    sent = site.sending.run(CONNECTION)
    assert (sent.delivered, sent.in_doubt) == (0, 1)
    assert site.state() is ClaimState.IN_DOUBT


@pytest.mark.fault("F16")
@pytest.mark.parametrize("step", PUBLISHED["direct"])
def test_our_own_database_failing_between_two_steps_never_means_nothing_was_sent(
    store: Database, tmp_path: Path, step: Step
) -> None:
    site = Site(store, tmp_path, publish="direct")
    interchange_id = freeze_one(site)
    die_at(site.sending, step, after=False, raises=Unavailable("the database does not answer"))
    if step is Step.OPENED:
        with pytest.raises(Unavailable):
            site.sending.deliver(interchange_id)
        assert site.interchanges()[0].state == "ready"
    else:
        assert site.sending.deliver(interchange_id) == "in-doubt"
    assert run_until_settled(site.heir()) == "delivered"


def test_what_the_partner_said_meanwhile_is_not_undone_by_a_sender_who_knows_less(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The acknowledgement is back before the sender hears that its connection broke."""
    interchange_id = freeze_one(site)

    def broken(rendered: RenderedInterchange, on_step: Callable[[str, str], None]) -> None:
        on_step("opened", "")
        site.answer(partner.ack_999(site.interchanges()[0]))
        raise NotSent("the connection broke")

    monkeypatch.setattr(site.exchange, "upload", broken)
    with pytest.raises(NotSent):
        site.sending.deliver(interchange_id)
    assert (site.interchanges()[0].state, site.state()) == ("delivered", ClaimState.TRANSACTION_ACCEPTED)


@pytest.mark.fault("F08")
def test_a_partner_that_cannot_be_probed_leaves_the_file_in_doubt(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_one(site)
    monkeypatch.setattr(site.exchange, "upload", failing(DeliveryUnknown(), after=["opened"]))
    site.sending.run(CONNECTION)

    def unreachable(rendered: RenderedInterchange, markers: Sequence[str], on_step: OnStep) -> Settled:
        raise Unavailable

    monkeypatch.setattr(site.exchange, "settle", unreachable)
    assert site.sending.settle(CONNECTION) == 1
    assert site.interchanges()[0].state == "in-doubt"


@pytest.mark.fault("F15")
def test_who_looks_after_a_file_and_sleeps_removes_nothing_of_a_later_sender(
    store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It saw a part of the file, and wakes when somebody else has removed it and is sending the file again."""
    site = Site(store, tmp_path, publish="direct")
    interchange_id = freeze_one(site)
    die_at(site.sending, Step.BYTES_DONE, after=False)
    with pytest.raises(Died):
        site.sending.deliver(interchange_id)
    (row,) = site.interchanges()
    file = tmp_path / "in" / row.remote_name
    file.write_bytes(b"ISA*00*")
    sleeper, heir = site.heir(), site.heir()
    sleeper.clock.move(LEASE + timedelta(seconds=1))
    settle = sleeper.exchange.settle

    def sleep_before_removing(rendered: RenderedInterchange, markers: Sequence[str], on_step: OnStep) -> Settled:
        def awake(marker: str, detail: str) -> None:
            heir.clock.move(2 * LEASE + timedelta(seconds=2))
            assert run_until_settled(heir) == "delivered"
            file.write_bytes(b"ISA*00*")  # as a third sender would leave it in the middle
            on_step(marker, detail)

        return settle(rendered, markers, awake)

    monkeypatch.setattr(sleeper.exchange, "settle", sleep_before_removing)
    assert sleeper.sending.settle(CONNECTION) == 0
    assert b"ISA*00*" == file.read_bytes()


@pytest.mark.fault("F13")
def test_the_very_file_being_there_already_is_the_delivery_and_another_of_its_name_is_not(
    store: Database, tmp_path: Path
) -> None:
    """A first rename that landed late, or a person who carried the file there."""
    site = Site(store, tmp_path, max_claims=1)
    for number in (1, 2):
        site.admit(number)
        site.sending.freeze(CONNECTION, ClaimForm.INSTITUTIONAL)
    ours, other = site.interchanges()
    with store.read() as tx:
        (tmp_path / "in" / ours.remote_name).write_bytes(tx.exchanges.raw(ours.sha256))
    (tmp_path / "in" / other.remote_name).write_bytes(b"x" * other.size)
    sent = site.sending.run(CONNECTION)
    assert ["delivered", "ready"] == [row.state for row in site.interchanges()]
    assert (1, 1) == (sent.delivered, len(sent.problems))
    assert b"x" * other.size == (tmp_path / "in" / other.remote_name).read_bytes()


def test_a_file_the_partner_refused_before_its_first_byte_may_be_abandoned_and_its_claims_leave_under_a_new_number(
    site: Site,
) -> None:
    interchange_id = freeze_one(site)
    (site.root / "in").rmdir()
    assert len(site.sending.run(CONNECTION).problems) == 1
    assert site.commands.resolve(interchange_id, "abandon", SUPERVISOR, "they closed the directory") == "abandoned"
    (site.root / "in").mkdir()
    site.settle_facts()
    assert site.sending.run(CONNECTION).delivered == 1
    assert [(row.isa13, row.state) for row in site.interchanges()] == [(1, "abandoned"), (2, "delivered")]
    assert site.ailing() == []


def test_a_file_larger_than_the_partner_takes_is_made_into_smaller_ones(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path, max_bytes="1700")
    for number in (1, 2, 3):
        site.admit(number)
    assert site.sending.run(CONNECTION).delivered == 2
    assert [(row.isa13, row.claim_count) for row in site.interchanges()] == [(1, 1), (2, 2)]
    assert max(row.size for row in site.interchanges()) <= 1700


def test_a_claim_larger_than_the_partner_takes_is_held_and_stops_nobody_else(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path, max_bytes="100")
    site.admit()
    assert site.sending.run(CONNECTION).frozen == 0
    assert site.state() is ClaimState.HELD


@pytest.mark.parametrize("refuse", ["ta1", "999"])
def test_a_refused_claim_that_goes_by_another_clearinghouse_goes_there_once(
    site: Site, partner: Partner, store: Database, tmp_path: Path, refuse: str
) -> None:
    """The control numbers of the new connection begin anew, below those of the old one."""
    site.admit(1)
    site.sending.run(CONNECTION)
    site.admit(2)
    site.sending.run(CONNECTION)
    _, row = site.interchanges()
    site.answer(partner.ta1(row, "R", "024") if refuse == "ta1" else partner.ack_999(row, "R"))
    moved = site.by_other_connection()
    moved.settle_facts()
    (refused,) = (each for each in moved.claims() if each.state == ClaimState.REJECTED)
    moved.commands.release(refused.id, BILLER)
    for _ in range(3):
        for connection in (CONNECTION, OTHER_CONNECTION):
            moved.settle_facts()
            moved.sending.run(connection)
    assert [(each.connection, each.isa13, each.state) for each in moved.interchanges()] == [
        (CONNECTION, 1, "delivered"),
        (CONNECTION, 2, "rejected"),
        (OTHER_CONNECTION, 1, "delivered"),
    ]
    assert moved.states() == [ClaimState.TRANSMITTED, ClaimState.TRANSMITTED]
    moved.answer(partner.ack_999(row))  # the old clearinghouse, late: it has the claim after all
    assert moved.states() == [ClaimState.TRANSMITTED, ClaimState.TRANSMITTED]
    (version,) = (each for each in moved.versions() if each.claim_id == refused.id)
    moved.collecting.take(OTHER_CONNECTION, BytesIO(partner.status_277ca(version)), b"x.277", Collected())
    moved.settle_facts()
    assert sorted(moved.states()) == [ClaimState.CLEARINGHOUSE_ACCEPTED, ClaimState.TRANSMITTED]
    assert moved.ailing() == []


@pytest.mark.parametrize("step", PUBLISHED["rename_same_dir"])
def test_a_claim_in_a_file_under_way_never_leaves_by_another_clearinghouse_as_well(site: Site, step: Step) -> None:
    interchange_id = freeze_one(site)
    die_at(site.sending, step, after=True)
    with pytest.raises(Died):
        site.sending.deliver(interchange_id)
    moved = site.by_other_connection()
    moved.settle_facts()
    for _ in range(4):
        moved.clock.move(LEASE + SETTLE_GAP)
        for connection in (OTHER_CONNECTION, CONNECTION):
            moved.sending.run(connection)
    assert [row.connection for row in moved.interchanges()] == [CONNECTION]
    assert len(complete_files(moved)) == 1
