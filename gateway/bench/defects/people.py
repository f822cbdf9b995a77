"""Patients, their coverage, and clinicians: what is missing, misspelt, out of date or out of order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from gateway.bench.defects.chart import Chart, Context
from gateway.bench.defects.edits import Edit
from gateway.bench.defects.label import (
    Desk,
    MappingChange,
    Pitfall,
    both,
    defect,
    in_programs,
    of_plans,
    told_in,
)
from gateway.demo import clinic
from gateway.demo.feed import Feed
from gateway.demo.people import make_policy

_WHO = Pitfall.PEOPLE


def _says(chart: Chart, fhir: str, fhir_value: Any, hl7: str, hl7_value: str = "") -> None:
    chart.edits.append(Edit(fhir=fhir, fhir_value=fhir_value, hl7=hl7, hl7_value=hl7_value))


# --- the patient -----------------------------------------------------------------------------------------------------


@defect(_WHO, "G04", Desk.FRONT_DESK)
def birth_date_missing(chart: Chart) -> None:
    """Nobody entered the patient's birth date."""
    _says(chart, "Patient.birthDate", None, "PID-7")


@defect(_WHO, "G04", Desk.FRONT_DESK)
def born_after_the_service(chart: Chart) -> None:
    """The birth date lies after the first day of the stay."""
    _says(chart, "Patient.birthDate", "2026-08-20", "PID-7", "20260820")


@defect(_WHO, "G04", Desk.FRONT_DESK)
def sex_missing(chart: Chart) -> None:
    """Nobody entered the patient's sex."""
    _says(chart, "Patient.gender", None, "PID-8")


@defect(_WHO, "G04", Desk.FRONT_DESK)
def name_missing(chart: Chart) -> None:
    """The patient's record has no name."""
    _says(chart, "Patient.name", None, "PID-5")


def _is_the_subscriber(context: Context) -> bool:
    return context.age != "adolescent"


@defect(_WHO, "G04", Desk.FRONT_DESK, fits=_is_the_subscriber)
def address_missing(chart: Chart) -> None:
    """The patient is the subscriber and has no address."""
    _says(chart, "Patient.address", None, "PID-11")


@defect(_WHO, "G04", Desk.FRONT_DESK, fits=_is_the_subscriber)
def postal_code_too_short(chart: Chart) -> None:
    """The postal code has four digits."""
    _says(chart, "Patient.address", [_home("6209")], "PID-11", "9 Larch Lane^^Larkton^IL^6209")


@defect(_WHO, "G03 G04", Desk.FRONT_DESK, fits=_is_the_subscriber)
def state_that_does_not_exist(chart: Chart) -> None:
    """The address is in a state QQ."""
    home = {**_home("62096-1234"), "state": "QQ"}
    _says(chart, "Patient.address", [home], "PID-11", "9 Larch Lane^^Larkton^QQ^62096-1234")


def _home(postal_code: str) -> dict[str, Any]:
    return {"use": "home", "line": ["9 Larch Lane"], "city": "Larkton", "state": "IL", "postalCode": postal_code}


# --- what an 837 cannot hold -----------------------------------------------------------------------------------------


@defect(_WHO, "G02", Desk.FRONT_DESK)
def family_name_longer_than_the_guides_hold(chart: Chart) -> None:
    """The family name has eighty letters; a claim holds sixty."""
    name, given = "Featherstonehaugh" * 5, chart.patient.human.given
    _says(chart, "Patient.name", [{"use": "official", "family": name[:80], "given": [given]}], "PID-5",
          f"{name[:80]}^{given}")  # fmt: skip


@defect(_WHO, "G02", Desk.FRONT_DESK, fits=_is_the_subscriber)
def city_of_one_letter(chart: Chart) -> None:
    """The city of the address is one letter; a claim wants two."""
    home = {**_home("62096-1234"), "city": "L"}
    _says(chart, "Patient.address", [home], "PID-11", "9 Larch Lane^^L^IL^62096-1234")


@defect(_WHO, "G02", Desk.FRONT_DESK)
def name_in_another_script(chart: Chart) -> None:
    """The name is written in letters that no clearinghouse takes."""
    _says(chart, "Patient.name", [{"use": "official", "family": "Петрова", "given": ["Анна"]}], "PID-5",
          "Петрова^Анна")  # fmt: skip


@defect(_WHO, "G02", Desk.FRONT_DESK)
def group_number_longer_than_the_guides_hold(chart: Chart) -> None:
    """The group number of the policy has sixty characters; a claim holds fifty."""
    chart.policy.group_number = "G" * 60


