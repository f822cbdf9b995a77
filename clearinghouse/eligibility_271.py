"""A 271 as rows of the eligibility roster: who is covered by which payer from when to when, and whom else to bill."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from clearinghouse.x12.benefits_271 import Benefit, Member, PayerAnswer
from clearinghouse.x12.parties import Name, QualifiedDate
from clearinghouse.x12.read_271 import read_271
from gateway.claim.calendar import COUNTABLE
from gateway.claim.party import Identifier
from gateway.claim.roster import EligibilityRecord, member_of, row_key

_ACTIVE: Final = frozenset("12345")
_INACTIVE: Final = frozenset("678")
_COPAY, _NOT_COVERED, _OTHER_PAYER, _CONTACT = "B", "I", "R", "U"
_WHOLE_PLAN: Final = "30"
_PART_A, _PART_B = "MA", "MB"
"""EB04 of Medicare: hospital stays, which cover no program day, and outpatient care, which does."""
_BEGIN: Final = frozenset({"346", "348", "356", "193", "539"})
_END: Final = frozenset({"347", "349", "357", "194", "540"})
_RANGE: Final = frozenset({"290", "291", "292", "307"})
_SERVICE: Final = "472"
_PRIMARY: Final = frozenset({"PRP"})
_IN_ITS_PLACE: Final = frozenset({"PR", "VN", "X3", "Y2", "2B"})
"""Roles of loop 2120 by which payers name who handles services they carved out."""

_UNWRITABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

PayerOf = Callable[[str, str], str]
"""The payer file's id for a payer's number and name; empty for one that no file knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityAnswers:
    """What a 271 came to: rows by key, how many members the payers could not answer for, what cannot be used."""

    rows: dict[str, EligibilityRecord]
    unanswered: int
    problems: tuple[str, ...]
    """``segment N: what``, without a member's data."""


def eligibility_answers(raw: bytes, payer_of: PayerOf, record_numbers: str) -> EligibilityAnswers:
    """The rows of every 271 in a file. Raises X12FormatError.

    A subscriber is known by the member number; a dependent, who shares it, by the account number that the payer
    echoes (REF*EJ), a medical record number in the namespace ``record_numbers``.
    """
    rows: dict[str, EligibilityRecord] = {}
    problems: list[str] = []
    unanswered = 0
    for transaction in read_271(raw):
        if not COUNTABLE.covers(transaction.created_on):
            said = f"its day (BHT04) does not lie between {COUNTABLE.start_on} and {COUNTABLE.end_on}"
            problems.append(f"transaction set {transaction.control_number}: {said}")
            continue
        for answer in transaction.payers:
            payer = payer_of(answer.name.identifier, answer.name.last_or_organization)
            if not payer:
                number = answer.name.identifier
                problems.append(f"segment {answer.position}: no payer file has a route or a name {number!r} (NM109)")
                continue
            unanswered += _unanswered(answer)
            for member in answer.members:
                patient = _patient(member, payer, record_numbers)
                if patient is None:
                    if member.benefits:
                        problems.append(f"segment {member.position}: {_nameless(member)}")
                    continue
                for each in _records(member, patient, payer, payer_of, transaction.created_on):
                    if _UNWRITABLE.search(f"{each.patient.value}{each.plan}{each.carve_out_payer}{each.primary_payer}"):
                        problems.append(f"segment {member.position}: a control character stands in the member's answer")
                        break
                    key = row_key(each)
                    rows[key] = _worse(rows[key], each) if key in rows else each
    return EligibilityAnswers(rows=rows, unanswered=unanswered, problems=tuple(problems))


def _unanswered(answer: PayerAnswer) -> int:
    refused = sum(bool(member.rejections) and not member.benefits for member in answer.members)
    return refused or int(bool(answer.rejections))


def _patient(member: Member, payer: str, record_numbers: str) -> Identifier | None:
    account = next((each.value for each in member.references if each.qualifier == "EJ"), "")
    if member.subscriber is None and member.name.id_qualifier == "MI" and member.name.identifier:
        return member_of(payer, member.name.identifier)
    return Identifier(record_numbers, account) if account and record_numbers else None


