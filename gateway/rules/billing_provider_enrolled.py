"""The billing NPI is enrolled with the payer on every date of service, with this tax id, taxonomy and location.

Why: a claim of a provider, a tax id or a site the payer has not on file for the day is denied (CARC 185, B7, 208; RARC
    N95, N570), and Medicaid enrolls site by site.
Fails: the roster has the billing NPI with the payer, and no active row covers a day billed; rows for other locations
    only; another tax id or taxonomy than the claim's. Where the roster does not have the NPI with the payer at all,
    enrollment is unknown and weighs what the organization chose (`unknown: credentials`).
Passes: an active `billing` row over every day billed, with no location or the claim's, and no other tax id or taxonomy.
Source: 42 CFR 424.516, 455.410 (Medicaid enrollment); the organization's roster (`role: billing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.roster import CredentialRecord, CredentialRole, RosterKind
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim, roster = inspection.claim, inspection.context.credentials
    if roster is None:
        yield from RULE.never_loaded(inspection, RosterKind.CREDENTIALS)
        return
    billing, payer = claim.billing_provider, claim.insured.payer
    npi = billing.npi
    held = [each for each in roster if each.npi == npi and each.payer == payer and each.role is CredentialRole.BILLING]
    if not held:
        yield RULE.finding(
            "billing_provider.npi",
            f"The roster does not say whether the billing NPI is enrolled with {claim.insured.payer_name}.",
            "Add a row with the role billing for it to the roster.",
            values={"npi": billing.npi, "payer": claim.insured.payer},
            cents=claim.charge_cents,
            severity=inspection.weight_of_unknown(RosterKind.CREDENTIALS),
        )
        return
    location_npi = claim.location_npi
    here = [each for each in held if each.location_npi in ("", location_npi)]
    if not here:
        places = sorted(each.location_npi for each in held)
        yield _finding(inspection, "npi", "is enrolled at other locations only", claim.location_npi, places)
        return
    days = inspection.dates
    whole = not days or any(each.covers(days[0]) and each.covers(days[-1]) for each in here)
    uncovered = [] if whole else [on for on in days if not any(each.covers(on) for each in here)]
    if uncovered:
        yield _uncovered(inspection, here, uncovered)
        return
    if (tax_ids := {each.tax_id for each in here if each.tax_id}) and billing.tax_id not in tax_ids:
        yield _finding(inspection, "tax_id", "is enrolled with another tax id", billing.tax_id, sorted(tax_ids))
    if (taxonomies := {each.taxonomy for each in here if each.taxonomy}) and billing.taxonomy not in taxonomies:
        said = "is enrolled with another taxonomy"
        yield _finding(inspection, "taxonomy", said, billing.taxonomy, sorted(taxonomies))


def _uncovered(inspection: Inspection, held: Sequence[CredentialRecord], days: Sequence[date]) -> Finding:
    claim, wanted = inspection.claim, set(days)
    since = min(each.since for each in held)
    return RULE.finding(
        "billing_provider.npi",
        f"The billing NPI's enrollment with {claim.insured.payer_name} runs from {since} ({held[0].status}); "
        f"{len(days)} days from {days[0]} are not covered.",
        "Ask the payer for the effective date and load the roster again; bill the days once they are covered.",
        values={
            "npi": claim.billing_provider.npi,
            "enrolled_from": since.isoformat(),
            "entry": ", ".join(each.entry for each in held if each.entry),
            "days": ", ".join(on.isoformat() for on in days),
        },
        cents=sum(line.charge_cents for line in claim.lines if line.service_on in wanted),
    )


def _finding(inspection: Inspection, name: str, said: str, found: str, roster: Sequence[str]) -> Finding:
    claim = inspection.claim
    organization = inspection.context.catalogue.organizations.get(claim.key.organization)
    return RULE.finding(
        f"billing_provider.{name}",
        f"The billing NPI {said} with {claim.insured.payer_name}.",
        "Correct the organization's file, or have the payer correct the enrollment and load the roster again.",
        values={"found": found, "roster": ", ".join(roster), "entry": organization.entry if organization else ""},
        cents=claim.charge_cents,
    )


RULE = Rule(
    name="billing-provider-enrolled",
    code="G22",
    severity=Severity.BLOCK,
    owner=Owner.CREDENTIALING,
    group=Group.CREDENTIALING,
    snip=7,
    page=__doc__,
    check=_check,
    needs=(Need.CREDENTIALS,),
)
