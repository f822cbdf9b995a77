"""Authorizations on file and what each day did to them. An entry is seen through the state of the claim it is on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select

from gateway.authorization.account import AuthorizationEntry, Stage
from gateway.claim.record import AuthorizationRecord
from gateway.lifecycle import ClaimState
from gateway.ports.watch import AuthorizationName, AuthorizationRow, EntryRow
from gateway.store.coding import decode, encode
from gateway.store.schema import authorization_entry, authorization_on_file, claim
from gateway.store.sql import delete_of, hold_names, insert_all, insert_or_replace, slices

_OURS = frozenset({ClaimState.WAITING, ClaimState.HELD, ClaimState.READY, ClaimState.RELEASED, ClaimState.REJECTED})
_GIVEN_BACK = {ClaimState.DENIED: "denied", ClaimState.VOIDED: "voided", ClaimState.WITHDRAWN: "withdrawn"}
_CORRECTED = frozenset({ClaimState.CORRECTION_HELD, ClaimState.CORRECTION_READY})


class AuthorizationRows:
    """Implements gateway.ports.watch.Authorizations."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold(self, names: Iterable[AuthorizationName]) -> None:
        """Make whoever else freezes claims of one of these wait until this transaction ends."""
        hold_names(self._connection, (" ".join(("authorization", *each)) for each in names))

    def names_of(self, patient_ids: Sequence[str]) -> set[AuthorizationName]:
        """What the patients' entries name."""
        columns = authorization_entry.c
        found: set[AuthorizationName] = set()
        for some in slices(list(patient_ids)):
            named = select(columns.payer, columns.member, columns.number).where(columns.patient_id.in_(some)).distinct()
            found.update((row.payer, row.member, row.number) for row in self._connection.execute(named))
        return found

    def replace(
        self, patient_ids: Sequence[str], rows: Sequence[AuthorizationRow], entries: Sequence[EntryRow]
    ) -> None:
        """Replace what was derived of the patients' authorizations."""
        for table in (authorization_on_file, authorization_entry):
            delete_of(self._connection, table.c.patient_id, patient_ids)
        on_file = [
            {
                "id": each.id,
                "organization_id": each.organization,
                "patient_id": each.patient_id,
                "payer": each.payer,
                "number": each.record.number,
                "week_start": each.week_start,
                "content": encode(each.record),
            }
            for each in rows
        ]
        insert_or_replace(self._connection, authorization_on_file, on_file)
        if entries:
            insert_all(self._connection, authorization_entry, [_values(each) for each in entries])

    def rows(self, number: str = "") -> list[AuthorizationRow]:
        """Authorizations on file, in order of payer and number."""
        columns = authorization_on_file.c
        wanted = select(authorization_on_file).order_by(columns.payer, columns.number, columns.id)
        if number:
            wanted = wanted.where(or_(columns.number == number, columns.id == number))
        return [
            AuthorizationRow(
                id=row.id,
                organization=row.organization_id,
                patient_id=row.patient_id,
                payer=row.payer,
                week_start=row.week_start,
                record=decode(row.content, AuthorizationRecord),
            )
            for row in self._connection.execute(wanted)
        ]

    def entries(self, number: str = "") -> list[EntryRow]:
        """Entries by day, seen through the state of the claim each is on."""
        wanted = _seen().order_by(authorization_entry.c.on, authorization_entry.c.id)
        if number:
            wanted = wanted.where(authorization_entry.c.number == number)
        return [_entry(row) for row in self._connection.execute(wanted)]

    def entries_named(self, names: Collection[AuthorizationName]) -> list[EntryRow]:
        """Entries of these authorizations, whichever patient's or organization's."""
        found: list[EntryRow] = []
        for some in slices(sorted({number for _, _, number in names})):
            wanted = _seen().where(authorization_entry.c.number.in_(some))
            found += [
                _entry(row) for row in self._connection.execute(wanted) if (row.payer, row.member, row.number) in names
            ]
        return found


def _values(each: EntryRow) -> dict[str, Any]:
    entry = each.entry
    return {
        "organization_id": each.organization,
        "patient_id": each.patient_id,
        "payer": entry.payer,
        "member": entry.member,
        "number": entry.number,
        "on": entry.on,
        "units": entry.units,
        "stage": entry.stage,
        "reason": entry.reason,
        "claim_key": entry.claim_key,
        "cents": entry.cents,
    }


def _seen() -> Select[Any]:
    same = claim.c.key == authorization_entry.c.claim_key
    return select(authorization_entry, claim.c.state).select_from(authorization_entry.outerjoin(claim, same))


def _entry(row: Row[Any]) -> EntryRow:
    stage, reason = _stage(Stage(row.stage), row.reason, row.state)
    return EntryRow(
        organization=row.organization_id,
        patient_id=row.patient_id,
        entry=AuthorizationEntry(
            payer=row.payer,
            member=row.member,
            number=row.number,
            on=row.on,
            units=row.units,
            stage=stage,
            reason=reason,
            claim_key=row.claim_key,
            cents=row.cents,
        ),
    )


def _stage(stage: Stage, reason: str, state: str | None) -> tuple[Stage, str]:
    """What a day did, seen through what happened to its claim since the day was derived."""
    if state is None or stage not in (Stage.ACCRUED, Stage.CONSUMED):
        return stage, reason
    known = ClaimState(state)
    if known in _GIVEN_BACK:
        return Stage.RELEASED, _GIVEN_BACK[known]
    if known in _CORRECTED or stage is Stage.CONSUMED:
        return stage, reason
    return (Stage.ACCRUED, "attended") if known in _OURS else (Stage.CONSUMED, "sent")
