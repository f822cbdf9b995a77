"""What a check finds, and the report tree a file's findings hang on. Values of elements appear only as their shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from clearinghouse.x12 import answer_codes

ERROR, WARNING, NOTE = "error", "warning", "note"
MAX_FINDINGS = 5000
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, by SNIP type (1 syntax, 2 guide, 3 balance, 4 situational, 5 code sets).

    `severity` is error, warning or note; `code` our stable name; `position` the segment counted from ST = 1 (from the
    ISA
    for envelope findings); `element` a reference such as NM109 or SV202-2; `value_redacted` the value's shape; `ik3`
    and `ik4` the IK304 and IK403 codes a 999 would carry.
    """

    snip: int
    severity: str
    code: str
    message: str
    segment: str = ""
    position: int | None = None
    loop: str = ""
    element: str = ""
    value_redacted: str = ""
    ik3: str = ""
    ik4: str = ""

    @property
    def _envelope_key(self) -> tuple[str, str]:
        return self.code, self.element or self.segment

    @property
    def ik5(self) -> str:
        """The IK502 code of a finding on ST or SE; blank for any other, which a 999 tells with IK3 and IK4."""
        return answer_codes.TRANSACTION.get(self._envelope_key, "")

    @property
    def ak9(self) -> str:
        """The AK905 code of a finding on GS or GE, else blank."""
        return answer_codes.GROUP.get(self._envelope_key, "")

    @property
    def ta1(self) -> str:
        """The TA105 code of a finding on ISA or IEA, else blank."""
        return answer_codes.INTERCHANGE.get(self._envelope_key, "")

    def as_json(self) -> dict[str, Any]:
        """The finding under its documented keys."""
        return {
            "snip": self.snip,
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "segment": self.segment or None,
            "position": self.position,
            "loop": self.loop or None,
            "element": self.element or None,
            "value_redacted": self.value_redacted or None,
            "ik3": self.ik3 or None,
            "ik4": self.ik4 or None,
            "ik5": self.ik5 or None,
            "ak9": self.ak9 or None,
            "ta1": self.ta1 or None,
        }


@dataclass(slots=True)
class TransactionReport:
    """One ST: its type (837I, 837P, 835, 277CA, 999), the guide it announces, and what is wrong with it."""

    type: str
    guide: str
    control_number: str
    findings: list[Finding] = field(default_factory=list)
    segment_count: int = 0
    claim_count: int = 0
    unlisted: int = 0

    def add(self, finding: Finding) -> None:
        """Keep a finding; beyond MAX_FINDINGS only count it, so that a hopeless file stays small in memory."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)
        else:
            self.unlisted += 1

    def add_all(self, findings: Iterable[Finding]) -> None:
        """`add` each."""
        for finding in findings:
            self.add(finding)

    def close(self) -> None:
        """Put the findings in segment order and say how many were not listed."""
        self.findings.sort(key=lambda finding: (finding.position or 0, finding.snip))
        if self.unlisted:
            message = f"{self.unlisted} more findings are not listed."
            self.findings.append(Finding(1, ERROR, "findings-unlisted", message))
            self.unlisted = 0

    @property
    def accepted(self) -> bool:
        """Whether nothing found is an error: errors of type 1 and 2 come back in a 999, later ones in a 277CA."""
        return not any(finding.severity == ERROR for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Documented keys of a transaction in a check report."""
        return {
            "type": self.type,
            "guide": self.guide,
            "control_number": self.control_number,
            "accepted": self.accepted,
            "findings": [finding.as_json() for finding in self.findings],
        }


@dataclass(slots=True)
class GroupReport:
    """One GS..GE. `announced_count` is GE01 where it is a number."""

    control_number: str
    functional_code: str = ""
    guide: str = ""
    transactions: list[TransactionReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    announced_count: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Documented keys of a group in a check report."""
        return {
            "control_number": self.control_number,
            "transactions": [transaction.as_json() for transaction in self.transactions],
            "findings": [finding.as_json() for finding in self.findings],
        }


@dataclass(slots=True)
class InterchangeReport:
    """One ISA..IEA. A lone TA1 is shown as a transaction of type TA1 in a group of its own."""

    sender: str
    receiver: str
    control_number: str
    usage: str
    groups: list[GroupReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Documented keys of an interchange in a check report."""
        return {
            "sender": self.sender,
            "receiver": self.receiver,
            "control_number": self.control_number,
            "usage": self.usage,
            "groups": [group.as_json() for group in self.groups],
            "findings": [finding.as_json() for finding in self.findings],
        }


@dataclass(slots=True)
class FileReport:
    """One file. `readable` is False, with a plain `error`, when no interchange could be read from it."""

    path: str
    interchanges: list[InterchangeReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    readable: bool = True
    error: str | None = None

    def all_findings(self) -> Iterator[Finding]:
        """Every finding of the file, its interchanges, groups and transactions, in file order."""
        yield from self.findings
        for interchange in self.interchanges:
            yield from interchange.findings
            for group in interchange.groups:
                yield from group.findings
                for transaction in group.transactions:
                    yield from transaction.findings

    @property
    def clean(self) -> bool:
        """Readable, and nothing found that is an error or a warning."""
        return self.readable and all(finding.severity == NOTE for finding in self.all_findings())

    def as_json(self) -> dict[str, Any]:
        """One entry of `files` in `check --json`."""
        return {
            "path": self.path,
            "interchanges": [interchange.as_json() for interchange in self.interchanges],
            "findings": [finding.as_json() for finding in self.findings],
            "readable": self.readable,
            "error": self.error,
        }


def redacted(value: str) -> str:
    """The shape of a value: letters as A, digits as 9, marks kept, at most 40 characters."""
    shape = "".join("9" if mark.isdigit() else "A" if mark.isalpha() else mark for mark in value[:_SHOWN])
    shape = "".join(mark if " " <= mark <= "~" else "?" for mark in shape)
    return shape + ("..." if len(value) > _SHOWN else "")
