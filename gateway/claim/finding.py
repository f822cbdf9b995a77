"""What is wrong, or worth knowing, about a claim: always returned as a value, never raised, never only the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs: a block holds the claim, a warning and a note travel with it."""

    BLOCK = "block"
    WARN = "warn"
    NOTE = "note"


class Owner(StrEnum):
    """Who can put it right. A missing note goes to the clinician, not to billing."""

    FRONT_DESK = "front-desk"
    CLINICIAN = "clinician"
    UTILIZATION_REVIEW = "utilization-review"
    CREDENTIALING = "credentialing"
    BILLING = "billing"
    INTEGRATION = "integration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value came from: the field of the source message, and the mapping entry that chose it."""

    source: str
    """Position in the message in the EHR's own notation, e.g. ``Encounter.period.start`` or ``FT1[2]-4``."""
    mapping: str
    """``file:line`` of the mapping entry."""
    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding of one rule about one place of one claim."""

    rule: str
    """The rule's word name, e.g. ``authorization-covers-days``."""
    code: str
    """The rule's code, e.g. ``G08``; empty for findings that belong to no gate rule."""
    severity: Severity
    path: str
    """Where on the claim, e.g. ``lines[2].service_on``."""
    message: str
    fix: str
    owner: Owner
    values: Mapping[str, str] = field(default_factory=dict)
    """The values compared, by name."""
    origin: Origin | None = None
    """The source field and mapping entry behind the value at fault."""
    cents: int = 0
    """Dollars at stake, in cents."""
    overridable: bool = True
    """False for structure, Part 2 and test/production findings, which nothing lets pass."""


def blocks(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that hold a claim."""
    return [finding for finding in findings if finding.severity is Severity.BLOCK]
