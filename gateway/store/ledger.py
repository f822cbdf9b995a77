"""The receivable ledger's rows: a claim's are replaced, being a function of its facts; an answer's are written once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select

from gateway.receivable.ledger import Account, LedgerEntry
from gateway.store.schema import ledger_entry
from gateway.store.sql import any_of, insert_all, rows_of, slices

_STAND = (
    select(
        ledger_entry.c.owner,
        ledger_entry.c.account,
        ledger_entry.c.cents,
        ledger_entry.c.basis,
        ledger_entry.c.reference,
    )
    .where(any_of(ledger_entry.c.owner))
    .order_by(ledger_entry.c.id)
)
_GONE = delete(ledger_entry).where(any_of(ledger_entry.c.owner))


class LedgerRows:
    """Implements gateway.ports.ledger.Ledger."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, owner: str, entries: Sequence[LedgerEntry]) -> None:
        """Append entries of one answer."""
        self._insert({owner: entries})

    def replace_all(self, entries_of: Mapping[str, Sequence[LedgerEntry]]) -> None:
        """Replace the entries of many claims at once. Those that stand as they would be written are left alone."""
        for owners in slices(list(entries_of)):
            written: dict[str, list[tuple[Any, ...]]] = {owner: [] for owner in owners}
            for row in rows_of(self._connection, _STAND, owners):
                written[row.owner].append(tuple(row[1:]))
            changed = {
                owner: entries_of[owner]
                for owner in owners
                if written[owner]
                != [(each.account, each.cents, each.basis, each.reference) for each in entries_of[owner]]
            }
            gone = [owner for owner in changed if written[owner]]
            if gone:
                self._connection.execute(_GONE, {"values": gone})
            self._insert(changed)

    def _insert(self, entries_of: Mapping[str, Sequence[LedgerEntry]]) -> None:
        rows = [
            {
                "owner": owner,
                "account": entry.account,
                "cents": entry.cents,
                "basis": entry.basis,
                "reference": entry.reference,
            }
            for owner, entries in entries_of.items()
            for entry in entries
        ]
        insert_all(self._connection, ledger_entry, rows)

    def balances(self) -> Mapping[str, int]:
        """Cents by account."""
        summed = select(ledger_entry.c.account, func.sum(ledger_entry.c.cents)).group_by(ledger_entry.c.account)
        return {account: int(cents) for account, cents in self._connection.execute(summed)}

    def entries(self, owner: str = "") -> Iterable[LedgerEntry]:
        """Entries in order of writing."""
        statement = select(ledger_entry).order_by(ledger_entry.c.id)
        if owner:
            statement = statement.where(ledger_entry.c.owner == owner)
        return [
            LedgerEntry(account=Account(row.account), cents=row.cents, basis=row.basis, reference=row.reference)
            for row in self._connection.execute(statement)
        ]
