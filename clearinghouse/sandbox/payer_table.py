"""The payers this clearinghouse knows and what each pays: the sandbox's own table, never our contracts or rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import msgspec


class PayerTableError(ValueError):
    """The payer table cannot be read."""


@dataclass(frozen=True, slots=True)
class SimulatedPayer:
    """One payer. `fees_cents` per unit by HCPCS code; `places` limits a code's places of service.

    `denial_percent` and `deductible_percent` are chances per line, decided by the line's content and the seed alone.
    `not_credentialed` gives the first day a provider (NPI) may be paid for, `terminated` a member's last covered day,
    `authorized_days` how many days one authorization number covers, `undocumented` the days of a member of which the
    payer, having asked for the records, found no signed note.
    """

    id: str
    name: str
    tin: str
    filing_days: int
    fees_cents: dict[str, int]
    aliases: tuple[str, ...] = ()
    status_of_denied: str = "1"
    percent_of_other_charges: int = 0
    authorization: tuple[str, ...] = ()
    authorized_days: dict[str, int] = field(default_factory=dict)
    undocumented: dict[str, tuple[date, ...]] = field(default_factory=dict)
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    not_credentialed: dict[str, date] = field(default_factory=dict)
    terminated: dict[str, date] = field(default_factory=dict)
    copay_cents: int = 0
    coinsurance_percent: int = 0
    deductible_percent: int = 0
    deductible_cents: int = 0
    sequestration_percent: int = 0
    interest_percent: int = 0
    denial_percent: int = 0
    credentialed: tuple[str, ...] = ()
    """NPIs that may be paid; empty for all but those in `not_credentialed`."""


@dataclass(frozen=True)
class PayerTable:
    """All payers, and what every payer agrees on: which revenue codes go with a HCPCS code, which bill types exist."""

    payers: tuple[SimulatedPayer, ...]
    revenue_codes: dict[str, tuple[str, ...]]
    bill_types: tuple[str, ...]

    def find(self, payer_id: str) -> SimulatedPayer | None:
        """The payer by its id or one of its other ids."""
        return self._by_id.get(payer_id)

    @cached_property
    def _by_id(self) -> dict[str, SimulatedPayer]:
        return {name: payer for payer in self.payers for name in (payer.id, *payer.aliases)}


def read_payer_table(path: Path | None = None) -> PayerTable:
    """The table in a JSON file, or the sandbox's own. Raises PayerTableError with the place of the mistake."""
    content = path.read_bytes() if path else files("clearinghouse.sandbox").joinpath("payers.json").read_bytes()
    try:
        return msgspec.json.decode(content, type=PayerTable)
    except msgspec.MsgspecError as failure:
        raise PayerTableError(f"the payer table {path or 'payers.json'} cannot be read: {failure}") from None
