"""What people and programs are shown of authorizations and of what needs somebody soon: dicts with stable keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from gateway.authorization.account import AuthorizationAccount, account_of
from gateway.errors import NotFound
from gateway.pipeline.views import work_item_view
from gateway.ports.storage import Transaction
from gateway.ports.watch import AuthorizationRow, EntryRow


def account_list(tx: Transaction, *, payer: str = "", at_risk: bool = False) -> list[dict[str, Any]]:
    """Authorizations in order of payer and number, each with where it stands and what will run out of it."""
    entries = _by_name(tx.authorizations.entries())
    warnings: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in tx.worklist.items():
        warnings[item.patient_id, item.about].append(item.finding.message)
    found = [
        _summary(row, _account(row, entries), warnings.get((row.patient_id, row.record.number), ()))
        for row in tx.authorizations.rows()
        if payer in ("", row.payer)
    ]
    return [each for each in found if not at_risk or each["at_risk_cents"] or each["warnings"]]


def account_details(tx: Transaction, text: str) -> list[dict[str, Any]]:
    """Every authorization of that number or id, with what each day did to it. Raises NotFound."""
    rows = tx.authorizations.rows(text)
    if not rows:
        raise NotFound("there is no such authorization; 'cleanclaim authorizations list' shows their numbers and ids")
    items = tx.worklist.items()
    found = []
    for row in rows:
        entries = tx.authorizations.entries(row.record.number) if row.record.number else []
        own = _own(row, entries)
        warnings = [
            each.finding.message
            for each in items
            if (each.patient_id, each.about) == (row.patient_id, row.record.number)
        ]
        record = row.record
        found.append(
            {
                **_summary(row, _account(row, _by_name(entries)), warnings),
                "units_per_day": record.units_per_day,
                "units_per_week": record.units_per_week,
                "weekdays": [str(each) for each in record.weekdays],
                "npis": list(record.npis),
                "service_codes": list(record.service_codes),
                "opening_on": record.opening_on.isoformat() if record.opening_on else None,
                "days": [_day(each) for each in sorted(own, key=lambda each: each.entry.on)],
            }
        )
    return found


def worklist(tx: Transaction, *, owner: str = "", closed: bool = False) -> list[dict[str, Any]]:
    """What needs somebody soon, or what a person closed, the ones due first in front."""
    return [work_item_view(item) for item in tx.worklist.items(owner=owner) if bool(item.closing) == closed]


_Entries = dict[tuple[str, str], list[EntryRow]]


def _by_name(rows: Iterable[EntryRow]) -> _Entries:
    found: _Entries = defaultdict(list)
    for row in rows:
        found[row.entry.payer, row.entry.number].append(row)
    return found


def _account(row: AuthorizationRow, entries: _Entries) -> AuthorizationAccount:
    number = row.record.number
    own = _own(row, entries.get((row.payer, number), [])) if number else []
    return account_of(row.record, row.payer, [each.entry for each in own], row.week_start)


def _own(row: AuthorizationRow, entries: Sequence[EntryRow]) -> list[EntryRow]:
    """The patient's entries, and those of the same member where we know the person as somebody else."""
    entries = [each for each in entries if each.entry.payer == row.payer]
    members = {each.entry.member for each in entries if each.patient_id == row.patient_id} - {""}
    return [each for each in entries if each.patient_id == row.patient_id or each.entry.member in members]


def _summary(row: AuthorizationRow, account: AuthorizationAccount, warnings: Sequence[str]) -> dict[str, Any]:
    record = row.record
    return {
        "id": row.id,
        "number": record.number or None,
        "payer": row.payer or None,
        "organization": row.organization,
        "patient_id": row.patient_id,
        "level_of_care": record.level_of_care,
        "status": record.status,
        "unit": record.unit,
        "from": record.start_on.isoformat() if record.start_on else None,
        "through": record.end_on.isoformat() if record.end_on else None,
        "review_on": record.review_on.isoformat() if record.review_on else None,
        "granted": record.units,
        "opening": account.opening,
        "reserved": account.reserved,
        "accrued": account.accrued,
        "consumed": account.consumed,
        "released": account.released,
        "remaining": account.remaining,
        "first_day_beyond": account.first_day_beyond.isoformat() if account.first_day_beyond else None,
        "at_risk_cents": account.at_risk_cents,
        "warnings": list(warnings),
    }


def _day(row: EntryRow) -> dict[str, Any]:
    entry = row.entry
    return {
        "on": entry.on.isoformat(),
        "stage": entry.stage,
        "units": entry.units,
        "reason": entry.reason,
        "claim_key": entry.claim_key or None,
        "cents": entry.cents,
        "organization": row.organization,
        "patient_id": row.patient_id,
    }
