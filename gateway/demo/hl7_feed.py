"""The recovery center's EHR: each telling as one HL7 v2.5.1 message, in the dialect `sources/riverbend-hl7.yaml` maps.

ZPH is the vendor's own segment: 1 program, 2 level of care, 3 sign-in, 4 sign-out, 5 note signed (Y/N),
6 authorization number, 7 place of service, 8 in person or remote (P/R), 9 UB-04 patient status,
10 the stay that a step-down ends, 11 that stay's first day.
"""

from __future__ import annotations

from datetime import date, datetime

from gateway.demo import clinic
from gateway.demo.feed import Feed
from gateway.demo.truth import (
    Admission,
    Attendance,
    Came,
    Clinician,
    Discharge,
    Human,
    Insurance,
    Merge,
    Patient,
    Policy,
    Stay,
    StepDown,
    Telling,
    Visit,
)

SESSION_CODES = {
    "group-psychotherapy": ("GRP", "Group"),
    "individual-psychotherapy-45": ("I45", "Individual 45"),
    "individual-psychotherapy-60": ("I60", "Individual 60"),
    "family-psychotherapy": ("FAM", "Family"),
    "education-training": ("EDU", "Education"),
    "activity-therapy": ("ACT", "Activity"),
    "occupational-therapy": ("OT", "Occupational therapy"),
}
LEVEL_CODES = {"PHP": "2.5", "IOP": "2.1"}
_STRUCTURES = {
    "ADT^A01": "ADT_A01",
    "ADT^A02": "ADT_A02",
    "ADT^A03": "ADT_A03",
    "ADT^A04": "ADT_A01",
    "ADT^A06": "ADT_A06",
    "ADT^A08": "ADT_A01",
    "ADT^A13": "ADT_A01",
    "ADT^A40": "ADT_A39",
    "DFT^P03": "DFT_P03",
    "SIU^S12": "SIU_S12",
    "SIU^S26": "SIU_S12",
}
_RELATIONSHIPS = {"self": "SEL", "spouse": "SPO", "child": "CHD", "other": "OTH"}
_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"})

Field = str
Segment = list[Field]


def render(telling: Telling, control: str) -> bytes:
    """The message of one telling in UTF-8, CR after every segment; ``control`` is MSH-10."""
    event = telling.event
    segments: list[Segment]
    match event:
        case Admission():
            trigger = "ADT^A04" if event.stay.track.level_of_care == "IOP" else "ADT^A01"
            segments = _admission(telling, event)
        case Insurance():
            trigger, segments = "ADT^A08", _insurance_update(telling, event)
        case StepDown():
            trigger = "ADT^A02" if telling.label == "transfer-step-down" else "ADT^A06"
            segments = _step_down(telling, event)
        case Discharge():
            trigger = "ADT^A13" if event.undone else "ADT^A03"
            segments = _discharge(telling, event)
        case Attendance():
            trigger = _attendance_trigger(event)
            segments = _charges(telling, event) if trigger == "DFT^P03" else _appointment(telling, event)
        case Merge():
            trigger, segments = "ADT^A40", [_pid(telling), ["MRG", f"{event.retired}^^^RBREC^MR"]]
    header = [_msh(trigger, control, telling.at)]
    if not trigger.startswith("SIU"):
        header.append(["EVN", trigger[4:], _time(telling.at)])
    return "".join("|".join(segment) + "\r" for segment in (*header, *segments)).encode()


# --- messages --------------------------------------------------------------------------------------------------------


def _admission(telling: Telling, event: Admission) -> list[Segment]:
    stay = event.stay
    return [_pid(telling), _pv1(stay), *_dg1(stay), *_insurances(telling.patient, event.policies, stay), _zph(stay)]


def _insurance_update(telling: Telling, event: Insurance) -> list[Segment]:
    stay = event.stay
    return [_pid(telling), _pv1(stay), *_dg1(stay), *_insurances(telling.patient, event.policies, stay), _zph(stay)]


