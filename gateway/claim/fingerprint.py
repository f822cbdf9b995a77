"""Two questions of sameness: is this the very content that was released, and would a payer call it the same bill."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from gateway.claim.claim import Claim, ClaimLine
from gateway.claim.origins import NO_ORIGINS


def content_fingerprint(claim: Claim) -> str:
    """SHA-256 of everything that is sent: a release covers this content and no other.

    Left out is what only explains: origins, mapping entries, which encounters stand behind a line.
    """
    lines = tuple(
        replace(line, origins=NO_ORIGINS, encounter_ids=(), definition="", charge_entry="", minutes=0, services=0)
        for line in claim.lines
    )
    return _digest(replace(claim, origins=NO_ORIGINS, catalogue_hash="", connection="", lines=lines))


def billing_fingerprint(claim: Claim) -> str:
    """SHA-256 of what a payer paid for: a difference here after billing needs a replacement or a void.

    A new address or a corrected spelling of a name is not a new bill.
    """
    return _digest(
        (
            claim.form,
            claim.bill_class,
            claim.place_of_service,
            claim.insured.payer,
            claim.insured.member_number,
            claim.diagnoses,
            claim.service_condition_codes,
            claim.value_codes,
            claim.authorization_number,
            claim.attending.npi if claim.attending else "",
            tuple(_billed(line) for line in claim.lines),
        )
    )


def _billed(line: ClaimLine) -> tuple[object, ...]:
    return (
        line.service_on,
        line.revenue_code,
        line.hcpcs,
        line.modifiers,
        line.units,
        line.charge_cents,
        line.place_of_service,
        line.rendering.npi if line.rendering else "",
    )


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()
