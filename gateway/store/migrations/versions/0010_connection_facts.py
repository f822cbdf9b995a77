"""what is known of a connection itself: paused, resumed, certified, its numbers moved."""

import sqlalchemy as sa
from alembic import op

from gateway.store.schema import UtcTime

revision = "0010_connection_facts"
down_revision = "0009_silence"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "connection_fact",
        sa.Column("sequence", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("connection_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_connection_fact_connection_id_connection")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_connection_fact")),
    )
    op.create_index(op.f("ix_connection_fact_connection_id"), "connection_fact", ["connection_id"])
