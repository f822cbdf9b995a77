import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7.batch import BatchFault, BatchMessage, batch_control_id, read_batch, write_batch
from adapters.hl7.er7 import read_message
from adapters.hl7.framing import frame
from tests.unit.hl7.samples import ADT, DFT


def control_ids(source: bytes) -> list[str]:
    return [
        read_message(entry.raw).header.control_id for entry in read_batch(source) if isinstance(entry, BatchMessage)
    ]


def faults(source: bytes) -> list[str]:
    return [entry.reason for entry in read_batch(source) if isinstance(entry, BatchFault)]


def test_one_message_alone_is_given_back_byte_for_byte() -> None:
    assert list(read_batch(ADT.encode())) == [BatchMessage(0, 0, ADT.encode())]


@pytest.mark.parametrize("ending", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("between", ["", "\r", "\n\n", "\r\n"])
def test_messages_of_a_file_are_split_at_msh_whatever_ends_their_lines(ending: str, between: str) -> None:
    source = (between + ADT + between + DFT + between + ADT).replace("\r", ending).encode()
    assert control_ids(source) == ["MSG1", "MSG2", "MSG1"]
    assert faults(source) == []


def test_batch_envelopes_are_no_part_of_a_message_and_their_counts_are_checked() -> None:
    source = ("FHS|^~\\&|EHR\rBHS|^~\\&|EHR\r" + ADT + DFT + "BTS|2\rBHS|^~\\&\r" + ADT + "BTS|1\rFTS|2\r").encode()
    entries = list(read_batch(source))
    assert [entry.raw for entry in entries if isinstance(entry, BatchMessage)] == [
        ADT.encode(),
        DFT.encode(),
        ADT.encode(),
    ]
    assert len(entries) == 3
    assert faults(source.replace(b"BTS|2", b"BTS|3").replace(b"FTS|2", b"FTS|9")) == ["batch-count", "file-count"]


def test_every_message_says_where_it_began() -> None:
    source = b"FHS|^~\\&\r" + ADT.encode() + b"\r\n" + DFT.encode()
    places = [entry.byte_position for entry in read_batch(source) if isinstance(entry, BatchMessage)]
    assert [source[place : place + 4] for place in places] == [b"MSH|", b"MSH|"]


def test_captured_mllp_traffic_gives_the_messages_without_their_framing() -> None:
    source = frame(ADT.encode()) + frame(DFT.encode()) + b"\n" + frame(ADT.encode().rstrip(b"\r"))
    assert [entry.raw for entry in read_batch(source) if isinstance(entry, BatchMessage)] == [
        ADT.encode(),
        DFT.encode(),
        ADT.encode().rstrip(b"\r"),
    ]
    assert faults(source) == []


def test_lines_before_the_first_message_are_reported_with_their_bytes() -> None:
    entries = list(read_batch(b"exported yesterday\n" + ADT.encode()))
    assert isinstance(entries[0], BatchFault)
    assert (entries[0].reason, entries[0].byte_position, entries[0].raw) == (
        "outside-message",
        0,
        b"exported yesterday\n",
    )
    assert isinstance(entries[1], BatchMessage)


def test_a_message_over_the_limit_is_a_fault_and_the_next_one_is_read() -> None:
    large = ADT.encode() + b"OBX|1|TX|||" + b"x" * 5000 + b"\r"
    entries = list(read_batch(large + DFT.encode(), max_message_bytes=2000))
    assert isinstance(entries[0], BatchFault)
    assert entries[0].reason == "too-large"
    assert entries[1:] == [BatchMessage(0, len(large), DFT.encode())]


class Trickle(io.BytesIO):
    """Gives at most a few bytes at a time, whatever is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(7)


@pytest.mark.parametrize("ending", ["\r", "\r\n"])
def test_messages_are_the_same_however_the_file_is_read(ending: str) -> None:
    source = (ADT + DFT + ADT).replace("\r", ending).encode()
    assert list(read_batch(Trickle(source))) == list(read_batch(source))


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_of_wide_characters_gives_each_message_in_its_own_encoding(codec: str) -> None:
    assert control_ids((ADT + DFT).encode(codec)) == ["MSG1", "MSG2"]


def test_a_wide_file_that_is_damaged_or_too_large_is_a_fault() -> None:
    assert faults(ADT.encode("utf-16")[:-1]) == ["charset-mismatch"]
    assert [entry for entry in read_batch(ADT.encode("utf-16"), 100) if isinstance(entry, BatchMessage)] == []


def test_an_empty_file_holds_nothing() -> None:
    assert list(read_batch(b"")) == []


@given(st.binary(max_size=300))
def test_any_bytes_are_split_without_failing(source: bytes) -> None:
    list(read_batch(source))
    list(read_batch(b"MSH|" + source))


@pytest.mark.parametrize(
    ("lines", "cut"),
    [
        (["FHS|^~\\&", "BHS|^~\\&", ADT, "BTS|1"], ["FTS ends what FHS"]),
        (["BHS|^~\\&", ADT], ["BTS ends what BHS"]),
        (["FHS|^~\\&", "BHS|^~\\&", ADT], ["FTS ends what FHS", "BTS ends what BHS"]),
        (["FHS|^~\\&", "BHS|^~\\&", ADT, "BTS|1", "FTS|1"], []),
    ],
)
def test_an_envelope_that_nothing_ends_is_a_fault_and_its_messages_are_read(lines: list[str], cut: list[str]) -> None:
    entries = list(read_batch("\r".join(lines).encode()))
    assert 1 == sum(isinstance(each, BatchMessage) for each in entries)
    found = [each for each in entries if isinstance(each, BatchFault)]
    assert ["unfinished"] * len(cut) == [each.reason for each in found]
    assert all(sentence in each.text for sentence, each in zip(cut, found, strict=True))


def test_answers_are_written_as_a_batch_that_names_the_one_it_answers() -> None:
    asked = b"FHS|^~\\&|A|B|C|D|20260803||||F1\rBHS|^~\\&|A|B|C|D|20260803||||B7\r" + ADT.encode()
    at = datetime(2026, 8, 3, 18, tzinfo=UTC)
    answers = [b"\x0bMSH|^~\\&|1\rMSA|AA|1\r\x1c\r", b"MSH|^~\\&|2\rMSA|AR|2"]
    written = write_batch(answers, at, "R1", batch_control_id(asked))
    assert written.startswith(b"BHS|^~\\&|||||20260803180000+0000||||R1|B7\r")
    entries = list(read_batch(written))
    assert [b"MSA|AA|1", b"MSA|AR|2"] == [each.raw.splitlines()[1] for each in entries]
    assert written.endswith(b"BTS|2\r")


@pytest.mark.parametrize("beginning", [ADT.encode(), b"BHS|^~\\&", b"BHS|^~\\&|||||||||a&b", b""])
def test_a_batch_without_a_control_id_that_can_be_said_again_has_none(beginning: bytes) -> None:
    assert "" == batch_control_id(beginning)
