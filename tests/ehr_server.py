"""An EHR that only answers, on this machine: SMART backend tokens, searches in pages, and faults on request."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import uvicorn
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from fastapi import FastAPI, Request, Response

PATIENCE_S = 20.0
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class EhrServer:
    """Resources by type, each with when it changed; answers ``faults`` first, one a search."""

    def __init__(self, public_key: PublicKey, now: datetime) -> None:
        self.public_key = public_key
        self.now = now
        self.resources: dict[str, list[tuple[datetime, dict[str, Any]]]] = {}
        self.faults: deque[Response] = deque()
        self.searches: list[str] = []
        self.tokens: list[str] = []
        self.assertion_ids: set[str] = set()
        self.knows_us = True
        self.next_elsewhere = ""
        self.by_patient: set[str] = set()
        """Types that nobody may search without a patient."""
        self.gone: set[str] = set()
        """Patients it has no more, of whom it answers nothing."""
        self.base = ""

    def put(self, resource: dict[str, Any], at: datetime) -> None:
        """The resource as it is from a moment on."""
        stamped = {**resource, "meta": {"lastUpdated": at.isoformat()}}
        self.resources.setdefault(resource["resourceType"], []).append((at, stamped))

    def app(self) -> FastAPI:
        """The server's two addresses."""
        app = FastAPI(openapi_url=None)
        app.add_api_route("/token", self._token, methods=["POST"])
        app.add_api_route("/fhir/{type}", self._search, methods=["GET"])
        return app

    async def _token(self, request: Request) -> Response:
        form = dict(part.split("=", 1) for part in (await request.body()).decode().split("&"))
        if not (self._holds(form["client_assertion"]) and self.knows_us):
            return Response('{"error": "invalid_client"}', 401, media_type="application/json")
        self.tokens.append(f"token-{len(self.tokens)}")
        return Response(json.dumps({"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": 300}))

    def _holds(self, assertion: str) -> bool:
        """Whether the assertion is signed by our key, for this address, for at most five minutes, and new."""
        signed, _, signature = assertion.rpartition(".")
        header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
        raw = _decoded(signature)
        try:
            if isinstance(self.public_key, rsa.RSAPublicKey):
                self.public_key.verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA384())
            else:
                pair = encode_dss_signature(int.from_bytes(raw[:48], "big"), int.from_bytes(raw[48:], "big"))
                self.public_key.verify(pair, signed.encode(), ec.ECDSA(hashes.SHA384()))
        except InvalidSignature:
            return False
        new = claims["jti"] not in self.assertion_ids
        self.assertion_ids.add(claims["jti"])
        for_us = claims["aud"] == f"{self.base}/token" and claims["iss"] == claims["sub"] == "cleanclaim"
        return new and for_us and header["kid"] == "key-1" and claims["exp"] - claims["iat"] <= 300

    async def _search(self, request: Request, type: str) -> Response:
        query = request.url.query
        self.searches.append(f"{type}?{query}")
        if request.headers.get("authorization") != f"Bearer {self.tokens[-1] if self.tokens else ''}":
            return Response(status_code=401)
        if self.faults:
            return self.faults.popleft()
        if type in self.by_patient and "patient" not in request.query_params:
            return Response(status_code=400)
        if request.query_params.get("patient") in self.gone:
            return Response(status_code=404)
        return self._page(type, dict(request.query_params))

    def _page(self, type: str, asked: dict[str, str]) -> Response:
        since = datetime.fromisoformat(asked["_lastUpdated"].removeprefix("ge")) if "_lastUpdated" in asked else None
        found = [body for at, body in self.resources.get(type, []) if since is None or at >= since]
        if patient := asked.get("patient"):
            found = [each for each in found if each["subject"]["reference"] == f"Patient/{patient}"]
        start, count = int(asked.get("start", 0)), int(asked["_count"])
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
        if found[start : start + count]:
            bundle["entry"] = [
                {"fullUrl": f"{self.base}/fhir/{type}/{each['id']}", "resource": each, "search": {"mode": "match"}}
                for each in found[start : start + count]
            ]
        if start + count < len(found):
            kept = "&".join(f"{name}={value}" for name, value in asked.items() if name != "start")
            following = self.next_elsewhere or f"{self.base}/fhir/{type}?{kept}&start={start + count}"
            bundle["link"] = [{"relation": "next", "url": following}]
        headers = {"Date": format_datetime(self.now, usegmt=True)}
        return Response(json.dumps(bundle), media_type="application/fhir+json", headers=headers)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@contextmanager
def running_ehr(ehr: EhrServer) -> Iterator[None]:
    """The server on a free port of loopback for as long as the block runs; ``base`` says where."""
    listening = socket.create_server(("127.0.0.1", 0))
    ehr.base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(
        uvicorn.Config(ehr.app(), lifespan="off", log_config=None, date_header=False, server_header=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="ehr")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        listening.close()
