"""moves of stays and sessions between patients are found by patient, and nothing else is slowed by it."""

import sqlalchemy as sa
from alembic import op

revision = "0018_moves"
down_revision = "0017_origin_sheets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    only = sa.text("kind = 'move'")
    op.create_index("ix_assertion_moves", "assertion", ["patient_id"], sqlite_where=only, postgresql_where=only)
