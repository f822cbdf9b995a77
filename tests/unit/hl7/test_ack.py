import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7.ack import prepare_receipt, write_failure
from adapters.hl7.er7 import Hl7Message, read_message
from adapters.hl7.framing import FrameDecoder
from adapters.hl7.triage import AcceptancePolicy
from tests.unit.hl7.samples import ADT, message

NOW = datetime(2026, 8, 3, 10, 15, 0, tzinfo=UTC)


def answers(raw: bytes, policy: AcceptancePolicy | None = None) -> list[Hl7Message]:
    receipt = prepare_receipt(raw, answered_at=NOW, control_id="ACK1", policy=policy or AcceptancePolicy())
    return [read_message(one) for one in FrameDecoder().feed(receipt.answer)]


def codes(raw: bytes, policy: AcceptancePolicy | None = None) -> list[str]:
    return [answer.segments_named("MSA")[0].value(1) for answer in answers(raw, policy)]


def test_an_accepted_message_is_answered_byte_for_byte_the_same_every_time() -> None:
    receipt = prepare_receipt(ADT.encode(), answered_at=NOW, control_id="ACK1")
    assert receipt.answer == (
        b"\x0bMSH|^~\\&|CLEAN|CLAIM|EHR|CLINIC|20260803101500+0000||ACK^A04^ACK|ACK1|P|2.5.1\rMSA|AA|MSG1\r\x1c\r"
    )
    assert receipt.sha256 == hashlib.sha256(ADT.encode()).hexdigest()
    assert receipt.key == ("EHR", "CLINIC", "MSG1")
    assert prepare_receipt(ADT.encode(), answered_at=NOW, control_id="ACK1").answer == receipt.answer


@pytest.mark.parametrize(
    ("msh_15", "msh_16", "sound", "damaged"),
    [
        ("", "", ["AA"], ["AR"]),
        ("AL", "", ["CA"], ["CR"]),
        ("AL", "NE", ["CA"], ["CR"]),
        ("AL", "AL", ["CA", "AA"], ["CR"]),
        ("NE", "AL", ["AA"], ["AR"]),
        ("", "AL", ["AA"], ["AR"]),
        ("ER", "NE", ["AA"], ["CR"]),
        ("SU", "NE", ["CA"], ["AR"]),
        ("ER", "SU", ["AA"], ["CR"]),
        ("NE", "NE", ["AA"], ["AR"]),
    ],
)
def test_the_senders_mode_decides_which_codes_it_hears(
    msh_15: str, msh_16: str, sound: list[str], damaged: list[str]
) -> None:
    assert codes(message(msh_15=msh_15, msh_16=msh_16)) == sound
    assert codes(message(msh_15=msh_15, msh_16=msh_16, msh_12="1.0")) == damaged


def test_silence_is_kept_only_for_a_source_that_means_it_and_never_over_a_failure() -> None:
    silent = AcceptancePolicy(silent_when_asked=True)
    assert codes(message(msh_15="NE", msh_16="NE"), silent) == []
    assert codes(message(msh_15="ER", msh_16="NE"), silent) == []
    assert codes(message(msh_15="NE", msh_16="NE", msh_12="1.0"), silent) == ["AR"]


def test_two_acknowledgements_of_one_message_have_their_own_control_ids() -> None:
    found = answers(message(msh_15="AL", msh_16="AL"))
    assert [answer.header.control_id for answer in found] == ["ACK1", "ACK1-2"]
    assert [answer.segments_named("MSA")[0].value(2) for answer in found] == ["MSG1", "MSG1"]


def test_a_refusal_says_why_and_where_without_a_value_of_the_message() -> None:
    [answer] = answers(message(msh_12="1.0", msh_3="SECRETAPP").replace(b"2.5.1", b"1.0"))
    assert answer.header.version == "2.5.1"
    assert answer.segments_named("MSA")[0].value(3) == "MSH-12 is not a version 2 of HL7"
    error = answer.segments_named("ERR")[0]
    assert [error.value(2, part) for part in (1, 2, 3)] == ["MSH", "1", "12"]
    assert [error.value(3), error.value(4), error.value(5)] == ["203", "E", "version-unsupported"]


