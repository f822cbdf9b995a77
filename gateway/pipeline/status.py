"""Status back to the EHR: claims in the ids of the source that asks, which sees only what it told us of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.claim.answer import PaidLine
from gateway.claim.claim import Claim, ClaimLine
from gateway.claim.contract import Catalogue
from gateway.claim.party import Identifier
from gateway.claim.record import RecordKind
from gateway.lifecycle import ClaimFact, FactKind
from gateway.pipeline.owners import SourceOwner
from gateway.ports import ClaimStatus
from gateway.ports.claims import ClaimRow, Draft, Version
from gateway.ports.storage import Store, Transaction


class ClaimStatuses:
    """Implements gateway.ports.StatusReader."""

    def __init__(self, store: Store, catalogue: Catalogue, owners: Mapping[str, SourceOwner]) -> None:
        self._store = store
        self._catalogue = catalogue
        self._owners = owners

    def claim_statuses(
        self, source: str, *, patient: str = "", encounter: str = "", claim: str = ""
    ) -> list[ClaimStatus]:
        """Claims of a patient, an encounter, or one claim, that this source knows the patient of."""
        organization = self._owners[source].organization
        with self._store.read() as tx:
            rows = _found(tx, source, organization, patient, encounter, claim)
            known = tx.subjects.identifiers([row.patient_id for row in rows])
            rows = [row for row in rows if _references(known[row.patient_id], source, "Patient")]
            ids = [row.id for row in rows]
            drafts, versions, facts = tx.claims.drafts(ids), tx.claims.versions(ids), tx.claims.facts(ids)
            return [
                self._status(tx, source, row, drafts.get(row.id), versions[row.id], facts[row.id])
                for row in rows
                if row.id in drafts or versions[row.id]
            ]

    def _status(
        self,
        tx: Transaction,
        source: str,
        row: ClaimRow,
        draft: Draft | None,
        versions: Sequence[Version],
        facts: Sequence[ClaimFact],
    ) -> ClaimStatus:
        last = versions[-1] if versions else None
        content = last.claim if last else draft.claim if draft else None
        assert content is not None, "a claim has a draft or a version"
        encounters = sorted({each for line in content.lines for each in line.encounter_ids})
        names = tx.subjects.identifiers([row.patient_id, *encounters])
        paid = [fact.paid for fact in facts if fact.paid is not None]
        adjustments = [
            (each.group, each.reason, each.cents)
            for one in paid
            for each in (*one.adjustments, *(adjusted for line in one.lines for adjusted in line.adjustments))
        ]
        payer = self._catalogue.payers.get(row.payer)
        return ClaimStatus(
            claim_id=row.id,
            claim_number=last.claim_number if last else "",
            state=row.state,
            patient_references=_references(names[row.patient_id], source, "Patient"),
            encounter_references=tuple(
                reference for each in encounters for reference in _references(names[each], source, "Encounter")
            ),
            payer=row.payer,
            payer_name=payer.name if payer else row.payer,
            payer_claim_number=next(
                (each.payer_claim_number for each in reversed(facts) if each.payer_claim_number), ""
            ),
            service_start=content.statement_from_on.isoformat(),
            service_end=content.statement_through_on.isoformat(),
            charge_cents=content.charge_cents,
            paid_cents=sum(each.paid_cents for each in paid),
            patient_cents=sum(cents for group, _, cents in adjustments if group == "PR"),
            adjustments=tuple(adjustments),
            lines=tuple(_line(each, paid_lines) for each, paid_lines in _with_payments(content, facts)),
            findings=draft.findings if draft else (),
            updated_at=facts[-1].at if facts else row.created_at,
            acknowledgement_codes=tuple(
                fact.reason for fact in facts if fact.kind in (FactKind.CLEARINGHOUSE, FactKind.PAYER) and fact.reason
            ),
            paid_on=next((f"{fact.paid_on}" for fact in reversed(facts) if fact.paid_on), ""),
        )


def _found(tx: Transaction, source: str, organization: str, patient: str, encounter: str, claim: str) -> list[ClaimRow]:
    if claim:
        row = tx.claims.find(claim)
        return [row] if row and row.organization == organization else []
    kind, text = (RecordKind.ENCOUNTER, encounter) if encounter else (RecordKind.PATIENT, patient)
    subject = _subject(tx, source, organization, kind, text)
    if subject is None:
        return []
    if kind is RecordKind.PATIENT:
        return tx.claims.of_patients([subject, *tx.subjects.joined([subject])[subject]])
    placed = (row for row in tx.claims.placements_of([subject]) if row.claim_key)
    return [row for row in (tx.claims.find(each.claim_key) for each in placed) if row]


def _subject(tx: Transaction, source: str, organization: str, kind: RecordKind, text: str) -> str | None:
    """The subject of ``Type/id`` or ``system|value``, both in the source's own terms."""
    references = [text]
    if "|" in text:
        type = "Patient" if kind is RecordKind.PATIENT else "Encounter"
        system, _, value = text.partition("|")
        references = [f"{type}/{id}" for id in tx.resources.identified(source, type, Identifier(system, value))]
    for reference in references:
        found = tx.subjects.find(organization, kind, Identifier(source, reference))
        if found is not None:
            return found
    return None


def _references(identifiers: Sequence[Identifier], source: str, type: str) -> tuple[str, ...]:
    prefix = f"{type}/"
    return tuple(each.value for each in identifiers if each.namespace == source and each.value.startswith(prefix))


def _with_payments(content: Claim, facts: Sequence[ClaimFact]) -> list[tuple[ClaimLine, list[PaidLine]]]:
    """Each line of the claim with the payments that name its date and code."""
    paid = [line for fact in facts if fact.paid for line in fact.paid.lines]
    return [(line, [each for each in paid if _names(each, line)]) for line in content.lines]


def _names(paid: PaidLine, line: ClaimLine) -> bool:
    codes = (paid.service_on, paid.hcpcs, paid.revenue_code)
    return codes == (line.service_on, line.hcpcs, line.revenue_code)


def _line(line: ClaimLine, payments: Sequence[PaidLine]) -> dict[str, Any]:
    return {
        "number": line.number,
        "service_on": line.service_on.isoformat(),
        "revenue_code": line.revenue_code,
        "hcpcs": line.hcpcs,
        "modifiers": list(line.modifiers),
        "units": line.units,
        "charge_cents": line.charge_cents,
        "paid_cents": sum(each.paid_cents for each in payments),
        "adjustments": [(one.group, one.reason, one.cents) for each in payments for one in each.adjustments],
    }
