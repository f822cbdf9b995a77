"""What payers and physicians said, on the clinic's own lists: eligibility, certifications, consents, credentials."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from gateway.bench.defects.chart import Chart
from gateway.bench.defects.label import (
    Desk,
    Outcome,
    Pitfall,
    both,
    defect,
    in_programs,
    of_plans,
    one_program_of,
    substance_use,
)
from gateway.demo import clinic
from gateway.demo.people import make_policy

_WHO = Pitfall.PEOPLE
_DAY = timedelta(days=1)

# --- eligibility -----------------------------------------------------------------------------------------------------


@defect(_WHO, "G06", Desk.FRONT_DESK)
def payer_says_inactive(chart: Chart) -> None:
    """The payer answered that the member was not covered."""
    chart.eligibility["active"] = "no"


@defect(_WHO, "G06", Desk.FRONT_DESK)
def terminated_from_the_last_day(chart: Chart) -> None:
    """The payer's newest answer ends the coverage the day before the stay's last day."""
    last = chart.date_of(-1).isoformat()
    chart.rosters["eligibility"].append({**chart.eligibility, "active": "no", "start_on": last, "checked_on": last})


@defect(_WHO, "G06", Desk.FRONT_DESK)
def eligible_from_the_second_day(chart: Chart) -> None:
    """The payer's answer begins the day after the stay's first day."""
    chart.eligibility["start_on"] = (chart.date_of(0) + _DAY).isoformat()


@defect(_WHO, "G06", Desk.FRONT_DESK)
def carved_out_to_another_payer(chart: Chart) -> None:
    """The payer answered that another payer is billed for behavioral health."""
    chart.eligibility["carve_out_payer"] = "Magnolia Behavioral"


@defect(_WHO, "G06", Desk.FRONT_DESK, outcome=Outcome.WARNED)
def eligibility_not_checked_for_weeks(chart: Chart) -> None:
    """The payer's answer is two months older than the stay."""
    chart.eligibility["checked_on"] = (chart.stay.admitted_on - timedelta(days=60)).isoformat()


# --- who pays first --------------------------------------------------------------------------------------------------


@defect(_WHO, "G07", Desk.FRONT_DESK)
def payer_names_one_before_it(chart: Chart) -> None:
    """The payer answered that another payer pays before it."""
    chart.eligibility["primary_payer"] = "Magnolia Behavioral"


@defect(_WHO, "G07", Desk.FRONT_DESK, fits=of_plans(clinic.MEDICAID, clinic.TRICARE))
def billed_before_a_commercial_payer(chart: Chart) -> None:
    """Medicaid or TRICARE is called the first, and a commercial policy is in force."""
    second = make_policy(chart.random, chart.patient.number, clinic.LAKELAND, chart.patient.human, "adult")
    chart.patient.policies.append(replace(second, number=f"{second.number}B"))


# --- certification ---------------------------------------------------------------------------------------------------

_CERTIFIED = of_plans(clinic.MEDICARE, clinic.HARBOR)


@defect(Pitfall.PAYER, "G23", Desk.CLINICIAN, fits=_CERTIFIED)
def never_certified(chart: Chart) -> None:
    """No physician certified that the patient needs the program."""
    chart.rosters["certifications"].clear()


@defect(Pitfall.PAYER, "G23", Desk.CLINICIAN, fits=_CERTIFIED)
def certification_not_signed(chart: Chart) -> None:
    """The certification was written and nobody signed it."""
    del chart.certification["signed_by"], chart.certification["signed_on"]


@defect(Pitfall.PAYER, "G23", Desk.CLINICIAN, fits=_CERTIFIED)
def certified_a_day_late(chart: Chart) -> None:
    """The certification begins the day after the stay's first day."""
    chart.certification["start_on"] = (chart.stay.admitted_on + _DAY).isoformat()


