"""The guide check: a file to a report of findings by SNIP type 1 to 5. Streams; knows no claim of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clearinghouse.x12.code_sets import NO_CODE_SETS, CodeSets
from clearinghouse.x12.envelope import Delimiters
from clearinghouse.x12.envelope_check import (
    FUNCTIONAL_CODES,
    SUPPORTED_VERSION,
    check_group_header,
    check_header,
    check_interchange_acknowledgement,
    check_trailer,
    envelope_finding,
    read_count,
    repeated_numbers,
)
from clearinghouse.x12.findings import ERROR, FileReport, Finding, GroupReport, InterchangeReport, TransactionReport
from clearinghouse.x12.guide import Guide, guide_for
from clearinghouse.x12.guide_tables import GuideUnavailableError
from clearinghouse.x12.patterns import COMPONENT, ELEMENT, FORBIDDEN_CONTROL, REPETITION
from clearinghouse.x12.semantics import Semantics, semantics_for
from clearinghouse.x12.tokens import Body, Cut, Header, Noise, Source, read_pieces, split_segments
from clearinghouse.x12.walk import ENVELOPE, Walk

_RESERVED = (ELEMENT, REPETITION, COMPONENT, "\x1c")
_BYTE_ORDER_MARK = "\xef\xbb\xbf"


def check_bytes(content: bytes, path: str = "", code_sets: CodeSets | None = None, *, deep: bool = True) -> FileReport:
    """Check every interchange in `content`. Never raises on bad input; findings tell what is wrong.

    `deep` False stops after SNIP 1 and 2 (syntax and guide).
    """
    return _FileCheck(path, code_sets or NO_CODE_SETS, deep).run(content)


def check_file(path: Path, code_sets: CodeSets | None = None, *, deep: bool = True) -> FileReport:
    """`check_bytes` for a file, read in chunks. Raises OSError when the file cannot be opened."""
    return _FileCheck(str(path), code_sets or NO_CODE_SETS, deep).run(path)


def check_transaction(content: bytes, code_sets: CodeSets | None = None) -> tuple[Finding, ...]:
    """Every finding on one rendered interchange: what the gate asks before bytes are frozen. Empty means clean."""
    report = check_bytes(content, code_sets=code_sets)
    if not report.readable:
        return (Finding(1, ERROR, "unreadable", report.error or "No interchange could be read."),)
    return tuple(report.all_findings())


class _FileCheck:
    """Feeds the pieces of a file to interchange checks and gathers the report."""

    def __init__(self, path: str, code_sets: CodeSets, deep: bool) -> None:
        self.report = FileReport(path)
        self.code_sets = code_sets
        self.deep = deep
        self.current: _InterchangeCheck | None = None

    def run(self, source: Source) -> FileReport:
        for piece in read_pieces(source):
            if isinstance(piece, Header):
                self._close()
                self.current = _InterchangeCheck(piece, self.report, self.code_sets, self.deep)
            elif isinstance(piece, Body):
                assert self.current is not None
                self.current.feed(piece)
            elif isinstance(piece, Cut):
                assert self.current is not None
                self.current.cut()
            else:
                self._noise(piece)
        self._close()
        self._readable()
        return self.report

    def _close(self) -> None:
        if self.current is not None:
            self.current.finish()
            self.current = None

    def _noise(self, noise: Noise) -> None:
        if not noise.reason:
            return
        text = noise.text.strip()
        if text == _BYTE_ORDER_MARK:
            message = "The file begins with a byte order mark; the first bytes must be ISA."
        else:
            message = f"{len(noise.text)} bytes at byte {noise.offset + 1} are outside any interchange. {noise.reason}"
        self.report.findings.append(envelope_finding("text-outside-interchange", message, ""))

    def _readable(self) -> None:
        report = self.report
        if report.interchanges:
            numbers = (interchange.control_number for interchange in report.interchanges)
            report.findings.extend(repeated_numbers(numbers, "ISA13", "file"))
            return
        report.readable = False
        first = report.findings[0].message if report.findings else "The file is empty."
        report.error = f"No X12 interchange could be read. {first}"


class _InterchangeCheck:
    """One ISA..IEA: groups, transactions, counts."""

    def __init__(self, header: Header, file: FileReport, code_sets: CodeSets, deep: bool) -> None:
        values = header.elements
        self.header = header
        self.code_sets = code_sets
        self.deep = deep
        self.report = InterchangeReport(values[6].strip(), values[8].strip(), values[13], values[15])
        self.report.findings.extend(check_header(header))
        file.interchanges.append(self.report)
        self.supported = values[12] == SUPPORTED_VERSION
        self.position = 1
        self.group: GroupReport | None = None
        self.walk: Walk | None = None
        self.semantics: Semantics | None = None
        self.refused: TransactionReport | None = None
        self.closed = False
        self.groups_seen = 0

    def feed(self, body: Body) -> None:
        segments = canonical_segments(body)
        index = 0
        while index < len(segments):
            if self.walk is not None:
                start = index
                index = self.walk.feed(segments, index)
                self.position += index - start
                if self.walk.done:
                    self._end_transaction()
                elif index < len(segments):
                    self._unfinished()
                continue
            self.position += 1
            self._outside(segments[index])
            index += 1

    def cut(self) -> None:
        message = "The interchange is cut off inside a segment: the last terminator is missing."
        self.report.findings.append(envelope_finding("interchange-cut", message, "", self.position + 1))
        self.closed = True

    def finish(self) -> None:
        if self.walk is not None:
            self._unfinished(at_end=True)
        if self.group is not None:
            self._missing("GE", "The functional group has no GE segment.", self.group.findings)
            self._end_group()
        if not self.closed:
            self._missing("IEA", "The interchange has no IEA segment.", self.report.findings)
        numbers = (group.control_number for group in self.report.groups if group.functional_code != "TA1")
        self.report.findings.extend(repeated_numbers(numbers, "GS06", "interchange"))

    def _outside(self, text: str) -> None:
        """A segment that is in no checked transaction set."""
        values = text.split(ELEMENT)
        name = values[0]
        if self.refused is not None and name not in ENVELOPE:
            if name == "SE":
                self.refused = None
            return
        handler = self._envelope_handler(name)
        if handler is not None:
            handler(values)
            return
        shown = name if name.isascii() and name.isalnum() and len(name) <= 3 else "Text"
        doubled = "Two segment terminators follow each other."
        message = f"{shown} stands outside any transaction set." if text else doubled
        code = "segment-misplaced" if text else "segment-empty"
        self._findings().append(envelope_finding(code, message, shown if text else "", self.position))

    def _envelope_handler(self, name: str) -> Callable[[list[str]], None] | None:
        return {
            "GS": self._open_group,
            "GE": self._close_group,
            "ST": self._open_transaction,
            "IEA": self._close_interchange,
            "TA1": self._acknowledgement,
        }.get(name)

    def _findings(self) -> list[Finding]:
        return self.group.findings if self.group is not None else self.report.findings

    def _open_group(self, values: list[str]) -> None:
        if self.group is not None:
            self._missing("GE", "The functional group has no GE segment.", self.group.findings)
            self._end_group()
        self.refused = None
        padded = [*values, *[""] * 9]
        self.group = GroupReport(padded[6], padded[1], padded[8])
        self.group.findings.extend(check_group_header(values, self.position))
        self.report.groups.append(self.group)
        self.groups_seen += 1

    def _close_group(self, values: list[str]) -> None:
        group = self.group
        if group is None:
            message = "GE closes a functional group that was never opened."
            self.report.findings.append(envelope_finding("segment-misplaced", message, "GE", self.position))
            return
        count = len(group.transactions)
        announced = values[1] if len(values) > 1 else ""
        group.announced_count = read_count(announced)
        found = check_trailer(values, "GE", self.position, count, "transaction sets", group.control_number, "GS06")
        group.findings.extend(found)
        self._end_group()

    def _end_group(self) -> None:
        if self.group is not None:
            numbers = (transaction.control_number for transaction in self.group.transactions)
            self.group.findings.extend(repeated_numbers(numbers, "ST02", "group"))
        self.group = self.refused = None

    def _close_interchange(self, values: list[str]) -> None:
        if self.group is not None:
            self._missing("GE", "The functional group has no GE segment.", self.group.findings)
            self._end_group()
        number = self.report.control_number
        found = check_trailer(values, "IEA", self.position, self.groups_seen, "functional groups", number, "ISA13")
        self.report.findings.extend(found)
        self.closed = True

    def _acknowledgement(self, values: list[str]) -> None:
        transaction = TransactionReport("TA1", "", values[1] if len(values) > 1 else "")
        transaction.findings.extend(check_interchange_acknowledgement(values, self.position))
        self.report.groups.append(GroupReport("", "TA1", "", [transaction]))

    def _open_transaction(self, values: list[str]) -> None:
        self.refused = None
        padded = [*values, "", "", ""]
        if self.group is None:
            message = "ST opens a transaction set outside any functional group."
            self.report.findings.append(envelope_finding("segment-misplaced", message, "ST", self.position))
            self.group = GroupReport("")
            self.report.groups.append(self.group)
        announced = padded[3] or self.group.guide
        guide = self._guide(announced)
        if guide is None:
            self.refused = self._refuse(padded, announced)
            return
        report = TransactionReport(guide.kind, announced, padded[2])
        self.group.transactions.append(report)
        self._agree(report, guide, padded)
        self.semantics = semantics_for(guide, report, self.code_sets) if self.deep else None
        self.walk = Walk(guide, report, self.semantics.handlers if self.semantics else None, self.semantics)
        self.walk.begin(ELEMENT.join(values))

    def _guide(self, announced: str) -> Guide | None:
        if not self.supported:
            return None
        try:
            return guide_for(announced)
        except GuideUnavailableError:
            return None

    def _refuse(self, values: list[str], announced: str) -> TransactionReport:
        kind = values[1] if values[1].isdecimal() else "?"
        report = TransactionReport(kind, announced, values[2])
        version = announced or self.header.elements[12].strip()
        shown = version if version.isascii() and version.isalnum() else "this version"
        if not self.supported and shown.startswith("005"):
            message = "The interchange announces another version (ISA12) than its transaction sets; 5010 is 00501."
        elif not self.supported or shown.startswith("004010"):
            message = f"{shown} is not version 5010; only the 005010 guides HIPAA names are checked."
        else:
            message = f"{shown} is not one of the guides checked here (837I, 837P, 835, 277CA, 999)."
        report.findings.append(Finding(2, ERROR, "version-unsupported", message, "ST", 1, "", "ST03"))
        assert self.group is not None
        self.group.transactions.append(report)
        return report

    def _agree(self, report: TransactionReport, guide: Guide, values: list[str]) -> None:
        """GS01 and GS08 must fit the guide that ST03 announces."""
        group = self.group
        assert group is not None
        wanted = FUNCTIONAL_CODES[guide.kind]
        if group.functional_code and group.functional_code != wanted:
            message = f"GS01 must be {wanted} for guide {guide.name}."
            report.findings.append(Finding(1, ERROR, "envelope-value", message, "GS", None, "", "GS01"))
        if values[3] and group.guide and values[3] != group.guide:
            message = "ST03 and GS08 announce different guides; they must be the same."
            report.findings.append(Finding(1, ERROR, "version-mismatch", message, "ST", 1, "", "ST03"))

    def _unfinished(self, *, at_end: bool = False) -> None:
        assert self.walk is not None
        self.walk.finish_without_trailer(at_end=at_end)
        self._end_transaction(complete=not at_end)

    def _end_transaction(self, *, complete: bool = True) -> None:
        assert self.walk is not None
        if self.semantics is not None and complete:
            self.semantics.finish(self.walk.position)
        self.walk.report.close()
        self.walk = self.semantics = None

    def _missing(self, segment: str, message: str, findings: list[Finding]) -> None:
        findings.append(envelope_finding("trailer-missing", message, segment, self.position))


def canonical_segments(body: Body) -> list[str]:
    """Segments of a body with the separators replaced by the control characters the expressions use."""
    return _canonical(body.text, body.header.delimiters)


def _canonical(text: str, marks: Delimiters) -> list[str]:
    for mark in _RESERVED:
        if mark in text:
            text = text.replace(mark, FORBIDDEN_CONTROL)
    text = text.replace(marks.element, ELEMENT).replace(marks.component, COMPONENT)
    if marks.repetition in text:
        text = text.replace(marks.repetition, REPETITION)
    return split_segments(text, marks.segment)
