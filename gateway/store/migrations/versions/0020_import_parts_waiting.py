"""the part of a bulk import that is next is found without passing those that are done."""

import sqlalchemy as sa
from alembic import op

revision = "0020_import_parts_waiting"
down_revision = "0019_work_items_closed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    waiting = sa.text("outcomes_sha256 IS NULL")
    op.create_index(
        "ix_import_part_waiting",
        "import_part",
        ["import_id", "number"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
