"""`cleanclaim audit verify` on a site of its own."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import run


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A site at which somebody twice handed answers on."""
    folder = tmp_path / "site"
    assert run(["init", str(folder)]) == 0
    for _ in range(2):
        assert run(["exchange", "raw", str(tmp_path / "raw"), "--site", str(folder), "--as", "alex"]) == 0
    capsys.readouterr()
    return folder


def verified(site: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = run(["audit", "verify", "--site", str(site), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_trail_left_alone_is_intact(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verified(site, capsys) == (0, {"ok": True, "acts": 2, "unsealed": 0, "anchored": 2, "broken": []})
    assert run(["audit", "verify", "--site", str(site)]) == 0
    assert capsys.readouterr().out == "2 acts on record.\nIntact.\n"


def test_the_changed_act_is_named_and_the_doctor_is_not_well(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(site / "cleanclaim.sqlite")) as connection:
        connection.execute("DROP TRIGGER audit_event_no_update")
        connection.execute("UPDATE audit_event SET actor = 'robin' WHERE id = 1")
        connection.commit()
    code, found = verified(site, capsys)
    assert (code, [each["number"] for each in found["broken"]]) == (1, [1])
    assert run(["audit", "verify", "--site", str(site)]) == 1
    assert "act 1: it is not what was sealed" in capsys.readouterr().out
    assert run(["doctor", "--site", str(site)]) == 1


def test_a_site_without_its_key_says_what_to_do(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "secrets" / "audit.key").unlink()
    assert run(["audit", "verify", "--site", str(site)]) == 2
    said = capsys.readouterr().err
    assert "audit_key: the secret file" in said
    assert "bring back the key" in said
