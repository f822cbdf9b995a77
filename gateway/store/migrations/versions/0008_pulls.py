"""how far each search of an EHR that only answers has come."""

import sqlalchemy as sa
from alembic import op

revision = "0008_pulls"
down_revision = "0007_audit_chain"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "pull_progress",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("whole_until", sa.String(length=27), nullable=True),
        sa.Column("began_at", sa.String(length=27), nullable=True),
        sa.Column("next_url", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "type", name=op.f("pk_pull_progress")),
    )