def _step_down(telling: Telling, event: StepDown) -> list[Segment]:
    stay, patient = event.new, telling.patient
    opening, closing = [_pid(telling), _pv1(stay, prior=event.old)], [_zph(stay, prior=event.old)]
    if telling.label == "transfer-step-down":  # a transfer carries neither diagnoses nor insurance (ADT_A02)
        return [*opening, *closing]
    return [*opening, *_dg1(stay), *_insurances(patient, tuple(patient.policies), stay), *closing]


def _discharge(telling: Telling, event: Discharge) -> list[Segment]:
    stay = event.stay
    ended_at = None if event.undone else telling.at
    status = "" if event.undone else event.patient_status
    return [_pid(telling), _pv1(stay, discharged_at=ended_at), *_dg1(stay), _zph(stay, patient_status=status)]


def _charges(telling: Telling, event: Attendance) -> list[Segment]:
    stay = event.visits[0].stay
    segments = [_pid(telling), _pv1(stay)]
    for number, visit in enumerate(event.visits, 1):
        segments += [_ft1(number, visit, event, telling.at), _zph_of_visit(visit, event)]
    return [*segments, *_dg1(stay)]


def _attendance_trigger(event: Attendance) -> str:
    if event.booked:
        return "SIU^S12"
    return "SIU^S26" if all(visit.came is Came.NO_SHOW for visit in event.visits) else "DFT^P03"


