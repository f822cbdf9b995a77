"""What use cases ask of the database: one transaction at a time, rows as plain values, no SQL in sight."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from gateway.ports.claims import Claims
from gateway.ports.code_lists import CodeLists
from gateway.ports.connections import Connections
from gateway.ports.exchanges import Exchanges
from gateway.ports.imports import Imports
from gateway.ports.inbox import Inbox
from gateway.ports.ledger import Ledger
from gateway.ports.oversight import Audit, MappingSets
from gateway.ports.partners import Partners
from gateway.ports.pulls import Pulls
from gateway.ports.resources import Resources
from gateway.ports.rosters import Rosters
from gateway.ports.subjects import Subjects
from gateway.ports.watch import Authorizations, Sessions, Worklist
from gateway.ports.webhooks import Webhooks
from gateway.ports.work import Work


@dataclass(frozen=True, slots=True)
class Transaction:
    """One open transaction: everything read and written through it commits together or not at all."""

    inbox: Inbox
    work: Work
    resources: Resources
    pulls: Pulls
    webhooks: Webhooks
    imports: Imports
    subjects: Subjects
    rosters: Rosters
    claims: Claims
    exchanges: Exchanges
    connections: Connections
    ledger: Ledger
    audit: Audit
    mapping_sets: MappingSets
    code_lists: CodeLists
    authorizations: Authorizations
    worklist: Worklist
    sessions: Sessions
    partners: Partners
    savepoint: SavepointFactory


class SavepointFactory(Protocol):
    """Opens a savepoint: what fails inside is undone, the transaction goes on."""

    def __call__(self) -> AbstractContextManager[object]:
        """A context manager; an exception rolls back to its start and goes on up."""


class Store(Protocol):
    """The database."""

    def write(self) -> AbstractContextManager[Transaction]:
        """A writing transaction, committed at the end. Raises Unavailable when the database does not answer."""

    def read(self) -> AbstractContextManager[Transaction]:
        """A reading transaction on one consistent picture."""

    def ensure_tenant(self, tenant: str, organizations: Mapping[str, str], connections: Mapping[str, str]) -> None:
        """Make sure the rows that others hang on exist: organizations by id with names, connections with usage."""
