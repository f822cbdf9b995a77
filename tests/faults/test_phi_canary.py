"""Unmistakable made-up people go through every door, well and badly; nothing logged, counted or refused names one.

What is searched: both outputs of `serve` and of every command, refusals over HTTP, acknowledgements, metrics, headers,
and the names of all files of the site and of the partner's mailbox.
"""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Cleanclaim, Running

CANARIES = ("ZZQUAGMIRE", "QXPETRONEL", "77QQMEMBER", "19230917", "1923-09-17", "WOMBATALLEY", "MRNQ5512")
FAMILY, GIVEN, MEMBER, BORN, BORN_FHIR, STREET, RECORD = CANARIES
HL7_HEADER = "MSH|^~\\&|CEDARLINE|RIVERBENDREC|CLEANCLAIM|RIVERBEND|20260803073110-0500||{event}|{id}|P|2.5.1"
PERSON = f"PID|1||{RECORD}^^^RBREC^MR~8{RECORD}^^^RBENT^PI||{FAMILY}^{GIVEN}^A||{BORN}|F|||{STREET}^^Mill^IL^62095"
INSURANCE = (
    f"IN1|1|P1|3001^^^RBREC-PAYER|River State Medicaid||||||||20260101||||{FAMILY}^{GIVEN}^A|SEL|{BORN}|{STREET}^^Mill"
    f"^IL^62095|||1||||||||||||||P{RECORD}|||||||F||||||{MEMBER}^^^RBREC-PAYER"
)
VISIT = f"PV1|1|R|SUD-IOP^^^RIVERBEND-RECOVERY|C|||1882001039^{FAMILY}^{GIVEN}|||||||||1|||||S{RECORD}^^^RBREC^VN"
SUBMITTED = {"Content-Type": "application/fhir+json"}


