"""authorizations that no feed told of have no subject: what is on file is derived anew, and lets them in."""

import sqlalchemy as sa
from alembic import op

revision = "0006_authorizations_recorded"
down_revision = "0005_days_reconciled"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_table("authorization_on_file")
    op.create_table(
        "authorization_on_file",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("patient_id", sa.String(length=26), nullable=False),
        sa.Column("payer", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("week_start", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_authorization_on_file_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["subject.id"], name=op.f("fk_authorization_on_file_patient_id_subject")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization_on_file")),
    )
    op.create_index(op.f("ix_authorization_on_file_number"), "authorization_on_file", ["number"])
    op.create_index(op.f("ix_authorization_on_file_patient_id"), "authorization_on_file", ["patient_id"])
    op.execute(
        "INSERT INTO work (kind, key) SELECT 'derive', id FROM subject "
        "WHERE kind = 'patient' AND joined_into IS NULL ON CONFLICT DO NOTHING"
    )
