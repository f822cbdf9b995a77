"""The attending clinician of an 837I, and the rendering one where the payer wants one, are named with a valid NPI.

Why: a claim without its clinician, or with an NPI that fails the check digit, is rejected (CARC 206, 207, 208; RARC
    N257, N290).
Fails: an 837I without attending clinician; a rendering clinician missing where the definition asks for one; an NPI that
    is missing or fails its check digit; a clinician with the NPI of an organization or facility; no family name; a
    taxonomy code of the wrong shape.
Passes: an attending clinician with a name and a valid individual NPI; no rendering clinician where none is asked for.
Source: 45 CFR 162.406 and 162.410 (NPI, check digit over 80840); 005010X223A2 loop 2310A, 005010X222A1 loop 2310B.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Origin, Owner, Severity
from gateway.claim.identifiers import npi_is_valid, taxonomy_is_shaped
from gateway.claim.party import Practitioner
from gateway.rules.rule import Group, Inspection, Limits, Rule
from gateway.services.origins import origin_of

_npi_is_valid = lru_cache(maxsize=4096)(npi_is_valid)


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    seen: list[Practitioner] = []
    last: Practitioner | None = None  # lines mostly have the one before's clinician, and a look at it is quicker
    if claim.form is ClaimForm.INSTITUTIONAL:
        if claim.attending is None:
            yield _missing("attending", "attending", claim.charge_cents, inspection.origin("attending"))
        else:
            seen.append(claim.attending)
            yield from _problems(inspection, claim.attending, "attending", claim.origins)
    if claim.rendering is not None and claim.rendering not in seen:
        seen.append(claim.rendering)
        yield from _problems(inspection, claim.rendering, "rendering", claim.origins)
    for index, line, definition in inspection.lines:
        who = line.rendering or claim.rendering
        if who is None:
            if definition is not None and definition.rendering_required:
                path, origin = f"lines[{index}].rendering", origin_of(line.origins, "rendering")
                yield _missing(path, "rendering", line.charge_cents, origin)
        elif who is not last and who not in seen:
            seen.append(who)
            yield from _problems(inspection, who, f"lines[{index}].rendering", line.origins)
        last = who


def _problems(inspection: Inspection, who: Practitioner, path: str, origins: Mapping[str, Origin]) -> Iterator[Finding]:
    claim, role = inspection.claim, path.rpartition(".")[2]
    said = ""
    if not _npi_is_valid(who.npi):
        said = "has no NPI" if not who.npi else "has an NPI that fails its check digit"
    elif who.npi == claim.billing_provider.npi or _is_of_a_place(inspection, who.npi):
        said = "carries the NPI of an organization or a facility; an individual's is needed"
    elif who.name is None or not who.name.family:
        said = "has no name"
    elif who.taxonomy and not taxonomy_is_shaped(who.taxonomy):
        said = "has a taxonomy code of the wrong shape"
    if said:
        yield RULE.finding(
            path,
            f"The {role} clinician {said}.",
            f"Correct the {role} clinician's NPI and name in the EHR and send the visit again.",
            values={"npi": who.npi, "taxonomy": who.taxonomy, "role": role},
            origin=origin_of(origins, role),
            cents=claim.charge_cents,
        )


def _is_of_a_place(inspection: Inspection, npi: str) -> bool:
    """True for an NPI of type 2 that we know: the number itself does not say its type."""
    catalogue = inspection.context.catalogue
    organizations = {each.npi for each in catalogue.organizations.values()}
    return npi in organizations | {each.npi for each in catalogue.facilities.values()}


def _missing(path: str, role: str, cents: int, origin: Origin | None) -> Finding:
    return RULE.finding(
        path,
        f"The claim has no {role} clinician.",
        f"Name the {role} clinician on the visit or the stay in the EHR and send it again.",
        values={"role": role},
        origin=origin,
        cents=cents,
    )


RULE = Rule(
    name="clinicians-identified",
    code="G21",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.CREDENTIALING,
    snip=2,
    page=__doc__,
    check=_check,
    judges_voids=True,
)
