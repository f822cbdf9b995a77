"""how an interchange goes out to a partner who wants it encrypted."""

import sqlalchemy as sa
from alembic import op

revision = "0015_sealed_interchanges"
down_revision = "0014_numbers_vouched_for"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sealed_interchange",
        sa.Column("interchange_id", sa.String(length=26), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["interchange_id"], ["interchange.id"], name=op.f("fk_sealed_interchange_interchange_id_interchange")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_sealed_interchange_sha256_blob")),
        sa.PrimaryKeyConstraint("interchange_id", name=op.f("pk_sealed_interchange")),
    )