def _appointment(telling: Telling, event: Attendance) -> list[Segment]:
    (visit,) = event.visits  # an SIU tells one appointment
    code, name = SESSION_CODES[visit.kind]
    minutes = int((visit.end_at - visit.start_at).total_seconds() // 60)
    clinician = _xcn(visit.stay.attending)
    schedule = _fields(
        "SCH",
        {
            2: f"{visit.number}^RBREC",
            6: "ROUTINE" if event.booked else "NOSHOW^Did not come^L",
            11: f"^^^{_time(visit.start_at)}^{_time(visit.end_at)}",
            16: clinician,
            20: clinician,
            25: "Booked" if event.booked else "Noshow",
        },
    )
    service = ["AIS", "1", "A", f"{code}^{name}^L", _time(visit.start_at), "", "", str(minutes), "min^^ISO+"]
    return [schedule, _pid(telling), _pv1(visit.stay), ["RGS", "1", "A"], service, _zph(visit.stay)]


# --- segments --------------------------------------------------------------------------------------------------------


def _msh(trigger: str, control: str, at: datetime) -> Segment:
    return _fields(
        "MSH",
        {
            1: "^~\\&",
            2: "CEDARLINE",
            3: "RIVERBENDREC",
            4: "CLEANCLAIM",
            5: "RIVERBEND",
            6: _time(at),
            8: f"{trigger}^{_STRUCTURES[trigger]}",
            9: control,
            10: "P",
            11: "2.5.1",
            17: "UNICODE UTF-8",
        },
    )


def _pid(telling: Telling) -> Segment:
    patient, human = telling.patient, telling.patient.human
    numbers = f"{patient.recovery_mrn}^^^RBREC^MR~{patient.mrn}^^^RBENT^PI"
    if telling.recovery_mrn:
        numbers = f"{telling.recovery_mrn}^^^RBREC^MR"
    return _fields(
        "PID",
        {1: "1", 3: numbers, 5: _xpn(human), 7: _date(human.birth_on), 8: human.sex, 11: _xad(human)},
    )


def _pv1(stay: Stay, *, prior: Stay | None = None, discharged_at: datetime | None = None) -> Segment:
    return _fields(
        "PV1",
        {
            1: "1",
            2: "R",
            3: f"{stay.track.program.upper()}^^^{stay.track.site.key.upper()}",
            4: "C",
            6: f"{prior.track.program.upper()}^^^{prior.track.site.key.upper()}" if prior else "",
            7: _xcn(stay.attending),
            14: "1",
            19: f"{stay.number}^^^RBREC^VN",
            44: _date(stay.admitted_on),
            45: _time(discharged_at) if discharged_at else "",
        },
    )


def _dg1(stay: Stay) -> list[Segment]:
    return [
        _fields("DG1", {1: str(rank), 3: f"{code}^^I10", 6: "F", 15: str(rank)})
        for rank, code in enumerate(stay.diagnoses, 1)
    ]


def _insurances(patient: Patient, policies: tuple[Policy, ...], stay: Stay) -> list[Segment]:
    segments = []
    for rank, policy in enumerate(policies, 1):
        segments.append(_in1(rank, policy, patient))
        if stay.grant is not None and stay.grant.policy is policy:
            segments.append(_in3(stay))
    return segments


def _in1(rank: int, policy: Policy, patient: Patient) -> Segment:
    insured = policy.subscriber or patient.human
    return _fields(
        "IN1",
        {
            1: str(rank),
            2: policy.number,
            3: f"{policy.plan.codes[Feed.HL7]}^^^RBREC-PAYER",
            4: _escaped(policy.plan.name),
            8: policy.group_number,
            12: _date(policy.start_on),
            13: _date(policy.end_on) if policy.end_on else "",
            16: _xpn(insured),
            17: _RELATIONSHIPS[policy.relationship],
            18: _date(insured.birth_on),
            19: _xad(insured),
            22: str(rank),
            36: policy.number,
            43: insured.sex,
            49: f"{policy.member_number}^^^RBREC-PAYER",
        },
    )


def _in3(stay: Stay) -> Segment:
    grant = stay.grant
    assert grant is not None
    days = {1: "1", 2: grant.number, 9: _date(grant.start_on), 10: _date(grant.end_on), 11: f"AP^{grant.units}"}
    return _fields("IN3", days)


def _ft1(number: int, visit: Visit, event: Attendance, told_at: datetime) -> Segment:
    code, name = SESSION_CODES[visit.kind]
    return _fields(
        "FT1",
        {
            1: str(number),
            2: visit.number,
            4: f"{_time(visit.start_at)}^{_time(visit.end_at)}",
            5: _time(told_at),
            6: "CR" if event.cancelled else "CG",
            7: f"{code}^{name}^L",
            10: "1",
            13: visit.stay.track.program.upper(),
            20: _xcn(visit.therapist),
            25: f"{visit.charge_code}^^HCPCS" if visit.charge_code else "",
        },
    )


def _zph(stay: Stay, *, patient_status: str = "", prior: Stay | None = None) -> Segment:
    values = {1: stay.track.program, 2: LEVEL_CODES[stay.track.level_of_care], 9: patient_status}
    if prior is not None:
        values |= {9: prior.patient_status, 10: prior.number, 11: _date(prior.admitted_on)}
    if stay.grant is not None:
        values[6] = stay.grant.number
    return _fields("ZPH", values)


def _zph_of_visit(visit: Visit, event: Attendance) -> Segment:
    stay = visit.stay
    signed = visit.note_signed and visit.number not in event.unsigned
    values = {
        1: stay.track.program,
        2: LEVEL_CODES[stay.track.level_of_care],
        3: _time(visit.sign_in_at),
        4: _time(visit.sign_out_at),
        5: "Y" if signed else "N",
        6: stay.grant.number if stay.grant else "",
        7: visit.place_of_service,
        8: "R" if visit.remote else "P",
    }
    return _fields("ZPH", values)


# --- pieces ----------------------------------------------------------------------------------------------------------


def _fields(name: str, values: dict[int, Field]) -> Segment:
    return [name, *(values.get(place, "") for place in range(1, max(place for place in values if values[place]) + 1))]


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _xpn(human: Human) -> str:
    return "^".join(_escaped(part) for part in (human.family, human.given, human.middle))


def _xad(human: Human) -> str:
    home = human.home
    return f"{_escaped(home.line)}^^{_escaped(home.city)}^{home.state}^{home.postal_code[:5]}-{home.postal_code[5:]}"


def _xcn(clinician: Clinician) -> str:
    return f"{clinician.npi}^{clinician.family}^{clinician.given}^^^^{clinician.degree}^^NPI^L^^^NPI"


def _date(on: date) -> str:
    return on.strftime("%Y%m%d")


def _time(at: datetime) -> str:
    return at.astimezone(clinic.ZONE).strftime("%Y%m%d%H%M%S%z")
