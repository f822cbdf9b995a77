"""SMART backend services: a signed assertion for an access token (SMART App Launch 2.1, asymmetric clients)."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapters.fhir.ehr_http import HttpAnswer, ask
from adapters.fhir.issues import Refused
from adapters.fhir.strict_json import read_json
from gateway.errors import ConfigurationError, PartnerPaused, Unavailable

_LIVES = timedelta(minutes=4)
"""Of an assertion; the profile allows five minutes."""
_EARLY = timedelta(seconds=30)
_P384_BYTES = 48
_RSA_BITS_MIN = 2048
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendClient:
    """Who we are at one EHR."""

    token_url: str
    client_id: str
    key_id: str
    scope: str
    key: SigningKey


def read_key(pem: str) -> SigningKey:
    """A private key in PEM: EC on P-384 (ES384) or RSA of 2048 bits or more (RS384). Raises ConfigurationError."""
    wanted = "the key of a pull is an unencrypted PEM private key: EC P-384, or RSA of 2048 bits or more"
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError([wanted]) from None
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1):
        return key
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _RSA_BITS_MIN:
        return key
    raise ConfigurationError([wanted])


def client_assertion(client: BackendClient, now: datetime) -> str:
    """A JWT signed with our key, good for one token and a few minutes."""
    algorithm = "ES384" if isinstance(client.key, ec.EllipticCurvePrivateKey) else "RS384"
    header = {"alg": algorithm, "kid": client.key_id, "typ": "JWT"}
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": client.token_url,
        "iat": int(now.timestamp()),
        "exp": int((now + _LIVES).timestamp()),
        "jti": uuid.uuid4().hex,
    }
    signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
    return f"{signed}.{_encoded(_signature(client.key, signed.encode()))}"


class BackendToken:
    """The access token, asked for anew when it runs out or is refused."""

    def __init__(self, client: BackendClient, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now
        self._token = ""
        self._good_until: datetime | None = None

    def value(self) -> str:
        """A token that is good now. Raises Unavailable; PartnerPaused when the EHR does not know us."""
        if not self._token or self._good_until is None or self._now() >= self._good_until:
            self._ask()
        return self._token

    def forget(self) -> None:
        """Ask for another one next time."""
        self._token = ""

    def _ask(self) -> None:
        now = self._now()
        form = urlencode(
            {
                "grant_type": "client_credentials",
                "scope": self._client.scope,
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": client_assertion(self._client, now),
            }
        ).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        answer = ask("POST", self._client.token_url, headers, form)
        if answer.status == 429 or answer.status >= 500:
            raise Unavailable(f"the EHR's token address answered {answer.status}")
        if answer.status != 200:
            raise PartnerPaused(
                f"the EHR's token address refused us ({answer.status}); check client_id, key_id, scope, and that the "
                "EHR knows our public key"
            )
        self._token, lives = _token_in(answer)
        self._good_until = now + lives - min(_EARLY, lives / 2)


def _token_in(answer: HttpAnswer) -> tuple[str, timedelta]:
    try:
        body = read_json(answer.body)
    except Refused:
        body = None
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise Unavailable("the EHR's token address answered without an access_token")
    seconds = body.get("expires_in", 300)
    return token, timedelta(seconds=seconds if isinstance(seconds, int) and 0 < seconds < 86_400 else 300)


def _signature(key: SigningKey, signed: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, padding.PKCS1v15(), hashes.SHA384())
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA384())))
    return r.to_bytes(_P384_BYTES, "big") + s.to_bytes(_P384_BYTES, "big")  # RFC 7518 section 3.4


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
