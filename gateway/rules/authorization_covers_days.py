"""An authorization covers every day billed: its dates, its level of care, its services and its units.

Why: days beyond the units, outside the dates or at another level of care than was authorized are denied (CARC 197, 198,
    284, 302), and a request made after the fact is often refused. Units are counted by date of service over all claims.
Fails: the payer asks for an authorization and the claim has none; the number is none of those on file for the patient;
    it was denied, is pending or names another payer, level of care or provider; a day lies outside its dates or on a
    day of the week it does not allow; a day comes after its units, or those of its day or week, are used up; a line's
    code is none of those authorized.
Passes: each day inside the dates with units left; a payer that asks for none.
Source: 45 CFR 162.1302; 005010X223A2 loop 2300 REF*G1; the service definition's `authorization`. A number of which no
    authorization is on file for the patient at all is unknown, and warns. An 8-unit authorization stops the ninth day.
    Units on claims that were sent are gone whatever their dates; those used before go-live are its opening balance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from gateway.authorization.ledger import (
    GRANTED,
    AuthorizationPosition,
    UnitsUsed,
    Use,
    allows_weekday,
    authorization_position,
    counts_days,
    is_for,
    is_in_span,
    units_of_day,
    units_over_day,
    units_over_week,
)
from gateway.claim.claim import ClaimLine
from gateway.claim.contract import AuthorizationNeed
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import AuthorizationRecord
from gateway.rules.rule import Group, Inspection, Limits, Rule

Needing = list[tuple[int, ClaimLine]]
_Uses = list[UnitsUsed]
_REQUIRED = AuthorizationNeed.REQUIRED
_SUNDAY = 6


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    needing: Needing = [
        (index, line)
        for index, line, definition in inspection.lines
        if definition is not None and definition.authorization is _REQUIRED
    ]
    if not needing:
        return
    claim, context = inspection.claim, inspection.context
    number = claim.authorization_number
    if not number:
        yield RULE.finding(
            "authorization_number",
            f"{claim.insured.payer_name} asks for an authorization and the claim has no number.",
            "Enter the authorization number, or ask the payer for one.",
            values={"days": _dates(line.service_on for _, line in needing), "definition": needing[0][1].definition},
            cents=_cents(needing),
        )
        return
    records = [each for each in context.authorizations if each.number == number]
    if not records:
        yield _not_on_file(inspection, number, _cents(needing))
        return
    payer = context.payer
    fitting = [each for each in records if payer is None or is_for(each, payer, claim.key.level_of_care)]
    if not fitting:
        yield _for_something_else(inspection, records[0], _cents(needing))
        return
    granted = [each for each in fitting if each.status in GRANTED or each.status is None]
    if not granted:
        yield _not_granted(inspection, fitting[0], _cents(needing))
        return
    if not [each for each in granted if each.status is not None]:
        yield _status_unknown(inspection, number, _cents(needing))
    yield from _days_not_covered(inspection, granted, needing)


def _days_not_covered(
    inspection: Inspection, records: Sequence[AuthorizationRecord], needing: Needing
) -> Iterator[Finding]:
    known_uses: dict[int, _Uses | None] = {}
    for index, line in needing:
        record = next((each for each in records if is_in_span(each, line.service_on)), None)
        if record is None:
            yield _out_of_span(inspection, records[0], index, line)
            continue
        if record.service_codes and not _is_authorized(line, record.service_codes):
            yield _other_service(inspection, record, index, line)
        if record.npis and not _providers(inspection) & set(record.npis):
            yield _other_provider(inspection, record, index, line)
        if record.weekdays and not allows_weekday(record, line.service_on):
            yield _other_weekday(inspection, record, index, line)
        if id(record) not in known_uses:
            known_uses[id(record)] = _uses(inspection, record, needing)
        uses = known_uses[id(record)]
        if uses is not None:
            yield from _limits_passed(inspection, record, uses, index, line)


def _cents(needing: Needing) -> int:
    return sum(line.charge_cents for _, line in needing)


def _is_authorized(line: ClaimLine, codes: tuple[str, ...]) -> bool:
    return line.hcpcs in codes or line.revenue_code in codes or "-".join((line.hcpcs, *line.modifiers)) in codes


def _limits_passed(
    inspection: Inspection, record: AuthorizationRecord, uses: _Uses, index: int, line: ClaimLine
) -> Iterator[Finding]:
    """The units of the whole authorization, of the day and the week."""
    on = line.service_on
    if record.units is not None:
        position = authorization_position(record, uses, on)
        if not position.covers:
            yield _units_used_up(inspection, record, position, index, line)
    if record.units_per_day is not None and (over := units_over_day(record, uses, on)):
        yield _too_many_units(inspection, record, record.units_per_day, over, "day", index, line)
    if record.units_per_week is not None:
        payer = inspection.context.payer
        over = units_over_week(record, uses, on, payer.week_start if payer is not None else _SUNDAY)
        if over:
            yield _too_many_units(inspection, record, record.units_per_week, over, "week", index, line)


def _providers(inspection: Inspection) -> set[str]:
    claim = inspection.claim
    facility = claim.service_facility.npi if claim.service_facility else ""
    return {claim.billing_provider.npi, facility}


def _uses(inspection: Inspection, record: AuthorizationRecord, needing: Needing) -> _Uses | None:
    """Other claims' uses of the number, and this claim's days; None where no limit can be passed by them."""
    number, own_key = record.number, inspection.key
    by_day = record.units_per_day is not None or record.units_per_week is not None
    if record.units is None and not by_day:
        return None
    uses: _Uses = [
        each for each in inspection.context.authorization_use if each.number == number and each.claim_key != own_key
    ]
    uses += _own_uses(inspection, record, needing)
    used = sum([each.units for each in uses]) + (record.opening_units or 0)
    return uses if by_day or (record.units is not None and used > record.units) else None


def _own_uses(inspection: Inspection, record: AuthorizationRecord, needing: Needing) -> list[Use]:
    """A day is used once however many lines it has."""
    if counts_days(record.unit):
        return [Use(on, 1) for on in {line.service_on: None for _, line in needing}]
    minutes: dict[date, int] = {}
    days = inspection.context.days
    for _, line in needing:
        on = line.service_on
        day = days.get(on)
        minutes[on] = day.minutes if day is not None else minutes.get(on, 0) + line.minutes
    return [Use(on, units_of_day(record.unit, spent)) for on, spent in minutes.items()]


def _not_on_file(inspection: Inspection, number: str, cents: int) -> Finding:
    known = sorted({each.number for each in inspection.context.authorizations if each.number})
    if known:
        message = f"Authorization {number} is none of those on file for the patient."
        fix = "Correct the number in the EHR, or record the authorization with its dates and units."
    else:
        message = f"No authorization is on file for the patient, so what {number} covers was not checked."
        fix = "Load the patient's authorizations, with dates and units."
    return RULE.finding(
        "authorization_number",
        message,
        fix,
        values={"found": number, "on_file": ", ".join(known)},
        origin=inspection.origin("authorization_number"),
        cents=cents,
        severity=Severity.BLOCK if known else Severity.WARN,
    )


def _for_something_else(inspection: Inspection, record: AuthorizationRecord, cents: int) -> Finding:
    claim = inspection.claim
    level = record.level_of_care or "any level"
    return RULE.finding(
        "authorization_number",
        f"Authorization {record.number} is for {level} with {record.payer or 'any payer'}; "
        f"the claim is {claim.key.level_of_care} to {claim.insured.payer_name}.",
        "A change of level of care or payer needs its own authorization: ask for it.",
        values={
            "authorized_level_of_care": str(level),
            "level_of_care": claim.key.level_of_care,
            "authorized_payer": str(record.payer or ""),
            "payer": claim.insured.payer,
        },
        origin=inspection.origin("authorization_number"),
        cents=cents,
    )


def _not_granted(inspection: Inspection, record: AuthorizationRecord, cents: int) -> Finding:
    return RULE.finding(
        "authorization_number",
        f"Authorization {record.number} is {record.status}, not approved.",
        "Follow the request up with the payer; appeal it where it was denied.",
        values={"number": record.number, "status": str(record.status)},
        origin=inspection.origin("authorization_number"),
        cents=cents,
    )


def _status_unknown(inspection: Inspection, number: str, cents: int) -> Finding:
    return RULE.finding(
        "authorization_number",
        f"What the payer decided on authorization {number} is not known.",
        "Record the payer's decision.",
        values={"number": number},
        origin=inspection.origin("authorization_number"),
        cents=cents,
        severity=Severity.WARN,
    )


def _out_of_span(inspection: Inspection, record: AuthorizationRecord, index: int, line: ClaimLine) -> Finding:
    return RULE.finding(
        f"lines[{index}].service_on",
        f"{line.service_on} lies outside authorization {record.number} "
        f"({record.start_on or '...'} to {record.end_on or '...'}).",
        "Ask the payer to extend the authorization to this day.",
        values={
            "service_on": line.service_on.isoformat(),
            "start_on": str(record.start_on or ""),
            "end_on": str(record.end_on or ""),
        },
        origin=line.origins.get("authorization_number") or inspection.origin("authorization_number"),
        cents=line.charge_cents,
    )


def _units_used_up(
    inspection: Inspection, record: AuthorizationRecord, position: AuthorizationPosition, index: int, line: ClaimLine
) -> Finding:
    return RULE.finding(
        f"lines[{index}].service_on",
        f"Authorization {record.number} grants {position.units} units; {line.service_on} is unit {position.used}. "
        f"The first day beyond is {position.first_day_beyond}.",
        "Ask the payer for more units before the days are billed.",
        values={
            "units": str(position.units),
            "used": str(position.used),
            "service_on": line.service_on.isoformat(),
            "first_day_beyond": str(position.first_day_beyond),
        },
        origin=line.origins.get("authorization_number") or inspection.origin("authorization_number"),
        cents=line.charge_cents,
    )


def _other_service(inspection: Inspection, record: AuthorizationRecord, index: int, line: ClaimLine) -> Finding:
    return RULE.finding(
        f"lines[{index}].hcpcs",
        f"Authorization {record.number} is for {', '.join(record.service_codes)}; "
        f"the line of {line.service_on} bills {line.hcpcs or line.revenue_code}.",
        "Have the payer correct the authorized services, or bill the service that was authorized.",
        values={"authorized": ", ".join(record.service_codes), "found": line.hcpcs or line.revenue_code},
        origin=inspection.origin("authorization_number"),
        cents=line.charge_cents,
    )


def _too_many_units(
    inspection: Inspection, record: AuthorizationRecord, most: int, over: int, word: str, index: int, line: ClaimLine
) -> Finding:
    return RULE.finding(
        f"lines[{index}].service_on",
        f"Authorization {record.number} allows {most} units a {word}; with {line.service_on} it is {most + over}.",
        f"Ask the payer for more units a {word}, or take off the days beyond them.",
        values={f"units_per_{word}": str(most), "used": str(most + over), "service_on": line.service_on.isoformat()},
        origin=line.origins.get("authorization_number") or inspection.origin("authorization_number"),
        cents=line.charge_cents,
    )


def _other_weekday(inspection: Inspection, record: AuthorizationRecord, index: int, line: ClaimLine) -> Finding:
    allowed = ", ".join(each.capitalize() for each in record.weekdays)
    return RULE.finding(
        f"lines[{index}].service_on",
        f"Authorization {record.number} is for {allowed}; {line.service_on} is a {line.service_on:%A}.",
        "Have the payer correct the authorized days, or correct the visit's date in the EHR.",
        values={"authorized": allowed, "found": f"{line.service_on:%A}", "service_on": line.service_on.isoformat()},
        origin=line.origins.get("authorization_number") or inspection.origin("authorization_number"),
        cents=line.charge_cents,
    )


def _other_provider(inspection: Inspection, record: AuthorizationRecord, index: int, line: ClaimLine) -> Finding:
    found = ", ".join(sorted(each for each in _providers(inspection) if each))
    return RULE.finding(
        f"lines[{index}].service_on",
        f"Authorization {record.number} was given to {', '.join(record.npis)}; the claim bills as {found}.",
        "Have the payer correct the authorized provider or location, or bill from the one that was authorized.",
        values={"authorized": ", ".join(record.npis), "found": found},
        origin=inspection.origin("authorization_number"),
        cents=line.charge_cents,
    )


def _dates(days: Iterator[date]) -> str:
    return ", ".join(dict.fromkeys(on.isoformat() for on in days))


RULE = Rule(
    name="authorization-covers-days",
    code="G08",
    severity=Severity.BLOCK,
    owner=Owner.UTILIZATION_REVIEW,
    group=Group.AUTHORIZATION,
    snip=7,
    page=__doc__,
    check=_check,
)
