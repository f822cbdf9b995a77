"""Judges of the sandbox's answers: pyx12 with its own maps, and plain arithmetic over segments."""

from __future__ import annotations

import io
from decimal import Decimal
from functools import cache

import pyx12.params
import pyx12.x12n_document

from clearinghouse.x12.referee import ask_referee


@cache
def pyx12_accepts(content: bytes) -> bool:
    """Whether pyx12 finds the file valid, by its own maps; one that holds only a TA1 has no map to cache."""
    if b"~ST*" in content:
        return ask_referee(content) == ()
    text = io.StringIO(content.decode("ascii"))
    return bool(pyx12.x12n_document.x12n_document(pyx12.params.params(), text, io.StringIO(), None))


def segments(content: bytes) -> list[list[str]]:
    """Every segment of a file with the usual delimiters."""
    return [text.strip().split("*") for text in content.decode("ascii").split("~") if text.strip()]


def assert_balances(content: bytes) -> Decimal:
    """The three balancing rules of 005010X221A1 section 1.10.2.1, recomputed from the segments; the payment."""
    claims: list[dict[str, Decimal]] = []
    line: dict[str, Decimal] | None = None
    lines: list[dict[str, Decimal]] = []
    provider, payment = Decimal(0), Decimal(0)
    for segment in segments(content):
        match segment[0]:
            case "BPR":
                payment = Decimal(segment[2])
            case "CLP":
                claims.append({"charge": Decimal(segment[3]), "paid": Decimal(segment[4]), "adjusted": Decimal(0)})
                line = None
            case "SVC":
                line = {"charge": Decimal(segment[2]), "paid": Decimal(segment[3]), "adjusted": Decimal(0)}
                lines.append(line)
            case "CAS":
                amount = sum((Decimal(value or 0) for value in segment[3::3]), Decimal(0))
                claims[-1]["adjusted"] += amount
                if line is not None:
                    line["adjusted"] += amount
            case "PLB":
                provider += sum((Decimal(value) for value in segment[4::2]), Decimal(0))
            case _:
                pass
    for each in (*claims, *lines):
        assert each["charge"] - each["adjusted"] == each["paid"]
    assert payment == sum((claim["paid"] for claim in claims), Decimal(0)) - provider
    assert payment >= 0
    return payment
