"""Interchanges out, answers back, and the numbers both are known by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, delete, distinct, func, insert, select, update

from gateway.claim.answer import (
    Answer,
    AnswerTransaction,
    ClaimAnswer,
    Entry,
    InterchangeAnswer,
    PaidClaim,
    Remittance,
    TransactionAnswer,
)
from gateway.claim.identifiers import stable_id
from gateway.errors import NotFound
from gateway.lifecycle import DELIVERY_MOVES, DeliveryState
from gateway.ports import OPENED
from gateway.ports.exchanges import AnswerRow, AnswerStatus, DeliveryStep, InterchangeRow
from gateway.ports.returned import Readable, Returned, Staged
from gateway.store.blobs import BlobRows
from gateway.store.coding import decode, encode
from gateway.store.schema import claim_version, connection
from gateway.store.schema_exchange import (
    answer,
    answer_file,
    answer_part,
    control_number,
    delivery_step,
    interchange,
    interchange_claim,
    sealed_interchange,
)
from gateway.store.sql import hold_names, next_value

_ANSWER_TYPES: dict[str, type[Answer]] = {
    "TA1": InterchangeAnswer,
    "999": TransactionAnswer,
    "835": Remittance,
}
_MAY_COME_INTO_DOUBT = DELIVERY_MOVES[DeliveryState.IN_DOUBT]

_ENTRIES_IN_PART = 500


class ExchangeRows:
    """Implements gateway.ports.exchanges.Exchanges."""

    def __init__(self, connection_: Connection, blobs: BlobRows) -> None:
        self._connection = connection_
        self._blobs = blobs

    def next_number(self, connection: str, name: str) -> int:
        """The next of one of the connection's numbers; a rolled back transaction gives it back unused."""
        return next_value(self._connection, control_number, {"connection_id": connection, "name": name})

    def last_number(self, connection: str, name: str) -> int:
        """The number given out last; 0 before the first."""
        columns = control_number.c
        last = select(columns.last).where(columns.connection_id == connection, columns.name == name)
        return int(self._connection.scalar(last) or 0)

    def move_number(self, connection: str, name: str, to: int) -> None:
        """Give out only numbers beyond this one from now on; never moves back."""
        ahead = to - self.last_number(connection, name)
        if ahead > 0:
            next_value(self._connection, control_number, {"connection_id": connection, "name": name}, ahead)

    def add_interchange(self, row: InterchangeRow, content: bytes, version_ids: Sequence[str]) -> None:
        """Freeze an interchange with the versions it carries, in order."""
        self._blobs.put(content)
        self._connection.execute(
            insert(interchange).values(
                id=row.id,
                connection_id=row.connection,
                isa13=row.isa13,
                batch_reference=row.batch_reference,
                usage=row.usage,
                form=row.form,
                remote_name=row.remote_name,
                sha256=row.sha256,
                size=row.size,
                created_at=row.created_at,
                claim_count=row.claim_count,
                charge_cents=row.charge_cents,
                state=row.state,
                epoch=row.epoch,
                lease_until=row.lease_until,
                attempts=row.attempts,
            )
        )
        claims = dict(
            self._connection.execute(
                select(claim_version.c.id, claim_version.c.claim_id).where(claim_version.c.id.in_(version_ids))
            ).all()
        )
        self._connection.execute(
            insert(interchange_claim),
            [
                {
                    "interchange_id": row.id,
                    "version_id": version_id,
                    "claim_id": claims[version_id],
                    "position": position,
                    "live": True,
                }
                for position, version_id in enumerate(version_ids)
            ],
        )

    def seal(self, interchange_id: str, sealed: bytes) -> None:
        """Freeze how an interchange goes out encrypted."""
        sha256 = self._blobs.put(sealed)
        self._connection.execute(insert(sealed_interchange).values(interchange_id=interchange_id, sha256=sha256))

    def sealed(self, interchange_id: str) -> bytes | None:
        """How the interchange goes out encrypted; None where it does not, or was never tried."""
        found = select(sealed_interchange.c.sha256).where(sealed_interchange.c.interchange_id == interchange_id)
        sha256: str | None = self._connection.scalar(found)
        return None if sha256 is None else self._blobs.get(sha256)

    def interchange(self, interchange_id: str) -> InterchangeRow | None:
        """One interchange."""
        return self._one(interchange.c.id == interchange_id)

    def interchanges(self, connection: str = "", states: Sequence[DeliveryState] = ()) -> list[InterchangeRow]:
        """Interchanges by connection and delivery state, oldest first."""
        statement = interchanges_with_tenant().order_by(interchange.c.connection_id, interchange.c.isa13)
        if connection:
            statement = statement.where(interchange.c.connection_id == connection)
        if states:
            statement = statement.where(interchange.c.state.in_(states))
        return [interchange_row(row) for row in self._connection.execute(statement)]

    def interchange_by_number(self, connection: str, isa13: int) -> InterchangeRow | None:
        """The interchange with this ISA13."""
        return self._one((interchange.c.connection_id == connection) & (interchange.c.isa13 == isa13))

    def versions_in(self, interchange_id: str) -> list[tuple[str, str]]:
        """(claim id, version id) in the order they were written."""
        columns = interchange_claim.c
        statement = (
            select(columns.claim_id, columns.version_id)
            .where(columns.interchange_id == interchange_id)
            .order_by(columns.position)
        )
        return [(row.claim_id, row.version_id) for row in self._connection.execute(statement)]

    def sent_since(self, connection: str, at: datetime) -> int:
        """How many interchanges of the connection were begun to be sent at or after a time."""
        joined = delivery_step.join(interchange, interchange.c.id == delivery_step.c.interchange_id)
        begun = (
            select(func.count(distinct(delivery_step.c.interchange_id)))
            .select_from(joined)
            .where(interchange.c.connection_id == connection, delivery_step.c.marker == OPENED)
        )
        return int(self._connection.scalar(begun.where(delivery_step.c.at >= at)) or 0)

    def claim_send(self, interchange_id: str, epoch: int, lease_until: datetime) -> bool:
        """Move ready to sending; False when somebody else was first."""
        columns = interchange.c
        moved = self._connection.execute(
            update(interchange)
            .where(
                columns.id == interchange_id,
                columns.state == DeliveryState.READY,
                columns.epoch == epoch,
            )
            .values(
                state=DeliveryState.SENDING,
                epoch=epoch + 1,
                lease_until=lease_until,
                attempts=columns.attempts + 1,
            )
        )
        return moved.rowcount == 1

    def claim_settling(self, interchange_id: str, epoch: int, now: datetime, lease_until: datetime) -> bool:
        """Put an interchange whose sender is gone in doubt under a lease; False when somebody holds it."""
        columns = interchange.c
        moved = self._connection.execute(
            update(interchange)
            .where(
                columns.id == interchange_id,
                columns.epoch == epoch,
                columns.state.in_(_MAY_COME_INTO_DOUBT),
            )
            .where(columns.lease_until.is_(None) | (columns.lease_until <= now))
            .values(state=DeliveryState.IN_DOUBT, lease_until=lease_until)
        )
        return moved.rowcount == 1

    def set_delivery(self, interchange_id: str, epoch: int | None, state: DeliveryState) -> bool:
        """Move the delivery state if the epoch still holds and the move is one of DELIVERY_MOVES."""
        columns = interchange.c
        move = update(interchange).where(columns.id == interchange_id, columns.state.in_(DELIVERY_MOVES[state]))
        if epoch is not None:
            move = move.where(columns.epoch == epoch)
        moved = self._connection.execute(move.values(state=state, lease_until=None))
        return moved.rowcount == 1

    def doubt(self, interchange_id: str) -> int | None:
        """Put an interchange that is not known to be delivered in doubt, whoever holds it; the new epoch, or None."""
        columns = interchange.c
        epoch: int | None = self._connection.scalar(
            update(interchange)
            .where(
                columns.id == interchange_id,
                columns.state.in_((DeliveryState.READY, *_MAY_COME_INTO_DOUBT)),
            )
            .values(state=DeliveryState.IN_DOUBT, epoch=columns.epoch + 1, lease_until=None)
            .returning(columns.epoch)
        )
        return epoch

    def free_versions(self, interchange_id: str) -> None:
        """Let the interchange's versions be sent again under another number."""
        self._connection.execute(
            update(interchange_claim).where(interchange_claim.c.interchange_id == interchange_id).values(live=False)
        )

    def add_step(self, step: DeliveryStep) -> None:
        """Append a delivery marker."""
        self._connection.execute(
            insert(delivery_step).values(
                interchange_id=step.interchange_id,
                epoch=step.epoch,
                marker=step.marker,
                at=step.at,
                detail=step.detail,
            )
        )

    def steps(self, interchange_id: str) -> list[DeliveryStep]:
        """Delivery markers in order."""
        columns = delivery_step.c
        rows = self._connection.execute(
            select(delivery_step).where(columns.interchange_id == interchange_id).order_by(columns.id)
        )
        return [
            DeliveryStep(
                interchange_id=row.interchange_id, epoch=row.epoch, marker=row.marker, at=row.at, detail=row.detail
            )
            for row in rows
        ]

    def add_step_of_holder(self, step: DeliveryStep, lease_until: datetime) -> bool:
        """Append a marker of whoever holds the interchange by this lease; False when it is not theirs any more."""
        columns = interchange.c
        held = select(columns.id).where(
            columns.id == step.interchange_id, columns.epoch == step.epoch, columns.lease_until == lease_until
        )
        if self._connection.scalar(held.with_for_update()) is None:
            return False
        self.add_step(step)
        return True

    def tenant(self, connection_: str) -> str:
        """Whose connection it is. Raises NotFound."""
        owner: str | None = self._connection.scalar(
            select(connection.c.tenant_id).where(connection.c.id == connection_)
        )
        if owner is None:
            raise NotFound("there is no such connection")
        return owner

    def file_is_known(self, connection: str, sha256: str) -> bool:
        """True when these bytes came from this partner before. Whoever else asks waits until the commit."""
        hold_names(self._connection, [f"answer-file|{connection}|{sha256}"])
        columns = answer_file.c
        known = select(columns.id).where(columns.connection_id == connection, columns.sha256 == sha256)
        return self._connection.scalar(known) is not None

    def add_file(self, connection: str, content: Readable, remote_name: bytes, at: datetime, problem: str = "") -> str:
        """Store a returned file."""
        sha256 = self._blobs.put_file(content)
        file_id = stable_id("answer-file", connection, sha256)
        self._connection.execute(
            insert(answer_file).values(
                id=file_id,
                connection_id=connection,
                sha256=sha256,
                remote_name=remote_name,
                received_at=at,
                problem=problem,
            )
        )
        return file_id

    def stage(self, answer_id: str, returned: Returned) -> Staged:
        """Store bytes and entries of one transaction, in parts; where it has problems, no entries."""
        raw_sha256 = self._blobs.put_file(returned.open())
        said, parts, part = hashlib.sha256(), 0, list[bytes]()
        transaction: AnswerTransaction | None = None
        for each in returned.read():
            if isinstance(each, AnswerTransaction):
                transaction = each
            else:
                part.append(encode(each))
                said.update(part[-1] + b"\n")
            if len(part) == _ENTRIES_IN_PART or (part and transaction is not None):
                rows = {"answer_id": answer_id, "number": parts, "content": b"[" + b",".join(part) + b"]"}
                self._connection.execute(insert(answer_part).values(rows))
                parts, part = parts + 1, []
        assert transaction is not None, "a reading ends with its transaction"
        if transaction.problems:
            self._connection.execute(delete(answer_part).where(answer_part.c.answer_id == answer_id))
            said = hashlib.sha256()
        said.update(encode(transaction.answers))
        return Staged(transaction=transaction, digest=said.hexdigest(), raw_sha256=raw_sha256)

    def entries(self, answer_id: str, type: str) -> Iterator[Sequence[Entry]]:
        """What an answer of that type says of claims, part by part, in its order."""
        kind: Any = list[PaidClaim] if type == "835" else list[ClaimAnswer]
        number = 0
        columns = answer_part.c
        while True:
            wanted = select(columns.content).where(columns.answer_id == answer_id, columns.number == number)
            content = self._connection.scalar(wanted)
            if content is None:
                return
            yield decode(content, kind)
            number += 1

    def add_answer(self, file_id: str, answer_: AnswerRow) -> None:
        """Say of a staged transaction what became of it."""
        self._connection.execute(
            insert(answer).values(
                id=answer_.id,
                file_id=file_id,
                connection_id=answer_.connection,
                type=answer_.type,
                business_key=answer_.business_key,
                digest=answer_.digest,
                raw_sha256=answer_.raw_sha256,
                status=answer_.status,
                reason=answer_.reason,
                received_at=answer_.received_at,
                content=encode(answer_.transaction),
            )
        )

    def applied_answer(self, business_key: str) -> AnswerRow | None:
        """The answer already applied under this key. Whoever else asks for the key waits until the commit."""
        hold_names(self._connection, [f"answer|{business_key}"])
        applied = select(answer).where(answer.c.business_key == business_key, answer.c.status == AnswerStatus.APPLIED)
        row = self._connection.execute(applied).first()
        return _answer(row) if row else None

    def unbalanced(self, answer_id: str) -> AnswerRow | None:
        """A remittance that does not balance and was not posted, held until this transaction ends."""
        wanted = (
            select(answer).where(answer.c.id == answer_id, answer.c.status == AnswerStatus.UNBALANCED).with_for_update()
        )
        row = self._connection.execute(wanted).first()
        return _answer(row) if row else None

    def any_set_aside(self, connection: str, reasons: Sequence[str]) -> bool:
        """True when there is a quarantined answer of a connection that waits for one of these reasons."""
        return self._connection.execute(_set_aside(connection, reasons).limit(1)).first() is not None

    def set_aside(self, connection: str, reasons: Sequence[str]) -> list[AnswerRow]:
        """Quarantined answers of a connection that wait for one of these reasons, in order of arrival."""
        wanted = _set_aside(connection, reasons).order_by(answer.c.received_at, answer.c.id).with_for_update()
        return [_answer(row) for row in self._connection.execute(wanted).all()]

    def judge_again(self, answer_id: str, status: AnswerStatus, reason: str) -> None:
        """Say of an answer that was set aside what it is now."""
        self._connection.execute(update(answer).where(answer.c.id == answer_id).values(status=status, reason=reason))

    def answers(self, *, type: str = "", status: str = "") -> Iterable[AnswerRow]:
        """Answers in order of arrival."""
        statement = select(answer).order_by(answer.c.received_at, answer.c.id)
        if type:
            statement = statement.where(answer.c.type == type)
        if status:
            statement = statement.where(answer.c.status == status)
        for row in self._connection.execute(statement):
            yield _answer(row)

    def keep(self, content: bytes) -> str:
        """Store bytes that leave without being an interchange of claims; their SHA-256."""
        return self._blobs.put(content)

    def raw(self, sha256: str) -> bytes:
        """Stored bytes."""
        return self._blobs.get(sha256)

    def _one(self, condition: Any) -> InterchangeRow | None:
        row = self._connection.execute(interchanges_with_tenant().where(condition)).first()
        return interchange_row(row) if row else None


