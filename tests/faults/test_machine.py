"""What the machine under us does: the database goes away, the disk says no, the clock jumps, a person clicks twice."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from gateway.claim.contract import ClaimForm
from gateway.errors import Conflict, NotAllowed, Unavailable
from gateway.fault_points import FaultPoint, arm
from gateway.lifecycle import ClaimState
from gateway.ports import Arrival, Settled
from gateway.store.database import Database
from tests.contract.races import at_once
from tests.databases import empty_postgres
from tests.factories import CHAIN, CONNECTION
from tests.pipeline_site import SUPERVISOR, Site, a_week


def hang_up(url: str) -> None:
    """What a restart of PostgreSQL does to everybody's connections."""
    with psycopg.connect(url, autocommit=True) as postgres:
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def on_the_first(point: FaultPoint, act: Callable[[], None]) -> Callable[[FaultPoint], None]:
    """Act when the point is reached, once."""
    struck = False

    def strike(reached: FaultPoint) -> None:
        nonlocal struck
        if reached is point and not struck:
            struck = True
            act()

    return strike


@pytest.mark.fault("F16", "F17")
@pytest.mark.parametrize("point", FaultPoint)
def test_a_database_that_restarts_at_any_point_leaves_no_half_and_the_next_pass_finishes(
    migrated_postgres: str, tmp_path: Path, point: FaultPoint, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: empty_postgres(migrated_postgres))
    store = Database(migrated_postgres, CHAIN)
    request.addfinalizer(store.close)
    site = Site(store, tmp_path / "partner")
    arm(on_the_first(point, lambda: hang_up(migrated_postgres)))
    try:
        for _ in range(3):
            try:
                site.tell(*a_week(), key="week")
                site.sending.run(CONNECTION)
            except Unavailable:
                continue
    finally:
        arm(None)
    site.settle_facts()
    for _ in range(4):
        site.clock.move(timedelta(minutes=30))
        site.sending.run(CONNECTION)
    assert [row.state for row in site.interchanges()] == ["delivered"]
    assert (site.state(), site.ailing()) == (ClaimState.TRANSMITTED, [])


@pytest.mark.fault("F18", "F19")
def test_a_disk_that_refuses_a_write_means_no_receipt_and_the_next_message_is_taken(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    """No file may grow, for a while: the kernel refuses the write as a full or broken disk does."""
    path = tmp_path / "store.sqlite"
    path.write_bytes(migrated_sqlite.read_bytes())
    store = Database(f"sqlite:///{path}", CHAIN)
    site = Site(store, tmp_path / "partner")
    arrival = Arrival(source="ehr", content=b"x" * 100_000, content_type="x-application/hl7-v2+er7", control_key="M1")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(Unavailable):
            site.receiver.receive([arrival])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    with store.read() as tx:
        assert list(tx.inbox.messages()) == []
    (receipt,) = site.receiver.receive([arrival])
    assert receipt.outcome == "stored"
    store.close()


@pytest.mark.fault("F20")
@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)], ids=["forward", "back"])
def test_a_clock_that_jumps_a_day_while_a_file_is_on_its_way_sends_it_once_and_numbers_go_on(
    site: Site, jump: timedelta
) -> None:
    site.admit()
    arm(on_the_first(FaultPoint.SEND_MARKED, lambda: site.clock.move(jump)))
    try:
        site.sending.run(CONNECTION)
    finally:
        arm(None)
    site.admit(2)
    site.sending.run(CONNECTION)
    first, second = sorted(row.isa13 for row in site.interchanges())
    assert first < second
    assert len(site.uploaded()) == 2
    assert [row.state for row in site.interchanges()] == ["delivered", "delivered"]
    assert site.ailing() == []


@pytest.mark.fault("F23")
def test_a_decision_clicked_many_times_at_once_is_one_act(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.admit()
    interchange = site.sending.freeze(CONNECTION, ClaimForm.INSTITUTIONAL)
    assert interchange is not None
    with site.store.write() as tx:
        assert tx.exchanges.claim_send(interchange, 0, site.clock.now())
    monkeypatch.setattr(site.exchange, "settle", lambda *_: Settled.UNKNOWN)
    site.clock.move(timedelta(hours=1))
    site.sending.settle(CONNECTION)
    assert site.interchanges()[0].state == "in-doubt"

    def click(_: int) -> bool:
        try:
            site.commands.resolve(interchange, "resend", SUPERVISOR, "they have no such file")
        except (Conflict, NotAllowed):
            return False
        return True

    assert at_once(4, click).count(True) == 1
    with site.store.read() as tx:
        acts = [act["action"] for act in tx.audit.acts(f"interchange:{interchange}")]
    assert acts.count("resend") == 1
    site.sending.run(CONNECTION)
    site.sending.run(CONNECTION)
    assert len(site.uploaded()) == 1
