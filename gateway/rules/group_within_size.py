"""A group session has no more patients than the payer, or the state, allows.

Why: many payers and states cap the size of a group; a session above the cap is not the service they buy (CARC 96, 272).
Fails: more patients attended the session at once than `most`, a limit that a payer's file sets. Nobody's limit is a
    default: without one, nothing is checked.
Passes: as many patients as the limit, or fewer; sessions that are no group.
Source: the payer's contract, or the state's rule, as the payer's file says.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    if not limits["most"]:
        return
    most, known = int(limits["most"]), inspection.context.group_sizes
    for index, sessions in enumerate(inspection.behind):
        for session in sessions:
            size = known.get(session.encounter_id, 0)
            if size > most:
                line = inspection.claim.lines[index]
                yield RULE.finding(
                    f"lines[{index}].service_on",
                    f"{size} patients attended the {session.session} session of {line.service_on}; "
                    f"the payer allows {most}.",
                    "Correct the roster if somebody was not there; a larger group is not billed to this payer.",
                    values={"patients": str(size), "most": str(most), "encounter": session.encounter_id},
                    origin=session.origin("session"),
                    cents=line.charge_cents,
                )


RULE = Rule(
    name="group-within-size",
    code="G09",
    severity=Severity.BLOCK,
    owner=Owner.CLINICIAN,
    group=Group.ATTENDANCE,
    snip=7,
    page=__doc__,
    check=_check,
    limits={"most": ""},
)
