"""Rosters as files: every row is judged, every mistake is told with its place and column, and all rows load or none.

Columns are the fields of the kind's record. Errors never repeat a cell: it may name a patient.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Union, get_args, get_origin, get_type_hints

from gateway.claim.calendar import COUNTABLE
from gateway.claim.identifiers import npi_is_valid, taxonomy_is_shaped
from gateway.claim.party import Identifier
from gateway.claim.record import Weekday
from gateway.claim.roster import ROSTER_RECORDS, RosterKind, RosterRecord, member_of, row_key
from gateway.errors import ConfigurationError, FormatError, NotFound
from gateway.wiring.roster_rows import Row, read_rows

if TYPE_CHECKING:
    from adapters.mapping.catalogue import MappingSet

_RECORDS: Mapping[RosterKind, type[RosterRecord]] = {each.kind: each for each in ROSTER_RECORDS}
OWN_ROSTER = "organization"
"""The source of a roster that nobody else is said to keep."""
_MOST_PROBLEMS = 1000
_LONGEST = 4000
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_AMOUNT = re.compile(r"\d{1,7}(\.\d{1,2})?", re.ASCII)
_SOURCE = re.compile(r"[\w.:-][\w .:-]{0,99}")
_COLUMN_OF = {"copay_cents": "copay"}
_MEMBER = "member_number"
_OF_MEMBERS = (RosterKind.ELIGIBILITY, RosterKind.AUTHORIZATIONS)
"""What a payer says names its member, not our record number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    """The names a roster may use: what the mapping set in force says of one organization."""

    payers: Collection[str]
    programs: Collection[str] = ()
    namespaces: Collection[str] = ()
    """Of patients' identifiers."""
    record_numbers: Collection[str] = ()
    """Those of them that are medical record numbers: a bare number is one where there is one such namespace."""


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of a kind: the field it fills, and how its text is read (raises ValueError with what is wrong)."""

    field: str
    required: bool
    read: Callable[[str, KnownNames], Any]


@dataclass(slots=True)
class _Roster:
    """Rows taken so far, and what is wrong."""

    rows: dict[str, RosterRecord] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def roster_kind(word: str) -> RosterKind:
    """The kind of that name. Raises NotFound, naming those there are."""
    if word not in set(RosterKind):
        raise NotFound(f"there is no roster of {word!r}; there are {', '.join(RosterKind)}")
    return RosterKind(word)


def roster_source(word: str) -> str:
    """The word as the name of who keeps a roster. Raises FormatError for what is no name."""
    if not _SOURCE.fullmatch(word):
        raise FormatError("the source of a roster is a name of 1 to 100 letters, digits, spaces, dots and hyphens")
    return word


def known_names(mapping_set: MappingSet, organization: str) -> KnownNames:
    """The names that a roster of this organization may use."""
    catalogue = mapping_set.catalogue
    files = [each for each in mapping_set.sources.values() if each.organization == organization]
    numbers = {each.medical_record_number for each in files if each.medical_record_number}
    return KnownNames(
        payers=frozenset(catalogue.payers),
        programs=frozenset(each.id for each in catalogue.organizations[organization].programs),
        namespaces=frozenset(numbers.union(*(each.namespaces.values() for each in files))),
        record_numbers=frozenset(numbers),
    )


def roster_view(record: RosterRecord) -> dict[str, str]:
    """A record by the columns of its file, as text; columns that say nothing are left out."""
    return {
        column: text
        for column, each in _columns(record.kind).items()
        if each.field != _MEMBER and (text := _written(each.field, getattr(record, each.field)))
    }


def read_roster(kind: RosterKind, content: bytes, name: str, known: KnownNames) -> dict[str, RosterRecord]:
    """The rows of a CSV or JSON roster by key. Raises ConfigurationError with ``place: column: what`` of every row."""
    columns = _columns(kind)
    required = [each for each, column in columns.items() if column.required]
    taken = _Roster()
    try:
        for row in read_rows(content, name, required, list(columns)):
            _take(taken, row, kind, columns, known)
            if len(taken.problems) >= _MOST_PROBLEMS:
                taken.problems.append(f"{row.place}: the rest of the file was not looked at; correct these first")
                break
    except ConfigurationError as error:
        taken.problems += error.problems
    if taken.problems:
        raise ConfigurationError(taken.problems)
    return taken.rows


def _written(name: str, value: Any) -> str:
    """A value as its column has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    if name in _COLUMN_OF:
        return f"{value // 100}.{value % 100:02}"
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _take(taken: _Roster, row: Row, kind: RosterKind, columns: Mapping[str, _Column], known: KnownNames) -> None:
    if row.problem:
        taken.problems.append(f"{row.place}: {row.problem}")
        return
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for name, column in columns.items():
        text = row.values.get(name, "")
        if not text:
            if column.required:
                wrong.append(f"{name}: is empty")
            continue
        try:
            values[column.field] = column.read(_plain(text), known)
        except ValueError as error:
            wrong.append(f"{name}: {error}")
    if "patient" in columns and not wrong:
        wrong += _settle_patient(values, _MEMBER in columns)
    wrong += [] if wrong else _contradictions(values)
    if wrong:
        taken.problems += [f"{row.place}: {each}" for each in wrong]
        return
    record = _RECORDS[kind](**values, entry=row.place.rpartition("/")[2])
    key = row_key(record)
    if key in taken.rows:
        taken.problems.append(f"{row.place}: the same {', '.join(record.key)} as in {taken.places[key]}; keep one")
    taken.rows[key], taken.places[key] = record, row.place


