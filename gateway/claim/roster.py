"""What an organization keeps of people and their papers beside what feeds tell: one record for each row of a roster.

Each holds from and until its own dates, and its ``entry`` says where the row stood: ``file:line``. A roster that was
never loaded is unknown, which is not the same as empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar

from gateway.claim.party import Identifier
from gateway.claim.record import AuthorizationStatus, AuthorizationUnit, LevelOfCare, Weekday

ENROLLMENTS = "enrollments"
"""The one such source that is kept in the payers' files."""


_MEMBER = "member:"


class RosterKind(StrEnum):
    """The rosters that can be loaded."""

    CREDENTIALS = "credentials"
    ELIGIBILITY = "eligibility"
    CERTIFICATIONS = "certifications"
    CONSENTS = "consents"
    AUTHORIZATIONS = "authorizations"


class CredentialRole(StrEnum):
    """As what a payer accepts somebody."""

    RENDERING = "rendering"
    ATTENDING = "attending"
    BILLING = "billing"


class CredentialStatus(StrEnum):
    """How far the payer is with it; only an active credential counts."""

    ACTIVE = "active"
    PENDING = "pending"
    DENIED = "denied"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRecord:
    """A practitioner's or facility's standing with one payer, and the license it rests on."""

    kind: ClassVar[RosterKind] = RosterKind.CREDENTIALS
    key: ClassVar[tuple[str, ...]] = ("npi", "payer", "role", "location_npi", "start_on")

    npi: str
    payer: str
    """The payer file's id."""
    role: CredentialRole
    start_on: date
    end_on: date | None = None
    retro_effective_on: date | None = None
    """The earlier day from which the payer agreed to pay after all."""
    status: CredentialStatus = CredentialStatus.ACTIVE
    taxonomy: str = ""
    location_npi: str = ""
    """Only at this site; empty for every site."""
    tax_id: str = ""
    license_number: str = ""
    license_state: str = ""
    license_end_on: date | None = None
    entry: str = ""

    @property
    def since(self) -> date:
        """The first day the payer pays for."""
        return min(self.start_on, self.retro_effective_on or self.start_on)

    def covers(self, on: date) -> bool:
        """True when the payer accepts them on the day."""
        begun = self.start_on <= on or (self.retro_effective_on is not None and self.retro_effective_on <= on)
        return begun and self.status is CredentialStatus.ACTIVE and (self.end_on is None or on <= self.end_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityRecord:
    """What a payer answered of one member, from and until a day."""

    kind: ClassVar[RosterKind] = RosterKind.ELIGIBILITY
    key: ClassVar[tuple[str, ...]] = (
        "patient",
        "payer",
        "start_on",
        "service_types",
        "carve_out_payer",
        "primary_payer",
    )

    patient: Identifier
    """One of the patient's identifiers, or the member number as ``member_of`` writes it."""
    payer: str
    """The payer file's id."""
    active: bool
    start_on: date
    checked_on: date
    end_on: date | None = None
    service_types: tuple[str, ...] = ()
    """Service type codes of the answer (MH, AI, 30 ...); none for everything the plan covers."""
    carve_out_payer: str = ""
    """Who is to be billed for these services in the payer's place: a payer file's id, or the name as answered."""
    primary_payer: str = ""
    """Who pays before this payer, as it says."""
    plan: str = ""
    copay_cents: int | None = None
    entry: str = ""

    def covers(self, on: date) -> bool:
        """True when the answer speaks of the day."""
        return self.start_on <= on and (self.end_on is None or on <= self.end_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationRecord:
    """A physician's certification, or recertification, that the patient needs a level of care."""

    kind: ClassVar[RosterKind] = RosterKind.CERTIFICATIONS
    key: ClassVar[tuple[str, ...]] = ("patient", "level_of_care", "start_on")

    patient: Identifier
    level_of_care: LevelOfCare
    start_on: date
    """The first day it speaks for: the admission, or the day of the recertification."""
    recertification: bool = False
    signed_on: date | None = None
    signed_by: str = ""
    """The physician's NPI; empty while nobody has signed."""
    end_on: date | None = None
    """Where the physician certified fewer days than the payer's clock allows."""
    weekly_hours: int | None = None
    """Hours a week of the plan of care."""
    entry: str = ""

    def through(self, first_days: int, then_days: int) -> date:
        """The last day it covers by a payer's clock: so many days for the first one, so many for each later one."""
        days = then_days if self.recertification else first_days
        return min(self.start_on + timedelta(days=days - 1), self.end_on or date.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """A patient's written consent that a 42 CFR Part 2 program may disclose its records for payment."""

    kind: ClassVar[RosterKind] = RosterKind.CONSENTS
    key: ClassVar[tuple[str, ...]] = ("patient", "program", "payer", "signed_on")

    patient: Identifier
    program: str
    """The organization's program, as its file names it."""
    signed_on: date
    payer: str = ""
    """The only payer it names; empty for all of them."""
    end_on: date | None = None
    revoked_on: date | None = None
    entry: str = ""

    def permits(self, program: str, payer: str, on: date) -> bool:
        """True when the program may tell the payer on the day."""
        ends = (each for each in (self.end_on, self.revoked_on and self.revoked_on - timedelta(days=1)) if each)
        return (
            self.program == program
            and self.payer in ("", payer)
            and self.signed_on <= on <= min(ends, default=date.max)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRecord:
    """What a payer decided on one authorization, as the organization recorded it; what it says is believed first."""

    kind: ClassVar[RosterKind] = RosterKind.AUTHORIZATIONS
    key: ClassVar[tuple[str, ...]] = ("patient", "payer", "number")

    patient: Identifier
    """One of the patient's identifiers, or the member number as ``member_of`` writes it."""
    payer: str
    """The payer file's id."""
    number: str
    status: AuthorizationStatus
    level_of_care: LevelOfCare | None = None
    unit: AuthorizationUnit = AuthorizationUnit.DAY
    units: int | None = None
    units_per_day: int | None = None
    units_per_week: int | None = None
    weekdays: tuple[Weekday, ...] = ()
    npis: tuple[str, ...] = ()
    service_codes: tuple[str, ...] = ()
    start_on: date | None = None
    end_on: date | None = None
    review_on: date | None = None
    opening_units: int | None = None
    """Units used before ``opening_on``, on days that another system billed."""
    opening_on: date | None = None
    entry: str = ""


RosterRecord = CredentialRecord | EligibilityRecord | CertificationRecord | ConsentRecord | GrantRecord
ROSTER_RECORDS: tuple[type[RosterRecord], ...] = (
    CredentialRecord,
    EligibilityRecord,
    CertificationRecord,
    ConsentRecord,
    GrantRecord,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the rosters say of one patient, and of the organization's people by NPI; None where none was loaded."""

    credentials: Mapping[str, tuple[CredentialRecord, ...]] | None = None
    eligibility: tuple[EligibilityRecord, ...] | None = None
    certifications: tuple[CertificationRecord, ...] | None = None
    consents: tuple[ConsentRecord, ...] | None = None
    grants: tuple[GrantRecord, ...] = ()
    """Authorizations that the organization recorded, beside those that feeds tell of."""


def member_of(payer: str, member_number: str) -> Identifier:
    """A member of a payer as an identifier: how a payer's answer names a patient."""
    return Identifier(f"{_MEMBER}{payer}", member_number)


def is_member(name: Identifier) -> bool:
    """True for an identifier that ``member_of`` made."""
    return name.namespace.startswith(_MEMBER)


def person_of(npi: str) -> Identifier:
    """A clinician, a site or an organization as an identifier: whom a credential is about."""
    return Identifier("npi", npi)


def about(record: RosterRecord) -> Identifier:
    """Whom a row is about: the one its NPI names, or a patient."""
    return person_of(record.npi) if isinstance(record, CredentialRecord) else record.patient


def row_key(record: RosterRecord) -> str:
    """What tells a row from the others of its roster and source: the values of its kind's ``key``."""
    return "|".join(_text(getattr(record, name)) for name in record.key)


def _text(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)
