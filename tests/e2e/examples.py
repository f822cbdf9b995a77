"""Small files as partners and EHRs send them; made up, no one's data."""

from __future__ import annotations

import json

ISA = "ISA*00*          *00*          *ZZ*SANDBOX        *ZZ*RIVERBEND      *260901*0800*^*00501*{number:09d}*0*T*:~"


def interchange(code: str, guide: str, segments: str, number: int = 1) -> bytes:
    """One transaction in its envelope; ``segments`` without ST and SE."""
    body = [each for each in segments.replace("\n", "").split("~") if each]
    kind = {"FA": "999", "HP": "835"}[code]
    st = f"ST*{kind}*0001" + (f"*{guide}" if kind == "999" else "")
    lines = [
        ISA.format(number=number).rstrip("~"),
        f"GS*{code}*SANDBOX*RIVERBEND*20260901*0800*{number}*X*{guide}",
        st,
        *body,
        f"SE*{len(body) + 2}*0001",
        f"GE*1*{number}",
        f"IEA*1*{number:09d}",
    ]
    return "".join(f"{line}~\n" for line in lines).encode()


def acknowledgement(accepted_count: str = "1") -> bytes:
    """A 999 that accepts one 837I."""
    segments = f"AK1*HC*1*005010X223A2~AK2*837*0001*005010X223A2~IK5*A~AK9*A*1*1*{accepted_count}~"
    return interchange("FA", "005010X231A1", segments)


def remittance(payment: str = "80") -> bytes:
    """An 835 that pays 80.00 for a claim of 100.00; other payments do not balance."""
    segments = f"""
BPR*I*{payment}*C*CHK************20260901~TRN*1*TRACE1*1512345678~DTM*405*20260901~
N1*PR*PRAIRIE MUTUAL~N3*1 MAIN STREET~N4*RIVERBEND*IL*620990100~PER*BL*HELP DESK*TE*6185550199~
N1*PE*RIVERBEND BEHAVIORAL HEALTH*XX*1991000104~LX*1~
CLP*CLAIM0001*1*100*80*20*12*PAYERCLAIM1*13*1~NM1*QC*1*DOE*JANE****MI*ABC123456~
SVC*HC:S9480*100*80*0905*1~DTM*472*20260803~CAS*PR*2*20~"""
    return interchange("HP", "005010X221A1", segments)


def admission(control: str = "M1", version: str = "2.5.1") -> bytes:
    """An ADT^A04 of nobody."""
    segments = [
        f"MSH|^~\\&|EHR|CLINIC|CLEANCLAIM|CLINIC|20260803080000||ADT^A04^ADT_A01|{control}|T|{version}",
        "EVN|A04|20260803080000",
        "PID|1||4711^^^CLINIC^MR||NOBODY^NEVER||19900101|F",
        "PV1|1|O",
    ]
    return "\r".join(segments).encode() + b"\r"


def patient(**changes: object) -> bytes:
    """A FHIR Patient of nobody."""
    body = {"resourceType": "Patient", "id": "nobody", "name": [{"family": "Nobody", "given": ["Never"]}]}
    return json.dumps({**body, **changes}).encode()
