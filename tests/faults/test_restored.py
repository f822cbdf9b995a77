"""A backup taken while the gateway works, restored elsewhere once the machine is lost: nothing is sent again."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.factories import CONNECTION
from tests.faults.world import World, open_world
from tests.pipeline_site import SUPERVISOR


def back_up(path: Path, copy: Path) -> None:
    """`sqlite3 PATH ".backup COPY"`, a page at a time so that writers get in between."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target, pages=1, sleep=0.0001)


def keep_receiving(world: World, numbers: range, stopped: Event) -> None:
    for number in numbers:
        if not stopped.is_set():
            world.site.admit(number)


@pytest.mark.fault("F21")
def test_a_backup_taken_at_work_is_restored_reconciled_with_the_partner_and_sends_nothing_again(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    path, partner = tmp_path / "lost.sqlite", tmp_path / "partner"
    shutil.copy(migrated_sqlite, path)
    before = open_world(f"sqlite:///{path}", partner)
    for number in (1, 2):
        before.site.admit(number)
    before.exchange()
    before.site.admit(3)  # released, and not sent when the backup begins
    stopped = Event()
    writer = Thread(target=keep_receiving, args=(before, range(4, 30), stopped))
    writer.start()
    back_up(path, tmp_path / "restored.sqlite")
    stopped.set()
    writer.join()
    before.run_to_rest()
    taken = {each["claim_number"] for each in before.ledger.as_json()["claims"]}
    files = {each["file_name"] for each in before.ledger.as_json()["interchanges"]}
    before.close()

    after = open_world(f"sqlite:///{tmp_path / 'restored.sqlite'}", partner, at=before.site.clock.at)
    after.site.script.script = before.site.script.script
    after.site.settle_facts()
    assert len(after.site.interchanges()) < len(files), "the backup is older than what was sent"
    assert after.site.sending.run(CONNECTION).frozen == 0
    after.site.connections.guard(CONNECTION, after.site.exchange, SUPERVISOR, "restored from the backup", skip=100)
    after.run_to_rest()
    assert "held" in after.site.states(), "what was released and may be in a lost file waits for a person"
    ledger = after.ledger.as_json()
    assert {each["file_name"] for each in ledger["interchanges"]} == files, "nothing left by itself"

    after.site.admit(40)
    after.run_to_rest()
    ledger = after.ledger.as_json()
    (new,) = (each for each in ledger["claims"] if each["claim_number"] not in taken)
    assert new["state"] == "decided", "its number is none that a lost file may have used"
    assert [each for each in after.violations() if each.startswith(("I1", "P3", "P5", "I5"))] == []
    after.close()
