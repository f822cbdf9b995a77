"""Is an organization ready to bill: which rosters nobody loaded, what falls due in the next days, and its price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from gateway.claim.claim import Claim
from gateway.claim.contract import Catalogue, CredentialNeed, Organization
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.roster import ENROLLMENTS, CredentialRecord, CredentialRole, RosterKind
from gateway.pipeline.derive import today_of
from gateway.pipeline.papers_due import at_stake
from gateway.pipeline.views import work_item_view
from gateway.ports.policy import PolicyInForce
from gateway.ports.storage import Transaction
from gateway.ports.watch import WorkItem
from gateway.rules import clinicians_credentialed, licenses_in_force, transactions_enrolled
from gateway.rules.rule import Rule

_STILL_COUNTED = timedelta(days=62)
"""Claims younger than this are looked at: two months of the longest cadence but one, the stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRoster:
    """A roster nobody loaded, said once for the organization. ``claims`` are unsent ones that it concerns."""

    organization: str
    roster: str
    finding: Finding
    claims: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What is missing and what falls due until ``through``; due things are in order of their day."""

    today: date
    through: date
    missing: tuple[MissingRoster, ...]
    due: tuple[WorkItem, ...]
    record_numbers: Mapping[str, str]
    """Medical record numbers by patient id, for whoever has to look after something."""

    @property
    def ready(self) -> bool:
        """True when nothing is overdue and nothing unknown holds claims."""
        holds = any(each.finding.severity is Severity.BLOCK for each in self.missing)
        return not holds and not any(each.due_on is not None and each.due_on < self.today for each in self.due)


@dataclass(slots=True)
class _Claims:
    """An organization's claims of the last weeks, and which of them have not been sent."""

    recent: list[Claim] = field(default_factory=list)
    unsent: list[Claim] = field(default_factory=list)


def readiness(tx: Transaction, policy: PolicyInForce, tenant: str, now: datetime, days: int) -> Readiness:
    """The readiness of the tenant's organizations in the mapping set in force."""
    catalogue = policy.catalogue
    organizations = [each for each in catalogue.organizations.values() if each.tenant == tenant]
    loaded = tx.rosters.kinds([each.id for each in organizations])
    claims = _claims(tx, now)
    missing: list[MissingRoster] = []
    due = [each for each in tx.worklist.items() if each.closing is None]
    todays = [now.date()]
    for organization in organizations:
        own, today = claims[organization.id], today_of(catalogue, organization.id, now)
        todays.append(today)
        missing += _missing(organization, catalogue, loaded[organization.id], own.unsent)
        window = _Window(organization, own.recent, today, today + timedelta(days=days))
        due += _credentials(window, catalogue, tx.rosters.credentials(organization.id))
        due += _enrollments(window, catalogue)
    today = min(todays)
    through = today + timedelta(days=days)
    shown = [each for each in due if each.due_on is None or each.due_on <= through]
    shown.sort(key=lambda each: (each.due_on or date.max, -each.finding.cents, each.about))
    return Readiness(
        today=today,
        through=through,
        missing=tuple(missing),
        due=tuple(shown),
        record_numbers=_record_numbers(tx, policy, shown),
    )


def _record_numbers(tx: Transaction, policy: PolicyInForce, items: Sequence[WorkItem]) -> dict[str, str]:
    owners = {each.patient_id: each.organization for each in items if each.patient_id}
    names = tx.subjects.identifiers(sorted(owners))
    return {each: policy.medical_record_number(owners[each], names[each]) for each in owners}


def readiness_view(found: Readiness) -> dict[str, Any]:
    """What nobody loaded, each roster once for an organization, and what falls due."""
    return {
        "ready": found.ready,
        "today": found.today.isoformat(),
        "through": found.through.isoformat(),
        "missing": [
            {
                "organization": each.organization,
                "roster": each.roster,
                "severity": each.finding.severity,
                "owner": each.finding.owner,
                "message": each.finding.message,
                "fix": each.finding.fix,
                "claims": each.claims,
                "cents": each.finding.cents,
            }
            for each in found.missing
        ],
        "due": [
            {
                **work_item_view(each),
                "overdue": each.due_on is not None and each.due_on < found.today,
                "record_number": found.record_numbers.get(each.patient_id) or None,
            }
            for each in found.due
        ],
    }


def _claims(tx: Transaction, now: datetime) -> defaultdict[str, _Claims]:
    """Claims by organization: drafts, and the newest version of what was made lately."""
    found: defaultdict[str, _Claims] = defaultdict(_Claims)
    rows = {row.id: row for row in tx.claims.search()}
    drafts = tx.claims.drafts(list(rows))
    for id, draft in drafts.items():
        own = found[rows[id].organization]
        own.unsent.append(draft.claim)
        own.recent.append(draft.claim)
    young = [id for id, row in rows.items() if id not in drafts and row.created_at >= now - _STILL_COUNTED]
    for id, versions in tx.claims.versions(young).items():
        if versions:
            found[rows[id].organization].recent.append(versions[-1].claim)
    return found


# --- what nobody loaded ----------------------------------------------------------------------------------------------


