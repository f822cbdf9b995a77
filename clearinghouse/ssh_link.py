"""One proven SSH connection to a partner: address allowed, host key pinned, login tried once. Knows no files.

The secret is resolved and sent only after the server's key matched a pin.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from clearinghouse.mailbox import (
    AddressNotAllowed,
    AlgorithmsRefused,
    AuthenticationFailed,
    HostKeyChanged,
    LoginInterrupted,
    TimedOut,
    Unreachable,
)
from clearinghouse.partner import SftpAccess
from clearinghouse.secret import resolve_secret
from clearinghouse.sftp_requests import SftpRequests

# paramiko still offers these; a partner who cannot do better needs them named in its own profile (legacy_algorithms).
WEAK_ALGORITHMS = {
    "ciphers": ("3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc"),
    "macs": ("hmac-md5", "hmac-md5-96", "hmac-sha1", "hmac-sha1-96"),
    "kex": ("diffie-hellman-group-exchange-sha1", "diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1"),
    "keys": ("ssh-rsa", "ssh-dss", "ssh-rsa-cert-v01@openssh.com"),
    "pubkeys": ("ssh-rsa", "ssh-dss", "ssh-rsa-cert-v01@openssh.com"),
}
_KEY_KINDS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)

logging.getLogger("paramiko").addHandler(logging.NullHandler())


class SshLink:
    """An authenticated connection with its SFTP channel; `abort` ends it at once and never waits for the other side."""

    def __init__(self, transport: paramiko.Transport, requests: SftpRequests) -> None:
        self._transport = transport
        self.requests = requests
        self.is_open = True

    def abort(self) -> None:
        """Drop the connection: what was not answered stays unknown."""
        self.is_open = False
        _drop(self._transport)

    @contextlib.contextmanager
    def until(self, deadline: float) -> Iterator[SftpRequests]:
        """The requests, with every wait inside the block bound to end at a monotonic `deadline`."""
        guard = threading.Timer(max(0.0, deadline - time.monotonic()) + 1, self.abort)
        guard.daemon = True
        guard.start()
        self.requests.deadline = deadline
        try:
            yield self.requests
        except Unreachable:
            self.abort()
            raise
        finally:
            guard.cancel()


def open_link(access: SftpAccess, clock: Callable[[], datetime], secrets_beside: Path | None = None) -> SshLink:
    """Connect, compare the host key with the pins, log in once, start SFTP.

    Raises Unreachable, TimedOut, AddressNotAllowed, AlgorithmsRefused, HostKeyChanged, LoginInterrupted,
    AuthenticationFailed and SecretMissing.
    """
    transport = _start_transport(access, _connect(access))
    guard = threading.Timer(access.connect_timeout_s + 2 * access.operation_timeout_s, _drop, [transport])
    guard.daemon = True
    guard.start()
    try:
        _handshake(transport, access)
        _check_host_key(transport, access, clock)
        _log_in(transport, access, secrets_beside)
        channel = transport.open_session(timeout=access.operation_timeout_s)
        channel.settimeout(access.operation_timeout_s)
        channel.invoke_subsystem("sftp")
        return SshLink(transport, SftpRequests(channel, access.operation_timeout_s))
    except IncompatiblePeer:
        _drop(transport)
        raise AlgorithmsRefused from None
    except (OSError, EOFError, paramiko.SSHException) as failure:
        _drop(transport)
        raise Unreachable(f"the SSH session could not be set up ({type(failure).__name__})") from None
    except BaseException:
        _drop(transport)
        raise
    finally:
        guard.cancel()


def _connect(access: SftpAccess) -> socket.socket:
    deadline = time.monotonic() + access.connect_timeout_s
    problem: Exception = OSError("no address")
    for address in _addresses(access):
        try:
            left = max(0.1, deadline - time.monotonic())
            connected = socket.create_connection((address, access.port), timeout=left)
        except OSError as failure:
            problem = failure
            continue
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected
    if isinstance(problem, TimeoutError):
        raise TimedOut("the partner's server did not accept a connection in time")
    raise Unreachable(f"the partner's server cannot be reached ({type(problem).__name__})")


def _addresses(access: SftpAccess) -> list[str]:
    """Every address of the host, or AddressNotAllowed when one is outside: a poisoned name must not choose for us."""
    try:
        found = socket.getaddrinfo(access.host, access.port, type=socket.SOCK_STREAM)
    except OSError as failure:
        raise Unreachable(f"the partner's host name cannot be resolved ({type(failure).__name__})") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    allowed = [ipaddress.ip_network(network) for network in access.allowed_networks]
    for address in addresses:
        if allowed and not any(ipaddress.ip_address(address.partition("%")[0]) in network for network in allowed):
            raise AddressNotAllowed
    return addresses


def _start_transport(access: SftpAccess, connected: socket.socket) -> paramiko.Transport:
    disabled = {
        kind: [name for name in names if name not in access.legacy_algorithms]
        for kind, names in WEAK_ALGORITHMS.items()
    }
    transport = paramiko.Transport(connected, disabled_algorithms=disabled)
    transport.daemon = True
    transport.banner_timeout = transport.handshake_timeout = access.connect_timeout_s
    transport.auth_timeout = transport.channel_timeout = access.operation_timeout_s
    options = transport.get_security_options()
    pinned = [name for pin in access.host_keys for name in _signature_names(pin.algorithm) if name in options.key_types]
    # Authenticated encryption first: it is faster, and the one family that the Terrapin attack never touched.
    options.ciphers = sorted(options.ciphers, key=lambda name: "gcm" not in name)
    # The pinned kinds first, so that a server with several keys shows the one we can compare.
    options.key_types = list(dict.fromkeys([*pinned, *options.key_types]))
    return transport


def _signature_names(algorithm: str) -> tuple[str, ...]:
    return ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa") if algorithm == "ssh-rsa" else (algorithm,)


def _handshake(transport: paramiko.Transport, access: SftpAccess) -> None:
    transport.start_client(timeout=access.connect_timeout_s)
    if not transport.initial_kex_done:  # paramiko returns quietly when its time is up
        raise TimedOut("the partner's server did not finish the SSH handshake in time")


def _check_host_key(transport: paramiko.Transport, access: SftpAccess, clock: Callable[[], datetime]) -> None:
    shown = transport.get_remote_server_key()
    today = clock().date()
    for pin in access.host_keys:
        in_date = pin.not_after is None or today <= pin.not_after
        if in_date and (pin.algorithm, pin.key) == (shown.get_name(), shown.get_base64()):
            return
    raise HostKeyChanged(
        f"the partner's server showed the host key {shown.fingerprint}, which is not pinned; our secret was not sent. "
        "Ask the partner; if the change is theirs, add the key to sftp.host_keys"
    )


def _log_in(transport: paramiko.Transport, access: SftpAccess, secrets_beside: Path | None) -> None:
    """One try: a refusal may lock the account, and so may a connection that ends before the answer to a login.

    A server that takes passwords only by keyboard-interactive is answered there (paramiko's fallback).
    """
    began_at = time.monotonic()
    try:
        if access.private_key_ref:
            transport.auth_publickey(access.username, _private_key(access, secrets_beside))
        else:
            secret = resolve_secret(access.password_ref or "", secrets_beside)
            transport.auth_password(access.username, secret.reveal())
    except paramiko.AuthenticationException as failure:
        if not transport.is_active() or time.monotonic() - began_at >= access.operation_timeout_s:
            raise LoginInterrupted from None
        raise AuthenticationFailed(
            f"the partner refused the login ({type(failure).__name__}); it was tried once. Check user name and secret"
        ) from None
    except (OSError, EOFError, paramiko.SSHException):
        raise LoginInterrupted from None
    if not transport.is_authenticated():
        raise AuthenticationFailed("the partner wants a further login step, which this profile does not have")


def _private_key(access: SftpAccess, secrets_beside: Path | None) -> paramiko.PKey:
    text = resolve_secret(access.private_key_ref or "", secrets_beside).reveal()
    password = resolve_secret(access.passphrase_ref, secrets_beside).reveal() if access.passphrase_ref else None
    for kind in _KEY_KINDS:
        try:
            return kind.from_private_key(io.StringIO(text + "\n"), password)
        except (paramiko.SSHException, ValueError):
            continue
    raise AuthenticationFailed("the private key cannot be read: wrong passphrase, or not an OpenSSH or PEM key")


def _drop(transport: paramiko.Transport) -> None:
    """End a connection without waiting: closing politely would wait for a server that may never answer."""
    with contextlib.suppress(OSError):
        transport.sock.shutdown(socket.SHUT_RDWR)
    transport.close()
