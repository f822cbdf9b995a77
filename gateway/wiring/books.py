"""What people ask of a site without changing it: plain dicts with stable keys. Needs the database alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from gateway.claim.finding import Owner
from gateway.config import read_settings
from gateway.lifecycle import ClaimState
from gateway.pipeline import authorization_views, funnel, views
from gateway.pipeline.export import canonical_export
from gateway.pipeline.reconcile import reconcile
from gateway.ports import MappingProblem
from gateway.ports.exchanges import AnswerRow, AnswerStatus
from gateway.ports.inbox import InboundMessage
from gateway.ports.partners import ReportRow
from gateway.ports.storage import Store
from gateway.services.case import Place
from gateway.wiring.asked import one_known, one_payer, one_source
from gateway.wiring.codes import code_words
from gateway.wiring.messages import said_of, was_said
from gateway.wiring.rosters import roster_kind, roster_view
from gateway.wiring.storage import opened_store

ANSWER_TYPES = ("835", "277CA", "999", "TA1")


@contextmanager
def opened_books(folder: Path) -> Iterator[Books]:
    """The books of a site folder. Raises ConfigurationError, Unavailable."""
    with opened_store(read_settings(folder)) as store:
        yield Books(store)


class Books:
    """One site's books. Raises NotFound, NotKnown for a filter by a name there is not, and Unavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claims(self, *, payer: str = "", state: str = "", limit: int = 0) -> dict[str, Any]:
        """{"claims": [one line each]}."""
        one_known("state", state, ClaimState)
        with self._store.read() as tx:
            found = views.claim_list(tx, payer=payer, state=state, limit=limit)
        if not found:
            one_payer(self._store, payer)
        return {"claims": found}

    def claim(self, text: str) -> dict[str, Any]:
        """One claim whole, by id, number or key."""
        with self._store.read() as tx:
            return views.claim_detail(tx, text, code_words(self._store))

    def why(self, text: str) -> dict[str, Any]:
        """Why a claim is as it is: rule, values, source field, mapping entry of each finding and line."""
        with self._store.read() as tx:
            return views.claim_why(tx, text, code_words(self._store))

    def funnel(self) -> dict[str, Any]:
        """Encounters to money; the keys are those of gateway.pipeline.funnel.Funnel."""
        with self._store.read() as tx:
            return asdict(funnel.count(tx))

    def encounters(self, *, place: str = "", on: date | None = None) -> dict[str, Any]:
        """{"encounters": [where each one's bill is, seen through the state of the claim it is on]}."""
        one_known("place", place, Place)
        with self._store.read() as tx:
            states = {row.key: row.state for row in tx.claims.search()}
            places = {row.encounter_id: funnel.place_of(row, states) for row in tx.claims.placements()}
            rows = views.placement_list(tx, on=on)
        found = [{**row, "place": places[row["encounter_id"]]} for row in rows]
        return {"encounters": [each for each in found if not place or each["place"] == place]}

    def authorizations(self, *, payer: str = "", at_risk: bool = False) -> dict[str, Any]:
        """{"authorizations": [where each one stands, and what will run out of it]}."""
        with self._store.read() as tx:
            found = authorization_views.account_list(tx, payer=payer, at_risk=at_risk)
        if not found:
            one_payer(self._store, payer)
        return {"authorizations": found}

    def authorization(self, text: str) -> dict[str, Any]:
        """{"authorizations": [each of that number or id, with its days]}."""
        with self._store.read() as tx:
            return {"authorizations": authorization_views.account_details(tx, text)}

    def worklist(self, *, owner: str = "", closed: bool = False) -> dict[str, Any]:
        """{"items": [what needs somebody soon, or what a person closed, the ones due first in front]}."""
        one_known("owner", owner, Owner)
        with self._store.read() as tx:
            return {"items": authorization_views.worklist(tx, owner=owner, closed=closed)}

    def reconciliation(self, *, since: date | None = None, until: date | None = None) -> dict[str, Any]:
        """Attendance against claims, both ways; the keys are those of gateway.pipeline.reconcile.Reconciliation."""
        with self._store.read() as tx:
            found = reconcile(tx, since=since, until=until)
        view = asdict(found)
        for name in ("attended_not_billed", "billed_not_attended"):
            view[name] = [
                {
                    **each,
                    "on": each["on"].isoformat(),
                    "claim_id": each["claim_id"] or None,
                    "claim_state": each["claim_state"] or None,
                    "encounter_ids": list(each["encounter_ids"]),
                }
                for each in sorted(view[name], key=lambda each: (each["on"], each["patient_id"]))
            ]
        return view

    def answers(self, *, type: str = "", status: str = "") -> dict[str, Any]:
        """{"answers": [{"id", "connection", "type", "status", "reason", "received_at", "bytes_sha256"}]}."""
        one_known("type of answer", type, ANSWER_TYPES)
        one_known("status", status, AnswerStatus)
        with self._store.read() as tx:
            return {"answers": [_answer(row) for row in tx.exchanges.answers(type=type, status=status)]}

    def reports(self) -> dict[str, Any]:
        """{"reports": [{"id", "connection", "remote_name", "received_at", "reason", "bytes_sha256"}]}: files that came
        back and hold no answer."""
        with self._store.read() as tx:
            return {"reports": [_report(row) for row in tx.partners.reports()]}

    def rosters(self) -> dict[str, Any]:
        """{"rosters": [{"organization", "kind", "source", "loaded_at", "rows"}]}: what is loaded."""
        with self._store.read() as tx:
            found = [{**asdict(each), "loaded_at": each.loaded_at.isoformat()} for each in tx.rosters.statuses()]
        return {"rosters": found}

    def roster(self, kind: str, at: datetime | None = None, organization: str = "") -> dict[str, Any]:
        """{"kind", "at", "rows": [{"organization", "source", column: text, "entry"}]}, now or as they once stood."""
        wanted = roster_kind(kind)
        with self._store.read() as tx:
            known = sorted({each.organization for each in tx.rosters.statuses()})
            one_known("organization with a roster", organization, known)
            owners = [each for each in known if organization in ("", each)]
            rows = [
                {"organization": owner, "source": source, **roster_view(record), "entry": record.entry}
                for owner in owners
                for source, record in tx.rosters.rows(owner, wanted, at)
            ]
        return {"kind": wanted, "at": at.isoformat() if at else None, "rows": rows}

    def export(self) -> dict[str, Any]:
        """The canonical export: claims, lines, money and states by business identity."""
        with self._store.read() as tx:
            return canonical_export(tx)

    def verify_audit(self) -> dict[str, Any]:
        """{"ok", "acts", "unsealed", "anchored", "broken": [{"number", "problem"}]}: the trail against its seals."""
        with self._store.read() as tx:
            verdict = asdict(tx.audit.verify())
        return {"ok": not verdict["broken"], **verdict}

    def messages(
        self, *, source: str = "", failed_only: bool = False, reason: str = "", limit: int = 0
    ) -> dict[str, Any]:
        """{"messages": [{"id", "source", "type", "received_at", "outcome", "reason", "findings"}],
        "reasons": [{"source", "reason", "messages"}]}, the newest last; ``reason`` is part of what was told of them."""
        with self._store.read() as tx:
            told = [each for each in tx.inbox.messages(source, failed_only=failed_only) if was_said(reason, *each)]
        if not told:
            one_source(self._store, source)
        told = told[-limit:] if limit else told
        counted = Counter((each.source, text) for each, problems in told for text in set(said_of(each, problems)))
        return {
            "messages": [_message(*each) for each in told],
            "reasons": [
                {"source": source, "reason": text, "messages": number}
                for (source, text), number in sorted(counted.items(), key=lambda each: (-each[1], each[0]))
            ],
        }


def _message(message: InboundMessage, problems: list[MappingProblem]) -> dict[str, Any]:
    found = [asdict(each) for each in problems]
    outcome = "refused" if message.refusal else "with-findings" if found else "stored"
    return {
        "id": message.id,
        "source": message.source,
        "type": message.event,
        "received_at": message.received_at.isoformat(),
        "outcome": outcome,
        "reason": message.refusal or None,
        "findings": found,
    }


def _report(row: ReportRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "connection": row.connection,
        "remote_name": row.remote_name.decode("utf-8", "backslashreplace"),
        "received_at": row.received_at.isoformat(),
        "reason": row.reason,
        "bytes_sha256": row.sha256,
    }


def _answer(row: AnswerRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "connection": row.connection,
        "type": row.type,
        "status": row.status,
        "reason": row.reason or None,
        "received_at": row.received_at.isoformat(),
        "bytes_sha256": row.raw_sha256,
    }
