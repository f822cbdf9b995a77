"""A site from the outside: made, fed by files, asked, served over HTTP and MLLP, stopped."""

from __future__ import annotations

import getpass
import http.client
import json
import socket
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import examples
from tests.e2e.command import Cleanclaim

CLAIM_KEYS = {
    "id", "state", "payer", "organization", "form", "level_of_care", "from", "through", "charge_cents", "claim_number",
    "holds",
}  # fmt: skip
MESSAGE_KEYS = {"path", "index", "source", "type", "outcome", "reason", "encounters", "findings"}


@pytest.fixture(scope="module")
def site(in_shared_folder: Cleanclaim) -> Cleanclaim:
    """The demo's site, on free ports, with its samples taken in."""
    made = in_shared_folder.json("init", "clinic", "--demo")
    assert {"site", "files", "next"} == set(made)
    settings = in_shared_folder.folder / "clinic" / "site.yaml"
    settings.write_text(settings.read_text().replace("port: 8080", "port: 0").replace("port: 2575", "port: 0"))
    return in_shared_folder


@pytest.fixture(scope="module")
def fed(site: Cleanclaim) -> dict[str, dict[str, Any]]:
    """What taking the samples in said, by source."""
    return {
        source: site.json("ingest", "--site", "clinic", "--source", source, f"clinic/samples/{folder}")
        for source, folder in (("riverbend-fhir", "fhir"), ("riverbend-hl7", "hl7"))
    }


def test_secrets_are_random_and_their_owners_alone(site: Cleanclaim) -> None:
    files = sorted((site.folder / "clinic" / "secrets").iterdir())
    assert len({each.read_text() for each in files}) == len(files) > 3
    assert {0o600} == {stat.S_IMODE(each.stat().st_mode) for each in files}
    settings = (site.folder / "clinic" / "site.yaml").read_text()
    assert not any(each.read_text().strip() in settings for each in files)


def test_mapping_files_of_a_new_site_hold(site: Cleanclaim) -> None:
    found = site.json("mappings", "check", "--site", "clinic")
    assert {"ok", "files", "own_files", "hash", "problems", "remarks"} == set(found)
    assert found["ok"], found["problems"]


@pytest.mark.parametrize("source", ["riverbend-fhir", "riverbend-hl7"])
def test_taking_samples_in_tells_of_each_message_what_became_of_it(fed: dict[str, dict[str, Any]], source: str) -> None:
    found = fed[source]
    assert {"messages", "totals"} == set(found)
    assert all(MESSAGE_KEYS == set(each) for each in found["messages"])
    assert {"stored"} == {each["outcome"] for each in found["messages"]}
    assert found["totals"]["encounters"] == len({id for each in found["messages"] for id in each["encounters"]}) > 0


def test_the_same_bytes_again_are_duplicates(site: Cleanclaim, fed: dict[str, dict[str, Any]]) -> None:
    again = site.json("ingest", "--site", "clinic", "--source", "riverbend-fhir", "clinic/samples/fhir")
    assert {"duplicate"} == {each["outcome"] for each in again["messages"]}
    first = fed["riverbend-fhir"]["messages"]
    assert [each["encounters"] for each in first] == [each["encounters"] for each in again["messages"]]


def test_a_file_of_the_other_kind_is_refused_with_the_reason(site: Cleanclaim) -> None:
    path = site.folder / "answer.835"
    path.write_bytes(examples.remittance())
    done = site.run("ingest", "--site", "clinic", "--source", "riverbend-fhir", path, "--json")
    assert done.code == 1
    (message,) = done.answer["messages"]
    assert message["outcome"] == "refused"
    assert "riverbend-fhir" in message["reason"]


def test_claims_are_listed_and_each_says_why(site: Cleanclaim, fed: dict[str, dict[str, Any]]) -> None:
    claims = site.json("claims", "list", "--site", "clinic")["claims"]
    assert claims
    assert all(CLAIM_KEYS == set(each) for each in claims)
    held = next(each for each in claims if each["holds"])
    why = site.json("claims", "why", held["id"], "--site", "clinic")
    expected = "id state because findings lines mapping_set overrides adjustments remarks"
    assert set(expected.split()) == set(why)
    blocking = [each for each in why["findings"] if each["severity"] == "block"]
    assert set(held["holds"]) == {each["rule"] for each in blocking}
    assert all(each["fix"] and each["owner"] for each in blocking)
    line = why["lines"][0]
    assert line["definition_entry"].startswith("services/")
    assert line["sources"]["start_at"]["mapping"].startswith("sources/")
    told = site.run("claims", "why", held["id"], "--site", "clinic")
    assert blocking[0]["message"] in told.out
    assert line["definition_entry"] in told.out


