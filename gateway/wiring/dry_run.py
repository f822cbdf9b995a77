"""A site over a database in which nothing stays: everything happens as it would, and is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.config import Settings, SourceSettings
from gateway.pipeline import views
from gateway.pipeline.derive_pass import DerivePass
from gateway.pipeline.facts import encounters_as_known
from gateway.pipeline.interpret import InterpretPass
from gateway.pipeline.receive import Receiver
from gateway.ports import Arrival, Clock, Interpreter
from gateway.store.audit_chain import AuditChain
from gateway.store.database import Database
from gateway.store.rehearsal import rehearsed
from gateway.wiring.clock import SystemClock
from gateway.wiring.ingest import Taking
from gateway.wiring.policy import LoadedPolicy
from gateway.wiring.record_sets import RecordSetInterpreter, is_record_set
from gateway.wiring.site import Site, put_together

_RECORDS = "application/json"
_EVERYBODY = 10_000


@contextmanager
def dry_run(site: Site) -> Iterator[Site]:
    """The site as it is, for as long as the block runs; whatever the block does is gone afterwards."""
    with rehearsed(site.store) as store:
        yield over(site, store)


def over(site: Site, store: Database) -> Site:
    """The site over another store, deriving only what is asked for."""
    return replace(
        site,
        store=store,
        receiver=Receiver(store, site.clock, site.owners),
        interpreting=InterpretPass(store, site.clock, site.policy),
        deriving=_AsAsked(store, site.clock, site.derivation),
    )


class _AsAsked(DerivePass):
    """Derives what was asked for; a new day's sweep over everybody is nothing a dry run needs."""

    def run(self) -> int:
        """Derive one batch of patients; how many."""
        return self._derive(_EVERYBODY)


@contextmanager
def empty_site(settings: Settings, policy: LoadedPolicy) -> Iterator[Site]:
    """A site with these mapping files and no data, in which every feed of the set may speak."""
    with tempfile.TemporaryDirectory(prefix="cleanclaim-") as folder:
        trail = AuditChain(b"an act in a dry run is nobody's", Path(folder) / "anchors")
        store = Database(f"sqlite:///{Path(folder) / 'empty.sqlite'}", trail)
        try:
            store.migrate()
            make_room(store, settings, policy)
            yield by_other_files(settings, store, SystemClock(), policy)
        finally:
            store.close()


def by_other_files(settings: Settings, store: Database, clock: Clock, policy: LoadedPolicy) -> Site:
    """A site that goes by other mapping files than those in force, and in which every feed of its tenant may speak."""
    organizations = policy.catalogue.organizations
    sources = tuple(
        SourceSettings(name=name)
        for name, each in policy.mapping_set.sources.items()
        if organizations[each.organization].tenant == settings.tenant
    )
    return put_together(replace(settings, sources=sources), store, clock, policy)


def make_room(store: Database, settings: Settings, policy: LoadedPolicy) -> None:
    """The rows that whatever is told under these mapping files hangs on."""
    store.ensure_tenant(settings.tenant, {}, {})
    for each in policy.catalogue.organizations.values():
        store.ensure_tenant(each.tenant, {each.id: each.name}, {})


def what_comes_of(site: Site, contents: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
    """Tell a site in a dry run of (source, bytes), one after the other: {"messages", "claims", "days", "encounters"}.

    Raises NotFound for a source there is not, FormatError for a record set that is wrong.
    """
    told = [each for source, content in contents for each in _tell(site, source, content)]
    encounters = sorted({id for each in told for id in each["encounters"]})
    with site.store.read() as tx:
        known = encounters_as_known(tx, site.policy, encounters)
        return {"messages": told, **views.would_be(tx, encounters, known)}


def _tell(site: Site, source: str, content: bytes) -> list[dict[str, Any]]:
    site.settings.source(source)
    if is_record_set(content):
        return [_tell_records(site, source, content)]
    taking = Taking(site, source)
    taking.take_bytes(content)
    messages: list[dict[str, Any]] = taking.finish()["messages"]
    return messages


def _tell_records(site: Site, source: str, content: bytes) -> dict[str, Any]:
    interpreter = RecordSetInterpreter()
    interpreter.interpret_message(content, site.clock.now())  # what is wrong with it is told before anything is done
    arrival = Arrival(source=source, content=content, content_type=_RECORDS, control_key="")
    (receipt,) = site.receiver.receive([arrival])
    interpreting = InterpretPass(site.store, site.clock, _RecordsPolicy(site.policy, interpreter))
    while interpreting.run() or site.deriving.run():
        pass
    with site.store.read() as tx:
        told = tx.subjects.asserted_by(source, [receipt.message_id])[receipt.message_id]
    return {
        "path": "",
        "index": 0,
        "source": source,
        "type": "records",
        "outcome": receipt.outcome,
        "reason": None,
        "encounters": sorted(subject_id for kind, subject_id, _ in told if kind == "encounter"),
        "findings": [],
    }


@dataclass(frozen=True, slots=True)
class _RecordsPolicy:
    """The policy in force, but for how messages are read."""

    policy: LoadedPolicy
    records: Interpreter

    def interpreter(self, source: str) -> Interpreter:
        """The reader of record sets, whoever the source."""
        del source
        return self.records

    def __getattr__(self, name: str) -> Any:
        """Everything else as the policy has it."""
        return getattr(self.policy, name)
