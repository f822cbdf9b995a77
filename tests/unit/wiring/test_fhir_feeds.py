"""Feeds in the shapes of US Core, from message to lines: Encounter trees, charges, claim lines, Appointments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ConfigurationError
from gateway.wiring.new_site import make_site
from gateway.wiring.preview import preview
from gateway.wiring.site import Site, open_site

SOURCE = "generic-fhir"
SHIPPED = Path(__file__).parents[3] / "mappings" / "sources" / f"{SOURCE}.yaml"
NPI = "http://hl7.org/fhir/sid/us-npi"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
CPT = "http://www.ama-assn.org/go/cpt"
DAY = "2026-08-03"
HOURS = [("09:00", "10:00"), ("10:15", "11:15"), ("11:30", "12:30")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    opened = open_site(clinic_of(tmp_path_factory.mktemp("feeds") / "clinic"))
    yield opened
    opened.close()


def clinic_of(folder: Path) -> Path:
    """A site whose copy of the source names the made-up clinic's places and payers, as the file says a site does."""
    make_site(folder, demo=False, database="sqlite:///cleanclaim.sqlite", samples={})
    copied = SHIPPED.read_text().replace("generic-fhir-location", "riverbend-location")
    overlay = folder / "mappings" / "sources" / f"{SOURCE}.yaml"
    overlay.parent.mkdir(parents=True, exist_ok=True)
    overlay.write_text(copied.replace("generic-fhir-payer", "riverbend-payer"))
    return folder


def test_a_feed_of_another_tenants_organization_is_told_before_anything_opens(tmp_path: Path) -> None:
    folder = clinic_of(tmp_path / "clinic")
    settings = folder / "site.yaml"
    settings.write_text(settings.read_text().replace("tenant: riverbend", "tenant: willow"))
    with pytest.raises(ConfigurationError, match="the tenant is willow, and the source generic-fhir is of riverbend"):
        open_site(folder)


def coded(code: str, system: str = CPT) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def to(reference: str) -> dict[str, str]:
    return {"reference": reference}


def period(start: str, end: str) -> dict[str, str]:
    return {"start": f"{DAY}T{start}:00-05:00", "end": f"{DAY}T{end}:00-05:00"}


def person(number: int) -> list[dict[str, Any]]:
    """A patient, what covers them and why they come."""
    patient = {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"system": "urn:oid:2.16.840.1.113883.3.9999.1", "value": f"100{number}"}],
        "name": [{"use": "official", "family": "Rivera", "given": ["Ana"]}],
        "gender": "female",
        "birthDate": "1980-05-02",
        "address": [{"line": ["12 Oak St"], "city": "Larkton", "state": "IL", "postalCode": "62096"}],
    }
    coverage = {
        "resourceType": "Coverage",
        "id": f"policy{number}",
        "status": "active",
        "beneficiary": to(f"Patient/p{number}"),
        "subscriberId": f"W{number}",
        "relationship": coded("self"),
        "payor": [{"display": "LAKELAND"}],
        "order": 1,
        "period": {"start": "2026-01-01"},
    }
    return [patient, coverage]


PLACE = {"resourceType": "Location", "id": "rooms", "identifier": [{"value": "RIVERBEND-HOSPITAL"}]}
CLINIC = {"resourceType": "Organization", "id": "clinic", "identifier": [{"value": "RIVERBEND-HOSPITAL"}]}
LEE = {
    "resourceType": "Practitioner",
    "id": "lee",
    "identifier": [{"system": NPI, "value": "1234567893"}],
    "name": [{"family": "Lee", "given": ["Sam"]}],
}
DEPRESSION = {
    "resourceType": "Condition",
    "id": "why",
    "subject": to("Patient/p1"),
    "code": coded("F33.1", ICD),
}
STAY = {
    "resourceType": "EpisodeOfCare",
    "id": "stay",
    "status": "active",
    "type": [coded("IOP", "urn:program")],
    "patient": to("Patient/p1"),
    "period": {"start": DAY},
    "managingOrganization": to("Organization/clinic"),
    "careManager": to("Practitioner/lee"),
    "diagnosis": [{"condition": to("Condition/why"), "rank": 1}],
}
AROUND = [*person(1), PLACE, CLINIC, LEE, DEPRESSION]


def told(site: Site, *resources: dict[str, Any]) -> dict[str, Any]:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}
    found = preview(site, SOURCE, json.dumps(bundle).encode())
    assert [("stored", None)] == [(each["outcome"], each["reason"]) for each in found["messages"]]
    assert [] == [each for message in found["messages"] for each in message["findings"] if each["fatal"]]
    return found


def lines(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (each["service_on"], each["revenue_code"], each["hcpcs"], each["charge_cents"])
        for claim in found["claims"]
        for each in claim["lines"]
    ]


ONE_DAY = [(DAY, "0905", "S9480", 46500)]


def parent(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "program",
        "status": "in-progress",
        "class": {"code": "AMB"},
        "type": [coded("IOP", "urn:program")],
        "subject": to("Patient/p1"),
        "period": {"start": f"{DAY}T08:30:00-05:00"},
        "participant": [{"type": [coded("ATND")], "individual": to("Practitioner/lee")}],
        "location": [{"location": to("Location/rooms")}],
        "diagnosis": [{"condition": to("Condition/why"), "rank": 1}],
        **changes,
    }


