"""A checked file's 999 and TA1, straight from the report: the right codes in the right places."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearinghouse.x12.acknowledge import acknowledge_group, acknowledge_interchange
from clearinghouse.x12.acknowledgement_999 import Acknowledgement, Context, ElementError, read_999, write_999
from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.findings import WARNING, Finding, TransactionReport
from clearinghouse.x12.interchange_ta1 import InterchangeAcknowledgement, read_ta1, write_ta1
from clearinghouse.x12.referee import ask_referee
from clearinghouse.x12.tokens import Header, read_pieces
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import ENVELOPE, dependent_transaction, institutional_transaction

CLEAN = write_837(institutional_transaction(), ENVELOPE)


def answered(content: bytes) -> Acknowledgement:
    ((group,),) = [interchange.groups for interchange in check_bytes(content).interchanges]
    return acknowledge_group(group, lambda _, position: "PCN0000000001" if position == 20 else "")


def both_judges(content: bytes) -> list[object]:
    return [*check_bytes(content).all_findings(), *ask_referee(content)]


def test_a_clean_group_is_accepted() -> None:
    answer = answered(CLEAN)
    assert (answer.group_code, answer.included_count, answer.received_count, answer.accepted_count) == ("A", 1, 1, 1)
    assert [(each.code, each.transaction_type, each.control_number) for each in answer.responses] == [
        ("A", "837", "0001")
    ]
    assert both_judges(write_999(answer, ENVELOPE)) == []


def test_a_wrong_element_is_named_by_position_component_and_data_element_number() -> None:
    answer = answered(
        CLEAN.replace(b"*13:A:2*", b"*13:A:2Z*").replace(b"DTP*434*RD8*20261102", b"DTP*434*RD8*20261302")
    )
    (response,) = answer.responses
    assert (answer.group_code, answer.accepted_count, response.code, response.error_codes) == ("R", 0, "R", ("5",))
    claim, dates = response.segment_errors
    assert (claim.segment_id, claim.code, claim.loop_id) == ("CLM", "8", "2300")
    assert claim.elements == (ElementError(5, "5", component_position=3, data_element="1325"),)
    assert dates.elements == (ElementError(3, "8", data_element="1251"),)
    assert dates.contexts == (Context("CLM01", "PCN0000000001"),)
    assert both_judges(write_999(answer, ENVELOPE)) == []


def test_a_missing_and_an_unexpected_segment_have_codes_of_their_own() -> None:
    content = CLEAN.replace(b"CL1*3*1*30~\n", b"").replace(b"LX*2~\n", b"ZZ9*1~\nLX*2~\n")
    (response,) = answered(content).responses
    assert [(each.segment_id, each.code) for each in response.segment_errors] == [("CL1", "3"), ("ZZ9", "1")]
    assert response.error_codes == ("I5", "5")


@pytest.mark.parametrize(
    ("change", "code"),
    [((b"SE*41*", b"SE*40*"), "4"), ((b"*0001~\nGE", b"*0002~\nGE"), "3")],
)
def test_what_is_wrong_with_a_transaction_set_as_a_whole_is_said_in_its_own_code(
    change: tuple[bytes, bytes], code: str
) -> None:
    (response,) = answered(CLEAN.replace(*change)).responses
    assert response.error_codes == (code,)


def test_a_group_that_miscounts_is_rejected_whatever_its_sets_say() -> None:
    answer = answered(CLEAN.replace(b"GE*1*101", b"GE*2*101"))
    assert (answer.group_code, answer.included_count, answer.received_count, answer.accepted_count) == ("R", 2, 1, 0)
    assert answer.error_codes == ("5",)
    assert [each.code for each in answer.responses] == ["A"]


def test_a_set_with_warnings_alone_is_accepted_with_errors() -> None:
    ((group,),) = [interchange.groups for interchange in check_bytes(CLEAN).interchanges]
    warned = Finding(1, WARNING, "separator-trailing", "CLM ends in a separator.", "CLM", 21, "2300", ik3="8")
    group.transactions.append(TransactionReport("837I", "005010X223A2", "0002", [warned]))
    answer = acknowledge_group(group)
    assert [each.code for each in answer.responses] == ["A", "E"]
    assert (answer.group_code, answer.accepted_count) == ("E", 2)


def test_a_group_of_which_some_is_rejected_is_accepted_in_part() -> None:
    second = CLEAN.replace(b"*13:A:2*", b"*13:A:2Z*").split(b"ST*837*")[1].split(b"GE*")[0].replace(b"*0001", b"*0002")
    both = CLEAN.replace(b"GE*1*", b"ST*837*" + second.replace(b"0001*005010", b"0002*005010") + b"GE*2*")
    answer = answered(both)
    assert [each.code for each in answer.responses] == ["A", "R"]
    assert (answer.group_code, answer.received_count, answer.accepted_count) == ("P", 2, 1)
    assert both_judges(write_999(answer, ENVELOPE)) == []


def interchange_answer(content: bytes) -> InterchangeAcknowledgement:
    header = next(piece for piece in read_pieces(content) if isinstance(piece, Header))
    return acknowledge_interchange(header, check_bytes(content).interchanges[0])


@pytest.mark.parametrize(
    ("change", "code", "note"),
    [
        ((b"", b""), "A", "000"),
        ((b"*ZZ*SUBMITTERID", b"*QQ*SUBMITTERID"), "R", "005"),
        ((b"*1*T*:~", b"*1*X*:~"), "R", "020"),
        ((b"IEA*1*000000101", b"IEA*1*000000102"), "R", "001"),
        ((b"IEA*1*", b"IEA*2*"), "R", "021"),
        ((b"IEA*1*000000101~\n", b""), "R", "023"),
        ((b"IEA*1*000000101~\n", b"IEA*1*0000"), "R", "023"),
    ],
)
def test_an_interchange_is_answered_with_the_note_for_what_is_wrong(
    change: tuple[bytes, bytes], code: str, note: str
) -> None:
    answer = interchange_answer(CLEAN.replace(*change))
    assert (answer.code, answer.note) == (code, note)
    assert (answer.control_number, answer.interchange_on, answer.interchange_time) == (
        "000000101",
        date(2026, 11, 23),
        time(7, 30),
    )
    ((_, again),) = read_ta1(write_ta1(answer, ENVELOPE))
    assert answer == again


SEGMENTS = write_837(dependent_transaction(), ENVELOPE).split(b"~\n")


def test_the_answer_to_a_group_that_is_wrong_around_a_right_transaction_set_is_itself_right() -> None:
    trailer = next(place for place, segment in enumerate(SEGMENTS) if segment.startswith(b"SE*"))
    (interchange,) = check_bytes(
        b"~\n".join([*SEGMENTS[:trailer], SEGMENTS[trailer], *SEGMENTS[trailer:]])
    ).interchanges
    (group,) = interchange.groups
    answer = acknowledge_group(group)
    assert ("R", 0, ["A"]) == (answer.group_code, answer.accepted_count, [each.code for each in answer.responses])
    assert both_judges(write_999(answer, ENVELOPE)) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_answer_to_any_damaged_file_is_itself_right(data: st.DataObject) -> None:
    segments = [*SEGMENTS]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(3, len(segments) - 4))
        kind = data.draw(st.sampled_from(("drop", "repeat", "swap", "spoil")))
        if kind == "drop":
            del segments[at]
        elif kind == "repeat":
            segments.insert(at, segments[at])
        elif kind == "swap":
            segments[at - 1], segments[at] = segments[at], segments[at - 1]
        else:
            segments[at] = data.draw(st.sampled_from((segments[at] + b"*X*Y", segments[at][:5], b"ZZZ*1", b"A")))
    for interchange in check_bytes(b"~\n".join(segments)).interchanges:
        for group in interchange.groups:
            content = write_999(acknowledge_group(group), ENVELOPE)
            assert both_judges(content) == []
            assert [each for _, each in read_999(content)] == [acknowledge_group(group)]
