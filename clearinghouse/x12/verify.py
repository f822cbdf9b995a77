"""Proof that written bytes say what was meant: cut anew by the reader's rules, compared, checked against the guide."""

from __future__ import annotations

from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.claims_837 import ClaimTransaction
from clearinghouse.x12.encoding import money
from clearinghouse.x12.findings import ERROR, Finding
from clearinghouse.x12.tokens import read_segments

_LINE_CHARGE = {"SV1": 2, "SV2": 3}
"""Which element of a service segment is the charge."""


def verify_written(transaction: ClaimTransaction, content: bytes) -> tuple[Finding, ...]:
    """Findings on a rendered 837: it must pass SNIP 1 and 2, which counts what it holds, and cut anew it must have the
    same claims and lines, with the same charges.

    Guards against a value that changed the structure of the file (X12 has no escape). What each claim says was judged
    when it was drafted, from a rendering by the same writer.
    """
    findings = list(check_bytes(content, deep=False).all_findings())
    if _read(content) != _meant(transaction):
        message = "The written file does not read back to the claims it was written from."
        findings.append(Finding(1, ERROR, "written-differs", message))
    return tuple(findings)


def _read(content: bytes) -> list[tuple[str, ...]]:
    """(CLM01, CLM02) of each claim, and (charge,) of each of its lines, in the order of the file."""
    found: list[tuple[str, ...]] = []
    for _, elements in read_segments(content):
        if elements[0] == "CLM":
            found.append(tuple(elements[1:3]))
        elif elements[0] in _LINE_CHARGE:
            at = _LINE_CHARGE[elements[0]]
            found.append(tuple(elements[at : at + 1]))
    return found


def _meant(transaction: ClaimTransaction) -> list[tuple[str, ...]]:
    claims = (
        claim
        for provider in transaction.billing_providers
        for subscriber in provider.subscribers
        for claim in subscriber.claims
    )
    meant: list[tuple[str, ...]] = []
    for claim in claims:
        meant.append((claim.patient_control_number.strip().upper(), money(claim.total_charge_cents)))
        meant += [(money(line.charge_cents),) for line in claim.lines]
    return meant
