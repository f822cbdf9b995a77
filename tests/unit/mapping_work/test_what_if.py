"""`mappings what-if` tells what edited files would make of stored encounters, changes nothing, and is right."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import run
from gateway.demo.feed import Feed
from gateway.demo.month import clinic_month
from gateway.errors import ConfigurationError
from gateway.ports.work import WorkKind
from gateway.wiring.books import Books
from gateway.wiring.ingest import Taking
from gateway.wiring.mappings import put_site_mappings
from gateway.wiring.new_site import make_site
from gateway.wiring.site import Site, open_site
from gateway.wiring.what_if import what_if

SINCE = date(2026, 8, 1)
SHIPPED = Path(str(files("mappings")))
FACILITIES, PRAIRIE = "facilities/riverbend.yaml", "services/prairie-mutual.yaml"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that took in the demo clinic's month."""
    folder = tmp_path_factory.mktemp("what-if") / "clinic"
    make_site(folder, demo=True, database="sqlite:///site.sqlite", samples={})
    site = open_site(folder)
    takings = {feed: Taking(site, feed) for feed in Feed}
    for message in clinic_month(patients=10).messages():
        takings[message.feed].take_bytes(message.content)
    site.settle()
    yield site
    site.close()


def edited(site: Site, folder: Path, path: str, before: str, after: str) -> Path:
    """A copy of the site's mapping files in which a shipped one is edited."""
    shutil.copytree(site.settings.mappings, folder, dirs_exist_ok=True)
    text = (SHIPPED / path).read_text()
    assert before in text
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text.replace(before, after))
    return folder


def dump(site: Site) -> list[str]:
    with closing(sqlite3.connect(site.store.url.removeprefix("sqlite:///"))) as connection:
        return list(connection.iterdump())


def test_a_price_would_change_every_claim_it_is_on_and_the_database_stays_as_it_was(
    clinic: Site, tmp_path: Path
) -> None:
    before = dump(clinic)
    found = what_if(clinic, SINCE, edited(clinic, tmp_path, FACILITIES, "465.00", "470.00"))
    assert before == dump(clinic)
    assert ([FACILITIES], []) == (found["files"], found["read_again"])
    (payer,) = [each for each in found["payers"] if each["payer"] == "prairie-mutual"]
    days = sum(len(each["why"]) for each in found["claims"] if each["payer"] == "prairie-mutual")
    assert payer["claims"] == payer["differs"] > 0
    assert 500 * days == payer["after_cents"] - payer["before_cents"]
    said = [why for each in found["claims"] for why in each["why"]]
    assert [] == [each for each in said if not re.search(r"x1 \$465\.00 becomes .* x1 \$470\.00$", each)]


def test_files_that_are_the_set_in_force_change_nothing(clinic: Site) -> None:
    found = what_if(clinic, SINCE, None)
    assert ([], [], []) == (found["files"], found["claims"], found["payers"])


def test_a_claim_that_nothing_would_hold_any_more_is_freed_with_its_dollars(clinic: Site, tmp_path: Path) -> None:
    text = (SHIPPED / PRAIRIE).read_text()
    assert "authorization: not-required" not in text
    found = what_if(
        clinic,
        SINCE,
        edited(clinic, tmp_path, PRAIRIE, "cadence: weekly", "authorization: not-required\n    cadence: weekly"),
    )
    freed = [each for each in found["claims"] if each["change"] == "freed"]
    assert freed
    assert any("no longer held by authorization-covers-days" in each["why"] for each in freed)
    row = next(each for each in found["payers"] if each["payer"] == "prairie-mutual")
    assert (len(freed), sum(each["after_cents"] for each in freed)) == (row["freed"], row["freed_cents"])


def test_days_before_the_one_asked_for_are_left_out(clinic: Site, tmp_path: Path) -> None:
    folder = edited(clinic, tmp_path, FACILITIES, "465.00", "470.00")
    every, late = (what_if(clinic, since, folder)["claims"] for since in (SINCE, date(2026, 8, 20)))
    assert [each for each in every if each["through_on"] >= "2026-08-20"] == late
    assert 0 < len(late) < len(every)


