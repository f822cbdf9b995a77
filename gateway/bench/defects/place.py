"""Pitfall two: wrong place of service, bill type, or a screen billed as a room."""

from __future__ import annotations

from collections.abc import Callable

from gateway.bench.defects.chart import Chart
from gateway.bench.defects.label import (
    Desk,
    MappingChange,
    Pitfall,
    both,
    defect,
    in_programs,
    of_plans,
)
from gateway.demo import clinic
from gateway.demo.truth import Visit

_BEHIND_A_SCREEN_UNPAID = of_plans(clinic.MEDICARE, clinic.HARBOR, clinic.TRICARE, clinic.LAKELAND)


def _on_a_day(chart: Chart, change: Callable[[Visit], None]) -> None:
    for visit in chart.days[1]:
        change(visit)


def _placed(chart: Chart, place: str) -> None:
    def move(visit: Visit) -> None:
        visit.place_of_service = place

    _on_a_day(chart, move)


def _remote(chart: Chart, place: str) -> None:
    def move(visit: Visit) -> None:
        visit.remote, visit.place_of_service = True, place

    _on_a_day(chart, move)


@defect(Pitfall.PLACE, "G12", Desk.FRONT_DESK)
def office_instead_of_the_program(chart: Chart) -> None:
    """The EHR puts a day at 11, an office."""
    _placed(chart, "11")


@defect(Pitfall.PLACE, "G12", Desk.FRONT_DESK)
def rural_health_clinic_instead_of_the_program(chart: Chart) -> None:
    """The EHR puts a day at 72, a rural health clinic."""
    _placed(chart, "72")


@defect(Pitfall.PLACE, "G12", Desk.FRONT_DESK)
def inpatient_hospital_instead_of_the_program(chart: Chart) -> None:
    """The EHR puts a day at 21, an inpatient hospital."""
    _placed(chart, "21")


@defect(Pitfall.PLACE, "G12", Desk.FRONT_DESK)
def place_that_does_not_exist(chart: Chart) -> None:
    """The EHR puts a day at 88, which CMS does not publish."""
    _placed(chart, "88")


@defect(Pitfall.PLACE, "G12", Desk.FRONT_DESK)
def one_session_at_another_place(chart: Chart) -> None:
    """One session of the day is at 11, an office; the others are in the program."""
    chart.days[1][1].place_of_service = "11"


@defect(Pitfall.PLACE, "G12", Desk.FRONT_DESK)
def home_by_screen_but_in_the_room(chart: Chart) -> None:
    """The EHR says place 10, telehealth at home, of sessions in person."""
    _placed(chart, "10")


@defect(Pitfall.PLACE, "G12", Desk.FRONT_DESK, fits=of_plans(clinic.MEDICAID, clinic.PRAIRIE))
def by_screen_but_at_the_program(chart: Chart) -> None:
    """The sessions were by telehealth and the EHR says the program's place."""
    _remote(chart, chart.days[1][0].place_of_service)


@defect(Pitfall.PLACE, "G20", Desk.BILLING, fits=_BEHIND_A_SCREEN_UNPAID)
def telehealth_day_the_payer_does_not_buy(chart: Chart) -> None:
    """A day from home by screen, which this payer does not pay for."""
    _remote(chart, "10")


@defect(Pitfall.PLACE, "G20", Desk.BILLING, fits=_BEHIND_A_SCREEN_UNPAID)
def telehealth_session_the_payer_does_not_buy(chart: Chart) -> None:
    """One session of the day was by screen from home, which this payer does not pay for."""
    visit = chart.days[1][0]
    visit.remote, visit.place_of_service = True, "10"


@defect(
    Pitfall.PLACE, "G12", Desk.BILLING, fits=both(of_plans(clinic.PRAIRIE), in_programs(clinic.PHP, clinic.IOP)),
    mapping=(MappingChange("facilities/riverbend.yaml", "bill_class: 13", "bill_class: 11"),),
)  # fmt: skip
def inpatient_bill_type(_: Chart) -> None:
    """The facility's file says bill type 11, inpatient."""


@defect(
    Pitfall.PLACE, "G12", Desk.BILLING, fits=of_plans(clinic.MEDICAID),
    mapping=(
        MappingChange("services/medicaid.yaml", "    place_of_service: 57\n", ""),
        MappingChange("facilities/riverbend.yaml", "    place_of_service: 57\n", ""),
    ),
)  # fmt: skip
def professional_claim_without_a_place(_: Chart) -> None:
    """Nobody says the place of service of a professional claim."""


@defect(
    Pitfall.PLACE, "G12", Desk.BILLING,
    fits=both(of_plans(clinic.MEDICARE), in_programs(clinic.PHP, clinic.IOP)),
    mapping=(MappingChange("facilities/riverbend.yaml", "bill_class: 13", "bill_class: 89"),),
)  # fmt: skip
def bill_type_medicare_does_not_take(_: Chart) -> None:
    """A program goes to Medicare under bill type 89, which Medicare has for no such program."""
