"""Claims out and money back by the commands alone: sandbox, ingest, send, collect, hand the answers on."""

from __future__ import annotations

import json
import time

from tests.e2e.command import PATIENCE_S, Cleanclaim, route_to
from tests.keys import a_key_pair


def test_claims_go_out_once_and_answers_come_back(cleanclaim: Cleanclaim) -> None:
    cleanclaim.json("init", "clinic", "--demo")
    cleanclaim.json("ingest", "--site", "clinic", "--source", "riverbend-fhir", "clinic/samples/fhir")
    with cleanclaim.started("sandbox", "--site", "clinic", "--port", "0", "--json", until="}") as box:
        route_to(cleanclaim.folder / "clinic", json.loads("\n".join(box.said))["port"])
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


def test_a_file_that_did_not_get_through_is_told_with_what_happens_next(cleanclaim: Cleanclaim) -> None:
    cleanclaim.json("init", "clinic", "--demo")
    cleanclaim.json("ingest", "--site", "clinic", "--source", "riverbend-fhir", "clinic/samples/fhir")
    fault = ("--fault", "lose-close-reply")
    with cleanclaim.started("sandbox", "--site", "clinic", "--port", "0", "--json", *fault, until="}") as box:
        route_to(cleanclaim.folder / "clinic", json.loads("\n".join(box.said))["port"])
        waiting = cleanclaim.run("readiness", "--site", "clinic")
        assert "The edited mapping files are not in force" in waiting.err
        assert cleanclaim.run("mappings", "put", "--site", "clinic", "--as", "kim").code == 0
        broken = cleanclaim.run("exchange", "send", "--site", "clinic")
        assert broken.code == 1
        assert "not yet renamed to its final name" in broken.out
        assert "tried again by the next 'exchange send'" in broken.out
        (again,) = cleanclaim.json("exchange", "send", "--site", "clinic")["connections"]
        assert (1, []) == (again["delivered"], again["problems"])
        assert box.stop().code == 0


def test_a_connection_is_proved_certified_and_paused_by_a_wrong_secret_until_it_is_resumed(
    cleanclaim: Cleanclaim,
) -> None:
    cleanclaim.json("init", "clinic", "--demo")
    with cleanclaim.started("sandbox", "--site", "clinic", "--port", "0", "--json", until="}") as box:
        route_to(cleanclaim.folder / "clinic", json.loads("\n".join(box.said))["port"])
        assert cleanclaim.run("mappings", "put", "--site", "clinic", "--as", "kim").code == 0
        proved = cleanclaim.json("exchange", "test", "sandbox", "--site", "clinic")
        assert proved["ok"] and {"reach", "host-key", "login"} <= {each["step"] for each in proved["steps"]}
        certified = cleanclaim.json("exchange", "certify", "sandbox", "--site", "clinic", "--as", "dana")
        assert ("passed", []) == (certified["state"], certified["failures"])
        assert "certified on" in certified["certified"]

        secret = cleanclaim.folder / "clinic" / "secrets" / "clearinghouse.password"
        kept = secret.read_text()
        secret.write_text("not the secret\n")
        for _ in range(2):
            refused = cleanclaim.run("exchange", "collect", "--site", "clinic", "--as", "dana", "--json")
            assert (1, "the partner refused the login") == (
                refused.code,
                refused.answer["connections"][0]["paused"][:29],
            )
        secret.write_text(kept)
        resumed = cleanclaim.json(
            "exchange", "resume", "sandbox", "--site", "clinic", "--as", "dana", "--reason", "the secret was mistyped"
        )
        assert "" == resumed["paused"]
        assert (
            "" == cleanclaim.json("exchange", "collect", "--site", "clinic", "--as", "dana")["connections"][0]["paused"]
        )
        assert box.stop().code == 0
    assert cleanclaim.json("doctor", "--site", "clinic")["ok"]


def test_with_keys_on_both_sides_every_file_travels_encrypted(cleanclaim: Cleanclaim) -> None:
    cleanclaim.json("init", "clinic", "--demo")
    site = cleanclaim.folder / "clinic"
    ours, theirs = a_key_pair(site / "secrets", "ours"), a_key_pair(site / "secrets", "theirs")
    cleanclaim.json("ingest", "--site", "clinic", "--source", "riverbend-fhir", "clinic/samples/fhir")
    keys = ("--pgp-key", theirs.private, "--pgp-for", ours.public)
    with cleanclaim.started("sandbox", "--site", "clinic", "--port", "0", "--json", *keys, until="}") as box:
        route_to(site, json.loads("\n".join(box.said))["port"])
        with (site / "mappings" / "clearinghouses" / "sandbox.yaml").open("a") as profile:
            profile.write(f"pgp: {{their_key_ref: {theirs.public}, our_key_ref: 'file:secrets/ours.private.asc'}}\n")
        assert cleanclaim.run("mappings", "put", "--site", "clinic", "--as", "kim").code == 0
        steps = cleanclaim.json("exchange", "test", "sandbox", "--site", "clinic")["steps"]
        assert ("keys", True) == (steps[0]["step"], steps[0]["ok"])
        (sent,) = cleanclaim.json("exchange", "send", "--site", "clinic")["connections"]
        assert sent["delivered"] > 0
        _wait_for_answers(cleanclaim)
        files = [path for path in (site / "sandbox" / "mailboxes").rglob("*") if path.is_file()]
        assert files and not any(b"ISA*" in path.read_bytes() for path in files)
        (collected,) = cleanclaim.json("exchange", "collect", "--site", "clinic")["connections"]
        assert collected["applied"] >= 3 * sent["delivered"]
        assert 0 == box.stop().code
    _check_what_came_back(cleanclaim)


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
