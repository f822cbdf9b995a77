"""that a database was met by a machine which remembers its control numbers, and knew them all."""

import sqlalchemy as sa
from alembic import op

revision = "0014_numbers_vouched_for"
down_revision = "0013_webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "numbers_vouched_for",
        sa.Column("connection_id", sa.String(length=200), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("written_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_numbers_vouched_for_connection_id_connection")
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_numbers_vouched_for")),
    )
