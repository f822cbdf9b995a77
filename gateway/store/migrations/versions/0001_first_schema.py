"""first schema."""

import sqlalchemy as sa
from alembic import op

from gateway.store.schema import UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index(op.f("ix_audit_event_subject"), "audit_event", ["subject"], unique=False)
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("codec", sa.String(length=10), nullable=False),
        sa.Column("key_id", sa.String(length=60), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "claim_sequence",
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_claim_sequence")),
    )
    op.create_table(
        "fhir_identity",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("source", "type", "system", "value", "id", name=op.f("pk_fhir_identity")),
    )
    op.create_index(
        "ix_fhir_identity_resource", "fhir_identity", ["source", "type", "id", "system", "value"], unique=False
    )
    op.create_table(
        "fhir_link",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("from_reference", sa.Text(), nullable=False),
        sa.Column("to_reference", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "from_reference", "to_reference", name=op.f("pk_fhir_link")),
    )
    op.create_index("ix_fhir_link_to", "fhir_link", ["source", "to_reference"], unique=False)
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=30), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(length=30), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    op.create_index(op.f("ix_ledger_entry_owner"), "ledger_entry", ["owner"], unique=False)
    op.create_table(
        "sweep",
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sweep")),
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
    )
    op.create_table(
        "work",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_work_kind_key")),
    )
    op.create_table(
        "connection",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("tenant_id", sa.String(length=200), nullable=False),
        sa.Column("usage", sa.String(length=1), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_connection_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
    )
    op.create_table(
        "mapping_set",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("blob_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["blob_sha256"], ["blob.sha256"], name=op.f("fk_mapping_set_blob_sha256_blob")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_mapping_set")),
    )
    op.create_table(
        "organization",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("tenant_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_organization_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
    )
    op.create_table(
        "answer_file",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("connection_id", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("remote_name", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_answer_file_connection_id_connection")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_answer_file_sha256_blob")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_file")),
        sa.UniqueConstraint("connection_id", "sha256", name=op.f("uq_answer_file_connection_id_sha256")),
    )
    op.create_table(
        "control_number",
        sa.Column("connection_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_control_number_connection_id_connection")
        ),
        sa.PrimaryKeyConstraint("connection_id", "name", name=op.f("pk_control_number")),
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_credential_organization_id_organization")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential")),
    )
    op.create_index(op.f("ix_credential_organization_id"), "credential", ["organization_id"], unique=False)
    op.create_table(
        "credential_roster",
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_credential_roster_organization_id_organization")
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_credential_roster")),
    )
    op.create_table(
        "inbound_message",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("tenant_id", sa.String(length=200), nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content_type", sa.String(length=80), nullable=False),
        sa.Column("control_key", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_inbound_message_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_inbound_message_sha256_blob")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_inbound_message_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_message")),
        sa.UniqueConstraint(
            "source", "control_key", "sha256", name=op.f("uq_inbound_message_source_control_key_sha256")
        ),
    )
    op.create_table(
        "interchange",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("connection_id", sa.String(length=200), nullable=False),
        sa.Column("isa13", sa.Integer(), nullable=False),
        sa.Column("batch_reference", sa.String(length=30), nullable=False),
        sa.Column("usage", sa.String(length=1), nullable=False),
        sa.Column("form", sa.String(length=4), nullable=False),
        sa.Column("remote_name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("claim_count", sa.Integer(), nullable=False),
        sa.Column("charge_cents", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("lease_until", UtcTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_interchange_connection_id_connection")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_interchange_sha256_blob")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interchange")),
        sa.UniqueConstraint("batch_reference", name=op.f("uq_interchange_batch_reference")),
        sa.UniqueConstraint("connection_id", "isa13", name=op.f("uq_interchange_connection_id_isa13")),
        sa.UniqueConstraint("connection_id", "remote_name", name=op.f("uq_interchange_connection_id_remote_name")),
    )
    op.create_index(op.f("ix_interchange_state"), "interchange", ["state"], unique=False)
    op.create_table(
        "mapping_in_force",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["mapping_set.hash"], name=op.f("fk_mapping_in_force_hash_mapping_set")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_in_force")),
    )
    op.create_table(
        "subject",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("joined_into", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(["joined_into"], ["subject.id"], name=op.f("fk_subject_joined_into_subject")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_subject_organization_id_organization")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject")),
    )
    op.create_index(op.f("ix_subject_joined_into"), "subject", ["joined_into"], unique=False)
    op.create_table(
        "answer",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("file_id", sa.String(length=26), nullable=False),
        sa.Column("connection_id", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=10), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("raw_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_answer_connection_id_connection")),
        sa.ForeignKeyConstraint(["file_id"], ["answer_file.id"], name=op.f("fk_answer_file_id_answer_file")),
        sa.ForeignKeyConstraint(["raw_sha256"], ["blob.sha256"], name=op.f("fk_answer_raw_sha256_blob")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    op.create_index(
        "uq_answer_applied_key",
        "answer",
        ["business_key"],
        unique=True,
        sqlite_where=sa.text("status = 'applied'"),
        postgresql_where=sa.text("status = 'applied'"),
    )
    op.create_table(
        "assertion",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.Column("patient_id", sa.String(length=26), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("origin_key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=26), nullable=False),
        sa.Column("mapping_hash", sa.String(length=64), nullable=False),
        sa.Column("asserted_at", UtcTime(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("origins", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["inbound_message.id"], name=op.f("fk_assertion_message_id_inbound_message")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_assertion_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["subject.id"], name=op.f("fk_assertion_patient_id_subject")),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_assertion_subject_id_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assertion")),
    )
    op.create_index("ix_assertion_origin", "assertion", ["source", "origin_key"], unique=False)
    op.create_index(op.f("ix_assertion_patient_id"), "assertion", ["patient_id"], unique=False)
    op.create_index(op.f("ix_assertion_subject_id"), "assertion", ["subject_id"], unique=False)
    op.create_table(
        "claim",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("tenant_id", sa.String(length=200), nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("patient_id", sa.String(length=26), nullable=False),
        sa.Column("payer", sa.String(length=200), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_claim_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["subject.id"], name=op.f("fk_claim_patient_id_subject")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_claim_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint("key", name=op.f("uq_claim_key")),
    )
    op.create_index(op.f("ix_claim_patient_id"), "claim", ["patient_id"], unique=False)
    op.create_index(op.f("ix_claim_state"), "claim", ["state"], unique=False)
    op.create_table(
        "delivery_step",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("interchange_id", sa.String(length=26), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("marker", sa.String(length=30), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["interchange_id"], ["interchange.id"], name=op.f("fk_delivery_step_interchange_id_interchange")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_step")),
    )
    op.create_index(op.f("ix_delivery_step_interchange_id"), "delivery_step", ["interchange_id"], unique=False)
    op.create_table(
        "encounter_decision",
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("first_id", sa.String(length=26), nullable=False),
        sa.Column("second_id", sa.String(length=26), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["first_id"], ["subject.id"], name=op.f("fk_encounter_decision_first_id_subject")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_encounter_decision_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["second_id"], ["subject.id"], name=op.f("fk_encounter_decision_second_id_subject")),
        sa.PrimaryKeyConstraint("organization_id", "first_id", "second_id", name=op.f("pk_encounter_decision")),
    )
    op.create_table(
        "fhir_resource",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("message_id", sa.String(length=26), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["inbound_message.id"], name=op.f("fk_fhir_resource_message_id_inbound_message")
        ),
        sa.PrimaryKeyConstraint("source", "type", "id", "version", name=op.f("pk_fhir_resource")),
    )
    op.create_table(
        "message_answer",
        sa.Column("message_id", sa.String(length=26), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["inbound_message.id"], name=op.f("fk_message_answer_message_id_inbound_message")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_answer")),
    )
    op.create_table(
        "message_outcome",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("message_id", sa.String(length=26), nullable=False),
        sa.Column("origin_key", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("mapping_hash", sa.String(length=64), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["inbound_message.id"], name=op.f("fk_message_outcome_message_id_inbound_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_outcome")),
    )
    op.create_index(op.f("ix_message_outcome_message_id"), "message_outcome", ["message_id"], unique=False)
    op.create_table(
        "placement",
        sa.Column("encounter_id", sa.String(length=26), nullable=False),
        sa.Column("payer", sa.String(length=200), nullable=False),
        sa.Column("patient_id", sa.String(length=26), nullable=False),
        sa.Column("place", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("claim_key", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["encounter_id"], ["subject.id"], name=op.f("fk_placement_encounter_id_subject")),
        sa.ForeignKeyConstraint(["patient_id"], ["subject.id"], name=op.f("fk_placement_patient_id_subject")),
        sa.PrimaryKeyConstraint("encounter_id", "payer", name=op.f("pk_placement")),
    )
    op.create_index(op.f("ix_placement_patient_id"), "placement", ["patient_id"], unique=False)
    op.create_table(
        "service_day",
        sa.Column("patient_id", sa.String(length=26), nullable=False),
        sa.Column("facility", sa.String(length=200), nullable=False),
        sa.Column("program", sa.String(length=200), nullable=False),
        sa.Column("level_of_care", sa.String(length=10), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("services", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_service_day_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["subject.id"], name=op.f("fk_service_day_patient_id_subject")),
        sa.PrimaryKeyConstraint(
            "patient_id", "facility", "program", "level_of_care", "on", name=op.f("pk_service_day")
        ),
    )
    op.create_table(
        "subject_identifier",
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_subject_identifier_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_subject_identifier_subject_id_subject")),
        sa.PrimaryKeyConstraint("organization_id", "kind", "namespace", "value", name=op.f("pk_subject_identifier")),
    )
    op.create_index(op.f("ix_subject_identifier_subject_id"), "subject_identifier", ["subject_id"], unique=False)
    op.create_table(
        "claim_draft",
        sa.Column("claim_id", sa.String(length=26), nullable=False),
        sa.Column("connection", sa.String(length=200), nullable=False),
        sa.Column("form", sa.String(length=4), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("findings", sa.LargeBinary(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("ready_on", sa.Date(), nullable=True),
        sa.Column("encounter_ids", sa.LargeBinary(), nullable=False),
        sa.Column("charge_cents", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_draft_claim_id_claim")),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_claim_draft")),
    )
    op.create_table(
        "claim_fact",
        sa.Column("sequence", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("claim_id", sa.String(length=26), nullable=False),
        sa.Column("version_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("interchange_id", sa.String(length=26), nullable=False),
        sa.Column("answer_id", sa.String(length=26), nullable=False),
        sa.Column("payer_claim_number", sa.Text(), nullable=False),
        sa.Column("paid", sa.LargeBinary(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_fact_claim_id_claim")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_claim_fact")),
        sa.UniqueConstraint("id", name=op.f("uq_claim_fact_id")),
    )
    op.create_index(op.f("ix_claim_fact_claim_id"), "claim_fact", ["claim_id"], unique=False)
    op.create_index(op.f("ix_claim_fact_payer_claim_number"), "claim_fact", ["payer_claim_number"], unique=False)
    op.create_table(
        "claim_override",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("claim_id", sa.String(length=26), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_override_claim_id_claim")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_override")),
    )
    op.create_index(op.f("ix_claim_override_claim_id"), "claim_override", ["claim_id"], unique=False)
    op.create_table(
        "claim_version",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("claim_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("claim_number", sa.String(length=20), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("findings", sa.LargeBinary(), nullable=False),
        sa.Column("charge_cents", sa.BigInteger(), nullable=False),
        sa.Column("frozen_at", UtcTime(), nullable=False),
        sa.Column("interchange_id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_version_claim_id_claim")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_version")),
        sa.UniqueConstraint("claim_id", "number", name=op.f("uq_claim_version_claim_id_number")),
        sa.UniqueConstraint("claim_number", name=op.f("uq_claim_version_claim_number")),
    )
    op.create_table(
        "interchange_claim",
        sa.Column("interchange_id", sa.String(length=26), nullable=False),
        sa.Column("version_id", sa.String(length=26), nullable=False),
        sa.Column("claim_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_interchange_claim_claim_id_claim")),
        sa.ForeignKeyConstraint(
            ["interchange_id"], ["interchange.id"], name=op.f("fk_interchange_claim_interchange_id_interchange")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["claim_version.id"], name=op.f("fk_interchange_claim_version_id_claim_version")
        ),
        sa.PrimaryKeyConstraint("interchange_id", "version_id", name=op.f("pk_interchange_claim")),
    )
    op.create_index(
        "uq_interchange_claim_live_version",
        "interchange_claim",
        ["version_id"],
        unique=True,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index(
        "uq_interchange_claim_live_version",
        table_name="interchange_claim",
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
    op.drop_table("interchange_claim")
    op.drop_table("claim_version")
    op.drop_index(op.f("ix_claim_override_claim_id"), table_name="claim_override")
    op.drop_table("claim_override")
    op.drop_index(op.f("ix_claim_fact_payer_claim_number"), table_name="claim_fact")
    op.drop_index(op.f("ix_claim_fact_claim_id"), table_name="claim_fact")
    op.drop_table("claim_fact")
    op.drop_table("claim_draft")
    op.drop_index(op.f("ix_subject_identifier_subject_id"), table_name="subject_identifier")
    op.drop_table("subject_identifier")
    op.drop_table("service_day")
    op.drop_index(op.f("ix_placement_patient_id"), table_name="placement")
    op.drop_table("placement")
    op.drop_index(op.f("ix_message_outcome_message_id"), table_name="message_outcome")
    op.drop_table("message_outcome")
    op.drop_table("message_answer")
    op.drop_table("fhir_resource")
    op.drop_table("encounter_decision")
    op.drop_index(op.f("ix_delivery_step_interchange_id"), table_name="delivery_step")
    op.drop_table("delivery_step")
    op.drop_index(op.f("ix_claim_state"), table_name="claim")
    op.drop_index(op.f("ix_claim_patient_id"), table_name="claim")
    op.drop_table("claim")
    op.drop_index(op.f("ix_assertion_subject_id"), table_name="assertion")
    op.drop_index(op.f("ix_assertion_patient_id"), table_name="assertion")
    op.drop_index("ix_assertion_origin", table_name="assertion")
    op.drop_table("assertion")
    op.drop_index(
        "uq_answer_applied_key",
        table_name="answer",
        sqlite_where=sa.text("status = 'applied'"),
        postgresql_where=sa.text("status = 'applied'"),
    )
    op.drop_table("answer")
    op.drop_index(op.f("ix_subject_joined_into"), table_name="subject")
    op.drop_table("subject")
    op.drop_table("mapping_in_force")
    op.drop_index(op.f("ix_interchange_state"), table_name="interchange")
    op.drop_table("interchange")
    op.drop_table("inbound_message")
    op.drop_table("credential_roster")
    op.drop_index(op.f("ix_credential_organization_id"), table_name="credential")
    op.drop_table("credential")
    op.drop_table("control_number")
    op.drop_table("answer_file")
    op.drop_table("organization")
    op.drop_table("mapping_set")
    op.drop_table("connection")
    op.drop_table("work")
    op.drop_table("tenant")
    op.drop_table("sweep")
    op.drop_index(op.f("ix_ledger_entry_owner"), table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_index("ix_fhir_link_to", table_name="fhir_link")
    op.drop_table("fhir_link")
    op.drop_table("fhir_identity")
    op.drop_table("claim_sequence")
    op.drop_table("blob")
    op.drop_index(op.f("ix_audit_event_subject"), table_name="audit_event")
    op.drop_table("audit_event")