def _nameless(member: Member) -> str:
    if member.subscriber is None:
        return "the subscriber has no member number (NM109)"
    return "the dependent has no account number of ours (REF*EJ); ask with it, or load the answer as CSV"


# --- what the benefits of one member say -----------------------------------------------------------------------------


def _records(
    member: Member, patient: Identifier, payer: str, payer_of: PayerOf, answered_on: date
) -> Iterator[EligibilityRecord]:
    carved = [each for each in member.benefits if _carve_out(each)]
    elsewhere = {word for each in carved for word in each.service_types}
    copays = [each for each in member.benefits if each.code == _COPAY and each.cents is not None]
    has_part_b = any(each.insurance_type == _PART_B for each in member.benefits)
    for benefit in member.benefits:
        inpatient = benefit.insurance_type == _PART_A
        if inpatient and has_part_b:
            continue
        active = (benefit.code in _ACTIVE and not inpatient) or benefit in carved
        primary = _named(benefit, _PRIMARY) if benefit.code == _OTHER_PAYER else None
        denied = benefit.code == _NOT_COVERED and _specific(benefit) and elsewhere.isdisjoint(benefit.service_types)
        if not (active or primary or denied or benefit.code in _ACTIVE | _INACTIVE):
            continue
        start_on, end_on = _span(benefit.dates, member.dates, answered_on)
        other = _named(benefit, _IN_ITS_PLACE) if benefit in carved else None
        yield EligibilityRecord(
            patient=patient,
            payer=payer,
            active=active or primary is not None,
            start_on=start_on,
            end_on=end_on,
            checked_on=answered_on,
            service_types=tuple(sorted(set(benefit.service_types))),
            carve_out_payer=_known(other, payer_of),
            primary_payer=_known(primary, payer_of),
            plan=benefit.plan,
            copay_cents=_copay(benefit, copays),
            entry=f"segment {member.position}",
        )


def _specific(benefit: Benefit) -> bool:
    return bool(benefit.service_types) and _WHOLE_PLAN not in benefit.service_types


def _carve_out(benefit: Benefit) -> bool:
    """True where the payer names another for certain services, not for the plan as a whole."""
    return benefit.code in (_CONTACT, *_ACTIVE) and _specific(benefit) and _named(benefit, _IN_ITS_PLACE) is not None


def _named(benefit: Benefit, roles: frozenset[str]) -> Name | None:
    return next((each.name for each in benefit.entities if each.role in roles), None)


def _known(name: Name | None, payer_of: PayerOf) -> str:
    """The payer file's id of a payer named in an answer, or its name."""
    if name is None:
        return ""
    return payer_of(name.identifier, name.last_or_organization) or name.last_or_organization


def _copay(benefit: Benefit, copays: Sequence[Benefit]) -> int | None:
    wanted = set(benefit.service_types)
    return next((each.cents for each in copays if wanted & set(each.service_types)), None)


def _span(
    own: Iterable[QualifiedDate], members: Iterable[QualifiedDate], answered_on: date
) -> tuple[date, date | None]:
    """The days an answer speaks of: the benefit's own dates, else the member's, else the day of the answer alone."""
    for dates in (list(own), list(members)):
        start_on: date | None = None
        end_on: date | None = None
        for each in dates:
            if each.qualifier in _BEGIN:
                start_on = each.span.from_on
            elif each.qualifier in _END:
                end_on = each.span.last_on
            elif each.qualifier in _RANGE:
                start_on, end_on = each.span.from_on, each.span.through_on or end_on
            elif each.qualifier == _SERVICE and start_on is None:
                start_on, end_on = each.span.from_on, each.span.last_on
        if start_on is not None or end_on is not None:
            return start_on or min(answered_on, end_on or answered_on), end_on
    return answered_on, answered_on


def _worse(one: EligibilityRecord, other: EligibilityRecord) -> EligibilityRecord:
    """Two answers for the same services from the same day: active where both are, to the earlier end."""
    ends = [each.end_on for each in (one, other) if each.end_on is not None]
    return replace(
        one,
        active=one.active and other.active,
        end_on=min(ends, default=None),
        checked_on=max(one.checked_on, other.checked_on),
        plan=one.plan or other.plan,
        copay_cents=one.copay_cents if one.copay_cents is not None else other.copay_cents,
    )
