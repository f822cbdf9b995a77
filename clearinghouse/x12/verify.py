"""Proof that written bytes say what was meant: read back, compared, checked against the guide."""

from __future__ import annotations

from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.claims_837 import ClaimTransaction
from clearinghouse.x12.envelope import Envelope
from clearinghouse.x12.findings import ERROR, Finding
from clearinghouse.x12.read_837 import read_837
from clearinghouse.x12.write_837 import write_837


def verify_written(transaction: ClaimTransaction, content: bytes, envelope: Envelope) -> tuple[Finding, ...]:
    """Findings on a rendered 837: it must read back to the same claims, write to the same bytes, and pass SNIP 1 and 2.

    Guards against a value that changed the structure of the file (X12 has no escape).
    """
    findings = list(check_bytes(content, deep=False).all_findings())
    again = read_837(content)
    claims = _claims(transaction)
    if len(again) != 1 or _claims(again[0]) != claims:
        message = "The written file does not read back to the claims it was written from."
        findings.append(Finding(1, ERROR, "written-differs", message))
    elif write_837(again[0], envelope) != content:
        message = "The written file reads back to values that write to other bytes."
        findings.append(Finding(1, ERROR, "written-differs", message))
    return tuple(findings)


def _claims(transaction: ClaimTransaction) -> list[tuple[str, int]]:
    return [
        (claim.patient_control_number.upper(), claim.total_charge_cents)
        for provider in transaction.billing_providers
        for subscriber in provider.subscribers
        for claim in subscriber.claims
    ]
