"""Small 837 files as text for the sandbox's tests, written by hand free of our own writers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

BILLING_NPI = "1999999984"
ATTENDING_NPI = "1888888876"


@dataclass(frozen=True)
class Line:
    on: str = "20260803"
    code: str = "S9480"
    revenue: str = "0905"
    cents: int = 35000
    units: str = "1"
    place: str = ""


@dataclass(frozen=True)
class Claim:
    number: str = "PCN0000000001"
    payer: str = "PRMT1"
    member: str = "MEM123456"
    lines: tuple[Line, ...] = (Line(), Line("20260804"), Line("20260805"))
    frequency: str = "1"
    original: str = ""
    authorization: str = "AUTH1"
    facility: str = "13"
    professional: bool = False
    total_cents: int | None = None
    npi: str = BILLING_NPI
    filing: str = "CI"
    child: bool = False
    prior_cents: int = 0
    """What a payer before this one paid; more than nothing makes this a secondary claim."""
    leave_out: str = ""
    """Start of a segment that is missing."""

    @property
    def charge_cents(self) -> int:
        return sum(line.cents for line in self.lines)

    def but(self, **changes: object) -> Claim:
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Submission:
    """One interchange: transactions of claims (each transaction holds claims of one form)."""

    transactions: tuple[tuple[Claim, ...], ...]
    isa13: int = 101
    isa14: str = "1"
    usage: str = "T"
    segments: list[str] = field(default_factory=list)

    def text(self) -> str:
        professional = self.transactions[0][0].professional
        guide = "005010X222A1" if professional else "005010X223A2"
        ids = "ZZ*SUBMITTERID    *ZZ*SANDBOX        "
        isa = f"ISA*00*          *00*          *{ids}*260901*0730*^*00501*{self.isa13:09d}*{self.isa14}*{self.usage}*:"
        out = [isa, f"GS*HC*SUBMITTERID*SANDBOX*20260901*0730*{self.isa13}*X*{guide}"]
        for place, claims in enumerate(self.transactions, 1):
            body = _transaction(claims, guide, place)
            out += [*body, f"SE*{len(body) + 1}*{place:04d}"]
        out += [f"GE*{len(self.transactions)}*{self.isa13}", f"IEA*1*{self.isa13:09d}"]
        return "~\n".join(out) + "~\n"


def one(*claims: Claim, isa13: int = 101, isa14: str = "1") -> str:
    """A file with one transaction."""
    return Submission((claims,), isa13, isa14).text()


def _transaction(claims: tuple[Claim, ...], guide: str, place: int) -> list[str]:
    out = [
        f"ST*837*{place:04d}*{guide}",
        f"BHT*0019*00*BATCH{place:06d}*20260901*0730*CH",
        "NM1*41*2*GATEWAY CLINIC*****46*SUBMITTERID",
        "PER*IC*EDI DESK*TE*5555550100",
        "NM1*40*2*SANDBOX*****46*SANDBOX",
    ]
    level = 0
    for claim in claims:
        level += 1
        billing = level
        out += [
            f"HL*{billing}**20*1",
            f"NM1*85*2*GATEWAY CLINIC*****XX*{claim.npi}",
            "N3*100 MAIN ST",
            "N4*AUSTIN*TX*787010000",
            "REF*EI*123456789",
        ]
        level += 1
        out += _subscriber(claim, level, billing)
        if claim.child:
            level += 1
            out += _child(level)
        out += _professional(claim) if claim.professional else _institutional(claim)
    return [segment for segment in out if not _left_out(segment, claims)]


def _left_out(segment: str, claims: tuple[Claim, ...]) -> bool:
    return any(claim.leave_out and segment.startswith(claim.leave_out) for claim in claims)


def _subscriber(claim: Claim, level: int, parent: int) -> list[str]:
    relation, person = ("", []) if claim.child else ("18", ["N3*1 ELM ST", "N4*AUSTIN*TX*78702", "DMG*D8*19850214*F"])
    return [
        f"HL*{level}*{parent}*22*{int(claim.child)}",
        f"SBR*{'S' if claim.prior_cents else 'P'}*{relation}*GRP100******{claim.filing}",
        f"NM1*IL*1*DOE*JANE****MI*{claim.member}",
        *person,
        f"NM1*PR*2*SOME PLAN*****PI*{claim.payer}",
    ]


def _child(level: int) -> list[str]:
    return [
        f"HL*{level}*{level - 1}*23*0",
        "PAT*19",
        "NM1*QC*1*DOE*JIM",
        "N3*1 ELM ST",
        "N4*AUSTIN*TX*78702",
        "DMG*D8*20110214*M",
    ]


def _money(cents: int) -> str:
    whole, rest = divmod(cents, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


def _references(claim: Claim) -> list[str]:
    authorization = [f"REF*G1*{claim.authorization}"] if claim.authorization else []
    return authorization + ([f"REF*F8*{claim.original}"] if claim.original else [])


def _institutional(claim: Claim) -> list[str]:
    total = claim.charge_cents if claim.total_cents is None else claim.total_cents
    days = sorted(line.on for line in claim.lines)
    out = [
        f"CLM*{claim.number}*{_money(total)}***{claim.facility}:A:{claim.frequency}**A*Y*Y",
        f"DTP*434*RD8*{days[0]}-{days[-1]}",
        "CL1*3*1*01",
        *_references(claim),
        "HI*ABK:F332",
        f"NM1*71*1*SMITH*ALAN****XX*{ATTENDING_NPI}",
        "PRV*AT*PXC*2084P0800X",
        *_prior_payer(claim, total),
    ]
    for place, line in enumerate(claim.lines, 1):
        out += [
            f"LX*{place}",
            f"SV2*{line.revenue}*HC:{line.code}*{_money(line.cents)}*UN*{line.units}",
            f"DTP*472*D8*{line.on}",
            f"REF*6R*LN{place:04d}",
        ]
    return out


def _prior_payer(claim: Claim, total: int) -> list[str]:
    if not claim.prior_cents:
        return []
    return [
        "SBR*P*18*GRP200******CI",
        f"CAS*CO*45*{_money(total - claim.prior_cents)}",
        f"AMT*D*{_money(claim.prior_cents)}",
        "OI***Y***Y",
        "NM1*IL*1*DOE*JANE****MI*FIRST12345",
        "NM1*PR*2*FIRST PLAN*****PI*FIRST",
        "DTP*573*D8*20260820",
    ]


def _professional(claim: Claim) -> list[str]:
    total = claim.charge_cents if claim.total_cents is None else claim.total_cents
    out = [
        f"CLM*{claim.number}*{_money(total)}***{claim.facility}:B:{claim.frequency}*Y*A*Y*Y",
        *_references(claim),
        "HI*ABK:F1020",
        "NM1*82*1*JONES*BETH****XX*1777777768",
        "PRV*PE*PXC*101YA0400X",
    ]
    for place, line in enumerate(claim.lines, 1):
        out += [
            f"LX*{place}",
            f"SV1*HC:{line.code}*{_money(line.cents)}*UN*{line.units}*{line.place}**1",
            f"DTP*472*D8*{line.on}",
            f"REF*6R*LN{place:04d}",
        ]
    return out
