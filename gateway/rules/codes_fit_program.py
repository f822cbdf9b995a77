"""A program-day code belongs to the level of care and the kind of program that was attended.

Why: an IOP code on a PHP day, or a substance use code on a mental health program's day, is denied or paid at the wrong
    rate (CARC 199, 186), and a service definition with such a slip would repeat it on every claim.
Fails: 0905, 0906 or S9480 on a PHP claim; 0912, 0913, H0035 or S0201 on an IOP claim; H0015 on a PHP claim without TG;
    0905 or S9480 for a substance use program; 0906 or H0015 for a mental health program; revenue code 0001 as a line.
Passes: 0905 with S9480 for mental health IOP; 0906 with H0015 for substance use IOP; 0913 with H0035 for PHP.
Source: CMS HCPCS level II file (public descriptors of S9480, H0015, H0035, S0201); payers' facility behavioral health
    policies. A contract that says otherwise turns the rule off for its payer, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.claim.claim import ClaimLine
from gateway.claim.contract import ProgramKind
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import LevelOfCare
from gateway.rules.rule import Group, Inspection, Limits, Rule

LEVELS: Mapping[str, LevelOfCare] = {
    "0905": LevelOfCare.IOP,
    "0906": LevelOfCare.IOP,
    "S9480": LevelOfCare.IOP,
    "H0015": LevelOfCare.IOP,
    "0912": LevelOfCare.PHP,
    "0913": LevelOfCare.PHP,
    "H0035": LevelOfCare.PHP,
    "S0201": LevelOfCare.PHP,
}
KINDS: Mapping[str, ProgramKind] = {
    "0905": ProgramKind.MENTAL_HEALTH,
    "S9480": ProgramKind.MENTAL_HEALTH,
    "0906": ProgramKind.SUBSTANCE_USE,
    "H0015": ProgramKind.SUBSTANCE_USE,
}


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    for index, line in enumerate(claim.lines):
        for name, code in (("revenue_code", line.revenue_code), ("hcpcs", line.hcpcs)):
            level, kind = LEVELS.get(code), KINDS.get(code)
            if code == "H0015" and "TG" in line.modifiers:  # some Medicaid plans buy PHP as H0015-TG
                level = LevelOfCare.PHP
            if level is not None and level is not claim.key.level_of_care:
                yield _wrong(line, f"lines[{index}].{name}", code, level, claim.key.level_of_care)
            if kind is not None and kind is not claim.program_kind:
                yield _wrong(line, f"lines[{index}].{name}", code, kind, claim.program_kind)
            if code == "0001":
                yield _wrong(line, f"lines[{index}].{name}", code, "the total on paper", "a line")


def _wrong(line: ClaimLine, path: str, code: str, belongs: str, found: str) -> Finding:
    return RULE.finding(
        path,
        f"{code} on {line.service_on} is for {belongs}, and this is {found}.",
        "Correct the service definition, or the level of care or program of the visits in the EHR.",
        values={"code": code, "code_is_for": belongs, "claim_is": found, "definition": line.definition},
        origin=line.origins.get("level_of_care") or line.origins.get("program"),
        cents=line.charge_cents,
    )


RULE = Rule(
    name="codes-fit-program",
    code="G12",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.CODES,
    snip=6,
    page=__doc__,
    check=_check,
)
