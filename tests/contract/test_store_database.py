"""The database as such: migrations, transactions, what it says when it is not there."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date, datetime
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from msgspec.structs import replace
from sqlalchemy import create_engine, text

from gateway.claim.actor import Actor
from gateway.claim.party import Identifier
from gateway.claim.record import EncounterRecord, RecordKind
from gateway.claim.roster import CredentialRecord, CredentialRole, about
from gateway.errors import Conflict, NotFound, Unavailable
from gateway.ports.inbox import Outcome
from gateway.ports.work import WorkKind
from gateway.store.coding import encode
from gateway.store.database import Database
from gateway.store.rehearsal import rehearsed_beside
from gateway.store.revisions import is_newest
from gateway.store.schema import metadata
from tests.contract.rows import add_answer, an_answer
from tests.factories import (
    CHAIN,
    CONNECTION,
    NOON,
    ORGANIZATION,
    TENANT,
    a_claim,
    a_line,
    a_remittance,
    an_adjudication,
)


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    database = Database(database_url, CHAIN)
    yield database
    database.close()


def test_migrating_makes_a_database_ready_and_migrating_again_changes_nothing(empty: Database) -> None:
    assert not empty.is_ready()
    empty.migrate()
    empty.migrate()
    assert empty.is_ready()


def test_the_newest_revision_is_told_from_the_name_of_its_file(store_url: str) -> None:
    engine = create_engine(store_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        assert is_newest(connection)
        connection.execute(text("DELETE FROM alembic_version"))
        assert not is_newest(connection)
    engine.dispose()


def test_the_newest_migration_makes_exactly_the_tables_of_the_schema(store_url: str) -> None:
    engine = create_engine(store_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_roster_loaded_before_there_were_kinds_of_them_stays_loaded(empty: Database, database_url: str) -> None:
    kept = CredentialRecord(npi="1882001013", payer="acme", role=CredentialRole.ATTENDING, start_on=date(2026, 1, 1))
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "gateway.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0002_code_release")
        for statement in (
            "INSERT INTO tenant (id) VALUES ('riverside')",
            "INSERT INTO organization (id, tenant_id, name) VALUES ('harbor', 'riverside', 'Harbor')",
            "INSERT INTO credential_roster (organization_id, row_count) VALUES ('harbor', 1)",
        ):
            connection.execute(text(statement))
        said = {"content": encode(kept)}
        connection.execute(text("INSERT INTO credential (organization_id, content) VALUES ('harbor', :content)"), said)
    engine.dispose()
    empty.migrate()
    with empty.read() as tx:
        assert (kept,) == tx.rosters.credentials("harbor")
        assert [("harbor", kept)] == tx.rosters.about(["harbor"], [about(kept)])


def test_answers_stored_with_their_entries_inside_keep_them_and_are_known_again(
    empty: Database, database_url: str
) -> None:
    claims = [an_adjudication(1_000 + ordinal, ordinal=ordinal) for ordinal in range(600)]
    row = an_answer(1, said=a_remittance(*claims))
    written = msgspec.to_builtins(row.transaction)
    (remittance,) = written["answers"]
    inside = {"claims" if name == "claims_paid_cents" else name: value for name, value in remittance.items()}
    written["answers"] = [{**inside, "claims": msgspec.to_builtins(claims)}]
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "gateway.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0015_sealed_interchanges")
        for statement in (
            "INSERT INTO tenant (id) VALUES ('riverside')",
            "INSERT INTO connection (id, tenant_id, usage) VALUES ('clearing', 'riverside', 'T')",
            "INSERT INTO blob (sha256, codec, key_id, size, content) VALUES ('raw', 'zlib', 'plain', 0, :content)",
            "INSERT INTO answer_file (id, connection_id, sha256, remote_name, received_at, problem) "
            "VALUES ('f1', 'clearing', 'raw', :content, '2026-08-20T12:00:00.000000Z', '')",
            "INSERT INTO answer (id, file_id, connection_id, type, business_key, digest, raw_sha256, status, reason, "
            "received_at, content) VALUES ('a1', 'f1', 'clearing', '835', 'key', 'old', 'raw', 'applied', '', "
            "'2026-08-20T12:00:00.000000Z', :content)",
        ):
            said = {"content": msgspec.json.encode({**written, "raw": ""})} if ":content" in statement else {}
            connection.execute(text(statement), said)
    engine.dispose()
    empty.migrate()
    with empty.write() as tx:
        stored = tx.exchanges.applied_answer("key")
        assert stored is not None
        assert stored.transaction == row.transaction
        assert [entry for part in tx.exchanges.entries("a1", "835") for entry in part] == claims
        add_answer(tx, "f1", dataclasses.replace(row, id="a2", status="duplicate"), *claims)
        (again,) = tx.exchanges.answers(status="duplicate")
        assert [entry for part in tx.exchanges.entries("a2", "835") for entry in part] == claims
        assert again.digest == stored.digest


def test_origins_stored_with_each_value_are_answered_as_before_from_sheets(empty: Database, database_url: str) -> None:
    told = {
        "start_at": {"source": "ZPH[1]-3", "mapping": "ehr.yaml:9", "message_id": "m1"},
        "status": {"source": "FT1[1]-6", "mapping": "ehr.yaml:8", "message_id": "m1"},
    }
    line = {
        **msgspec.to_builtins(replace(a_line(1), origins=None)),
        "origins": {**told, "service_on": told["start_at"]},
    }
    stay = {"diagnoses": {"source": "DG1-3", "mapping": "ehr.yaml:5", "message_id": "m0"}, "status": told["status"]}
    written = {
        **msgspec.to_builtins(replace(a_claim(lines=()), origins=None)),
        "origins": stay,
        "lines": [line],
    }
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "gateway.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0016_answer_parts")
        at = "2026-08-20T12:00:00.000000Z"
        for statement in (
            "INSERT INTO tenant (id) VALUES ('riverside')",
            "INSERT INTO organization (id, tenant_id, name) VALUES ('harbor', 'riverside', 'Harbor')",
            "INSERT INTO connection (id, tenant_id, usage) VALUES ('clearing', 'riverside', 'T')",
            "INSERT INTO subject (id, organization_id, kind) VALUES ('p1', 'harbor', 'patient')",
            "INSERT INTO subject (id, organization_id, kind) VALUES ('e1', 'harbor', 'encounter')",
            "INSERT INTO blob (sha256, codec, key_id, size, content) VALUES ('raw', 'zlib', 'plain', 0, :content)",
            "INSERT INTO inbound_message (id, tenant_id, organization_id, source, received_at, sha256, content_type, "
            f"control_key, event) VALUES ('m1', 'riverside', 'harbor', 'ehr', '{at}', 'raw', 'text', 'm1', 'DFT')",
            "INSERT INTO assertion (organization_id, kind, subject_id, patient_id, source, origin_key, message_id, "
            "mapping_hash, asserted_at, content, origins) VALUES ('harbor', 'encounter', 'e1', 'p1', 'ehr', 'm1', "
            f"'m1', 'set-1', '{at}', :content, :origins)",
            "INSERT INTO claim (id, tenant_id, organization_id, patient_id, payer, key, state, created_at) VALUES "
            f"('c1', 'riverside', 'harbor', 'p1', 'acme', 'key', 'sent', '{at}')",
            "INSERT INTO claim_version (id, claim_id, number, claim_number, content_hash, content, findings, "
            f"charge_cents, frozen_at, interchange_id) VALUES ('v1', 'c1', 1, 'C1', 'h', :claim, :none, 0, '{at}', '')",
        ):
            said = {
                "content": encode(EncounterRecord(identifiers=(), patient=Identifier("urn:mrn", "1"))),
                "origins": msgspec.json.encode(told),
                "claim": msgspec.json.encode(written),
                "none": b"[]",
            }
            used = {name: value for name, value in said.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    engine.dispose()
    empty.migrate()
    with empty.read() as tx:
        (word,) = tx.subjects.about_patients(["p1"])["p1"]
        (version,) = tx.claims.versions(["c1"])["c1"]
    assert told == msgspec.to_builtins(dict(word.origins))
    assert stay == msgspec.to_builtins(dict(version.claim.origins))
    assert told == msgspec.to_builtins(dict(version.claim.lines[0].origins))
    assert told["start_at"] == msgspec.to_builtins(version.claim.lines[0].origin("service_on"))


def test_items_found_before_they_could_be_closed_are_found_anew(empty: Database, database_url: str) -> None:
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "gateway.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0018_moves")
        for statement in (
            "INSERT INTO tenant (id) VALUES ('riverside')",
            "INSERT INTO organization (id, tenant_id, name) VALUES ('harbor', 'riverside', 'Harbor')",
            "INSERT INTO subject (id, organization_id, kind) VALUES ('p1', 'harbor', 'patient')",
            "INSERT INTO work_item (organization_id, patient_id, owner, about, content) "
            "VALUES ('harbor', 'p1', 'billing', 'C1', :content)",
        ):
            connection.execute(text(statement), {"content": b"{}"} if ":content" in statement else {})
    engine.dispose()
    empty.migrate()
    with empty.write() as tx:
        assert [] == tx.worklist.items()
        assert ["p1"] == list(tx.work.take(WorkKind.DERIVE, 10))


def test_making_sure_of_the_tenant_twice_leaves_one_row_of_each(store: Database) -> None:
    store.ensure_tenant(TENANT, {ORGANIZATION: "Harbor"}, {CONNECTION: "T"})
    with store.read() as tx:
        assert TENANT == tx.exchanges.tenant(CONNECTION)
        with pytest.raises(NotFound):
            tx.exchanges.tenant("nobody's")


def test_what_is_raised_inside_a_transaction_undoes_all_of_it_and_comes_out(store: Database) -> None:
    with pytest.raises(Conflict, match="somebody"), store.write() as tx:
        tx.work.add("derive", ["patient-1"])
        raise Conflict("somebody was first")
    with store.read() as tx:
        assert tx.work.count() == {}


def test_a_savepoint_undoes_what_failed_inside_and_keeps_the_rest(store: Database) -> None:
    with store.write() as tx:
        tx.work.add("derive", ["before"])
        with pytest.raises(Conflict), tx.savepoint():
            tx.work.add("derive", ["inside"])
            raise Conflict
        tx.work.add("derive", ["after"])
    with store.write() as tx:
        assert tx.work.take("derive", 10) == ["before", "after"]


def test_a_statement_that_fails_inside_a_savepoint_leaves_the_transaction_usable(store: Database) -> None:
    with store.write() as tx:
        with pytest.raises(Exception, match=r"(?i)foreign key"), tx.savepoint():
            tx.inbox.record_outcomes(
                [Outcome(message_id="nobody's", origin_key="", at=NOON, mapping_hash="", problems=())]
            )
        tx.work.add("derive", ["after"])
    with store.read() as tx:
        assert tx.work.count() == {"derive": 1}


def test_a_reader_sees_one_picture_whatever_is_committed_meanwhile(store: Database) -> None:
    with store.read() as reading:
        assert reading.work.count() == {}
        with store.write() as writing:
            writing.work.add("derive", ["patient-1"])
        assert reading.work.count() == {}
    with store.read() as reading:
        assert reading.work.count() == {"derive": 1}


def test_a_naive_time_is_refused_and_nothing_is_stored(store: Database) -> None:
    with pytest.raises(Exception, match="aware"), store.write() as tx:
        tx.audit.record(datetime(2026, 8, 17, 12), Actor(name="ana", role="biller"), "release", "claim:1")  # noqa: DTZ001
    with store.read() as tx:
        assert list(tx.audit.acts()) == []


def test_times_come_back_as_the_same_moment_in_utc(store: Database) -> None:
    local = NOON.astimezone()
    with store.write() as tx:
        tx.audit.record(local, Actor(name="ana", role="biller"), "release", "claim:1")
    with store.read() as tx:
        (act,) = tx.audit.acts()
    assert act["at"] == NOON
    assert act["at"].utcoffset().total_seconds() == 0


@pytest.mark.fault("F16")
@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all/store.sqlite", "postgresql://nobody@127.0.0.1:9/nothing"])
def test_a_database_that_is_not_there_is_unavailable_for_every_use(url: str) -> None:
    database = Database(url, CHAIN)
    with pytest.raises(Unavailable, match="does not answer"):
        database.migrate()
    with pytest.raises(Unavailable), database.write():
        pass
    with pytest.raises(Unavailable), database.read():
        pass
    with pytest.raises(Unavailable):
        database.ensure_tenant(TENANT, {}, {})
    assert not database.is_ready()


@pytest.mark.fault("F18")
def test_a_full_disk_is_unavailable_and_keeps_what_was_there(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite'}", CHAIN)
    database.migrate()
    with pytest.raises(Unavailable), database.write() as tx:
        tx.work._connection.exec_driver_sql("PRAGMA max_page_count=1")  # type: ignore[attr-defined]
        tx.work.add("derive", ["x" * 4000 + str(each) for each in range(200)])
    with database.read() as tx:
        assert tx.work.count() == {}
    database.close()


@pytest.mark.parametrize(("first", "second"), [(50_000, 1), (1, 50_000), (50_000, 50_000)])
def test_whoever_holds_more_names_than_the_server_has_room_for_keeps_every_other_waiting(
    store: Database, first: int, second: int
) -> None:
    held: list[str] = []

    def hold(who: str, most: int) -> None:
        with store.write() as tx:
            tx.inbox.hold(("cedar", f"{number}") for number in range(most))
            held.append(who)
            if who == "first":
                waiting = beside.submit(hold, "second", second)
                wait([waiting], timeout=0.5)
                assert held == ["first"]

    with ThreadPoolExecutor(max_workers=2) as beside:
        beside.submit(hold, "first", first).result()
    assert held == ["first", "second"]


def test_equal_bytes_are_stored_once_and_named_by_their_hash(store: Database) -> None:
    with store.write() as tx:
        first = tx.exchanges.add_file(CONNECTION, BytesIO(b"ISA*00*"), b"a.835", NOON)
        second = tx.exchanges.add_file("other-clearing", BytesIO(b"ISA*00*"), b"b.835", NOON)
        assert first != second
    with store.read() as tx:
        assert tx.exchanges.raw(hashlib.sha256(b"ISA*00*").hexdigest()) == b"ISA*00*"
        with pytest.raises(NotFound):
            tx.exchanges.raw("0" * 64)


def test_a_long_rehearsal_keeps_no_writer_waiting_and_nothing_of_it_stays(store: Database) -> None:
    """Each writes while the other is at it, and what the rehearsal wrote is gone after."""
    name = Identifier("ehr", "P1")
    with rehearsed_beside(store) as beside:
        with beside.write() as tx:
            (known,) = tx.subjects.resolve(ORGANIZATION, RecordKind.PATIENT, [[name]])
        with store.write() as tx:
            tx.work.record_sweep("meanwhile", "said")
        with beside.read() as tx:
            assert known == tx.subjects.find(ORGANIZATION, RecordKind.PATIENT, name)
    with store.read() as tx:
        assert tx.subjects.find(ORGANIZATION, RecordKind.PATIENT, name) is None
        assert "said" == tx.work.last_sweep("meanwhile")
