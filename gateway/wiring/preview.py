"""What would come of a message: taken in, interpreted, derived and judged as it would be, and nothing of it kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from clearinghouse.x12.check import check_bytes
from gateway.errors import NotFound
from gateway.pipeline import views
from gateway.pipeline.derive_pass import DerivePass
from gateway.pipeline.interpret import InterpretPass
from gateway.pipeline.receive import Receiver
from gateway.ports import Arrival, Interpreter
from gateway.store.rehearsal import rehearsed
from gateway.wiring.files import X12, DiagnosisCodes
from gateway.wiring.gate_files import FileGate
from gateway.wiring.ingest import Taking
from gateway.wiring.policy import LoadedPolicy
from gateway.wiring.record_sets import RecordSetInterpreter, is_record_set
from gateway.wiring.site import Site

_RECORDS = "application/json"


def preview(site: Site, source: str, content: bytes) -> dict[str, Any]:
    """What the source's HL7 messages, FHIR JSON or record set would make of the site's claims.

    {"messages": [as ingest], "claims": [as claims why, with the claim's list entry], "encounters": [as encounters
    list]}: the claims that would carry the encounters told of, and where each encounter's bill would be. An 837 needs
    no source; its claims are in {"files": [as check --gate]}. Raises NotFound for a source there is not, FormatError
    for a record set that is wrong.
    """
    if content.lstrip().startswith(b"ISA"):
        return {"messages": [], "claims": [], "encounters": [], "files": [_judged_837(site, content)]}
    if source not in {each.name for each in site.settings.sources}:
        known = ", ".join(each.name for each in site.settings.sources) or "none"
        raise NotFound(f"site.yaml has no source {source!r}; it has {known}")
    with _rehearsal_of(site) as rehearsal:
        told = (
            _tell_records(rehearsal, source, content) if is_record_set(content) else _tell(rehearsal, source, content)
        )
        encounters = sorted({id for each in told for id in each["encounters"]})
        with rehearsal.store.read() as tx:
            return {"messages": told, **views.would_be(tx, encounters)}


def _judged_837(site: Site, content: bytes) -> dict[str, Any]:
    codes = site.policy.codes_for_strangers()
    gate = FileGate(site.policy.catalogue, codes, site.clock.now().date())
    checked = check_bytes(content, code_sets=DiagnosisCodes(lambda: codes)).as_json()
    return {"format": X12, **checked, "gate": gate.judge(content)}


@contextmanager
def _rehearsal_of(site: Site) -> Iterator[Site]:
    with rehearsed(site.store) as store:
        yield replace(
            site,
            store=store,
            receiver=Receiver(store, site.clock, site.owners),
            interpreting=InterpretPass(store, site.clock, site.policy),
            deriving=_AsAsked(store, site.clock, site.derivation),
        )


class _AsAsked(DerivePass):
    """Derives what was asked for; a new day's sweep over everybody is nothing a preview needs."""

    def run(self) -> int:
        """Derive one batch of patients; how many."""
        return self._derive(_EVERYBODY)


_EVERYBODY = 10_000


def _tell(site: Site, source: str, content: bytes) -> list[dict[str, Any]]:
    taking = Taking(site, source)
    taking.take_bytes(content)
    messages: list[dict[str, Any]] = taking.finish()["messages"]
    return messages


def _tell_records(site: Site, source: str, content: bytes) -> list[dict[str, Any]]:
    interpreter = RecordSetInterpreter()
    interpreter.interpret_message(content, site.clock.now())  # what is wrong with it is told before anything is done
    arrival = Arrival(source=source, content=content, content_type=_RECORDS, control_key="")
    (receipt,) = site.receiver.receive([arrival])
    interpreting = InterpretPass(site.store, site.clock, _RecordsPolicy(site.policy, interpreter))
    while interpreting.run() or site.derive_all():
        pass
    with site.store.read() as tx:
        told = tx.subjects.asserted_by(source, [receipt.message_id])[receipt.message_id]
    encounters = sorted(subject_id for kind, subject_id, _ in told if kind == "encounter")
    return [
        {
            "path": "",
            "index": 0,
            "source": source,
            "type": "records",
            "outcome": receipt.outcome,
            "reason": None,
            "encounters": encounters,
            "findings": [],
        }
    ]


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
