"""A claim and its lines, before any format: what the gate judges and the 837 writers write."""

from __future__ import annotations

from datetime import date

from msgspec import Struct, field

from gateway.claim.contract import ClaimForm, LineOfBusiness, ProgramKind, UnitBasis, ValueCode
from gateway.claim.finding import Origin
from gateway.claim.origins import NO_ORIGINS, Origins
from gateway.claim.party import Address, Person, Practitioner, Relationship
from gateway.claim.record import LevelOfCare

CHANGE_REASONS = frozenset({"D0", "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "E0"})
"""Condition codes that say why a claim is replaced or taken back (Medicare Claims Processing Manual ch. 1 s. 130)."""


class ClaimKey(Struct, frozen=True, kw_only=True):
    """A claim's business identity: what stays the same over drafts, corrections and restarts."""

    organization: str
    patient_id: str
    payer: str
    facility: str
    program: str
    level_of_care: LevelOfCare
    period_start_on: date
    """First day of the cadence's period, not of attendance."""
    part: str = ""
    """Tells claims of one period apart where the payer's split rules cut it, e.g. the authorization number."""

    def __str__(self) -> str:
        return "/".join(
            (
                self.organization,
                self.patient_id,
                self.payer,
                self.facility,
                self.program,
                self.level_of_care,
                self.period_start_on.isoformat(),
                self.part,
            )
        )


class BillingProvider(Struct, frozen=True, kw_only=True):
    """Loop 2010AA: who bills."""

    name: str
    npi: str
    tax_id: str
    taxonomy: str
    address: Address
    contact_name: str
    contact_phone: str


class ServiceFacility(Struct, frozen=True, kw_only=True):
    """Where the service was rendered, where that is not the billing address."""

    name: str
    npi: str
    address: Address


class Insured(Struct, frozen=True, kw_only=True):
    """The policy the claim goes to, and its subscriber."""

    coverage_id: str
    payer: str
    """The payer file's id."""
    payer_name: str
    payer_number: str
    """The payer's id at the clearinghouse the claim is routed through."""
    line_of_business: LineOfBusiness
    claim_filing_code: str
    sequence: str
    """SBR01: P, S or T."""
    member_number: str
    provider_number: str = ""
    """REF*G2: the payer's own number of the billing provider, where it has one."""
    group_number: str = ""
    group_name: str = ""
    relationship: Relationship = Relationship.SELF
    subscriber: Person = field(default_factory=Person)


class ClaimLine(Struct, frozen=True, kw_only=True):
    """One service line. ``control_number`` is REF*6R; ``definition`` and ``charge_entry`` are ``file:line``."""

    number: int
    service_on: date
    revenue_code: str = ""
    hcpcs: str = ""
    modifiers: tuple[str, ...] = ()
    charge_cents: int
    units: int
    unit_basis: UnitBasis = UnitBasis.DAY
    place_of_service: str = ""
    diagnosis_pointers: tuple[int, ...] = (1,)
    rendering: Practitioner | None = None
    minutes: int = 0
    services: int = 0
    encounter_ids: tuple[str, ...] = ()
    definition_id: str = ""
    definition: str = ""
    charge_entry: str = ""
    origins: Origins = NO_ORIGINS

    def origin(self, name: str) -> Origin | None:
        """Where the named field came from; the line's day came from where its first session begins."""
        return self.origins.get("start_at" if name == "service_on" else name)


class Claim(Struct, frozen=True, kw_only=True):
    """One claim to one payer. Amounts are integer cents; an empty string is an element that is not sent."""

    key: ClaimKey
    form: ClaimForm
    program_kind: ProgramKind
    frequency: str
    """CLM05-3: 1 original, 2/3/4 interim, 7 replacement, 8 void."""
    bill_class: str = ""
    """837I CLM05-1: two digits."""
    place_of_service: str = ""
    """837P CLM05-1."""
    billing_provider: BillingProvider
    service_facility: ServiceFacility | None = None
    insured: Insured
    patient: Person
    medical_record_number: str = ""
    statement_from_on: date
    statement_through_on: date
    admitted_on: date | None = None
    admission_type: str = ""
    point_of_origin: str = ""
    patient_status: str = ""
    diagnoses: tuple[str, ...] = ()
    """ICD-10-CM without dots, principal first."""
    condition_codes: tuple[str, ...] = ()
    value_codes: tuple[ValueCode, ...] = ()
    authorization_number: str = ""
    payer_claim_number: str = ""
    """REF*F8: the payer's number of the claim replaced or voided."""
    attending: Practitioner | None = None
    rendering: Practitioner | None = None
    release_of_information: str = "Y"
    """CLM09."""
    lines: tuple[ClaimLine, ...] = ()
    connection: str = ""
    """The route: which connection carries it."""
    catalogue_hash: str = ""
    """The mapping set the claim was made with."""
    origins: Origins = NO_ORIGINS

    @property
    def service_condition_codes(self) -> tuple[str, ...]:
        """Condition codes of the service; those that say why a claim is changed are of the correction alone."""
        return tuple(code for code in self.condition_codes if code not in CHANGE_REASONS)

    @property
    def charge_cents(self) -> int:
        """CLM02: the sum of the lines."""
        return sum(line.charge_cents for line in self.lines)

    @property
    def location_npi(self) -> str:
        """The NPI of the place where the service was given: the billing provider's where no other is named."""
        place = self.service_facility.npi if self.service_facility else ""
        return place or self.billing_provider.npi