def test_a_held_claim_is_not_released_and_whoever_has_no_right_is_refused(
    site: Cleanclaim, fed: dict[str, dict[str, Any]]
) -> None:
    claims = site.json("claims", "list", "--site", "clinic", "--state", "held")["claims"]
    done = site.run("claims", "release", claims[0]["id"], "--site", "clinic")
    assert done.code == 1
    assert site.json("claims", "show", claims[0]["id"], "--site", "clinic")["state"] == "held"
    done = site.run("claims", "hold", claims[0]["id"], "--site", "clinic", "--as", "kim", "--reason", "because")
    assert done.code == 1
    assert "integration" in done.err
    done = site.run("claims", "hold", claims[0]["id"], "--site", "clinic", "--as", "mallory", "--reason", "because")
    assert done.code == 1
    assert "dana" in done.err


def test_every_encounter_is_in_one_place_and_the_doctor_agrees(
    site: Cleanclaim, fed: dict[str, dict[str, Any]]
) -> None:
    told = {id for each in fed.values() for message in each["messages"] for id in message["encounters"]}
    listed = site.json("encounters", "list", "--site", "clinic")["encounters"]
    assert told == {each["encounter_id"] for each in listed}
    assert len(told) == len(listed)
    funnel = site.json("funnel", "--site", "clinic")
    assert funnel["encounters"] == len(told) == sum(funnel["places"].values())
    done = site.run("doctor", "--site", "clinic", "--json")
    assert done.code == 0, done.out
    assert {"ok", "checks"} == set(done.answer)
    assert all({"name", "ok", "detail"} == set(each) for each in done.answer["checks"])


def test_a_work_item_is_closed_by_command_and_reopened_over_http(
    site: Cleanclaim, fed: dict[str, dict[str, Any]]
) -> None:
    item = site.json("worklist", "--site", "clinic")["items"][0]
    without = site.run("worklist", "close", item["id"], "done", "--site", "clinic")
    assert (1, True) == (without.code, "--reason" in without.err)
    wrong = site.run("worklist", "close", item["id"], "apealed", "--site", "clinic", "--reason", "seen")
    assert (2, True) == (wrong.code, "did you mean 'appealed'?" in wrong.err)
    biller = ("--as", "dana", "--reason", "the clinic knows")
    refused = site.run("worklist", "close", item["id"], "written-off", "--site", "clinic", *biller)
    assert (1, True) == (refused.code, "may not write off" in refused.err)
    done = site.json("worklist", "close", item["id"], "done", "--site", "clinic", *biller)
    assert ("done", "dana", "the clinic knows") == tuple(
        done["closed"][each] for each in ("outcome", "actor", "reason")
    )
    assert item["id"] not in _items(site)
    assert [item["id"]] == _items(site, "--closed")
    shown = site.run("worklist", "--closed", "--site", "clinic")
    assert "the clinic knows" in shown.out and "1 closed item" in shown.out
    folder = site.folder / "clinic"
    with site.started("serve", "--site", "clinic") as server:
        port = json.loads((folder / "run" / "ports.json").read_text())["ports"]["http"]
        tokens = {each: (folder / "secrets" / f"{each}.token").read_text().strip() for each in ("dana", "kim")}
        address = f"/api/v1/worklist/{item['id']}"
        assert [item["id"]] == [
            each["id"] for each in _get(port, "/api/v1/worklist?closed=1", tokens["dana"])[1]["items"]
        ]
        assert 403 == _post(port, f"{address}/reopen", {}, tokens["kim"])[0]
        status, opened = _post(port, f"{address}/reopen", {"reason": "not yet"}, tokens["dana"])
        assert (200, None) == (status, opened["closed"])
        again = {"outcome": "not-needed", "reason": "seen to"}
        assert 422 == _post(port, f"{address}/close", {"outcome": "not-needed"}, tokens["dana"])[0]
        assert 404 == _post(port, "/api/v1/worklist/NOBODY/close", again, tokens["dana"])[0]
        assert 403 == _post(port, f"{address}/close", {**again, "outcome": "written-off"}, tokens["dana"])[0]
        assert 200 == _post(port, f"{address}/close", again, tokens["dana"])[0]
        assert 409 == _post(port, f"{address}/close", {**again, "outcome": "done"}, tokens["dana"])[0]
        assert 0 == server.stop().code
    assert [item["id"]] == _items(site, "--closed")
    assert site.json("worklist", "reopen", item["id"], "--site", "clinic", "--as", "dana")["closed"] is None
    assert item["id"] in _items(site)
    assert site.json("audit", "verify", "--site", "clinic")["ok"]


