"""Riverbend Behavioral Health, a clinic that does not exist: its sites, programs, clinicians and the plans it meets.

The same facts as `mappings/facilities/riverbend.yaml`, as its EHRs have them. Knows no payer policy.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from gateway.demo.feed import Feed
from gateway.demo.truth import Clinician, Plan, Site, Slot, Track

ZONE = ZoneInfo("America/Chicago")
ORGANIZATION = "riverbend"
ORGANIZATION_NPI = "1991000104"

HOSPITAL = Site(key="riverbend-hospital", name="Riverbend Hospital", feed=Feed.FHIR, place_of_service="22")
DAY_PROGRAM = Site(key="riverbend-day", name="Riverbend Day Program", feed=Feed.FHIR, place_of_service="52")
RECOVERY = Site(key="riverbend-recovery", name="Riverbend Recovery Center", feed=Feed.HL7, place_of_service="57")
SITES = (HOSPITAL, DAY_PROGRAM, RECOVERY)
SITE_NPIS = {HOSPITAL.key: "1991000104", DAY_PROGRAM.key: "1991000203", RECOVERY.key: "1991000302"}

_PSYCHIATRY, _ADDICTION_MEDICINE = "2084P0800X", "2084A0401X"
_SOCIAL_WORK, _COUNSELOR, _ADDICTION_COUNSELOR = "1041C0700X", "101YM0800X", "101YA0400X"
_OCCUPATIONAL_THERAPY = "225X00000X"


def _clinician(key: str, npi: str, name: str, degree: str, taxonomy: str) -> Clinician:
    given, family = name.split()
    return Clinician(key=key, npi=npi, family=family, given=given, degree=degree, taxonomy=taxonomy)


ADULT_ATTENDING = _clinician("c01", "1882001013", "Isolde Thornbury", "MD", _PSYCHIATRY)
ADOLESCENT_ATTENDING = _clinician("c02", "1882001021", "Magnus Wetherfield", "MD", _PSYCHIATRY)
RECOVERY_ATTENDING = _clinician("c03", "1882001039", "Petra Longmarsh", "MD", _ADDICTION_MEDICINE)
NEW_ATTENDING = _clinician("c04", "1882001047", "Caspian Highfield", "MD", _PSYCHIATRY)
"""Hired in August: one payer's contract covers this psychiatrist from the 17th only."""
DAY_ATTENDING = _clinician("c05", "1882001054", "Rosamund Eastlake", "MD", _PSYCHIATRY)
_ADULT_PHP_LEADER = _clinician("c11", "1882001062", "Linnea Summerville", "LCSW", _SOCIAL_WORK)
_ADULT_IOP_LEADER = _clinician("c12", "1882001070", "Barnaby Fieldstone", "LCPC", _COUNSELOR)
_ADOLESCENT_LEADER = _clinician("c21", "1882001096", "Florian Westbrook", "LCPC", _COUNSELOR)
_RECOVERY_PHP_LEADER = _clinician("c31", "1882001112", "Hester Clearwater", "CADC", _ADDICTION_COUNSELOR)
_RECOVERY_IOP_LEADER = _clinician("c32", "1882001120", "Lionel Stonebridge", "CADC", _ADDICTION_COUNSELOR)
_DAY_LEADER = _clinician("c41", "1882001138", "Mirabel Ashdown", "LCSW", _SOCIAL_WORK)
OCCUPATIONAL_LEADER = _clinician("c42", "1882001146", "Oswin Fairweather", "OTR", _OCCUPATIONAL_THERAPY)
"""Leads occupational therapy wherever it is offered."""
THERAPISTS = (
    _clinician("c51", "1882001088", "Tilda Rushbrook", "LCSW", _SOCIAL_WORK),
    _clinician("c52", "1882001104", "Cosima Northgate", "LCSW", _SOCIAL_WORK),
    _clinician("c53", "1882001245", "Clement Birchwood", "LCPC", _COUNSELOR),
    _clinician("c54", "1882001153", "Verity Holloway", "LCSW", _SOCIAL_WORK),
    _clinician("c55", "1882001161", "Jasper Greenbank", "LCPC", _COUNSELOR),
    _clinician("c56", "1882001179", "Odette Millbrook", "LCSW", _SOCIAL_WORK),
    _clinician("c57", "1882001187", "Rufus Kingsley", "LCPC", _COUNSELOR),
    _clinician("c58", "1882001195", "Imogen Fairbairn", "LCSW", _SOCIAL_WORK),
    _clinician("c59", "1882001203", "Leopold Ashgrove", "LCPC", _COUNSELOR),
    _clinician("c60", "1882001211", "Saffron Whitlock", "LCSW", _SOCIAL_WORK),
    _clinician("c61", "1882001229", "Ambrose Lockhart", "CADC", _ADDICTION_COUNSELOR),
    _clinician("c62", "1882001237", "Beatrix Hartwell", "CADC", _ADDICTION_COUNSELOR),
    _clinician("c63", "1882001252", "Phineas Oakhurst", "LCPC", _COUNSELOR),
    _clinician("c64", "1882001260", "Marigold Stanbury", "LCSW", _SOCIAL_WORK),
    _clinician("c65", "1882001278", "Thaddeus Merrow", "CADC", _ADDICTION_COUNSELOR),
    _clinician("c66", "1882001286", "Winifred Colebrook", "LCSW", _SOCIAL_WORK),
)
"""Who sees a patient alone or with the family: each patient has one of them, at whatever site."""
CLINICIANS = (
    ADULT_ATTENDING,
    ADOLESCENT_ATTENDING,
    RECOVERY_ATTENDING,
    NEW_ATTENDING,
    DAY_ATTENDING,
    _ADULT_PHP_LEADER,
    _ADULT_IOP_LEADER,
    _ADOLESCENT_LEADER,
    _RECOVERY_PHP_LEADER,
    _RECOVERY_IOP_LEADER,
    _DAY_LEADER,
    OCCUPATIONAL_LEADER,
    *THERAPISTS,
)


