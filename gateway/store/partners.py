"""How things stand with partners. What answers what is decided here, in one condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Update, and_, exists, func, literal, not_, or_, select, update

from gateway.lifecycle import DeliveryState, FactKind
from gateway.ports import PROBED, REMOVING
from gateway.ports.exchanges import AnswerStatus, InterchangeRow
from gateway.ports.partners import AWAITED, AnswerNote, Contact, ReportRow, Silence
from gateway.store.exchanges import interchange_row, interchanges_with_tenant
from gateway.store.schema import claim_fact
from gateway.store.schema_exchange import (
    answer,
    answer_file,
    delivery_step,
    expected_answer,
    interchange,
    interchange_claim,
    partner_contact,
)
from gateway.store.sql import insert_missing

_SAYS: Mapping[str, FactKind] = dict(
    zip(
        AWAITED,
        (FactKind.INTERCHANGE, FactKind.TRANSACTION, FactKind.CLEARINGHOUSE, FactKind.PAYER, FactKind.REMITTED),
        strict=True,
    )
)
_WITH_PARTNER = (DeliveryState.DELIVERED, DeliveryState.IN_DOUBT)


class PartnerRows:
    """Implements gateway.ports.partners.Partners."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def unwatched(self) -> list[InterchangeRow]:
        """Interchanges that are with their partner, or may be, and whose clocks were not set."""
        watched = exists().where(expected_answer.c.interchange_id == interchange.c.id)
        wanted = interchanges_with_tenant().where(interchange.c.state.in_(_WITH_PARTNER), not_(watched))
        return [interchange_row(row) for row in self._connection.execute(wanted.order_by(interchange.c.id))]

    def sent_at(self, interchange_id: str) -> datetime | None:
        """When a sender last did something about it; None when none ever did."""
        steps = delivery_step.c
        last = select(func.max(steps.at)).where(
            steps.interchange_id == interchange_id, steps.marker.not_in((PROBED, REMOVING))
        )
        found: datetime | None = self._connection.scalar(last)
        return found

    def expect(self, interchange_id: str, due: Mapping[str, datetime]) -> None:
        """Set the clocks of an interchange; those that are set already stay."""
        insert_missing(
            self._connection,
            expected_answer,
            [{"interchange_id": interchange_id, "answer": answer, "due_at": due_at} for answer, due_at in due.items()],
        )

    def hear(self, now: datetime) -> int:
        """Stop the clocks that ran out of what was answered since; how many."""
        heard = 0
        for awaited in AWAITED:
            heard += self._connection.execute(_ran_out(awaited, now, answered=True).values(heard_at=now)).rowcount
        return heard

    def fall_silent(self, now: datetime) -> list[Silence]:
        """Mark what is due and was not answered; each is given once, to whoever marks it."""
        columns = expected_answer.c
        marked: set[tuple[str, str]] = set()
        for awaited in AWAITED:
            mark = _ran_out(awaited, now, answered=False).where(columns.silent_since.is_(None))
            rows = self._connection.execute(mark.values(silent_since=now).returning(columns.interchange_id))
            marked |= {(row.interchange_id, awaited) for row in rows}
        return [each for each in self.silences() if (each.interchange.id, each.answer) in marked]

    def silences(self, connection: str = "") -> list[Silence]:
        """What is silent, the longest due in front."""
        columns = expected_answer.c
        wanted = (
            interchanges_with_tenant()
            .add_columns(columns.answer, columns.due_at, columns.silent_since)
            .join(expected_answer, columns.interchange_id == interchange.c.id)
            .where(columns.silent_since.is_not(None), columns.heard_at.is_(None))
        )
        if connection:
            wanted = wanted.where(interchange.c.connection_id == connection)
        found = [
            Silence(
                interchange=interchange_row(row),
                answer=row.answer,
                due_at=row.due_at,
                silent_since=row.silent_since,
                claims=self._waiting(row.id, row.answer),
            )
            for row in self._connection.execute(wanted).all()
        ]
        return sorted(found, key=lambda each: (each.due_at, each.interchange.id, AWAITED.index(each.answer)))

    def _waiting(self, interchange_id: str, answer: str) -> int:
        carried = interchange_claim.c
        waiting = select(func.count()).where(carried.interchange_id == interchange_id, not_(_is_answered(answer)))
        return self._connection.scalar(waiting) or 0

    def note_contact(self, connection: str, at: datetime, problem: str, next_at: datetime) -> None:
        """Remember how a try to talk to a partner went; no problem means that it answered."""
        columns = partner_contact.c
        insert_missing(self._connection, partner_contact, [{"connection_id": connection, "problem": ""}])
        went: dict[str, Any] = {"problem": problem}
        if problem:
            went["troubled_since"] = func.coalesce(columns.troubled_since, literal(at, columns.contacted_at.type))
        else:
            went |= {"troubled_since": None, "contacted_at": at}
        self._connection.execute(
            update(partner_contact).where(columns.connection_id == connection).values(next_at=next_at, **went)
        )

    def contacts(self) -> Mapping[str, Contact]:
        """Contacts by connection; one that was never tried is left out."""
        return {
            row.connection_id: Contact(
                contacted_at=row.contacted_at,
                problem=row.problem,
                troubled_since=row.troubled_since,
                next_at=row.next_at,
            )
            for row in self._connection.execute(select(partner_contact))
        }

    def answer_notes(self) -> Iterable[AnswerNote]:
        """What there is to say of answers that were not applied, or not whole, in order of arrival."""
        columns = answer.c
        wanted = select(columns.id, columns.connection_id, columns.type, columns.status, columns.reason)
        noted = wanted.where(columns.reason != "", columns.status != AnswerStatus.DUPLICATE)
        for row in self._connection.execute(noted.order_by(columns.received_at, columns.id)):
            yield AnswerNote(
                id=row.id,
                connection=row.connection_id,
                type=row.type,
                status=AnswerStatus(row.status),
                reason=row.reason,
            )

    def answer_counts(self) -> Mapping[tuple[str, str], int]:
        """How many answers came, by connection and type."""
        return self._counts(answer.c.connection_id, answer.c.type)

    def interchange_counts(self) -> Mapping[tuple[str, str], int]:
        """How many interchanges there are, by connection and delivery state."""
        return self._counts(interchange.c.connection_id, interchange.c.state)

    def _counts(self, first: Column[Any], second: Column[Any]) -> Mapping[tuple[str, str], int]:
        rows = self._connection.execute(select(first, second, func.count()).group_by(first, second))
        return {(one, other): number for one, other, number in rows}

    def reports(self) -> Iterable[ReportRow]:
        """Returned files of which nothing was read, in order of arrival."""
        columns = answer_file.c
        statement = select(answer_file).where(columns.problem != "").order_by(columns.received_at, columns.id)
        for row in self._connection.execute(statement):
            yield ReportRow(
                id=row.id,
                connection=row.connection_id,
                remote_name=row.remote_name,
                sha256=row.sha256,
                received_at=row.received_at,
                reason=row.problem,
            )


