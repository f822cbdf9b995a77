"""Attendance sheets taken in at a site whose only feed they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.attendance_sheet import attendance_sheet
from gateway.pipeline.doctor import examine
from gateway.wiring.ingest import Taking, ingest_paths
from gateway.wiring.new_site import make_site
from gateway.wiring.site import Site, open_site

SOURCE = "generic-csv"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    make_site(tmp_path / "clinic", demo=True, database="sqlite:///clinic.sqlite", samples={})
    opened = open_site(tmp_path / "clinic")
    yield opened
    opened.close()


def take(site: Site, content: bytes, *, strict: bool = False) -> dict[str, Any]:
    taking = Taking(site, SOURCE, strict=strict)
    taking.take_bytes(content)
    return taking.finish()


def changed(before: str, after: str, times: int = 1) -> bytes:
    text = attendance_sheet().decode()
    assert before in text
    return text.replace(before, after, times).encode()


def claims(site: Site) -> list[tuple[str, int]]:
    with site.store.read() as tx:
        rows = list(tx.claims.search())
        drafts = tx.claims.drafts([row.id for row in rows])
        return [(str(row.state), drafts[row.id].claim.charge_cents) for row in rows]


def test_a_sheet_alone_makes_a_claim_that_may_leave(site: Site) -> None:
    found = take(site, attendance_sheet())
    assert {"files": 1, "messages": 9, "stored": 9, "duplicate": 0, "refused": 0, "encounters": 9, "findings": 0} == (
        found["totals"]
    )
    assert [("released", 93_000)] == claims(site)
    assert all(check.ok for check in examine(site.store, site.policy, site.exchanges))


def test_the_same_file_again_is_known_and_a_later_one_that_says_the_same_changes_nothing(site: Site) -> None:
    take(site, attendance_sheet())
    assert 9 == take(site, attendance_sheet())["totals"]["duplicate"]
    assert 9 == take(site, attendance_sheet() + b"\r\n")["totals"]["stored"]
    assert [("released", 93_000)] == claims(site)


def test_a_correction_taken_back_by_a_later_file_holds(site: Site) -> None:
    evening = "8/5/2026,{},Group therapy,Attended"
    missed = changed(evening.format("7:00 PM,8:00 PM"), evening.format("7:00 PM,8:00 PM").replace("Attended", "Absent"))
    take(site, attendance_sheet())
    take(site, missed)
    assert 93_000 != claims(site)[0][1]
    take(site, attendance_sheet() + b"\r\n")
    assert [("released", 93_000)] == claims(site)


def test_a_wrong_row_is_told_by_line_and_column_and_the_good_ones_are_kept(site: Site) -> None:
    found = take(site, changed("8/5/2026,5:00 PM", "8/5/26,5:00 PM"))
    wrong = [each for each in found["messages"] if each["findings"]]
    assert ["line 5"] == [each["type"] for each in wrong]
    assert "Date" in wrong[0]["findings"][0]["place"]
    assert "four digits" in wrong[0]["findings"][0]["message"]
    assert 8 == found["totals"]["encounters"]


def test_strictly_nothing_of_a_file_with_a_wrong_row_is_taken(site: Site) -> None:
    found = take(site, changed("8/5/2026,5:00 PM", "8/5/26,5:00 PM"), strict=True)
    assert ["refused"] == [each["outcome"] for each in found["messages"]]
    assert (5, "line 5") == (found["messages"][0]["index"], found["messages"][0]["type"])
    assert [] == claims(site)
    assert 9 == take(site, attendance_sheet(), strict=True)["totals"]["stored"]


def test_a_file_without_a_column_that_is_read_is_refused_with_every_one(site: Site) -> None:
    found = take(site, changed("Status,", "Attendance,").replace(b"Start,", b"Begin,"))
    (message,) = found["messages"]
    assert "refused" == message["outcome"]
    assert "'Status'" in message["reason"]
    assert "'Start'" in message["reason"]
    assert "sources/generic-csv.yaml:" in message["reason"]


def test_the_minutes_of_a_session_stand_for_its_end_and_a_file_with_neither_is_refused(site: Site) -> None:
    text = attendance_sheet().decode().replace(",Start,End,", ",Start,Minutes,")
    minutes = re.sub(r"(,\d{1,2}:\d\d [AP]M),\d{1,2}:\d\d [AP]M,", r"\1,60,", text)
    found = take(site, minutes.replace(",Minutes,", ",Ended,").encode())
    assert "no column is called 'End' or 'Minutes'" in found["messages"][0]["reason"]
    assert (9, 0) == ((totals := take(site, minutes.encode())["totals"])["stored"], totals["findings"])
    assert [("released", 93_000)] == claims(site)


def test_a_file_with_a_title_above_its_headings_is_refused_in_one_sentence(site: Site) -> None:
    found = take(site, b"Attendance register August 2026\n" + attendance_sheet().removeprefix(b"\xef\xbb\xbf"))
    (message,) = found["messages"]
    assert "none of the columns that are read is here: 'Member ID'" in message["reason"]
    assert "above the headings" in message["reason"]
    assert 1 == message["reason"].count("'Client ID'")


def test_two_rows_that_tell_one_session_otherwise_are_told(site: Site) -> None:
    lines = attendance_sheet().splitlines(keepends=True)
    twin = lines[1].replace(b"Attended", b"Absent")
    found = take(site, b"".join([*lines, twin]))
    (finding,) = found["messages"][-1]["findings"]
    assert "line 2 tells of the same session" in finding["message"]


def test_rows_that_cannot_be_rows_are_kept_and_refused(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "week.csv"
    path.write_bytes(attendance_sheet() + b'"x"y\r\n')
    found = ingest_paths(site, SOURCE, [path], lambda _: None)
    assert ("line 11", "refused") == (found["messages"][-1]["type"], found["messages"][-1]["outcome"])
    with site.store.read() as tx:
        (kept,) = [each for each, _ in tx.inbox.messages(SOURCE, failed_only=True)]
        assert tx.inbox.content(kept.sha256).endswith(b'"x"y\r\n')
