"""The tables of what leaves for partners and comes back, and of how things stand with them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from gateway.store.schema import HASH, ID, NAME, UtcTime, metadata

# --- out and back ----------------------------------------------------------------------------------------------------

control_number = Table(
    "control_number",
    metadata,
    Column("connection_id", ForeignKey("connection.id"), primary_key=True),
    Column("name", String(30), primary_key=True),
    Column("last", BigInteger, nullable=False),
)

interchange = Table(  # frozen; only the delivery columns move
    "interchange",
    metadata,
    Column("id", ID, primary_key=True),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("isa13", Integer, nullable=False),
    Column("batch_reference", String(30), nullable=False, unique=True),
    Column("usage", String(1), nullable=False),
    Column("form", String(4), nullable=False),
    Column("remote_name", NAME, nullable=False),
    Column("sha256", ForeignKey("blob.sha256"), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("claim_count", Integer, nullable=False),
    Column("charge_cents", BigInteger, nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("epoch", Integer, nullable=False),
    Column("lease_until", UtcTime, nullable=True),
    Column("attempts", Integer, nullable=False),
    UniqueConstraint("connection_id", "isa13"),
    UniqueConstraint("connection_id", "remote_name"),
)

interchange_claim = Table(
    "interchange_claim",
    metadata,
    Column("interchange_id", ForeignKey("interchange.id"), primary_key=True),
    Column("version_id", ForeignKey("claim_version.id"), primary_key=True),
    Column("claim_id", ForeignKey("claim.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("live", Boolean, nullable=False),
    Index(
        "uq_interchange_claim_live_version",
        "version_id",
        unique=True,
        sqlite_where=text("live"),
        postgresql_where=text("live"),
    ),
)

delivery_step = Table(  # append-only
    "delivery_step",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("interchange_id", ForeignKey("interchange.id"), nullable=False, index=True),
    Column("epoch", Integer, nullable=False),
    Column("marker", String(30), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("detail", Text, nullable=False),
)

answer_file = Table(  # immutable
    "answer_file",
    metadata,
    Column("id", ID, primary_key=True),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("sha256", ForeignKey("blob.sha256"), nullable=False),
    Column("remote_name", LargeBinary, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("problem", Text, nullable=False),
    UniqueConstraint("connection_id", "sha256"),
)

answer = Table(
    "answer",
    metadata,
    Column("id", ID, primary_key=True),
    Column("file_id", ForeignKey("answer_file.id"), nullable=False),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("type", String(10), nullable=False),
    Column("business_key", Text, nullable=False),
    Column("digest", HASH, nullable=False),
    Column("raw_sha256", ForeignKey("blob.sha256"), nullable=False),
    Column("status", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index(
        "uq_answer_applied_key",
        "business_key",
        unique=True,
        sqlite_where=text("status = 'applied'"),
        postgresql_where=text("status = 'applied'"),
    ),
)

answer_part = Table(  # immutable: what an answer says of claims; it counts once the answer is applied
    "answer_part",
    metadata,
    Column("answer_id", ForeignKey("answer.id", deferrable=True, initially="DEFERRED"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

# --- how things stand ------------------------------------------------------------------------------------------------

expected_answer = Table(  # the clocks of what was sent
    "expected_answer",
    metadata,
    Column("interchange_id", ForeignKey("interchange.id"), primary_key=True),
    Column("answer", String(20), primary_key=True),  # TA1, 999, 277CA, 277CA-payer, 835
    Column("due_at", UtcTime, nullable=False),
    Column("silent_since", UtcTime, nullable=True),
    Column("heard_at", UtcTime, nullable=True),
    Index(
        "ix_expected_answer_open",
        "due_at",
        sqlite_where=text("heard_at IS NULL"),
        postgresql_where=text("heard_at IS NULL"),
    ),
)

partner_contact = Table(
    "partner_contact",
    metadata,
    Column("connection_id", ForeignKey("connection.id"), primary_key=True),
    Column("contacted_at", UtcTime, nullable=True),
    Column("problem", Text, nullable=False),
    Column("troubled_since", UtcTime, nullable=True),
    Column("next_at", UtcTime, nullable=True),
)

numbers_vouched_for = Table(  # where and by which transaction: no restore keeps both
    "numbers_vouched_for",
    metadata,
    Column("connection_id", ForeignKey("connection.id"), primary_key=True),
    Column("place", String(100), nullable=False),
    Column("written_by", String(40), nullable=False),
)

sealed_interchange = Table(  # what a partner gets encrypted; encrypting it anew would give other bytes
    "sealed_interchange",
    metadata,
    Column("interchange_id", ForeignKey("interchange.id"), primary_key=True),
    Column("sha256", ForeignKey("blob.sha256"), nullable=False),
)
