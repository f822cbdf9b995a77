"""A StatusTransaction to the bytes of a 277CA, in the guide's order. Knows no claim of ours."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from msgspec.structs import replace

from clearinghouse.x12.encoding import SegmentWriter, Text, clock, day, money, number, optional_money
from clearinghouse.x12.envelope import Envelope, write_interchange
from clearinghouse.x12.parties import Amount, Quantity
from clearinghouse.x12.party_segments import (
    procedure_composite,
    refuse_unread,
    write_amounts,
    write_date,
    write_name,
    write_quantities,
    write_references,
)
from clearinghouse.x12.status_277ca import (
    GUIDE,
    ClaimStatus,
    LineStatus,
    ProviderStatus,
    ReceiverStatus,
    SourceStatus,
    Status,
    StatusCode,
    StatusTransaction,
)


def write_277ca(transaction: StatusTransaction, envelope: Envelope) -> bytes:
    """One interchange with one ST. Raises UnwritableValue naming loop and element."""
    out = SegmentWriter(envelope.delimiters)
    refuse_unread(transaction.unread)
    out.add("ST", "277", transaction.control_number, GUIDE)
    stamp = (day(transaction.created_on), clock(transaction.created_time))
    out.add("BHT", "0085", "08", transaction.reference, *stamp, "TH")
    levels = count(1)
    for source in transaction.sources:
        _write_source(out, source, levels)
    return write_interchange(envelope, "HN", GUIDE, out.segments)


def _open(out: SegmentWriter, levels: count[int], parent: str, code: str, has_children: bool) -> str:
    level = str(next(levels))
    out.add("HL", level, parent, code, *(() if code == "PT" else ("1" if has_children else "0",)))
    return level


def _write_source(out: SegmentWriter, source: SourceStatus, levels: count[int]) -> None:
    level = _open(out, levels, "", "20", has_children=bool(source.receivers))
    with out.within("2100A"):
        write_name(out, source.role, source.source)
    with out.within("2200A"):
        out.add("TRN", "1", source.trace_number)
        for dated in source.dates:
            write_date(out, dated.qualifier, dated.span)
    for receiver in source.receivers:
        _write_receiver(out, receiver, levels, level)


def _write_receiver(out: SegmentWriter, receiver: ReceiverStatus, levels: count[int], parent: str) -> None:
    level = _open(out, levels, parent, "21", has_children=bool(receiver.providers))
    with out.within("2100B"):
        write_name(out, "41", receiver.receiver)
    with out.within("2200B"):
        out.add("TRN", "2", receiver.trace_number)
        _write_statuses(out, receiver.statuses)
        _write_totals(out, receiver.quantities, receiver.amounts)
    for provider in receiver.providers:
        _write_provider(out, provider, levels, level)


def _write_provider(out: SegmentWriter, provider: ProviderStatus, levels: count[int], parent: str) -> None:
    level = _open(out, levels, parent, "19", has_children=bool(provider.claims))
    with out.within("2100C"):
        write_name(out, "85", provider.provider)
    if provider.trace_number:
        with out.within("2200C"):
            out.add("TRN", "1", provider.trace_number)
            # The guide marks STC02 "not used" at the provider level.
            _write_statuses(out, [replace(status, effective_on=None) for status in provider.statuses])
            write_references(out, provider.references)
            _write_totals(out, provider.quantities, provider.amounts)
    for claim in provider.claims:
        _write_claim(out, claim, levels, level)


def _write_claim(out: SegmentWriter, claim: ClaimStatus, levels: count[int], parent: str) -> None:
    _open(out, levels, parent, "PT", has_children=False)
    with out.within("2100D"):
        write_name(out, "QC", claim.patient)
    with out.within("2200D"):
        out.add("TRN", "2", claim.trace_number)
        _write_statuses(out, claim.statuses)
        named = (("1K", claim.payer_claim_number), ("D9", claim.clearinghouse_trace), ("BLT", claim.bill_type))
        for qualifier, value in named:
            if value:
                out.add("REF", qualifier, value)
        write_references(out, claim.references)
        write_date(out, "472", claim.service_dates)
    for line in claim.lines:
        _write_line(out, line)


def _write_line(out: SegmentWriter, line: LineStatus) -> None:
    with out.within("2220D"):
        composite = procedure_composite(line.procedure)
        out.add("SVC", composite, money(line.charge_cents), "", line.revenue_code, "", "", number(line.units))
        _write_statuses(out, line.statuses)
        if line.line_control_number:
            out.add("REF", "FJ", line.line_control_number)
        write_references(out, line.references)
        write_date(out, "472", line.service_dates)


def _write_statuses(out: SegmentWriter, statuses: Iterable[Status]) -> None:
    for status in statuses:
        first, *others = [_status_composite(code) for code in status.codes[:3]]
        second, third = (*others, (), ())[:2]
        effective = day(status.effective_on) if status.effective_on else ""
        charge = optional_money(status.charge_cents)
        out.add("STC", first, effective, status.action, charge, *[""] * 5, second, third, Text(status.message))


def _status_composite(code: StatusCode) -> tuple[str, ...]:
    return code.category, code.status, code.entity, code.code_list


def _write_totals(out: SegmentWriter, quantities: Iterable[Quantity], amounts: Iterable[Amount]) -> None:
    write_quantities(out, quantities)
    write_amounts(out, amounts)
