"""What the mapping set in force gives the use cases: the catalogue, an interpreter per source, code sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.claim.contract import Catalogue
from gateway.claim.party import Identifier
from gateway.ports import Interpreter
from gateway.rules.context import CodeSets


class PolicyInForce(Protocol):
    """One loaded mapping set; a new set in force is a new object."""

    @property
    def catalogue(self) -> Catalogue:
        """Organizations, facilities, payers, services, charges."""

    @property
    def codes(self) -> CodeSets:
        """Code lists by date of service."""

    @property
    def built_names(self) -> Mapping[str, str]:
        """Namespaces of encounters' names that begin with a stay's number and a slash, with the number's namespace."""

    def interpreter(self, source: str) -> Interpreter:
        """The compiled mapping file of one source. Raises NotFound for a source the set does not name."""

    def precedence(self, source: str) -> int:
        """Which source's word counts where two tell of one thing; the lower number wins."""

    def medical_record_number(self, organization: str, identifiers: Sequence[Identifier]) -> str:
        """The one of a patient's identifiers that goes on a claim as the medical record number; empty for none."""