def child(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": f"session{number}",
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [coded("90853")],
        "subject": to("Patient/p1"),
        "partOf": to("Encounter/program"),
        "period": period(*HOURS[number]),
        "participant": [{"type": [coded("ATND")], "individual": to("Practitioner/lee")}],
        "location": [{"location": to("Location/rooms")}],
        **changes,
    }


def test_the_sessions_of_a_tree_are_billed_and_its_trunk_is_the_stay(site: Site) -> None:
    found = told(site, *AROUND, parent(), *(child(number) for number in range(3)))
    assert 3 == len(found["encounters"])
    assert ONE_DAY == lines(found)


def test_a_session_of_a_tree_that_was_cancelled_or_missed_does_not_count(site: Site) -> None:
    missed = child(2, status="cancelled")
    found = told(site, *AROUND, parent(), child(0), child(1), missed)
    assert [] == lines(found)
    assert "cancelled" in {each["reason"] for each in found["encounters"]}


def test_charges_of_no_encounter_are_sessions(site: Site) -> None:
    charges = [
        {
            "resourceType": "ChargeItem",
            "id": f"charge{number}",
            "status": "billable",
            "code": coded("90853"),
            "subject": to("Patient/p1"),
            "occurrencePeriod": period(*hours),
            "performingOrganization": to("Organization/clinic"),
            "performer": [{"actor": to("Practitioner/lee")}],
        }
        for number, hours in enumerate(HOURS)
    ]
    assert ONE_DAY == lines(told(site, *AROUND, STAY, *charges))
    charges[1]["status"] = "not-billable"
    assert [] == lines(told(site, *AROUND, STAY, *charges))


def test_a_charge_of_an_encounter_is_no_second_session(site: Site) -> None:
    charge = {
        "resourceType": "ChargeItem",
        "id": "charge",
        "status": "billable",
        "code": coded("90853"),
        "subject": to("Patient/p1"),
        "context": to("Encounter/session0"),
    }
    assert 1 == len(told(site, *AROUND, STAY, child(0), charge)["encounters"])


def claim(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Claim",
        "id": "week",
        "status": "active",
        "type": coded("institutional"),
        "use": "claim",
        "patient": to("Patient/p1"),
        "created": DAY,
        "provider": to("Organization/clinic"),
        "facility": to("Location/rooms"),
        "priority": coded("normal"),
        "insurance": [{"sequence": 1, "focal": True, "coverage": to("Coverage/policy1")}],
        "careTeam": [{"sequence": 1, "provider": to("Practitioner/lee")}],
        "diagnosis": [{"sequence": 1, "diagnosisReference": to("Condition/why")}],
        "item": [
            {"sequence": number + 1, "productOrService": coded("90853"), "servicedPeriod": period(*hours)}
            for number, hours in enumerate(HOURS)
        ],
        **changes,
    }


def test_lines_of_a_claim_an_ehr_wrote_are_sessions(site: Site) -> None:
    assert ONE_DAY == lines(told(site, *AROUND, STAY, claim()))
    assert [] == lines(told(site, *AROUND, STAY, claim(status="cancelled")))


def test_a_line_without_hours_says_what_it_lacks(site: Site) -> None:
    item = {"sequence": 1, "productOrService": coded("90853"), "servicedDate": DAY}
    found = told(site, *AROUND, STAY, claim(item=[item]))
    (problem,) = (each for each in found["messages"][0]["findings"] if each["place"].startswith("Claim.item[0]"))
    assert "Claim.item[0].servicedDate" == problem["place"]


def test_a_line_of_an_encounter_is_no_second_session(site: Site) -> None:
    item = {"sequence": 1, "productOrService": coded("90853"), "encounter": [to("Encounter/session0")]}
    assert 1 == len(told(site, *AROUND, STAY, child(0), claim(item=[item]))["encounters"])


def appointment(*participants: dict[str, Any], status: str = "noshow") -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "id": "group",
        "status": status,
        "serviceType": [coded("90853")],
        **period(*HOURS[0]),
        "participant": [*participants, {"actor": to("Practitioner/lee"), "status": "accepted"}],
    }


@pytest.mark.parametrize(("status", "reason"), [("noshow", "no-show"), ("cancelled", "cancelled")])
def test_an_appointment_that_was_not_kept_says_so(site: Site, status: str, reason: str) -> None:
    one = appointment({"actor": to("Patient/p1"), "status": "accepted"}, status=status)
    assert [reason] == [each["reason"] for each in told(site, *AROUND, STAY, one)["encounters"]]


def test_an_appointment_of_a_group_is_one_session_of_each(site: Site) -> None:
    came = {"actor": to("Patient/p1"), "status": "accepted"}
    declined = {"actor": to("Patient/p2"), "status": "declined"}
    found = told(site, *AROUND, *person(2), STAY, appointment(came, declined))
    assert ["cancelled", "no-show"] == sorted(each["reason"] for each in found["encounters"])
