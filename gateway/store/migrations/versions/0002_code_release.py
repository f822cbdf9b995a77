"""imported code lists."""

import sqlalchemy as sa
from alembic import op

from gateway.store.schema import UtcTime

revision = "0002_code_release"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "code_release",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("table_sha256", sa.String(length=64), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("imported_at", UtcTime(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["file_sha256"], ["blob.sha256"], name=op.f("fk_code_release_file_sha256_blob")),
        sa.ForeignKeyConstraint(["table_sha256"], ["blob.sha256"], name=op.f("fk_code_release_table_sha256_blob")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_release")),
        sa.UniqueConstraint("kind", "start_on", "file_sha256", name=op.f("uq_code_release_kind_start_on_file_sha256")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("code_release")
