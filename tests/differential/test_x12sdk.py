"""A second judge where it has the guide: x12sdk reads every 837 and 835 written here, whole, into its models.

It checks far less than we do (no envelope, no order of segments, few lengths): only its verdict on right files counts.
Its traps: it loads a `.env` file when imported, logs segments it does not know, and needs a transaction set in memory.
"""

from __future__ import annotations

import logging

import pytest
from msgspec.structs import replace
from x12sdk.io import X12ModelReader

from clearinghouse.x12.write_835 import write_835
from tests.differential.subjects import ONE_LINE, shapes
from tests.unit.x12.examples import remittance

_CLAIMS = {name: content for name, content in shapes().items() if name.startswith("837")}


# An 837I has a billing note (NTE01 = ADD) beside its claim notes, as pyx12's map has it; x12sdk 2.2.0 knows the latter.
_BILLING_NOTE = "837 every field"


@pytest.fixture(autouse=True)
def silent() -> None:
    logging.getLogger("x12sdk").disabled = True


def models(content: bytes) -> int:
    """How many transaction sets x12sdk makes models of. Raises pydantic's ValidationError on what it finds wrong."""
    with X12ModelReader(content.decode()) as reader:
        return sum(1 for _ in reader.models())


@pytest.mark.parametrize("name", sorted({*_CLAIMS} - {_BILLING_NOTE}))
def test_x12sdk_agrees_to_every_837_written_here(name: str) -> None:
    assert models(_CLAIMS[name]) == 1


def test_x12sdk_knows_no_billing_note_and_finds_nothing_else_in_that_file() -> None:
    with pytest.raises(ValueError, match="note_reference_code"):
        models(_CLAIMS[_BILLING_NOTE])
    assert models(_CLAIMS[_BILLING_NOTE].replace(b"NTE*ADD*", b"NTE*DCP*")) == 1


def test_x12sdk_sees_a_claim_that_does_not_add_up() -> None:
    with pytest.raises(ValueError, match="Claim Amount"):
        models(_CLAIMS["837 institutional"].replace(b"*1050*", b"*1051*", 1))


def remittance_paid_by(method: str) -> bytes:
    values = remittance()
    return write_835(
        replace(values, header=replace(values.header, payment=replace(values.header.payment, method=method))), ONE_LINE
    )


@pytest.mark.parametrize("method", ["CHK", "NON"])
def test_x12sdk_agrees_to_an_835_written_here(method: str) -> None:
    assert models(remittance_paid_by(method)) == 1


def test_x12sdk_asks_an_835_paid_by_ach_for_bank_numbers_and_pyx12_does_not() -> None:
    with pytest.raises(ValueError, match="sender_dfi_qualifier"):
        models(remittance_paid_by("ACH"))
