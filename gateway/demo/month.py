"""The clinic's August 2026, the same bytes for the same seed: patients, what happened, and the messages in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from gateway.demo import fhir_feed, hl7_feed
from gateway.demo.feed import Batch, Feed, FeedMessage
from gateway.demo.people import make_human, make_policy
from gateway.demo.scenarios import Case, case_of
from gateway.demo.stays import plan_evening_stay, plan_stays
from gateway.demo.stories import Telltale, change_truth, tell_month
from gateway.demo.truth import Patient, Telling

DEFAULT_SEED, DEFAULT_PATIENTS = 2026, 48


@dataclass(frozen=True, slots=True)
class ClinicMonth:
    """The truth of one month."""

    seed: int
    patients: tuple[Patient, ...]

    @property
    def visits(self) -> int:
        """How many sessions were planned, missed ones too."""
        return sum(len(patient.visits) for patient in self.patients)

    def tellings(self, batch: Batch = Batch.MONTH) -> list[Telling]:
        """What is told in that batch, in order of time."""
        told = (each for patient in self.patients for each in patient.told if each.batch is batch)
        return sorted(told, key=lambda each: (each.at, each.patient.number))

    def messages(self, batch: Batch = Batch.MONTH) -> Iterator[FeedMessage]:
        """The batch's messages in order of time, rendered one by one; the month begins with the clinic itself."""
        if batch is Batch.MONTH:
            yield fhir_feed.clinic_message()
        for number, telling in enumerate(self.tellings(batch), 1):
            yield _render(telling, f"{'M' if batch is Batch.MONTH else 'L'}{number:07d}")


def clinic_month(seed: int = DEFAULT_SEED, patients: int = DEFAULT_PATIENTS) -> ClinicMonth:
    """A month of that many patients; a patient's own month depends on the seed and its number alone."""
    return ClinicMonth(seed, tuple(_patient(seed, number) for number in range(patients)))


def _render(telling: Telling, control: str) -> FeedMessage:
    renderer = fhir_feed.render if telling.feed is Feed.FHIR else hl7_feed.render
    return FeedMessage(
        at=telling.at,
        feed=telling.feed,
        content=renderer(telling, control),
        label=telling.label,
        batch=telling.batch,
    )


def _patient(seed: int, number: int) -> Patient:
    random = Random(f"{seed}/{number}")  # noqa: S311 - reproducible fiction, no secret
    case = case_of(number)
    human = make_human(random, number, case.age)
    patient = Patient(
        number=number,
        mrn=f"{700000 + number}",
        recovery_mrn=f"R{100000 + number}",
        human=human,
        scenario=case.scenario,
        feed=case.tracks[0].site.feed,
    )
    patient.policies.append(make_policy(random, number, case.plan, human, case.age))
    _plan(random, patient, case)
    telltale = Telltale(patient)
    change_truth(patient, telltale)
    tell_month(patient, telltale)
    return patient


def _plan(random: Random, patient: Patient, case: Case) -> None:
    if case.scenario == "two-programs-a-day":
        plan_stays(random, patient, case.tracks[:1])
        plan_evening_stay(random, patient, case.tracks[1])
    else:
        plan_stays(random, patient, case.tracks)