@dataclass
class Site:
    """A site that is being served, and all that it ever said to anybody."""

    command: Cleanclaim
    folder: Path
    running: Running
    ports: dict[str, int]
    said: list[tuple[str, bytes]] = field(default_factory=list)

    def token(self, name: str) -> str:
        return (self.folder / "secrets" / f"{name}.token").read_text().strip()

    def ask(self, method: str, path: str, body: bytes = b"", token: str = "", **headers: str) -> int:
        """One request; what is refused, and every header, is kept for the search."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=30)
        with closing(connection):
            given = {**SUBMITTED, **({"Authorization": f"Bearer {token}"} if token else {}), **headers}
            connection.request(method, path, body or None, given)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status >= 400 or path == "/metrics":
                self.said.append((f"{method} {path}", str(answer.getheaders()).encode() + content))
            return answer.status

    def tell(self, *messages: bytes) -> bytes:
        """Frames over MLLP, and what is answered to them."""
        heard = b""
        for message in messages:
            with socket.create_connection(("127.0.0.1", self.ports["mllp:riverbend-hl7"]), timeout=30) as connection:
                connection.sendall(message)
                connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(65536):
                    heard += chunk
        self.said.append(("acknowledgements", heard))
        return heard

    def run(self, *arguments: str | Path) -> int:
        ended = self.command.run(*arguments)
        self.said.append((" ".join(map(str, arguments[:2])), (ended.out + ended.err).encode()))
        return ended.code


def found_in(said: list[tuple[str, bytes]]) -> list[str]:
    """Which canary sings where, with what was said just before it."""
    heard = []
    for where, content in said:
        low = content.lower()
        for canary in CANARIES:
            at = low.find(canary.lower().encode())
            if at >= 0:
                heard.append(f"{where}: {canary} after {content[max(0, at - 80) : at]!r}")
    return heard


@pytest.fixture
def site(cleanclaim_command: str, tmp_path: Path) -> Iterator[Site]:
    command = Cleanclaim(cleanclaim_command, tmp_path)
    command.run("init", "clinic", "--demo")
    settings = tmp_path / "clinic" / "site.yaml"
    settings.write_text(settings.read_text().replace("port: 8080", "port: 0").replace("port: 2575", "port: 0"))
    command.run("ingest", "--site", "clinic", "--source", "riverbend-fhir", "clinic/samples/fhir/01-clinic.json")
    with command.started("serve", "--site", "clinic") as running:
        ports = json.loads((tmp_path / "clinic" / "run" / "ports.json").read_text())["ports"]
        yield Site(command, tmp_path / "clinic", running, ports)


def framed(text: str | bytes) -> bytes:
    return b"\x0b" + (text if isinstance(text, bytes) else text.encode()) + b"\x1c\r"


def an_admission(id: str, *more: str, event: str = "ADT^A04^ADT_A01") -> str:
    header = HL7_HEADER.format(event=event, id=id)
    return "\r".join((header, "EVN|A04|20260803", PERSON, VISIT, *more)) + "\r"


def hl7_messages() -> list[bytes]:
    """Good, unmappable, damaged, hostile, of another character set, and no message at all."""
    good = an_admission("C1", INSURANCE, "ZPH|sud-iop|2.1")
    return [
        framed(good),
        framed(an_admission("C2", INSURANCE, f"ZPH|{FAMILY}|{GIVEN}|{BORN}99|{MEMBER}|{RECORD}")),
        framed(good.replace("C1", "C1B").replace(BORN, f"{FAMILY}")),
        framed(an_admission("C3", f"{FAMILY[:5]}|{GIVEN}")),
        framed(an_admission("C4", f"{FAMILY} {GIVEN}|broken line")),
        framed(an_admission("C5").replace(GIVEN, f"\\X0D\\MSA\\F\\AA\\F\\{GIVEN}\\E\\\\H\\\x1b[31m")),
        framed(an_admission("C6").replace("|2.5.1", "|2.5.1||||||UNICODE UTF-8").encode() + b"NTE|1||\xff\xfe" + b"\r"),
        framed(an_admission("C7", event="ZZZ^Z99")),
        framed(an_admission("")),
        framed(f"{FAMILY}|{GIVEN}|{BORN}"),
        framed(an_admission("C8").replace("|P|2.5.1", "|P|X.Y")),
        f"{FAMILY} outside of any frame\r".encode(),
        b"\x0b" + an_admission("C9").encode(),
        framed(an_admission("C10").replace(RECORD, RECORD + "X" * 5000)),
        framed(an_admission("C11").replace(RECORD, RECORD + "\x00")),
        framed(an_admission("C12", "OBX|1|TX|" + FAMILY * 200_000)),
    ]


def a_patient(**changes: Any) -> dict[str, Any]:
    given = {
        "resourceType": "Patient",
        "id": f"p-{RECORD}",
        "identifier": [{"system": "https://cedar.riverbend.example/mrn", "value": RECORD}],
        "name": [{"family": FAMILY, "given": [GIVEN]}],
        "birthDate": BORN_FHIR,
        "gender": "female",
        "address": [{"line": [STREET], "city": "Riverbend", "state": "IL", "postalCode": "62099"}],
    }
    return {**given, **changes}


def fhir_bodies() -> list[bytes]:
    """Good and bad resources, and bodies that are none."""
    good = a_patient()
    bad: list[dict[str, Any]] = [
        a_patient(gender=FAMILY),
        a_patient(birthDate=f"{BORN_FHIR}-{FAMILY}"),
        a_patient(nickname=GIVEN),
        a_patient(**{f"{FAMILY} {GIVEN}": GIVEN}),
        a_patient(resourceType=FAMILY),
        a_patient(name=FAMILY, birthDate=int(BORN)),
        a_patient(id=f"{FAMILY} {GIVEN}"),
        a_patient(identifier=[{"system": "urn:x", "value": RECORD * 500}]),
        a_patient(managingOrganization={"reference": f"{FAMILY}/{GIVEN}"}),
        a_patient(contained=[{"resourceType": "Patient", "id": FAMILY}]),
        {"resourceType": "Bundle", "type": FAMILY, "entry": [{"resource": good}]},
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": good, "fullUrl": FAMILY}]},
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": good, "request": {"method": "PUT", "url": f"Patient/{FAMILY}?{GIVEN}"}}],
        },
    ]
    text = json.dumps(good)
    broken = [
        text[:-20],
        text.replace('"gender"', '"name"'),
        text.replace('"gender"', f'"{FAMILY}": NaN, "gender"'),
        text.replace(f'"{GIVEN}"', f'"{GIVEN}\\ud800"'),
        "[" * 2000 + f'"{FAMILY}"' + "]" * 2000,
        f'"{FAMILY}"',
    ]
    return [json.dumps(each).encode() for each in (good, *bad)] + [each.encode() for each in broken]


def send_fhir(site: Site) -> None:
    token = site.token("riverbend-fhir")
    for body in fhir_bodies():
        for method, path in (("POST", "/fhir"), ("PUT", f"/fhir/Patient/p-{RECORD}"), ("POST", "/fhir/Patient")):
            site.ask(method, path, body, token)
        site.ask("POST", "/fhir", body, FAMILY)
        site.ask("POST", "/api/v1/messages", body, token)
    for path in (
        f"/fhir/Patient/{FAMILY}",
        f"/fhir/{FAMILY}/{GIVEN}",
        f"/fhir/Task?patient={FAMILY}",
        f"/fhir/Task?patient={RECORD}&{FAMILY}={GIVEN}",
        f"/fhir/Patient?name={FAMILY}",
        f"/fhir/Patient/x/_history/{FAMILY}",
        f"/{FAMILY}?{GIVEN}",
    ):
        for method in ("GET", "DELETE", "PATCH", FAMILY):
            site.ask(method, path, b"", token)
            site.ask(method, path, b"")
    site.ask("PUT", f"/fhir/Patient?identifier={FAMILY}|{GIVEN}", fhir_bodies()[0], token)
    for name in ("If-Match", "If-None-Exist", "Idempotency-Key", "Prefer", "Accept", "Content-Type", "Host"):
        site.ask("POST", "/fhir/Patient", fhir_bodies()[1], token, **{name: FAMILY})


def ask_the_api(site: Site) -> None:
    token = site.token("sam")
    for path in (
        f"/claims/{FAMILY}",
        f"/claims/{FAMILY}/why",
        f"/encounters?on={BORN_FHIR}{FAMILY}",
        f"/answers/{FAMILY}/raw",
    ):
        site.ask("GET", f"/api/v1{path}", b"", token)
        site.ask("GET", f"/api/v1{path}", b"", FAMILY)
    body = json.dumps({"nickname": GIVEN, "reason": {"text": FAMILY}, "expires_on": FAMILY}).encode()
    for path in (
        f"/claims/{FAMILY}/release",
        f"/claims/{FAMILY}/override",
        f"/exchange/{FAMILY}/resolve",
        "/messages/again",
    ):
        site.ask("POST", f"/api/v1{path}", body, token, **{"Content-Type": "application/json"})
        site.ask("POST", f"/api/v1{path}", FAMILY.encode(), token, **{"Content-Type": "application/json"})
    site.ask(
        "POST",
        "/api/v1/rosters/credentials",
        f"npi,payer,role,start_on\n{GIVEN},{FAMILY},{FAMILY},{BORN_FHIR}x\n".encode(),
        token,
        **{"Content-Type": "text/csv"},
    )


def wait_until(settled: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not settled() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert settled()


def nothing_waits(site: Site) -> bool:
    with closing(sqlite3.connect(site.folder / "cleanclaim.sqlite", timeout=30)) as database:
        (waiting,) = database.execute("SELECT count(*) FROM work WHERE kind <> 'parked'").fetchone()
        return bool(waiting == 0)


def names_of_files(site: Site) -> bytes:
    return "\n".join(str(each.relative_to(site.folder)) for each in site.folder.rglob("*")).encode()


def test_no_door_says_whom_it_was_told_of(site: Site) -> None:
    acknowledged = site.tell(*hl7_messages())
    assert acknowledged.count(b"MSA|AA|") > 5
    assert acknowledged.count(b"MSA|AR|") > 2
    send_fhir(site)
    ask_the_api(site)
    wait_until(lambda: nothing_waits(site))
    assert site.ask("GET", "/metrics") == 200
    site.said.append(("names of files", names_of_files(site)))
    ended = site.running.stop()
    site.said.append(("serve", (ended.out + ended.err).encode()))
    assert found_in(site.said) == []


def test_a_database_that_refuses_a_row_says_nothing_of_what_was_in_it(site: Site) -> None:
    """A constraint that fails: the driver's text of it would hold every value of the statement."""
    with closing(sqlite3.connect(site.folder / "cleanclaim.sqlite", timeout=30)) as database:
        for table in ("assertion", "fhir_resource"):
            database.execute(
                f"CREATE TRIGGER refuse_{table} BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        database.commit()
    site.tell(*hl7_messages()[:2])
    assert site.ask("PUT", f"/fhir/Patient/p-{RECORD}", fhir_bodies()[0], site.token("riverbend-fhir")) == 500
    wait_until(lambda: nothing_waits(site))
    with closing(sqlite3.connect(site.folder / "cleanclaim.sqlite", timeout=30)) as database:
        database.execute("ALTER TABLE assertion RENAME TO elsewhere")
        database.commit()
    site.tell(*hl7_messages()[4:6])
    time.sleep(1.5)
    ended = site.running.stop()
    site.said.append(("serve", (ended.out + ended.err).encode()))
    assert "IntegrityError" in ended.err
    assert found_in(site.said) == []


def test_commands_about_files_say_where_and_never_what(site: Site, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for number, frame in enumerate(hl7_messages()):
        (files / f"{number}.hl7").write_bytes(frame.strip(b"\x0b\x1c\r"))
    for number, body in enumerate(fhir_bodies()):
        (files / f"{number}.json").write_bytes(body)
    for number, content in enumerate(x12_files()):
        (files / f"{number}.x12").write_bytes(content)
    site.run("check", files)
    site.run("check", files, "--json")
    for source, suffix in (("riverbend-fhir", "json"), ("riverbend-hl7", "hl7"), ("riverbend-hl7", "x12")):
        paths = sorted(files.glob(f"*.{suffix}"))
        site.run("ingest", "--site", "clinic", "--source", source, *paths)
        site.run("ingest", "--site", "clinic", "--source", source, *paths, "--json")
    for arguments in (("messages", "list", "--failed"), ("doctor",), ("exchange", "status"), ("claims", "list")):
        site.run(*arguments, "--site", "clinic", "--json")
    assert found_in(site.said) == []


def x12_files() -> list[bytes]:
    """A claim, a remittance and an acknowledgement of the person, whole and damaged in places."""
    envelope = (
        b"ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260803*1200*^*00501*000000001*0*T*:~"
    )
    name = f"NM1*IL*1*{FAMILY}*{GIVEN}****MI*{MEMBER}~N3*{STREET}~N4*MILL*IL*62095~DMG*D8*{BORN}*F~".encode()
    bodies = (
        (b"HC", b"837", b"005010X223A2", b"CLM*" + RECORD.encode() + b"*100***13:A:1**A*Y*Y~" + name),
        (b"HP", b"835", b"005010X221A1", b"BPR*I*1*C*CHK~CLP*" + RECORD.encode() + b"*1*100*1**CI*1~NM1*QC*1*"
         + FAMILY.encode() + b"*" + GIVEN.encode() + b"****MI*" + MEMBER.encode() + b"~"),
        (b"HN", b"277", b"005010X214", name + b"TRN*2*" + RECORD.encode() + b"~STC*A3:21*20260803*U*100~"),
        (b"FA", b"999", b"005010X231A1", b"AK1*HC*1*005010X223A2~CTX*" + FAMILY.encode()
         + b"~IK4*1**1*" + MEMBER.encode() + b"~"),
    )  # fmt: skip
    whole = []
    for code, kind, guide, body in bodies:
        group = b"GS*" + code + b"*S*R*20260803*1200*1*X*" + guide + b"~ST*" + kind + b"*0001*" + guide + b"~"
        whole.append(envelope + group + body + b"SE*9*0001~GE*1*1~IEA*1*000000001~")
    damaged = [each.replace(b"DMG*D8", b"DMG*" + FAMILY.encode()) for each in whole]
    damaged += [each[: len(each) // 2] for each in whole]
    damaged += [each.replace(b"~NM1", b"~" + FAMILY.encode()) for each in whole]
    damaged += [each.replace(b"CLM*", b"CLM*" + b"Z" * 100) for each in whole[:1]]
    return whole + damaged
