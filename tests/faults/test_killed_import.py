"""kill -9 of `cleanclaim serve` within a bulk import: the next start goes on, every line is tried, each stored once."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Cleanclaim
from tests.faults.test_killed_receiver import SITE, site
from tests.unit.fhir.samples import patient

__all__ = ["site"]
SOURCE = "riverbend-fhir"
LINES = 3_000
PATIENCE_S = 120.0


class Gateway:
    """The FHIR address of a server that may have been started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "clinic"
        self._token = (self._folder / "secrets" / f"{SOURCE}.token").read_text().strip()

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
        port = json.loads((self._folder / "run" / "ports.json").read_text())["ports"]["http"]
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/fhir+ndjson"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()

    def wait(self, path: str, enough: int) -> dict[str, Any]:
        """Until so many lines were tried; the last answer's body."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            status, headers, body = self.ask(path)
            if status == 200:
                found: dict[str, Any] = json.loads(body)
                return found
            if int(headers["x-progress"].split()[0]) >= enough:
                return {}
            time.sleep(0.02)
        raise AssertionError("the import did not go on")


@pytest.mark.fault("F42")
def test_an_import_that_was_killed_in_its_midst_is_finished_by_the_next_start(site: Cleanclaim) -> None:
    content = b"".join(json.dumps(patient(id=f"p{number}")).encode() + b"\n" for number in range(LINES))
    gateway = Gateway(site.folder)
    with site.started("serve", *SITE) as server:
        status, headers, _ = gateway.ask("/fhir/$import", content)
        assert 202 == status
        path = "/fhir" + headers["content-location"].partition("/fhir")[2]
        assert {} == gateway.wait(path, 1), "it is killed before it has finished"
        server.process.kill()
        server.process.wait(PATIENCE_S)
    with site.started("serve", *SITE) as server:
        done = gateway.wait(path, LINES + 1)
        assert (LINES, LINES, 0) == (done["lines"], done["stored"], done["refused"])
        outcomes = [json.loads(line) for line in gateway.ask(f"{path}/outcomes")[2].splitlines()]
        assert list(range(1, LINES + 1)) == [each["line"] for each in outcomes]
        _, headers, _ = gateway.ask(f"/fhir/Patient/p{LINES - 1}")
        assert 'W/"1"' == headers["etag"]
        server.stop()
