"""notices to EHRs that something became of a claim."""

import sqlalchemy as sa
from alembic import op

revision = "0013_webhooks"
down_revision = "0012_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "webhook_state",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("claim_id", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_webhook_state_claim_id_claim")),
        sa.PrimaryKeyConstraint("source", "claim_id", name=op.f("pk_webhook_state")),
    )
    op.create_table(
        "webhook_notice",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("claim_id", sa.String(length=26), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("delivered_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_webhook_notice_claim_id_claim")),
        sa.PrimaryKeyConstraint("source", "number", name=op.f("pk_webhook_notice")),
    )
