"""Hostile input, cut anywhere, any byte changed, any bytes at all: findings, never a crash or a wrong amount."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearinghouse.x12.acknowledgement_999 import read_999, write_999
from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.decoding import X12FormatError
from clearinghouse.x12.interchange_ta1 import read_ta1
from clearinghouse.x12.read_277ca import read_277ca
from clearinghouse.x12.read_835 import balance_of, read_835
from clearinghouse.x12.read_837 import read_837
from clearinghouse.x12.write_277ca import write_277ca
from clearinghouse.x12.write_835 import write_835
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import (
    ENVELOPE,
    acknowledgement,
    dependent_transaction,
    professional_transaction,
    remittance,
    status_transaction,
)
from tests.unit.x12.json_files import read_json, write_json

FILES = {
    "837I": write_837(dependent_transaction(), ENVELOPE),
    "837P": write_837(professional_transaction(), ENVELOPE),
    "835": write_835(remittance(), ENVELOPE),
    "277CA": write_277ca(status_transaction(), ENVELOPE),
    "999": write_999(acknowledgement(), ENVELOPE),
}
READERS: tuple[Callable[[bytes], Any], ...] = (read_835, read_837, read_277ca, read_999, read_ta1)


def survive(content: bytes) -> None:
    """Everything that takes bytes takes these, and nothing but X12FormatError comes out."""
    check_bytes(content).as_json()
    assert write_json(read_json(content)) == content
    for reader in READERS:
        try:
            reader(content)
        except X12FormatError:
            continue


@pytest.mark.fault("F30")
@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_file_cut_at_any_segment_is_found_wrong(content: bytes) -> None:
    for at in range(len(content) - 1):
        if content[at : at + 1] == b"~" and at < len(content) - 2:
            cut = content[: at + 1]
            survive(cut)
            assert [*check_bytes(cut).all_findings()]


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_byte_never_crashes(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255))
    survive(content[:at] + bytes([byte]) + content[at + 1 :])


@pytest.mark.fault("F30")
def test_a_flipped_bit_in_an_835_never_changes_a_balanced_amount_unseen() -> None:
    content = FILES["835"]
    meant = remittance()
    amounts = _amounts(meant)
    for at in range(len(content)):
        for bit in (0, 3, 6):
            flipped = content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]
            try:
                found = read_835(flipped)
            except X12FormatError:
                continue
            if len(found) == 1 and not balance_of(found[0]) and _amounts(found[0]) != amounts:
                assert [*check_bytes(flipped).all_findings()], f"byte {at} bit {bit}"


def _amounts(values: Any) -> list[Any]:
    return [
        values.header.payment.cents,
        [(claim.charge_cents, claim.paid_cents, [line.paid_cents for line in claim.lines]) for claim in values.claims],
    ]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_are_survived(content: bytes) -> None:
    survive(content)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(FILES["837I"].split(b"~\n") + FILES["835"].split(b"~\n")), max_size=40))
def test_any_order_of_segments_after_an_isa_is_survived(segments: list[bytes]) -> None:
    survive(b"~\n".join([FILES["837I"].split(b"~\n")[0], *segments, b""]))


def test_a_segment_of_many_megabytes_is_no_reason_to_hang() -> None:
    content = FILES["835"]
    survive(content[:200] + b"A" * 3_000_000 + content[200:])