def _ran_out(answer: str, now: datetime, *, answered: bool) -> Update:
    """An update of the clocks of one answer that ran out, whose interchange was, or was not, answered."""
    columns, carried = expected_answer.c, interchange_claim.c
    waits = exists().where(carried.interchange_id == columns.interchange_id, not_(_is_answered(answer)))
    with_partner = exists().where(interchange.c.id == columns.interchange_id, interchange.c.state.in_(_WITH_PARTNER))
    silent = and_(waits, with_partner)
    return update(expected_answer).where(
        columns.answer == answer,
        columns.heard_at.is_(None),
        columns.due_at <= now,
        not_(silent) if answered else silent,
    )


def _is_answered(answer: str) -> ColumnElement[bool]:
    """Whether a row of interchange_claim had this answer, a later one, or a refusal that lets none follow."""
    place = AWAITED.index(answer)
    facts, carried = claim_fact.c, interchange_claim.c
    answers = [_SAYS[each] for each in AWAITED[place:]]
    before = [_SAYS[each] for each in AWAITED[:place]]
    return exists().where(
        facts.claim_id == carried.claim_id,
        facts.version_id == carried.version_id,
        facts.interchange_id.in_(["", carried.interchange_id]),
        or_(facts.kind.in_(answers), and_(facts.kind.in_(before), facts.code.in_(["R", "rejected"]))),
    )
