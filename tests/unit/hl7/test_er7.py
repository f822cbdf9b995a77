import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7.er7 import Hl7Message, peek_header, read_message
from adapters.hl7.errors import CharsetError, Hl7FormatError
from adapters.hl7.escapes import Separators
from gateway.errors import FormatError
from tests.unit.hl7.samples import ADT, message


def names(found: Hl7Message) -> list[str]:
    return [segment.name for segment in found.segments]


@pytest.mark.parametrize("ending", ["\r", "\n", "\r\n", "\r\r\n", "\n\n"])
def test_segments_end_with_cr_lf_or_both(ending: str) -> None:
    found = read_message(ADT.replace("\r", ending).encode())
    assert names(found) == ["MSH", "EVN", "PID", "PV1"]
    assert found.segments[1].value(2) == "20260803101500"
    assert found.header.version == "2.5.1"


def test_the_last_segment_needs_no_terminator_and_blank_lines_are_none() -> None:
    assert names(read_message(ADT.rstrip("\r").encode())) == ["MSH", "EVN", "PID", "PV1"]
    assert names(read_message(b"\r\n " + ADT.encode() + b"\r\r  \r\n")) == ["MSH", "EVN", "PID", "PV1"]


def test_a_line_feed_inside_text_of_a_cr_ended_message_belongs_to_the_value() -> None:
    found = read_message((ADT + "NTE|1||first line\nsecond line\rZXX|1\n").encode())
    assert names(found) == ["MSH", "EVN", "PID", "PV1", "NTE", "ZXX"]
    assert found.segments[4].value(3) == "first line\nsecond line"


def test_a_segment_after_a_lone_line_feed_is_a_segment_even_where_others_end_with_cr() -> None:
    assert names(read_message((ADT + "DG1|1||F33.1\nIN1|1|PPO\r").encode()))[-2:] == ["DG1", "IN1"]


def test_header_fields_are_read_by_name_without_splitting_the_rest() -> None:
    header = peek_header(message(msh_3="EHR^1.2.3^ISO", msh_15="AL", msh_16="NE", msh_11="P^T"))
    assert (header.sending_application, header.sending_facility) == ("EHR", "CLINIC")
    assert (header.receiving_application, header.receiving_facility) == ("CLEAN", "CLAIM")
    assert (header.message_type, header.trigger, header.structure) == ("ADT", "A04", "ADT_A01")
    assert (header.control_id, header.processing_id, header.version) == ("MSG1", "P", "2.5.1")
    assert (header.accept_acknowledgement, header.application_acknowledgement) == ("AL", "NE")
    assert header.sent_at_text == "20260803101500"
    assert header.field(3) == "EHR^1.2.3^ISO"
    assert header.field(99) == ""


def test_separators_of_any_kind_are_taken_from_msh() -> None:
    raw = b"MSH#!@%*#EHR#CLINIC#R#F#20260803##ADT!A01#M7#P#2.5\rPID#1##1!!!MRN@2##DOE*X!JO%F%HN\r"
    found = read_message(raw)
    assert found.separators == Separators("#", "!", "@", "%", "*")
    assert found.header.trigger == "A01"
    assert found.header.field(1) == "#"
    assert found.header.field(2) == "!@%*"
    pid = found.segments[1]
    assert pid.value(3, repetition=2) == "2"
    assert pid.value(3, component=4) == "MRN"
    assert pid.value(5, 1, 2) == "X"
    assert pid.value(5, 2) == "JO#HN"


def test_separators_that_are_not_declared_split_nothing() -> None:
    found = read_message(b"MSH|^~|EHR||||20260803||ADT^A01|1|P|2.3\rPID|1||A&B\\C~D\r")
    assert found.separators == Separators(escape="", subcomponent="")
    assert found.segments[1].value(3) == "A&B\\C"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not-hl7"),
        (b"hello", "not-hl7"),
        (b"PID|1", "not-hl7"),
        (b"MSH", "not-hl7"),
        (b"MSH\rPID|1", "not-hl7"),
        (b"ISA*00*          *00*", "not-hl7"),
        (b"MSH|", "separators"),
        (b"MSH||EHR", "separators"),
        (b"MSH|^~\\^|EHR", "separators"),
        (b"MSH|^~|&|", "separators-fine"),
        (b"MSH|^~\\&#!|EHR", "separators"),
        (b"MSHA^~\\&AEHR", "separators"),
        (b"MSH|^~\\ |EHR", "separators"),
        (b"MSH|^~\\\x00|EHR", "separators"),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(raw: bytes, reason: str) -> None:
    if reason == "separators-fine":
        assert read_message(raw).separators.escape == ""
        return
    with pytest.raises(Hl7FormatError) as caught:
        read_message(raw)
    assert caught.value.reason == reason
    assert isinstance(caught.value, FormatError)
    with pytest.raises(Hl7FormatError):
        peek_header(raw)


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("", "utf-8"),
        ("UNICODE UTF-8", "utf-8"),
        ("8859/1", "iso8859-1"),
        ("8859/15", "iso8859-15"),
        ("ISO-8859-1", "iso8859-1"),
        ("8859/1~8859/2", "iso8859-1"),
        ("WINDOWS-1252", "cp1252"),
    ],
)
def test_msh_18_decides_the_character_set(declared: str, codec: str) -> None:
    raw = message(msh_18=declared).decode().replace("JANE", "ZOÉ").encode(codec)
    found = read_message(raw)
    assert found.charset == codec
    assert found.segments_named("PID")[0].value(5, 2) == "ZOÉ"
    assert peek_header(raw).charset == codec


