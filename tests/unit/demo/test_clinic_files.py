"""The shipped files of the synthetic clinic say what the generator's clinic says, and hold together."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from functools import cache

import pytest
import simple_icd_10_cm

from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.catalogue import MappingSet, load_mapping_set
from adapters.mapping.mapping_files import read_mapping_files
from clearinghouse.profile_reading import read_profile
from clearinghouse.sandbox.payer_table import read_payer_table
from gateway.claim.contract import Cadence, ClaimForm, FrequencyScheme, Release
from gateway.claim.identifiers import npi_is_valid, taxonomy_is_shaped
from gateway.claim.party import Identifier
from gateway.claim.record import LevelOfCare
from gateway.demo import clinic
from gateway.demo.feed import Feed
from gateway.demo.month import clinic_month
from gateway.demo.rosters import HEADER, credentials_roster
from gateway.services.resolve import resolve_charge, resolve_definition

MONTH = clinic_month()
PAYERS = [plan.key for plan in clinic.PLANS if plan.key]
DENTED = {"bad-member-number", "incomplete-diagnosis"}


@cache
def _files() -> MappingSet:
    return load_mapping_set(read_mapping_files(shipped=True, overlay=None), [HL7_NOTATION])


def test_the_shipped_files_hold_together() -> None:
    assert {"riverbend-fhir", "riverbend-hl7"} <= set(_files().sources)


def test_the_clinic_is_the_same_in_its_files_and_in_its_feeds() -> None:
    catalogue = _files().catalogue
    organization = catalogue.organizations[clinic.ORGANIZATION]

    assert clinic.ORGANIZATION_NPI == organization.npi
    assert {track.program for track in clinic.TRACKS} == {program.id for program in organization.programs}
    for site in clinic.SITES:
        facility = catalogue.facilities[site.key]
        assert clinic.SITE_NPIS[site.key] == facility.npi
        assert site.place_of_service == facility.place_of_service
        assert Identifier("riverbend-location", site.key.upper()) in facility.names


def test_programs_of_the_recovery_center_are_part_2_programs_and_no_others_are() -> None:
    organization = _files().catalogue.organizations[clinic.ORGANIZATION]

    assert {"sud-php", "sud-iop"} == {program.id for program in organization.programs if program.part_2}


@pytest.mark.parametrize("plan", [plan for plan in clinic.PLANS if plan.key], ids=lambda plan: plan.key)
def test_a_payer_file_knows_the_plan_by_the_name_each_ehr_gives_it(plan: clinic.Plan) -> None:
    namespaces = {Feed.FHIR: "riverbend-payer", Feed.HL7: "riverbend-recovery-payer"}
    for feed, namespace in namespaces.items():
        payer = _files().catalogue.payer_named(Identifier(namespace, plan.codes[feed]))
        assert payer is not None
        assert (plan.key, plan.name) == (payer.id, payer.name)


def test_nobody_knows_the_plan_nobody_has_heard_of() -> None:
    name = Identifier("riverbend-payer", clinic.UNHEARD_OF.codes[Feed.FHIR])

    assert _files().catalogue.payer_named(name) is None


def test_payers_differ_in_release_frequency_cadence_and_form() -> None:
    catalogue = _files().catalogue
    payers = [catalogue.payers[each] for each in PAYERS]

    assert set(Release) == {payer.release for payer in payers}
    assert set(FrequencyScheme) == {payer.frequency_scheme for payer in payers}
    assert {Cadence.WEEKLY, Cadence.MONTHLY} == {service.cadence for service in catalogue.services}
    assert set(ClaimForm) == {service.form for service in catalogue.services}


def test_every_stay_of_the_month_has_one_definition_and_every_line_of_it_a_charge() -> None:
    catalogue, on = _files().catalogue, date(2026, 8, 14)
    stays = {
        (patient.policies[0].plan.key, stay.track.key): stay.track
        for patient in MONTH.patients
        for stay in patient.stays
        if patient.policies[0].plan.key
    }
    for (payer, _), track in stays.items():
        facility = catalogue.facilities[track.site.key]
        program = catalogue.program(clinic.ORGANIZATION, track.program)
        assert program is not None
        found = resolve_definition(
            catalogue, catalogue.payers[payer], "", program.kind, LevelOfCare(track.level_of_care), facility, on
        )
        assert hasattr(found, "bundling"), (payer, track.key, found)
        for codes in (*found.items, *filter(None, [found.half_day]), *([] if found.items else [found])):
            charge = resolve_charge(catalogue, facility, codes.revenue_code, codes.hcpcs, codes.modifiers, on)
            assert hasattr(charge, "cents"), (payer, track.key, charge)
        kinds = {kind for slot in track.slots for kind in slot.kinds}
        assert not found.items or kinds <= {item.session for item in found.items}


def test_member_numbers_have_the_shape_their_payer_asks_except_the_one_that_was_cut() -> None:
    payers = _files().catalogue.payers
    for patient in MONTH.patients:
        policy = patient.policies[0]
        if policy.plan.key:
            shaped = re.fullmatch(payers[policy.plan.key].member_number_pattern, policy.member_number)
            assert bool(shaped) == (patient.scenario != "bad-member-number")


def test_diagnoses_are_complete_codes_except_the_one_that_is_a_category() -> None:
    for patient in MONTH.patients:
        for stay in patient.stays:
            leaves = [simple_icd_10_cm.is_leaf(code) for code in stay.diagnoses]
            assert all(leaves) == (patient.scenario != "incomplete-diagnosis")


def test_npis_and_taxonomies_of_the_files_are_well_formed() -> None:
    catalogue = _files().catalogue
    npis = {each.npi for each in (*catalogue.organizations.values(), *catalogue.facilities.values())}

    assert all(npi_is_valid(npi) for npi in npis)
    assert all(taxonomy_is_shaped(each.taxonomy) for each in (*catalogue.organizations.values(), *clinic.CLINICIANS))
    assert all(len(each.address.postal_code) == 9 for each in catalogue.facilities.values())


def test_every_shipped_definition_and_payer_says_where_it_comes_from() -> None:
    assert all(service.source for service in _files().catalogue.services)


def test_every_payer_is_routed_to_the_sandbox_under_an_id_the_sandbox_knows() -> None:
    table = read_payer_table()
    for each in PAYERS:
        (route,) = _files().catalogue.payers[each].routes
        assert "sandbox" == route.connection
        assert table.find(route.payer_number) is not None


def test_the_sandbox_knows_of_the_policys_end_that_the_clinic_does_not_know_of() -> None:
    patient = next(each for each in MONTH.patients if each.scenario == "payer-disagrees")
    payer = read_payer_table().find("PRMT1")

    assert payer is not None
    assert [patient.policies[0].member_number] == list(payer.terminated)


def test_the_sandboxs_profile_is_complete() -> None:
    profile = read_profile(_files().connections["sandbox"].settings)

    assert "sandbox" == profile.profile_id
    assert "T" == profile.envelope.usage


def test_the_roster_covers_every_clinician_and_one_contract_begins_in_the_middle_of_the_month() -> None:
    rows = list(csv.DictReader(io.StringIO(credentials_roster().decode())))
    late = [row for row in rows if row["start_on"] > "2026-08-01"]

    assert list(HEADER) == list(rows[0])
    assert {clinician.npi for clinician in clinic.CLINICIANS} <= {row["npi"] for row in rows}
    assert set(PAYERS) == {row["payer"] for row in rows}
    assert [(clinic.NEW_ATTENDING.npi, clinic.PRAIRIE.key, "attending", "2026-08-17")] == [
        (row["npi"], row["payer"], row["role"], row["start_on"]) for row in late
    ]