def _plan(key: str, name: str, fhir: str, hl7: str) -> Plan:
    return Plan(key=key, name=name, codes={Feed.FHIR: fhir, Feed.HL7: hl7})


MEDICARE = _plan("medicare", "Medicare", "MCR-A", "1001")
TRICARE = _plan("tricare", "TRICARE East", "TRI-E", "1002")
PRAIRIE = _plan("prairie-mutual", "Prairie Mutual", "PRAIRIE", "2001")
LAKELAND = _plan("lakeland-health", "Lakeland Health Plan", "LAKELAND", "2002")
MEDICAID = _plan("river-state-medicaid", "River State Medicaid", "RSM", "3001")
HARBOR = _plan("harbor-advantage", "Harbor Medicare Advantage", "HARBOR", "1003")
UNHEARD_OF = _plan("", "Faraway Benefit Trust", "FARAWAY", "9001")
"""A plan no payer file knows."""
PLANS = (MEDICARE, TRICARE, PRAIRIE, LAKELAND, MEDICAID, HARBOR, UNHEARD_OF)

GROUP, FAMILY = "group-psychotherapy", "family-psychotherapy"
INDIVIDUAL, LONG_INDIVIDUAL = "individual-psychotherapy-45", "individual-psychotherapy-60"
EDUCATION, ACTIVITY, OCCUPATIONAL = "education-training", "activity-therapy", "occupational-therapy"
ALONE = frozenset({INDIVIDUAL, LONG_INDIVIDUAL, FAMILY})
"""Sessions a patient has with a therapist of their own; the others are a group's, with the program's leader."""
_WEEKDAYS = (0, 1, 2, 3, 4)


def _slot(starts: str, minutes: int, *kinds: str) -> Slot:
    return Slot(starts=starts, minutes=minutes, kinds=kinds)


