"""The tables of how things stand with partners."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, text

from gateway.store.schema import UtcTime, metadata

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
