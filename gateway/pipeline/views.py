"""What people and programs are shown of claims and exchanges: plain dicts with stable keys, for every door alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from msgspec import structs

from gateway.claim.claim import ClaimLine
from gateway.claim.finding import Finding, Origin, blocks
from gateway.claim.money import dollars
from gateway.claim.record import EncounterRecord
from gateway.errors import NotFound
from gateway.lifecycle import ClaimFact, ClaimState, FactKind
from gateway.pipeline.adjustment_views import CodeWords, adjustment_views, no_words, remark_views
from gateway.pipeline.funnel import place_of
from gateway.pipeline.holds import machine_findings
from gateway.ports.claims import ClaimRow, DayRow, Draft, PlacementRow, Version
from gateway.ports.storage import Transaction
from gateway.ports.watch import WorkItem
from gateway.services.case import Merged


def claim_list(tx: Transaction, *, payer: str = "", state: str = "", limit: int = 0) -> list[dict[str, Any]]:
    """Claims in order of key, each in one line."""
    rows = tx.claims.search(payer=payer, state=state, limit=limit)
    ids = [row.id for row in rows]
    drafts, versions, facts = tx.claims.drafts(ids), tx.claims.versions(ids), tx.claims.facts(ids)
    return [_summary(row, drafts.get(row.id), versions[row.id], facts[row.id]) for row in rows]


def _summary(
    row: ClaimRow, draft: Draft | None, versions: Sequence[Version], facts: Sequence[ClaimFact]
) -> dict[str, Any]:
    claim = draft.claim if draft else versions[-1].claim if versions else None
    return {
        "id": row.id,
        "state": row.state,
        "payer": row.payer,
        "organization": row.organization,
        "form": claim.form if claim else None,
        "level_of_care": claim.key.level_of_care if claim else None,
        "from": claim.statement_from_on.isoformat() if claim else None,
        "through": claim.statement_through_on.isoformat() if claim else None,
        "charge_cents": claim.charge_cents if claim else 0,
        "claim_number": versions[-1].claim_number if versions else None,
        "holds": sorted({each.rule for each in blocks(_findings(row, draft, versions, facts))}) if draft else [],
    }


def _findings(
    row: ClaimRow, draft: Draft | None, versions: Sequence[Version], facts: Sequence[ClaimFact]
) -> tuple[Finding, ...]:
    """What is found on what would leave next, or left last; why the machine holds it comes first."""
    judged = draft.findings if draft else versions[-1].findings if versions else ()
    return (*machine_findings(row.state, facts), *judged)


def claim_detail(tx: Transaction, text: str, words: CodeWords = no_words) -> dict[str, Any]:
    """One claim whole: content, lines, findings, versions, facts, money. Raises NotFound."""
    row = _row(tx, text)
    draft = tx.claims.drafts([row.id]).get(row.id)
    versions = tx.claims.versions([row.id])[row.id]
    facts = tx.claims.facts([row.id])[row.id]
    claim = draft.claim if draft else versions[-1].claim if versions else None
    return {
        **_summary(row, draft, versions, facts),
        "key": row.key,
        "patient_id": row.patient_id,
        "frequency": claim.frequency if claim else None,
        "authorization_number": claim.authorization_number if claim else None,
        "diagnoses": list(claim.diagnoses) if claim else [],
        "lines": [line_view(each) for each in claim.lines] if claim else [],
        "findings": [finding_view(each) for each in _findings(row, draft, (), facts)],
        "versions": [_version(each) for each in versions],
        "facts": [_fact(each) for each in facts],
        "adjustments": adjustment_views(facts, words),
        "remarks": remark_views(facts, words),
        "overrides": _overrides(tx, row),
        "money": [asdict(entry) for entry in tx.ledger.entries(f"claim:{row.id}")],
        "work": _work(tx, row, versions),
        "acts": [_act(each) for each in tx.audit.acts(f"claim:{row.id}")],
    }


def _work(tx: Transaction, row: ClaimRow, versions: Sequence[Version]) -> list[dict[str, Any]]:
    """The work items about the claim, those that somebody closed too."""
    names = {row.id, *(each.claim_number for each in versions)}
    return [work_item_view(each) for each in tx.worklist.items(patient_id=row.patient_id) if each.about in names]


def work_item_view(item: WorkItem) -> dict[str, Any]:
    """One item under its documented keys; what falls due for everybody (no patient) is on no worklist and has no id."""
    closing = item.closing
    return {
        "id": item.id if item.patient_id else None,
        "due_on": item.due_on.isoformat() if item.due_on else None,
        "owner": item.finding.owner,
        "rule": item.finding.rule,
        "message": item.finding.message,
        "fix": item.finding.fix,
        "cents": item.finding.cents,
        "about": item.about,
        "organization": item.organization,
        "patient_id": item.patient_id,
        "values": dict(item.finding.values),
        "source": origin_view(item.finding.origin),
        "closed": {**asdict(closing), "at": closing.at.isoformat()} if closing else None,
    }


def claim_why(tx: Transaction, text: str, words: CodeWords = no_words) -> dict[str, Any]:
    """Why a claim is as it is: for each finding and line the rule, the values, the source field, the mapping entry."""
    row = _row(tx, text)
    draft = tx.claims.drafts([row.id]).get(row.id)
    versions = tx.claims.versions([row.id])[row.id]
    claim = draft.claim if draft else versions[-1].claim if versions else None
    facts = tx.claims.facts([row.id])[row.id]
    findings = _findings(row, draft, versions, facts)
    return {
        "id": row.id,
        "state": row.state,
        "because": _because(row, findings, facts),
        "findings": [finding_view(each) for each in findings],
        "lines": [_why_line(each) for each in claim.lines] if claim else [],
        "adjustments": adjustment_views(facts, words),
        "remarks": remark_views(facts, words),
        "overrides": _overrides(tx, row),
        "mapping_set": claim.catalogue_hash if claim else None,
    }


def _overrides(tx: Transaction, row: ClaimRow) -> list[dict[str, Any]]:
    """Every override there ever was on the claim, run out or not: by whom, why, until when."""
    return [
        {**structs.asdict(each), "expires_on": each.expires_on.isoformat()}
        for each in tx.claims.overrides([row.id])[row.id]
    ]


def _row(tx: Transaction, text: str) -> ClaimRow:
    row = tx.claims.find(text)
    if row is None:
        raise NotFound("there is no such claim; give its id, its number, or its key")
    return row


def _because(row: ClaimRow, findings: Sequence[Finding], facts: Sequence[ClaimFact]) -> str:
    """One sentence on the state: what holds it, or the word that counts most of those that were heard."""
    held = blocks(findings)
    if held:
        others = f" (and {len(held) - 1} more)" if len(held) > 1 else ""
        return f"it is {row.state}: {held[0].message}{others}"
    over = FactKind.NOT_ARRIVED if row.state == ClaimState.IN_DOUBT else FactKind.IN_DOUBT
    heard = [fact for fact in facts if fact.kind in _WORDS and fact.kind is not over]
    if not heard:
        return f"it is {row.state}; nothing holds it"
    last = max(heard, key=lambda fact: (list(_WORDS).index(fact.kind), fact.at))
    told = " ".join(filter(None, (_WORDS[last.kind], _said(last))))
    return f"it is {row.state}: {told} on {last.at:%Y-%m-%d}"


_WORDS = {
    FactKind.RELEASED: "released by",
    FactKind.FROZEN: "written into interchange",
    FactKind.IN_DOUBT: "whether its file arrived is not known ('exchange status' says more), since it broke off",
    FactKind.NOT_ARRIVED: "its file goes again",
    FactKind.DELIVERED: "the partner has the file",
    FactKind.INTERCHANGE: "the interchange was answered",
    FactKind.TRANSACTION: "the transaction set was answered",
    FactKind.CLEARINGHOUSE: "the clearinghouse answered",
    FactKind.PAYER: "the payer answered",
    FactKind.REMITTED: "the payer's remittance",
}
"""What was heard, from the least telling to the most."""
_OF_THE_WAY = (FactKind.IN_DOUBT, FactKind.NOT_ARRIVED, FactKind.DELIVERED)


def _said(fact: ClaimFact) -> str:
    if fact.paid is not None:
        adjusted = (*fact.paid.adjustments, *(each for line in fact.paid.lines for each in line.adjustments))
        reasons = sorted({f"{each.group} {each.reason}" for each in adjusted})
        why = f", adjusted by {', '.join(reasons)}" if reasons else ""
        return f"pays {dollars(fact.paid.paid_cents)} of {dollars(fact.paid.charge_cents)}{why},"
    if fact.kind is FactKind.RELEASED:
        return f"{fact.actor}, {fact.role},"
    if fact.kind in _OF_THE_WAY:
        return f"({fact.reason})" if fact.reason else ""
    return " ".join(filter(None, (fact.code, fact.reason)))


def finding_view(finding: Finding) -> dict[str, Any]:
    """A finding under its documented keys."""
    return {
        "rule": finding.rule,
        "code": finding.code,
        "severity": finding.severity,
        "owner": finding.owner,
        "path": finding.path,
        "message": finding.message,
        "fix": finding.fix,
        "values": dict(finding.values),
        "source": origin_view(finding.origin),
        "cents": finding.cents,
        "overridable": finding.overridable,
    }


def origin_view(origin: Origin | None) -> dict[str, str] | None:
    """Source field, mapping entry and message of a value."""
    if origin is None:
        return None
    return {"field": origin.source, "mapping": origin.mapping, "message_id": origin.message_id}


def line_view(line: ClaimLine) -> dict[str, Any]:
    """One entry of ``lines`` of a claim."""
    return {
        "number": line.number,
        "service_on": line.service_on.isoformat(),
        "revenue_code": line.revenue_code,
        "hcpcs": line.hcpcs,
        "modifiers": list(line.modifiers),
        "units": line.units,
        "charge_cents": line.charge_cents,
        "place_of_service": line.place_of_service,
    }


def _why_line(line: ClaimLine) -> dict[str, Any]:
    names = {*line.origins, *(("service_on",) if "start_at" in line.origins else ())}
    return {
        **line_view(line),
        "definition": line.definition_id,
        "definition_entry": line.definition,
        "charge_entry": line.charge_entry,
        "minutes": line.minutes,
        "services": line.services,
        "encounter_ids": list(line.encounter_ids),
        "sources": {name: origin_view(line.origin(name)) for name in sorted(names)},
    }


def _version(version: Version) -> dict[str, Any]:
    return {
        "number": version.number,
        "claim_number": version.claim_number,
        "frequency": version.claim.frequency,
        "charge_cents": version.claim.charge_cents,
        "frozen_at": version.frozen_at.isoformat(),
        "interchange_id": version.interchange_id,
    }


def _fact(fact: ClaimFact) -> dict[str, Any]:
    paid = None
    if fact.paid is not None:
        paid = {
            "status_code": fact.paid.status_code,
            "charge_cents": fact.paid.charge_cents,
            "paid_cents": fact.paid.paid_cents,
            "patient_cents": fact.paid.patient_cents,
            "adjustments": [
                {"group": each.group, "reason": each.reason, "cents": each.cents}
                for each in (*fact.paid.adjustments, *(one for line in fact.paid.lines for one in line.adjustments))
            ],
        }
    return {
        "kind": fact.kind,
        "code": fact.code,
        "reason": fact.reason,
        "at": fact.at.isoformat(),
        "actor": fact.actor,
        "role": fact.role,
        "payer_claim_number": fact.payer_claim_number or None,
        "paid": paid,
    }


def _act(act: Any) -> dict[str, Any]:
    return {**act, "at": act["at"].isoformat()}


def placement_list(tx: Transaction, place: str = "", on: date | None = None) -> list[dict[str, Any]]:
    """Encounters and where each one's bill is."""
    return [
        _placement(row)
        for row in tx.claims.placements()
        if (not place or row.place == place) and (on is None or row.on == on)
    ]


