"""authorizations' accounts, what needs somebody soon, attended sessions."""

import sqlalchemy as sa
from alembic import op

from gateway.store.schema import UtcTime

revision = "0004_authorizations"
down_revision = "0003_rosters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "authorization_on_file",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("patient_id", sa.String(length=26), nullable=False),
        sa.Column("payer", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("week_start", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["subject.id"], name=op.f("fk_authorization_on_file_id_subject")),
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
    op.create_table(
        "authorization_entry",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("patient_id", sa.String(length=26), nullable=False),
        sa.Column("payer", sa.String(length=200), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("claim_key", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_authorization_entry_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["subject.id"], name=op.f("fk_authorization_entry_patient_id_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization_entry")),
    )
    op.create_index(op.f("ix_authorization_entry_number"), "authorization_entry", ["number"])
    op.create_index(op.f("ix_authorization_entry_patient_id"), "authorization_entry", ["patient_id"])
    op.create_table(
        "work_item",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("patient_id", sa.String(length=26), nullable=False),
        sa.Column("owner", sa.String(length=30), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_work_item_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["subject.id"], name=op.f("fk_work_item_patient_id_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_item")),
    )
    op.create_index(op.f("ix_work_item_patient_id"), "work_item", ["patient_id"])
    op.create_table(
        "attended_session",
        sa.Column("encounter_id", sa.String(length=26), nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("patient_id", sa.String(length=26), nullable=False),
        sa.Column("facility", sa.String(length=200), nullable=False),
        sa.Column("session", sa.String(length=200), nullable=False),
        sa.Column("clinician", sa.String(length=20), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("start_at", UtcTime(), nullable=False),
        sa.Column("end_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["encounter_id"], ["subject.id"], name=op.f("fk_attended_session_encounter_id_subject")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_attended_session_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["subject.id"], name=op.f("fk_attended_session_patient_id_subject")),
        sa.PrimaryKeyConstraint("encounter_id", name=op.f("pk_attended_session")),
    )
    op.create_index("ix_attended_session_clinician", "attended_session", ["clinician", "on"])
    op.create_index(op.f("ix_attended_session_patient_id"), "attended_session", ["patient_id"])