def test_files_that_do_not_hold_are_refused_with_every_mistake(clinic: Site, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"facilities/riverbend\.yaml:\d+:\d+: "):
        what_if(clinic, SINCE, edited(clinic, tmp_path, FACILITIES, "465.00", "470 dollars"))


def drafts(site: Site) -> dict[str, tuple[int, frozenset[str]]]:
    """Charges of each claim that would leave now, and what holds it."""
    return {
        each["id"]: (each["charge_cents"], frozenset(each["holds"]))
        for each in Books(site.store).claims()["claims"]
        if each["state"] in ("held", "ready", "released", "waiting")
    }


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("sources/riverbend-fhir.yaml", "GRP: group-psychotherapy", "GRP: meal"),
        ("sources/riverbend-hl7.yaml", "EDU: education-training", "EDU: meal"),
        (FACILITIES, "465.00", "470.00"),
    ],
)
def test_what_is_foretold_is_what_comes_once_the_files_are_put_in_force(
    tmp_path: Path, path: str, before: str, after: str
) -> None:
    folder = tmp_path / "clinic"
    make_site(folder, demo=True, database="sqlite:///site.sqlite", samples={})
    site = open_site(folder)
    takings = {feed: Taking(site, feed) for feed in Feed}
    for message in clinic_month(patients=6).messages():
        takings[message.feed].take_bytes(message.content)
    site.settle()
    was = drafts(site)
    shutil.copytree(edited(site, tmp_path / "edited", path, before, after), folder / "mappings", dirs_exist_ok=True)
    found = what_if(site, SINCE, None)
    site.close()
    put_site_mappings(folder, "kim")
    site = open_site(folder)
    read_everything_again(site)
    now = drafts(site)
    site.close()
    told = {each["claim"]: each for each in found["claims"]}
    assert told
    assert [] == [each for each in {*was, *now} if was.get(each) != now.get(each) and each not in told]
    for claim, each in told.items():
        charge, holds = now.get(claim, (0, frozenset()))
        assert each["after_cents"] == charge
        assert {"held": True, "freed": False}.get(each["change"], bool(holds)) == bool(holds)


def test_a_visit_that_no_definition_fitted_is_billed_once_one_is_put_in_force(tmp_path: Path) -> None:
    """Nothing of it was on a claim, and still the new files are asked about it."""
    folder = tmp_path / "clinic"
    make_site(folder, demo=True, database="sqlite:///site.sqlite", samples={})
    for each in SHIPPED.glob("services/*.yaml"):
        (folder / "mappings" / "services" / each.name).write_text("# none yet\n")
    site = open_site(folder)
    for message in clinic_month(patients=2).messages():
        takings = Taking(site, message.feed)
        takings.take_bytes(message.content)
    site.settle()
    assert {} == drafts(site)
    for each in (folder / "mappings" / "services").iterdir():
        each.unlink()
    told = {each["claim"] for each in what_if(site, SINCE, None)["claims"]}
    site.close()
    put_site_mappings(folder, "kim")
    site = open_site(folder)
    site.settle()
    assert told == set(drafts(site)) != set()
    site.close()


def read_everything_again(site: Site) -> None:
    """As an integration engineer would have it done after the edit, for every message."""
    with site.store.write() as tx:
        for message, _ in tx.inbox.messages("riverbend-hl7"):
            tx.work.add(WorkKind.INTERPRET_MESSAGE, [message.id])
        tx.work.add(
            WorkKind.INTERPRET_RESOURCE,
            [f"riverbend-fhir {each}" for each in tx.resources.references("riverbend-fhir")],
        )
    site.settle()


def test_the_command_says_what_would_change_by_payer(
    clinic: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = edited(clinic, tmp_path, FACILITIES, "465.00", "470.00")
    words = ["mappings", "what-if", "--since", "2026-08-01", "--with", str(folder)]
    site = ["--site", str(clinic.settings.folder)]
    assert run([*words, *site, "--json"]) == 1
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert run([*words, *site]) == 1
    said = capsys.readouterr().out
    assert f"{len(found['claims'])} claims would change" in said
    assert "Nothing was changed." in said
    assert run(["mappings", "what-if", "--since", "2027-01-01", "--with", str(folder), *site]) == 0