# --- the coverage ----------------------------------------------------------------------------------------------------


@defect(_WHO, "G05", Desk.FRONT_DESK)
def member_number_missing(chart: Chart) -> None:
    """The policy has no member number."""
    _says(chart, "Coverage.subscriberId", None, "IN1-49")


@defect(_WHO, "G05", Desk.FRONT_DESK)
def member_number_cut_short(chart: Chart) -> None:
    """The member number lacks its last digits."""
    chart.policy.member_number = chart.policy.member_number[:6]


@defect(_WHO, "G05", Desk.FRONT_DESK)
def member_number_of_another_payer(chart: Chart) -> None:
    """The member number has another payer's shape."""
    chart.policy.member_number = "LHP123456789" if chart.policy.plan is not clinic.LAKELAND else "PMX123456789"


@defect(_WHO, "G06", Desk.FRONT_DESK, conceals=True)
def no_insurance_entered(chart: Chart) -> None:
    """Nobody entered the patient's insurance."""
    chart.patient.policies.clear()
    chart.stay.grant = None


@defect(_WHO, "G06", Desk.FRONT_DESK, conceals=True)
def policy_ended_before_the_last_day(chart: Chart) -> None:
    """The policy's last day is the day before the stay's last day."""
    chart.policy.end_on = chart.date_of(-1) - timedelta(days=1)


@defect(_WHO, "G06", Desk.FRONT_DESK, conceals=True)
def policy_begins_after_the_first_day(chart: Chart) -> None:
    """The policy begins the day after the stay's first day."""
    chart.policy.start_on = chart.date_of(0) + timedelta(days=1)


@defect(_WHO, "G06", Desk.FRONT_DESK, conceals=True, fits=told_in(Feed.FHIR))
def policy_cancelled(chart: Chart) -> None:
    """The EHR says the policy is cancelled."""
    _says(chart, "Coverage.status", "cancelled", "")


@defect(_WHO, "G05", Desk.BILLING, conceals=True)
def payer_nobody_knows(chart: Chart) -> None:
    """The EHR names a payer that no payer file knows."""
    chart.policy.plan = clinic.UNHEARD_OF


@defect(_WHO, "G05", Desk.FRONT_DESK, conceals=True)
def payer_not_named(chart: Chart) -> None:
    """The policy does not name its payer."""
    _says(chart, "Coverage.payor", [{"display": "see card"}], "IN1-3")


@defect(_WHO, "G07", Desk.FRONT_DESK, conceals=True)
def two_policies_without_an_order(chart: Chart) -> None:
    """Two policies are in force and the EHR does not say which pays first."""
    other = clinic.LAKELAND if chart.policy.plan is not clinic.LAKELAND else clinic.PRAIRIE
    second = make_policy(chart.random, chart.patient.number, other, chart.patient.human, "adult")
    chart.patient.policies.append(replace(second, number=f"{second.number}B"))
    _says(chart, "Coverage.order", None, "IN1-22")


@defect(_WHO, "G07", Desk.FRONT_DESK, conceals=True)
def two_policies_both_first(chart: Chart) -> None:
    """Two policies are in force and the EHR calls both of them the first."""
    other = clinic.LAKELAND if chart.policy.plan is not clinic.LAKELAND else clinic.PRAIRIE
    second = make_policy(chart.random, chart.patient.number, other, chart.patient.human, "adult")
    chart.patient.policies.append(replace(second, number=f"{second.number}B"))
    _says(chart, "Coverage.order", 1, "IN1-22", "1")


_DEPENDENTS = in_programs(clinic.ADOLESCENT_IOP)


@defect(_WHO, "G04", Desk.FRONT_DESK, fits=_DEPENDENTS)
def relationship_missing(chart: Chart) -> None:
    """A child's policy does not say how the child is related to the subscriber."""
    _says(chart, "Coverage.relationship", None, "IN1-17")


@defect(_WHO, "G04", Desk.FRONT_DESK, fits=_DEPENDENTS)
def subscriber_not_named(chart: Chart) -> None:
    """A child's policy does not say who the subscriber is."""
    _says(chart, "Coverage.subscriber", None, "IN1-16")


# --- clinicians ------------------------------------------------------------------------------------------------------


def _institutional(context: Context) -> bool:
    return context.plan is not clinic.MEDICAID


