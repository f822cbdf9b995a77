"""The check's report as acknowledgements: a 999 for each functional group, a TA1 for an interchange.

Knows no delivery and no claim; who answers, and which claim a segment belongs to, is the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.acknowledgement_999 import (
    Acknowledgement,
    Context,
    ElementError,
    SegmentError,
    TransactionResponse,
)
from clearinghouse.x12.findings import ERROR, NOTE, Finding, GroupReport, InterchangeReport, TransactionReport
from clearinghouse.x12.guide import guide_for
from clearinghouse.x12.guide_tables import ALIASES, KINDS
from clearinghouse.x12.interchange_ta1 import InterchangeAcknowledgement
from clearinghouse.x12.tokens import Header

LAST_SYNTAX_TYPE = 2
"""SNIP types up to this one are a 999's to tell; later ones are about claims and come back in a 277CA."""

ClaimNumberAt = Callable[[TransactionReport, int], str]
"""CLM01 of the claim a segment of a transaction set stands in; blank above the claims."""

_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}")
_ELEMENT = re.compile(r"[A-Z][A-Z0-9]{1,2}(?P<element>\d\d)(?:-(?P<component>\d{1,2}))?")
_HAS_ELEMENT_ERRORS = "8"
_TYPES = {"837I": "837", "837P": "837", "277CA": "277"}
_SEGMENTS_IN_ERROR = {1: "5", 2: "I5"}
_MOST_CODES = 5
_INVALID_CONTENT = "024"


def acknowledge_group(
    group: GroupReport, claim_number_at: ClaimNumberAt = lambda *_: "", control_number: str = "0001"
) -> Acknowledgement:
    """The 999 a checked group gets: a set with a SNIP 1 or 2 error is rejected, one with warnings accepted with errors.

    An error of the group itself (its count, its control number) rejects the group whatever its sets say.
    """
    responses = tuple(_response(each, claim_number_at) for each in group.transactions)
    accepted = sum(response.code != "R" for response in responses)
    errors = [finding for finding in group.findings if finding.severity == ERROR]
    if errors or not accepted:
        code, accepted = "R", 0 if errors else accepted
    elif accepted < len(responses):
        code = "P"
    else:
        code = "E" if any(response.code == "E" for response in responses) else "A"
    return Acknowledgement(
        functional_code=group.functional_code,
        group_control_number=group.control_number,
        group_guide=group.guide,
        responses=responses,
        group_code=code,
        included_count=len(responses) if group.announced_count is None else group.announced_count,
        received_count=len(responses),
        accepted_count=accepted,
        error_codes=_distinct(finding.ak9 for finding in errors),
        control_number=control_number,
    )


def acknowledge_interchange(header: Header, interchange: InterchangeReport) -> InterchangeAcknowledgement:
    """The TA1 a checked interchange gets: R and the first thing wrong with its own envelope, else A.

    Raises X12FormatError when ISA09 or ISA10, which a TA1 must repeat, cannot be read.
    """
    elements = list(header.elements)
    wrong = next((finding for finding in interchange.findings if finding.severity == ERROR), None)
    return InterchangeAcknowledgement(
        control_number=elements[13],
        interchange_on=read.reading(read.short_day, elements, 9, 1),
        interchange_time=read.reading(read.clock, elements, 10, 1),
        code="A" if wrong is None else "R",
        note="000" if wrong is None else wrong.ta1 or _INVALID_CONTENT,
    )


def _response(report: TransactionReport, claim_number_at: ClaimNumberAt) -> TransactionResponse:
    told = [each for each in report.findings if each.snip <= LAST_SYNTAX_TYPE and each.severity != NOTE]
    rejected = any(each.severity == ERROR for each in told)
    return TransactionResponse(
        transaction_type=_TYPES.get(report.type, report.type),
        control_number=report.control_number,
        code="R" if rejected else "E" if told else "A",
        guide=report.guide,
        segment_errors=tuple(_segment_errors(report, told, claim_number_at)),
        error_codes=_distinct(each.ik5 or _SEGMENTS_IN_ERROR[each.snip] for each in told if rejected),
    )


def _segment_errors(
    report: TransactionReport, told: list[Finding], claim_number_at: ClaimNumberAt
) -> Iterable[SegmentError]:
    """One IK3 for each segment and IK304, in file order; what names no segment (an envelope) has none."""
    placed: dict[tuple[int, str, str], list[Finding]] = {}
    for each in told:
        if each.ik3 and each.position and _SEGMENT_ID.fullmatch(each.segment):
            placed.setdefault((each.position, each.segment, each.ik3), []).append(each)
    for (position, segment, code), found in sorted(placed.items(), key=lambda entry: entry[0][0]):
        number = claim_number_at(report, position)
        elements = (_element_error(report.guide, each) for each in found if code == _HAS_ELEMENT_ERRORS and each.ik4)
        yield SegmentError(
            segment_id=segment,
            segment_position=position,
            code=code,
            loop_id=found[0].loop[:4],  # IK303 has four characters: 2010BA is announced as 2010
            contexts=(Context("CLM01", number),) if number else (),
            elements=tuple(elements),
        )


def _element_error(guide: str, finding: Finding) -> ElementError:
    """IK4 without the bad value (IK404): a report keeps shapes, never values."""
    place = _ELEMENT.fullmatch(finding.element)
    component = place["component"] if place is not None else None
    return ElementError(
        element_position=int(place["element"]) if place is not None else 1,
        code=finding.ik4,
        component_position=int(component) if component else None,
        data_element=_data_elements(guide).get(finding.element, ""),
    )


@cache
def _data_elements(guide: str) -> dict[str, str]:
    """Reference (NM103, SV202-2) to data element number, for every element of a guide."""
    if ALIASES.get(guide, guide) not in KINDS:
        return {}
    found: dict[str, str] = {}
    for node in guide_for(guide).segments:
        for element in node.table.elements:
            if element.data_element.isdecimal():  # a composite has a letter and no number IK402 could carry
                found[element.name] = element.data_element
            for at, component in enumerate(element.components, 1):
                found[f"{element.name}-{at}"] = component.data_element
    return found


def _distinct(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(code for code in dict.fromkeys(codes) if code)[:_MOST_CODES]