def _items(site: Cleanclaim, *options: str) -> list[str]:
    return [each["id"] for each in site.json("worklist", *options, "--site", "clinic")["items"]]


def test_rosters_are_loaded_whole_or_not_at_all(site: Cleanclaim) -> None:
    roster = site.folder / "roster.csv"
    header = "npi,payer,role,start_on,end_on,taxonomy,location_npi\n"
    roster.write_text(header + "1991000104,medicare,billing,2026-01-01,,,\n1234567890,medicare,king,tomorrow,,,\n")
    done = site.run("rosters", "import", "credentials", roster, "--site", "clinic", "--as", "dana")
    assert done.code == 2
    assert all(word in done.err for word in ("roster.csv:3", "npi", "role", "start_on"))
    roster.write_text(header + "1991000104,medicare,billing,2026-01-01,,,\n")
    done = site.json("rosters", "import", "credentials", roster, "--site", "clinic")
    assert ("riverbend", 1, 1) == (done["organization"], done["rows"], done["added"])
    shown = site.json("rosters", "show", "credentials", "--at", "9999-12-31", "--site", "clinic")
    assert ["1991000104"] == [each["npi"] for each in shown["rows"]]


def test_readiness_tells_once_what_nobody_loaded(site: Cleanclaim, fed: dict[str, dict[str, Any]]) -> None:
    done = site.run("readiness", "--site", "clinic", "--days", "30", "--json")
    assert done.code in (0, 1)
    assert done.code == (0 if done.answer["ready"] else 1)
    rosters = [each["roster"] for each in done.answer["missing"]]
    assert {"eligibility", "certifications", "consents"} <= set(rosters)
    assert len(set(rosters)) == len(rosters)
    assert "The roster of eligibility was never loaded." in site.run("readiness", "--site", "clinic").out
    listed = site.json("rosters", "list", "--site", "clinic")["rosters"]
    assert set(rosters).isdisjoint(each["kind"] for each in listed)


def test_a_broken_mapping_edit_is_listed_with_its_line_and_never_put_in_force(
    site: Cleanclaim, fed: dict[str, dict[str, Any]]
) -> None:
    broken = site.folder / "clinic" / "mappings" / "payers" / "broken.yaml"
    broken.parent.mkdir(exist_ok=True)
    broken.write_text("payers:\n  - id: new-payer\n    colour: blue\n")
    try:
        done = site.run("mappings", "check", "--site", "clinic", "--json")
        assert done.code == 1
        assert any(each["place"].startswith("payers/broken.yaml:3:") for each in done.answer["problems"])
        assert site.run("mappings", "put", "--site", "clinic").code == 2
        changed = site.run("mappings", "diff", "--site", "clinic", "--json")
        assert changed.code == 1
        assert [("payers/broken.yaml", "added")] == [(each["path"], each["change"]) for each in changed.answer["files"]]
    finally:
        broken.unlink()


def test_serving_answers_over_http_and_mllp_and_stops_when_asked(
    site: Cleanclaim, fed: dict[str, dict[str, Any]]
) -> None:
    folder = site.folder / "clinic"
    with site.started("serve", "--site", "clinic") as server:
        written = json.loads((folder / "run" / "ports.json").read_text())
        assert written["pid"] == server.process.pid
        ports = written["ports"]
        assert {"http", "mllp:riverbend-hl7"} == set(ports)
        _ask_over_http(ports["http"], folder)
        _send_over_mllp(ports["mllp:riverbend-hl7"])
        second = site.run("serve", "--site", "clinic")
        assert second.code == 1
        assert "another process" in second.err
        ended = server.stop()
    assert ended.code == 0, ended.err
    assert "stopped" in ended.out
    assert not (folder / "run" / "ports.json").exists()