@defect(_WHO, "G21", Desk.FRONT_DESK, fits=_institutional)
def attending_clinician_missing(chart: Chart) -> None:
    """No attending clinician is named, on the stay or on any visit."""
    chart.edits += [
        Edit(fhir="Encounter.participant[ATND]", fhir_value=None, hl7="PV1-7", hl7_value=""),
        Edit(fhir="EpisodeOfCare.careManager", fhir_value=None, hl7="PV1-7", hl7_value=""),
    ]


@defect(_WHO, "G21", Desk.FRONT_DESK, fits=_institutional)
def attending_npi_fails_its_check_digit(chart: Chart) -> None:
    """The attending clinician's NPI fails its check digit."""
    chart.stay.attending = replace(chart.stay.attending, key=f"x{chart.patient.number}", npi="1882001014")
    chart.clinicians.append(chart.stay.attending)


@defect(_WHO, "G21", Desk.FRONT_DESK, fits=_institutional)
def attending_is_the_organization(chart: Chart) -> None:
    """The attending clinician has the hospital's own NPI."""
    chart.stay.attending = replace(chart.stay.attending, key=f"x{chart.patient.number}", npi=clinic.ORGANIZATION_NPI)
    chart.clinicians.append(chart.stay.attending)


@defect(_WHO, "G21", Desk.FRONT_DESK, fits=of_plans(clinic.MEDICAID))
def rendering_clinician_missing(chart: Chart) -> None:
    """The payer wants a rendering clinician, and the visits name none."""
    chart.edits.append(Edit(fhir="Encounter.participant[PPRF]", fhir_value=None, hl7="FT1-20", hl7_value=""))


# --- the organization ------------------------------------------------------------------------------------------------


def _organization(old: str, new: str) -> tuple[MappingChange, ...]:
    return (MappingChange("facilities/riverbend.yaml", old, new),)


_ONE_PAYER = both(of_plans(clinic.PRAIRIE), in_programs(clinic.PHP), told_in(Feed.FHIR))


@defect(_WHO, "G22", Desk.BILLING, fits=_ONE_PAYER, mapping=_organization("tax_id: 990000017", "tax_id: 99000001"))
def tax_id_of_eight_digits(_: Chart) -> None:
    """The organization's tax id has eight digits."""


@defect(
    _WHO, "G22", Desk.BILLING, fits=_ONE_PAYER,
    mapping=_organization("taxonomy: 283Q00000X", "taxonomy: 283Q0000"),
)  # fmt: skip
def taxonomy_of_eight_characters(_: Chart) -> None:
    """The organization's taxonomy has eight characters."""


@defect(
    _WHO, "G03 G22", Desk.BILLING, fits=_ONE_PAYER,
    mapping=_organization(
        "    address: {line1: 100 River Road, city: Riverbend, state: IL, postal_code: 620990100}\n    contact_name",
        "    address: {line1: PO Box 100, city: Riverbend, state: IL, postal_code: 620990100}\n    contact_name",
    ),
)  # fmt: skip
def billing_address_is_a_post_office_box(_: Chart) -> None:
    """The organization's billing address is a post office box."""


@defect(
    _WHO, "G03 G22", Desk.BILLING, fits=_ONE_PAYER,
    mapping=_organization(
        "    address: {line1: 100 River Road, city: Riverbend, state: IL, postal_code: 620990100}\n    contact_name",
        "    address: {line1: 100 River Road, city: Riverbend, state: IL, postal_code: 62099}\n    contact_name",
    ),
)  # fmt: skip
def billing_postal_code_of_five_digits(_: Chart) -> None:
    """The organization's billing address has a postal code of five digits."""


@defect(
    _WHO, "G22", Desk.CREDENTIALING, fits=_ONE_PAYER,
    mapping=(
        MappingChange(
            "payers/prairie-mutual.yaml",
            "{npi: 1991000104, transaction: 837I, since: 2025-01-01}",
            "{npi: 1991000104, transaction: 837I, since: 2025-01-01, until: 2026-08-31}",
        ),
    ),
)  # fmt: skip
def enrollment_ended(_: Chart) -> None:
    """The payer's enrollment for institutional claims ended the day before."""


@defect(
    _WHO, "G05", Desk.INTEGRATION, fits=_ONE_PAYER, conceals=True,
    mapping=(
        MappingChange(
            "payers/prairie-mutual.yaml",
            "{connection: sandbox, payer_number: PRMT1, since: 2026-01-01}",
            "{connection: sandbox, payer_number: PRMT1, since: 2026-01-01, until: 2026-07-31}",
        ),
    ),
)  # fmt: skip
def no_route_to_the_payer(_: Chart) -> None:
    """No clearinghouse takes claims for the payer any more."""
