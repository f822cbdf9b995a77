"""Each clinician is credentialed with the payer on every date of service, where the payer credentials clinicians.

Why: days of a clinician the payer has not credentialed yet are denied (CARC 185, B7, 208), and back-dating is rare.
Fails: a payer that credentials practitioners, and a rendering or attending clinician with no active credential in that
    role covering a day billed; a credential tied to another location. Warns: the claim's taxonomy is none of those the
    payer has for the clinician; the credential ends within `warn_days` (30).
Passes: an active credential from before the first day billed, or back-dated by the payer to it (`retro_effective_on`),
    to after the last; payers that credential the facility alone. A roster never loaded is told once, by readiness.
Source: 42 CFR 424.516 (enrollment), payers' credentialing terms; the payer's file (`credentials: practitioner`) and the
    organization's roster. A payer may set `role: any` where one credential serves in every role.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from gateway.claim.claim import ClaimLine
from gateway.claim.contract import CredentialNeed, ServiceDefinition
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.party import Practitioner
from gateway.claim.roster import CredentialRecord, CredentialStatus, RosterKind
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule
from gateway.services.origins import origin_of

_Line = tuple[int, ClaimLine, ServiceDefinition | None]


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    payer = inspection.context.payer
    if payer is None or payer.credentials is not CredentialNeed.PRACTITIONER:
        return
    roster = inspection.context.credentials
    if roster is None:
        yield from RULE.never_loaded(inspection, RosterKind.CREDENTIALS)
        return
    any_role, location_npi, dates = limits["role"] == "any", inspection.claim.location_npi, inspection.dates
    for (npi, role), (who, lines) in _billed(inspection).items():
        held = [
            each for each in roster if each.npi == npi and each.payer == payer.id and (any_role or each.role == role)
        ]
        here = [each for each in held if each.location_npi in ("", location_npi)]
        if not [each for each in here if each.covers(dates[0]) and each.covers(dates[-1])]:
            uncovered = [line for line in lines if not any(each.covers(line[1].service_on) for each in here)]
            if uncovered:
                yield _uncovered(inspection, who, role, held, uncovered)
                continue
        yield from _remarks(inspection, who, role, held, int(limits["warn_days"]))


def _billed(inspection: Inspection) -> dict[tuple[str, str], tuple[Practitioner, Sequence[_Line]]]:
    """The lines of each clinician by NPI and role."""
    claim = inspection.claim
    billed: dict[tuple[str, str], tuple[Practitioner, Sequence[_Line]]] = {}
    if claim.attending is not None and claim.attending.npi and inspection.lines:
        billed[claim.attending.npi, "attending"] = claim.attending, inspection.lines
    rendered: dict[str, list[_Line]] = {}
    for each in inspection.lines:
        who = each[1].rendering or claim.rendering
        if who is not None and who.npi:
            known = rendered.get(who.npi)
            if known is None:
                rendered[who.npi] = known = []
                billed[who.npi, "rendering"] = who, known
            known.append(each)
    return billed


def _uncovered(
    inspection: Inspection, who: Practitioner, role: str, held: Sequence[CredentialRecord], lines: Sequence[_Line]
) -> Finding:
    claim = inspection.claim
    index, first, _ = lines[0]
    active = [each for each in held if each.status is CredentialStatus.ACTIVE]
    since = min((each.since for each in active), default=None)
    known = "has no credential on the roster"
    if since:
        known = f"is credentialed from {since}"
    elif held:
        known = f"has a credential that is {held[0].status}"
    return RULE.finding(
        f"lines[{index}].rendering" if role == "rendering" else "attending",
        f"The {role} clinician {known} with {claim.insured.payer_name}; "
        f"{len(lines)} days from {first.service_on} are not covered.",
        "Ask the payer for the effective date; bill the days once the roster says so, or under another clinician "
        "who rendered them.",
        values={
            "npi": who.npi,
            "role": role,
            "payer": claim.insured.payer,
            "credential_from": str(since or ""),
            "entry": ", ".join(each.entry for each in held if each.entry),
            "days": ", ".join(line.service_on.isoformat() for _, line, _ in lines),
        },
        origin=origin_of(first.origins, role) or inspection.origin(role),
        cents=sum(line.charge_cents for _, line, _ in lines),
    )


def _remarks(
    inspection: Inspection, who: Practitioner, role: str, held: Sequence[CredentialRecord], warn_days: int
) -> Iterator[Finding]:
    """Warnings of a clinician whose days are covered: another taxonomy, a credential about to end."""
    known = {each.taxonomy for each in held if each.taxonomy}
    if who.taxonomy and known and who.taxonomy not in known:
        yield RULE.finding(
            role,
            f"The {role} clinician's taxonomy is not the one the payer has.",
            "Correct the taxonomy in the EHR, or tell the payer and then the roster.",
            values={"npi": who.npi, "found": who.taxonomy, "roster": ", ".join(sorted(known))},
            severity=Severity.WARN,
        )
    today = inspection.context.today
    last = max([each.end_on or date.max for each in held])
    if today <= last <= today + timedelta(days=warn_days):
        yield RULE.finding(
            role,
            f"The {role} clinician's credential with {inspection.claim.insured.payer_name} ends on {last}.",
            "Have it renewed, then load the roster again.",
            values={"npi": who.npi, "end_on": last.isoformat()},
            severity=Severity.WARN,
        )


RULE = Rule(
    name="clinicians-credentialed",
    code="G21",
    severity=Severity.BLOCK,
    owner=Owner.CREDENTIALING,
    group=Group.CREDENTIALING,
    snip=7,
    page=__doc__,
    check=_check,
    needs=(Need.CREDENTIALS,),
    limits={"role": "same", "warn_days": "30"},
    limit_words={"role": ("same", "any")},
)
