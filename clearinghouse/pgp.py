"""OpenPGP between two parties: what one seals for the other, signed or not, and opens of theirs. Knows no X12.

Keys come by reference, are read when they are used, and are kept nowhere. No error shows a key or a content.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pysequoia

from clearinghouse.secret import resolve_secret
from gateway.errors import GatewayError

LARGEST_GROWTH = 16_384
"""Bytes by which a sealed file may be larger than the plain one: the session key, a signature, packet headers."""

_SESSION_KEY = (b"\x84", b"\x85", b"\x86", b"\xc1")
"""The first byte of a packet that holds a session key encrypted for a public key, in the old and the new format."""
_ARMORED = re.compile(rb"\s*-----BEGIN PGP MESSAGE-----[^\n]*\n(?:[^\n:]+:[^\n]*\n)*\s*\n?([A-Za-z0-9+/]{4})")


class KeyUnusable(GatewayError):
    """One of the keys cannot be used: missing, unreadable, expired, or locked by another passphrase."""


class NotOpened(GatewayError):
    """A file cannot be opened: not encrypted, not for our key, damaged, or not signed by them."""


@dataclass(frozen=True, slots=True)
class PgpRules:
    """Which keys seal and open, by reference. Their key seals what we send; ours opens what they send."""

    their_key_ref: str | None = None
    our_key_ref: str | None = None
    passphrase_ref: str | None = None
    sign: bool = False
    verify: bool = False


class Pgp:
    """Seals and opens by one partner's rules; relative `file:` references are beside a folder."""

    def __init__(self, rules: PgpRules, secrets_beside: Path | None = None) -> None:
        self._rules = rules
        self._beside = secrets_beside

    @property
    def seals(self) -> bool:
        """Whether what we send is encrypted."""
        return self._rules.their_key_ref is not None

    @property
    def opens(self) -> bool:
        """Whether what they send is encrypted."""
        return self._rules.our_key_ref is not None

    def seal(self, content: bytes) -> bytes:
        """Encrypted for their key, signed with ours where the rules say so; other bytes each time.

        Raises KeyUnusable, SecretMissing.
        """
        recipient = self._their_key()
        signer = self._our_signer() if self._rules.sign else None
        with _refused("their key encrypts nothing"):
            return pysequoia.encrypt(content, recipients=[recipient], signer=signer, armor=False)

    def open(self, sealed: bytes) -> bytes:
        """What was encrypted for our key, with their signature verified where the rules say so.

        Raises NotOpened, KeyUnusable, SecretMissing.
        """
        if not _is_encrypted(sealed):
            raise NotOpened("it is not encrypted with OpenPGP, though this partner's files are to be")
        decryptor = self._our_decryptor()
        theirs = self._their_key() if self._rules.verify else None
        try:
            opened = pysequoia.decrypt(sealed, decryptor, store=(lambda _: [theirs]) if theirs else None)
        except RuntimeError as error:
            raise NotOpened(_why_not(str(error))) from None
        return opened.bytes or b""

    def tried_keys(self) -> str:
        """That the keys work, in words; nothing is sent. Raises KeyUnusable, SecretMissing."""
        said = []
        if self.seals:
            self.seal(b"tried")
            theirs = self._their_key()
            until = f" until {theirs.expiration:%Y-%m-%d}" if theirs.expiration else ""
            said.append(f"uploads are sealed{' and signed' * self._rules.sign} for {theirs.fingerprint}{until}")
        if self.opens:
            ours = self._our_key()
            self._our_decryptor()
            said.append(f"answers are opened with {ours.extract_certificate().fingerprint}")
        return "; ".join(said)

    def _their_key(self) -> pysequoia.Cert:
        assert self._rules.their_key_ref is not None, "the profile's reader asks for it"
        with _refused("their key cannot be read: it is to be one public key, ASCII-armored"):
            key = pysequoia.Cert.from_bytes(self._text(self._rules.their_key_ref))
        return _in_force(key, "their")

    def _our_key(self) -> pysequoia.Tsk:
        assert self._rules.our_key_ref is not None, "the profile's reader asks for it"
        with _refused("our key cannot be read: it is to be one private key, ASCII-armored"):
            key = pysequoia.Tsk.from_bytes(self._text(self._rules.our_key_ref))
        _in_force(key.extract_certificate(), "our")
        return key

    def _our_signer(self) -> pysequoia.PySigner:
        key = self._our_key()
        with _refused("our key signs nothing: it may not sign, or the passphrase is another one"):
            return key.signer(self._passphrase())

    def _our_decryptor(self) -> pysequoia.PyDecryptor:
        key = self._our_key()
        with _refused("our key opens nothing: it may not decrypt, or the passphrase is another one"):
            return key.decryptor(self._passphrase())

    def _passphrase(self) -> str | None:
        reference = self._rules.passphrase_ref
        return resolve_secret(reference, self._beside).reveal() if reference else None

    def _text(self, reference: str) -> bytes:
        return resolve_secret(reference, self._beside).reveal().encode()


def _in_force(key: pysequoia.Cert, whose: str) -> pysequoia.Cert:
    """The key, unless it has expired or was revoked; the library itself would encrypt for either."""
    if key.is_revoked:
        raise KeyUnusable(f"{whose} key {key.fingerprint} was revoked; put the new one where the profile refers to")
    if key.expiration is not None and key.expiration <= datetime.now(UTC):
        raise KeyUnusable(
            f"{whose} key {key.fingerprint} expired on {key.expiration:%Y-%m-%d}; put the new one where the profile "
            "refers to"
        )
    return key


def _is_encrypted(content: bytes) -> bool:
    """Whether it begins with a session key for somebody: the library would also take what is only signed."""
    armored = _ARMORED.match(content)
    return content[:1] in _SESSION_KEY or (armored is not None and b64decode(armored[1])[:1] in _SESSION_KEY)


def _why_not(library_says: str) -> str:
    if library_says.startswith("Signature verification failed"):
        return "it carries no valid signature of this partner's key"
    if library_says.startswith("No key to decrypt"):
        return "it is encrypted for another key than ours"
    return "it cannot be decrypted: it is damaged, or not encrypted for our key"


@contextmanager
def _refused(reason: str) -> Iterator[None]:
    """The library's words hold its own stack, and may hold more; ours replace them."""
    try:
        yield
    except RuntimeError:
        raise KeyUnusable(reason) from None
