"""The mapping set in force as the use cases see it: loaded from the database by hash, compiled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from adapters.codes.releases import CodeReleases
from adapters.mapping.catalogue import MappingSet, load_mapping_set
from adapters.mapping.code_sets import ShippedCodeSets
from adapters.mapping.engine import SourceInterpreter, facility_names
from adapters.mapping.mapping_files import content_hash
from adapters.mapping.remembered import Remembered
from adapters.mapping.source_file import SourceFile
from gateway.claim.actor import MACHINE, Actor
from gateway.claim.contract import Catalogue
from gateway.claim.party import Identifier
from gateway.errors import ConfigurationError
from gateway.ports import Interpreter
from gateway.ports.storage import Store
from gateway.rules.context import CodeSets
from gateway.rules.gate import RULES_BY_NAME
from gateway.wiring.codes import imported_lists
from gateway.wiring.mapping_check import NOTATIONS, site_files


class LoadedPolicy:
    """Implements gateway.ports.policy.PolicyInForce over one mapping set."""

    def __init__(self, mapping_set: MappingSet, hash: str, imported: CodeReleases | None = None) -> None:
        self.mapping_set = mapping_set
        self.hash = hash
        """The name of the mapping set."""
        self._imported = imported
        self._codes = ShippedCodeSets(mapping_set.places_of_service, mapping_set.hcpcs, imported=imported)
        self._interpreters: dict[str, Interpreter] = {}
        self._built_names = {
            namespace: of for each in mapping_set.sources.values() for namespace, of in each.built_names.items()
        }

    @property
    def catalogue(self) -> Catalogue:
        """Organizations, facilities, payers, services, charges."""
        return self.mapping_set.catalogue

    @property
    def codes(self) -> CodeSets:
        """Code lists by date of service."""
        return self._codes

    @property
    def built_names(self) -> Mapping[str, str]:
        """Namespaces of encounters' names that begin with a stay's number, with the namespace of the number."""
        return self._built_names

    def codes_for_strangers(self) -> CodeSets:
        """Code lists for claims that others wrote, who may bill what the shipped short list lacks."""
        files = self.mapping_set
        return ShippedCodeSets(files.places_of_service, files.hcpcs, imported=self._imported, short_list_is_whole=False)

    def interpreter(self, source: str) -> Interpreter:
        """The compiled mapping file of one source. Raises NotFound."""
        found = self._interpreters.get(source)
        if found is None:
            file = self.mapping_set.source(source)
            notation = next(each for each in NOTATIONS if each.name == file.format)
            found = self._interpreters[source] = SourceInterpreter(
                file, notation, facility_names(self.mapping_set.catalogue.facilities.values())
            )
        return found

    def with_source(self, file: SourceFile) -> LoadedPolicy:
        """The same with another mapping file of one source."""
        sources = {**self.mapping_set.sources, file.source: file}
        return LoadedPolicy(replace(self.mapping_set, sources=sources), self.hash, self._imported)

    def precedence(self, source: str) -> int:
        """Which source's word counts; the lower number wins."""
        return self.mapping_set.precedence(source)

    def medical_record_number(self, organization: str, identifiers: Sequence[Identifier]) -> str:
        """The identifier that goes on a claim as the medical record number; empty for none."""
        return self.mapping_set.medical_record_number(organization, identifiers)


def load_policy(
    files: Mapping[str, bytes], imported: CodeReleases | None = None, remembered: Remembered | None = None
) -> LoadedPolicy:
    """The policy of a mapping set's files. Raises ConfigurationError with everything wrong."""
    return LoadedPolicy(load_mapping_set(files, NOTATIONS, RULES_BY_NAME, remembered), content_hash(files), imported)


def open_policy(store: Store, overlay: Path, now: datetime, remembered: Remembered) -> LoadedPolicy:
    """The set in force; in a new database the site's files become it, for without one nothing can be done.

    Raises ConfigurationError when there is none and the files do not hold.
    """
    with store.read() as tx:
        current = tx.mapping_sets.in_force()
    if current is not None:
        return policy_in_force(store, remembered)
    files = site_files(overlay)
    policy = load_policy(files, imported_lists(store), remembered)
    put_in_force(store, files, now, MACHINE)
    return policy


def put_in_force(store: Store, files: Mapping[str, bytes], now: datetime, actor: Actor) -> str | None:
    """Make checked files the set every worker goes by; the hash that was in force before. Nothing to do where it is."""
    edited = content_hash(files)
    with store.write() as tx:
        before = tx.mapping_sets.in_force()
        if before != edited:
            tx.mapping_sets.put_in_force(edited, files, now, actor)
    return before


def policy_in_force(store: Store, remembered: Remembered) -> LoadedPolicy:
    """The set every worker goes by, from the database. Raises ConfigurationError when there is none."""
    with store.read() as tx:
        current = tx.mapping_sets.in_force()
        if current is None:
            raise ConfigurationError(["no mapping set is in force; run 'cleanclaim serve' or 'cleanclaim ingest' once"])
        files = tx.mapping_sets.files(current)
    return load_policy(files, imported_lists(store), remembered)
