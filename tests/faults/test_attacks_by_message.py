"""Messages made to stop the ones behind them: each is answered and set aside alone, on both databases."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.fhir.receiving import FhirReceiver, FhirRequest
from adapters.hl7.mllp import ReceivedFrame
from gateway.claim.record import PatientRecord
from gateway.wiring.feeds import hl7_receive
from gateway.wiring.new_site import make_site
from gateway.wiring.site import Site, open_site

HL7, FHIR = "riverbend-hl7", "riverbend-fhir"
LONG = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=12_000))
"""Cannot be compressed into an index."""
HOSTILE = {
    "a NUL": "AB\x00CD",
    "a very long word": LONG,
    "digits without end": "9" * 400,
    "a number beyond 64 bits": "9" * 25,
    "the first day": "00010101",
    "the last moment": "99991231235959-1200",
    "escapes of a terminal": "\x1b[2J\x1b]0;x\x07",
    "text that turns round": "\u202e\u2066\ufeff",
    "no character": "\uffff\U0010ffff",
}
PLACES = (
    "MSH-3",
    "MSH-10",
    "MSH-7",
    "PID-3",
    "PID-5",
    "PID-7",
    "PV1-19",
    "PV1-44",
    "IN1-36",
    "IN1-22",
    "FT1-2",
    "FT1-4",
)


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    make_site(tmp_path / "clinic", demo=True, database=database_url, samples={})
    opened = open_site(tmp_path / "clinic")
    yield opened
    opened.close()


def a_message(id: str, place: str = "", value: str = "") -> bytes:
    """An admission with a visit, one field of it replaced."""
    segments = [
        f"MSH|^~\\&|CEDAR|REC|CLEAN|RIVER|20260803073110-0500||DFT^P03^DFT_P03|{id}|P|2.5.1||||||UNICODE UTF-8",
        f"PID|1||{id}^^^RBREC^MR||Fern^Ada||19640327|F|||1 Lane^^Mill^IL^62095",
        f"PV1|1|R|SUD-IOP^^^RIVERBEND-RECOVERY||||||||||||||||S{id}^^^RBREC^VN|||||||||||||||||||||||||20260803",
        f"IN1|1|P|3001^^^RBREC-PAYER|Medicaid||||||||20260101||||Fern^Ada|SEL|19640327||||1||||||||||||||P{id}",
        f"FT1|1|V{id}||20260803173000-0500^20260803183500-0500||CG|GRP^Group^L|||1",
        "ZPH|sud-iop|2.1|20260803173045-0500|20260803183500-0500|Y||57|P",
    ]
    if place:
        name, _, number = place.partition("-")
        at = next(index for index, each in enumerate(segments) if each.startswith(name))
        fields = segments[at].split("|")
        number_in_list = int(number) - (name == "MSH")
        _, caret, rest = fields[number_in_list].partition("^")
        fields[number_in_list] = value + caret + rest
        segments[at] = "|".join(fields)
    return ("\r".join(segments) + "\r").encode()


def patients(site: Site) -> set[str]:
    with site.store.read() as tx:
        said = tx.subjects.about_patients(list(tx.subjects.patient_ids()))
    return {
        name.value
        for words in said.values()
        for each in words
        if isinstance(each.record, PatientRecord)
        for name in each.record.identifiers
    }


@pytest.mark.fault("F44")
def test_hostile_values_in_one_batch_stop_neither_the_batch_nor_what_follows(site: Site) -> None:
    receive = hl7_receive(site, HL7, lambda: None)
    hostile = [
        a_message(f"H{number}", place, value)
        for number, (place, value) in enumerate((place, value) for place in PLACES for value in HOSTILE.values())
    ]
    frames = [ReceivedFrame(raw, "peer", datetime.now(UTC)) for raw in (*hostile, a_message("GOOD"))]
    answers = receive(frames)
    assert len(answers) == len(frames)
    assert all(b"MSA|AA|" in answer for answer in answers)
    site.settle()
    assert "GOOD" in patients(site)
    assert not any("\x00" in each or len(each) > 1000 for each in patients(site))
    with site.store.read() as tx:
        assert dict(tx.work.count()) == {}
        told = [each.message for _, found in tx.inbox.messages(HL7, failed_only=True) for each in found]
    assert any("longer than" in each for each in told)
    assert not any(LONG[:40] in each or "AB\x00" in each for each in told)
    assert receive(frames) == answers


def test_an_identifier_no_index_can_hold_is_refused_with_its_place(site: Site) -> None:
    receiver = FhirReceiver(site.receiver)
    for system, value in (("urn:x", LONG), (f"urn:{LONG}", "1")):
        body = {"resourceType": "Patient", "id": "p1", "identifier": [{"system": system, "value": value}]}
        request = FhirRequest(source=FHIR, method="PUT", type="Patient", id="p1", content=json.dumps(body).encode())
        answer = receiver.receive(request)
        assert answer.status == 422
        (issue,) = json.loads(answer.body)["issue"]
        assert issue["expression"] == ["Patient.identifier"]
        assert LONG[:40].encode() not in answer.body


def test_names_of_messages_of_any_length_are_told_apart_and_repeated(site: Site) -> None:
    receiver = FhirReceiver(site.receiver)

    def send(name: str, family: str) -> int:
        resource = {"resourceType": "Patient", "name": [{"family": family}]}
        entry = {"resource": resource, "request": {"method": "POST", "url": "Patient"}}
        identifier = {"system": "urn:messages", "value": name}
        body = {"resourceType": "Bundle", "type": "transaction", "identifier": identifier, "entry": [entry]}
        return receiver.receive(FhirRequest(source=FHIR, method="POST", content=json.dumps(body).encode())).status

    assert [send(LONG + "1", "A"), send(LONG + "2", "B"), send(LONG + "1", "A"), send(LONG + "1", "C")] == [
        200,
        200,
        200,
        409,
    ]
