"""A 42 CFR Part 2 program tells a payer of a patient only with the patient's written consent.

Why: the records of a federally assisted substance use program may go to a payer only as the patient consented; a claim
    is such a disclosure, and nobody can take it back. It is the program that is bound, whatever the diagnosis.
Fails: the claim's program is a Part 2 program, and no consent on file names the program and the payer (or every payer)
    and is in force on the day the claim would go; the claim does not say that a release is on file (CLM09 other than
    Y). Nothing lets it pass. Warns: the consent ends within `warn_days` (14).
Passes: programs that are not Part 2 programs; a consent signed by the day of sending, neither ended nor revoked. A
    roster never loaded is told once, by readiness.
Source: 42 CFR 2.31, 2.33; 005010X223A2 and 005010X222A1 CLM09. Judged by the day of submission, which is when the
    disclosure is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.roster import RosterKind
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    claim, context = inspection.claim, inspection.context
    program = context.catalogue.program(claim.key.organization, claim.key.program)
    if program is None or not program.part_2:
        return
    if claim.release_of_information != "Y":
        yield RULE.finding(
            "release_of_information",
            f"{program.name} is a Part 2 program, and the claim does not say that the patient's release is on file.",
            "Obtain the patient's consent; the claim then says so.",
            values={"found": claim.release_of_information},
            cents=claim.charge_cents,
        )
    if context.consents is None:
        yield from RULE.never_loaded(inspection, RosterKind.CONSENTS)
        return
    today, payer = context.today, claim.insured.payer
    given = [each for each in context.consents if each.permits(program.id, payer, today)]
    if not given:
        yield RULE.finding(
            "insured.payer",
            f"No consent in force on {today} lets {program.name} tell {claim.insured.payer_name} of this patient.",
            "Obtain the patient's written consent and load it; until then nothing is sent.",
            values={
                "program": program.id,
                "payer": payer,
                "on": today.isoformat(),
                "on_file": str(sum(each.program == program.id for each in context.consents)),
                "entry": ", ".join(each.entry for each in context.consents if each.entry),
            },
            cents=claim.charge_cents,
        )
        return
    soon = today + timedelta(days=int(limits["warn_days"]))
    if not any(each.permits(program.id, payer, soon) for each in given):
        yield RULE.finding(
            "",
            f"The patient's consent that {program.name} may tell {claim.insured.payer_name} ends by {soon}.",
            "Ask the patient to renew it before the next claim.",
            values={"program": program.id, "payer": payer},
            severity=Severity.WARN,
        )


RULE = Rule(
    name="disclosure-consented",
    code="G29",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.COVERAGE,
    snip=7,
    page=__doc__,
    check=_check,
    needs=(Need.CONSENTS,),
    overridable=False,
    limits={"warn_days": "14"},
)