def test_bytes_that_are_no_hl7_get_an_answer_too() -> None:
    [answer] = answers(b"GET / HTTP/1.1\r\n\r\n")
    assert answer.segments_named("MSA")[0].value(1) == "AR"
    assert answer.segments_named("MSA")[0].value(2) == ""


def test_a_failure_of_ours_is_ae_or_ce_and_never_positive() -> None:
    for raw, code in ((ADT.encode(), "AE"), (message(msh_15="AL"), "CE"), (b"junk", "AE")):
        [content] = FrameDecoder().feed(write_failure(raw, answered_at=NOW, control_id="X"))
        assert read_message(content).segments_named("MSA")[0].value(1) == code


@pytest.mark.fault("F44")
def test_odd_separators_of_the_peer_are_answered_in_the_standard_ones() -> None:
    raw = b"MSH#!@%*#EHR!1.2!ISO#CLI|NIC#CLEAN#CLAIM#20260803##ADT!A01#M%F%7#P#2.5\rPID#1\r"
    [answer] = answers(raw)
    assert answer.header.field(2) == "^~\\&"
    assert answer.header.field(5) == "EHR^1.2^ISO"
    assert answer.header.receiving_facility == "CLI|NIC"
    assert answer.segments_named("MSA")[0].value(2) == "M#7"


@pytest.mark.parametrize("control_id", ["A&B", "A^B", "A~B", r"A\F\B", "1" * 50, "äöü"])
def test_msa_2_repeats_msh_10_exactly_as_written(control_id: str) -> None:
    assert answers(message(msh_10=control_id))[0].segments_named("MSA")[0].field(2) == control_id


def test_the_answer_is_in_the_senders_character_set() -> None:
    raw = message(msh_4="CLÍNICA", msh_18="8859/1").decode().encode("iso8859-1")
    [answer] = answers(raw)
    assert answer.charset == "iso8859-1"
    assert answer.header.receiving_facility == "CLÍNICA"
    wide = message(msh_4="CLÍNICA").decode().encode("utf-16-le")
    assert answers(wide)[0].header.receiving_facility == "CLÍNICA"


@pytest.mark.fault("F44")
def test_a_broken_character_set_is_still_answered_by_control_id() -> None:
    raw = message(msh_18="UNICODE UTF-8").replace(b"JANE", b"JAN\xe9")
    [answer] = answers(raw)
    assert [answer.segments_named("MSA")[0].value(part) for part in (1, 2)] == ["AE", "MSG1"]


@pytest.mark.fault("F44")
@given(st.text(st.characters(codec="utf-8"), max_size=40), st.text(st.characters(codec="utf-8"), max_size=40))
def test_no_text_of_a_message_can_break_out_of_its_field_in_the_answer(facility: str, control_id: str) -> None:
    raw = (
        b"MSH$!@%*$"
        + "$".join(["EHR", facility, "R", "F", "20260803", "", "ADT!A01", control_id or "1", "P", "2.5"]).encode()
        + b"\r"
    )
    for answer in answers(raw):
        names = [segment.name for segment in answer.segments]
        assert names in (["MSH", "MSA"], ["MSH", "MSA", "ERR"])
        assert len(answer.segments[0].fields) <= 19
        assert len(answer.segments[1].fields) <= 4


@pytest.mark.fault("F44")
@given(st.binary(max_size=200))
def test_any_bytes_are_answered_with_one_readable_acknowledgement(raw: bytes) -> None:
    for candidate in (raw, b"MSH|^~\\&|" + raw, ADT.encode() + raw):
        for answer in answers(candidate):
            assert answer.segments_named("MSA")[0].value(1) in {"AA", "AE", "AR", "CA", "CE", "CR"}


def test_what_an_answer_says_names_no_patient() -> None:
    raw = message(msh_18="KLINGON")
    text = prepare_receipt(raw, answered_at=NOW, control_id="A").answer.decode()
    for value in ("JANE", "12345", "19800101"):
        assert value not in text
