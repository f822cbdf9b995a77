"""The billing provider is complete and valid, and the place of service is named where it is somewhere else.

Why: an NPI that fails its check digit, a PO box, a five-digit ZIP or a missing service location is rejected before
    anyone reads the claim (CARC 16, 208; RARC N257).
Fails: a billing NPI that fails its check digit; a tax id that is not nine digits; a taxonomy of the wrong shape; a
    billing address that is a PO box or has no nine-digit ZIP; a facility at another address that the claim does not
    name; a service facility with an invalid NPI.
Passes: the organization's file complete; no service facility where it is the billing address.
Source: 45 CFR 162.406; 005010X223A2 and 005010X222A1 loops 2010AA, 2310E and 2310C.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.identifiers import npi_is_valid, taxonomy_is_shaped
from gateway.rules.rule import Group, Inspection, Limits, Rule

_PO_BOX = re.compile(r"\s*(p\.?\s?o\.?\s?box|post office box|box \d)", re.IGNORECASE)
_npi_is_valid = lru_cache(maxsize=4096)(npi_is_valid)


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim, facility = inspection.claim, inspection.context.facility
    billing, place = claim.billing_provider, claim.service_facility
    postal_code = billing.address.postal_code
    if not _npi_is_valid(billing.npi):
        yield _finding(inspection, "npi", "The billing NPI fails its check digit.", billing.npi)
    if not (billing.tax_id.isdecimal() and len(billing.tax_id) == 9):
        yield _finding(
            inspection, "tax_id", "The billing tax id is not nine digits.", f"{len(billing.tax_id)} characters"
        )
    if billing.taxonomy and not taxonomy_is_shaped(billing.taxonomy):
        yield _finding(inspection, "taxonomy", "The billing taxonomy code has the wrong shape.", billing.taxonomy)
    if _PO_BOX.match(billing.address.line1):
        yield _finding(inspection, "address", "The billing address is a PO box; a street is needed.", "PO box")
    if not (postal_code.isdecimal() and len(postal_code) == 9):
        yield _finding(inspection, "address", "The billing ZIP code is not nine digits.", postal_code)
    if place is not None and place.npi and not _npi_is_valid(place.npi):
        yield _finding(
            inspection, "npi", "The service facility's NPI fails its check digit.", place.npi, "service_facility"
        )
    if place is None and facility is not None and not facility.address.is_where(billing.address):
        yield _finding(
            inspection,
            "address",
            f"The service was at {facility.name}, not at the billing address, and the claim does not say so.",
            facility.id,
            "service_facility",
        )


def _finding(inspection: Inspection, name: str, message: str, found: str, part: str = "billing_provider") -> Finding:
    context = inspection.context
    organization = context.catalogue.organizations.get(inspection.claim.key.organization)
    owner_file = organization.entry if part == "billing_provider" and organization else ""
    return RULE.finding(
        f"{part}.{name}",
        message,
        "Correct it in the organization's or the facility's file.",
        values={"found": found, "entry": owner_file or (context.facility.entry if context.facility else "")},
        cents=inspection.claim.charge_cents,
    )


RULE = Rule(
    name="billing-provider-valid",
    code="G22",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.CREDENTIALING,
    snip=2,
    page=__doc__,
    check=_check,
    judges_voids=True,
)
