"""Connections: nothing leaves uncertified, nor from a database that was restored, until a person has looked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from clearinghouse.mailbox import Step
from gateway.claim.contract import ClaimForm
from gateway.errors import ConfigurationError, NotAllowed
from gateway.lifecycle import ClaimState
from gateway.pipeline.deliver import LEASE
from gateway.ports.connections import Reached
from gateway.store.database import Database
from gateway.wiring.numbers_beside import NumbersBeside
from tests.contract.test_pipeline_delivery import Died, die_at
from tests.factories import CHAIN, CONNECTION
from tests.partner_answers import Partner
from tests.pipeline_site import BILLER, SETTLE_GAP, SUPERVISOR, Site

INSTITUTIONAL = ClaimForm.INSTITUTIONAL


def test_production_files_wait_for_a_certificate_or_a_supervisors_decision(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path, usage="P")
    site.admit()
    sent = site.sending.run(CONNECTION)
    assert "exchange certify clearing" in sent.refused
    assert (site.interchanges(), site.collecting.run(CONNECTION).paused) == ([], "")
    with pytest.raises(NotAllowed, match="supervisor"):
        site.connections.waive_certification(CONNECTION, BILLER, "they know us")
    with pytest.raises(NotAllowed, match="say why"):
        site.connections.waive_certification(CONNECTION, SUPERVISOR, "")
    site.connections.waive_certification(CONNECTION, SUPERVISOR, "live with them since 2019")
    assert "live with them since 2019" in site.connections.standing(CONNECTION).certified
    assert site.sending.run(CONNECTION).delivered == 1


class Restored:
    """A site whose database is put back to what it was before its second file left."""

    def __init__(self, folder: Path, migrated: Path) -> None:
        self.path, self.backup = folder / "site.sqlite", folder / "backup"
        shutil.copy(migrated, self.path)
        self.store = Database(f"sqlite:///{self.path}", CHAIN)
        self.site = Site(self.store, folder / "partner")

    def back_up(self) -> None:
        self.store.close()
        shutil.copy(self.path, self.backup)

    def restore(self) -> Site:
        self.store.close()
        for each in self.path.parent.glob("site.sqlite*"):
            each.unlink()
        shutil.copy(self.backup, self.path)
        return self.site.heir()


@pytest.fixture
def restored(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Restored]:
    restored = Restored(tmp_path, migrated_sqlite)
    yield restored
    restored.store.close()


@pytest.mark.fault("F21")
def test_a_restored_database_sends_nothing_until_its_numbers_are_beyond_all_that_were_used(restored: Restored) -> None:
    site = restored.site
    site.admit(1)
    site.sending.run(CONNECTION)
    site.admit(2)
    restored.back_up()
    assert site.sending.run(CONNECTION).delivered == 1
    site.admit(3)
    assert site.sending.run(CONNECTION).delivered == 1

    after = restored.restore()
    sent = after.sending.run(CONNECTION)
    assert "up to number 1 and 1 sends, and this machine remembers number 3 and 3 sends" in sent.refused
    assert (sent.frozen, len(after.uploaded())) == (0, 3)
    with pytest.raises(NotAllowed, match="supervisor"):
        after.connections.guard(CONNECTION, after.exchange, BILLER, "restored", skip=10)
    for too_many in (999_999_999, 10**30):  # no tenth digit, and no way back from there
        with pytest.raises(NotAllowed, match="leave out fewer"):
            after.connections.guard(CONNECTION, after.exchange, SUPERVISOR, "restored", skip=too_many)
    moved = after.connections.guard(CONNECTION, after.exchange, SUPERVISOR, "restored from Sunday's backup", skip=10)
    assert (moved.last, moved.seen, moved.next, moved.held, moved.in_doubt) == (1, 3, 14, 1, 0)

    after.settle_facts()
    assert sorted(after.states()) == [ClaimState.HELD, ClaimState.TRANSMITTED]
    assert after.sending.run(CONNECTION).frozen == 0  # its second file holds that claim, and only the partner knows
    after.admit(4)
    assert after.sending.run(CONNECTION).delivered == 1
    assert [row.isa13 for row in after.interchanges()] == [1, 14]
    assert after.sending.run(CONNECTION).refused == ""


@pytest.mark.fault("F21")
def test_what_the_partner_shows_counts_where_the_memory_was_lost_with_the_machine(restored: Restored) -> None:
    site = restored.site
    site.admit(1)
    site.sending.run(CONNECTION)
    restored.back_up()
    site.admit(2)
    site.sending.run(CONNECTION)
    newest = max(site.root.joinpath("in").iterdir())
    newest.rename(site.root / "archive" / f"HIPAA.T1.20260801.{newest.name}")
    shutil.rmtree(site.root / "sent-numbers")

    after = restored.restore()
    assert "nothing is remembered here" in after.sending.run(CONNECTION).refused
    with pytest.raises(NotAllowed, match="number 2 is in use"):
        after.connections.guard(CONNECTION, after.exchange, SUPERVISOR, "one more machine", skip=0, restored=False)
    moved = after.connections.guard(CONNECTION, after.exchange, SUPERVISOR, "a new machine", skip=0)
    assert (moved.last, moved.seen, moved.next) == (1, 2, 3)
    after.admit(3)
    assert after.sending.run(CONNECTION).delivered == 1


@pytest.mark.fault("F21")
def test_a_file_that_the_restored_database_takes_for_unsent_is_looked_for_before_anything(restored: Restored) -> None:
    site = restored.site
    site.admit(1)
    assert site.sending.freeze(CONNECTION, INSTITUTIONAL) is not None
    restored.back_up()
    site.sending.run(CONNECTION)
    site.admit(2)
    site.sending.run(CONNECTION)
    (taken, _) = sorted(site.root.joinpath("in").iterdir())
    taken.unlink()  # the partner picked it up

    after = restored.restore()
    moved = after.connections.guard(CONNECTION, after.exchange, SUPERVISOR, "restored", skip=0)
    assert (moved.in_doubt, after.state()) == (1, ClaimState.IN_DOUBT)
    for _ in range(4):
        after.clock.move(SETTLE_GAP)
        after.sending.run(CONNECTION)
    assert [row.state for row in after.interchanges()] == ["in-doubt"]
    assert not taken.exists()


@pytest.mark.fault("F21")
def test_a_backup_that_knows_every_number_but_not_that_its_file_left_sends_nothing_before_it_is_guarded(
    restored: Restored,
) -> None:
    site = restored.site
    site.admit(1)
    assert site.sending.freeze(CONNECTION, INSTITUTIONAL) is not None
    restored.back_up()
    site.sending.run(CONNECTION)
    (taken,) = site.root.joinpath("in").iterdir()
    taken.unlink()  # the partner picked it up

    after = restored.restore()
    refused = after.sending.run(CONNECTION)
    assert (refused.delivered, "remembers number 1 and 1 sends" in refused.refused) == (0, True)
    moved = after.connections.guard(CONNECTION, after.exchange, SUPERVISOR, "restored", skip=0)
    assert (moved.last, moved.seen, moved.in_doubt, after.state()) == (1, 1, 1, ClaimState.IN_DOUBT)
    assert after.sending.run(CONNECTION).refused == ""
    for _ in range(4):
        after.clock.move(SETTLE_GAP)
        after.sending.run(CONNECTION)
    assert [row.state for row in after.interchanges()] == ["in-doubt"]
    assert not taken.exists()


@pytest.mark.fault("F21")
def test_looks_that_found_nothing_before_the_backup_prove_nothing_after_the_restore(restored: Restored) -> None:
    site = restored.site
    site.admit(1)
    interchange_id = site.sending.freeze(CONNECTION, INSTITUTIONAL)
    assert interchange_id is not None
    die_at(site.sending, Step.BYTES_DONE, after=False)
    with pytest.raises(Died):
        site.sending.deliver(interchange_id)
    heir = site.heir()
    heir.clock.move(LEASE)
    assert heir.sending.run(CONNECTION).in_doubt == 1, "the first look found nothing"
    restored.back_up()
    heir.clock.move(SETTLE_GAP)
    assert heir.sending.run(CONNECTION).delivered == 1, "the second one did not either, and it went again"
    (taken,) = site.root.joinpath("in").iterdir()
    taken.unlink()  # the partner picked it up

    after = restored.restore()
    after.connections.guard(CONNECTION, after.exchange, SUPERVISOR, "restored", skip=0)
    for _ in range(4):
        after.clock.move(LEASE)
        after.sending.run(CONNECTION)
    assert [row.state for row in after.interchanges()] == ["in-doubt"]
    assert not taken.exists()
    (row,) = after.interchanges()
    assert after.answer(Partner(after.payee_npi).ta1(row, "R", "025")).set_aside == 1, "one send of ours is on record"


@pytest.mark.fault("F21")
def test_a_file_taken_up_by_its_sender_while_the_guard_looked_at_it_stays_in_doubt(store: Database, site: Site) -> None:
    site.admit(1)
    interchange_id = site.sending.freeze(CONNECTION, INSTITUTIONAL)
    assert interchange_id is not None
    with ThreadPoolExecutor(max_workers=1) as beside:
        with store.write() as tx:
            assert tx.exchanges.claim_send(interchange_id, 0, site.clock.now() + LEASE)
            guarding = beside.submit(
                site.connections.guard, CONNECTION, site.exchange, SUPERVISOR, "to be sure", skip=0
            )
            wait([guarding], timeout=1.0)  # it has seen the file as it was, or waits for the database itself
        guarding.result()
    for _ in range(4):
        site.clock.move(LEASE)
        site.sending.run(CONNECTION)
    assert [row.state for row in site.interchanges()] == ["in-doubt"]


def test_guarding_a_database_that_was_never_restored_changes_no_number_and_holds_nothing(restored: Restored) -> None:
    site = restored.site
    site.admit(1)
    site.sending.run(CONNECTION)
    site.admit(2)
    moved = site.connections.guard(CONNECTION, site.exchange, SUPERVISOR, "to be sure", skip=1000)
    assert (moved.last, moved.seen, moved.next, moved.held, moved.in_doubt) == (1, 1, 2, 0, 0)
    assert site.sending.run(CONNECTION).delivered == 1


def test_one_more_machine_of_a_running_site_begins_to_remember_and_changes_nothing(restored: Restored) -> None:
    site = restored.site
    site.admit(1)
    site.sending.run(CONNECTION)
    site.admit(2)
    shutil.rmtree(site.root / "sent-numbers")
    other = site.heir()
    assert "nothing is remembered here" in other.sending.run(CONNECTION).refused
    moved = other.connections.guard(CONNECTION, other.exchange, SUPERVISOR, "one more", skip=9, restored=False)
    assert (moved.next, moved.held) == (2, 0)
    assert other.sending.run(CONNECTION).delivered == 1


def test_the_memory_of_numbers_only_grows_and_a_broken_one_is_told(tmp_path: Path) -> None:
    numbers = NumbersBeside(tmp_path / "sent")
    assert numbers.reached("acme") is None
    for number, sends in ((7, 2), (5, 3), (6, 1)):
        numbers.remember("acme", Reached(number, sends))
    assert NumbersBeside(tmp_path / "sent").reached("acme") == Reached(7, 3)
    (tmp_path / "sent/acme").write_text("seven")
    with pytest.raises(ConfigurationError, match="holds no number"):
        numbers.reached("acme")
