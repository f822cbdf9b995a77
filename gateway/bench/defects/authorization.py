"""Pitfall four: authorization limits. Every change is to the payer's grant, or to the number the visits carry."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gateway.bench.defects.chart import Chart, program_days
from gateway.bench.defects.edits import Edit
from gateway.bench.defects.label import Desk, Pitfall, authorized, both, defect, in_programs, of_plans
from gateway.demo import clinic
from gateway.demo.stays import add_visits, local
from gateway.demo.truth import Grant, Insurance, Stay


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def nobody_asked(chart: Chart) -> None:
    """The payer wants an authorization and there is none."""
    chart.stay.grant = None


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def last_day_beyond_the_units(chart: Chart) -> None:
    """The last day is one unit more than was granted."""
    chart.grant.units = len(chart.days) - 1


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def no_units_granted(chart: Chart) -> None:
    """The authorization grants no unit."""
    chart.grant.units = 0


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def ended_the_day_before(chart: Chart) -> None:
    """The authorization ends the day before the last day."""
    chart.grant.end_on = chart.date_of(-1) - timedelta(days=1)


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def begins_a_day_late(chart: Chart) -> None:
    """The authorization begins the day after the first day."""
    chart.grant.start_on = chart.date_of(0) + timedelta(days=1)


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def ended_last_year(chart: Chart) -> None:
    """The authorization on file is of an earlier stay, a year ago."""
    chart.grant.start_on -= timedelta(days=365)
    chart.grant.end_on -= timedelta(days=365)


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def for_another_level_of_care(chart: Chart) -> None:
    """The authorization is for the other level of care."""
    level = "IOP" if chart.grant.level_of_care == "PHP" else "PHP"
    code = {"PHP": ("partial", "2.5"), "IOP": ("intensive", "2.1")}[level]
    chart.edits.append(
        Edit(
            fhir="ClaimResponse.extension", hl7="ZPH-2", hl7_value=code[1], label="admission",
            fhir_value=[{
                "url": "https://cedar.riverbend.example/fhir/StructureDefinition/level-of-care", "valueCode": code[0],
            }],
        )
    )  # fmt: skip


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def of_another_payer(chart: Chart) -> None:
    """The authorization is another payer's, from before the patient changed plans."""
    other = clinic.LAKELAND if chart.policy.plan is not clinic.LAKELAND else clinic.PRAIRIE
    former = replace(
        chart.policy,
        number=f"{chart.policy.number}F",
        plan=other,
        start_on=chart.policy.start_on,
        end_on=chart.stay.admitted_on - timedelta(days=1),
    )
    chart.patient.policies.append(former)
    chart.grant.policy = former


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def still_pending(chart: Chart) -> None:
    """The payer has not decided yet."""
    chart.edits.append(
        Edit(fhir="ClaimResponse.outcome", fhir_value="queued", hl7="IN3-11", hl7_value=f"PE^{chart.grant.units}")
    )


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def denied(chart: Chart) -> None:
    """The payer denied the request."""
    chart.edits.append(
        Edit(fhir="ClaimResponse.outcome", fhir_value="error", hl7="IN3-11", hl7_value=f"DE^{chart.grant.units}")
    )


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def number_mistyped(chart: Chart) -> None:
    """The visits carry a number that is none of those on file."""
    number = f"{chart.grant.number[:-2]}77"
    for label in ("day", "discharge"):
        chart.edits.append(
            Edit(
                fhir="Encounter.extension[authorization-number].valueString", fhir_value=number,
                hl7="ZPH-6", hl7_value=number, label=label,
            )
        )  # fmt: skip


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def a_day_between_two_authorizations(chart: Chart) -> None:
    """One authorization ends, the next begins, and a day lies between them."""
    first, gap = chart.grant, chart.date_of(2)
    first.end_on = gap - timedelta(days=1)
    second = replace(first, number=f"{first.number[:-1]}2", start_on=gap + timedelta(days=1), end_on=chart.date_of(-1))
    renew(chart, second)


def renew(chart: Chart, second: Grant) -> None:
    """The payer grants a second authorization; the visits from its first day on carry its number."""
    chart.tell(
        local(second.start_on, 7),
        Insurance(stay=replace(chart.stay, grant=second), policies=tuple(chart.patient.policies), grant=second),
        "renewal",
    )
    for place in range(len(chart.days)):
        if chart.date_of(place) >= second.start_on:
            chart.edits.append(
                Edit(
                    fhir="Encounter.extension[authorization-number].valueString", fhir_value=second.number,
                    hl7="ZPH-6", hl7_value=second.number, on=chart.date_of(place),
                )
            )  # fmt: skip


@defect(
    Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW,
    fits=both(of_plans(clinic.PRAIRIE, clinic.LAKELAND, clinic.HARBOR), in_programs(clinic.PHP, clinic.SUD_PHP)),
)  # fmt: skip
def step_down_on_the_old_authorization(chart: Chart) -> None:
    """The patient steps down to intensive outpatient and the authorization is still the one for partial days."""
    step_down(chart, grant=chart.grant)


def step_down(chart: Chart, *, grant: Grant | None) -> Stay:
    """After the stay comes a week of intensive outpatient at the same site, under that authorization."""
    old = chart.stay
    track = clinic.IOP if old.track is clinic.PHP else clinic.SUD_IOP
    starts_on = old.admitted_on + timedelta(days=14)
    old.discharged_on = None
    days = program_days(track, starts_on, weeks=1)
    new = replace(
        old, number=f"{old.number[:-1]}2", track=track, admitted_on=starts_on, discharged_on=days[-1],
        grant=grant, follows=old,
    )  # fmt: skip
    chart.patient.stays.append(new)
    add_visits(chart.random, chart.patient, new, days)
    chart.certify(new)
    chart.consent_to(new)
    chart.tell_stay(new)
    return new


# --- what the payer's letter adds, on the clinic's own list ----------------------------------------------------------


def letter(chart: Chart, **more: str) -> None:
    """The payer's letter about the authorization, as the clinic lists it beside the feed."""
    chart.rosters.setdefault("authorizations", []).append(
        {
            "patient": f"riverbend-mrn|{chart.patient.mrn}", "payer": chart.policy.plan.key,
            "number": chart.grant.number, "status": "approved", **more,
        }
    )  # fmt: skip


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def more_days_a_week_than_granted(chart: Chart) -> None:
    """The payer grants one day a week fewer than the program meets."""
    letter(chart, units_per_week=str(len(chart.stay.track.weekdays) - 1))


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def not_on_that_day_of_the_week(chart: Chart) -> None:
    """The payer grants every day of the week but the program's first one."""
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    letter(chart, weekdays=" ".join(each for each in names if each != names[chart.stay.track.weekdays[0]]))


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def units_used_before_the_clinic_went_live(chart: Chart) -> None:
    """Another system billed all but one of the stay's units before."""
    used = chart.grant.units - len(chart.days) + 1
    letter(chart, opening_units=str(used), opening_on=chart.date_of(0).isoformat())


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def granted_to_another_site(chart: Chart) -> None:
    """The payer's letter names another site than the one the patient came to."""
    site = chart.stay.track.site
    letter(chart, npis=clinic.SITE_NPIS[(clinic.RECOVERY if site is clinic.DAY_PROGRAM else clinic.DAY_PROGRAM).key])


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def granted_for_another_service(chart: Chart) -> None:
    """The payer's letter names a service that was not given."""
    letter(chart, service_codes="T1012")


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=authorized)
def denied_by_letter(chart: Chart) -> None:
    """The feed has the authorization as approved, and the payer's letter denies it."""
    letter(chart, status="denied")
