"""FHIR resources by source and version, their identifiers, and which mapping followed which reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, delete, func, select

from gateway.claim.party import Identifier
from gateway.ports import LookAhead, NewVersion, Resource
from gateway.store.schema import fhir_identity, fhir_link, fhir_resource
from gateway.store.sql import any_of, hold_names, insert_all, insert_missing, slices

# FHIR decimals keep their digits: 350.50 is not 350.5 (R4 datatypes, "decimal").
_read = msgspec.json.Decoder(float_hook=Decimal)
_write = msgspec.json.Encoder(decimal_format="number")


K = TypeVar("K")


def _of(table: Table) -> list[ColumnElement[bool]]:
    return [table.c.source == bindparam("source"), table.c.type == bindparam("type")]


# Built once: a Bundle asks each of these several times. One type at a time, because SQLite finds ``type = ? AND id IN
# (...)`` by index and ``(type, id) IN (...)`` only by looking at all that the source ever sent.
# Not ordered by id: SQLite would then walk all of the type by the index that has ids in order.
_IDENTIFIED = select(fhir_identity.c.value, fhir_identity.c.id).where(
    *_of(fhir_identity), fhir_identity.c.system == bindparam("system"), any_of(fhir_identity.c.value, "values")
)
_IDENTIFIERS = select(fhir_identity.c.system, fhir_identity.c.value).where(
    *_of(fhir_identity), any_of(fhir_identity.c.id, "ids")
)
_NO_LONGER_IDENTIFIED = delete(fhir_identity).where(*_of(fhir_identity), any_of(fhir_identity.c.id, "ids"))
_TOLD_BY = (
    select(fhir_resource.c.id, fhir_resource.c.message_id)
    .where(*_of(fhir_resource), any_of(fhir_resource.c.id, "ids"))
    .order_by(fhir_resource.c.version)
)
_VERSIONS = (
    select(fhir_resource.c.id, func.max(fhir_resource.c.version).label("version"))
    .where(*_of(fhir_resource), any_of(fhir_resource.c.id, "ids"))
    .group_by(fhir_resource.c.id)
)
_OTHER = fhir_resource.alias()
_NEWEST = select(fhir_resource).where(
    *_of(fhir_resource),
    any_of(fhir_resource.c.id, "ids"),
    fhir_resource.c.version
    == select(func.max(_OTHER.c.version))
    .where(*(_OTHER.c[each] == fhir_resource.c[each] for each in ("source", "type", "id")))
    .scalar_subquery(),
)
"""Asked of each by index: joined with all the last versions, PostgreSQL compares every one with every other as long as
it has not counted how many there are, which in a first import takes minutes."""


class ResourceRows:
    """Implements gateway.ports.resources.Resources."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def table(self, source: str, at: datetime) -> SourceResources:
        """The resource table of one source in this transaction."""
        return SourceResources(self._connection, source, at)

    def current(self, source: str, reference: str) -> Resource | None:
        """The newest version of ``Type/id``, or of the one resource that ``Type?identifier=system|value`` means."""
        if "?" in reference:
            type, identifier = _type_and_identifier(reference)
            ids = self.identified(source, type, identifier)
            return self.current(source, f"{type}/{ids[0]}") if len(ids) == 1 else None
        type, id = _type_and_id(reference)
        columns = fhir_resource.c
        newest = (
            select(fhir_resource)
            .where(columns.source == source, columns.type == type, columns.id == id)
            .order_by(columns.version.desc())
            .limit(1)
        )
        row = self._connection.execute(newest).first()
        return _resource(row) if row is not None else None

    def newest(self, source: str, references: Sequence[str]) -> Mapping[str, Resource]:
        """The newest version of each ``Type/id`` that is there."""
        keys = sorted(_type_and_id(reference) for reference in references)
        return {f"{each.type}/{each.id}": each for each in _newest(self._connection, source, keys)}

    def identified(self, source: str, type: str, identifier: Identifier) -> list[str]:
        """Ids of the source's resources with that identifier."""
        columns = fhir_identity.c
        found = select(columns.id).where(
            columns.source == source,
            columns.type == type,
            columns.system == identifier.namespace,
            columns.value == identifier.value,
        )
        return sorted(self._connection.scalars(found))

    def references(self, source: str, type: str = "") -> list[str]:
        """``Type/id`` of every resource of the source, or of those of one type."""
        columns = fhir_resource.c
        known = select(columns.type, columns.id).where(columns.source == source).distinct()
        if type:
            known = known.where(columns.type == type)
        return [f"{row.type}/{row.id}" for row in self._connection.execute(known.order_by(columns.type, columns.id))]

    def versions_told(self, message_id: str) -> int:
        """How many resource versions a message brought."""
        told = select(func.count()).select_from(fhir_resource).where(fhir_resource.c.message_id == message_id)
        return self._connection.scalar(told) or 0

    def told_by(self, source: str, references: Sequence[str]) -> Mapping[str, str]:
        """Id of the message that brought each resource's newest version."""
        told: dict[str, str] = {}
        for type, ids in _grouped(sorted(_type_and_id(reference) for reference in references)):
            given = {"source": source, "type": type, "ids": ids}
            told.update({f"{type}/{id}": message_id for id, message_id in self._connection.execute(_TOLD_BY, given)})
        return told

    def hold_lane(self, source: str) -> None:
        """Look around among this source's resources alone until the commit."""
        hold_names(self._connection, [f"lane|{source}"])

    def overtaken(self, source: str, read: Mapping[str, Resource | None]) -> set[str]:
        """Those of what was read that are found otherwise by now. SQLite has one writer, whom nobody overtakes."""
        if self._connection.dialect.name != "postgresql":
            return set()
        newest: dict[str, tuple[str, int]] = {}
        for type, ids in _grouped(sorted(_type_and_id(each) for each in read if "?" not in each)):
            given = {"source": source, "type": type, "ids": ids}
            newest.update((f"{type}/{id}", (id, version)) for id, version in self._connection.execute(_VERSIONS, given))
        for reference in (each for each in read if "?" in each):
            if found := self.current(source, reference):
                newest[reference] = (found.id, found.version)
        return {each for each, was in read.items() if (was and (was.id, was.version)) != newest.get(each)}

    def link(self, source: str, followed: Mapping[str, Iterable[str]]) -> None:
        """Remember which resources the mapping of each one followed."""
        columns = fhir_link.c
        for some in slices(sorted(followed)):
            self._connection.execute(
                delete(fhir_link).where(columns.source == source, columns.from_reference.in_(some))
            )
        rows = [
            {"source": source, "from_reference": reference, "to_reference": target}
            for reference, targets in sorted(followed.items())
            for target in sorted(set(targets))
        ]
        insert_missing(self._connection, fhir_link, rows)

    def dependents(self, source: str, references: Sequence[str]) -> set[str]:
        """References whose mapping followed one of these, by id or by an identifier it has."""
        columns = fhir_link.c
        found: set[str] = set()
        names = list(references)
        for type, ids in _grouped(sorted(_type_and_id(reference) for reference in references)):
            rows = self._connection.execute(_IDENTIFIERS, {"source": source, "type": type, "ids": ids})
            names += [f"{type}?identifier={system}|{value}" for system, value in rows]
        for some in slices(names):
            following = select(columns.from_reference).where(columns.source == source, columns.to_reference.in_(some))
            found.update(self._connection.scalars(following))
        return found


