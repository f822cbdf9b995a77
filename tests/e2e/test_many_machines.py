"""Several processes serve one site on PostgreSQL; one is killed within its work, and all is done all the same."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.command import PATIENCE_S, Cleanclaim, route_to


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


def test_a_machine_that_is_killed_while_it_sends_is_followed_by_one_that_never_sent(
    cleanclaim: Cleanclaim, postgres_url: str
) -> None:
    cleanclaim.json("init", "first", "--demo", "--database", postgres_url)
    samples = cleanclaim.folder / "first" / "samples"
    with cleanclaim.started("sandbox", "--site", "first", "--port", "0", "--json", until="}") as box:
        route_to(cleanclaim.folder / "first", json.loads("\n".join(box.said))["port"])
        assert cleanclaim.run("mappings", "put", "--site", "first", "--as", "kim").code == 0
        shutil.copytree(cleanclaim.folder / "first", cleanclaim.folder / "heir")
        cleanclaim.json("ingest", "--site", "first", "--source", "riverbend-fhir", samples / "fhir")
        with cleanclaim.started("serve", "--site", "first", "--role", "work") as first:
            _wait_until(lambda: _standing(cleanclaim, "first")["delivered"] > 0)
            first.process.send_signal(signal.SIGKILL)
        before = _standing(cleanclaim, "heir")
        assert "" == before["refused"]
        assert not (cleanclaim.folder / "heir" / "run" / "sent-numbers").exists()
        cleanclaim.json("ingest", "--site", "heir", "--source", "riverbend-hl7", samples / "hl7")
        with cleanclaim.started("serve", "--site", "heir", "--role", "work") as heir:
            _wait_until(lambda: _standing(cleanclaim, "heir")["delivered"] > before["delivered"])
            _wait_until(lambda: not _standing(cleanclaim, "heir")["queued"])
            assert 0 == heir.stop().code
        after = _standing(cleanclaim, "heir")
        held = [*after["under_way"], *after["in_doubt"]]  # what the dead one was within waits for its lease, as is said
        assert all(each["held_until"] for each in held)
        received = cleanclaim.json("sandbox", "ledger", "--site", "first")["interchanges"]
        assert len(received) == len({each["file_name"] for each in received}) >= after["delivered"]
        assert 0 == box.stop().code
    amiss = [each for each in cleanclaim.json("doctor", "--site", "heir")["checks"] if not each["ok"]]
    assert {"messages-interpreted"} >= {each["name"] for each in amiss}, (
        "it was stopped with work left, and that is all"
    )


def _standing(cleanclaim: Cleanclaim, site: str) -> Any:
    (standing,) = cleanclaim.json("exchange", "status", "--site", site)["connections"]
    return standing


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)


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
    waiting = re.compile(r"^cleanclaim_work_waiting\{.*\} (\S+)$", re.M)
    _wait_until(lambda: not any(map(float, waiting.findall(_ask(site, "GET", "/metrics").decode()))))


def _made(cleanclaim: Cleanclaim, site: str) -> Any:
    """Days and claims, whether they left already or not."""
    whole = cleanclaim.json("export", "--site", site)
    claims = {each["key"]: (each["draft"] or each["versions"][-1], each["findings"]) for each in whole["claims"]}
    return claims, whole["service_days"], [each.split()[0] for each in whole["encounters"]]
