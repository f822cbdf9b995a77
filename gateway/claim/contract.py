"""What the organization's own files say: organizations, facilities, payers, service definitions, charges.

All of it is effective-dated, and every value remembers the file and line it was read from (``entry``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.claim.calendar import Span
from gateway.claim.finding import Owner, Severity
from gateway.claim.party import Address, Identifier
from gateway.claim.record import LevelOfCare

if TYPE_CHECKING:
    from gateway.claim.claim import Claim

ALWAYS = Span(date(1900, 1, 1))


class ClaimForm(StrEnum):
    """Which 837 a payer wants."""

    INSTITUTIONAL = "837I"
    PROFESSIONAL = "837P"


class ProgramKind(StrEnum):
    """What a program treats."""

    MENTAL_HEALTH = "MH"
    SUBSTANCE_USE = "SUD"


class LineOfBusiness(StrEnum):
    """The kind of payer: Medicare is one rule set, every other payer is contract configuration."""

    MEDICARE = "medicare"
    MEDICARE_ADVANTAGE = "medicare-advantage"
    MEDICAID = "medicaid"
    COMMERCIAL = "commercial"
    TRICARE = "tricare"


class UnitBasis(StrEnum):
    """What one billed unit is."""

    DAY = "day"
    SESSION = "session"
    HOUR = "hour"
    QUARTER_HOUR = "15-minutes"


class Cadence(StrEnum):
    """How much attendance goes on one claim."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    ADMISSION = "admission-to-discharge"


class SplitOn(StrEnum):
    """What ends a claim before its cadence does. Level of care, payer, facility and program always do."""

    MONTH_END = "month-end"
    AUTHORIZATION = "authorization"
    YEAR_END = "year-end"
    FISCAL_YEAR_END = "fiscal-year-end"


class FrequencyScheme(StrEnum):
    """How the third digit of the bill type runs over a series of claims (billing rules differ by payer)."""

    SINGLE = "single"
    INTERIM = "interim"


class Bundling(StrEnum):
    """A per-diem line for the day, or one line for each session."""

    PER_DIEM = "per-diem"
    ITEMISED = "itemised"


class PartialDay(StrEnum):
    """What becomes of a day too short for the definition and for its half day; never a code for more than was done."""

    NOT_BILLED = "not-billed"
    ITEMISE = "itemise"
    """Its sessions, by the definition's items."""
    LOWER_LEVEL = "lower-level"
    """As a day of ``lower_level``, where it reaches that level's minimum and an authorization covers it."""


class AuthorizationNeed(StrEnum):
    """Whether the payer wants an authorization; ``not-required`` is a stored decision, never an empty field."""

    REQUIRED = "required"
    NOT_REQUIRED = "not-required"


class CredentialNeed(StrEnum):
    """How a payer credentials: the facility alone, or each practitioner too."""

    FACILITY = "facility"
    PRACTITIONER = "practitioner"


