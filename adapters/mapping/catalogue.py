"""A mapping set: every file read, typed and checked against the others, or one error with all that is wrong.

Knows where each kind of file lies and nothing of what the values mean beyond their classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.mapping.catalogue_checks import (
    check_charges,
    check_facilities,
    check_ids,
    check_levels,
    check_payers,
    check_services,
    check_sources,
)
from adapters.mapping.clearinghouse_files import ConnectionFile, read_connection
from adapters.mapping.code_files import CODE_FILES, CodeRow
from adapters.mapping.compiled import compile_source
from adapters.mapping.conditions import ClaimCondition
from adapters.mapping.contract_shapes import CHARGE, FACILITY, ORGANIZATION, PAYER, SERVICE, SESSION
from adapters.mapping.declared import Declared
from adapters.mapping.inheritance import lay_over_bases
from adapters.mapping.mapping_files import FOLDERS, content_hash
from adapters.mapping.payer_rules import NO_RULES
from adapters.mapping.remembered import Remembered
from adapters.mapping.shapes import Key, ListKind, Shape
from adapters.mapping.source_file import SourceFile, read_source
from adapters.mapping.view import Notation, Reader
from adapters.mapping.yaml_reader import Place, Problems, Table, nearest
from gateway.claim.contract import Catalogue, Charge, Facility, Organization, Payer, ServiceDefinition, SessionKind
from gateway.claim.party import Identifier
from gateway.errors import NotFound
from gateway.rules.rule import Rule

FACILITIES_FILE: Final = Shape(
    "facilities file",
    dict,
    {
        "organizations": Key(ListKind(ORGANIZATION)),
        "facilities": Key(ListKind(FACILITY)),
        "charges": Key(ListKind(CHARGE)),
    },
)
PAYERS_FILE: Final = Shape("payers file", dict, {"payers": Key(ListKind(PAYER), required=True)})
SERVICES_FILE: Final = Shape("services file", dict, {"services": Key(ListKind(SERVICE), required=True)})
SESSIONS_FILE: Final = Shape("sessions file", dict, {"sessions": Key(ListKind(SESSION), required=True)})

_LAST = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSet:
    """Everything the files of one set say."""

    catalogue: Catalogue
    connections: Mapping[str, ConnectionFile]
    sources: Mapping[str, SourceFile]
    places_of_service: tuple[CodeRow, ...]
    hcpcs: tuple[CodeRow, ...]

    def source(self, name: str) -> SourceFile:
        """One source's file. Raises NotFound."""
        try:
            return self.sources[name]
        except KeyError:
            raise NotFound(f"no source {name!r} in the mapping set{nearest(name, self.sources)}") from None

    def precedence(self, source: str) -> int:
        """Which source's word counts where two tell of one thing; the lower number wins."""
        found = self.sources.get(source)
        return found.precedence if found else _LAST

    def medical_record_number(self, organization: str, identifiers: Sequence[Identifier]) -> str:
        """The identifier a source of the organization names as its medical record number; empty for none."""
        for file in sorted(self.sources.values(), key=lambda each: (each.precedence, each.source)):
            if file.organization == organization and file.medical_record_number:
                for each in identifiers:
                    if each.namespace == file.medical_record_number:
                        return each.value
        return ""


@dataclass(slots=True)
class _Gathered:
    """What the files gave so far, in the order of their paths."""

    organizations: list[Organization] = field(default_factory=list)
    facilities: list[Facility] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    payers: list[Payer] = field(default_factory=list)
    services: list[ServiceDefinition] = field(default_factory=list)
    sessions: list[SessionKind] = field(default_factory=list)
    connections: list[ConnectionFile] = field(default_factory=list)
    sources: list[SourceFile] = field(default_factory=list)
    codes: dict[str, list[CodeRow]] = field(default_factory=lambda: {name: [] for name in CODE_FILES})
    declared: Declared = field(default_factory=Declared)


def load_mapping_set(
    files: Mapping[str, bytes],
    notations: Sequence[Notation] = (),
    rules: Mapping[str, Rule] = NO_RULES,
    remembered: Remembered | None = None,
) -> MappingSet:
    """The mapping set of these files by path; raises ConfigurationError with everything wrong in any of them.

    Source files' paths are compiled by the notation of their format where it is given; the rules that payers set are
    checked against ``rules`` where any are given.
    """
    problems = Problems()
    loaded = read_mapping_set(files, problems, notations, rules, remembered)
    problems.raise_if_any()
    return loaded


def load_catalogue(files: Mapping[str, bytes]) -> Catalogue:
    """The catalogue of these files by path; raises ConfigurationError with everything wrong in any of them."""
    return load_mapping_set(files).catalogue


def read_mapping_set(
    files: Mapping[str, bytes],
    problems: Problems,
    notations: Sequence[Notation] = (),
    rules: Mapping[str, Rule] = NO_RULES,
    remembered: Remembered | None = None,
) -> MappingSet:
    """As much of the set as can be read, with everything wrong added to ``problems``."""
    known = remembered or Remembered()
    gathered = _Gathered()
    tables = _tables(files, gathered.declared, known, problems)
    for path, table in lay_over_bases(tables, problems).items():
        _READERS[path.partition("/")[0]](table, gathered, problems)
    _check(gathered, problems, rules)
    _compile_conditions(gathered.payers, files, known, problems)
    by_name = {notation.name: notation for notation in notations}
    for source in gathered.sources:
        file = source.entry.rpartition(":")[0]
        alone = "extends" not in tables[file].entries
        if not (alone and known.is_sound(file, files[file])):
            notation = by_name.get(source.format) or Notation(source.format, _any_path)
            before = len(problems)
            compile_source(source, notation, None, problems)
            if alone and len(problems) == before and source.format in by_name:
                known.note_sound(file, files[file])
    known.keep()
    return _set_of(gathered, content_hash(files))


