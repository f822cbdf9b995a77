"""What a rule may look at beside the claim: facts loaded in bulk before the gate. None means unknown, not false."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct, field

from gateway.authorization.account import AuthorizationAccount
from gateway.claim.attendance import ServiceDay
from gateway.claim.claim import Claim
from gateway.claim.contract import Catalogue, ClaimForm, Facility, Payer, SessionKind, UnitBasis
from gateway.claim.record import AuthorizationRecord, EpisodeRecord
from gateway.claim.roster import CertificationRecord, ConsentRecord, CredentialRecord, EligibilityRecord
from gateway.services.case import KnownCoverage, KnownEpisode


class UnitLimit(Struct, frozen=True):
    """The most units of a code that are medically likely: on one line, or on one day."""

    units: int
    by_day: bool


class CodeSets(Protocol):
    """Code lists by date of service. What an unlicensed list would say is None: no list, so nobody knows."""

    @property
    def version(self) -> str:
        """Names what was imported beside the mapping set's own lists; empty for nothing."""
        return ""

    def diagnosis_is_known(self, code: str, on: date) -> bool | None:
        """True when the ICD-10-CM code exists on the day; None when no release covers the day."""

    def diagnosis_is_billable(self, code: str, on: date) -> bool | None:
        """True when the code is complete (a leaf) on the day; None when no release covers the day."""

    def place_of_service_is_known(self, code: str) -> bool:
        """True for a place of service code CMS publishes."""

    def hcpcs_is_known(self, code: str, on: date) -> bool | None:
        """True when the procedure code is listed on the day; None for codes no list is loaded of (CPT, as shipped)."""

    def modifier_is_known(self, modifier: str, on: date) -> bool | None:
        """True when the level II modifier is listed on the day; None without a list, and for CPT's own (digits)."""

    def revenue_code_is_known(self, code: str, on: date) -> bool | None:
        """True when the revenue code is listed on the day; None without a list."""

    def unit_limit(self, code: str, on: date, *, hospital: bool) -> UnitLimit | None:
        """The medically unlikely edit of a code; None when there is none, or no list."""

    def pair_edit(self, first: str, second: str, on: date, *, hospital: bool) -> str | None:
        """``0`` when the second code is never paid beside the first, ``1`` when a modifier may say why; else None."""

    def primaries(self, add_on: str, on: date) -> frozenset[str] | None:
        """The codes an add-on code may stand beside, empty where the payer decides; None for any other code."""

    def program_service(self, code: str, on: date) -> bool | None:
        """True for a code that Medicare takes on a PHP or IOP claim; None without a list."""

    def is_primary_service(self, code: str, on: date) -> bool | None:
        """True for a service of which a Medicare program day needs one; None without a list that says so."""


class AuthorizationUse(Struct, frozen=True, kw_only=True):
    """Units of an authorization another claim already uses on a day."""

    number: str
    on: date
    units: int
    claim_key: str
    sent: bool = False
    """The payer has the claim, or another organization's: its units are gone, whatever its dates."""


class BilledLine(Struct, frozen=True, kw_only=True):
    """A line of another live claim of the same patient: drafted, sent or answered, not voided or rejected."""

    claim_key: str
    claim_number: str
    payer: str
    organization: str
    facility: str
    level_of_care: str
    on: date
    revenue_code: str
    hcpcs: str
    modifiers: tuple[str, ...]
    per_diem: bool
    condition_codes: tuple[str, ...]
    sent: bool
    finalized: bool = False
    """True once a remittance decided the claim."""


def lines_of(claim: Claim, key: str, number: str, *, sent: bool, finalized: bool = False) -> list[BilledLine]:
    """The lines of a claim as the others of its patient are judged beside them; ``key`` is its key as stored."""
    return [
        BilledLine(
            claim_key=key,
            claim_number=number,
            payer=claim.key.payer,
            organization=claim.key.organization,
            facility=claim.key.facility,
            level_of_care=claim.key.level_of_care,
            on=line.service_on,
            revenue_code=line.revenue_code,
            hcpcs=line.hcpcs,
            modifiers=line.modifiers,
            per_diem=line.unit_basis is UnitBasis.DAY,
            condition_codes=claim.condition_codes if claim.form is ClaimForm.INSTITUTIONAL else (),
            sent=sent,
            finalized=finalized,
        )
        for line in claim.lines
    ]


class Room(Struct, frozen=True, kw_only=True):
    """What one clinician led at one time in one place: one kind of session, and the patients who attended it."""

    facility: str
    session: str
    start_at: datetime
    end_at: datetime
    attendees: tuple[tuple[str, str], ...]
    """(encounter, patient) of each."""

    def is_group_of(self, session: str, facility: str, kinds: Mapping[str, SessionKind]) -> bool:
        """True when a session and this room are one group: the same kind of group session in the same place."""
        if session != self.session or facility != self.facility:
            return False
        kind = kinds.get(session)
        return kind is not None and kind.group

    def others(self, patient_id: str) -> list[str]:
        """Encounters of the patients beside this one."""
        return [encounter_id for encounter_id, each in self.attendees if each != patient_id]


class PreviousVersion(Struct, frozen=True, kw_only=True):
    """The version a replacement or void takes the place of."""

    claim_number: str
    payer_claim_number: str
    payer: str
    patient_id: str
    adjudicated: bool


class GateContext(Struct, frozen=True, kw_only=True):
    """Facts about one claim, as known on ``today``."""

    today: date
    catalogue: Catalogue
    payer: Payer | None
    facility: Facility | None
    codes: CodeSets
    days: Mapping[date, ServiceDay] = field(default_factory=dict)
    """The claim's own service days: same patient, facility, program and level of care."""
    other_days: tuple[ServiceDay, ...] = ()
    """The patient's other service days, whatever facility, program or level of care."""
    coverages: tuple[KnownCoverage, ...] = ()
    authorizations: tuple[AuthorizationRecord, ...] = ()
    authorization_use: tuple[AuthorizationUse, ...] = ()
    accounts: tuple[AuthorizationAccount, ...] = ()
    """Where each of the patient's authorizations stands, scheduled days and this claim's own among its entries."""
    credentials: tuple[CredentialRecord, ...] | None = None
    """Of the organization and the clinicians the claim names; None, as below, where no such roster was ever loaded."""
    eligibility: tuple[EligibilityRecord, ...] | None = None
    certifications: tuple[CertificationRecord, ...] | None = None
    consents: tuple[ConsentRecord, ...] | None = None
    billed_lines: tuple[BilledLine, ...] = ()
    previous: PreviousVersion | None = None
    never_bill_payers: frozenset[str] = frozenset()
    stays: tuple[EpisodeRecord, ...] = ()
    """Every stay of the patient the EHR has told of, whatever its program; none when it tells of none."""
    deceased_on: date | None = None
    stays_elsewhere: tuple[KnownEpisode, ...] = ()
    """Inpatient and residential stays of the patient, wherever they are."""
    rooms_elsewhere: Mapping[str, tuple[Room, ...]] = field(default_factory=dict)
    """Where the clinician of a session was at an overlapping time, by encounter id; its own group is not among them."""
    group_sizes: Mapping[str, int] = field(default_factory=dict)
    """Patients in the group of a group session, by encounter id; none where no payer limits them."""
