"""A patient's authorizations on file: what feeds told of, and what the organization recorded of a payer's decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, cast

from msgspec import Struct

from gateway.claim.contract import Catalogue
from gateway.claim.identifiers import stable_id
from gateway.claim.party import Identifier
from gateway.claim.record import AuthorizationRecord
from gateway.claim.roster import GrantRecord
from gateway.services.case import Merged

_NAMESPACE = "authorization"
_SAID = tuple(each.name for each in fields(GrantRecord) if each.name not in ("patient", "payer", "number", "entry"))


class KnownAuthorization(Struct, frozen=True, kw_only=True):
    """An authorization with its id and the payer it was recognised as; empty when no file knows the name."""

    id: str
    record: AuthorizationRecord
    payer: str


def on_file(
    patient_id: str, told: Mapping[str, Merged[Any]], grants: Sequence[GrantRecord], catalogue: Catalogue
) -> Iterator[KnownAuthorization]:
    """Authorizations of feeds, each with what was recorded of its number; and those recorded that no feed told of."""
    recorded = {(each.payer, each.number): each for each in grants}
    for id, each in told.items():
        record = cast(AuthorizationRecord, each.record)
        named = catalogue.payer_named(record.payer) if record.payer else None
        payer = named.id if named else ""
        grant = _taken(recorded, payer, record.number)
        if grant is not None:
            payer, record = grant.payer, _with(record, grant)
        yield KnownAuthorization(id=id, record=record, payer=payer)
    for grant in recorded.values():
        name = (patient_id, grant.payer, grant.number)
        record = AuthorizationRecord(
            identifiers=(Identifier(_NAMESPACE, "|".join(name)),), patient=grant.patient, number=grant.number
        )
        names = catalogue.payers[grant.payer].names if grant.payer in catalogue.payers else ()
        record = replace(record, payer=names[0] if names else None)
        yield KnownAuthorization(id=stable_id(_NAMESPACE, *name), record=_with(record, grant), payer=grant.payer)


def _taken(recorded: dict[tuple[str, str], GrantRecord], payer: str, number: str) -> GrantRecord | None:
    """What was recorded of a number, taken out; of a feed that does not say whose it is, any payer's will do."""
    name = next((each for each in recorded if each[1] == number and payer in ("", each[0])), None)
    return recorded.pop(name) if number and name else None


def _with(record: AuthorizationRecord, grant: GrantRecord) -> AuthorizationRecord:
    """The record with every field that was recorded in place of the feed's."""
    said = {name: getattr(grant, name) for name in _SAID}
    return replace(record, **{name: value for name, value in said.items() if value not in (None, ())})
