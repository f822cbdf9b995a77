"""A connection proved, certified and looked at over HTTP alone, against the real sandbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from clearinghouse.sandbox.server import run_sandbox
from clearinghouse.sandbox.sftp_server import User
from gateway.api.app import create_app
from gateway.wiring.new_site import make_site
from gateway.wiring.sandbox import FOLDER, USER
from gateway.wiring.site import open_site
from tests.e2e.command import PATIENCE_S, route_to

SECRET = "secrets/clearinghouse.password"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_site(tmp_path / "clinic", demo=True, database="sqlite:///cleanclaim.sqlite", samples={})
    return tmp_path / "clinic"


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    """The API of a demo site whose sandbox runs."""
    users = (User(USER, (folder / SECRET).read_text().strip()),)
    with run_sandbox(folder / FOLDER, users=users) as sandbox:
        route_to(folder, sandbox.port)
        site = open_site(folder)
        try:
            with TestClient(create_app(site, site.settle), raise_server_exceptions=False) as opened:
                yield opened
        finally:
            site.close()


def _ask(client: TestClient, folder: Path, who: str, path: str) -> Any:
    token = (folder / "secrets" / f"{who}.token").read_text().strip()
    return client.post(f"/api/v1/exchange/{path}", headers={"Authorization": f"Bearer {token}"})


def test_a_connection_is_proved_step_by_step_and_then_certified(client: TestClient, folder: Path) -> None:
    proved = _ask(client, folder, "kim", "sandbox/test").json()
    assert ("sandbox", True) == (proved["connection"], proved["ok"])
    assert [{"step", "ok", "detail", "next"}] * len(proved["steps"]) == [{*each} for each in proved["steps"]]
    assert ["reach", "host-key", "login"] == [each["step"] for each in proved["steps"][:3]]

    until = time.monotonic() + PATIENCE_S
    while (certified := _ask(client, folder, "dana", "sandbox/certify").json())["state"] == "waiting":
        assert time.monotonic() < until, certified["missing"]
        time.sleep(0.2)
    assert ("passed", []) == (certified["state"], certified["failures"])


def test_the_first_step_that_fails_says_what_to_do_and_no_secret(client: TestClient, folder: Path) -> None:
    (folder / SECRET).write_text("not the secret\n")
    answer = _ask(client, folder, "kim", "sandbox/test")
    assert (200, False) == (answer.status_code, answer.json()["ok"])
    last = answer.json()["steps"][-1]
    assert ("login", False) == (last["step"], last["ok"])
    assert last["next"].startswith("compare username and secret with the partner's letter")
    assert "not the secret" not in answer.text


def test_proving_a_connection_takes_a_user_and_a_complete_file(client: TestClient, folder: Path) -> None:
    assert 401 == _ask(client, folder, "riverbend-fhir", "sandbox/test").status_code, "a feed is no user"
    assert 404 == _ask(client, folder, "kim", "nobody/test").status_code
    shipped = files("mappings").joinpath("clearinghouses/stedi.yaml")
    (folder / "mappings" / "clearinghouses" / "stedi.yaml").write_text(shipped.read_text())
    refused = _ask(client, folder, "kim", "stedi/test")
    assert 422 == refused.status_code
    assert "sftp.username: is still to be filled in" in refused.json()["error"]["message"]
