"""what a draft was judged on is kept with it; drafts from before are judged anew when they leave."""

import sqlalchemy as sa
from alembic import op

revision = "0011_drafts_judged_on"
down_revision = "0010_connection_facts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("claim_draft", sa.Column("judged_on", sa.String(length=64), nullable=True))
