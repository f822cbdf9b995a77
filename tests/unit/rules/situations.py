"""Clean claims to start rule cases from, each with the context the gate would see: made by assembling, not by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from gateway.claim.claim import Claim
from gateway.claim.party import PersonName, Relationship
from gateway.claim.record import LevelOfCare
from gateway.claim.roster import CredentialRecord, CredentialRole
from gateway.rules.context import CodeSets, GateContext, UnitLimit
from gateway.services.assembly import assemble
from gateway.services.case import PatientCase
from tests.unit.services.samples import (
    CATALOGUE,
    CLINICIAN,
    MONDAY,
    SUD,
    TODAY,
    case,
    coverage,
    encounter,
    episode,
    week,
)

_BILLABLE = {
    "F332": True,
    "F411": True,
    "F1020": True,
    "F329": False,
    "F32A": True,
    "F0280": True,
    "F0630": True,
    "G309": True,
    "E119": True,
    "V892XXA": True,
}
_HCPCS = frozenset({"H0015", "H0035", "H0037", "S9480", "S0201", "G0410", "G0177"})
_NEWEST_RELEASE_ENDS = date(2026, 9, 30)


class SampleCodes(CodeSets):
    """A few codes of every list; ICD-10-CM to the end of fiscal year 2026."""

    def diagnosis_is_known(self, code: str, on: date) -> bool | None:
        return None if on > _NEWEST_RELEASE_ENDS else code in _BILLABLE

    def diagnosis_is_billable(self, code: str, on: date) -> bool | None:
        return None if on > _NEWEST_RELEASE_ENDS else _BILLABLE.get(code, False)

    def place_of_service_is_known(self, code: str) -> bool:
        return code in {"02", "10", "11", "19", "22", "52", "53", "57"}

    def hcpcs_is_known(self, code: str, on: date) -> bool | None:
        return None if code[:1].isdigit() else code in _HCPCS

    def modifier_is_known(self, modifier: str, on: date) -> bool | None:
        return modifier in {"HF", "HE", "TG", "GT", "FQ", "PO", "PN", "HQ"} if modifier[0].isalpha() else None

    def revenue_code_is_known(self, code: str, on: date) -> bool | None:
        return code in {"0430", "0904", "0905", "0906", "0912", "0913", "0914", "0915", "0942"}

    def unit_limit(self, code: str, on: date, *, hospital: bool) -> UnitLimit | None:
        return {"G0410": UnitLimit(4, by_day=True), "S9480": UnitLimit(1, by_day=False)}.get(code)

    def pair_edit(self, first: str, second: str, on: date, *, hospital: bool) -> str | None:
        return {("90834", "90832"): "1", ("90834", "90791"): "0"}.get((first, second))

    def primaries(self, add_on: str, on: date) -> frozenset[str] | None:
        return {"90785": frozenset({"90834"}), "90840": frozenset[str]()}.get(add_on)

    def program_service(self, code: str, on: date) -> bool | None:
        return code != "99213"

    def is_primary_service(self, code: str, on: date) -> bool | None:
        return code in {"G0410", "90834", "90832", "90791"}


@dataclass(frozen=True, slots=True)
class Situation:
    """A claim and what the gate may look at."""

    claim: Claim
    context: GateContext


def situation(name: str) -> Situation:
    """The clean situation of that name, as ``tests/rules/*.yaml`` call them under ``start``."""
    return _situation(_CASES[name]())


def _situation(patient: PatientCase) -> Situation:
    (draft,) = assemble(patient, CATALOGUE, TODAY).drafts
    assert draft.findings == ()
    claim = draft.claim
    days = {day.on: day for day in draft.days}
    context = GateContext(
        today=TODAY,
        catalogue=CATALOGUE,
        payer=CATALOGUE.payers[claim.insured.payer],
        facility=CATALOGUE.facilities[claim.key.facility],
        codes=SampleCodes(),
        days=days,
        stays=tuple(each.record for each in patient.episodes),
        coverages=patient.coverages,
        authorizations=patient.authorizations,
        credentials=(
            _credential(CLINICIAN.npi, "state-medicaid", CredentialRole.RENDERING),
            *(_credential(claim.billing_provider.npi, payer, CredentialRole.BILLING) for payer in CATALOGUE.payers),
        ),
    )
    return Situation(claim, context)


def _credential(npi: str, payer: str, role: CredentialRole) -> CredentialRecord:
    return CredentialRecord(npi=npi, payer=payer, role=role, start_on=date(2025, 1, 1))


def _dependent() -> PatientCase:
    parent: dict[str, Any] = {
        "relationship": Relationship.CHILD,
        "subscriber_name": PersonName(family="PARENT", given="SAM"),
        "subscriber_birth_on": date(1970, 1, 1),
    }
    return case(week(), coverages=(coverage(**parent),))


def _medicaid() -> PatientCase:
    encounters = week(program=SUD, diagnoses=("F10.20",))
    stay = episode(program=SUD, diagnoses=("F10.20",))
    return case(encounters, coverages=(coverage("state-medicaid"),), episodes=(stay,))


def _tricare_half_days() -> PatientCase:
    encounters = [
        encounter(f"d{day}", MONDAY + timedelta(days=day), minutes=200, level_of_care=LevelOfCare.PHP) for day in (0, 1)
    ]
    stay = episode(level_of_care=LevelOfCare.PHP)
    return case(encounters, coverages=(coverage("tricare-east"),), episodes=(stay,))


_CASES = {
    "commercial IOP week": lambda: case(week()),
    "commercial IOP week of a dependent": _dependent,
    "commercial PHP week": lambda: case(
        week(level_of_care=LevelOfCare.PHP), episodes=(episode(level_of_care=LevelOfCare.PHP),)
    ),
    "Medicaid SUD IOP week": _medicaid,
    "Medicare IOP week": lambda: case(week(), coverages=(coverage("medicare"),)),
    "Medicare PHP week": lambda: case(
        week(level_of_care=LevelOfCare.PHP),
        coverages=(coverage("medicare"),),
        episodes=(episode(level_of_care=LevelOfCare.PHP),),
    ),
    "TRICARE PHP half days": _tricare_half_days,
}
STARTS = tuple(_CASES)
