"""What really happened at the clinic in its month, before any EHR tells it. Knows no format, rule or payer policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from gateway.demo.feed import Batch, Feed


class Came(StrEnum):
    """What became of one planned session."""

    ATTENDED = "attended"
    NO_SHOW = "no-show"
    ENTERED_IN_ERROR = "entered-in-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinician:
    """A clinician of the clinic."""

    key: str
    npi: str
    family: str
    given: str
    degree: str
    taxonomy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A payer as the clinic's registration desk knows it. ``codes`` is its name in each EHR."""

    key: str
    name: str
    codes: dict[Feed, str] = field(hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A facility and the EHR it runs on."""

    key: str
    name: str
    feed: Feed
    place_of_service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One session of a program day: local start, minutes, kinds by weekday (the last one for all further days)."""

    starts: str
    minutes: int
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A program at a site: its level of care, weekdays (0 Monday), day of sessions, clinicians."""

    key: str
    site: Site
    program: str
    level_of_care: str
    weekdays: tuple[int, ...]
    slots: tuple[Slot, ...]
    attending: Clinician
    leader: Clinician
    """Who leads its groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A postal address; ``postal_code`` has nine digits."""

    line: str
    city: str
    state: str
    postal_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Human:
    """A patient or a subscriber. ``sex`` is F or M."""

    given: str
    middle: str
    family: str
    sex: str
    birth_on: date
    home: Home


@dataclass(slots=True, kw_only=True)
class Policy:
    """One insurance policy of a patient. ``subscriber`` None is the patient."""

    number: str
    plan: Plan
    member_number: str
    group_number: str
    relationship: str = "self"
    subscriber: Human | None = None
    start_on: date
    end_on: date | None = None


@dataclass(slots=True, kw_only=True)
class Grant:
    """A payer's authorization of one stay."""

    number: str
    policy: Policy
    level_of_care: str
    units: int
    start_on: date
    end_on: date


@dataclass(slots=True, kw_only=True)
class Stay:
    """A patient in one program at one level of care."""

    number: str
    track: Track
    admitted_on: date
    discharged_on: date | None
    patient_status: str
    diagnoses: tuple[str, ...]
    attending: Clinician
    grant: Grant | None = None
    follows: Stay | None = None
    """The stay this one steps down from."""


@dataclass(slots=True, kw_only=True)
class Visit:
    """One session of one patient: one encounter. Times are aware."""

    number: str
    stay: Stay
    kind: str
    start_at: datetime
    end_at: datetime
    sign_in_at: datetime
    sign_out_at: datetime
    therapist: Clinician
    came: Came = Came.ATTENDED
    remote: bool = False
    note_signed: bool = True
    place_of_service: str = ""
    charge_code: str = ""


@dataclass(slots=True, kw_only=True)
class Patient:
    """One patient's month. ``told`` is every telling in order of time."""

    number: int
    mrn: str
    """The number both EHRs share."""
    recovery_mrn: str
    """The recovery center's own number."""
    human: Human
    scenario: str
    feed: Feed
    policies: list[Policy] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    told: list[Telling] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One message to come: what an EHR says of a patient, and when (aware). A change is told by telling it again."""

    at: datetime
    feed: Feed
    patient: Patient
    event: Event
    label: str
    batch: Batch = Batch.MONTH
    recovery_mrn: str = ""
    """The recovery center's number for the patient at that time, where it was another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The patient starts a stay; the policies and the authorization known by then come along."""

    stay: Stay
    policies: tuple[Policy, ...]
    grant: Grant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDown:
    """The patient goes from one stay to the next, at another level of care."""

    old: Stay
    new: Stay


@dataclass(frozen=True, slots=True, kw_only=True)
class Discharge:
    """The stay ends; ``undone`` takes a discharge back."""

    stay: Stay
    patient_status: str = "01"
    """UB-04 patient status, as the discharge says it."""
    undone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Insurance:
    """Policies and an authorization told on their own."""

    stay: Stay
    policies: tuple[Policy, ...]
    grant: Grant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """A day's sessions as they are known now."""

    visits: tuple[Visit, ...]
    unsigned: frozenset[str] = frozenset()
    """Numbers of the visits whose note is not signed yet, whatever it becomes later."""
    cancelled: bool = False
    """True when the clinic takes the day back: it was entered in error."""
    booked: bool = False
    """True before the day: the sessions are planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """``retired`` was a second record of the same patient; its visits belong to ``patient``."""

    retired: str
    """The retired number of the recovery center's."""


Event = Admission | StepDown | Discharge | Insurance | Attendance | Merge
