"""how far a pull came is kept by patient too, for EHRs that are asked patient by patient."""

import sqlalchemy as sa
from alembic import op

revision = "0021_pulls_by_patient"
down_revision = "0020_import_parts_waiting"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("pull_progress", recreate="always") as pulls:
        pulls.add_column(sa.Column("patient", sa.Text(), nullable=False, server_default=""))
        pulls.drop_constraint(op.f("pk_pull_progress"), type_="primary")
        pulls.create_primary_key(op.f("pk_pull_progress"), ["source", "type", "patient"])
    with op.batch_alter_table("pull_progress") as pulls:
        pulls.alter_column("patient", server_default=None)
