"""A preview says what taking a message in would say afterwards, and leaves nothing behind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from gateway.cli import run
from gateway.demo.feed import Feed
from gateway.demo.month import clinic_month
from gateway.errors import FormatError, NotFound
from gateway.wiring.desk import Desk
from gateway.wiring.ingest import Taking
from gateway.wiring.new_site import make_site
from gateway.wiring.preview import preview
from gateway.wiring.site import Site, open_site

MONTH = [(each.feed, each.content) for each, _ in zip(clinic_month(patients=24).messages(), range(120), strict=False)]
LAST = {feed: max(place for place, (of, _) in enumerate(MONTH) if of == feed) for feed in Feed}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that took in all of the messages but the last of each feed."""
    folder = tmp_path_factory.mktemp("preview") / "clinic"
    make_site(folder, demo=True, database="sqlite:///site.sqlite", samples={})
    opened = open_site(folder)
    takings = {feed: Taking(opened, feed) for feed in Feed}
    for place, (feed, content) in enumerate(MONTH):
        if place != LAST[feed]:
            takings[feed].take_bytes(content)
    opened.settle()
    yield opened
    opened.close()


def rows(site: Site) -> dict[str, int]:
    """How many rows each table of the site has."""
    engine = create_engine(site.store.url)
    with engine.connect() as connection:
        names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        counted = {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in names}
    engine.dispose()
    return counted


def take(site: Site, feed: Feed, content: bytes) -> dict[str, Any]:
    taking = Taking(site, feed)
    taking.take_bytes(content)
    return taking.finish()


@pytest.mark.parametrize("feed", Feed)
def test_what_is_previewed_is_what_comes_of_it_and_is_not_there_before(site: Site, feed: Feed) -> None:
    content = MONTH[LAST[feed]][1]
    before = rows(site)
    shown = preview(site, feed, content)
    assert before == rows(site)
    assert shown["encounters"]
    taken = take(site, feed, content)
    assert [each["encounters"] for each in taken["messages"]] == [each["encounters"] for each in shown["messages"]]
    desk = Desk(site, site.settle)
    for claim in shown["claims"]:
        why = desk.why(claim["id"])
        assert _without_message_ids(why["findings"]) == _without_message_ids(claim["findings"])
        assert _without_message_ids(why["lines"]) == _without_message_ids(claim["lines"])


def _without_message_ids(shown: object) -> str:
    """A message gets its id when it is stored; that of the preview was never there."""
    return re.sub(r'"message_id": "\w+"', "", json.dumps(shown))


def test_a_message_taken_before_shows_its_claims_as_they_are(site: Site) -> None:
    feed, content = next((of, each) for of, each in MONTH[:60] if preview(site, of, each)["claims"])
    shown = preview(site, feed, content)
    assert {"duplicate"} == {each["outcome"] for each in shown["messages"]}
    desk = Desk(site, site.settle)
    assert [desk.why(each["id"])["findings"] for each in shown["claims"]] == [
        each["findings"] for each in shown["claims"]
    ]


A_STAY = {
    "records": [
        {"kind": "patient", "identifiers": [{"namespace": "desk", "value": "P1"}],
         "name": {"family": "EXAMPLE", "given": "ADA"}, "birth_on": "1980-01-01", "sex": "F"},
        {"kind": "encounter", "identifiers": [{"namespace": "visit", "value": "V1"}],
         "patient": {"namespace": "desk", "value": "P1"}, "facility": "riverbend-main", "program": "riverbend-mh",
         "level_of_care": "IOP", "session": "group-psychotherapy", "status": "attended",
         "start_at": "2026-08-03T14:00:00Z", "end_at": "2026-08-03T15:00:00Z", "note_signed": False},
    ]
}  # fmt: skip


A_VISIT = A_STAY["records"][-1]


def test_records_in_our_own_words_are_previewed_too(site: Site) -> None:
    before = rows(site)
    shown = preview(site, Feed.FHIR, json.dumps(A_STAY).encode())
    (encounter,) = shown["encounters"]
    assert encounter["encounter_id"] in shown["messages"][0]["encounters"]
    assert encounter["findings"], "nothing says who pays for this visit"
    assert before == rows(site)


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{"kind": "cat"}], "records[0]: a record is an object whose kind is one of patient, coverage, episode"),
        ([{"kind": "patient", "identifiers": [], "colour": "red"}], "records[0]: patient has no field 'colour'"),
        ([{"kind": "patient"}, 7], "records[1]: a record is an object"),
        ([{"kind": ["patient"]}], "records[0]: a record is an object"),
        ([{**A_VISIT, "start_at": "2026-08-03T14:00:00"}], "records[0]: start_at has no offset; write 2026-08-03T09"),
        ([{**A_VISIT, "end_at": "9999-12-31T23:59:59-12:00"}], "records[0]: end_at does not lie between 1900-01-01"),
        ([{**A_VISIT, "status": "Thornbury"}], "records[0]: Invalid enum value - at `$.status`"),
        ([], "records is no list with a record in it"),
        ([{**A_VISIT, "facility": "\ud800"}], "records[0]: holds a control character or half a character"),
        ([{**A_VISIT, "patient": {"namespace": "desk", "value": "P\x00"}}], "records[0]: holds a control character"),
        ([7] * 150, "; and 50 records more"),
        (7, "records is no list with a record in it"),
    ],
)
def test_a_record_that_is_wrong_is_told_with_its_place(site: Site, records: Any, said: str) -> None:
    with pytest.raises(FormatError) as refused:
        preview(site, Feed.FHIR, json.dumps({"records": records}).encode())
    assert said in str(refused.value)
    assert "Thornbury" not in str(refused.value)


def test_a_source_there_is_not_is_named_with_those_there_are(site: Site) -> None:
    with pytest.raises(NotFound, match=r"site\.yaml has no source 'nobody'; it has riverbend-"):
        preview(site, "nobody", b"MSH|")


def test_the_command_says_what_would_hold_the_claim(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed, content = next((of, each) for of, each in MONTH[:60] if preview(site, of, each)["claims"])
    file = tmp_path / "message"
    file.write_bytes(content)
    run(["preview", str(file), "--source", str(feed), "--site", str(site.settings.folder)])
    said = capsys.readouterr().out
    assert "Claim " in said
    assert "Nothing of this was stored." in said


def test_an_837_is_judged_as_the_check_of_its_file_would_and_needs_no_source(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(__file__).parents[2] / "examples/synthetic-commercial-mh-iop/out.837"
    before = rows(site)
    (shown,) = preview(site, "", path.read_bytes())["files"]
    assert before == rows(site)
    run(["check", str(path), "--gate", "--site", str(site.settings.folder), "--json"])
    (checked,) = json.loads(capsys.readouterr().out)["files"]
    assert {**checked, "path": ""} == json.loads(json.dumps(shown))
    (claim, *_) = shown["gate"]["claims"]
    assert [line["hcpcs"] for line in claim["lines"]] == ["S9480"] * len(claim["lines"])
