"""Several processes serve one site on PostgreSQL; one is killed within its work, and all is done all the same."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from tests.e2e.command import PATIENCE_S, Cleanclaim


def test_two_workers_and_two_doors_of_one_site_make_what_one_process_makes(
    cleanclaim: Cleanclaim, postgres_url: str
) -> None:
    cleanclaim.json("init", "alone", "--demo")
    sample = cleanclaim.folder / "alone" / "samples" / "fhir"
    cleanclaim.json("ingest", "--site", "alone", "--source", "riverbend-fhir", sample)
    cleanclaim.json("init", "many", "--demo", "--database", postgres_url)
    for other in ("door", "second"):
        shutil.copytree(cleanclaim.folder / "many", cleanclaim.folder / other)
    with (
        cleanclaim.started("serve", "--site", "door", "--role", "api") as door,
        cleanclaim.started("serve", "--site", "many", "--role", "work") as first,
        cleanclaim.started("serve", "--site", "second", "--role", "work") as second,
    ):
        bundles = sorted(sample.iterdir())
        for bundle in bundles[: len(bundles) // 2]:
            _ask(cleanclaim.folder / "door", "POST", "/fhir", bundle.read_bytes())
        first.process.send_signal(signal.SIGKILL)
        for bundle in bundles[len(bundles) // 2 :]:
            _ask(cleanclaim.folder / "door", "POST", "/fhir", bundle.read_bytes())
        with cleanclaim.started("serve", "--site", "many", "--role", "work") as again:
            _wait_until_settled(cleanclaim.folder / "door")
            assert [0, 0, 0] == [each.stop().code for each in (door, second, again)]
    assert _made(cleanclaim, "alone") == _made(cleanclaim, "many")
    assert cleanclaim.json("doctor", "--site", "many")["ok"]


def _ask(site: Path, method: str, path: str, content: bytes = b"") -> bytes:
    port = json.loads((site / "run" / "ports-api.json").read_text())["ports"]["http"]
    token = (site / "secrets" / "riverbend-fhir.token").read_text().strip()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    connection.request(method, path, content, headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    assert answer.status in (200, 201), said
    return said


def _wait_until_settled(site: Path) -> None:
    """Until no message and no patient waits."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        waiting = re.findall(r"^cleanclaim_work_waiting\{.*\} (\S+)$", _ask(site, "GET", "/metrics").decode(), re.M)
        if not any(map(float, waiting)):
            return
        time.sleep(0.2)
    raise AssertionError("work was left undone")


def _made(cleanclaim: Cleanclaim, site: str) -> Any:
    """Days and claims, whether they left already or not."""
    whole = cleanclaim.json("export", "--site", site)
    claims = {each["key"]: (each["draft"] or each["versions"][-1], each["findings"]) for each in whole["claims"]}
    return claims, whole["service_days"], [each.split()[0] for each in whole["encounters"]]
