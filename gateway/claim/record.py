"""What feeds tell us, in our words: one record per patient, coverage, episode, encounter, authorization or move.

A record is one source's word on one thing at one time. Mapping files fill these fields by name; unknown stays None,
which is never the same as false. Later records of the same source replace earlier ones by ``asserted_at``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from gateway.claim.party import Address, Identifier, PersonName, Practitioner, Relationship, Sex


class RecordKind(StrEnum):
    """The kinds of record a feed can bring."""

    PATIENT = "patient"
    COVERAGE = "coverage"
    EPISODE = "episode"
    ENCOUNTER = "encounter"
    AUTHORIZATION = "authorization"
    MOVE = "move"


class LevelOfCare(StrEnum):
    """Levels of care a program day can have."""

    PHP = "PHP"
    IOP = "IOP"
    OP = "OP"


class Setting(StrEnum):
    """Where a patient stays who is in no program: no program day lies inside such a stay."""

    INPATIENT = "inpatient"
    RESIDENTIAL = "residential"


class AttendanceStatus(StrEnum):
    """What became of one scheduled or attended session."""

    PLANNED = "planned"
    ATTENDED = "attended"
    NO_SHOW = "no-show"
    CANCELLED = "cancelled"
    ERROR = "entered-in-error"


class Modality(StrEnum):
    """Where the patient was: in the program's rooms or on a screen, at home or elsewhere."""

    IN_PERSON = "in-person"
    TELEHEALTH_HOME = "telehealth-home"
    TELEHEALTH_OTHER = "telehealth-other"


class AuthorizationStatus(StrEnum):
    """A payer's word on an authorization request."""

    REQUESTED = "requested"
    PENDED = "pended"
    APPROVED = "approved"
    PARTIAL = "partial"
    DENIED = "denied"
    CANCELLED = "cancelled"


class AuthorizationUnit(StrEnum):
    """What an authorization counts."""

    DAY = "day"
    VISIT = "visit"
    HOUR = "hour"
    QUARTER_HOUR = "15-minutes"