def test_a_character_set_that_does_not_fit_is_an_error_with_a_place_and_no_value() -> None:
    raw = message(msh_18="UNICODE UTF-8").replace(b"JANE", b"JAN\xe9")
    with pytest.raises(CharsetError) as caught:
        read_message(raw)
    assert caught.value.reason == "charset-mismatch"
    assert caught.value.byte_position == raw.index(b"\xe9")
    assert "JAN" not in str(caught.value)


def test_the_sources_fallback_character_set_is_tried_next_and_just_as_strictly() -> None:
    raw = message(msh_18="ASCII").replace(b"JANE", b"JAN\xe9")
    assert read_message(raw, "cp1252").segments_named("PID")[0].value(5, 2) == "JANé"
    with pytest.raises(CharsetError):
        read_message(raw, "utf-8")


def test_an_unknown_character_set_is_an_error_unless_the_source_has_a_fallback() -> None:
    raw = message(msh_18="KLINGON")
    with pytest.raises(CharsetError) as caught:
        read_message(raw)
    assert caught.value.reason == "charset-unknown"
    assert read_message(raw, "utf-8").charset == "utf-8"


@pytest.mark.parametrize(
    ("codec", "mark"),
    [
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
        ("utf-32-be", b""),
    ],
)
def test_two_and_four_byte_characters_are_recognised_with_or_without_a_mark(codec: str, mark: bytes) -> None:
    text = ADT.replace("JANE", "ZOÉ")
    raw = mark + text.encode(codec)
    found = read_message(raw)
    assert found.segments_named("PID")[0].value(5, 2) == "ZOÉ"
    assert peek_header(raw).control_id == "MSG1"
    place = found.segments_named("PV1")[0].byte_position
    assert raw[place:].decode(codec).startswith("PV1|1|R")


def test_a_utf8_mark_before_msh_is_no_part_of_it() -> None:
    assert read_message(codecs.BOM_UTF8 + ADT.encode()).header.control_id == "MSG1"
    assert peek_header(codecs.BOM_UTF8 + ADT.encode()).control_id == "MSG1"


def test_unknown_and_local_segments_are_kept_where_they_stood() -> None:
    found = read_message((ADT + "ZBH|IOP^MH|Y\rQQQ|?\rPIDX|1\rloose text\r").encode())
    assert names(found)[4:] == ["ZBH", "QQQ", "PIDX", "loose text"]
    assert found.segments_named("ZBH")[0].value(1, 2) == "MH"


def test_every_segment_knows_its_place_in_the_bytes() -> None:
    raw = ("\r\n" + ADT.replace("JANE", "ZOË").replace("\r", "\r\n") + "\r\nPV1|2\r\n").encode()
    for segment in read_message(raw).segments:
        assert raw[segment.byte_position :].decode().startswith(segment.text)


def test_a_label_counts_only_where_there_are_several() -> None:
    found = read_message((ADT + "DG1|1\rDG1|2\r").encode())
    assert [segment.label for segment in found.segments] == ["MSH", "EVN", "PID", "PV1", "DG1[1]", "DG1[2]"]


def test_an_explicit_null_is_told_from_an_empty_value() -> None:
    found = read_message((ADT + 'PV2|""|\r').encode())
    assert found.segments_named("PV2")[0].value(1) == '""'
    assert found.segments_named("PV2")[0].value(2) == ""
    assert found.segments_named("PV2")[0].value(40) == ""


def test_an_unescaped_line_end_stays_inside_its_value() -> None:
    found = read_message((ADT + r"NTE|1||a\X0D\PID|9" + "\r").encode())
    assert names(found) == ["MSH", "EVN", "PID", "PV1", "NTE"]
    assert found.segments_named("NTE")[0].value(3) == "a\rPID"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for candidate in (raw, b"MSH|^~\\&|" + raw, b"MSH" + raw):
        try:
            found = read_message(candidate)
        except Hl7FormatError:
            continue
        for segment in found.segments:
            segment.value(3, 2, 2)
            assert 0 <= segment.byte_position <= len(candidate)
        assert peek_header(candidate).separators == found.separators


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n|"), max_size=20), max_size=12))
def test_no_field_of_a_segment_is_lost(fields: list[str]) -> None:
    found = read_message((ADT + "|".join(["ZZZ", *fields]) + "\r").encode())
    assert found.segments_named("ZZZ")[0].fields == ["ZZZ", *fields]
