"""what each service day comes to, and the encounters attended on it; every patient's days are counted anew."""

import sqlalchemy as sa
from alembic import op

revision = "0005_days_reconciled"
down_revision = "0004_authorizations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("service_day") as days:
        days.add_column(sa.Column("cents", sa.BigInteger(), nullable=False, server_default="0"))
        days.add_column(sa.Column("attended_ids", sa.LargeBinary(), nullable=False, server_default=sa.text("'[]'")))
    op.execute(
        "INSERT INTO work (kind, key) SELECT 'derive', id FROM subject "
        "WHERE kind = 'patient' AND joined_into IS NULL ON CONFLICT DO NOTHING"
    )
