"""Identifiers of the trade: NPI check digit, claim numbers with a check character, batch references."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base 32: no letter that reads as a digit
_CLAIM_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NPI = re.compile(r"[12]\d{9}\Z", re.ASCII)
_TAXONOMY = re.compile(r"[0-9A-Z]{9}X\Z", re.ASCII)
CLAIM_NUMBER_LENGTH = 12


def npi_is_valid(npi: str) -> bool:
    """True when the ten digits pass the NPI check: Luhn over ``80840`` + NPI (45 CFR 162.406, CMS NPI check digit)."""
    if not _NPI.match(npi):
        return False
    total = 24  # the constant that the prefix 80840 adds
    for position, digit in enumerate(reversed(npi)):
        value = int(digit)
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def taxonomy_is_shaped(code: str) -> bool:
    """True for ten characters of digits and capitals that end in X, the shape of a provider taxonomy code."""
    return bool(_TAXONOMY.match(code))


def claim_number(sequence: int) -> str:
    """The CLM01 of this sequence number: 12 of [A-Z0-9], the last a check character (ISO 7064 MOD 37-2).

    It shows every single wrong character and every two neighbours that changed places. Where the check would be the
    standard's 37th character, the asterisk, the number begins with D instead of C, which gives it another check.
    """
    if sequence < 0:
        raise ValueError("a claim number's sequence is never negative")
    digits = []
    for _ in range(CLAIM_NUMBER_LENGTH - 2):
        sequence, remainder = divmod(sequence, 36)
        digits.append(_CLAIM_ALPHABET[remainder])
    if sequence:
        raise ValueError("the claim numbers of this length are used up")
    body = "".join(reversed(digits))
    first = "C" if _check("C" + body) < len(_CLAIM_ALPHABET) else "D"
    return first + body + _CLAIM_ALPHABET[_check(first + body)]


def claim_number_is_intact(number: str) -> bool:
    """False when a claim number of ours came back mistyped or cut."""
    return (
        len(number) == CLAIM_NUMBER_LENGTH
        and all(character in _CLAIM_ALPHABET for character in number)
        and _check(number[:-1]) == _CLAIM_ALPHABET.index(number[-1])
    )


def _check(body: str) -> int:
    """The value that brings the weighted sum to 1 modulo 37; weights are powers of 2 from the right."""
    total = 0
    for character in body:
        total = (total + _CLAIM_ALPHABET.index(character)) * 2 % 37
    return (1 - total) % 37


def new_ulid(now: datetime) -> str:
    """A 26-character, time-ordered, globally unique reference (ULID): row ids and BHT03."""
    value = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    characters = []
    for _ in range(26):
        value, remainder = divmod(value, 32)
        characters.append(_ALPHABET[remainder])
    return "".join(reversed(characters))


def stable_id(*parts: str) -> str:
    """A 26-character id that is the same for the same parts: identity explicit, and equal over restarts and replays."""
    value = int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:16], "big")
    characters = []
    for _ in range(26):
        value, remainder = divmod(value, 32)
        characters.append(_ALPHABET[remainder])
    return "".join(reversed(characters))