class Release(StrEnum):
    """Whether a clean claim leaves by itself or waits for a person."""

    AUTOMATIC = "automatic"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKind:
    """One kind of session a program offers and how it counts."""

    name: str
    clinical: bool = True
    """Counts toward the day's minutes and services."""
    primary: bool = False
    """A psychotherapy-type service: a Medicare program day needs one."""
    group: bool = False
    """Several patients with one clinician; the others are for one patient, or one family, at a time."""
    presence: bool = False
    """From signing in to signing out: sessions of the day count as far as it reaches."""
    pause: bool = False
    """A meal, a break, a ride: its minutes count for no session they lie in."""
    minimum_minutes: int = 0
    """The least minutes that count as a service."""
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A PHP or IOP program of an organization."""

    id: str
    name: str
    """As people know it."""
    kind: ProgramKind
    part_2: bool = False
    """True when the program is a 42 CFR Part 2 program: consent rules apply that nothing overrides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFacts:
    """How much it weighs that a fact is unknown, by the roster that would tell it: the organization's choice."""

    credentials: Severity = Severity.WARN
    eligibility: Severity = Severity.WARN
    certifications: Severity = Severity.WARN
    consents: Severity = Severity.WARN
    enrollments: Severity = Severity.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A billing entity."""

    id: str
    tenant: str
    """The group that owns it; a site serves one."""
    name: str
    """As loop 2010AA says it."""
    npi: str
    tax_id: str
    taxonomy: str
    address: Address
    contact_name: str
    """Whom a payer calls."""
    contact_phone: str
    programs: tuple[Program, ...] = ()
    unknown: UnknownFacts = UnknownFacts()
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """A place of service of an organization. ``names`` are what feeds call it."""

    id: str
    organization: str
    """The organization's id."""
    name: str
    """As people know it, and as loop 2310E says it."""
    time_zone: str
    address: Address
    npi: str = ""
    bill_class: str = ""
    """First two digits of the type of bill: 13 hospital outpatient, 76 CMHC, 85 CAH ..."""
    place_of_service: str = ""
    opps: bool = False
    """Paid under OPPS (true) or not; definitions may ask."""
    off_campus_modifier: str = ""
    names: tuple[Identifier, ...] = ()
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemisedService:
    """How one kind of session is billed where the payer buys sessions."""

    session: str
    """The kind of session, as codes/sessions.yaml has it."""
    revenue_code: str = ""
    hcpcs: str = ""
    modifiers: tuple[str, ...] = ()
    unit_basis: UnitBasis = UnitBasis.SESSION
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfDay:
    """The code of a shorter day, where the payer buys one."""

    minimum_minutes: int
    """The least attended minutes of a half day."""
    revenue_code: str = ""
    hcpcs: str = ""
    modifiers: tuple[str, ...] = ()
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationClock:
    """How many days a physician's certification covers, its own first day counted."""

    first_days: int
    """Days the first certification covers."""
    then_days: int
    """Of each recertification."""
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCode:
    """A value code of an 837I (HI*BE) and its amount as it is written, e.g. a state's rate code under 24."""

    code: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDefinition:
    """What a payer buys and how it is billed. Resolved by date of service; the most specific wins, a tie blocks."""

    id: str
    span: Span
    level_of_care: LevelOfCare
    form: ClaimForm
    payers: tuple[str, ...] = ()
    """Payer ids; empty with ``line_of_business`` for every payer of that kind."""
    lines_of_business: tuple[LineOfBusiness, ...] = ()
    plans: tuple[str, ...] = ()
    """Only these plans of the payer."""
    program_kinds: tuple[ProgramKind, ...] = ()
    facilities: tuple[str, ...] = ()
    """Only at these."""
    opps: bool | None = None
    """Only facilities paid under OPPS (True), only others (False), or either (None)."""
    bundling: Bundling = Bundling.PER_DIEM
    bill_class: str = ""
    """Overrides the facility's bill class where the payer wants another."""
    place_of_service: str = ""
    revenue_code: str = ""
    hcpcs: str = ""
    modifiers: tuple[str, ...] = ()
    unit_basis: UnitBasis = UnitBasis.DAY
    items: tuple[ItemisedService, ...] = ()
    minimum_minutes_day: int | None = None
    """The least attended minutes of a whole day."""
    minimum_services_day: int | None = None
    """The least attended services of a whole day."""
    uncounted_sessions: tuple[str, ...] = ()
    """Kinds of session whose minutes this payer does not count toward a day."""
    half_day: HalfDay | None = None
    partial_day: PartialDay = PartialDay.NOT_BILLED
    lower_level: LevelOfCare | None = None
    authorization: AuthorizationNeed = AuthorizationNeed.REQUIRED
    certification: CertificationClock | None = None
    """Where the payer wants a physician's certification of the level of care."""
    condition_codes: tuple[str, ...] = ()
    value_codes: tuple[ValueCode, ...] = ()
    diagnosis_prefixes: tuple[str, ...] = ("F",)
    telehealth_allowed: bool = True
    """false: no session of the day may be remote."""
    telehealth_place_of_service: str = ""
    telehealth_modifiers: tuple[str, ...] = ()
    rendering_required: bool = False
    """true: every line names who rendered it."""
    cadence: Cadence = Cadence.WEEKLY
    entry: str = ""
    source: str = ""
    """The public or contract document the definition follows."""

    def itemises(self, revenue_code: str, hcpcs: str) -> bool:
        """True when a line with these codes bills a session, not a day."""
        return any((each.revenue_code, each.hcpcs) == (revenue_code, hcpcs) for each in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """The facility's price of one unit of a service."""

    organization: str
    """The organization's id."""
    span: Span
    cents: int
    revenue_code: str = ""
    hcpcs: str = ""
    modifiers: tuple[str, ...] = ()
    facility: str = ""
    """Only there; left out, everywhere."""
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How claims for a payer reach it: the connection and the payer's id there."""

    connection: str
    """The clearinghouse file's id."""
    payer_number: str
    """The payer's id there (2010BB NM109)."""
    span: Span = ALWAYS
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """A payer's agreement to exchange one transaction for one NPI."""

    npi: str
    transaction: str
    """``837I``, ``837P``, ``835`` or ``EFT``."""
    span: Span
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderNumber:
    """The number by which a payer knows a billing NPI beside the NPI, at one facility or at all."""

    npi: str
    number: str
    """The payer's own number of the billing provider (REF G2)."""
    facility: str = ""
    """Only for services there; left out, everywhere."""
    span: Span = ALWAYS
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetting:
    """A payer's word on one gate rule: off, another severity, or limits."""

    enabled: bool = True
    """false turns the rule off."""
    severity: Severity | None = None
    limits: Mapping[str, str] = field(default_factory=dict)
    """The rule's limits by name, as its page lists them."""
    span: Span = ALWAYS
    source: str = ""
    """What says so: the contract, the payer's manual, a call."""
    decided_on: date | None = None
    """When somebody here decided it."""
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerRule:
    """A payer's own condition, compiled by whoever read the file: True means the claim fails it."""

    name: str
    fails: Callable[[Claim], bool]
    message: str
    """What the biller reads."""
    fix: str
    """What to do about it."""
    owner: Owner
    severity: Severity = Severity.BLOCK
    span: Span = ALWAYS
    source: str = ""
    decided_on: date | None = None
    """The day it was agreed here."""
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRate:
    """What the contract pays for one unit of a service; the rate that states most of a line's codes is its rate."""

    cents: int
    span: Span
    revenue_code: str = ""
    hcpcs: str = ""
    modifiers: tuple[str, ...] = ()
    level_of_care: LevelOfCare | None = None
    facility: str = ""
    """Only there; left out, everywhere."""
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """A payer and its rules. ``names`` are what feeds call it; a name no file knows is a finding for a person."""

    id: str
    name: str
    """As people know it."""
    line_of_business: LineOfBusiness
    claim_filing_code: str
    """SBR09."""
    names: tuple[Identifier, ...]
    levels_of_care: tuple[LevelOfCare, ...] = ()
    """What it buys at all; empty where the file does not say."""
    routes: tuple[Route, ...] = ()
    enrollments: tuple[Enrollment, ...] | None = None
    """None when no enrollment roster is loaded: unknown, which is not false."""
    provider_numbers: tuple[ProviderNumber, ...] = ()
    """Given by payers, most often Medicaid, that want a number of their own on the claim (2010BB REF*G2)."""
    release: Release = Release.PERSON
    frequency_scheme: FrequencyScheme = FrequencyScheme.SINGLE
    split_on: tuple[SplitOn, ...] = ()
    week_start: int = 6
    """0 Monday ... 6 Sunday."""
    timely_filing_days: int | None = None
    """Days from the service until the claim must be there."""
    corrected_filing_days: int | None = None
    """Days until a correction must be there; left out, the original's."""
    member_number_pattern: str = ""
    credentials: CredentialNeed = CredentialNeed.FACILITY
    members_are_subscribers: bool = False
    """True where each member has an id of their own: the patient is sent as the subscriber."""
    rules: Mapping[str, tuple[RuleSetting, ...]] = field(default_factory=dict)
    """Settings of gate rules by name; no two of one rule hold on one day."""
    own_rules: tuple[PayerRule, ...] = ()
    rates: tuple[ContractRate, ...] = ()
    entry: str = ""

    def provider_number(self, npi: str, facility: str, on: date) -> str:
        """The payer's own number of a billing NPI on a day; one for the facility beats one for all. Empty for none."""
        found = [
            each
            for each in self.provider_numbers
            if each.npi == npi and each.facility in ("", facility) and each.span.covers(on)
        ]
        return max(found, key=lambda each: bool(each.facility)).number if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything the mapping set in force says, indexed by id. ``content_hash`` names the set."""

    content_hash: str
    organizations: Mapping[str, Organization]
    facilities: Mapping[str, Facility]
    payers: Mapping[str, Payer]
    services: tuple[ServiceDefinition, ...]
    charges: tuple[Charge, ...]
    sessions: Mapping[str, SessionKind]

    def payer_named(self, name: Identifier) -> Payer | None:
        """The payer a feed's identifier stands for; None when no file knows it."""
        return next((payer for payer in self.payers.values() if name in payer.names), None)

    def program(self, organization: str, program: str) -> Program | None:
        """The organization's program of that id; None when its file lists no such program."""
        found = self.organizations.get(organization)
        return next((each for each in found.programs if each.id == program), None) if found else None
