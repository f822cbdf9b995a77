"""what answers say of claims, in parts beside the answers."""

import hashlib

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0016_answer_parts"
down_revision = "0015_sealed_interchanges"
branch_labels = None
depends_on = None

_FIELDS = dict[str, msgspec.Raw]
_ENTRIES_IN_PART = 500


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "answer_part",
        sa.Column("answer_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"],
            ["answer.id"],
            name=op.f("fk_answer_part_answer_id_answer"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("answer_id", "number", name=op.f("pk_answer_part")),
    )
    op.create_index("ix_claim_fact_answer_id_claim_id", "claim_fact", ["answer_id", "claim_id"])
    connection = op.get_bind()
    ids = connection.scalars(sa.text("SELECT id FROM answer")).all()
    for answer_id in ids:
        _move_entries(connection, answer_id)


def _move_entries(connection: sa.Connection, answer_id: str) -> None:
    """Put an answer's entries into parts, and compare it from now on by what it says as it is stored."""
    wanted = sa.text("SELECT type, content FROM answer WHERE id = :id")
    type, content = connection.execute(wanted, {"id": answer_id}).one()
    fields = msgspec.json.decode(content, type=_FIELDS)
    answers = msgspec.json.decode(fields["answers"], type=list[msgspec.Raw])
    entries: list[msgspec.Raw] = []
    if type == "277CA":
        entries, answers = answers, []
    elif type == "835":
        answers = [_without_claims(each, entries) for each in answers]
    said = hashlib.sha256(b"".join(bytes(each) + b"\n" for each in entries))
    fields["answers"] = msgspec.Raw(msgspec.json.encode(answers))
    said.update(fields["answers"])
    fields.pop("raw", None)
    connection.execute(
        sa.text("UPDATE answer SET content = :content, digest = :digest WHERE id = :id"),
        {"content": msgspec.json.encode(fields), "digest": said.hexdigest(), "id": answer_id},
    )
    for start in range(0, len(entries), _ENTRIES_IN_PART):
        connection.execute(
            sa.text("INSERT INTO answer_part (answer_id, number, content) VALUES (:id, :number, :content)"),
            {
                "id": answer_id,
                "number": start // _ENTRIES_IN_PART,
                "content": msgspec.json.encode(entries[start : start + _ENTRIES_IN_PART]),
            },
        )


def _without_claims(answer: msgspec.Raw, entries: list[msgspec.Raw]) -> msgspec.Raw:
    """A remittance without its claims, which are added to the entries, and with what they come to in their place."""
    remittance: _FIELDS = {}
    for name, value in msgspec.json.decode(answer, type=_FIELDS).items():
        if name != "claims":
            remittance[name] = value
            continue
        claims = msgspec.json.decode(value, type=list[msgspec.Raw])
        paid = sum(msgspec.json.decode(each)["paid_cents"] for each in claims)
        remittance["claims_paid_cents"] = msgspec.Raw(msgspec.json.encode(paid))
        entries += claims
    return msgspec.Raw(msgspec.json.encode(remittance))