@defect(Pitfall.PAYER, "G23", Desk.CLINICIAN, fits=_CERTIFIED)
def certification_ended_before_the_last_day(chart: Chart) -> None:
    """The physician certified the stay to the day before its last day."""
    chart.certification["end_on"] = (chart.date_of(-1) - _DAY).isoformat()


@defect(Pitfall.PAYER, "G23", Desk.CLINICIAN, fits=_CERTIFIED)
def certified_for_another_level_of_care(chart: Chart) -> None:
    """The certification is for the other level of care."""
    other = {"PHP": "IOP", "IOP": "PHP"}[chart.stay.track.level_of_care]
    chart.certification["level_of_care"] = other


@defect(Pitfall.PAYER, "G23", Desk.CLINICIAN, fits=both(_CERTIFIED, in_programs(clinic.PHP)))
def recertification_overdue_on_the_eighteenth_day(chart: Chart) -> None:
    """The last day is the eighteenth of the stay, and nobody recertified."""
    later = timedelta(days=17) - (chart.date_of(-1) - chart.stay.admitted_on)
    for visit in chart.days[-1]:
        visit.start_at, visit.end_at = visit.start_at + later, visit.end_at + later
        visit.sign_in_at, visit.sign_out_at = visit.sign_in_at + later, visit.sign_out_at + later
    chart.stay.discharged_on = chart.date_of(-1)


# --- consent ---------------------------------------------------------------------------------------------------------


@defect(Pitfall.PAYER, "G29", Desk.FRONT_DESK, fits=substance_use)
def no_consent(chart: Chart) -> None:
    """The substance use program has no consent of the patient."""
    chart.rosters["consents"].clear()


@defect(Pitfall.PAYER, "G29", Desk.FRONT_DESK, fits=substance_use)
def consent_taken_back(chart: Chart) -> None:
    """The patient took the consent back before the claim went."""
    chart.consent["revoked_on"] = "2026-08-31"


@defect(Pitfall.PAYER, "G29", Desk.FRONT_DESK, fits=substance_use)
def consent_ended(chart: Chart) -> None:
    """The consent ended the day before the claim would go."""
    chart.consent["end_on"] = "2026-08-31"


@defect(Pitfall.PAYER, "G29", Desk.FRONT_DESK, fits=substance_use)
def consent_names_another_payer(chart: Chart) -> None:
    """The consent names another payer, and no other."""
    other = clinic.LAKELAND if chart.policy.plan is not clinic.LAKELAND else clinic.PRAIRIE
    chart.consent["payer"] = other.key


@defect(Pitfall.PAYER, "G29", Desk.FRONT_DESK, fits=both(substance_use, in_programs(clinic.SUD_PHP)))
def consent_to_another_program(chart: Chart) -> None:
    """The consent is to another of the organization's programs."""
    chart.consent["program"] = "sud-iop"


# --- credentials -----------------------------------------------------------------------------------------------------

_CREDENTIALED = of_plans(clinic.MEDICARE, clinic.PRAIRIE)
_SINCE = date(2025, 1, 1)


def new_attending(chart: Chart) -> None:
    """An attending clinician whom no roster has yet."""
    chart.stay.attending = replace(chart.stay.attending, key=f"y{chart.patient.number}", npi=chart.new_npi())
    chart.clinicians.append(chart.stay.attending)


@defect(_WHO, "G21", Desk.CREDENTIALING, fits=_CREDENTIALED)
def attending_not_credentialed(chart: Chart) -> None:
    """The attending clinician is on no roster of the payer's."""
    new_attending(chart)


@defect(_WHO, "G21", Desk.CREDENTIALING, fits=_CREDENTIALED)
def attending_credentialed_a_day_late(chart: Chart) -> None:
    """The attending clinician's contract begins the day after the first day."""
    new_attending(chart)
    chart.credential(chart.stay.attending, chart.policy.plan, "attending", chart.date_of(0) + _DAY)


