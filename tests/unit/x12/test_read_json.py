"""Any file as JSON and back: the same bytes, whatever stands in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearinghouse.x12.acknowledgement_999 import write_999
from clearinghouse.x12.overview import overview
from clearinghouse.x12.read_json import rewrites_same
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
from tests.unit.x12.json_files import read_json, write_json

FILES = [
    write_837(dependent_transaction(), ENVELOPE),
    write_835(remittance(), ENVELOPE),
    write_277ca(status_transaction(), ENVELOPE),
    write_999(acknowledgement(), ENVELOPE),
]


def there_and_back(content: bytes) -> bytes:
    return write_json(read_json(content))


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


def test_a_set_without_its_end_ends_where_the_next_begins() -> None:
    before, _, after = FILES[1].partition(b"~\nSE*")
    unfinished = before + b"~\n" + after.partition(b"~\n")[2]
    (interchange,) = read_json(unfinished)["interchanges"]
    (group,) = interchange["groups"]
    (transaction,) = group["transactions"]
    segments = interchange["segments"]
    assert [segments[transaction[key]][0] for key in ("first_segment", "last_segment")] == ["ST", "PLB"]
    assert segments[group["last_segment"]][0] == "GE"
    assert transaction["error"] == "The transaction set has no SE segment."
    assert len(transaction["claims"]) == len(remittance().claims)


def test_an_overview_counts_all_claims_and_gives_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.835"
    path.write_bytes(FILES[1])
    whole = read_json(path)["interchanges"][0]["groups"][0]["transactions"][0]
    found = overview(path, "a.835", 1)["interchanges"][0]["groups"][0]["transactions"][0]
    assert found["claims"] == whole["claims"][:1]
    assert found["claim_count"] == len(whole["claims"]) > 1
    assert {key: found[key] for key in found if key not in ("claims", "claim_count")}.items() <= whole.items()


def test_a_file_is_proved_from_what_its_json_keeps(tmp_path: Path) -> None:
    path = tmp_path / "a.837"
    for content in (*FILES, b"\xff noise" + FILES[0].replace(b"~\n", b"~\r\n", 7) + FILES[2][:300], b""):
        path.write_bytes(content)
        assert rewrites_same(path)


def test_a_file_is_read_from_disk_and_a_file_without_interchange_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.835"
    path.write_bytes(FILES[1])
    assert read_json(path, str(path))["readable"] is True
    path.write_bytes(b"nothing")
    found = read_json(path, str(path))
    assert (found["readable"], found["error"]) == (False, "No X12 interchange could be read.")
    assert write_json(found) == b"nothing"


def test_an_835_with_an_unreadable_amount_keeps_its_segments_and_says_why() -> None:
    content = FILES[1].replace(b"CLP*PCN0000000001*1*700*", b"CLP*PCN0000000001*1*7X0*")
    (interchange,) = read_json(content)["interchanges"]
    (transaction,) = interchange["groups"][0]["transactions"]
    assert transaction["balanced"] is False
    assert "CLP03" in transaction["error"]
    assert there_and_back(content) == content
