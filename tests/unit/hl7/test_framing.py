import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7.framing import FrameCounts, FrameDecoder, frame


def decode(*chunks: bytes, limit: int = 1000) -> tuple[list[bytes], FrameCounts]:
    decoder = FrameDecoder(limit)
    frames = [found for chunk in chunks for found in decoder.feed(chunk)]
    return frames, decoder.counts


def test_a_frame_is_taken_out_of_its_markers() -> None:
    frames, counts = decode(frame(b"MSH|one"))
    assert frames == [b"MSH|one"]
    assert counts == FrameCounts(frames=1)


@pytest.mark.fault("F41")
def test_bytes_one_at_a_time_give_the_same_frames() -> None:
    wire = frame(b"MSH|one") + frame(b"MSH|two")
    assert decode(*[bytes([octet]) for octet in wire])[0] == [b"MSH|one", b"MSH|two"]


@pytest.mark.fault("F41")
def test_eb_and_cr_may_come_apart_and_several_frames_together() -> None:
    assert decode(b"\x0bMSH|one\x1c", b"\r\x0bMSH|two\x1c\r\x0bMSH|three\x1c\r")[0] == [
        b"MSH|one",
        b"MSH|two",
        b"MSH|three",
    ]


@pytest.mark.fault("F41")
def test_noise_and_line_ends_outside_frames_are_dropped_and_counted_apart() -> None:
    frames, counts = decode(b"junk" + frame(b"MSH|one") + b"\n\r\n" + frame(b"MSH|two") + b"\nmore")
    assert frames == [b"MSH|one", b"MSH|two"]
    assert (counts.noise_bytes, counts.tail_bytes) == (8, 4)


@pytest.mark.fault("F41")
def test_a_doubled_start_is_dropped_and_counted() -> None:
    frames, counts = decode(b"\x0b" + frame(b"MSH|one"))
    assert frames == [b"MSH|one"]
    assert counts.doubled_starts == 1


@pytest.mark.fault("F41")
def test_a_frame_that_never_ended_is_given_up_when_the_next_message_begins() -> None:
    frames, counts = decode(b"\x0bMSH|lost|" + frame(b"MSH|found"))
    assert frames == [b"MSH|found"]
    assert counts.frames_never_ended == 1


@pytest.mark.fault("F41")
@pytest.mark.parametrize("ending", [b"\x1c\n", b"\x1c"])
def test_an_end_without_its_cr_is_taken_when_the_next_frame_shows_it(ending: bytes) -> None:
    frames, counts = decode(b"\x0bMSH|one" + ending + frame(b"MSH|two"))
    assert frames == [b"MSH|one", b"MSH|two"]
    assert counts.ends_without_carriage_return == 1


def test_an_end_without_its_cr_is_taken_at_the_end_of_input() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"\x0bMSH|one\x1c") == []
    assert decoder.awaits_carriage_return
    assert decoder.end_of_input() == [b"MSH|one"]
    assert not decoder.inside_frame


@pytest.mark.fault("F41")
def test_a_frame_cut_off_at_the_end_of_input_is_counted_and_never_given() -> None:
    decoder = FrameDecoder()
    decoder.feed(b"\x0bMSH|half")
    assert decoder.end_of_input() == []
    assert decoder.counts.frames_cut_off == 1


def test_eb_inside_content_is_content() -> None:
    text = "MSH|“quoted”".encode("utf-16-le")
    assert b"\x1c" in text
    assert decode(frame(text))[0] == [text]
    decoder = FrameDecoder()
    decoder.feed(b"\x0b" + text[: text.index(b"\x1c") + 1])
    assert not decoder.awaits_carriage_return


def test_a_frame_at_the_limit_passes_and_one_byte_more_stops_the_decoder() -> None:
    assert decode(frame(b"x" * 100), limit=100)[0] == [b"x" * 100]
    for chunks in (
        [frame(b"MSH" + b"x" * 98)],
        [b"\x0bMSH" + b"x" * 98, b"more"],
        [b"\x0bMSH" + b"x" * 98 + b"\x1c", b"\r"],
    ):
        decoder = FrameDecoder(100)
        assert [found for chunk in chunks for found in decoder.feed(chunk)] == []
        assert decoder.overflow is not None
        assert decoder.overflow.startswith(b"MSHx")
        assert decoder.counts.frames_too_large == 1
        assert decoder.feed(frame(b"MSH|next")) == []
        assert decoder.end_of_input() == []
        assert decoder.buffered_bytes == 0


def test_frames_before_one_over_the_limit_are_given() -> None:
    decoder = FrameDecoder(10)
    assert decoder.feed(frame(b"MSH|one") + frame(b"x" * 11)) == [b"MSH|one"]
    assert decoder.overflow is not None


WIRE = st.lists(
    st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\n", b"\x1c\r", b"\x0bMSH|", b"x", b"\x00", frame(b"MSH|a")]),
    max_size=30,
).map(b"".join)


@pytest.mark.fault("F41")
@given(WIRE, st.lists(st.integers(min_value=0, max_value=120), max_size=12), st.sampled_from([6, 20, 1000]))
def test_frames_and_counts_do_not_depend_on_how_the_bytes_are_cut(wire: bytes, cuts: list[int], limit: int) -> None:
    places = [0, *sorted(cut for cut in cuts if cut < len(wire)), len(wire)]
    whole, pieces = FrameDecoder(limit), FrameDecoder(limit)
    expected = whole.feed(wire) + whole.end_of_input()
    found = [one for start, end in itertools.pairwise(places) for one in pieces.feed(wire[start:end])]
    assert found + pieces.end_of_input() == expected
    assert pieces.counts == whole.counts
    assert pieces.overflow == whole.overflow


@given(st.lists(st.binary(min_size=1, max_size=50).filter(lambda content: not set(content) & {0x0B, 0x1C}), max_size=5))
def test_what_is_framed_is_decoded(contents: list[bytes]) -> None:
    assert decode(b"".join(map(frame, contents)))[0] == contents
