"""A CSV attendance file as rows ready to be stored, each with what is wrong with it. Stores nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from adapters.csv.columns import column_problems
from adapters.csv.table import CsvFault, open_table
from gateway.claim.party import Identifier
from gateway.claim.record import EncounterRecord
from gateway.errors import FormatError
from gateway.ports import CSV_CONTENT, Arrival, Interpretation
from gateway.wiring.site import Site


@dataclass(frozen=True, slots=True)
class ReadyRow:
    """One row: ``problems`` are what makes it wrong, as sentences; the arrival of a row that is none is refused."""

    line: int
    arrival: Arrival
    problems: tuple[str, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    """What only the file as a whole shows."""


def ready_rows(site: Site, source: str, content: bytes) -> Iterator[ReadyRow]:
    """The rows of a file. Raises FormatError, with every reason, where the file is not what the source sends."""
    file = site.policy.mapping_set.source(source)
    table = open_table(content, file.character_set)
    if problems := column_problems(file, table.header):
        raise FormatError(f"line {table.header_line}: {'; '.join(problems)}")
    return _rows(site, source, table.rows(), hashlib.sha256(content).hexdigest())


def _rows(site: Site, source: str, entries: Iterator[Any], file_hash: str) -> Iterator[ReadyRow]:
    interpreter, now = site.policy.interpreter(source), site.clock.now()
    told = _Told()
    for entry in entries:
        refusal = entry.text if isinstance(entry, CsvFault) else ""
        arrival = Arrival(
            source=source,
            content=entry.raw,
            content_type=CSV_CONTENT,
            # The same file is known already; a later file may say again what an earlier one said, and be believed.
            control_key=f"{file_hash}:{entry.line}",
            event=f"line {entry.line}",
            refusal=refusal,
        )
        if refusal:
            yield ReadyRow(entry.line, arrival, (refusal,))
            continue
        found = interpreter.interpret_message(entry.raw, now)
        problems = tuple(f"{each.place}: {each.message}" for each in found.problems if each.fatal)
        yield ReadyRow(entry.line, arrival, problems, told.twice(entry.line, found))


@dataclass(slots=True)
class _Told:
    """Which line of the file said what of which session, by a hash: a file may have very many."""

    lines: dict[Identifier, tuple[int, int]] = field(default_factory=dict)

    def twice(self, line: int, found: Interpretation) -> tuple[dict[str, Any], ...]:
        """A finding for each session that an earlier line told otherwise."""
        findings = []
        for each in found.records:
            if not isinstance(each.record, EncounterRecord):
                continue
            said = hash(each.record)
            for identifier in each.record.identifiers:
                earlier = self.lines.get(identifier)
                if earlier is not None and earlier[1] != said:
                    findings.append(_told_otherwise(earlier[0], each.origins["identifiers"].mapping))
                self.lines[identifier] = line, said
        return tuple(findings)


def _told_otherwise(line: int, mapping: str) -> dict[str, Any]:
    return {
        "place": "row",
        "mapping": mapping,
        "message": f"line {line} tells of the same session, and otherwise; this one counts, as the later",
        "fix": "Take the wrong row out, or map an identity that tells the two sessions apart.",
        "fatal": False,
    }