def interchanges_with_tenant() -> Select[Any]:
    """Every interchange, with whose it is; `interchange_row` reads what comes of it."""
    return select(interchange, connection.c.tenant_id).join(connection, connection.c.id == interchange.c.connection_id)


def interchange_row(row: Row[Any]) -> InterchangeRow:
    """One interchange of `interchanges_with_tenant`."""
    return InterchangeRow(
        id=row.id,
        connection=row.connection_id,
        tenant=row.tenant_id,
        isa13=row.isa13,
        batch_reference=row.batch_reference,
        usage=row.usage,
        form=row.form,
        remote_name=row.remote_name,
        sha256=row.sha256,
        size=row.size,
        created_at=row.created_at,
        claim_count=row.claim_count,
        charge_cents=row.charge_cents,
        state=DeliveryState(row.state),
        epoch=row.epoch,
        lease_until=row.lease_until,
        attempts=row.attempts,
    )


def _set_aside(connection: str, reasons: Sequence[str]) -> Select[Any]:
    waiting = select(answer).where(answer.c.connection_id == connection, answer.c.status == AnswerStatus.QUARANTINED)
    return waiting.where(answer.c.reason.in_(reasons))


def _answer(row: Row[Any]) -> AnswerRow:
    return AnswerRow(
        id=row.id,
        connection=row.connection_id,
        type=row.type,
        business_key=row.business_key,
        digest=row.digest,
        raw_sha256=row.raw_sha256,
        status=AnswerStatus(row.status),
        reason=row.reason,
        received_at=row.received_at,
        transaction=_transaction(row.type, row.content),
    )


class _StoredTransaction(msgspec.Struct):
    """An AnswerTransaction as stored: its raw bytes are a blob, its answers are of the transaction's own type."""

    sender: str
    receiver: str
    usage: str
    isa13: int
    gs06: int | None
    st02: str
    answers: msgspec.Raw
    problems: tuple[str, ...]


def _transaction(type: str, content: bytes) -> AnswerTransaction:
    stored = decode(content, _StoredTransaction)
    raw_answers = decode(bytes(stored.answers), _RAW_LIST)
    answers: tuple[Answer, ...] = tuple(decode(bytes(each), _ANSWER_TYPES[type]) for each in raw_answers)
    return AnswerTransaction(
        type=type,
        sender=stored.sender,
        receiver=stored.receiver,
        usage=stored.usage,
        isa13=stored.isa13,
        gs06=stored.gs06,
        st02=stored.st02,
        answers=answers,
        problems=stored.problems,
    )


_RAW_LIST = list[msgspec.Raw]
