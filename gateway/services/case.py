"""What services pass to each other: sourced and merged records, service days, a patient's case, drafts, placements.

Values only. Nothing here knows where facts are stored or what happens to a claim afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct, field

from gateway.claim.attendance import ServiceDay
from gateway.claim.claim import Claim, ClaimKey
from gateway.claim.finding import Finding
from gateway.claim.origins import NO_ORIGINS, Origins
from gateway.claim.record import (
    AttendanceStatus,
    AuthorizationRecord,
    CoverageRecord,
    EncounterRecord,
    EpisodeRecord,
    FeedRecord,
    PatientRecord,
)

R = TypeVar("R", bound=FeedRecord)


class SourcedRecord(Struct, Generic[R], frozen=True, kw_only=True):
    """One source's newest word on one thing. The lowest ``precedence`` is believed first."""

    record: R
    source: str
    asserted_at: datetime
    origins: Origins = NO_ORIGINS
    precedence: int = 0


class Merged(Struct, Generic[R], frozen=True, kw_only=True):
    """One thing after its sources were merged: each field's first known value, and where that came from."""

    record: R
    origins: Origins = NO_ORIGINS
    findings: tuple[Finding, ...] = ()
    """Contradictions between sources, for a person."""
    sources: tuple[str, ...] = ()
    """Who spoke, most believed first."""


MergedEncounter = Merged[EncounterRecord]
MergedEpisode = Merged[EpisodeRecord]
MergedCoverage = Merged[CoverageRecord]
MergedPatient = Merged[PatientRecord]


class KnownEpisode(Struct, frozen=True, kw_only=True):
    """An episode with its store id, its origins and what is wrong with it."""

    id: str
    record: EpisodeRecord
    origins: Origins = NO_ORIGINS
    findings: tuple[Finding, ...] = ()


class KnownCoverage(Struct, frozen=True, kw_only=True):
    """A policy with its store id, the payer it was recognised as, and its origins."""

    id: str
    record: CoverageRecord
    payer: str | None
    """The payer file's id; None when no payer file knows the name."""
    origins: Origins = NO_ORIGINS
    findings: tuple[Finding, ...] = ()


class PlacedEncounter(Struct, frozen=True, kw_only=True):
    """One encounter whose patient and organization are known, merged over its sources."""

    encounter_id: str
    patient_id: str
    organization: str
    record: EncounterRecord
    origins: Origins = NO_ORIGINS
    findings: tuple[Finding, ...] = ()
    sources: tuple[str, ...] = ()


class UnplacedEncounter(Struct, frozen=True, kw_only=True):
    """An encounter that belongs to no service day: a fact is missing, or the visit was withdrawn or told twice."""

    encounter_id: str
    patient_id: str
    organization: str
    status: AttendanceStatus | None
    reason: str
    """A word: ``no-show``, ``cancelled``, ``entered-in-error``, ``told-twice``, else the first finding's rule."""
    on: date | None = None
    facility: str = ""
    program: str = ""
    findings: tuple[Finding, ...] = ()


class DayBook(Struct, frozen=True, kw_only=True):
    """Service days in order of patient, date, facility, program and level of care; and what found no day."""

    days: tuple[ServiceDay, ...]
    unplaced: tuple[UnplacedEncounter, ...] = ()
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    """Findings by encounter id, of encounters that are in a day."""


class Place(StrEnum):
    """Where one encounter's bill is."""

    BILLED = "billed"
    WAITING = "waiting"
    HELD = "held"
    NOT_BILLABLE = "not-billable"


class Placement(Struct, frozen=True, kw_only=True):
    """Where one encounter's bill is, and why. Its ``cents`` are its share of the line that bills it."""

    encounter_id: str
    place: Place
    reason: str
    """A word: ``on-claim``, ``period-open``, ``no-show``, ``partial-day``, the rule that holds it ..."""
    payer: str = ""
    claim_key: ClaimKey | None = None
    on: date | None = None
    cents: int = 0
    findings: tuple[Finding, ...] = ()


class PatientCase(Struct, frozen=True, kw_only=True):
    """All that is known of one patient's program attendance at one organization."""

    patient_id: str
    organization: str
    patient: PatientRecord
    origins: Origins = NO_ORIGINS
    """Of the patient's own fields."""
    medical_record_number: str = ""
    episodes: tuple[KnownEpisode, ...] = ()
    """Stays in programs."""
    stays_elsewhere: tuple[KnownEpisode, ...] = ()
    """Inpatient and residential stays."""
    coverages: tuple[KnownCoverage, ...] = ()
    book: DayBook
    authorizations: tuple[AuthorizationRecord, ...] = ()
    never_bill_payers: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()
    """What is wrong with the patient's own record; it holds every claim of theirs."""


class DraftClaim(Struct, frozen=True, kw_only=True):
    """A claim as it would be sent now, before the gate."""

    claim: Claim
    findings: tuple[Finding, ...]
    encounter_ids: tuple[str, ...]
    """Encounters on its lines."""
    days: tuple[ServiceDay, ...]
    complete: bool
    """The billing period is closed."""
    ready_on: date | None
    """First day it may leave; None while nobody can say (a stay without discharge)."""


class ExpectedDay(Struct, frozen=True, kw_only=True):
    """A day without lines for which the payer wants an authorization: scheduled, missed, or attended and not billed."""

    day: ServiceDay
    payer: str
    member: str
    number: str
    """The authorization the day would use; empty when none covers it."""
    reason: str
    held: bool
    """Somebody can still make it billable."""
    cents: int
    """The charge of a whole day, 0 where the definition buys sessions or has no price."""


class Assembly(Struct, frozen=True, kw_only=True):
    """The drafts of one patient in order of key, and one placement for each encounter in order of id."""

    drafts: tuple[DraftClaim, ...]
    placements: tuple[Placement, ...]
    expected: tuple[ExpectedDay, ...] = ()
    """Days without lines that reserve units of an authorization, or give them back."""
    cents: Mapping[str, int] = field(default_factory=dict)
    """What each day comes to, by the id of its first encounter: its lines, else a whole day under its definition."""