def test_a_saved_mapping_file_is_used_by_the_next_message_and_a_broken_one_leaves_the_last_good_one_in_force(
    site: Cleanclaim, fed: dict[str, dict[str, Any]]
) -> None:
    folder = site.folder / "clinic"
    token = (folder / "secrets" / "kim.token").read_text().strip()
    own = folder / "mappings" / "sources" / "riverbend-hl7.yaml"
    own.parent.mkdir(exist_ok=True)
    text = site.shipped("sources/riverbend-hl7.yaml")
    edited = text.replace("birth_on: PID-7", "birth_on: PID-5.1")
    assert text != edited
    before = site.json("mappings", "history", "--site", "clinic")["versions"][0]["in_force"]
    with site.started("serve", "--site", "clinic") as server:
        ports = json.loads((folder / "run" / "ports.json").read_text())["ports"]
        own.write_text(edited)
        server.wait_for("ready")
        assert {"pid": server.process.pid, "ports": ports} == json.loads((folder / "run" / "ports.json").read_text())
        version = site.json("mappings", "history", "--site", "clinic")["versions"][0]
        assert (before != version["in_force"], "saved-file", getpass.getuser()) == (
            True, version["role"], version["actor"],
        )  # fmt: skip
        assert "patient.birth_on" in _finding_on_a_message(site, ports["mllp:riverbend-hl7"], "SAVED1")

        own.write_text(edited + "  - {name: broken, colour: blue}\n")
        state = _wait_for_state(ports["http"], token, "refused")
        assert (version["in_force"], True) == (state["in_force"], len(state["problems"]) > 1)
        assert any("unknown key 'colour'" in each["message"] for each in state["problems"])
        doctor = site.run("doctor", "--site", "clinic", "--json")
        assert doctor.code == 1
        assert [False] == [each["ok"] for each in doctor.answer["checks"] if each["name"] == "mapping-files-hold"]
        assert site.run("readiness", "--site", "clinic", "--json").answer["mappings"]["state"] == "refused"
        assert "patient.birth_on" in _finding_on_a_message(site, ports["mllp:riverbend-hl7"], "SAVED2")

        put = site.run("mappings", "put", "--version", before[:8], "--site", "clinic", "--as", "kim", "--json")
        assert (before, version["in_force"]) == (put.answer["in_force"], put.answer["before"]), put.err
        server.wait_for("ready")
        own.write_text(edited)
        server.wait_for("ready")
        ended = server.stop()
    assert "mapping-files-refused" in ended.err
    versions = site.json("mappings", "history", "--site", "clinic")["versions"][:3]
    assert [version["in_force"], before, version["in_force"]] == [each["in_force"] for each in versions]
    own.unlink()
    put_back = site.run("mappings", "put", "--site", "clinic", "--as", "kim", "--json")
    assert put_back.answer["changed"], put_back.err


def _finding_on_a_message(site: Cleanclaim, port: int, control_id: str) -> str:
    """What the running server found amiss with a message that is sent to it now."""
    known = {each["id"] for each in site.json("messages", "list", "--site", "clinic")["messages"]}
    _send_over_mllp(port, control_id)
    for _ in range(40):
        for each in site.json("messages", "list", "--site", "clinic")["messages"]:
            if each["id"] not in known and each["findings"]:
                return str(each["findings"])
    raise AssertionError("nothing was found amiss")


def _wait_for_state(port: int, token: str, wanted: str) -> dict[str, Any]:
    """What /api/v1/mappings says once it is so."""
    for _ in range(100):
        state: dict[str, Any] = _get(port, "/api/v1/mappings", token)[1]
        if state["state"] == wanted:
            return state
        time.sleep(0.1)
    raise AssertionError(state)


def _ask_over_http(port: int, folder: Path) -> None:
    token = (folder / "secrets" / "dana.token").read_text().strip()
    source = (folder / "secrets" / "riverbend-fhir.token").read_text().strip()
    assert _get(port, "/healthz") == (200, {"ok": True})
    assert _get(port, "/readyz") == (200, {"ok": True})
    assert _get(port, "/api/v1/claims")[0] == 401
    assert _get(port, "/fhir/Task")[0] == 401
    assert _get(port, "/api/v1/claims", source)[0] == 401, "a source's token is no person's"
    status, body = _get(port, "/api/v1/claims", token)
    assert status == 200
    assert body["claims"]
    assert _get(port, "/fhir/metadata")[1]["resourceType"] == "CapabilityStatement"


def _get(port: int, path: str, token: str = "") -> tuple[int, Any]:
    return _ask(port, "GET", path, None, token)


def _post(port: int, path: str, body: dict[str, str], token: str) -> tuple[int, Any]:
    return _ask(port, "POST", path, json.dumps(body), token)


def _ask(port: int, method: str, path: str, body: str | None, token: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, path, body, headers | ({"Content-Type": "application/json"} if body else {}))
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    return response.status, body


def _send_over_mllp(port: int, control_id: str = "MLLP1") -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
        for _ in range(2):  # a repeated message gets its first answer
            link.sendall(b"\x0b" + examples.admission(control_id) + b"\x1c\r")
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                chunk = link.recv(4096)
                assert chunk, "the listener hung up"
                answer += chunk
            assert f"MSA|AA|{control_id}".encode() in answer