def would_be(
    tx: Transaction, encounter_ids: Sequence[str], known: Mapping[str, Merged[EncounterRecord]]
) -> dict[str, Any]:
    """{"claims", "days", "encounters"}: each claim of the encounters' patients that would carry one of them with its
    why, the patients' days, and the encounters as they are ``known`` and placed."""
    patients = sorted(tx.subjects.patients_of(encounter_ids))
    rows = tx.claims.of_patients(patients)
    ids = [row.id for row in rows]
    drafts, versions, wanted = tx.claims.drafts(ids), tx.claims.versions(ids), set(encounter_ids)
    facts, states = tx.claims.facts(ids), {row.key: row.state for row in rows}
    placed = {row.encounter_id: row for row in tx.claims.placements_of(encounter_ids)}
    return {
        "claims": [
            {**_summary(row, drafts.get(row.id), versions[row.id], facts[row.id]), **claim_why(tx, row.id)}
            for row in rows
            if row.id in drafts and wanted.intersection(drafts[row.id].encounter_ids)
        ],
        "days": [_day(row) for row in tx.claims.days(patients)],
        "encounters": [
            {**_placement(row), "place": place_of(row, states), "record": record_view(known[each].record)}
            for each in encounter_ids
            if (row := placed.get(each)) is not None and each in known
        ],
    }