def _missing(
    organization: Organization, catalogue: Catalogue, loaded: Iterable[RosterKind], unsent: Sequence[Claim]
) -> Iterator[MissingRoster]:
    clocked = {each.id for each in catalogue.services if each.certification is not None}
    bound = {each.id for each in organization.programs if each.part_2}
    concerned: Mapping[RosterKind, Sequence[Claim]] = {
        RosterKind.CREDENTIALS: unsent,
        RosterKind.ELIGIBILITY: unsent,
        RosterKind.CERTIFICATIONS: [
            each for each in unsent if any(line.definition_id in clocked for line in each.lines)
        ],
        RosterKind.CONSENTS: [each for each in unsent if each.key.program in bound],
    }
    needed = {
        RosterKind.CREDENTIALS: True,
        RosterKind.ELIGIBILITY: True,
        RosterKind.CERTIFICATIONS: bool(clocked),
        RosterKind.CONSENTS: bool(bound),
    }
    for kind, wanted in needed.items():  # authorizations come by feeds: nobody need load a roster of them
        if wanted and kind not in loaded:
            how = f"Load it: 'cleanclaim rosters import {kind} FILE'."
            yield _never_loaded(organization, kind, f"The roster of {kind} was never loaded.", how, concerned[kind])
    for payer in catalogue.payers.values():
        if payer.enrollments is None and payer.routes:
            own = [each for each in unsent if each.insured.payer == payer.id]
            said = f"{payer.name}'s file has no roster of enrollments."
            how = "List the enrollments per NPI and transaction in the payer's file (enrollments)."
            yield _never_loaded(organization, ENROLLMENTS, said, how, own)


def _never_loaded(
    organization: Organization, roster: str, message: str, fix: str, claims: Sequence[Claim]
) -> MissingRoster:
    severity: Severity = getattr(organization.unknown, roster)
    finding = Finding(
        rule="roster-missing",
        code="",
        severity=severity,
        path="",
        message=message,
        fix=fix,
        owner=_OWNERS[roster],
        values={"roster": roster},
        cents=sum(each.charge_cents for each in claims),
    )
    return MissingRoster(organization=organization.id, roster=roster, finding=finding, claims=len(claims))


_OWNERS: Mapping[str, Owner] = {
    RosterKind.CREDENTIALS: Owner.CREDENTIALING,
    RosterKind.ELIGIBILITY: Owner.FRONT_DESK,
    RosterKind.CERTIFICATIONS: Owner.CLINICIAN,
    RosterKind.CONSENTS: Owner.FRONT_DESK,
    ENROLLMENTS: Owner.CREDENTIALING,
}


# --- what ends for everybody -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Window:
    """What one organization's claims rest on, and the days it is looked at for."""

    organization: Organization
    claims: Sequence[Claim]
    today: date
    through: date

    def ending(
        self, rule: Rule, what: str, fix: str, end_on: date, about: str, rests: Callable[[Claim], bool]
    ) -> Iterator[WorkItem]:
        """The item of something that ends in these days; what ended before is shown while claims still rest on it."""
        if end_on > self.through:
            return
        cents = at_stake([each for each in self.claims if rests(each)], end_on + timedelta(days=1), self.today)
        if end_on >= self.today or cents:
            said = f"{what} {'ended' if end_on < self.today else 'ends'} on {end_on}."
            finding = rule.finding("", said, fix, cents=cents, severity=Severity.WARN)
            yield WorkItem(
                organization=self.organization.id, patient_id="", finding=finding, due_on=end_on, about=about
            )


def _credentials(window: _Window, catalogue: Catalogue, roster: Sequence[CredentialRecord]) -> Iterator[WorkItem]:
    ends: dict[tuple[str, str, str], date] = {}
    licenses: dict[str, date] = {}
    for each in roster:
        key = (each.npi, each.payer, each.role)
        ends[key] = max(ends.get(key, date.min), each.end_on or date.max)
        if each.license_end_on is not None:
            licenses[each.npi] = max(licenses.get(each.npi, date.min), each.license_end_on)
    fix = "Have the payer renew it, then load the roster."
    for (npi, payer_id, role), end_on in sorted(ends.items()):
        payer = catalogue.payers.get(payer_id)
        if payer is None or (role != CredentialRole.BILLING and payer.credentials is not CredentialNeed.PRACTITIONER):
            continue
        what = f"The {role} credential of NPI {npi} with {payer.name}"
        rests = partial(_rests_on, npi=npi, payer=payer_id)
        yield from window.ending(clinicians_credentialed.RULE, what, fix, end_on, npi, rests)
    fix = "Have it renewed, then load the roster with the new date."
    for npi, end_on in sorted(licenses.items()):
        rests = partial(_rests_on, npi=npi)
        yield from window.ending(licenses_in_force.RULE, f"The license of NPI {npi}", fix, end_on, npi, rests)


def _enrollments(window: _Window, catalogue: Catalogue) -> Iterator[WorkItem]:
    npi = window.organization.npi
    for payer in catalogue.payers.values():
        ends: dict[str, date] = {}
        for each in payer.enrollments or ():
            if each.npi == npi:
                ends[each.transaction] = max(ends.get(each.transaction, date.min), each.span.end_on or date.max)
        for transaction, end_on in sorted(ends.items()):
            what = f"The {transaction} enrollment of NPI {npi} with {payer.name}"
            fix = "Renew it with the payer, then correct the payer's file."
            rests = partial(_rests_on, npi=npi, payer=payer.id)
            about = f"{payer.id} {transaction}"
            yield from window.ending(transactions_enrolled.RULE, what, fix, end_on, about, rests)


def _rests_on(claim: Claim, npi: str, payer: str = "") -> bool:
    """True when the NPI bills, attends or renders on the claim, and it goes to the payer."""
    clinicians = (claim.attending, claim.rendering, *(line.rendering for line in claim.lines))
    people = {claim.billing_provider.npi, *(each.npi for each in clinicians if each is not None)}
    return npi in people and payer in ("", claim.insured.payer)
