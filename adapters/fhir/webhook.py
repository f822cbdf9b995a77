"""Posts one signed notice to an EHR: only where it may go, to the address that was looked at, nowhere else."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from adapters.fhir.timed_answer import wait_until
from gateway.errors import ConfigurationError, NotAllowed, Unavailable

_ANSWER_S = 10.0
_WHOLE_S = 30.0
"""However steadily the answer trickles; nothing of it but its status is read."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LookUp = Callable[[str, int], Sequence[str]]
"""Addresses of a host name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """Where notices go. Raises ConfigurationError when made of anything but an https address."""

    url: str
    secret: bytes
    networks: tuple[_Network, ...] = ()
    certificate_authority: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or parts.username is not None or parts.fragment:
            raise ConfigurationError(["a webhook's url is https://host/path, without a user's name in it"])


def read_networks(texts: Sequence[str]) -> tuple[_Network, ...]:
    """Networks in CIDR notation. Raises ConfigurationError."""
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError:
        raise ConfigurationError(["a webhook's networks are written like 10.1.0.0/16"]) from None


def look_up(host: str, port: int) -> list[str]:
    """What the machine's resolver says. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def signature(secret: bytes, at: datetime, body: bytes) -> str:
    """``t=SECONDS,v1=HEX``: HMAC-SHA256 over ``SECONDS.body``. A receiver refuses what is older than five minutes."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={hmac.new(secret, f'{seconds}.'.encode() + body, hashlib.sha256).hexdigest()}"


def post_notice(target: WebhookTarget, number: int, body: bytes, at: datetime, find: LookUp = look_up) -> None:
    """Deliver one notice. Raises Unavailable (try again), NotAllowed where the address may not be asked."""
    parts = urlsplit(target.url)
    host, port = parts.hostname or "", parts.port or 443
    headers = {
        "Content-Type": "application/json",
        "Cleanclaim-Event": str(number),
        "Cleanclaim-Signature": signature(target.secret, at, body),
    }
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = _Pinned(host, port, _address(target, host, port, find), _secure(target))
        wait_until(connection, time.monotonic() + _WHOLE_S, _ANSWER_S)
        try:
            connection.request("POST", path, body=body, headers=headers)
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"the webhook at {host} does not answer ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise Unavailable(f"the webhook at {host} answered {status}")


def _address(target: WebhookTarget, host: str, port: int, find: LookUp) -> str:
    """The address to connect to. Every one the name has must be allowed: a name may point at us the second time."""
    found = [ipaddress.ip_address(each.partition("%")[0]) for each in find(host, port)]
    if not found:
        raise Unavailable(f"the webhook's host {host} has no address")
    if not all(_may_be_asked(each, target.networks) for each in found):
        raise NotAllowed(
            f"the webhook's host {host} is at an address of this machine or a private network; name the network under "
            "webhook.networks if that is meant"
        )
    return str(found[0])


def _may_be_asked(address: _Address, networks: Sequence[_Network]) -> bool:
    plain = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped else address
    if any(plain.version == each.version and plain in each for each in networks):
        return True
    return plain.is_global and not plain.is_multicast


def _secure(target: WebhookTarget) -> ssl.SSLContext:
    secure = ssl.create_default_context(cafile=target.certificate_authority)
    secure.minimum_version = ssl.TLSVersion.TLSv1_2
    return secure


class _Pinned(http.client.HTTPSConnection):
    """Connects to the address that was looked at, and asks its certificate for the name."""

    def __init__(self, host: str, port: int, address: str, secure: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=_ANSWER_S, context=secure)
        self._address = address
        self._secure = secure

    def connect(self) -> None:
        """No second look-up."""
        plain = socket.create_connection((self._address, self.port), timeout=_ANSWER_S)
        try:
            self.sock = self._secure.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