class SourceResources:
    """Implements gateway.ports.resources.OpenResourceTable for one source inside one transaction.

    What the database holds is asked once, what is kept is laid over it, so that many messages share their statements.
    """

    def __init__(self, connection: Connection, source: str, at: datetime) -> None:
        self._connection = connection
        self._source = source
        self._at = at
        self._identified: dict[tuple[str, Identifier], list[str]] = {}
        self._newest: dict[tuple[str, str], Resource | None] = {}
        self._put: list[tuple[Resource, tuple[Identifier, ...]]] = []
        self._kept: dict[tuple[str, str], tuple[Resource, tuple[Identifier, ...]]] = {}
        self._kept_by_identity: dict[tuple[str, Identifier], set[str]] = {}
        self._rows: list[dict[str, Any]] = []

    def look_ahead(self, wanted: Iterable[LookAhead]) -> None:
        """Ask the database for what many submissions are going to ask."""
        every = list(wanted)
        stores = [each for one in every for each in one.identities]
        self._ask_identities([*stores, *(each for one in every for each in one.pointed_at)])
        own = [each for one in every for each in one.ids]
        self._ask_newest([*own, *((type, id) for type, each in stores for id in self._identified[type, each])])

    def find(self, wanted: Iterable[tuple[str, Identifier]]) -> dict[tuple[str, Identifier], list[str]]:
        """Ids of the current resources by type and identifier, held until the commit."""
        keys = dict.fromkeys(wanted)
        self._ask_identities(keys)
        found = {}
        for type, identifier in keys:
            stored = (id for id in self._identified[type, identifier] if (type, id) not in self._kept)
            ids = sorted({*stored, *self._kept_by_identity.get((type, identifier), ())})
            if ids:
                found[type, identifier] = ids
        return found

    def current(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Resource]:
        """The newest versions, which stay the newest until the commit: nobody else puts one meanwhile."""
        keys = dict.fromkeys(wanted)
        self._ask_newest(keys)
        newest = {key: self._kept[key][0] if key in self._kept else self._newest[key] for key in keys}
        return {key: resource for key, resource in newest.items() if resource is not None}

    def put(self, versions: Sequence[NewVersion]) -> list[Resource]:
        """Set new versions down, to be kept or discarded."""
        put = [(self._filled_in(each), each.identifiers) for each in versions]
        self._put += put
        return [resource for resource, _ in put]

    def keep(self, message_id: str) -> list[str]:
        """Take what was put as brought by a message; ``Type/id`` of each."""
        changed = []
        for resource, identifiers in self._put:
            key = (resource.type, resource.id)
            for each in self._kept[key][1] if key in self._kept else ():
                self._kept_by_identity[resource.type, each].discard(resource.id)
            for each in identifiers:
                self._kept_by_identity.setdefault((resource.type, each), set()).add(resource.id)
            self._kept[key] = (resource, identifiers)
            self._rows.append(self._row(resource, message_id))
            changed.append(f"{resource.type}/{resource.id}")
        self._put.clear()
        return changed

    def discard(self) -> None:
        """Forget what was put since the last ``keep``."""
        self._put.clear()

    def write(self) -> None:
        """Store the kept versions and index their identifiers."""
        if not self._rows:
            return
        insert_all(self._connection, fhir_resource, self._rows)
        for type, ids in _grouped(sorted(key for key, (resource, _) in self._kept.items() if resource.version > 1)):
            self._connection.execute(_NO_LONGER_IDENTIFIED, {"source": self._source, "type": type, "ids": ids})
        rows = [
            {"source": self._source, "type": type, "system": each.namespace, "value": each.value, "id": id}
            for (type, id), (_, identifiers) in self._kept.items()
            for each in dict.fromkeys(identifiers)
        ]
        insert_missing(self._connection, fhir_identity, rows)
        self._rows.clear()

    def _ask_identities(self, wanted: Iterable[tuple[str, Identifier]]) -> None:
        unknown = [key for key in dict.fromkeys(wanted) if key not in self._identified]
        keys = sorted((type, each.namespace, each.value) for type, each in unknown)
        hold_names(self._connection, [f"{self._source}|{type}|{system}|{value}" for type, system, value in keys])
        self._identified.update((key, []) for key in unknown)
        for (type, system), values in _grouped(((type, system), value) for type, system, value in keys):
            given = {"source": self._source, "type": type, "system": system, "values": values}
            for value, id in self._connection.execute(_IDENTIFIED, given):
                self._identified[type, Identifier(system, value)].append(id)

    def _ask_newest(self, wanted: Iterable[tuple[str, str]]) -> None:
        keys = sorted({key for key in wanted if key not in self._newest and key not in self._kept})
        hold_names(self._connection, [f"{self._source}|{type}/{id}" for type, id in keys])
        self._newest.update(dict.fromkeys(keys))
        self._newest.update(((each.type, each.id), each) for each in _newest(self._connection, self._source, keys))

    def _filled_in(self, new: NewVersion) -> Resource:
        given = new.body.get("meta", {})
        meta = {**given, "versionId": str(new.version), "lastUpdated": _instant(self._at, new.body)}
        body = {**new.body, "id": new.id, "meta": meta}
        return Resource(type=new.type, id=new.id, version=new.version, updated_at=self._at, body=body)

    def _row(self, resource: Resource, message_id: str) -> dict[str, Any]:
        return {
            "source": self._source,
            "type": resource.type,
            "id": resource.id,
            "version": resource.version,
            "updated_at": resource.updated_at,
            "message_id": message_id,
            "body": _write.encode(resource.body),
        }


