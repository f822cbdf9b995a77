"""A synthetic clinic: one organization, two facilities, six payers, and cases made of plain weekly attendance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.claim.calendar import Span
from gateway.claim.contract import (
    AuthorizationNeed,
    Bundling,
    Cadence,
    Catalogue,
    Charge,
    ClaimForm,
    CredentialNeed,
    Enrollment,
    Facility,
    FrequencyScheme,
    HalfDay,
    ItemisedService,
    LineOfBusiness,
    Organization,
    Payer,
    Program,
    ProgramKind,
    Route,
    ServiceDefinition,
    SessionKind,
    SplitOn,
)
from gateway.claim.finding import Origin
from gateway.claim.identifiers import npi_is_valid
from gateway.claim.origins import Origins
from gateway.claim.party import Address, Identifier, PersonName, Practitioner, Relationship, Sex
from gateway.claim.record import (
    AttendanceStatus,
    AuthorizationRecord,
    AuthorizationStatus,
    CoverageRecord,
    EncounterRecord,
    EpisodeRecord,
    LevelOfCare,
    Modality,
    PatientRecord,
)
from gateway.services.case import KnownCoverage, KnownEpisode, PatientCase, PlacedEncounter
from gateway.services.days import service_days

ORGANIZATION, HOME, BRANCH = "harbor", "harbor-main", "harbor-west"
MH, SUD = "mh-program", "sud-program"
PATIENT = Identifier("ehr", "P1")
MONDAY = date(2026, 8, 3)
TODAY = date(2026, 8, 17)
SINCE_2024 = Span(date(2024, 1, 1))
CHICAGO = ZoneInfo("America/Chicago")
GROUP, INDIVIDUAL, FAMILY, EDUCATION, LUNCH, SIGN_IN = (
    "group-psychotherapy",
    "individual-psychotherapy",
    "family-psychotherapy",
    "education",
    "lunch",
    "sign-in",
)


def npi(seed: int) -> str:
    """A valid, made-up NPI."""
    return next(text for digit in range(10) if npi_is_valid(text := f"1{seed:08d}{digit}"))


CLINICIAN = Practitioner(npi=npi(11), name=PersonName(family="RIVERA", given="ANA"), taxonomy="103T00000X")
PHYSICIAN = Practitioner(npi=npi(12), name=PersonName(family="OKAFOR", given="JOHN"), taxonomy="2084P0800X")
STREET = Address(line1="100 HARBOR WAY", city="CHICAGO", state="IL", postal_code="606011234")
OTHER_STREET = Address(line1="9 WEST AVE", city="AURORA", state="IL", postal_code="605021111")


def a_payer(id: str, line_of_business: LineOfBusiness, filing_code: str, **changes: Any) -> Payer:
    given: dict[str, Any] = {
        "id": id,
        "name": id.replace("-", " ").title(),
        "line_of_business": line_of_business,
        "claim_filing_code": filing_code,
        "names": (Identifier("payer", id),),
        "routes": (Route(connection="clearing", payer_number=f"N{id[:4].upper()}"),),
        "enrollments": tuple(Enrollment(npi=npi(1), transaction=each, span=SINCE_2024) for each in _TRANSACTIONS),
        "timely_filing_days": 90,
        "entry": f"payers/{id}.yaml:1",
    }
    return Payer(**{**given, **changes})


_TRANSACTIONS = ("837I", "837P", "835")
PAYERS = (
    a_payer("acme", LineOfBusiness.COMMERCIAL, "CI", member_number_pattern=r"[A-Z]{3}\d{6}"),
    a_payer(
        "medicare",
        LineOfBusiness.MEDICARE,
        "MA",
        frequency_scheme=FrequencyScheme.INTERIM,
        timely_filing_days=None,
        split_on=(SplitOn.MONTH_END,),
        members_are_subscribers=True,
    ),
    a_payer(
        "state-medicaid",
        LineOfBusiness.MEDICAID,
        "MC",
        credentials=CredentialNeed.PRACTITIONER,
        members_are_subscribers=True,
        split_on=(SplitOn.AUTHORIZATION,),
    ),
    a_payer("tricare-east", LineOfBusiness.TRICARE, "CH", split_on=(SplitOn.FISCAL_YEAR_END,)),
    a_payer("daily-health", LineOfBusiness.COMMERCIAL, "BL"),
    a_payer("stay-health", LineOfBusiness.COMMERCIAL, "BL", frequency_scheme=FrequencyScheme.INTERIM),
)


def a_definition(id: str, level_of_care: LevelOfCare, **changes: Any) -> ServiceDefinition:
    given: dict[str, Any] = {
        "id": id,
        "span": SINCE_2024,
        "level_of_care": level_of_care,
        "form": ClaimForm.INSTITUTIONAL,
        "entry": f"services/{id}.yaml:1",
    }
    return ServiceDefinition(**{**given, **changes})


def _item(session: str, revenue_code: str, hcpcs: str) -> ItemisedService:
    return ItemisedService(
        session=session, revenue_code=revenue_code, hcpcs=hcpcs, entry=f"services/medicare.yaml:{hcpcs}"
    )


ITEMS = (
    _item(GROUP, "0915", "G0410"),
    _item(INDIVIDUAL, "0914", "90834"),
    _item(EDUCATION, "0942", "G0177"),
)
SERVICES = (
    a_definition(
        "commercial-mh-iop",
        LevelOfCare.IOP,
        lines_of_business=(LineOfBusiness.COMMERCIAL,),
        program_kinds=(ProgramKind.MENTAL_HEALTH,),
        revenue_code="0905",
        hcpcs="S9480",
        minimum_minutes_day=150,
        minimum_services_day=3,
        telehealth_modifiers=("GT",),
    ),
    a_definition(
        "commercial-sud-iop",
        LevelOfCare.IOP,
        lines_of_business=(LineOfBusiness.COMMERCIAL,),
        program_kinds=(ProgramKind.SUBSTANCE_USE,),
        revenue_code="0906",
        hcpcs="H0015",
    ),
    a_definition(
        "commercial-php",
        LevelOfCare.PHP,
        lines_of_business=(LineOfBusiness.COMMERCIAL,),
        revenue_code="0913",
        hcpcs="H0035",
        minimum_minutes_day=150,
    ),
    a_definition(
        "daily-iop",
        LevelOfCare.IOP,
        payers=("daily-health",),
        revenue_code="0905",
        hcpcs="S9480",
        cadence=Cadence.DAILY,
        authorization=AuthorizationNeed.NOT_REQUIRED,
    ),
    a_definition(
        "stay-iop",
        LevelOfCare.IOP,
        payers=("stay-health",),
        revenue_code="0905",
        hcpcs="S9480",
        cadence=Cadence.ADMISSION,
        authorization=AuthorizationNeed.NOT_REQUIRED,
    ),
    a_definition(
        "medicare-iop",
        LevelOfCare.IOP,
        lines_of_business=(LineOfBusiness.MEDICARE,),
        bundling=Bundling.ITEMISED,
        items=ITEMS,
        condition_codes=("92",),
        authorization=AuthorizationNeed.NOT_REQUIRED,
    ),
    a_definition(
        "medicare-php",
        LevelOfCare.PHP,
        lines_of_business=(LineOfBusiness.MEDICARE,),
        bundling=Bundling.ITEMISED,
        items=ITEMS,
        condition_codes=("41",),
        authorization=AuthorizationNeed.NOT_REQUIRED,
    ),
    a_definition(
        "tricare-php",
        LevelOfCare.PHP,
        payers=("tricare-east",),
        opps=False,
        revenue_code="0913",
        hcpcs="H0037",
        minimum_minutes_day=360,
        half_day=HalfDay(minimum_minutes=180, revenue_code="0912", hcpcs="H0035", entry="services/tricare-php.yaml:9"),
    ),
    a_definition(
        "medicaid-sud-iop",
        LevelOfCare.IOP,
        payers=("state-medicaid",),
        form=ClaimForm.PROFESSIONAL,
        place_of_service="57",
        hcpcs="H0015",
        modifiers=("HF",),
        rendering_required=True,
        telehealth_place_of_service="10",
    ),
)
CHARGES = tuple(
    Charge(organization=ORGANIZATION, span=SINCE_2024, entry=f"charges.yaml:{number}", **codes)
    for number, codes in enumerate(
        (
            {"cents": 35_000, "hcpcs": "S9480"},
            {"cents": 36_000, "hcpcs": "S9480", "facility": BRANCH},
            {"cents": 30_000, "hcpcs": "H0015"},
            {"cents": 28_000, "hcpcs": "H0015", "modifiers": ("HF",)},
            {"cents": 60_000, "hcpcs": "H0035", "revenue_code": "0913"},
            {"cents": 32_000, "hcpcs": "H0035", "revenue_code": "0912"},
            {"cents": 62_000, "hcpcs": "H0037"},
            {"cents": 12_000, "hcpcs": "G0410"},
            {"cents": 15_000, "hcpcs": "90834"},
            {"cents": 8_000, "hcpcs": "G0177"},
        ),
        start=1,
    )
)
CATALOGUE = Catalogue(
    content_hash="sample",
    organizations={
        ORGANIZATION: Organization(
            id=ORGANIZATION,
            tenant="tenant",
            name="HARBOR BEHAVIORAL HEALTH",
            npi=npi(1),
            tax_id="123456789",
            taxonomy="261QM0801X",
            address=STREET,
            contact_name="BILLING OFFICE",
            contact_phone="3125550100",
            programs=(
                Program(id=MH, name="Mental health", kind=ProgramKind.MENTAL_HEALTH),
                Program(id=SUD, name="Substance use", kind=ProgramKind.SUBSTANCE_USE, part_2=True),
            ),
            entry="facilities/harbor.yaml:1",
        )
    },
    facilities={
        HOME: Facility(
            id=HOME,
            organization=ORGANIZATION,
            name="Harbor Main",
            time_zone="America/Chicago",
            address=STREET,
            bill_class="13",
            place_of_service="22",
            names=(Identifier("location", "MAIN"),),
            entry="facilities/harbor.yaml:20",
        ),
        BRANCH: Facility(
            id=BRANCH,
            organization=ORGANIZATION,
            name="Harbor West",
            time_zone="America/Chicago",
            address=OTHER_STREET,
            npi=npi(2),
            bill_class="13",
            place_of_service="19",
            off_campus_modifier="PN",
            entry="facilities/harbor.yaml:40",
        ),
    },
    payers={each.id: each for each in PAYERS},
    services=SERVICES,
    charges=CHARGES,
    sessions={
        each.name: each
        for each in (
            SessionKind(name=GROUP, primary=True, group=True, minimum_minutes=45),
            SessionKind(name=INDIVIDUAL, primary=True, minimum_minutes=38),
            SessionKind(name=FAMILY, primary=True, minimum_minutes=26),
            SessionKind(name=EDUCATION, group=True, minimum_minutes=45),
            SessionKind(name=LUNCH, clinical=False, pause=True),
            SessionKind(name=SIGN_IN, clinical=False, presence=True),
        )
    },
)


def at(on: date, hour: int, minute: int = 0) -> datetime:
    """That time on the facility's wall, as UTC."""
    return datetime.combine(on, time(hour, minute), CHICAGO).astimezone(UTC)