def _settle_patient(values: dict[str, Any], members: bool) -> list[str]:
    """The patient a row is about: named by an identifier of theirs or, to a payer, by their member number."""
    member = values.pop(_MEMBER, "")
    if "patient" in values:
        return []
    if member:
        values["patient"] = member_of(values["payer"], member)
        return []
    return [f"patient: is empty{', and so is member_number; give one of them' if members else ''}"]


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    """What two cells of a row say against each other."""
    wrong = []
    start = values.get("start_on") or values.get("signed_on")
    for name in ("end_on", "revoked_on"):
        if values.get(name) and start and values[name] < start:
            wrong.append(f"{name}: lies before the first day")
    retro = values.get("retro_effective_on")
    if retro and start and retro > start:
        wrong.append("retro_effective_on: lies after start_on; it is the earlier day the payer agreed to")
    if values.get("signed_by") and not values.get("signed_on"):
        wrong.append("signed_on: is empty, and signed_by says that somebody signed")
    if (values.get("opening_units") is None) is not (values.get("opening_on") is None):
        wrong.append("opening_units: belongs to opening_on: units used before that day; give both, or neither")
    return wrong


# --- columns ---------------------------------------------------------------------------------------------------------


@cache
def _columns(kind: RosterKind) -> Mapping[str, _Column]:
    record = _RECORDS[kind]
    hints = get_type_hints(record)
    found: dict[str, _Column] = {}
    for each in dataclasses.fields(record):
        hint = hints[each.name]
        if get_origin(hint) is ClassVar or each.name == "entry":
            continue
        required = each.default is dataclasses.MISSING
        if each.name == "patient":
            found["patient"] = _Column("patient", kind not in _OF_MEMBERS, _patient)
            if kind in _OF_MEMBERS:
                found[_MEMBER] = _Column(_MEMBER, False, _text)
            continue
        name = _COLUMN_OF.get(each.name, each.name)
        found[name] = _Column(each.name, required, _BY_NAME.get(each.name) or _reader(hint))
    return found


def _reader(hint: Any) -> Callable[[str, KnownNames], Any]:
    if get_origin(hint) in (Union, types.UnionType):
        return _reader(next(each for each in get_args(hint) if each is not type(None)))
    if get_origin(hint) is tuple:
        return _words
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda text, _: _choice(hint, text)
    readers: dict[Any, Callable[[str, KnownNames], Any]] = {date: _date, bool: _boolean, int: _whole, str: _text}
    return readers[hint]


