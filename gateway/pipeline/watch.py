"""What a derivation keeps of a patient beside claims: authorizations' accounts, what needs somebody soon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from gateway.authorization.account import AuthorizationAccount, AuthorizationEntry, Stage
from gateway.claim.claim import Claim
from gateway.pipeline.facts import PatientFacts
from gateway.ports.storage import Transaction
from gateway.ports.watch import AuthorizationRow, EntryRow, WorkItem
from gateway.ports.work import WorkKind
from gateway.rules.context import AuthorizationUse

_TAKEN = (Stage.ACCRUED, Stage.CONSUMED)


class Watched(Struct, frozen=True, kw_only=True):
    """One patient's authorizations after a derivation."""

    facts: PatientFacts
    entries: tuple[AuthorizationEntry, ...]
    accounts: tuple[AuthorizationAccount, ...]
    items: tuple[WorkItem, ...] = ()

    def uses_beside(self, claim: Claim) -> Iterator[AuthorizationUse]:
        """What other claims take of the claim's authorization: the patient's own, and the same member's elsewhere."""
        own_key, number, payer = str(claim.key), claim.authorization_number, claim.key.payer
        elsewhere = (row.entry for row in self.facts.elsewhere)
        for each in (*self.entries, *elsewhere):
            if each.stage in _TAKEN and (each.number, each.payer) == (number, payer) and each.claim_key != own_key:
                yield AuthorizationUse(
                    number=number,
                    on=each.on,
                    units=each.units,
                    claim_key=each.claim_key,
                    sent=each.stage is Stage.CONSUMED,
                )


def keep_watch(tx: Transaction, patient_ids: Sequence[str], watched: Sequence[Watched]) -> None:
    """Replace what is kept of the patients; whoever shares an authorization that changed is derived again."""
    rows, entries, others = [], [], set()
    for each in watched:
        facts = each.facts
        organization = facts.case.organization if facts.case else next((it.row.organization for it in facts.claims), "")
        rows += [
            AuthorizationRow(
                id=known.id,
                organization=organization,
                patient_id=facts.patient_id,
                payer=account.payer,
                week_start=account.week_start,
                record=known.record,
            )
            for known, account in zip(facts.authorizations, each.accounts, strict=True)
        ]
        entries += [
            EntryRow(organization=organization, patient_id=facts.patient_id, entry=entry) for entry in each.entries
        ]
        if facts.elsewhere and frozenset(_shared(each)) != facts.entries_before:
            others |= {row.patient_id for row in facts.elsewhere}
    tx.authorizations.replace(patient_ids, rows, entries)
    tx.sessions.replace(patient_ids, [row for each in watched for row in each.facts.gathering.rows])
    others |= {patient_id for each in watched for patient_id in each.facts.gathering.affected}
    tx.worklist.replace(patient_ids, [item for each in watched for item in each.items])
    tx.work.add(WorkKind.DERIVE, others)


def _shared(watched: Watched) -> Iterator[AuthorizationEntry]:
    """The patient's own entries in accounts that others have a part in."""
    names = {(row.entry.payer, row.entry.member, row.entry.number) for row in watched.facts.elsewhere}
    return (each for each in watched.entries if (each.payer, each.member, each.number) in names)
