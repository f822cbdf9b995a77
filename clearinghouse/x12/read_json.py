"""Any X12 file as JSON that keeps every byte, written while the file is read; an 835 also as claims and its balance.

A file is `interchanges` and `noise`; an interchange holds its ISA text and every segment after it in order; groups and
transactions point into that list (`first_segment`, `last_segment`, counted from 0).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any

import msgspec

from clearinghouse.x12.parties import Adjustment
from clearinghouse.x12.read_file import Listener, SetEnd, SetStart, read_file
from clearinghouse.x12.remittance_835 import ClaimPayment, ProviderAdjustment, RemittanceHeader, ServicePayment
from clearinghouse.x12.tokens import Header, Noise, Source

Write = Callable[[str], object]
UNREADABLE = "No X12 interchange could be read."
_IN_MEMORY_BYTES = 1 << 20


def stream_json(source: Source, path: str, write: Write) -> bool:
    """Write the members of one entry of `files` in `read --json`, without its braces; whether the file is readable.

    Memory does not grow with the file: what belongs behind the segments waits on disk. Raises OSError.
    """
    with _Aside() as behind, _Aside() as noise:
        write(f'"path": {_text(path)},\n"interchanges": [')
        readable = read_file(source, _JsonListener(write, behind, noise))
        write('],\n"noise": [')
        noise.copy(write)
        write(f'],\n"readable": {_text(readable)},\n"error": {_text(None if readable else UNREADABLE)}')
    return readable


def rewrites_same(path: Path) -> bool:
    """Whether the file comes out byte for byte of what `stream_json` keeps of it. Raises OSError."""
    again = _Rewriter()
    read_file(path, again)
    with path.open("rb") as opened:
        return again.digest.digest() == hashlib.file_digest(opened, "sha256").digest()


def rewrite(segment: list[Any], element: str, component: str) -> str:
    """A segment of `segments` as it stood in the file, without its terminator."""
    return element.join(value if isinstance(value, str) else component.join(value) for value in segment)


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _parted(values: list[str], component: str) -> list[str | list[str]]:
    return [value.split(component) if component in value else value for value in values]


class _Aside:
    """Text that is written later, kept on disk once it is much."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY_BYTES, "w+", encoding="utf-8", newline="")  # noqa: SIM115 - closed on exit

    def __enter__(self) -> _Aside:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def write(self, text: str) -> None:
        self._file.write(text)

    def copy(self, write: Write) -> None:
        """Write what was kept, and forget it."""
        self._file.seek(0)
        while text := self._file.read(_IN_MEMORY_BYTES):
            write(text)
        self._file.seek(0)
        self._file.truncate()


class _Items:
    """The commas of one JSON list."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._separator = "\n"

    def add(self, text: str) -> None:
        self._write(self._separator + text)
        self._separator = ",\n"


class _JsonListener(Listener):
    """Writes an interchange's segments as they come; its groups wait aside until the last segment is written."""

    def __init__(self, write: Write, behind: _Aside, noise: _Aside) -> None:
        self.write, self.behind = write, behind
        self.interchanges, self.outside = _Items(write), _Items(noise.write)
        self.component = ""
        self.segments = self.groups = self.sets = self.claims = _Items(write)
        self.blanks = _Blanks()
        self.remittance = False

    def noise(self, piece: Noise) -> None:
        self.outside.add(_text({"offset": piece.offset, "text": piece.text}))

    def interchange(self, header: Header) -> None:
        marks = header.delimiters
        self.component = marks.component
        start = {
            "sender": header.elements[6].strip(),
            "receiver": header.elements[8].strip(),
            "control_number": header.elements[13],
            "usage": header.elements[15],
            "offset": header.offset,
            "isa": header.text,
            "delimiters": {
                "element": marks.element,
                "component": marks.component,
                "repetition": marks.repetition,
                "segment": marks.segment,
            },
        }
        self.interchanges.add(_open(start) + ',\n"segments": [')
        self.segments, self.groups = _Items(self.write), _Items(self.behind.write)
        self.blanks = _Blanks()

    def segment(self, values: list[str], blank: str) -> None:
        self.segments.add(_text(_parted(values, self.component)))
        self.blanks.add(blank)

    def end_interchange(self, cut: str) -> None:
        usual = self.blanks.usual
        self.write(f'],\n"line_ending": {_text(usual)},\n"gaps": {{')
        gaps = _Items(self.write)
        for place, blank in self.blanks.other_than(usual):
            gaps.add(f'"{place}": {_text(blank)}')
        self.write(f'}},\n"cut": {_text(cut)},\n"groups": [')
        self.behind.copy(self.write)
        self.write("]}")

    def group(self, values: list[str], segment: int) -> None:
        number = values[6] if len(values) > 6 else ""
        start = {"control_number": number, "header": values, "first_segment": segment}
        self.groups.add(_open(start) + ', "transactions": [')
        self.sets = _Items(self.behind.write)

    def end_group(self, segment: int) -> None:
        self.behind.write(f'], "last_segment": {segment}}}')

    def transaction(self, start: SetStart) -> None:
        self.remittance = start.is_remittance
        about = {
            "type": start.kind,
            "guide": start.guide,
            "control_number": start.control_number,
            "first_segment": start.segment,
        }
        self.sets.add(_open(about) + (', "claims": [' if self.remittance else ""))
        self.claims = _Items(self.behind.write)

    def claim(self, claim: ClaimPayment) -> None:
        self.claims.add(_text(claim_json(claim)))

    def end_transaction(self, end: SetEnd) -> None:
        about = {"last_segment": end.segment} | (paid_json(end) if self.remittance else {})
        self.behind.write(("], " if self.remittance else ", ") + _text(about)[1:])


