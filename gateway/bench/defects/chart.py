"""One patient of the benchmark: a clean two-week stay with one payer in one program, which a defect then changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random

from gateway.bench.defects.edits import Edit
from gateway.demo import clinic
from gateway.demo.feed import Feed
from gateway.demo.people import make_human, make_npi, make_policy
from gateway.demo.stays import add_visits, local, visit_days
from gateway.demo.truth import (
    Admission,
    Attendance,
    Came,
    Clinician,
    Discharge,
    Event,
    Grant,
    Patient,
    Plan,
    Policy,
    Stay,
    StepDown,
    Telling,
    Track,
    Visit,
)

ADMITTED_ON = date(2026, 8, 3)
"""A Monday, so that a stay of two weeks is two whole weeks of every payer."""
PROGRAM_WEEKS = 2


Row = dict[str, str]
"""One row of a roster, by column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who pays for which program, and in which EHR's messages it is told."""

    plan: Plan
    track: Track
    feed: Feed
    age: str = "adult"

    @property
    def name(self) -> str:
        """As the report names it."""
        return f"{self.plan.key} {self.track.key} {self.feed.removeprefix('riverbend-')}"


def _contexts() -> Iterator[Context]:
    bought = (
        (clinic.MEDICARE, (clinic.PHP, clinic.IOP), "senior"),
        (clinic.HARBOR, (clinic.PHP, clinic.IOP), "senior"),
        (clinic.TRICARE, (clinic.DAY_PHP,), "adult"),
        (clinic.PRAIRIE, (clinic.PHP, clinic.IOP, clinic.SUD_PHP, clinic.SUD_IOP), "adult"),
        (clinic.PRAIRIE, (clinic.ADOLESCENT_IOP,), "adolescent"),
        (clinic.LAKELAND, (clinic.PHP, clinic.IOP, clinic.SUD_PHP, clinic.SUD_IOP), "adult"),
        (clinic.MEDICAID, (clinic.SUD_IOP,), "adult"),
    )
    for plan, tracks, age in bought:
        for track in tracks:
            for feed in Feed:
                yield Context(plan=plan, track=track, feed=feed, age=age)


CONTEXTS = tuple(_contexts())
"""Every program that a shipped payer of the demo buys, told by either EHR."""


@dataclass(slots=True, kw_only=True)
class Chart:
    """The truth about one patient, how its messages differ from it, and what the clinic's own lists say beside it."""

    context: Context
    patient: Patient
    stay: Stay
    random: Random
    edits: list[Edit] = field(default_factory=list)
    added: list[Telling] = field(default_factory=list)
    """Told beside the stay itself."""
    clinicians: list[Clinician] = field(default_factory=list)
    """Clinicians that the clinic of the demo does not have."""
    rosters: dict[str, list[Row]] = field(default_factory=dict)
    """What the clinic's own lists say of the patient and of those clinicians, by kind."""
    rewritten: Callable[[bytes], bytes] | None = None
    """How the EHR writes its messages otherwise, saying the same."""
    companions: list[Chart] = field(default_factory=list)
    """Other patients who were there; they are told, and nothing is asked of their claims."""

    @property
    def days(self) -> list[tuple[Visit, ...]]:
        """The stay's sessions, day by day."""
        return visit_days(self.patient, self.stay)

    @property
    def policy(self) -> Policy:
        """The patient's policy."""
        return self.patient.policies[0]

    @property
    def grant(self) -> Grant:
        """The stay's authorization; asked only where the payer wants one."""
        assert self.stay.grant is not None, "this payer authorizes nothing"
        return self.stay.grant

    def new_npi(self) -> str:
        """An NPI nobody else in the benchmark has."""
        return make_npi(self.patient.number * 10 + len(self.clinicians))

    def credential(
        self, clinician: Clinician, plan: Plan, role: str, start_on: date, end_on: date | None = None, **more: str
    ) -> None:
        """One credential more in the clinic's roster."""
        row = {"npi": clinician.npi, "payer": plan.key, "role": role, "start_on": start_on.isoformat()}
        if end_on is not None:
            row["end_on"] = end_on.isoformat()
        self.rosters.setdefault("credentials", []).append({**row, "taxonomy": clinician.taxonomy, **more})

    @property
    def eligibility(self) -> Row:
        """The payer's answer about the patient."""
        return self.rosters["eligibility"][0]

    @property
    def certification(self) -> Row:
        """The physician's certification of the stay."""
        return self.rosters["certifications"][0]

    @property
    def consent(self) -> Row:
        """The patient's consent to a substance use program's disclosures."""
        return self.rosters["consents"][0]

    def certify(self, stay: Stay, **more: str) -> None:
        """A physician certifies a stay on the day of admission."""
        on = stay.admitted_on.isoformat()
        level = stay.track.level_of_care
        self.rosters.setdefault("certifications", []).append(
            {
                "patient": f"riverbend-mrn|{self.patient.mrn}", "level_of_care": level, "start_on": on, "signed_on": on,
                "signed_by": stay.track.attending.npi, "weekly_hours": {"PHP": "20", "IOP": "9"}[level], **more,
            }
        )  # fmt: skip

    def consent_to(self, stay: Stay) -> None:
        """The patient consents to what a substance use program tells payers."""
        if stay.track.program.startswith("sud"):
            self.rosters.setdefault("consents", []).append(
                {
                    "patient": f"riverbend-mrn|{self.patient.mrn}",
                    "program": stay.track.program,
                    "signed_on": stay.admitted_on.isoformat(),
                }
            )

    def date_of(self, day: int) -> date:
        """The date of the stay's day of that place, from 0; negative from the end."""
        return self.days[day][0].start_at.astimezone(clinic.ZONE).date()

    def tell(self, at: datetime, event: Event, label: str = "added") -> None:
        """One telling more."""
        self.added.append(Telling(at=at, feed=self.context.feed, patient=self.patient, event=event, label=label))

    def tell_stay(self, stay: Stay) -> None:
        """Everything of a second stay."""
        self.added += self._stay_told(stay)

    def tellings(self) -> list[Telling]:
        """Admission, each day and discharge, with what was added, in order of time."""
        return sorted([*self._stay_told(self.stay), *self.added], key=lambda each: each.at)

    def _stay_told(self, stay: Stay) -> Iterator[Telling]:
        policies = tuple(self.patient.policies)
        begun: Event = Admission(stay=stay, policies=policies, grant=stay.grant)
        if stay.follows is not None:
            begun = StepDown(old=stay.follows, new=stay)
        yield self._telling(local(stay.admitted_on, 7, 30), begun, "admission")
        ended_at = None
        for visits in visit_days(self.patient, stay):
            ended_at = visits[-1].end_at + timedelta(minutes=15)
            for together in _as_told(visits, self.context.feed):
                yield self._telling(ended_at, Attendance(visits=together), "day")
        if stay.discharged_on is not None:
            at = local(stay.discharged_on, 22)
            yield self._telling(at, Discharge(stay=stay, patient_status=stay.patient_status), "discharge")

    def _telling(self, at: datetime, event: Event, label: str) -> Telling:
        return Telling(at=at, feed=self.context.feed, patient=self.patient, event=event, label=label)


