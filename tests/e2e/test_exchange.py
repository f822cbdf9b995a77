"""Claims out and money back by the commands alone: sandbox, ingest, send, collect, hand the answers on."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.e2e.command import PATIENCE_S, Cleanclaim


def test_claims_go_out_once_and_answers_come_back(cleanclaim: Cleanclaim) -> None:
    cleanclaim.json("init", "clinic", "--demo")
    cleanclaim.json("ingest", "--site", "clinic", "--source", "riverbend-fhir", "clinic/samples/fhir")
    with cleanclaim.started("sandbox", "--site", "clinic", "--port", "0", "--json", until="}") as box:
        _route_to(cleanclaim.folder / "clinic", json.loads("\n".join(box.said))["port"])
        assert cleanclaim.run("mappings", "put", "--site", "clinic", "--as", "kim").code == 0
        cleanclaim.json("claims", "release", "--all-ready", "--site", "clinic")
        (sent,) = cleanclaim.json("exchange", "send", "--site", "clinic")["connections"]
        assert sent["frozen"] == sent["delivered"] > 0
        _wait_for_answers(cleanclaim)
        (again,) = cleanclaim.json("exchange", "send", "--site", "clinic")["connections"]
        assert (0, 0) == (again["frozen"], again["delivered"]), "nothing is sent twice"
        (collected,) = cleanclaim.json("exchange", "collect", "--site", "clinic")["connections"]
        assert collected["applied"] == collected["files"] >= 3 * sent["delivered"]
        assert box.stop().code == 0
    _check_what_came_back(cleanclaim)


def _route_to(site: Path, port: int) -> None:
    connection = site / "mappings" / "clearinghouses" / "sandbox.yaml"
    settings = connection.read_text()
    assert "port: 2222" in settings
    connection.write_text(settings.replace("port: 2222", f"port: {port}"))


def _wait_for_answers(cleanclaim: Cleanclaim) -> None:
    """Until the sandbox decided every claim and wrote every answer."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        ledger = cleanclaim.json("sandbox", "ledger", "--site", "clinic")
        decided = all(each["state"] == "decided" for each in ledger["claims"])
        if (
            ledger["claims"]
            and ledger["remittances"]
            and decided
            and all(each["written"] for each in ledger["answers"])
        ):
            return
        time.sleep(0.2)
    raise AssertionError("the sandbox did not answer")


def _check_what_came_back(cleanclaim: Cleanclaim) -> None:
    funnel = cleanclaim.json("funnel", "--site", "clinic")
    assert funnel["sent"] > 0
    assert funnel["paid"] + funnel["denied"] > 0
    ledger = cleanclaim.json("sandbox", "ledger", "--site", "clinic")
    assert funnel["sent"] == len(ledger["claims"]) == len({each["claim_number"] for each in ledger["claims"]})
    assert funnel["paid_cents"] == sum(each["paid_cents"] for each in ledger["remittances"])
    handed = cleanclaim.json("exchange", "raw", "onward", "--site", "clinic")["files"]
    assert all(each["written"] for each in handed)
    read = cleanclaim.json("read", "onward", "--write")["files"]
    assert len(read) == len(handed) > 0
    assert all(each["same_bytes"] for each in read)
    assert cleanclaim.json("doctor", "--site", "clinic")["ok"]
