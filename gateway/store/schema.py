"""The tables, once, for SQLite and PostgreSQL. Rows marked immutable are only ever inserted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as sortable text of fixed width so that both databases order it alike."""

    impl = String(27)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], str | None]:  # noqa: ARG002 - the interface
        """Refuse naive times; they would be somebody's local time."""
        return _as_text

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], datetime | None]:  # noqa: ARG002 - the interface
        """Back to an aware datetime."""
        return _as_time


def _as_text(value: datetime | None) -> str | None:
    if value is not None and value.tzinfo is None:
        raise ValueError("a stored time must be aware")
    return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _as_time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


ID = String(26)
HASH = String(64)
NAME = String(200)

# --- who -------------------------------------------------------------------------------------------------------------

tenant = Table("tenant", metadata, Column("id", NAME, primary_key=True))

organization = Table(
    "organization",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("name", NAME, nullable=False),
)

connection = Table(
    "connection",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("usage", String(1), nullable=False),
)

connection_fact = Table(  # append-only
    "connection_fact",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("connection_id", ForeignKey("connection.id"), nullable=False, index=True),
    Column("kind", String(30), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("role", NAME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

audit_event = Table(  # append-only: triggers refuse to change or delete
    "audit_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("role", NAME, nullable=False),
    Column("action", NAME, nullable=False),
    Column("subject", NAME, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("seal", HASH, nullable=False),
)

# --- bytes and mapping sets ------------------------------------------------------------------------------------------

blob = Table(  # immutable, content-addressed
    "blob",
    metadata,
    Column("sha256", HASH, primary_key=True),
    Column("codec", String(10), nullable=False),
    Column("key_id", String(60), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

mapping_set = Table(
    "mapping_set",
    metadata,
    Column("hash", HASH, primary_key=True),
    Column("blob_sha256", ForeignKey("blob.sha256"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

mapping_in_force = Table(
    "mapping_in_force",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("hash", ForeignKey("mapping_set.hash"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("role", NAME, nullable=False),
)

code_release = Table(  # immutable: the newest of a kind that begins on or before a day counts on it
    "code_release",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", NAME, nullable=False),
    Column("file_name", NAME, nullable=False),
    Column("file_sha256", ForeignKey("blob.sha256"), nullable=False),
    Column("table_sha256", ForeignKey("blob.sha256"), nullable=False),
    Column("start_on", Date, nullable=False),
    Column("end_on", Date, nullable=True),
    Column("row_count", Integer, nullable=False),
    Column("imported_at", UtcTime, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("role", NAME, nullable=False),
    UniqueConstraint("kind", "start_on", "file_sha256"),
)

# --- what came in ----------------------------------------------------------------------------------------------------

inbound_message = Table(  # immutable
    "inbound_message",
    metadata,
    Column("id", ID, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("source", NAME, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("sha256", ForeignKey("blob.sha256"), nullable=False),
    Column("content_type", String(80), nullable=False),
    Column("control_key", Text, nullable=False),
    Column("event", Text, nullable=False),
    UniqueConstraint("source", "control_key", "sha256"),
)

message_answer = Table(  # immutable: what the sender was told, to be told again when the same bytes come again
    "message_answer",
    metadata,
    Column("message_id", ForeignKey("inbound_message.id"), primary_key=True),
    Column("answer", LargeBinary, nullable=False),
    Column("refusal", Text, nullable=False),
)

message_outcome = Table(  # append-only: the latest of a message, or of one resource of it, counts
    "message_outcome",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("message_id", ForeignKey("inbound_message.id"), nullable=False, index=True),
    Column("origin_key", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("mapping_hash", HASH, nullable=False),
    Column("problems", Text, nullable=False),
)

work = Table(
    "work",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(20), nullable=False),
    Column("key", Text, nullable=False),
    UniqueConstraint("kind", "key"),
)

sweep = Table(  # how far a pass over everything has come, so that a restart does not begin again
    "sweep",
    metadata,
    Column("name", String(30), primary_key=True),
    Column("value", Text, nullable=False),
)

fhir_resource = Table(  # immutable: one row per version
    "fhir_resource",
    metadata,
    Column("source", NAME, primary_key=True),
    Column("type", String(40), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("updated_at", UtcTime, nullable=False),
    Column("message_id", ForeignKey("inbound_message.id"), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

fhir_identity = Table(
    "fhir_identity",
    metadata,
    Column("source", NAME, primary_key=True),
    Column("type", String(40), primary_key=True),
    Column("system", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("id", String(64), primary_key=True),
    Index("ix_fhir_identity_resource", "source", "type", "id", "system", "value"),
)

fhir_link = Table(
    "fhir_link",
    metadata,
    Column("source", NAME, primary_key=True),
    Column("from_reference", Text, primary_key=True),
    Column("to_reference", Text, primary_key=True),
    Index("ix_fhir_link_to", "source", "to_reference"),
)

import_job = Table(
    "import_job",
    metadata,
    Column("id", ID, primary_key=True),
    Column("source", NAME, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("sealed", Boolean, nullable=False),
)

import_part = Table(  # some lines of an import; outcomes are there once every line was tried
    "import_part",
    metadata,
    Column("import_id", ForeignKey("import_job.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("lines", Integer, nullable=False),
    Column("sha256", ForeignKey("blob.sha256"), nullable=False),
    Column("outcomes_sha256", ForeignKey("blob.sha256"), nullable=True),
    Column("stored", Integer, nullable=True),
    Column("duplicate", Integer, nullable=True),
    Column("refused", Integer, nullable=True),
    Index(  # what is left is found without passing what is done
        "ix_import_part_waiting",
        "import_id",
        "number",
        sqlite_where=text("outcomes_sha256 IS NULL"),
        postgresql_where=text("outcomes_sha256 IS NULL"),
    ),
)

pull_progress = Table(  # how far each search of an EHR that only answers has come
    "pull_progress",
    metadata,
    Column("source", NAME, primary_key=True),
    Column("type", String(40), primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("whole_until", UtcTime, nullable=True),
    Column("began_at", UtcTime, nullable=True),
    Column("next_url", Text, nullable=False),
)

# --- what it says ----------------------------------------------------------------------------------------------------

subject = Table(
    "subject",
    metadata,
    Column("id", ID, primary_key=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("joined_into", ForeignKey("subject.id"), nullable=True, index=True),
)

subject_identifier = Table(
    "subject_identifier",
    metadata,
    Column("organization_id", ForeignKey("organization.id"), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("subject_id", ForeignKey("subject.id"), nullable=False, index=True),
)

origin_sheet = Table(  # append-only: frozen claims point at them for ever
    "origin_sheet",
    metadata,
    Column("sha256", HASH, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

assertion = Table(  # append-only: per subject and source the newest counts
    "assertion",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("subject_id", ForeignKey("subject.id"), nullable=False, index=True),
    Column("patient_id", ForeignKey("subject.id"), nullable=False, index=True),
    Column("source", NAME, nullable=False),
    Column("origin_key", Text, nullable=False),
    Column("message_id", ForeignKey("inbound_message.id"), nullable=False),
    Column("mapping_hash", HASH, nullable=False),
    Column("asserted_at", UtcTime, nullable=False),
    Column("content", LargeBinary, nullable=True),
    Column("sheet", ForeignKey("origin_sheet.sha256"), nullable=True),
    Index("ix_assertion_origin", "source", "origin_key"),
    Index(
        "ix_assertion_moves",
        "patient_id",
        sqlite_where=text("kind = 'move'"),
        postgresql_where=text("kind = 'move'"),
    ),
)

roster_load = Table(  # append-only: what was never loaded is unknown, not empty
    "roster_load",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("source", NAME, nullable=False),
    Column("loaded_at", UtcTime, nullable=False),
    Column("sha256", ForeignKey("blob.sha256"), nullable=True),
)

roster_row = Table(  # append-only: a row that is said no more, or otherwise, is retired
    "roster_row",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("source", NAME, nullable=False),
    Column("key", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("entry", Text, nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Column("retired_at", UtcTime, nullable=True),
    Index("ix_roster_row_patient", "namespace", "value"),
    Index(
        "uq_roster_row_in_force",
        "organization_id",
        "kind",
        "source",
        "key",
        unique=True,
        sqlite_where=text("retired_at IS NULL"),
        postgresql_where=text("retired_at IS NULL"),
    ),
)

encounter_decision = Table(
    "encounter_decision",
    metadata,
    Column("organization_id", ForeignKey("organization.id"), primary_key=True),
    Column("first_id", ForeignKey("subject.id"), primary_key=True),
    Column("second_id", ForeignKey("subject.id"), primary_key=True),
    Column("decision", String(10), nullable=False),
)

# --- what follows from it (projections, replaced by each derivation) -------------------------------------------------

service_day = Table(
    "service_day",
    metadata,
    Column("patient_id", ForeignKey("subject.id"), primary_key=True),
    Column("facility", NAME, primary_key=True),
    Column("program", NAME, primary_key=True),
    Column("level_of_care", String(10), primary_key=True),
    Column("on", Date, primary_key=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("services", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("attended_ids", LargeBinary, nullable=False),
)

placement = Table(
    "placement",
    metadata,
    Column("encounter_id", ForeignKey("subject.id"), primary_key=True),
    Column("payer", NAME, primary_key=True),
    Column("patient_id", ForeignKey("subject.id"), nullable=False, index=True),
    Column("place", String(20), nullable=False),
    Column("reason", NAME, nullable=False),
    Column("on", Date, nullable=True),
    Column("claim_key", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("findings", LargeBinary, nullable=False),
)

authorization_on_file = Table(
    "authorization_on_file",
    metadata,
    Column("id", ID, primary_key=True),  # of a subject, or of one that was recorded and no feed told of
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("patient_id", ForeignKey("subject.id"), nullable=False, index=True),
    Column("payer", NAME, nullable=False),
    Column("number", Text, nullable=False, index=True),
    Column("week_start", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

authorization_entry = Table(
    "authorization_entry",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("patient_id", ForeignKey("subject.id"), nullable=False, index=True),
    Column("payer", NAME, nullable=False),
    Column("member", Text, nullable=False),
    Column("number", Text, nullable=False, index=True),
    Column("on", Date, nullable=False),
    Column("units", Integer, nullable=False),
    Column("stage", String(10), nullable=False),
    Column("reason", NAME, nullable=False),
    Column("claim_key", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
)

work_item = Table(
    "work_item",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("patient_id", ForeignKey("subject.id"), nullable=False, index=True),
    Column("item_id", ID, nullable=False, index=True),
    Column("owner", String(30), nullable=False),
    Column("due_on", Date, nullable=True),
    Column("about", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

work_item_closing = Table(  # by a person; outlives the item, which each derivation makes anew
    "work_item_closing",
    metadata,
    Column("item_id", ID, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("role", NAME, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", Text, nullable=False),
)

attended_session = Table(
    "attended_session",
    metadata,
    Column("encounter_id", ForeignKey("subject.id"), primary_key=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("patient_id", ForeignKey("subject.id"), nullable=False, index=True),
    Column("facility", NAME, nullable=False),
    Column("session", NAME, nullable=False),
    Column("clinician", String(20), nullable=False),
    Column("on", Date, nullable=False),
    Column("start_at", UtcTime, nullable=False),
    Column("end_at", UtcTime, nullable=False),
    Index("ix_attended_session_clinician", "clinician", "on"),
)

# --- claims ----------------------------------------------------------------------------------------------------------

claim = Table(  # identity; only ``state`` (a projection) changes
    "claim",
    metadata,
    Column("id", ID, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("patient_id", ForeignKey("subject.id"), nullable=False, index=True),
    Column("payer", NAME, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("state", String(30), nullable=False, index=True),
    Column("created_at", UtcTime, nullable=False),
)

webhook_state = Table(  # the last state of each claim that was looked at for a source's notices
    "webhook_state",
    metadata,
    Column("source", NAME, primary_key=True),
    Column("claim_id", ForeignKey("claim.id"), primary_key=True),
    Column("state", String(30), nullable=False),
)

webhook_notice = Table(  # numbers of a source have no gaps
    "webhook_notice",
    metadata,
    Column("source", NAME, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("claim_id", ForeignKey("claim.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("delivered_at", UtcTime, nullable=True),
)

claim_draft = Table(
    "claim_draft",
    metadata,
    Column("claim_id", ForeignKey("claim.id"), primary_key=True),
    Column("connection", NAME, nullable=False),
    Column("form", String(4), nullable=False),
    Column("content_hash", HASH, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("findings", LargeBinary, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("ready_on", Date, nullable=True),
    Column("encounter_ids", LargeBinary, nullable=False),
    Column("charge_cents", BigInteger, nullable=False),
    Column("judged_on", HASH, nullable=True),
)

claim_version = Table(  # immutable
    "claim_version",
    metadata,
    Column("id", ID, primary_key=True),
    Column("claim_id", ForeignKey("claim.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("claim_number", String(20), nullable=False, unique=True),
    Column("content_hash", HASH, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("findings", LargeBinary, nullable=False),
    Column("charge_cents", BigInteger, nullable=False),
    Column("frozen_at", UtcTime, nullable=False),
    Column("interchange_id", ID, nullable=False),
    UniqueConstraint("claim_id", "number"),
)

claim_sequence = Table(
    "claim_sequence",
    metadata,
    Column("name", String(30), primary_key=True),
    Column("last", BigInteger, nullable=False),
)

claim_fact = Table(  # append-only
    "claim_fact",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("id", String(120), nullable=False, unique=True),
    Column("claim_id", ForeignKey("claim.id"), nullable=False, index=True),
    Column("version_id", ID, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("role", NAME, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("interchange_id", ID, nullable=False),
    Column("answer_id", ID, nullable=False),
    Column("payer_claim_number", Text, nullable=False, index=True),
    Column("paid", LargeBinary, nullable=True),
    Column("paid_on", Date, nullable=True),
    Index("ix_claim_fact_answer_id_claim_id", "answer_id", "claim_id"),
)

claim_override = Table(  # append-only
    "claim_override",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("claim_id", ForeignKey("claim.id"), nullable=False, index=True),
    Column("rule", NAME, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("role", NAME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("expires_on", Date, nullable=False),
)

# --- money -----------------------------------------------------------------------------------------------------------

ledger_entry = Table(  # a projection of facts: a claim's are replaced, an answer's written once
    "ledger_entry",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("owner", Text, nullable=False, index=True),
    Column("account", String(30), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("basis", String(30), nullable=False),
    Column("reference", Text, nullable=False),
)
