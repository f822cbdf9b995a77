"""A line's modifiers are those of the list, stand in the order that prices them, and do not contradict each other.

Why: a payer prices by the first modifiers, so HF after GT is paid at the wrong rate or denied; two modifiers that say
    opposite things are rejected (CARC 4, 182; RARC N519).
Fails: a modifier of the service definition behind one it does not list, or in another order than it lists; two
    modifiers for telehealth of which one says video and one says sound alone; PO with PN; a level II modifier that the
    imported list does not have on the date.
Passes: the definition's modifiers first and in its order, telehealth's and the campus's after them; modifiers of CPT
    (digits), of which no list is kept; any order where the definition lists none.
Source: 005010X223A2 SV202-3 to 6, 005010X222A1 SV101-3 to 6; CMS, HCPCS level II modifiers; payers' modifier policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.claim import ClaimLine
from gateway.claim.contract import HalfDay, ItemisedService, ServiceDefinition
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_OPPOSITES = (
    (frozenset({"GT", "95"}), frozenset({"93", "FQ"})),
    (frozenset({"PO"}), frozenset({"PN"})),
)


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    codes = inspection.context.codes
    for index, line, definition in inspection.lines:
        modifiers = line.modifiers
        if not modifiers:
            continue
        unknown = [each for each in modifiers if codes.modifier_is_known(each, line.service_on) is False]
        if unknown:
            yield _finding(index, line, f"{' and '.join(unknown)} is no modifier in force on {line.service_on}")
        for one, other in _OPPOSITES:
            found = [each for each in modifiers if each in one or each in other]
            if one.intersection(found) and other.intersection(found):
                yield _finding(index, line, f"{' and '.join(found)} of {line.service_on} say opposite things")
        expected = _asked(definition, line) if definition is not None else ()
        if expected and expected != modifiers[: len(expected)] and set(expected) <= set(modifiers):
            yield _finding(index, line, f"{', '.join(expected)} stands first on {line.service_on}, in this order")


def _asked(definition: ServiceDefinition, line: ClaimLine) -> tuple[str, ...]:
    """The definition's own modifiers for the line's codes, which price it."""
    bought: list[ItemisedService | HalfDay] = [*definition.items]
    bought += [definition.half_day] if definition.half_day is not None else []
    for each in bought:
        if (each.revenue_code, each.hcpcs) == (line.revenue_code, line.hcpcs):
            return each.modifiers
    return definition.modifiers


def _finding(index: int, line: ClaimLine, said: str) -> Finding:
    return RULE.finding(
        f"lines[{index}].modifiers",
        f"Of the modifiers {', '.join(line.modifiers)}, {said}.",
        "Correct the modifiers, or their order, in the service definition.",
        values={"modifiers": ", ".join(line.modifiers), "definition": line.definition},
        cents=line.charge_cents,
    )


RULE = Rule(
    name="modifiers-in-order",
    code="G20",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.CODES,
    snip=5,
    page=__doc__,
    check=_check,
)
