"""What the columns of a sheet nobody mapped yet may be: those of the shipped attendance sheet, by how they are called.

Guesses only, for whoever drafts a mapping file; nothing is read by them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from adapters.csv.view import column_of, folded
from adapters.mapping.source_file import NamedValue, RecordEntry, SourceFile, ValueSpec

_PERSON: Final = r"(clinician|therapist|counsell?or|facilitator|provider|rendering|staff)"
_PHYSICIAN: Final = r"(attending|physician|psychiatrist|doctor|\bmd\b)"
_NUMBER: Final = r"(\bid\b|\bno\b|\bnum|#)"
_SOUNDS: Final = (
    ("Attending NPI", rf"{_PHYSICIAN}.*npi"),
    ("Attending last name", rf"{_PHYSICIAN}.*(last|family|sur)"),
    ("Attending first name", rf"{_PHYSICIAN}.*(first|given)"),
    ("Clinician NPI", r"npi"),
    ("Clinician last name", rf"{_PERSON}.*(last|family|sur)"),
    ("Clinician first name", rf"{_PERSON}.*(first|given)"),
    ("Member ID", rf"(member|policy|subscriber|insur\w*|medicaid|medicare).*{_NUMBER}"),
    ("Birth date", r"birth|\bdob\b"),
    ("Admitted", r"admi|intake|enrol|start of care"),
    ("Discharged", r"discharg|\bd/?c\b"),
    ("Authorization", r"\bauth"),
    (
        "Client ID",
        rf"(client|patient|chart|record|case|resident|participant).*{_NUMBER}|^(mrn|id|chart)$|medical record",
    ),
    ("Date", r"\bdos\b|(service|session|attendance|visit|group).*\bdate|date of service|^da(y|te)$"),
    ("Note signed", r"signed|\bnote|documentation"),
    ("Start", r"start|begin|(time|check|sign)\W*in\b|^in$|^from$"),
    ("End", r"\bend|stop|(time|check|sign)\W*out\b|^out$|^to$"),
    ("Minutes", r"minutes|\bmins?\b|duration|length"),
    ("Status", r"status|attend|present|show|outcome"),
    ("Where", r"where|modality|telehealth|in.?person|delivery"),
    ("Program", r"program|level of care|\bloc\b|track"),
    ("Session", r"session|group|service|activity|type|class"),
    ("Last name", r"last|family|surname"),
    ("First name", r"first|given"),
    ("Sex", r"sex|gender"),
    ("Address", r"address|street"),
    ("City", r"city|town"),
    ("State", r"state"),
    ("ZIP", r"zip|postal"),
    ("Payer", r"payer|payor|insurance|carrier|health plan"),
    ("Location", r"location|facility|site|clinic|building"),
    ("Diagnoses", r"diag|\bdx\b|icd"),
)
"""Columns of the shipped sheet by what sheets call them; what says more is asked first, each heading given once."""
COLUMNS: Final = tuple(name for name, _ in _SOUNDS)
_DAY: Final = "Date"
"""A sheet that has day and time in one column needs no column of days."""
_NEEDED: Final = ("Client ID", "Start")
_LONGEST_HEADING: Final = 60


def columns_taken(header: Sequence[str]) -> dict[str, str]:
    """The sheet's headings by those of the shipped sheet: the same ones, then those that sound like one."""
    free = {folded(each): each for each in header if is_heading(each)}
    taken = {name: free.pop(folded(name)) for name, _ in _SOUNDS if folded(name) in free}
    for name, sound in _SOUNDS:
        found = next((each for each in free if name not in taken and re.search(sound, each)), None)
        if found is not None:
            taken[name] = free.pop(found)
    return taken


def is_heading(text: str) -> bool:
    """Whether a cell of the first line may be repeated as a heading; a value of somebody's may not."""
    return text.isprintable() and 0 < len(text.strip()) <= _LONGEST_HEADING and not re.search(r"\d{4}|\d[-/]\d", text)


def columns_missing(taken: Mapping[str, str]) -> list[str]:
    """Columns without which no session can be told."""
    return [each for each in _NEEDED if each not in taken]


def with_columns(source: SourceFile, taken: Mapping[str, str]) -> SourceFile:
    """The source file as it is for a sheet of these columns: what reads any other is left out."""
    return replace(source, records=tuple(made for each in source.records if (made := _entry(each, taken)) is not None))


def _entry(entry: RecordEntry, taken: Mapping[str, str]) -> RecordEntry | None:
    values = {name: NamedValue(place=each.place, path=path, every=each.every)
              for name, each in entry.values.items() if (path := _path(each.path, taken))}  # fmt: skip
    unknown = frozenset(entry.values) - frozenset(values)
    identity = tuple(_specs(entry.identity, taken, unknown))
    if _names(entry, unknown) or (entry.identity and not identity):
        return None
    made = {name: _spec(each, taken, unknown) for name, each in entry.fields.items()}
    fields = {name: each for name, each in made.items() if each is not None}
    return replace(entry, values=values, identity=identity, fields=fields)


def _names(of: RecordEntry | ValueSpec, unknown: frozenset[str]) -> bool:
    """Whether its condition names a value that the sheet has no column for."""
    return of.when is not None and any(re.search(rf"\b{each}\b", of.when.value) for each in unknown)


def _specs(specs: Sequence[ValueSpec], taken: Mapping[str, str], unknown: frozenset[str]) -> Iterator[ValueSpec]:
    for each in specs:
        if (made := _spec(each, taken, unknown)) is not None:
            yield made


def _spec(spec: ValueSpec, taken: Mapping[str, str], unknown: frozenset[str]) -> ValueSpec | None:
    if _names(spec, unknown):
        return None
    if spec.path is not None:
        path = _path(spec.path, taken)
        return replace(spec, path=path) if path else None
    if not spec.inner:
        return spec
    inner = tuple(_specs(spec.inner, taken, unknown))
    wanted = sum(each.path != _DAY or _DAY in taken for each in spec.parts)
    if len(inner) < max(wanted, 1):
        return None
    if spec.parts and len(inner) == 1:
        return replace(spec, parts=(), path=inner[0].path)
    if spec.first_of:
        return replace(spec, first_of=inner)
    return replace(spec, all_of=inner) if spec.all_of else replace(spec, parts=inner)


def _path(path: str, taken: Mapping[str, str]) -> str:
    column, separator = column_of(path)
    found = taken.get(column, "")
    return f"{found}[{separator}]" if found and separator else found