def record_view(record: EncounterRecord) -> dict[str, Any]:
    """What is known of an encounter, in our words and without names."""
    return {
        "status": record.status,
        "session": record.session,
        "start_at": record.start_at.isoformat() if record.start_at else None,
        "end_at": record.end_at.isoformat() if record.end_at else None,
        "level_of_care": record.level_of_care,
        "program": record.program,
        "facility": record.facility,
        "modality": record.modality,
        "note_signed": record.note_signed,
        "attending_npi": record.attending.npi if record.attending else None,
        "rendering_npi": record.rendering.npi if record.rendering else None,
        "diagnoses": list(record.diagnoses),
        "authorization_number": record.authorization_number,
        "place_of_service": record.place_of_service,
        "charge_code": record.charge_code,
    }


def _day(row: DayRow) -> dict[str, Any]:
    return {
        "on": row.on.isoformat(),
        "facility": row.facility,
        "program": row.program,
        "level_of_care": row.level_of_care,
        "minutes": row.minutes,
        "services": row.services,
        "cents": row.cents,
    }


def _placement(row: PlacementRow) -> dict[str, Any]:
    return {
        "encounter_id": row.encounter_id,
        "place": row.place,
        "reason": row.reason,
        "on": row.on.isoformat() if row.on else None,
        "payer": row.payer,
        "claim_key": row.claim_key,
        "cents": row.cents,
        "findings": [finding_view(each) for each in row.findings],
    }