def _as_told(visits: tuple[Visit, ...], feed: Feed) -> list[tuple[Visit, ...]]:
    """One bundle, or one message of charges and one for each missed appointment."""
    if feed is Feed.FHIR:
        return [visits]
    attended = tuple(each for each in visits if each.came is not Came.NO_SHOW)
    missed = [(each,) for each in visits if each.came is Came.NO_SHOW]
    return [*([attended] if attended else []), *missed]


def make_chart(context: Context, number: int, *, seed: int, admitted_on: date = ADMITTED_ON) -> Chart:
    """The patient of that number, clean: attended as planned, documented, insured, authorized, discharged home."""
    random = Random(f"{seed}/defects/{number}")  # noqa: S311 - reproducible fiction, no secret
    human = make_human(random, number, context.age)
    patient = Patient(
        number=number,
        mrn=f"{700000 + number}",
        recovery_mrn=f"R{100000 + number}",
        human=human,
        scenario="benchmark",
        feed=context.feed,
    )
    policy = make_policy(random, number, context.plan, human, context.age)
    policy.start_on = admitted_on.replace(month=1, day=1)
    patient.policies.append(policy)
    stay, days = _stay(random, patient, context, admitted_on)
    patient.stays.append(stay)
    add_visits(random, patient, stay, days)
    chart = Chart(context=context, patient=patient, stay=stay, random=random)
    _give_therapist(chart)
    chart.rosters["eligibility"] = [
        {
            "patient": f"riverbend-mrn|{patient.mrn}", "payer": context.plan.key, "active": "yes",
            "start_on": policy.start_on.isoformat(), "checked_on": admitted_on.isoformat(),
        }
    ]  # fmt: skip
    chart.certify(stay)
    chart.consent_to(stay)
    return chart


def program_days(track: Track, admitted_on: date, weeks: int = PROGRAM_WEEKS) -> list[date]:
    """The dates on which the program meets in the weeks from an admission."""
    dates = (admitted_on + timedelta(days=place) for place in range(7 * weeks))
    return [on for on in dates if on.weekday() in track.weekdays]


def _stay(random: Random, patient: Patient, context: Context, admitted_on: date) -> tuple[Stay, Sequence[date]]:
    track, policy = context.track, patient.policies[0]
    days = program_days(track, admitted_on)
    grant = Grant(
        number=f"AU{patient.number:06d}1",
        policy=policy,
        level_of_care=track.level_of_care,
        units=len(days) + 10,
        start_on=admitted_on,
        end_on=admitted_on + timedelta(days=59),
    )
    stay = Stay(
        number=f"S{patient.number:06d}1",
        track=track,
        admitted_on=admitted_on,
        discharged_on=days[-1],
        patient_status="01",
        diagnoses=random.choice(clinic.DIAGNOSES[track.program]),
        attending=track.attending,
        grant=None if context.plan is clinic.MEDICARE else grant,
    )
    return stay, days


def _give_therapist(chart: Chart) -> None:
    """A therapist of the patient's own, credentialed everywhere: no other patient's session is in the way."""
    usual = chart.context.track.leader
    therapist = replace(usual, key=f"own{chart.patient.number}", npi=chart.new_npi())
    chart.clinicians.append(therapist)
    chart.credential(therapist, chart.context.plan, "rendering", date(2025, 1, 1))
    for visit in chart.patient.visits:
        visit.therapist = therapist
