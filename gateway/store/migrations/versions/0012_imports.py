"""bulk imports: parts of lines, and what became of each line."""

import sqlalchemy as sa
from alembic import op

revision = "0012_imports"
down_revision = "0011_drafts_judged_on"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "import_job",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("asked_at", sa.String(length=27), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_job")),
    )
    op.create_table(
        "import_part",
        sa.Column("import_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("outcomes_sha256", sa.String(length=64), nullable=True),
        sa.Column("stored", sa.Integer(), nullable=True),
        sa.Column("duplicate", sa.Integer(), nullable=True),
        sa.Column("refused", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["import_job.id"], name=op.f("fk_import_part_import_id_import_job")),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_import_part_sha256_blob")),
        sa.ForeignKeyConstraint(["outcomes_sha256"], ["blob.sha256"], name=op.f("fk_import_part_outcomes_sha256_blob")),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_part")),
    )