PHP = Track(
    key="adult-php",
    site=HOSPITAL,
    program="mh-php",
    level_of_care="PHP",
    weekdays=_WEEKDAYS,
    slots=(
        _slot("09:00", 50, GROUP),
        _slot("10:00", 50, EDUCATION),
        _slot("11:00", 50, GROUP),
        _slot("13:00", 52, ACTIVITY),
        _slot("14:00", 50, INDIVIDUAL, OCCUPATIONAL, FAMILY, OCCUPATIONAL, GROUP),
    ),
    attending=ADULT_ATTENDING,
    leader=_ADULT_PHP_LEADER,
)
IOP = Track(
    key="adult-iop",
    site=HOSPITAL,
    program="mh-iop",
    level_of_care="IOP",
    weekdays=(0, 2, 4),
    slots=(
        _slot("09:00", 65, GROUP),
        _slot("10:15", 65, EDUCATION),
        _slot("11:30", 60, LONG_INDIVIDUAL, GROUP, GROUP),
    ),
    attending=ADULT_ATTENDING,
    leader=_ADULT_IOP_LEADER,
)
ADOLESCENT_IOP = Track(
    key="adolescent-iop",
    site=HOSPITAL,
    program="adolescent-iop",
    level_of_care="IOP",
    weekdays=(0, 1, 2, 3),
    slots=(
        _slot("15:30", 65, GROUP),
        _slot("16:40", 65, EDUCATION),
        _slot("17:50", 60, FAMILY, GROUP, LONG_INDIVIDUAL, GROUP),
    ),
    attending=ADOLESCENT_ATTENDING,
    leader=_ADOLESCENT_LEADER,
)
DAY_PHP = Track(
    key="day-php",
    site=DAY_PROGRAM,
    program="day-php",
    level_of_care="PHP",
    weekdays=_WEEKDAYS,
    slots=(
        _slot("08:30", 55, GROUP),
        _slot("09:30", 55, EDUCATION),
        _slot("10:30", 55, GROUP),
        _slot("11:30", 55, OCCUPATIONAL),
        _slot("13:00", 55, LONG_INDIVIDUAL, ACTIVITY, FAMILY, ACTIVITY),
        _slot("14:00", 55, GROUP),
        _slot("15:00", 55, EDUCATION),
    ),
    attending=DAY_ATTENDING,
    leader=_DAY_LEADER,
)
SUD_PHP = Track(
    key="recovery-php",
    site=RECOVERY,
    program="sud-php",
    level_of_care="PHP",
    weekdays=_WEEKDAYS,
    slots=(
        _slot("09:00", 55, GROUP),
        _slot("10:05", 55, EDUCATION),
        _slot("11:10", 55, GROUP),
        _slot("13:00", 55, LONG_INDIVIDUAL, GROUP, FAMILY, GROUP),
        _slot("14:05", 50, ACTIVITY),
    ),
    attending=RECOVERY_ATTENDING,
    leader=_RECOVERY_PHP_LEADER,
)
SUD_IOP = Track(
    key="recovery-iop",
    site=RECOVERY,
    program="sud-iop",
    level_of_care="IOP",
    weekdays=(0, 1, 3),
    slots=(
        _slot("17:30", 65, GROUP),
        _slot("18:40", 65, EDUCATION),
        _slot("19:50", 60, GROUP, LONG_INDIVIDUAL),
    ),
    attending=RECOVERY_ATTENDING,
    leader=_RECOVERY_IOP_LEADER,
)
TRACKS = (PHP, IOP, ADOLESCENT_IOP, DAY_PHP, SUD_PHP, SUD_IOP)

CHARGE_CODES = {
    (PRAIRIE.key, "mh-php"): "H0035",
    (PRAIRIE.key, "mh-iop"): "S9480",
    (PRAIRIE.key, "adolescent-iop"): "S9480",
    (PRAIRIE.key, "sud-iop"): "H0015",
    (MEDICAID.key, "sud-iop"): "H0015",
}
"""What the EHRs' charge masters put on the first session of a day, where they put anything."""

DIAGNOSES = {
    "mh-php": (("F33.2", "F41.1"), ("F31.81",), ("F33.1", "F60.3"), ("F43.12", "F33.1")),
    "mh-iop": (("F33.1",), ("F41.1", "F33.0"), ("F43.12",), ("F42.2", "F41.1")),
    "adolescent-iop": (("F32.1", "F41.1"), ("F40.10",), ("F32.2", "F90.2")),
    "day-php": (("F43.12", "F33.1"), ("F33.2",), ("F31.81", "F41.1")),
    "sud-php": (("F10.20", "F33.1"), ("F11.20", "F41.1"), ("F15.20",)),
    "sud-iop": (("F10.20",), ("F11.20", "F33.0"), ("F14.20",), ("F12.20", "F41.1")),
}
