"""Any X12 file as JSON that keeps every byte, and back; an 835 also as claims, adjustments and its balance.

A file is `noise` and `interchanges`; an interchange holds its ISA text and every segment after it in order; groups and
transactions point into that list (`first_segment`, `last_segment`, counted from 0).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.guide_tables import ALIASES, KINDS
from clearinghouse.x12.parties import Adjustment
from clearinghouse.x12.read_835 import RemittanceEnd, read_remittance
from clearinghouse.x12.remittance_835 import ClaimPayment, ProviderAdjustment, RemittanceHeader, ServicePayment
from clearinghouse.x12.tokens import Body, Cut, Header, Noise, Source, read_pieces
from clearinghouse.x12.transactions import Enclosure

_BLANKS = " \t\r\n"


def read_file_json(path: Path) -> dict[str, Any]:
    """One entry of `files` in `read --json`. Raises OSError when the file cannot be opened; never on its content."""
    return read_json(path, str(path))


def read_json(source: Source, path: str = "") -> dict[str, Any]:
    """`read_file_json` for bytes, a path or a stream."""
    noise: list[dict[str, Any]] = []
    interchanges: list[_Interchange] = []
    for piece in read_pieces(source):
        if isinstance(piece, Noise):
            noise.append({"offset": piece.offset, "text": piece.text})
        elif isinstance(piece, Header):
            interchanges.append(_Interchange(piece))
        elif isinstance(piece, Body):
            interchanges[-1].add(piece.text)
        else:
            interchanges[-1].cut = piece
    readable = bool(interchanges)
    return {
        "path": path,
        "readable": readable,
        "error": None if readable else "No X12 interchange could be read.",
        "noise": noise,
        "interchanges": [interchange.as_json() for interchange in interchanges],
    }


def write_json(file: dict[str, Any]) -> bytes:
    """The bytes `read_json` was given, from what it returned."""
    placed: list[tuple[int, str]] = [(entry["offset"], entry["text"]) for entry in file["noise"]]
    placed += [(entry["offset"], _interchange_text(entry)) for entry in file["interchanges"]]
    return "".join(text for _, text in sorted(placed, key=lambda entry: entry[0])).encode("latin-1")


def _interchange_text(interchange: dict[str, Any]) -> str:
    marks = interchange["delimiters"]
    element, component, terminator = marks["element"], marks["component"], marks["segment"]
    gaps: dict[str, str] = interchange["gaps"]
    usual: str = interchange["line_ending"]
    parts = [interchange["isa"]]
    for index, segment in enumerate(interchange["segments"]):
        written = (value if isinstance(value, str) else component.join(value) for value in segment)
        parts.append(gaps.get(str(index), usual) + element.join(written) + terminator)
    parts.append(interchange["cut"])
    return "".join(parts)


class _Interchange:
    """One ISA with its segments as read and the blanks before each."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.segments: list[list[str]] = []
        self.blanks: list[str] = []
        self.cut: Cut | None = None

    def add(self, text: str) -> None:
        marks = self.header.delimiters
        blanks = _BLANKS.replace(marks.segment, "")
        for raw in text.split(marks.segment)[:-1]:
            bare = raw.lstrip(blanks)
            self.blanks.append(raw[: len(raw) - len(bare)])
            self.segments.append(bare.split(marks.element))

    def as_json(self) -> dict[str, Any]:
        header, marks = self.header, self.header.delimiters
        usual = Counter(self.blanks).most_common(1)[0][0] if self.blanks else ""
        component = marks.component
        return {
            "sender": header.elements[6].strip(),
            "receiver": header.elements[8].strip(),
            "control_number": header.elements[13],
            "usage": header.elements[15],
            "offset": header.offset,
            "isa": header.text,
            "delimiters": {
                "element": marks.element,
                "component": component,
                "repetition": marks.repetition,
                "segment": marks.segment,
            },
            "line_ending": usual,
            "gaps": {str(index): blank for index, blank in enumerate(self.blanks) if blank != usual},
            "segments": [
                [value.split(component) if component in value else value for value in segment]
                for segment in self.segments
            ],
            "cut": self.cut.text if self.cut is not None else "",
            "groups": [*self._groups()],
        }

    def _groups(self) -> Iterator[dict[str, Any]]:
        group: dict[str, Any] | None = None
        start: int | None = None
        for index, values in enumerate(self.segments):
            name = values[0]
            if name == "GS":
                if group is not None:
                    yield group
                group = _group(values, index)
            elif name == "ST":
                start = index
            elif name == "SE" and start is not None:
                if group is None:
                    group = _group([], start)
                group["transactions"].append(self._transaction(group["header"], start, index))
                start = None
            if group is not None:
                group["last_segment"] = index
            if name == "GE" and group is not None:
                yield group
                group = None
        if group is not None:
            yield group

    def _transaction(self, group: list[str], first: int, last: int) -> dict[str, Any]:
        values = self.segments[first]
        guide = at(values, 3) or at(group, 8)
        kind = KINDS.get(ALIASES.get(guide, guide), at(values, 1))
        found: dict[str, Any] = {
            "type": kind,
            "guide": guide,
            "control_number": at(values, 2),
            "first_segment": first,
            "last_segment": last,
        }
        if at(values, 1) == "835":
            found |= self._remittance(group, first, last)
        return found

    def _remittance(self, group: list[str], first: int, last: int) -> dict[str, Any]:
        enclosure = Enclosure(self.header, tuple(group), tuple(self.segments[first]))
        header: RemittanceHeader | None = None
        claims: list[dict[str, Any]] = []
        end: RemittanceEnd | None = None
        error: str | None = None
        try:
            for event in read_remittance(enclosure, self.segments[first + 1 : last + 1]):
                if isinstance(event, ClaimPayment):
                    claims.append(_claim(event))
                elif isinstance(event, RemittanceHeader):
                    header = event
                else:
                    end = event
        except X12FormatError as problem:
            error = str(problem)
        return {
            "trace": _trace(header),
            "payment_cents": header.payment.cents if header else None,
            "provider_adjustments": [
                _provider_adjustment(entry) for entry in (end.provider_adjustments if end else ())
            ],
            "balanced": end is not None and end.balanced,
            "out_of_balance": [
                {"where": off.where, "expected_cents": off.expected_cents, "found_cents": off.found_cents}
                for off in (end.out_of_balance if end else ())
            ],
            "claims": claims,
            "error": error,
        }


def _group(values: list[str], index: int) -> dict[str, Any]:
    return {
        "control_number": at(values, 6),
        "header": values,
        "first_segment": index,
        "last_segment": index,
        "transactions": [],
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


def _claim(claim: ClaimPayment) -> dict[str, Any]:
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
