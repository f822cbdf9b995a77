"""Money is integer cents everywhere; these are the only two doors between cents and text."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"(-?)(\d{0,12})(?:\.(\d{1,2})0*)?\Z", re.ASCII)


def cents_from_text(text: str) -> int:
    """Integer cents of an amount such as ``350``, ``350.5`` or ``-12.25``.

    Raises ValueError for anything that is not an amount of whole cents; the message does not repeat the text.
    """
    match = _AMOUNT.match(text.strip())
    if match is None or not (match[2] or match[3]):
        raise ValueError("not an amount of dollars and cents")
    cents = int(match[2] or 0) * 100 + int((match[3] or "").ljust(2, "0") or 0)
    return -cents if match[1] else cents


def dollars(cents: int) -> str:
    """The amount as a person reads it: ``$1,050.00`` or ``-$3.20``."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}${whole:,}.{rest:02d}"
