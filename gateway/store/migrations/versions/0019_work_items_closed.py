"""work items have an id of their cause and are closed by people; every patient's are found anew."""

import sqlalchemy as sa
from alembic import op

revision = "0019_work_items_closed"
down_revision = "0018_moves"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(
        "INSERT INTO work (kind, key) SELECT DISTINCT 'derive', patient_id FROM work_item "
        "WHERE patient_id IS NOT NULL ON CONFLICT DO NOTHING"
    )
    op.execute("DELETE FROM work_item")
    with op.batch_alter_table("work_item", recreate="always") as items:
        items.add_column(sa.Column("item_id", sa.String(length=26), nullable=False))
        items.add_column(sa.Column("cause", sa.Text(), nullable=False))
        items.create_index(op.f("ix_work_item_item_id"), ["item_id"])
    op.create_table(
        "work_item_closing",
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_work_item_closing")),
    )