@defect(_WHO, "G21", Desk.CREDENTIALING, fits=_CREDENTIALED)
def attending_credential_ended(chart: Chart) -> None:
    """The attending clinician's contract ended the day before the last day."""
    new_attending(chart)
    chart.credential(chart.stay.attending, chart.policy.plan, "attending", _SINCE, chart.date_of(-1) - _DAY)


@defect(_WHO, "G21", Desk.CREDENTIALING, fits=_CREDENTIALED)
def attending_credentialed_with_another_payer(chart: Chart) -> None:
    """The attending clinician is on another payer's roster alone."""
    new_attending(chart)
    chart.credential(chart.stay.attending, clinic.LAKELAND, "attending", _SINCE)


@defect(_WHO, "G21", Desk.CREDENTIALING, fits=_CREDENTIALED)
def attending_credential_pending(chart: Chart) -> None:
    """The payer has not decided on the attending clinician yet."""
    new_attending(chart)
    chart.credential(chart.stay.attending, chart.policy.plan, "attending", _SINCE, status="pending")


@defect(_WHO, "G21", Desk.CREDENTIALING, fits=_CREDENTIALED)
def attending_credentialed_at_another_site(chart: Chart) -> None:
    """The payer credentialed the attending clinician at another site alone."""
    new_attending(chart)
    other = clinic.RECOVERY if chart.stay.track.site is clinic.DAY_PROGRAM else clinic.DAY_PROGRAM
    elsewhere = clinic.SITE_NPIS[other.key]
    chart.credential(chart.stay.attending, chart.policy.plan, "attending", _SINCE, location_npi=elsewhere)


@defect(_WHO, "G21", Desk.CREDENTIALING, fits=_CREDENTIALED)
def license_ended_before_the_last_day(chart: Chart) -> None:
    """The attending clinician's license ended the day before the last day."""
    new_attending(chart)
    chart.credential(
        chart.stay.attending, chart.policy.plan, "attending", _SINCE,
        license_number="036001", license_state="IL", license_end_on=(chart.date_of(-1) - _DAY).isoformat(),
    )  # fmt: skip


@defect(_WHO, "G21", Desk.CREDENTIALING, fits=of_plans(clinic.MEDICAID))
def rendering_not_credentialed(chart: Chart) -> None:
    """The clinician of every session of a day is on no roster of the payer's."""
    stranger = replace(chart.days[1][0].therapist, key=f"z{chart.patient.number}", npi=chart.new_npi())
    chart.clinicians.append(stranger)
    for visit in chart.days[1]:
        visit.therapist = stranger


# --- the organization's own standing ---------------------------------------------------------------------------------


def _billing(chart: Chart, **more: str) -> None:
    """The payer's row of the organization's billing number, which holds for every claim of that payer."""
    row = {
        "npi": clinic.ORGANIZATION_NPI, "payer": chart.policy.plan.key, "role": "billing",
        "start_on": _SINCE.isoformat(), **more,
    }  # fmt: skip
    chart.rosters.setdefault("credentials", []).append(row)


_ONE = one_program_of(clinic.PRAIRIE, clinic.PHP)


@defect(_WHO, "G22", Desk.CREDENTIALING, fits=_ONE, apart=True)
def billing_enrollment_ended(chart: Chart) -> None:
    """The organization's enrollment with the payer ended the day before the last day."""
    _billing(chart, end_on=(chart.date_of(-1) - _DAY).isoformat())


@defect(_WHO, "G22", Desk.CREDENTIALING, fits=_ONE, apart=True)
def enrolled_under_another_tax_id(chart: Chart) -> None:
    """The payer has the organization under another tax id."""
    _billing(chart, tax_id="990000099")


@defect(_WHO, "G22", Desk.CREDENTIALING, fits=_ONE, apart=True)
def enrolled_under_another_taxonomy(chart: Chart) -> None:
    """The payer has the organization under another taxonomy."""
    _billing(chart, taxonomy="261QM0801X")
