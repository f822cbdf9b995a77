"""An add-on code stands on a day that has one of its primary codes.

Why: an add-on code by itself is denied (CARC 107; RARC N122), and rightly: it describes more of a service that is not
    there.
Fails: a line with an add-on code on a day on which the claim has none of the codes the list lets it stand beside.
Passes: the primary code on the same day; an add-on whose primaries the list leaves to the payer, beside any other code;
    anything while no list is imported.
Source: CMS, NCCI add-on code edits, yearly with quarterly changes (`codes import`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim, codes = inspection.claim, inspection.context.codes
    for index, line in enumerate(claim.lines):
        primaries = codes.primaries(line.hcpcs, line.service_on) if line.hcpcs else None
        if primaries is None:
            continue
        others = {each.hcpcs for each in claim.lines if each.service_on == line.service_on} - {line.hcpcs, ""}
        if not (others & primaries if primaries else others):
            yield RULE.finding(
                f"lines[{index}].hcpcs",
                f"{line.hcpcs} of {line.service_on} is an add-on, and the day has none of the codes it goes with.",
                "Bill the primary service of the session, or take the add-on off.",
                values={
                    "code": line.hcpcs,
                    "service_on": line.service_on.isoformat(),
                    "primaries": ", ".join(sorted(primaries)[:10]) or "as the payer says",
                    "on_the_day": ", ".join(sorted(others)),
                },
                origin=line.origins.get("session"),
                cents=line.charge_cents,
            )


RULE = Rule(
    name="add-on-has-primary",
    code="G27",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.CODES,
    snip=6,
    page=__doc__,
    check=_check,
)