def _newest(connection: Connection, source: str, keys: Sequence[tuple[str, str]]) -> Iterator[Resource]:
    """The newest versions of resources by sorted type and id."""
    for type, ids in _grouped(keys):
        yield from map(_resource, connection.execute(_NEWEST, {"source": source, "type": type, "ids": ids}))


def _resource(row: Row[Any]) -> Resource:
    return Resource(
        type=row.type, id=row.id, version=row.version, updated_at=row.updated_at, body=_read.decode(row.body)
    )


def _type_and_id(reference: str) -> tuple[str, str]:
    type, _, id = reference.partition("/")
    return type, id


def _type_and_identifier(reference: str) -> tuple[str, Identifier]:
    type, _, named = reference.partition("?identifier=")
    system, _, value = named.partition("|")
    return type, Identifier(system, value)


def _grouped(pairs: Iterable[tuple[K, str]]) -> Iterator[tuple[K, Sequence[str]]]:
    """Sorted pairs as one run of values for each first member, short enough for one IN (...)."""
    for first, members in groupby(pairs, key=itemgetter(0)):
        for some in slices([value for _, value in members]):
            yield first, some


def _instant(at: datetime, body: Mapping[str, Any]) -> str:
    """The source's own lastUpdated where it gave one: late and repeated versions are ordered by what *it* says."""
    given = body.get("meta", {}).get("lastUpdated")
    return given if isinstance(given, str) else at.isoformat().replace("+00:00", "Z")
