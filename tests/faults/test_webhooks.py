"""Notices to an EHR: in order, without gaps, signed, only where they may go; and never in a claim's way."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import socket
import threading
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI, Request, Response

from adapters.fhir.webhook import WebhookTarget, post_notice, read_networks
from gateway.errors import ConfigurationError, NotAllowed, Unavailable
from gateway.wiring.ingest import Taking
from gateway.wiring.site import Site, open_site
from gateway.wiring.webhooks import LONGEST_REST_S, WebhookPass
from tests.factories import NOON
from tests.unit.wiring.test_fhir_feeds import AROUND, SOURCE, STAY, child, clinic_of

PATIENCE_S = 20.0
SECRET = "known-to-both"


class Receiver:
    """An EHR's webhook. Answers are 204 unless others are laid ready."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.signed: list[bool] = []
        self.answers: deque[Response] = deque()
        self.port = 0

    async def hear(self, request: Request) -> Response:
        body = await request.body()
        seconds, _, given = request.headers["cleanclaim-signature"].removeprefix("t=").partition(",v1=")
        expected = hmac.new(SECRET.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
        self.signed.append(given == expected)
        self.heard.append(json.loads(body))
        return self.answers.popleft() if self.answers else Response(status_code=204)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of localhost that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    written = folder / "webhook.pem", folder / "webhook.key"
    written[0].write_bytes(made.public_bytes(Encoding.PEM))
    written[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return written


@pytest.fixture
def ehr(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver()
    app = FastAPI(openapi_url=None)
    app.add_api_route("/hook", receiver.hear, methods=["POST"])
    certified, key = certificate(tmp_path)
    listening = socket.create_server(("127.0.0.1", 0))
    receiver.port = listening.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(app, lifespan="off", log_config=None, ssl_certfile=certified, ssl_keyfile=key)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="webhook")
    thread.start()
    yield receiver
    server.should_exit = True
    thread.join(PATIENCE_S)
    listening.close()


@pytest.fixture
def site(ehr: Receiver, tmp_path: Path) -> Iterator[Site]:
    """A site that was told of one patient's day: one claim."""
    folder = clinic_of(tmp_path / "clinic")
    (folder / "secrets" / "webhook.secret").write_text(SECRET)
    (folder / "webhook.pem").write_bytes((tmp_path / "webhook.pem").read_bytes())
    webhook = (
        f"webhook: {{url: 'https://localhost:{ehr.port}/hook', secret: 'file:secrets/webhook.secret', "
        "networks: [127.0.0.0/8], certificate_authority: webhook.pem}"
    )
    settings = folder / "site.yaml"
    token = f"token: 'file:secrets/{SOURCE}.token'"
    settings.write_text(settings.read_text().replace(token, f"{token}, {webhook}"))
    opened = open_site(folder)
    tell(
        opened,
        *AROUND,
        STAY,
        *(child(number, episodeOfCare=[{"reference": "EpisodeOfCare/stay"}]) for number in range(3)),
    )
    yield opened
    opened.close()


def tell(site: Site, *resources: dict[str, Any]) -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}
    taking = Taking(site, SOURCE)
    taking.take_bytes(json.dumps(bundle).encode())
    taking.finish()


def notices(site: Site, clock: list[float] | None = None) -> WebhookPass:
    (source,) = (each for each in site.settings.sources if each.name == SOURCE)
    at = clock if clock is not None else [0.0]
    return WebhookPass(site, source, lambda *_: ["127.0.0.1"], lambda: at[0])


@pytest.mark.fault("F46")
def test_what_became_of_a_claim_is_told_once_by_its_id_alone_and_signed(site: Site, ehr: Receiver) -> None:
    told = notices(site)
    assert [1, 0] == [told.run(), told.run()]
    (claim,) = claims(site)
    assert [{"event", "type", "at", "task"}] == [set(each) for each in ehr.heard]
    assert (1, f"Task/{claim}") == (ehr.heard[0]["event"], ehr.heard[0]["task"])
    assert [True] == ehr.signed


def claims(site: Site) -> list[str]:
    with site.store.read() as tx:
        return [id for id, _ in tx.webhooks.changed("nobody", "riverbend", 10)]


@pytest.mark.fault("F46")
@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=500),
        Response(status_code=302, headers={"Location": "http://127.0.0.1/"}),
        Response(status_code=404),
    ],
    ids=["500", "redirect", "404"],
)
def test_what_was_not_taken_is_told_again_under_its_number(site: Site, ehr: Receiver, answer: Response) -> None:
    ehr.answers.append(answer)
    clock = [0.0]
    told = notices(site, clock)
    with pytest.raises(Unavailable):
        told.run()
    assert 0 == told.run()
    clock[0] = LONGEST_REST_S
    assert 1 == told.run()
    assert [1, 1] == [each["event"] for each in ehr.heard]


