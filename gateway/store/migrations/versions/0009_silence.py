"""clocks of awaited answers, and when each partner was last heard of."""

import sqlalchemy as sa
from alembic import op

revision = "0009_silence"
down_revision = "0008_pulls"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "expected_answer",
        sa.Column("interchange_id", sa.String(length=26), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.String(length=27), nullable=False),
        sa.Column("silent_since", sa.String(length=27), nullable=True),
        sa.Column("heard_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(
            ["interchange_id"], ["interchange.id"], name=op.f("fk_expected_answer_interchange_id_interchange")
        ),
        sa.PrimaryKeyConstraint("interchange_id", "answer", name=op.f("pk_expected_answer")),
    )
    op.create_index(
        "ix_expected_answer_open",
        "expected_answer",
        ["due_at"],
        sqlite_where=sa.text("heard_at IS NULL"),
        postgresql_where=sa.text("heard_at IS NULL"),
    )
    op.create_table(
        "partner_contact",
        sa.Column("connection_id", sa.String(length=200), nullable=False),
        sa.Column("contacted_at", sa.String(length=27), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("troubled_since", sa.String(length=27), nullable=True),
        sa.Column("next_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_partner_contact_connection_id_connection")
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_partner_contact")),
    )