def encounter(id: str, on: date = MONDAY, hour: int = 9, minutes: int = 60, **changes: Any) -> PlacedEncounter:
    """An attended hour of group psychotherapy in the mental health IOP, note signed."""
    sources = changes.pop("sources", ("ehr",))
    findings = changes.pop("findings", ())
    start_at = at(on, hour)
    given: dict[str, Any] = {
        "identifiers": (Identifier("visit", id),),
        "patient": PATIENT,
        "facility": HOME,
        "program": MH,
        "level_of_care": LevelOfCare.IOP,
        "session": GROUP,
        "status": AttendanceStatus.ATTENDED,
        "start_at": start_at,
        "end_at": start_at + timedelta(minutes=minutes),
        "modality": Modality.IN_PERSON,
        "note_signed": True,
        "attending": PHYSICIAN,
        "rendering": CLINICIAN,
        "diagnoses": ("F33.2", "F41.1"),
    }
    record = EncounterRecord(**{**given, **changes})
    names = [name for name in given if getattr(record, name) not in (None, "", ())]
    names += [name for name in ("place_of_service", "charge_code", "authorization_number") if getattr(record, name)]
    origins = {name: Origin(source=f"Encounter.{name}", mapping=f"ehr.yaml:{name}") for name in names}
    return PlacedEncounter(
        encounter_id=id,
        patient_id="patient-1",
        organization=ORGANIZATION,
        record=record,
        origins=Origins.of(origins, f"m-{id}"),
        findings=findings,
        sources=sources,
    )