@pytest.mark.fault("F46")
def test_an_ehr_that_is_away_stops_no_claim_and_misses_nothing(site: Site, ehr: Receiver) -> None:
    ehr.answers.append(Response(status_code=503))
    clock = [0.0]
    told = notices(site, clock)
    with pytest.raises(Unavailable):
        told.run()
    cancelled = [child(number, status="cancelled") for number in range(3)]
    tell(site, *cancelled)
    assert 0 == told.run()
    clock[0] = LONGEST_REST_S
    told.run()
    numbers = [each["event"] for each in ehr.heard[1:]]
    assert list(range(1, len(numbers) + 1)) == numbers


@pytest.mark.fault("F46")
@pytest.mark.parametrize(
    "addresses",
    [
        ["169.254.169.254"], ["127.0.0.1"], ["10.0.0.5"], ["::1"], ["fe80::1%eth0"], ["::ffff:127.0.0.1"], ["0.0.0.0"],
        ["192.168.1.1"], ["100.64.0.1"], ["93.184.216.34", "127.0.0.1"], ["fd00::1"], ["224.0.0.1"],
    ],
)  # fmt: skip
def test_a_name_that_points_at_us_or_into_a_private_network_is_never_asked(addresses: list[str]) -> None:
    target = WebhookTarget(url="https://ehr.example.org/hook", secret=b"s")
    with pytest.raises(NotAllowed):
        post_notice(target, 1, b"{}", NOON, lambda *_: addresses)


@pytest.mark.fault("F46")
def test_the_address_that_was_looked_at_is_the_one_that_is_asked(ehr: Receiver, tmp_path: Path) -> None:
    """A name that is looked up again may point elsewhere by then: it is looked up once."""
    looked_up: list[str] = []

    def find(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    target = WebhookTarget(
        url=f"https://localhost:{ehr.port}/hook", secret=SECRET.encode(), networks=read_networks(["127.0.0.1/32"]),
        certificate_authority=tmp_path / "webhook.pem",
    )  # fmt: skip
    post_notice(target, 7, b"{}", NOON, find)
    assert (["localhost"], [{}], [True]) == (looked_up, ehr.heard, ehr.signed)


@pytest.mark.fault("F46")
def test_a_certificate_nobody_vouches_for_is_not_told_anything(ehr: Receiver) -> None:
    target = WebhookTarget(
        url=f"https://localhost:{ehr.port}/hook", secret=b"s", networks=(ipaddress.ip_network("127.0.0.0/8"),)
    )
    with pytest.raises(Unavailable):
        post_notice(target, 1, b"{}", NOON, lambda *_: ["127.0.0.1"])
    assert [] == ehr.heard


@pytest.mark.parametrize("url", ["http://ehr.example.org/", "https://", "https://user@ehr.example.org/", "file:///etc"])
def test_a_webhook_is_an_https_address(url: str) -> None:
    with pytest.raises(ConfigurationError):
        WebhookTarget(url=url, secret=b"s")