def _tables(files: Mapping[str, bytes], declared: Declared, known: Remembered, problems: Problems) -> dict[str, Table]:
    """Each file that can be read, and in ``declared`` what the files name."""
    tables: dict[str, Table] = {}
    for path in sorted(files):
        folder = path.partition("/")[0]
        if folder not in FOLDERS or "/" not in path:
            problems.add(Place(path), f"lies in no folder of mapping files{nearest(folder, FOLDERS)}")
            continue
        table = known.table(path, files[path], problems)
        if table is None:
            declared.unread(path)
        else:
            tables[path] = table
            declared.note(path, table)
    return tables


def _compile_conditions(
    payers: Sequence[Payer], files: Mapping[str, bytes], known: Remembered, problems: Problems
) -> None:
    """The conditions of payers' own rules; those of a file where all of them compiled before are left for later."""
    conditions = [own.fails for payer in payers for own in payer.own_rules if isinstance(own.fails, ClaimCondition)]
    for file in {each.place.file: None for each in conditions}:
        if not known.is_sound(file, files[file]):
            before = len(problems)
            for each in conditions:
                if each.place.file == file:
                    each.compile(problems)
            if len(problems) == before:
                known.note_sound(file, files[file])


def _any_path(_: str) -> Reader:
    """What stands for a notation that is not at hand: every path is taken, none finds anything."""
    return lambda view: []  # noqa: ARG005


def _set_of(gathered: _Gathered, name: str) -> MappingSet:
    catalogue = Catalogue(
        content_hash=name,
        organizations={each.id: each for each in gathered.organizations},
        facilities={each.id: each for each in gathered.facilities},
        payers={each.id: each for each in gathered.payers},
        services=tuple(gathered.services),
        charges=tuple(gathered.charges),
        sessions={each.name: each for each in gathered.sessions},
    )
    return MappingSet(
        catalogue=catalogue,
        connections={each.id: each for each in gathered.connections},
        sources={each.source: each for each in gathered.sources},
        places_of_service=tuple(gathered.codes["places_of_service"]),
        hcpcs=tuple(gathered.codes["hcpcs"]),
    )


_Read = Callable[[Table, _Gathered, Problems], None]


def _read_facilities(table: Table, gathered: _Gathered, problems: Problems) -> None:
    if not set(FACILITIES_FILE.keys) & set(table.entries):
        problems.add(table.place, f"holds none of {', '.join(map(repr, FACILITIES_FILE.keys))}")
    lists = FACILITIES_FILE.read(table, problems)
    gathered.organizations += lists.get("organizations", ())
    gathered.facilities += lists.get("facilities", ())
    gathered.charges += lists.get("charges", ())


def _read_payers(table: Table, gathered: _Gathered, problems: Problems) -> None:
    gathered.payers += PAYERS_FILE.read(table, problems)["payers"]


def _read_services(table: Table, gathered: _Gathered, problems: Problems) -> None:
    gathered.services += SERVICES_FILE.read(table, problems)["services"]


def _read_codes(table: Table, gathered: _Gathered, problems: Problems) -> None:
    if "sessions" in table.entries:
        gathered.sessions += SESSIONS_FILE.read(table, problems)["sessions"]
        return
    for name, shape in CODE_FILES.items():
        if name in table.entries:
            gathered.codes[name] += shape.read(table, problems)[name]
            return
    known = ["sessions", *CODE_FILES]
    problems.add(table.place, f"a codes file holds one of {', '.join(map(repr, known))}")


def _read_clearinghouse(table: Table, gathered: _Gathered, problems: Problems) -> None:
    found = read_connection(table, problems)
    if found is not None:
        gathered.connections.append(found)


def _read_source(table: Table, gathered: _Gathered, problems: Problems) -> None:
    found = read_source(table, problems)
    if found is not None:
        gathered.sources.append(found)


_READERS: Final[Mapping[str, _Read]] = {
    "facilities": _read_facilities,
    "payers": _read_payers,
    "services": _read_services,
    "codes": _read_codes,
    "clearinghouses": _read_clearinghouse,
    "sources": _read_source,
}


def _check(gathered: _Gathered, problems: Problems, rules: Mapping[str, Rule]) -> None:
    declared = gathered.declared
    check_ids(gathered.organizations, "organization", problems)
    check_ids(gathered.facilities, "facility", problems)
    check_ids(gathered.payers, "payer", problems)
    check_ids(gathered.connections, "connection", problems)
    check_ids(gathered.sessions, "session", problems, "name")
    check_ids(gathered.sources, "source", problems, "source")
    check_facilities(gathered.facilities, declared, problems)
    check_charges(gathered.charges, declared, problems)
    check_payers(gathered.payers, declared, rules, problems)
    check_services(gathered.services, declared, problems)
    check_levels(gathered.services, gathered.payers, problems)
    check_sources(gathered.sources, declared, problems)
    declared.tell_unjudged(problems)
