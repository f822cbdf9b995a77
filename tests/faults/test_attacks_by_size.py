"""Messages and files of a shape that would keep everybody else waiting: answered soon, with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.hl7.conformance import check_conformance
from adapters.hl7.er7 import MAX_LINES
from adapters.hl7.triage import triage
from gateway.cli import run

HEADER = b"MSH|^~\\&|A|B|C|D|20260803||DFT^P03|1|P|2.5.1\r"


def test_a_message_of_more_lines_than_any_has_is_refused_for_good() -> None:
    assert triage(HEADER + b"NTE|1\r" * (MAX_LINES - 1)).code == "AA"
    for end in (b"\r", b"\n", b"\r\n"):
        verdict = triage(HEADER + (b"NTE|1" + end) * (MAX_LINES + 1))
        assert (verdict.code, verdict.reason) == ("AR", "too-large")


def test_a_message_of_millions_of_repetitions_is_not_held_against_the_tables() -> None:
    (finding,) = check_conformance(HEADER + b"PID|1||" + b"~" * 1_000_000 + b"\r")
    assert (finding.code, finding.severity) == ("not-checked", "note")


@pytest.mark.parametrize("command", ["check", "read"])
def test_pipes_and_devices_are_refused_and_not_waited_for(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        assert run([command, str(path)]) == 2
        assert "no regular file" in capsys.readouterr().err


def test_names_with_line_ends_and_escapes_cannot_steer_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a\x1b[2Jb\r.x12").write_bytes(b"ISA")
    assert run(["check", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert "\r" not in told.out + told.err


def test_links_in_a_circle_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "self").symlink_to(tmp_path)
    (tmp_path / "one.x12").write_bytes(b"")
    assert run(["check", str(tmp_path)]) == 2
