"""Files dropped into a watched folder: settled, taken, moved; killed at the worst moment, taken once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.hl7.batch import BatchMessage, read_batch
from gateway.config import DropSettings
from gateway.demo.attendance_sheet import attendance_sheet
from gateway.errors import Unavailable
from gateway.wiring.drop_folders import DropFolder, Taking
from gateway.wiring.site import Site

SETTLE_S = 5
ADT = (
    "MSH|^~\\&|EHR|CLINIC|GW|HUB|20260803080000||ADT^A01^ADT_A01|{id}|P|2.5.1\r"
    "PID|1||1001^^^CLINIC^MR||RIVERA^ANA||19800502|F\rPV1|1|R|||||||||||||||||V77\r"
)


class Watched:
    """One folder, and a clock that stands still until it is moved."""

    def __init__(self, site: Site, source: str) -> None:
        self.at = 0.0
        self.folder = site.settings.folder / "drop"
        settings = DropSettings(folder="drop", settle_s=SETTLE_S)
        self._drop = DropFolder(site, source, settings, lambda: self.at)
        self._drop.run()

    def drop(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def run(self) -> int:
        """A pass that sees what is there, and one after it has settled."""
        taken = self._drop.run()
        self.at += SETTLE_S
        return taken + self._drop.run()

    def pass_once(self) -> int:
        return self._drop.run()

    def lying(self, name: str = "") -> list[str]:
        return sorted(each.name for each in (self.folder / name).iterdir() if each.is_file())


@pytest.fixture
def sheets(site: Site) -> Watched:
    return Watched(site, "generic-csv")


@pytest.fixture
def messages(site: Site) -> Watched:
    return Watched(site, "generic-hl7")


def stored(site: Site) -> int:
    with site.store.read() as tx:
        return sum(1 for _ in tx.inbox.messages())


def test_a_file_that_settled_is_taken_and_moved(site: Site, sheets: Watched) -> None:
    sheets.drop("week.csv", attendance_sheet())
    assert 1 == sheets.run()
    assert ([], ["week.csv"], []) == (sheets.lying(), sheets.lying("done"), sheets.lying("failed"))
    assert 9 == stored(site)
    assert 0 == sheets.run()


def test_a_file_that_grows_waits_until_it_is_whole(site: Site, sheets: Watched) -> None:
    whole = attendance_sheet()
    sheets.drop("week.csv", whole[:900])
    sheets.pass_once()
    sheets.at += SETTLE_S - 1
    sheets.drop("week.csv", whole)
    assert 0 == sheets.pass_once()
    sheets.at += SETTLE_S - 1
    assert (0, 0) == (sheets.pass_once(), stored(site))
    sheets.at += 1
    assert (1, 9) == (sheets.pass_once(), stored(site))


def test_unfinished_names_hidden_files_folders_and_links_are_left_alone(sheets: Watched, tmp_path: Path) -> None:
    for name in ("week.csv.part", "week.tmp", ".week.csv"):
        sheets.drop(name, attendance_sheet())
    (tmp_path / "elsewhere.csv").write_bytes(attendance_sheet())
    (sheets.folder / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    (sheets.folder / "folder.csv").mkdir()
    assert 0 == sheets.run()


def test_a_file_with_something_refused_fails_with_every_reason_and_the_rest_is_taken(
    site: Site, messages: Watched
) -> None:
    bad = ADT.format(id="2").replace("|2.5.1", "|7")
    messages.drop("night.hl7", ("BHS|^~\\&|||||||||B7\r" + ADT.format(id="1") + bad + "BTS|3\r").encode())
    assert 1 == messages.run()
    assert ["night.hl7", "night.hl7.why.json"] == messages.lying("failed")
    reasons = json.loads((messages.folder / "failed" / "night.hl7.why.json").read_text())["refused"]
    assert ["MSH-12 is not a version 2 of HL7", "BTS-1 does not agree with the 2 found"] == [
        each["reason"] for each in reasons
    ]
    assert 2 == stored(site)


def test_the_messages_of_a_batch_are_answered_in_one_batch(messages: Watched) -> None:
    body = "".join(ADT.format(id=number) for number in (1, 2))
    messages.drop("night.hl7", f"BHS|^~\\&|||||||||B7\r{body}BTS|2\r".encode())
    messages.run()
    written = (messages.folder / "answers" / "night.hl7.ack").read_bytes()
    assert written.splitlines()[0].endswith(b"|B7")
    answers = [each.raw for each in read_batch(written) if isinstance(each, BatchMessage)]
    assert [b"MSA|AA|1", b"MSA|AA|2"] == [each.splitlines()[1][:8] for each in answers]


def test_a_second_file_of_the_same_name_keeps_both(sheets: Watched) -> None:
    for content in (attendance_sheet(), attendance_sheet() + b"\r\n"):
        sheets.drop("week.csv", content)
        sheets.run()
    assert ["week.2.csv", "week.csv"] == sheets.lying("done")


def written(messages: Watched, *, name: str, content: str, by_rename: bool) -> None:
    """What an EHR does that writes the file of the day under one name, or goes on writing to it."""
    if by_rename:
        (messages.folder / "new.tmp").write_bytes(content.encode())
        (messages.folder / "new.tmp").rename(messages.folder / name)
    else:
        with next(each for each in messages.folder.rglob(name) if each.is_file()).open("ab") as stream:
            stream.write(content.encode())


@pytest.mark.parametrize("by_rename", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_a_file_that_is_replaced_or_goes_on_while_it_is_read_loses_nothing(
    site: Site, messages: Watched, monkeypatch: pytest.MonkeyPatch, *, by_rename: bool, first: bool
) -> None:
    take = Taking.take_file

    def meanwhile(taking: Taking, path: Path) -> None:
        if not first:
            take(taking, path)
        written(messages, name="adt.hl7", content=ADT.format(id="2"), by_rename=by_rename)
        if first:
            take(taking, path)

    messages.drop("adt.hl7", ADT.format(id="1").encode())
    with monkeypatch.context() as patch:
        patch.setattr(Taking, "take_file", meanwhile)
        messages.run()
    messages.run()
    assert 2 == stored(site)
    assert ([], [], []) == (messages.lying(), messages.lying("taking"), messages.lying("failed"))


def test_a_link_that_takes_the_place_of_a_file_is_not_read(site: Site, messages: Watched, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.hl7").write_bytes(ADT.format(id="9").encode())
    messages.drop("adt.hl7", ADT.format(id="1").encode())
    set_aside = messages._drop._set_aside

    def after_the_look(path: Path) -> Path:
        path.unlink()
        path.symlink_to(tmp_path / "elsewhere.hl7")
        return set_aside(path)

    messages._drop._set_aside = after_the_look  # type: ignore[method-assign]
    messages.run()
    messages.run()
    assert 0 == stored(site)


def test_what_is_written_about_a_file_is_never_written_over(messages: Watched) -> None:
    for number in (1, 2):
        bad = ADT.format(id=f"{number}b").replace("|2.5.1", "|7")
        messages.drop("night.hl7", (ADT.format(id=number) + bad).encode())
        messages.run()
    assert ["night.2.hl7", "night.2.hl7.why.json", "night.hl7", "night.hl7.why.json"] == messages.lying("failed")
    assert ["night.2.hl7.ack", "night.hl7.ack"] == messages.lying("answers")


def test_a_sheet_that_no_memory_should_hold_is_refused_and_told(sheets: Watched) -> None:
    with (sheets.folder / "year.csv").open("wb") as stream:
        stream.truncate(33 * 1024 * 1024)
    sheets.run()
    assert "larger than 32 MB; split it" in (sheets.folder / "failed" / "year.csv.why.json").read_text()


def test_a_batch_of_which_one_entry_is_refused_fails_with_why(site: Site) -> None:
    visit = {"resourceType": "Encounter", "id": "e1", "status": "nonsense", "class": {"code": "AMB"}}
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in ({"resourceType": "Patient", "id": "p1", "gender": "female"}, visit)
    ]
    bundles = Watched(site, "generic-fhir")
    bundles.drop("day.json", json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}).encode())
    bundles.run()
    assert ["day.json", "day.json.why.json"] == bundles.lying("failed")
    assert "resource.status is not a code" in (bundles.folder / "failed" / "day.json.why.json").read_text()
    with site.store.read() as tx:
        assert ["Patient/p1"] == list(tx.resources.references("generic-fhir"))


def test_a_name_as_long_as_any_keeps_no_other_file_waiting(site: Site, messages: Watched) -> None:
    messages.drop("ä" * 125 + ".hl7", ADT.format(id="1").replace("|2.5.1", "|7").encode())
    messages.drop("short.hl7", ADT.format(id="2").encode())
    assert 2 == messages.run()
    (name, reasons) = messages.lying("failed")
    assert f"{name}.why.json" == reasons
    assert ["short.hl7"] == messages.lying("done")


def test_killed_between_the_commit_and_the_move_the_file_is_taken_once(site: Site, sheets: Watched) -> None:
    sheets.drop("week.csv", attendance_sheet())
    dying = (
        "import os, signal, sys; from pathlib import Path\n"
        "from gateway.config import DropSettings; from gateway.wiring.drop_folders import DropFolder, Taking\n"
        "from gateway.wiring.site import open_site\n"
        "Taking.take_file = lambda *each, take=Taking.take_file: (take(*each), os.kill(os.getpid(), signal.SIGKILL))\n"
        "DropFolder(open_site(Path(sys.argv[1])), 'generic-csv', DropSettings(folder='drop', settle_s=0)).run()\n"
    )
    done = subprocess.run([sys.executable, "-c", dying, str(site.settings.folder)], check=False, timeout=120)
    assert -signal.SIGKILL == done.returncode
    assert (["week.csv"], 9) == (sheets.lying("taking"), stored(site))
    assert 1 == sheets.run()
    assert (["week.csv"], 9) == (sheets.lying("done"), stored(site))


def test_a_folder_that_cannot_be_used_is_told_and_nothing_is_lost(sheets: Watched) -> None:
    sheets.drop("week.csv", attendance_sheet())
    (sheets.folder / "done").rmdir()
    (sheets.folder / "done").write_text("in the way")
    with pytest.raises(Unavailable, match="drop folder of generic-csv cannot be used"):
        sheets.run()
    assert "week.csv" in sheets.lying()