class Weekday(StrEnum):
    """Days of the week, Monday first as ``date.weekday()`` counts them."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecord:
    """A patient as one source describes them, with every identifier it gives in a configured namespace."""

    kind: ClassVar[RecordKind] = RecordKind.PATIENT

    identifiers: tuple[Identifier, ...]
    name: PersonName | None = None
    birth_on: date | None = None
    sex: Sex | None = None
    address: Address | None = None
    deceased_on: date | None = None
    never_bill_payers: tuple[str, ...] = ()
    """Payers this patient asked us never to bill (45 CFR 164.522(a)(1)(vi)); nothing overrides it."""
    merged_into: Identifier | None = None
    """Set when the source says this patient's identifiers now belong to another (HL7 A40)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRecord:
    """One policy of one patient. ``payer`` is what the feed calls the payer; payer files say whose name that is."""

    kind: ClassVar[RecordKind] = RecordKind.COVERAGE

    identifiers: tuple[Identifier, ...]
    patient: Identifier
    payer: Identifier | None = None
    plan: str = ""
    member_number: str = ""
    group_number: str = ""
    group_name: str = ""
    relationship: Relationship | None = None
    subscriber_name: PersonName | None = None
    subscriber_birth_on: date | None = None
    subscriber_sex: Sex | None = None
    subscriber_address: Address | None = None
    order: int | None = None
    """1 pays first; None when the feed does not say."""
    start_on: date | None = None
    end_on: date | None = None
    active: bool = True
    """False once the source cancels the policy or says it was entered in error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeRecord:
    """A stay in a program: admission to discharge at one level of care; or a stay elsewhere, with its setting."""

    kind: ClassVar[RecordKind] = RecordKind.EPISODE

    identifiers: tuple[Identifier, ...]
    patient: Identifier
    setting: Setting | None = None
    """Set for a stay in a hospital or a residential facility; None for a stay in a program."""
    facility: str = ""
    program: str = ""
    level_of_care: LevelOfCare | None = None
    admitted_on: date | None = None
    discharged_on: date | None = None
    patient_status: str = ""
    """UB-04 patient status once discharged; empty while the patient is still in the program."""
    admission_type: str = ""
    point_of_origin: str = ""
    attending: Practitioner | None = None
    diagnoses: tuple[str, ...] = ()
    """ICD-10-CM codes, principal first."""
    authorization_number: str = ""
    account: Identifier | None = None
    """The account it is kept under, where the feed has one: an account that moves takes its stays along."""
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterRecord:
    """One session one patient was scheduled for or attended. Times are aware; codes are ours after the value maps."""

    kind: ClassVar[RecordKind] = RecordKind.ENCOUNTER

    identifiers: tuple[Identifier, ...]
    patient: Identifier
    episode: Identifier | None = None
    account: Identifier | None = None
    facility: str = ""
    program: str = ""
    level_of_care: LevelOfCare | None = None
    session: str = ""
    """Kind of session, a word of the codes/sessions file, e.g. ``group-psychotherapy``."""
    status: AttendanceStatus | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    scheduled_start_at: datetime | None = None
    """The block the session was scheduled for: attendance beyond it does not count."""
    scheduled_end_at: datetime | None = None
    modality: Modality | None = None
    note_signed: bool | None = None
    attending: Practitioner | None = None
    rendering: Practitioner | None = None
    diagnoses: tuple[str, ...] = ()
    """ICD-10-CM codes, principal first."""
    authorization_number: str = ""
    place_of_service: str = ""
    """As the EHR states it; compared with the service definition, never copied onto a claim unseen."""
    charge_code: str = ""
    """HCPCS as the EHR charged it, where it does; compared, never trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRecord:
    """A payer's authorization: what, how many units, from when to when."""

    kind: ClassVar[RecordKind] = RecordKind.AUTHORIZATION

    identifiers: tuple[Identifier, ...]
    patient: Identifier
    number: str = ""
    payer: Identifier | None = None
    level_of_care: LevelOfCare | None = None
    service_codes: tuple[str, ...] = ()
    unit: AuthorizationUnit = AuthorizationUnit.DAY
    units: int | None = None
    units_per_day: int | None = None
    units_per_week: int | None = None
    weekdays: tuple[Weekday, ...] = ()
    """The days of the week it allows; empty for every day."""
    npis: tuple[str, ...] = ()
    """Billing or service location NPIs it names; empty where it names none."""
    start_on: date | None = None
    end_on: date | None = None
    status: AuthorizationStatus | None = None
    review_on: date | None = None
    """When the payer reviews the stay next."""
    opening_units: int | None = None
    """Units used on the days before ``opening_on``, which some other system billed."""
    opening_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRecord:
    """Stays and sessions told under some number are another patient's, or the number is another now (HL7 A43-A45, A50).

    What was told of them before, under any of the ``identifiers``, goes along, whenever we hear of it. What the feed
    says later names its patient itself.
    """

    kind: ClassVar[RecordKind] = RecordKind.MOVE

    identifiers: tuple[Identifier, ...]
    """Numbers of one stay, account or patient, the old and the new: all of them mean the same from now on."""
    patient: Identifier
    """Whose it is now."""
    moved_from: Identifier | None = None
    """Whose it was; what is told of anybody else stays. None where only the number changed."""
    account: Identifier | None = None
    """The account a stay is kept under now."""


FeedRecord = PatientRecord | CoverageRecord | EpisodeRecord | EncounterRecord | AuthorizationRecord | MoveRecord
FEED_RECORDS: tuple[type[FeedRecord], ...] = (
    PatientRecord,
    CoverageRecord,
    EpisodeRecord,
    EncounterRecord,
    AuthorizationRecord,
    MoveRecord,
)