def program_day(on: date, **changes: Any) -> list[PlacedEncounter]:
    """Three hours of one day: group, individual, education."""
    kinds = (GROUP, INDIVIDUAL, EDUCATION)
    return [
        encounter(f"{on:%m%d}-{number}", on, 9 + number, session=kind, **changes) for number, kind in enumerate(kinds)
    ]


def week(start_on: date = MONDAY, days: Iterable[int] = (0, 2, 4), **changes: Any) -> list[PlacedEncounter]:
    """Program days on the given days of a week: Monday, Wednesday, Friday unless told otherwise."""
    return [each for day in days for each in program_day(start_on + timedelta(days=day), **changes)]


def coverage(payer: str | None = "acme", id: str = "coverage-1", named: bool = True, **changes: Any) -> KnownCoverage:
    given: dict[str, Any] = {
        "identifiers": (Identifier("coverage", id),),
        "patient": PATIENT,
        "payer": Identifier("payer", payer or "nobody") if named else None,
        "member_number": "ABC123456",
        "relationship": Relationship.SELF,
        "order": 1,
        "start_on": date(2026, 1, 1),
    }
    record = CoverageRecord(**{**given, **changes})
    names = ("payer", "member_number", "order")
    origins = {name: Origin(source=f"Coverage.{name}", mapping=f"ehr.yaml:coverage-{name}") for name in names}
    return KnownCoverage(id=id, record=record, payer=payer, origins=Origins.of(origins))


