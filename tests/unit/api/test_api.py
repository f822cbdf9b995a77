"""Every address of /api/v1: who may, what it answers, and one shape for every error."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from gateway.api.access import BODY_MAX
from gateway.api.app import create_app
from gateway.claim.actor import Actor
from gateway.demo.month import clinic_month
from gateway.errors import NotAllowed
from gateway.permissions import PERMISSIONS, ROLES, Permission, require
from gateway.wiring.people import find_actor
from gateway.wiring.site import Site

Tokens = dict[str, dict[str, str]]

OPEN = {"/healthz", "/readyz", "/metrics", "/openapi.json"}


def _first(client: TestClient, tokens: Tokens, state: str = "") -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/claims?state={state}", headers=tokens["dana"]).json()["claims"][0]
    return found


def _error(response: Any) -> dict[str, str]:
    body = response.json()
    assert {"error"} == set(body)
    assert {"kind", "message"} == set(body["error"])
    error: dict[str, str] = body["error"]
    return error


def test_every_address_but_the_probes_asks_for_a_token(site: Site, client: TestClient) -> None:
    asked = 0
    for path, methods in client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
        for method in methods:
            if path in OPEN or path == "/fhir/metadata":
                continue
            address = path.replace("{", "").replace("}", "")
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic ZGFuYTo="}):
                response = client.request(method, address, headers=headers, content=b"{not json")
                assert response.status_code == 401, f"{method} {path}"
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
            asked += 1
    assert asked > 20


def test_the_contract_names_every_route(site: Site) -> None:
    app = create_app(site, site.settle)
    routes = {route.path for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema}
    assert routes <= set(app.openapi()["paths"])


def test_probes_answer_without_a_token_and_hold_no_patient(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"ok": True}
    assert client.get("/readyz").json() == {"ok": True}
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    assert 'cleanclaim_claims{state="' in page.text
    assert "cleanclaim_database_up 1.0" in page.text


def test_requests_are_counted_by_route_never_by_address(client: TestClient, tokens: Tokens) -> None:
    claim = _first(client, tokens)["id"]
    client.get(f"/api/v1/claims/{claim}", headers=tokens["dana"])
    client.get("/api/v1/nowhere/nobody-4711", headers=tokens["dana"])
    page = client.get("/metrics").text
    assert 'route="/api/v1/claims/{claim}"' in page
    assert claim not in page
    assert "nobody-4711" not in page


def test_answers_are_never_cached_or_framed(client: TestClient, tokens: Tokens) -> None:
    for path in ("/api/v1/claims", "/healthz", "/nowhere"):
        headers = client.get(path, headers=tokens["dana"]).headers
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_a_claim_is_found_whole_and_says_why(client: TestClient, tokens: Tokens) -> None:
    claim = _first(client, tokens)
    whole = client.get(f"/api/v1/claims/{claim['id']}", headers=tokens["dana"]).json()
    assert claim == {key: whole[key] for key in claim}
    why = client.get(f"/api/v1/claims/{claim['id']}/why", headers=tokens["dana"]).json()
    assert why["lines"][0]["definition_entry"].startswith("services/")


def test_what_is_not_there_is_said_in_one_shape(client: TestClient, tokens: Tokens) -> None:
    assert _error(client.get("/api/v1/claims/NOBODY", headers=tokens["dana"]))["kind"] == "not-found"
    assert _error(client.get("/api/v1/nowhere", headers=tokens["dana"]))["kind"] == "not-found"
    assert _error(client.delete("/api/v1/claims", headers=tokens["dana"]))["kind"] == "misuse"
    wrong = client.get("/api/v1/claims?limit=many", headers=tokens["dana"])
    assert (422, "misuse") == (wrong.status_code, _error(wrong)["kind"])


ASKED = [
    ("claims?payer=praire-mutual", "prairie-mutual"),
    ("claims?state=redy", "ready"),
    ("encounters?place=billd", "billed"),
    ("authorizations?payer=praire-mutual", "prairie-mutual"),
    ("worklist?owner=biling", "billing"),
    ("answers?type=836", "835"),
    ("answers?status=aplied", "applied"),
    ("messages?source=riverbend-hl", "riverbend-hl7"),
    ("exchange/silences?connection=sandbx", "sandbox"),
]


@pytest.mark.parametrize(("address", "nearest"), ASKED, ids=[each for each, _ in ASKED])
def test_a_filter_by_a_name_there_is_not_is_refused_with_the_nearest(
    address: str, nearest: str, client: TestClient, tokens: Tokens
) -> None:
    refused = client.get(f"/api/v1/{address}", headers=tokens["kim" if "messages" in address else "dana"])
    assert (422, "not-known") == (refused.status_code, _error(refused)["kind"])
    assert f"did you mean '{nearest}'?" in _error(refused)["message"]


def test_what_was_sent_is_not_repeated_when_it_is_wrong(client: TestClient, tokens: Tokens) -> None:
    claim = _first(client, tokens)["id"]
    for body in ('{"reason": "x", "patient": "SECRET NAME"}', '{"reason": ["SECRET"]}', "SECRET{", '"SECRET"'):
        headers = {**tokens["dana"], "Content-Type": "application/json"}
        response = client.post(f"/api/v1/claims/{claim}/hold", headers=headers, content=body)
        assert response.status_code == 422
        assert "SECRET" not in response.text


def test_a_ready_claim_is_held_with_a_reason_and_released_again(client: TestClient, tokens: Tokens) -> None:
    claim = _first(client, tokens, "released")["id"]
    refused = client.post(f"/api/v1/claims/{claim}/hold", headers=tokens["dana"], json={"reason": ""})
    assert refused.status_code == 422
    held = client.post(f"/api/v1/claims/{claim}/hold", headers=tokens["dana"], json={"reason": "asking the payer"})
    assert {"claim": claim, "state": "held"} == held.json()
    acts = client.get(f"/api/v1/claims/{claim}", headers=tokens["dana"]).json()["acts"]
    assert ("dana", "biller", "hold", "asking the payer") == tuple(
        acts[-1][key] for key in ("actor", "role", "action", "reason")
    )


def test_roles_decide(client: TestClient, tokens: Tokens) -> None:
    claim = _first(client, tokens, "held")["id"]
    override = {"rule": "x", "reason": "y", "expires_on": "2026-12-31"}
    response = client.post(f"/api/v1/claims/{claim}/override", headers=tokens["dana"], json=override)
    assert (403, "not-allowed") == (response.status_code, _error(response)["kind"])
    assert client.get("/api/v1/claims", headers=tokens["kim"]).status_code == 403, "integration sees no claims"
    assert client.get("/api/v1/messages", headers=tokens["kim"]).status_code == 200
    assert client.get("/api/v1/messages", headers=tokens["dana"]).status_code == 403
    unknown = client.post(f"/api/v1/claims/{claim}/override", headers=tokens["sam"], json=override)
    assert unknown.status_code == 404, "a supervisor may, but no such rule holds the claim"


def test_a_supervisor_lets_one_rule_pass_until_a_day(client: TestClient, tokens: Tokens) -> None:
    claims = client.get("/api/v1/claims?state=held", headers=tokens["sam"]).json()["claims"]
    for claim in claims:
        findings = client.get(f"/api/v1/claims/{claim['id']}", headers=tokens["sam"]).json()["findings"]
        passable = [each for each in findings if each["severity"] == "block" and each["overridable"]]
        if passable:
            break
    rule = passable[0]["rule"]
    body = {"rule": rule, "reason": "agreed with the payer", "expires_on": "2026-12-31"}
    done = client.post(f"/api/v1/claims/{claim['id']}/override", headers=tokens["sam"], json=body)
    assert done.status_code == 200
    after = client.get(f"/api/v1/claims/{claim['id']}", headers=tokens["sam"]).json()
    assert rule not in after["holds"]
    assert [rule] == [each["rule"] for each in after["overrides"]]


def test_the_whole_is_counted_and_accounted_for(client: TestClient, tokens: Tokens) -> None:
    funnel = client.get("/api/v1/funnel", headers=tokens["kim"]).json()
    encounters = client.get("/api/v1/encounters", headers=tokens["dana"]).json()["encounters"]
    assert funnel["encounters"] == len(encounters) == sum(funnel["places"].values()) > 0
    doctor = client.get("/api/v1/doctor", headers=tokens["kim"]).json()
    assert doctor["ok"], doctor["checks"]
    export = client.get("/api/v1/export", headers=tokens["dana"]).json()
    assert {"claims", "encounters", "service_days", "balances"} <= set(export)


def test_a_roster_is_loaded_whole_or_not_at_all(client: TestClient, tokens: Tokens) -> None:
    headers = {**tokens["dana"], "Content-Type": "text/csv"}
    bad = client.post("/api/v1/rosters/credentials", headers=headers, content=b"npi,payer\n1,2\n")
    assert bad.status_code == 422
    assert "body:1" in _error(bad)["message"]
    good = b"npi,payer,role,start_on\n1991000104,medicare,billing,2026-01-01\n"
    done = client.post("/api/v1/rosters/credentials", headers=headers, content=good)
    assert {"organization": "riverbend", "kind": "credentials", "source": "organization", "rows": 1} | {
        "added": 1,
        "changed": 0,
        "retired": 0,
        "unmatched": 0,
        "unanswered": 0,
    } == done.json()
    (row,) = client.get("/api/v1/rosters/credentials", headers=tokens["dana"]).json()["rows"]
    assert ("1991000104", "billing") == (row["npi"], row["role"])
    (listed,) = client.get("/api/v1/rosters", headers=tokens["dana"]).json()["rosters"]
    assert ("credentials", 1) == (listed["kind"], listed["rows"])
    assert client.post("/api/v1/rosters/hats", headers=headers, content=good).status_code == 404


def test_a_271_is_taken_by_the_address_that_takes_eligibility(client: TestClient, tokens: Tokens) -> None:
    segments = (
        "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *260803*1201*^*00501*000000001*0*T*:",
        "GS*HB*PAYER*CLINIC*20260803*1201*1*X*005010X279A1", "ST*271*0001*005010X279A1",
        "BHT*0022*11*ASK1*20260803*1201", "HL*1**20*1", "NM1*PR*2*PRAIRIE MUTUAL*****PI*PRMT1", "HL*2*1*21*1",
        "NM1*1P*2*RIVERBEND*****XX*1991000104", "HL*3*2*22*0", "NM1*IL*1*SAMPLE*PAT****MI*PMX123456789",
        "DTP*346*D8*20260101", "EB*1**30", "SE*11*0001", "GE*1*1", "IEA*1*000000001",
    )  # fmt: skip
    content = "".join(f"{each}~" for each in segments).encode()
    headers = {**tokens["dana"], "Content-Type": "application/edi-x12"}
    done = client.post("/api/v1/rosters/eligibility?source=clearinghouse", headers=headers, content=content)
    assert (200, 1, "clearinghouse") == (done.status_code, done.json()["added"], done.json()["source"])
    broken = client.post("/api/v1/rosters/eligibility", headers=headers, content=content.replace(b"SE*11", b"SE*12"))
    assert broken.status_code == 422
    assert "SE01" in _error(broken)["message"]
    other = client.post("/api/v1/rosters/eligibility", headers=headers, content=content.replace(b"*PRMT1", b"*NOBODY"))
    assert other.status_code == 200, "a payer may be known by its name alone"


def test_readiness_tells_what_nobody_loaded(client: TestClient, tokens: Tokens) -> None:
    found = client.get("/api/v1/readiness?days=7", headers=tokens["dana"]).json()
    assert {"ready", "today", "through", "missing", "due", "mappings"} == set(found)
    (missing,) = (each for each in found["missing"] if each["roster"] == "certifications")
    assert ("riverbend", "warn", "clinician") == (missing["organization"], missing["severity"], missing["owner"])
    assert missing["fix"] == "Load it: 'cleanclaim rosters import certifications FILE'."
    assert client.get("/api/v1/readiness?days=-1", headers=tokens["dana"]).status_code == 422
    assert client.get("/api/v1/readiness", headers=tokens["kim"]).status_code == 403


def test_partners_are_shown_and_unknown_ones_are_not_guessed(client: TestClient, tokens: Tokens) -> None:
    (connection,) = client.get("/api/v1/exchange", headers=tokens["kim"]).json()["connections"]
    assert connection["connection"] == "sandbox"
    assert client.get("/api/v1/answers", headers=tokens["kim"]).json() == {"answers": []}
    assert client.get("/api/v1/answers/NONE/raw", headers=tokens["dana"]).status_code == 404
    assert client.post("/api/v1/exchange/send?connection=x", headers=tokens["dana"]).status_code == 422
    resolve = {"resolution": "resend", "reason": "the partner has nothing"}
    assert client.post("/api/v1/exchange/NONE/resolve", headers=tokens["sam"], json=resolve).status_code == 404
    assert client.post("/api/v1/exchange/NONE/resolve", headers=tokens["dana"], json=resolve).status_code == 403
    reason = {"reason": "to be sure"}
    for act, who, code in (
        ("resume", "dana", 404),
        ("waive", "dana", 403),
        ("guard", "dana", 403),
        ("guard", "sam", 404),
    ):
        assert client.post(f"/api/v1/exchange/NONE/{act}", headers=tokens[who], json=reason).status_code == code
    assert client.post("/api/v1/exchange/NONE/certify", headers=tokens["dana"]).status_code == 404


def test_a_source_may_push_messages_and_hears_what_became_of_each(client: TestClient, tokens: Tokens) -> None:
    message = b"MSH|^~\\&|RBREC|X|C|C|20260803080000||ADT^A04|API1|T|2.5.1\rPID|1\rPV1|1|O\r"
    first = client.post("/api/v1/messages", headers=tokens["riverbend-hl7"], content=message + message)
    assert [each["outcome"] for each in first.json()["messages"]] == ["stored", "duplicate"]
    wrong = client.post("/api/v1/messages", headers=tokens["riverbend-fhir"], content=b"{}")
    assert [each["outcome"] for each in wrong.json()["messages"]] == ["refused"]
    assert client.post("/api/v1/messages", headers=tokens["dana"], content=message).status_code == 401


def test_a_body_without_an_end_is_given_up(client: TestClient, tokens: Tokens) -> None:
    def endless() -> Any:
        for _ in range(BODY_MAX // 1024 // 1024 + 2):
            yield b"x" * 1024 * 1024

    response = client.post("/api/v1/messages", headers=tokens["riverbend-hl7"], content=endless())
    assert (413, "too-large") == (response.status_code, _error(response)["kind"])


@pytest.mark.parametrize("path", ["/api/v1/messages", "/fhir"])
def test_a_sender_that_hangs_up_within_its_body_is_no_failure_of_ours(site: Site, tokens: Tokens, path: str) -> None:
    arriving = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    authorization = tokens["riverbend-fhir"]["Authorization"].encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"authorization", authorization), (b"content-type", b"application/fhir+json")],
    }
    answered = []

    async def receive() -> Any:
        return arriving.pop(0) if arriving[1:] else arriving[0]

    async def send(message: Any) -> None:
        answered.append(message)

    with capture_logs() as logged:
        asyncio.run(create_app(site, site.settle)(scope, receive, send))
    assert 400 == answered[0]["status"]
    assert {"info"} >= {each["log_level"] for each in logged}


@pytest.mark.parametrize("path", ["/fhir", "/fhir/$import"])
def test_a_source_that_sends_hl7_is_told_so_at_the_doors_of_fhir(client: TestClient, tokens: Tokens, path: str) -> None:
    headers = {**tokens["riverbend-hl7"], "Content-Type": "application/fhir+json"}
    refused = client.post(path, headers=headers, content=b"{}")
    assert 403 == refused.status_code
    assert "sends hl7" in refused.json()["issue"][0]["diagnostics"]


def test_a_message_is_explained_without_its_values(client: TestClient, tokens: Tokens) -> None:
    listed = client.get("/api/v1/messages?source=riverbend-hl7&limit=0", headers=tokens["kim"]).json()["messages"]
    explained = client.get(f"/api/v1/messages/{listed[0]['id']}/explanation", headers=tokens["kim"]).json()
    resources = [each for message in explained["messages"] for each in message["resources"]]
    fields = [one for each in resources for entry in each["entries"] for one in entry["fields"]]
    assert any(each["found"] for each in fields)
    assert all(each["values"] is None for each in fields)
    assert client.get("/api/v1/messages/NONE/explanation", headers=tokens["kim"]).status_code == 404


def test_failed_messages_are_listed_and_interpreted_anew(client: TestClient, tokens: Tokens) -> None:
    failed = client.get("/api/v1/messages?failed=true", headers=tokens["kim"]).json()["messages"]
    assert failed, "the message without a patient was not understood"
    assert all(each["findings"] or each["reason"] for each in failed)
    again = client.post("/api/v1/messages/again", headers=tokens["kim"], json={"failed": True}).json()
    assert set(again["still_failing"]) <= set(again["messages"])
    assert client.post("/api/v1/messages/again", headers=tokens["dana"], json={"failed": True}).status_code == 403


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_names_known_roles(permission: Permission) -> None:
    roles = PERMISSIONS[permission]
    assert roles
    assert set(roles) <= set(ROLES)
    for role in ROLES:
        if role in roles:
            require(Actor(name="x", role=role), permission)
        else:
            with pytest.raises(NotAllowed):
                require(Actor(name="x", role=role), permission)


def test_the_only_user_of_a_role_needs_no_name(site: Site) -> None:
    assert find_actor(site.settings, "", Permission.OVERRIDE) == Actor(name="sam", role="supervisor")
    assert find_actor(site.settings, "", Permission.RELEASE) == Actor(name="dana", role="biller")
    with pytest.raises(NotAllowed, match="the role integration may not release"):
        find_actor(site.settings, "kim", Permission.RELEASE)
    with pytest.raises(NotAllowed, match="dana, sam, kim"):
        find_actor(site.settings, "mallory", Permission.RELEASE)


def test_a_preview_is_a_users_to_ask_for_and_keeps_nothing(site: Site, client: TestClient, tokens: Tokens) -> None:
    content = next(each.content for each in clinic_month(patients=24).messages() if each.feed == "riverbend-fhir")
    asked = {"params": {"source": "riverbend-fhir"}, "content": content}
    before = client.get("/api/v1/funnel", headers=tokens["dana"]).json()
    answer = client.post("/api/v1/preview", headers=tokens["dana"], **asked)
    assert (200, {"messages", "claims", "days", "encounters", "mappings"}) == (answer.status_code, set(answer.json()))
    assert before == client.get("/api/v1/funnel", headers=tokens["dana"]).json()
    assert 401 == client.post("/api/v1/preview", headers=tokens["riverbend-fhir"], **asked).status_code
    wrong = client.post("/api/v1/preview", headers=tokens["dana"], params={"source": "nobody"}, content=content)
    assert "not-found" == _error(wrong)["kind"]
