"""Bytes to interchanges: nothing is lost, delimiters are read at every ISA, noise is named."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.x12.tokens import Body, Cut, Header, Noise, read_header, read_pieces, read_segments, segments_of

GOLDEN = Path(__file__).parent / "golden"
SAMPLE = (GOLDEN / "837i-commercial-iop.edi").read_bytes()
PIPED = SAMPLE.replace(b"*", b"|").replace(b":", b">").replace(b"^", b"!").replace(b"~\n", b"'")


def joined(content: bytes, chunk_bytes: int = 1 << 18) -> bytes:
    return "".join(piece.text for piece in read_pieces(content, chunk_bytes)).encode("latin-1")


@given(st.binary(max_size=400), st.integers(1, 50))
def test_the_pieces_of_any_bytes_joined_are_those_bytes(content: bytes, chunk_bytes: int) -> None:
    assert joined(content, chunk_bytes) == content


@given(
    st.lists(st.sampled_from([SAMPLE, PIPED, SAMPLE[:300], b"noise", b"\r\n", b"ISA*short", b"IEA*1*1~"]), max_size=5)
)
def test_any_mixture_of_interchanges_and_noise_loses_no_byte(parts: list[bytes]) -> None:
    content = b"".join(parts)
    assert joined(content, 64) == content


@pytest.mark.parametrize("chunk_bytes", [1, 7, 105, 106, 107, 1000, 1 << 18])
def test_segments_do_not_depend_on_how_the_file_is_cut_into_chunks(chunk_bytes: int) -> None:
    found = [
        segment
        for piece in read_pieces(SAMPLE, chunk_bytes)
        if isinstance(piece, Body)
        for segment in segments_of(piece)
    ]
    assert len(found) == 44
    assert found[0].startswith("GS*HC*")
    assert found[-1] == "IEA*1*000000101"


def test_delimiters_are_read_again_at_every_interchange() -> None:
    headers = [piece for piece in read_pieces(SAMPLE + PIPED) if isinstance(piece, Header)]
    assert [(header.delimiters.element, header.delimiters.segment) for header in headers] == [("*", "~"), ("|", "'")]
    names = [values[0] for _, values in read_segments(SAMPLE + PIPED)]
    assert names.count("CLM") == 2


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"\r", b"  \n"])
def test_any_line_ending_after_the_terminator_gives_the_same_segments(ending: bytes) -> None:
    content = SAMPLE.replace(b"~\n", b"~" + ending)
    assert [values for _, values in read_segments(content)] == [values for _, values in read_segments(SAMPLE)]


@pytest.mark.parametrize("terminator", [b"\n", b"\r\n"])
def test_a_line_end_may_itself_be_the_segment_terminator(terminator: bytes) -> None:
    content = SAMPLE.replace(b"~\n", terminator)
    assert [values for _, values in read_segments(content)][1:] == [values for _, values in read_segments(SAMPLE)][1:]
    assert joined(content) == content


def test_text_before_between_and_after_interchanges_is_reported_as_noise() -> None:
    noise = [piece for piece in read_pieces(b"HELLO\n" + SAMPLE + b"BYE") if isinstance(piece, Noise) and piece.reason]
    assert [piece.text.strip() for piece in noise] == ["HELLO", "BYE"]


def test_an_interchange_cut_inside_a_segment_ends_in_a_cut() -> None:
    pieces = [*read_pieces(SAMPLE[:700])]
    assert isinstance(pieces[-1], Cut)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((b"ISA*00*          *", b"ISA*00*         *"), "ISA02 is 9 characters wide"),
        ((b"*ZZ*SUBMITTERID    *", b"*ZZ*SUBMITTERID     *"), "ISA06 is 16 characters wide"),
        ((b"*T*:~", b"*T*A~"), "distinct punctuation"),
        ((b"*T*:~", b"*T**~"), "separator"),
        ((b"ISA*", b"ISAX"), "element separator"),
    ],
)
def test_an_isa_that_is_not_strictly_shaped_is_refused_with_its_reason(
    change: tuple[bytes, bytes], reason: str
) -> None:
    content = SAMPLE.replace(*change, 1)
    first = next(iter(read_pieces(content)))
    assert isinstance(first, Noise)
    assert reason in first.reason


def test_an_alphanumeric_repetition_separator_is_stood_in_for_and_complained_of() -> None:
    header = read_header(SAMPLE.replace(b"*^*", b"*U*")[:106].decode())
    assert isinstance(header, Header)
    assert "ISA11" in header.complaint


def test_an_isa_without_the_iea_before_it_starts_a_new_interchange() -> None:
    without = SAMPLE.replace(b"IEA*1*000000101~\n", b"")
    assert sum(isinstance(piece, Header) for piece in read_pieces(without + SAMPLE)) == 2


def test_a_stream_is_read_like_bytes() -> None:
    assert [*read_segments(io.BytesIO(SAMPLE))] == [*read_segments(SAMPLE)]
