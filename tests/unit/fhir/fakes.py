"""An intake, a resource table and a status reader in memory, as strict as the store about versions and transactions."""

from __future__ import annotations

import copy
import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.fhir.strict_json import read_json, write_json
from gateway.claim.party import Identifier
from gateway.errors import Unavailable
from gateway.ports import (
    Arrival,
    ClaimStatus,
    FhirAnswer,
    NewVersion,
    Resource,
    ResourceTable,
)
from gateway.ports.submissions import FhirSubmission, NoteAnswers, note_nothing

NOW = datetime(2026, 8, 3, 18, 0, tzinfo=UTC)
Key = tuple[str, str]


class MemoryTable:
    """Implements ResourceTable over dictionaries of one source."""

    def __init__(self) -> None:
        self.versions: dict[Key, list[Resource]] = {}
        self.identities: dict[Key, tuple[Identifier, ...]] = {}

    def find(self, wanted: Iterable[tuple[str, Identifier]]) -> dict[tuple[str, Identifier], list[str]]:
        found: dict[tuple[str, Identifier], list[str]] = {}
        for type, identifier in set(wanted):
            ids = sorted(key[1] for key, known in self.identities.items() if key[0] == type and identifier in known)
            if ids:
                found[type, identifier] = ids
        return found

    def current(self, wanted: Iterable[Key]) -> dict[Key, Resource]:
        return {key: self.versions[key][-1] for key in set(wanted) if key in self.versions}

    def put(self, versions: Sequence[NewVersion]) -> list[Resource]:
        return [self._put(each) for each in versions]

    def _put(self, new: NewVersion) -> Resource:
        key = (new.type, new.id)
        known = self.versions.setdefault(key, [])
        assert new.version == len(known) + 1, "a version is one more than the newest"
        meta = {"lastUpdated": NOW.isoformat(), **new.body.get("meta", {}), "versionId": str(new.version)}
        body = read_json(write_json({**new.body, "id": new.id, "meta": meta}))
        known.append(Resource(type=new.type, id=new.id, version=new.version, updated_at=NOW, body=body))
        self.identities[key] = new.identifiers
        return known[-1]


class MemoryIntake:
    """Implements FhirIntake: commits or rolls back, replays, refuses reused names."""

    def __init__(self) -> None:
        self.tables: dict[str, MemoryTable] = {}
        self.arrivals: list[Arrival] = []
        self.answers: dict[tuple[str, str, str], FhirAnswer] = {}
        self.down = False
        self.broken: Exception | None = None
        self.read_error: Exception | None = None
        self.attempts = 1
        """How often ``apply`` is run, the last time for good: a database may ask for a transaction again."""
        self._lock = threading.Lock()

    def submit_all(
        self, submissions: Sequence[FhirSubmission], note: NoteAnswers = note_nothing
    ) -> list[FhirAnswer | Exception]:
        assert note is note_nothing, "what hangs on answers needs a database"
        return self.submit_each(submissions)

    def submit_each(self, submissions: Sequence[FhirSubmission]) -> list[FhirAnswer | Exception]:
        return [self.submit(each) for each in submissions]

    def submit(self, submission: FhirSubmission) -> FhirAnswer:
        arrival = submission.arrival
        with self._lock:
            if self.down:
                raise Unavailable
            if self.broken is not None:
                raise self.broken
            digest = hashlib.sha256(arrival.content).hexdigest()
            name = arrival.control_key or submission.request_key
            if (arrival.source, name, digest) in self.answers:
                return self.answers[arrival.source, name, digest]
            if arrival.control_key and any(key[:2] == (arrival.source, name) for key in self.answers):
                assert submission.if_reused is not None
                submission = submission.if_reused()
                arrival, name = submission.arrival, submission.request_key
            self.arrivals.append(arrival)
            answer = self._apply(arrival.source, submission.apply)
            self.answers[arrival.source, name, digest] = answer
            return answer

    def _apply(self, source: str, apply: Callable[[ResourceTable, datetime], FhirAnswer]) -> FhirAnswer:
        before = self.tables.setdefault(source, MemoryTable())
        for _ in range(self.attempts):
            self.tables[source] = copy.deepcopy(before)
            answer = apply(self.tables[source], NOW)
        if answer.refused:
            self.tables[source] = before
        return answer

    def read(self, source: str, type: str, id: str) -> Resource | None:
        if self.down:
            raise Unavailable
        if self.read_error is not None:
            raise self.read_error
        known = self.tables.get(source, MemoryTable()).versions.get((type, id))
        return known[-1] if known else None


class ListedStatuses:
    """Implements StatusReader over a list, and remembers what was asked."""

    def __init__(self) -> None:
        self.claims: list[ClaimStatus] = []
        self.asked: list[dict[str, str]] = []

    def claim_statuses(
        self, source: str, *, patient: str = "", encounter: str = "", claim: str = ""
    ) -> list[ClaimStatus]:
        self.asked.append({"source": source, "patient": patient, "encounter": encounter, "claim": claim})
        return [each for each in self.claims if _fits(each, patient, encounter, claim)]


def _fits(status: ClaimStatus, patient: str, encounter: str, claim: str) -> bool:
    if claim:
        return claim in {status.claim_id, status.claim_number}
    return patient in status.patient_references or encounter in status.encounter_references


def claim_status(**changes: Any) -> ClaimStatus:
    given: dict[str, Any] = {
        "claim_id": "01J4Q0C8ZK6V7S2N3M4P5R6T7W",
        "claim_number": "C0000000012X",
        "state": "held",
        "patient_references": ("Patient/p1",),
        "encounter_references": ("Encounter/e1", "Encounter/e2"),
        "payer": "acme",
        "payer_name": "Acme Health",
        "payer_claim_number": "",
        "service_start": "2026-08-03",
        "service_end": "2026-08-07",
        "charge_cents": 105000,
        "paid_cents": 0,
        "patient_cents": 0,
        "adjustments": (),
        "lines": (
            {
                "number": 1,
                "service_on": "2026-08-03",
                "revenue_code": "0905",
                "hcpcs": "S9480",
                "modifiers": ["HF"],
                "units": 1,
                "charge_cents": 35000,
                "paid_cents": 0,
                "adjustments": [],
            },
        ),
        "findings": (),
        "updated_at": NOW,
    }
    return ClaimStatus(**{**given, **changes})
