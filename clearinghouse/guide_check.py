"""The guide check behind the gate's port: claims rendered and judged by the 837 guides, SNIP types 1 to 5.

Claims of one form go into one interchange, which is one reading for all of them. Only where something is found in it is
each claim rendered alone, so that what is found is known to be that claim's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from clearinghouse.claims_to_837 import transaction_837
from clearinghouse.x12 import findings as x12
from clearinghouse.x12.check import check_transaction
from clearinghouse.x12.claims_837 import Submitter
from clearinghouse.x12.code_sets import CodeSets
from clearinghouse.x12.encoding import UnwritableValue
from clearinghouse.x12.envelope import Envelope
from clearinghouse.x12.parties import Name
from clearinghouse.x12.write_837 import write_837
from gateway.claim.claim import Claim
from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.identifiers import claim_number
from gateway.ports import NumberedClaim

_TOGETHER = 50
"""Claims rendered together: enough to share the envelope, few to render again when something is found."""
_SEVERITIES = {x12.ERROR: Severity.BLOCK, x12.WARNING: Severity.WARN, x12.NOTE: Severity.NOTE}
_ENVELOPE_ONLY = frozenset({"", "ISA", "GS", "GE", "IEA"})
_CODES = {1: "G02", 2: "G03"}
_REGISTRATION = ("2000B", "2000C", "2010BA", "2010CA", "2310")
"""Loops of the subscriber, the patient and the clinicians, which the front desk keeps."""


class RenderedGuideCheck:
    """Implements gateway.ports.GuideCheck."""

    def __init__(self, submitter: Submitter, code_sets: CodeSets | None = None) -> None:
        self._submitter = submitter
        self._code_sets = code_sets

    def check(self, claims: Sequence[Claim]) -> list[tuple[Finding, ...]]:
        """Findings of each rendered claim; one finding of a claim that cannot be rendered at all."""
        found: list[tuple[Finding, ...]] = [()] * len(claims)
        for form in ClaimForm:
            places = [place for place, claim in enumerate(claims) if claim.form is form]
            for start in range(0, len(places), _TOGETHER):
                some = places[start : start + _TOGETHER]
                if self._check([claims[place] for place in some]):
                    for place in some:
                        found[place] = self._check([claims[place]])
        return found

    def _check(self, claims: Sequence[Claim]) -> tuple[Finding, ...]:
        try:
            content = self._render(claims)
        except UnwritableValue as error:
            return (_finding("unwritable", Severity.BLOCK, "G02", f"{error.loop}.{error.element}", str(error)),)
        return tuple(
            _finding(
                found.code,
                _SEVERITIES[found.severity],
                _CODES.get(found.snip, f"SNIP{found.snip}"),
                ".".join(filter(None, (found.loop, found.element or found.segment))),
                found.message,
            )
            for found in check_transaction(content, self._code_sets)
            if found.segment not in _ENVELOPE_ONLY or found.loop
        )

    def _render(self, claims: Sequence[Claim]) -> bytes:
        through = max(claim.statement_through_on for claim in claims)
        at = datetime(through.year, through.month, through.day, 12)  # noqa: DTZ001 - BHT and ISA hold local wall time
        transaction = transaction_837(
            [NumberedClaim(claim=claim, claim_number=claim_number(place)) for place, claim in enumerate(claims)],
            batch_reference="CHECK",
            created_at=at,
            submitter=self._submitter,
            receiver=Name("CHECK", id_qualifier="46", identifier="CHECK"),
        )
        return write_837(transaction, _envelope(at))


def _envelope(at: datetime) -> Envelope:
    return Envelope(
        sender_qualifier="ZZ",
        sender_id="CHECK",
        receiver_qualifier="ZZ",
        receiver_id="CHECK",
        application_sender_code="CHECK",
        application_receiver_code="CHECK",
        usage="T",
        interchange_control_number=1,
        group_control_number=1,
        created_on=at.date(),
        created_time=at.time(),
    )


def _finding(code: str, severity: Severity, gate_code: str, path: str, message: str) -> Finding:
    return Finding(
        rule=f"guide-{code}",
        code=gate_code,
        severity=severity,
        path=path or "claim",
        message=message,
        fix="Correct the value where it is kept (facility, payer or patient data); the claim is then checked again.",
        owner=Owner.FRONT_DESK if path.startswith(_REGISTRATION) else Owner.BILLING,
        overridable=False,
    )