def _plain(text: str) -> str:
    """The text of a cell, which can be stored and shown anywhere."""
    if len(text) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST:,} characters")
    if _UNWRITABLE.search(text):
        raise ValueError("holds a control character or half a character; type the cell anew")
    return text


def _text(text: str, _: KnownNames) -> str:
    return text


def _words(text: str, _: KnownNames) -> tuple[str, ...]:
    return tuple(sorted(set(text.replace(";", " ").split())))


def _last_day(text: str, _: KnownNames) -> date:
    try:
        on = date.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a date such as 2026-01-31") from None
    if on < COUNTABLE.start_on:
        raise ValueError(f"lies before {COUNTABLE.start_on}")
    return on


def _date(text: str, known: KnownNames) -> date:
    """A day that others are counted from: only a last one may stand for no end, such as 9999-12-31."""
    on = _last_day(text, known)
    if not COUNTABLE.covers(on):
        raise ValueError(f"lies after {COUNTABLE.end_on}")
    return on


def _boolean(text: str, _: KnownNames) -> bool:
    if text.casefold() not in ("yes", "no", "true", "false"):
        raise ValueError("is neither yes nor no")
    return text.casefold() in ("yes", "true")


def _whole(text: str, _: KnownNames) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError("is not a whole number")
    return int(text)


def _dollars(text: str, _: KnownNames) -> int:
    if not _AMOUNT.fullmatch(text):
        raise ValueError("is not an amount such as 40.00")
    return int(Decimal(text) * 100)


def _choice(words: type[Enum], text: str) -> Any:
    for each in words:
        if text.casefold() == str(each.value).casefold():
            return each
    raise ValueError(f"is none of {', '.join(str(each.value) for each in words)}")


def _npi(text: str, _: KnownNames) -> str:
    if not npi_is_valid(text):
        raise ValueError("is not a valid NPI")
    return text


def _taxonomy(text: str, _: KnownNames) -> str:
    if not taxonomy_is_shaped(text):
        raise ValueError("is not a taxonomy code: ten characters, the last an X")
    return text


def _tax_id(text: str, _: KnownNames) -> str:
    digits = text.replace("-", "")
    if not (digits.isascii() and digits.isdecimal() and len(digits) == 9):
        raise ValueError("is not a tax id of nine digits")
    return digits


def _payer(text: str, known: KnownNames) -> str:
    return _one_of(text, known.payers, "no payer file has this id")


def _program(text: str, known: KnownNames) -> str:
    return _one_of(text, known.programs, "the organization has no such program")


def _one_of(text: str, known: Collection[str], wrong: str) -> str:
    if text not in known:
        raise ValueError(f"{wrong}; known are {', '.join(sorted(known))}")
    return text


def _patient(text: str, known: KnownNames) -> Identifier:
    namespace, bar, value = text.rpartition("|")
    if not bar and len(known.record_numbers) == 1:
        namespace = next(iter(known.record_numbers))
    if not namespace or not value:
        raise ValueError("write it as NAMESPACE|NUMBER, the namespace as a source file names it")
    if namespace not in known.namespaces:
        raise ValueError(f"no source file has this namespace; known are {', '.join(sorted(known.namespaces))}")
    return Identifier(namespace, value)


_BY_NAME: Mapping[str, Callable[[str, KnownNames], Any]] = {
    "end_on": _last_day,
    "license_end_on": _last_day,
    "npi": _npi,
    "location_npi": _npi,
    "signed_by": _npi,
    "payer": _payer,
    "program": _program,
    "taxonomy": _taxonomy,
    "tax_id": _tax_id,
    "copay_cents": _dollars,
    "weekdays": lambda text, known: tuple(_choice(Weekday, word) for word in _words(text, known)),
    "npis": lambda text, known: tuple(_npi(word, known) for word in _words(text, known)),
}
