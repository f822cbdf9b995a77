"""Recognises resources written for another FHIR version than R4, by elements and types that only it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from adapters.fhir.issues import Issue

DSTU2, STU3, R5 = "DSTU2 (1.0)", "STU3 (3.0)", "R5 (5.0)"

_OTHER_TYPES: Mapping[str, str] = {
    name: version
    for version, names in (
        (DSTU2, "MedicationOrder DiagnosticOrder DeviceUseRequest Order OrderResponse Conformance BodySite"),
        (
            STU3,
            "ProcedureRequest ReferralRequest EligibilityRequest EligibilityResponse ProcessRequest ProcessResponse",
        ),
        (STU3, "Sequence ServiceDefinition DeviceComponent ImagingManifest DataElement ExpansionProfile"),
        (R5, "InventoryItem InventoryReport Transport FormularyItem GenomicStudy ImagingSelection Permission"),
        (R5, "DeviceAssociation DeviceDispense EncounterHistory NutritionIntake Requirements TestPlan"),
    )
    for name in names.split()
}
"""Types that R4 does not have, by a version that does."""

# Elements of the types we take which R4 does not have, by who had or has them.
ELEMENTS_ELSEWHERE: Mapping[tuple[str, str], str] = {
    (resource, element): version
    for version, table in (
        (
            DSTU2,
            {
                "Bundle": "base",
                "Encounter": "patient indication incomingReferral",
                "Condition": "patient dateRecorded",
                "Procedure": "notPerformed reasonNotPerformed request",
                "Coverage": "issuer bin group plan",
                "Patient": "animal careProvider",
                "Observation": "comments",
                "MedicationStatement": "wasNotTaken",
                "AllergyIntolerance": "substance",
                "Practitioner": "practitionerRole role",
                "EpisodeOfCare": "condition",
                "Account": "currency balance coveragePeriod activePeriod",
                "Claim": "ruleset originalRuleset target condition interventionException school missingTeeth",
                "ClaimResponse": "ruleset originalRuleset",
            },
        ),
        (
            STU3,
            {
                "Encounter": "reason incomingReferral",
                "EncounterDiagnosis": "role",
                "Condition": "context assertedDate",
                "Procedure": "context notDone notDoneReason definition",
                "ProcedurePerformer": "role onBehalf",
                "Coverage": "grouping sequence",
                "Patient": "animal",
                "Claim": "employmentImpacted hospitalization information naicsCode organization",
                "ClaimResponse": "requestProvider requestOrganization totalCost totalBenefit unallocDeductable",
                "ChargeItem": "definition",
                "Account": "active balance",
                "Appointment": "indication reason incomingReferral",
                "ServiceRequest": "context definition",
                "Signature": "whoReference whoUri contentType blob onBehalfOfReference",
                "AllergyIntolerance": "assertedDate",
                "MedicationStatement": "taken reasonNotTaken",
                "MedicationRequest": "context definition",
                "Observation": "context comment related",
                "DiagnosticReport": "context image codedDiagnosis",
                "Immunization": "notGiven date explanation vaccinationProtocol",
            },
        ),
        (
            R5,
            {
                "Encounter": "actualPeriod admission careTeam virtualService subjectStatus plannedStartDate",
                "EncounterParticipant": "actor",
                "EncounterLocation": "form",
                "Coverage": "kind paymentBy insurer insurancePlan",
                "Condition": "participant",
                "Procedure": "occurrenceDateTime occurrencePeriod focus recorded reported reason",
                "Claim": "traceNumber diagnosisRelatedGroup event encounter",
                "ClaimResponse": "traceNumber diagnosisRelatedGroup decision event encounter",
                "ChargeItem": "unitPriceComponent totalPriceComponent",
                "Account": "billingStatus diagnosis procedure relatedAccount calculatedAt",
                "EpisodeOfCare": "reason",
                "Organization": "qualification description",
                "Practitioner": "deceasedBoolean deceasedDateTime",
                "PractitionerRole": "contact characteristic communication",
                "Location": "form contact virtualService characteristic",
                "Appointment": "subject recurrenceId virtualService cancellationDate class account",
                "ServiceRequest": "focus bodyStructure reason",
                "Bundle": "issues",
            },
        ),
    )
    for resource, names in table.items()
    for element in names.split()
}


class VersionSigns:
    """Collects the signs one resource gives of having been written for another version."""

    __slots__ = ("_signs",)

    def __init__(self) -> None:
        self._signs: list[str] = []

    def unknown_element(self, shape: str, name: str) -> None:
        """An element R4 does not have."""
        version = ELEMENTS_ELSEWHERE.get((shape, name))
        if version is not None:
            self._signs.append(version)

    def misshapen(self, shape: str, name: str, value: Any) -> None:
        """An element R4 has, in a form that R4 does not."""
        version = _misshapen(shape, name, value)
        if version is not None:
            self._signs.append(version)

    def issue(self, place: str) -> Issue | None:
        """What the signs add up to; None when there were none."""
        if not self._signs:
            return None
        return wrong_version(place, Counter(self._signs).most_common(1)[0][0])


def _misshapen(shape: str, name: str, value: Any) -> str | None:
    if shape == "HumanName" and name == "family" and type(value) is list:
        return DSTU2
    if shape == "Encounter" and name == "class":
        return DSTU2 if type(value) is str else R5 if type(value) is list else None
    if shape == "Condition" and name in {"clinicalStatus", "verificationStatus"} and type(value) is str:
        return STU3
    if shape == "Condition" and name == "category" and type(value) is dict:
        return DSTU2
    if shape == "Coverage" and name == "subscriberId" and type(value) is list:
        return R5
    if shape == "ServiceRequest" and name == "code" and type(value) is dict and "concept" in value:
        return R5
    return None


def version_of_unknown_type(name: str) -> str | None:
    """The FHIR version that has a resource of this name, where R4 has none."""
    return _OTHER_TYPES.get(name)


def wrong_version(place: str, version: str) -> Issue:
    """The issue that says plainly: this is not R4."""
    return Issue(
        code="not-supported",
        detail="fhir-version-wrong",
        expression=place,
        message=f"This looks like FHIR {version}; this server takes R4 (4.0.1).",
        fix="Send it as FHIR R4.",
    )