def episode(id: str = "episode-1", **changes: Any) -> KnownEpisode:
    given: dict[str, Any] = {
        "identifiers": (Identifier("episode", id),),
        "patient": PATIENT,
        "facility": HOME,
        "program": MH,
        "level_of_care": LevelOfCare.IOP,
        "admitted_on": date(2026, 8, 1),
        "admission_type": "3",
        "point_of_origin": "1",
        "attending": PHYSICIAN,
        "diagnoses": ("F33.2",),
        "authorization_number": "AUTH1",
    }
    record = EpisodeRecord(**{**given, **changes})
    origins = {"discharged_on": Origin(source="EpisodeOfCare.period.end", mapping="ehr.yaml:discharged")}
    return KnownEpisode(id=id, record=record, origins=Origins.of(origins))


def authorization(**changes: Any) -> AuthorizationRecord:
    given: dict[str, Any] = {
        "identifiers": (Identifier("authorization", "A1"),),
        "patient": PATIENT,
        "number": "AUTH1",
        "units": 20,
        "start_on": date(2026, 8, 1),
        "end_on": date(2026, 9, 30),
        "status": AuthorizationStatus.APPROVED,
    }
    return AuthorizationRecord(**{**given, **changes})


ADULT = PatientRecord(
    identifiers=(PATIENT,),
    name=PersonName(family="SAMPLE", given="PAT"),
    birth_on=date(1990, 5, 17),
    sex=Sex.FEMALE,
    address=Address(line1="1 LAKE ST", city="CHICAGO", state="IL", postal_code="60601"),
)


def case(encounters: Iterable[PlacedEncounter], **changes: Any) -> PatientCase:
    """The case of one adult in the mental health IOP with Acme, an authorization and an open stay."""
    catalogue = changes.pop("catalogue", CATALOGUE)
    episodes = changes.pop("episodes", (episode(),))
    decided = {name: changes.pop(name) for name in ("decided_same", "decided_different") if name in changes}
    given: dict[str, Any] = {
        "patient_id": "patient-1",
        "organization": ORGANIZATION,
        "patient": ADULT,
        "medical_record_number": "MRN1",
        "episodes": tuple(episodes),
        "coverages": (coverage(),),
        "book": service_days(encounters, catalogue, episodes=episodes, **decided),
        "authorizations": (authorization(),),
    }
    return PatientCase(**{**given, **changes})


def catalogue_with(**changes: Any) -> Catalogue:
    """The sample catalogue with other parts."""
    return replace(CATALOGUE, **changes)
