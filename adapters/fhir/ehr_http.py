"""One HTTP request to an EHR and its whole answer, within bounds. Knows no FHIR; follows no redirect."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from adapters.fhir.timed_answer import wait_until
from gateway.errors import ConfigurationError, Unavailable

_CHUNK = 65_536
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PORTS = {"https": 443, "http": 80}
Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What one request may take."""

    answer_max: int = 10 * 1024 * 1024
    """Bytes of a body; a larger one is not read to its end."""
    quiet_s: float = 30.0
    """Longest silence, connecting included."""
    whole_s: float = 120.0
    """Longest time for the whole answer, however steadily it trickles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """Status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def origin_of(url: str) -> Origin:
    """Scheme, host and port of an address that may be asked: https, or http on this machine.

    Raises ConfigurationError, which says why not.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError(["an EHR's address is no address"]) from None
    host = (parts.hostname or "").lower()
    if parts.username is not None or not host or parts.scheme not in _PORTS:
        raise ConfigurationError(["an EHR's address is https://host/path, without a user's name in it"])
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ConfigurationError(["an EHR is asked over https; plain http is for this machine alone"])
    return parts.scheme, host, _port(parts)


def ask(
    method: str, url: str, headers: Mapping[str, str], body: bytes = b"", limits: HttpLimits | None = None
) -> HttpAnswer:
    """Send one request. Raises Unavailable when there is no whole answer, and says of it only what holds no data."""
    within = limits or HttpLimits()
    scheme, host, port = origin_of(url)
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _connection(scheme, host, port, within.quiet_s)
    wait_until(connection, time.monotonic() + within.whole_s, within.quiet_s)
    try:
        connection.request(method, target, body=body or None, headers={"Accept-Encoding": "identity", **headers})
        answer = connection.getresponse()
        content = _read(answer, within.answer_max)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"the EHR at {host} does not answer ({type(error).__name__})") from None
    finally:
        connection.close()
    return HttpAnswer(
        status=answer.status, headers={name.lower(): value for name, value in answer.getheaders()}, body=content
    )


def _read(answer: http.client.HTTPResponse, most: int) -> bytes:
    content = bytearray()
    while chunk := answer.read(min(_CHUNK, most + 1 - len(content))):
        content += chunk
        if len(content) > most:
            raise Unavailable(f"the EHR's answer is larger than {most:,} bytes; ask for smaller pages (page_size)")
    expected = answer.headers.get("Content-Length", "")
    if expected.isdigit() and len(content) < int(expected):
        raise Unavailable("the EHR's answer broke off")
    return bytes(content)


def _connection(scheme: str, host: str, port: int, quiet_s: float) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=quiet_s)
    secure = ssl.create_default_context()
    secure.minimum_version = ssl.TLSVersion.TLSv1_2
    return http.client.HTTPSConnection(host, port, timeout=quiet_s, context=secure)


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or _PORTS[parts.scheme]
    except ValueError:
        raise ConfigurationError(["the port of an EHR's address is no port"]) from None
