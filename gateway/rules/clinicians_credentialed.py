"""Each clinician is credentialed with the payer on every date of service, where the payer credentials clinicians.

Why: days of a clinician the payer has not credentialed yet are denied (CARC 185, B7, 208), and back-dating is rare.
Fails: a payer that credentials practitioners, and a rendering or attending clinician with no credential in that role
    covering a day billed; a credential tied to another location. Warns once: no roster is loaded.
Passes: a credential from before the first day billed to after the last; payers that credential the facility alone.
Source: 42 CFR 424.516 (enrollment), payers' credentialing terms; the payer's file (`credentials: practitioner`) and the
    organization's roster. A payer may set `role: any` where one credential serves in every role.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.claim.contract import CredentialNeed
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import CredentialRecord
from gateway.rules.rule import Group, Inspection, Limits, Rule
from gateway.services.origins import origin_of

Billed = dict[tuple[str, str], list[tuple[int, date, int]]]
"""Line index, date and cents by (NPI, role)."""


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    payer, claim = inspection.context.payer, inspection.claim
    if payer is None or payer.credentials is not CredentialNeed.PRACTITIONER:
        return
    roster = inspection.context.credentials
    if roster is None:
        yield RULE.finding(
            "",
            f"No credentialing roster is loaded, so {payer.name}'s credentialing was not checked.",
            "Load the organization's roster of credentials by payer.",
            values={"source": "credentialing roster", "payer": payer.id},
            severity=Severity.WARN,
        )
        return
    any_role = limits["role"] == "any"
    for (npi, role), days in _billed(inspection).items():
        held = [
            each for each in roster if each.npi == npi and each.payer == payer.id and (any_role or each.role == role)
        ]
        uncovered = [day for day in days if not any(_covers(each, day[1], inspection) for each in held)]
        if not uncovered:
            continue
        index, first, _ = uncovered[0]
        since = min((each.start_on for each in held), default=None)
        known = f"is credentialed from {since}" if since else "has no credential on the roster"
        yield RULE.finding(
            f"lines[{index}].rendering" if role == "rendering" else "attending",
            f"The {role} clinician {known} with {payer.name}; {len(uncovered)} days from {first} are not covered.",
            "Ask the payer for the effective date; bill the days once the roster says so, or under another clinician "
            "who rendered them.",
            values={
                "npi": npi,
                "role": role,
                "payer": payer.id,
                "credential_from": str(since or ""),
                "days": ", ".join(on.isoformat() for _, on, _ in uncovered),
            },
            origin=origin_of(claim.lines[index].origins, role) or inspection.origin(role),
            cents=sum(cents for _, _, cents in uncovered),
        )


def _billed(inspection: Inspection) -> Billed:
    claim = inspection.claim
    billed: Billed = {}
    for index, line in enumerate(claim.lines):
        rendering = line.rendering or claim.rendering
        for who, role in ((claim.attending, "attending"), (rendering, "rendering")):
            if who is not None and who.npi:
                billed.setdefault((who.npi, role), []).append((index, line.service_on, line.charge_cents))
    return billed


def _covers(credential: CredentialRecord, on: date, inspection: Inspection) -> bool:
    claim = inspection.claim
    place = claim.service_facility.npi if claim.service_facility else ""
    return (
        credential.start_on <= on
        and (credential.end_on is None or on <= credential.end_on)
        and credential.location_npi in ("", place, claim.billing_provider.npi)
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
    limits={"role": "same"},
    limit_words={"role": ("same", "any")},
)
