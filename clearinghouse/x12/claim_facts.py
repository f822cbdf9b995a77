"""What the SNIP 3 to 5 checks need to know of the claim in hand.

Filled segment by segment, judged when the claim ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Placed:
    """A value and the segment it stood in."""

    value: str
    position: int


@dataclass(slots=True)
class DiagnosisFact:
    """One HI diagnosis: qualifier, code, present on admission, element reference, position."""

    qualifier: str
    code: str
    present_on_admission: str
    element: str
    position: int


@dataclass(slots=True)
class AdjudicationFact:
    """One 2430: payer id, paid and adjusted cents, where it began. `paid_cents` None: its SVD cannot be read."""

    payer_id: str
    paid_cents: int | None
    position: int
    adjusted_cents: int = 0


@dataclass(slots=True)
class LineFact:
    """One 2400. Dates are CCYYMMDD as written; `through` equals `from` for one day; blank when not sent."""

    position: int
    number: str = ""
    service_position: int = 0
    charge_cents: int | None = None
    units: str = ""
    revenue: str = ""
    procedure: list[str] = field(default_factory=list)
    procedure_element: str = ""
    pointers: list[str] = field(default_factory=list)
    date_from: str = ""
    date_through: str = ""
    date_position: int = 0
    control_number: str = ""
    adjudications: list[AdjudicationFact] = field(default_factory=list)


@dataclass(slots=True)
class CoverageFact:
    """One 2320: who else pays, and what they decided at claim level."""

    position: int
    responsibility: str
    payer_id: str = ""
    paid_cents: int | None = None
    adjusted_cents: int = 0
    adjusted: bool = False
    decided_on: bool = False


@dataclass(slots=True)
class ClaimFact:
    """One 2300 with its lines and coverages."""

    position: int
    number: str
    charge_cents: int | None
    facility: str
    frequency: str
    statement_from: str = ""
    statement_through: str = ""
    statement_position: int = 0
    admitted: Placed | None = None
    admission_type: str = ""
    patient_status: Placed | None = None
    causes: tuple[str, ...] = ()
    accident_state: str = ""
    dates: set[str] = field(default_factory=set)
    references: set[str] = field(default_factory=set)
    diagnoses: list[DiagnosisFact] = field(default_factory=list)
    roles: set[str] = field(default_factory=set)
    lines: list[LineFact] = field(default_factory=list)
    coverages: list[CoverageFact] = field(default_factory=list)


@dataclass(slots=True)
class SubscriberFact:
    """Loops 2000B, 2010BA and, for a dependent, 2000C and 2010CA."""

    position: int
    responsibility: str = ""
    relationship: str = ""
    filing_indicator: str = ""
    promises_patient: bool = False
    name_position: int = 0
    named: bool = False
    member_id: str = ""
    has_street: bool = False
    has_city: bool = False
    has_demographics: bool = False
    born: str = ""
    has_patient: bool = False
    patient_born: str = ""


INPATIENT_CLASSES = frozenset(("11", "12", "18", "21", "41", "65", "66"))
# Bill types whose lines the payer reads by day: hospital and critical access outpatient, clinics, CMHC, home health.
_OUTPATIENT_SECOND_DIGITS = "34"


def is_inpatient(facility: str) -> bool:
    """Whether the first two digits of a type of bill name an inpatient stay."""
    return facility in INPATIENT_CLASSES


def is_outpatient(facility: str) -> bool:
    """Whether the first two digits of a type of bill name outpatient services, each billed by its date."""
    if len(facility) != 2:
        return False
    return facility[0] == "7" or facility[1] in _OUTPATIENT_SECOND_DIGITS or facility in ("85", "89")
