"""Any file as JSON and back: the same bytes, whatever stands in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearinghouse.x12.acknowledgement_999 import write_999
from clearinghouse.x12.read_json import read_file_json, read_json, write_json
from clearinghouse.x12.write_277ca import write_277ca
from clearinghouse.x12.write_835 import write_835
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import (
    ENVELOPE,
    acknowledgement,
    dependent_transaction,
    remittance,
    status_transaction,
)

FILES = [
    write_837(dependent_transaction(), ENVELOPE),
    write_835(remittance(), ENVELOPE),
    write_277ca(status_transaction(), ENVELOPE),
    write_999(acknowledgement(), ENVELOPE),
]


def there_and_back(content: bytes) -> bytes:
    return write_json(json.loads(json.dumps(read_json(content))))


@pytest.mark.parametrize("content", FILES)
@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"  \n"])
def test_a_file_survives_json_whatever_its_line_ends(content: bytes, ending: bytes) -> None:
    changed = content.replace(b"~\n", b"~" + ending)
    assert there_and_back(changed) == changed


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*FILES, FILES[0][:500], b"noise\xff", b"\r\n", b"~~", b"ISA*"]), max_size=4))
def test_any_mixture_survives_json(parts: list[bytes]) -> None:
    content = b"".join(parts)
    assert there_and_back(content) == content


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_survive_json(content: bytes) -> None:
    assert there_and_back(content) == content


def test_transactions_point_into_the_segments_of_their_interchange() -> None:
    (interchange,) = read_json(FILES[0])["interchanges"]
    (group,) = interchange["groups"]
    (transaction,) = group["transactions"]
    segments = interchange["segments"]
    assert segments[group["first_segment"]][0] == "GS"
    assert segments[group["last_segment"]][0] == "GE"
    assert segments[transaction["first_segment"]][:2] == ["ST", "837"]
    assert segments[transaction["last_segment"]][0] == "SE"
    assert transaction["type"] == "837I"
    assert ["CLM", "PCN0000000001", "1050", "", "", ["13", "A", "2"], "", "A", "Y", "Y"] in segments


def test_a_file_is_read_from_disk_and_a_file_without_interchange_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.835"
    path.write_bytes(FILES[1])
    assert read_file_json(path)["readable"] is True
    path.write_bytes(b"nothing")
    found = read_file_json(path)
    assert (found["readable"], found["error"]) == (False, "No X12 interchange could be read.")
    assert write_json(found) == b"nothing"


def test_an_835_with_an_unreadable_amount_keeps_its_segments_and_says_why() -> None:
    content = FILES[1].replace(b"CLP*PCN0000000001*1*700*", b"CLP*PCN0000000001*1*7X0*")
    (interchange,) = read_json(content)["interchanges"]
    (transaction,) = interchange["groups"][0]["transactions"]
    assert transaction["balanced"] is False
    assert "CLP03" in transaction["error"]
    assert there_and_back(content) == content
