"""Several machines of one site on PostgreSQL: any may send where another sent before, none sends from a restore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.store.database import Database
from tests.databases import empty_postgres, prepare_database
from tests.factories import CHAIN, CONNECTION
from tests.pipeline_site import SUPERVISOR, Site
from tests.servers import PostgresCluster

Open = Callable[[str], Database]
_NOBODY_SAYS_SO = "nothing is remembered here, nor has a machine that does"


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens databases, and closes them."""
    stores: list[Database] = []

    def open_store(url: str) -> Database:
        stores.append(Database(url, CHAIN))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def url(migrated_postgres: str) -> Iterator[str]:
    yield migrated_postgres
    empty_postgres(migrated_postgres)


@pytest.fixture
def first(url: str, opened: Open, tmp_path: Path) -> Site:
    """A machine that has sent its site's first file."""
    site = Site(opened(url), tmp_path / "partner", memory=tmp_path / "first")
    site.admit(1)
    assert site.sending.run(CONNECTION).delivered == 1
    return site


def test_a_machine_that_joins_later_sends_at_once_and_they_take_turns(first: Site, tmp_path: Path) -> None:
    joined = first.other_machine(tmp_path / "joined")
    for number, machine in ((2, joined), (3, first), (4, joined)):
        first.admit(number)
        sent = machine.sending.run(CONNECTION)
        assert (sent.refused, sent.delivered) == ("", 1)
    assert [row.isa13 for row in first.interchanges()] == [1, 2, 3, 4]


def test_a_machine_that_takes_over_from_one_that_is_gone_with_its_folder_sends_at_once(
    first: Site, tmp_path: Path
) -> None:
    heir = first.other_machine(tmp_path / "heir")
    heir.admit(2)
    sent = heir.sending.run(CONNECTION)
    assert (sent.refused, sent.delivered) == ("", 1)


@pytest.mark.fault("F21")
def test_a_copy_of_the_database_put_in_its_place_is_noticed_on_every_machine(
    first: Site, opened: Open, tmp_path: Path, url: str, postgres_cluster: PostgresCluster
) -> None:
    watching, joined = tmp_path / "watching", tmp_path / "joined"
    first.other_machine(watching).connections.keep_up(CONNECTION)
    first.store.close()
    backup = postgres_cluster.create_database(template=url.rpartition("/")[2])
    first.admit(2)
    assert first.sending.run(CONNECTION).delivered == 1
    first.other_machine(watching).connections.keep_up(CONNECTION)

    restored = opened(backup)
    for memory, reason in (
        (first.memory, "remembers number 2"),
        (watching, "remembers number 2"),
        (joined, _NOBODY_SAYS_SO),
    ):
        machine = first.other_machine(memory, restored)
        machine.connections.keep_up(CONNECTION)
        assert reason in machine.sending.run(CONNECTION).refused

    sender = first.other_machine(first.memory, restored)
    sender.connections.guard(CONNECTION, sender.exchange, SUPERVISOR, "put back", skip=5)
    for memory in (watching, joined):
        assert first.other_machine(memory, restored).sending.run(CONNECTION).refused == ""
    restored.close()
    postgres_cluster.drop_database(backup)


@pytest.mark.fault("F21")
def test_what_came_out_of_a_dump_vouches_for_nothing(first: Site, url: str, tmp_path: Path) -> None:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "DELETE FROM numbers_vouched_for RETURNING connection_id, place, written_by"
        ).fetchall()
        connection.cursor().executemany("INSERT INTO numbers_vouched_for VALUES (%s, %s, %s)", rows)
    assert [CONNECTION] == [name for name, *_ in rows]
    assert _NOBODY_SAYS_SO in first.other_machine(tmp_path / "joined").sending.run(CONNECTION).refused


@pytest.mark.fault("F21")
def test_after_the_server_was_started_again_a_machine_that_remembers_vouches_for_the_others(
    opened: Open, tmp_path: Path
) -> None:
    with PostgresCluster(durable=True) as cluster:
        name = _prepared(cluster.create_database())
        site = Site(opened(cluster.url(name)), tmp_path / "partner", memory=tmp_path / "first")
        site.admit(1)
        assert site.sending.run(CONNECTION).delivered == 1
        site.store.close()
        cluster.restart()
        again = opened(cluster.url(name))
        first, joined = (site.other_machine(tmp_path / each, again) for each in ("first", "joined"))
        joined.connections.keep_up(CONNECTION)
        assert _NOBODY_SAYS_SO in joined.sending.run(CONNECTION).refused
        first.connections.keep_up(CONNECTION)
        joined.connections.keep_up(CONNECTION)
        assert joined.sending.run(CONNECTION).refused == ""
        again.close()


def _prepared(url: str) -> str:
    prepare_database(url)
    return url.rpartition("/")[2]
