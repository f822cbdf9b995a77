"""rosters: credentials become one kind of roster among others, with rows by source and key."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from gateway.store.schema import UtcTime

revision = "0003_rosters"
down_revision = "0002_code_release"
branch_labels = None
depends_on = None

_KEY = ("npi", "payer", "role", "location_npi", "start_on")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "roster_load",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("loaded_at", UtcTime(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_roster_load_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_roster_load_sha256_blob")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_load")),
    )
    op.create_index(op.f("ix_roster_load_organization_id"), "roster_load", ["organization_id"], unique=False)
    op.create_table(
        "roster_row",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcTime(), nullable=False),
        sa.Column("retired_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_roster_row_organization_id_organization")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_row")),
    )
    op.create_index("ix_roster_row_patient", "roster_row", ["namespace", "value"], unique=False)
    op.create_index(
        "uq_roster_row_in_force",
        "roster_row",
        ["organization_id", "kind", "source", "key"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    _carry_credentials(op.get_bind())
    op.drop_table("credential_roster")
    op.drop_index(op.f("ix_credential_organization_id"), table_name="credential")
    op.drop_table("credential")


def _carry_credentials(connection: sa.Connection) -> None:
    """Rosters that were loaded before stay loaded, under the source that an import has when none is named."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    named = {"kind": "credentials", "source": "organization"}
    for organization in connection.execute(sa.text("SELECT organization_id FROM credential_roster")).scalars():
        connection.execute(
            sa.text(
                "INSERT INTO roster_load (organization_id, kind, source, loaded_at) "
                "VALUES (:organization, :kind, :source, :at)"
            ),
            {**named, "organization": organization, "at": at},
        )
    rows = connection.execute(sa.text("SELECT organization_id, content FROM credential")).all()
    kept = {}
    for organization, content in rows:
        key = "|".join(str(json.loads(bytes(content)).get(name) or "") for name in _KEY)
        kept[organization, key] = bytes(content)
    for (organization, key), content in kept.items():
        connection.execute(
            sa.text(
                "INSERT INTO roster_row "
                "(organization_id, kind, source, key, namespace, value, content, entry, recorded_at) VALUES "
                "(:organization, :kind, :source, :key, 'npi', :npi, :content, '', :at)"
            ),
            {
                **named,
                "organization": organization,
                "key": key,
                "npi": key[:10],
                "content": content,
                "at": at,
            },
        )


def downgrade() -> None:
    """Undo; a roster is loaded again from the file it came from."""
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
    op.drop_table("roster_row")
    op.drop_table("roster_load")