def _open(members: dict[str, Any]) -> str:
    """An object to which more members will be added."""
    return _text(members)[:-1]


class _Blanks:
    """The line ends before an interchange's segments, as runs of the same: nearly always one run."""

    def __init__(self) -> None:
        self.count = 0
        self.runs: list[tuple[int, str]] = []

    def add(self, blank: str) -> None:
        if not self.runs or self.runs[-1][1] != blank:
            self.runs.append((self.count, blank))
        self.count += 1

    @property
    def usual(self) -> str:
        """What stands before most segments."""
        lengths: Counter[str] = Counter()
        for first, after, blank in self._spans():
            lengths[blank] += after - first
        return lengths.most_common(1)[0][0] if lengths else ""

    def other_than(self, usual: str) -> Iterator[tuple[int, str]]:
        """The places of segments with something else before them."""
        for first, after, blank in self._spans():
            if blank != usual:
                for place in range(first, after):
                    yield place, blank

    def _spans(self) -> Iterator[tuple[int, int, str]]:
        for (first, blank), (after, _) in pairwise([*self.runs, (self.count, "")]):
            yield first, after, blank


class _Rewriter(Listener):
    """Writes a file again from what its JSON keeps of each piece, and takes the digest of that."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.element = self.component = self.terminator = ""

    def noise(self, piece: Noise) -> None:
        self._add(piece.text)

    def interchange(self, header: Header) -> None:
        marks = header.delimiters
        self.element, self.component, self.terminator = marks.element, marks.component, marks.segment
        self._add(header.text)

    def segment(self, values: list[str], blank: str) -> None:
        kept = msgspec.json.decode(_text(_parted(values, self.component)))
        self._add(blank + rewrite(kept, self.element, self.component) + self.terminator)

    def end_interchange(self, cut: str) -> None:
        self._add(cut)

    def _add(self, text: str) -> None:
        self.digest.update(text.encode("latin-1"))


# --- an 835 ----------------------------------------------------------------------------------------------------------


def paid_json(found: SetEnd) -> dict[str, Any]:
    """What an 835's transaction says beyond its claims."""
    header, end = found.header, found.end
    return {
        "trace": _trace(header),
        "payment_cents": header.payment.cents if header else None,
        "provider_adjustments": [_provider_adjustment(entry) for entry in (end.provider_adjustments if end else ())],
        "balanced": end is not None and end.balanced,
        "out_of_balance": [
            {"where": off.where, "expected_cents": off.expected_cents, "found_cents": off.found_cents}
            for off in (end.out_of_balance if end else ())
        ],
        "error": found.error,
    }


def _trace(header: RemittanceHeader | None) -> dict[str, Any] | None:
    if header is None:
        return None
    trace, payment = header.trace, header.payment
    return {
        "number": trace.number,
        "payer_id": trace.payer_id,
        "supplemental": trace.supplemental or None,
        "method": payment.method,
        "effective_on": payment.effective_on.isoformat() if payment.effective_on else None,
        "payer": header.payer.name.last_or_organization,
        "payee_id": header.payee.name.identifier,
    }


def claim_json(claim: ClaimPayment) -> dict[str, Any]:
    """One entry of `claims`."""
    return {
        "claim_id": claim.patient_control_number,
        "payer_claim_id": claim.payer_claim_number or None,
        "status_code": claim.status_code,
        "charge_cents": claim.charge_cents,
        "paid_cents": claim.paid_cents,
        "patient_cents": claim.patient_cents,
        "adjustments": [_adjustment(entry) for entry in claim.adjustments],
        "remark_codes": [*(claim.outpatient.remark_codes if claim.outpatient else ())],
        "lines": [_line(line) for line in claim.lines],
    }


def _line(line: ServicePayment) -> dict[str, Any]:
    dates = line.service_dates
    return {
        "procedure": line.procedure.code,
        "modifiers": [*line.procedure.modifiers],
        "revenue_code": line.revenue_code or (line.procedure.code if line.procedure.qualifier == "NU" else None),
        "control_number": line.line_control_number or None,
        "service_from": dates.from_on.isoformat() if dates else None,
        "service_through": dates.last_on.isoformat() if dates else None,
        "units": str(line.paid_units) if line.paid_units is not None else None,
        "charge_cents": line.charge_cents,
        "paid_cents": line.paid_cents,
        "adjustments": [_adjustment(entry) for entry in line.adjustments],
        "remark_codes": [remark.code for remark in line.remark_codes],
    }


def _adjustment(entry: Adjustment) -> dict[str, Any]:
    return {"group": entry.group, "reason": entry.reason, "cents": entry.cents}


def _provider_adjustment(entry: ProviderAdjustment) -> dict[str, Any]:
    return {
        "provider_id": entry.provider_id,
        "fiscal_period_on": entry.fiscal_period_on.isoformat(),
        "reason": entry.reason,
        "reference": entry.reference or None,
        "cents": entry.cents,
    }
