"""Sheets of origins, each kept once and for ever: claims frozen long ago point at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from gateway.claim.claim import Claim
from gateway.claim.origins import Origins, Sheet, origins_stored
from gateway.store.coding import decode
from gateway.store.schema import origin_sheet
from gateway.store.sql import insert_missing, slices

_TOLD = dict[str, tuple[str, str]]


class SheetRows:
    """The sheets that one transaction reads and writes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, Sheet] = {}

    def keep(self, sheets: Iterable[Sheet]) -> None:
        """Write the sheets that are not there, in one order, so that two writers never wait in a circle."""
        new = {each.digest: each.content for each in {*sheets}}
        rows = [{"sha256": digest, "content": content} for digest, content in sorted(new.items())]
        insert_missing(self._connection, origin_sheet, rows)

    def keep_those_of(self, claims: Iterable[Claim]) -> None:
        """The same for the sheets that claims rest on."""
        origins = (each for claim in claims for each in (claim.origins, *(line.origins for line in claim.lines)))
        self.keep(told.sheet for each in origins for told in each.told)

    def find_all(self, digests: Iterable[str]) -> Mapping[str, Sheet]:
        """Sheets by name; each is read once."""
        for some in slices(sorted({*digests} - self._known.keys())):
            rows = self._connection.execute(select(origin_sheet).where(origin_sheet.c.sha256.in_(some)))
            self._known.update({row.sha256: Sheet(decode(row.content, _TOLD)) for row in rows})
        return self._known

    def find(self, digest: str) -> Sheet:
        """One sheet by name."""
        return self._known.get(digest) or self.find_all([digest])[digest]

    def origins(self, type: type, stored: Any) -> Any:
        """For a decoder: the origins that a claim was stored with."""
        if type is not Origins:
            raise TypeError(f"nothing was stored as a {type.__name__}")
        return origins_stored(stored, self.find)
