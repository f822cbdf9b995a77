"""What is wrong with a FHIR request, as values, and the OperationOutcome that says it. Never repeats what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.errors import FormatError

ISSUE_SYSTEM = "urn:cleanclaim:fhir-issue"
"""Code system of ``Issue.detail``: stable words a program may branch on."""
ISSUES_IN_ONE_OUTCOME_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing wrong at one place. ``message`` and ``fix`` are plain sentences that hold no value of the request."""

    code: str
    """FHIR IssueType: ``structure``, ``required``, ``value``, ``invariant``, ``not-supported``, ``conflict`` ..."""
    detail: str
    """Our own stable code: ``element-unknown``, ``period-reversed`` ..."""
    expression: str
    """FHIRPath of the place, e.g. ``Bundle.entry[5].resource.status``; empty when the request as a whole is meant."""
    message: str
    fix: str
    severity: str = "error"
    """``fatal``, ``error``, ``warning`` or ``information``."""

    @property
    def refuses(self) -> bool:
        """True when the resource cannot be taken because of it."""
        return self.severity in {"error", "fatal"}


class Refused(FormatError):
    """The request cannot be taken. ``issues`` says everything that is wrong, ``status`` is the HTTP status."""

    def __init__(self, status: int, issues: Sequence[Issue], headers: dict[str, str] | None = None) -> None:
        super().__init__("; ".join(f"{issue.detail} at {issue.expression or 'request'}" for issue in issues[:5]))
        self.status = status
        self.issues = list(issues)
        self.headers = headers or {}


def refuses(issues: Iterable[Issue]) -> bool:
    """True when any of the issues keeps the resource out."""
    return any(issue.refuses for issue in issues)


def below(prefix: str, issues: Iterable[Issue]) -> list[Issue]:
    """The issues of a resource as seen from what holds it: ``Encounter.status`` below ``Bundle.entry[1].resource``."""
    return [replace(issue, expression=place_below(prefix, issue.expression)) for issue in issues]


def place_below(prefix: str, expression: str) -> str:
    """``Encounter.status`` below ``Bundle.entry[1].resource`` is ``Bundle.entry[1].resource.status``."""
    _, dot, rest = expression.partition(".")
    return f"{prefix}{dot}{rest}"


def operation_outcome(issues: Sequence[Issue]) -> dict[str, Any]:
    """The R4 OperationOutcome of the issues: expression, IssueType, our code, what is wrong, what to do."""
    shown = [_issue(issue) for issue in issues[:ISSUES_IN_ONE_OUTCOME_MAX]]
    left_out = len(issues) - len(shown)
    if left_out:
        shown.append(
            {
                "severity": "information",
                "code": "informational",
                "diagnostics": f"{left_out} further issues are not listed; put these right and send it again.",
            }
        )
    return {"resourceType": "OperationOutcome", "issue": shown}


def _issue(issue: Issue) -> dict[str, Any]:
    said: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"coding": [{"system": ISSUE_SYSTEM, "code": issue.detail}], "text": issue.fix},
        "diagnostics": f"{issue.message} {issue.fix}",
    }
    if issue.expression:
        said["expression"] = [issue.expression]
    return said
