"""Files into the gateway by the same doors as the wire: HL7, FHIR JSON, NDJSON, CSV. The same bytes are duplicates."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from adapters.fhir.receiving import FhirReceiver, FhirRequest
from adapters.fhir.shapes import resource_shape
from adapters.hl7.batch import BatchFault, BatchMessage, read_batch
from adapters.hl7.triage import AcceptancePolicy
from gateway.claim.record import RecordKind
from gateway.errors import FormatError
from gateway.ports import FhirAnswer, MappingProblem
from gateway.ports.storage import Transaction
from gateway.wiring.csv_rows import ReadyRow, ready_rows
from gateway.wiring.feeds import batch_arrival
from gateway.wiring.files import CSV, FHIR, HL7, expand, find_format
from gateway.wiring.messages import references_in
from gateway.wiring.site import Site

_WHOLE_MAX = 32 * 1024 * 1024
"""Of a file that is held in memory at once: what a body over HTTP may be, too."""
_BATCH = 200
_FHIR_BATCH = 100
_LINES = frozenset({".ndjson", ".jsonl"})
_FORMATS = {"hl7": HL7, "fhir": FHIR, "csv": CSV}

Advance = Callable[[int], None]


def ingest_paths(
    site: Site, source: str, paths: Sequence[Path], advance: Advance, *, strict: bool = False
) -> dict[str, Any]:
    """Take files and folders in for a source and work them in: ``ingest --json``. ``advance`` hears of each file.

    ``strict`` takes nothing of a CSV file in which any row is wrong.

    Raises NotFound for a source the site does not have, FormatError for a path that is not there.
    """
    taking = Taking(site, source, strict=strict)
    for path in expand(paths):
        taking.take_file(path)
        advance(1)
    return taking.finish()


class Taking:
    """What one run took in for one source."""

    def __init__(self, site: Site, source: str, *, strict: bool = False) -> None:
        """Raises NotFound for a source the site does not have."""
        site.settings.source(source)
        self._site = site
        self._source = source
        self._strict = strict
        file = site.policy.mapping_set.source(source)
        self._format = _FORMATS[file.format]
        self._policy = AcceptancePolicy(fallback_charset=file.character_set or None)
        self._fhir = FhirReceiver(site.receiver)
        self._entries: list[dict[str, Any]] = []
        self.answers: list[bytes] = []
        """What the senders of HL7 messages are told, in order."""
        self._told: list[tuple[str, ...]] = []
        """Per entry what told it: an HL7 message's id, or ``Type/id`` of FHIR resources."""

    def take_file(self, path: Path) -> None:
        """One file, whatever it holds; what cannot be taken is listed with its reason."""
        try:
            if self._format == CSV:
                self._take_csv(str(path), _whole(path))
            elif find_format(path) != self._format:
                reason = f"the source {self._source} sends {self._format}, and this file is something else"
                self._note(str(path), 0, "", "refused", reason)
            elif self._format == HL7:
                with path.open("rb") as stream:
                    self._take_hl7(str(path), read_batch(stream))
            elif path.suffix.lower() in _LINES:
                with path.open("rb") as stream:
                    self._take_lines(str(path), stream)
            else:
                self._take_fhir(str(path), _whole(path))
        except FormatError as error:
            self._note(str(path), 0, "", "refused", str(error))
        except OSError as error:
            self._note(str(path), 0, "", "refused", f"cannot be read: {error.strerror}")

    @property
    def entries(self) -> Sequence[dict[str, Any]]:
        """What was taken so far, message by message; encounters and findings come with ``finish``."""
        return self._entries

    def take_bytes(self, content: bytes) -> None:
        """A body that came over HTTP."""
        if self._format == HL7:
            self._take_hl7("", read_batch(content))
        elif self._format == CSV:
            self._take_csv("", content)
        else:
            self._take_fhir("", content)

    def _take_hl7(self, path: str, entries: Iterable[BatchMessage | BatchFault]) -> None:
        before = len(self._entries)
        waiting = iter(entries)
        while batch := list(islice(waiting, _BATCH)):
            self._store_hl7(path, batch)
        if len(self._entries) == before:
            self._note(path, 0, "", "refused", "none of its lines begins with MSH, so it holds no HL7 message")

    def _store_hl7(self, path: str, batch: Sequence[BatchMessage | BatchFault]) -> None:
        """One transaction; a piece that is no message is kept too, when it has bytes."""
        arrivals = [batch_arrival(self._site, self._source, each, self._policy) for each in batch]
        kept = [each for each in arrivals if each is not None]
        receipts = iter(self._site.receiver.receive(kept))
        for entry, arrival in zip(batch, arrivals, strict=True):
            index = entry.index if isinstance(entry, BatchMessage) else len(self._entries)
            if arrival is None:
                assert isinstance(entry, BatchFault), "every message has bytes"
                self._note(path, index, "", "refused", entry.text)
                continue
            receipt = next(receipts)
            self.answers += [receipt.answer] if receipt.answer else []
            outcome = "refused" if arrival.refusal else receipt.outcome
            self._note(path, index, arrival.event, outcome, arrival.refusal or None, (receipt.message_id,))

    def _take_csv(self, path: str, content: bytes) -> None:
        """Every row by itself: what is wrong with one never keeps the others out, unless it was asked for strictly."""
        try:
            rows = ready_rows(self._site, self._source, content)
        except FormatError as error:
            self._note(path, 0, "", "refused", str(error))
            return
        if self._strict:
            rows = iter(kept := list(rows))
            if wrong := [each for each in kept if each.problems]:
                self._refuse_rows(path, wrong)
                return
        while batch := list(islice(rows, _BATCH)):
            for row, receipt in zip(batch, self._site.receiver.receive([each.arrival for each in batch]), strict=True):
                told = (receipt.message_id,)
                reason = row.arrival.refusal or None
                self._note(path, row.line, row.arrival.event, receipt.outcome, reason, told, row.findings)

    def _refuse_rows(self, path: str, wrong: Sequence[ReadyRow]) -> None:
        for row in wrong:
            reason = f"{'; '.join(row.problems)}; nothing of the file was taken, because it was to be taken strictly"
            self._note(path, row.line, row.arrival.event, "refused", reason)

    def _take_lines(self, path: str, lines: Iterable[bytes]) -> None:
        waiting = ((index, line.strip()) for index, line in enumerate(lines) if line.strip())
        while some := list(islice(waiting, _FHIR_BATCH)):
            requests = [request_of(self._source, line) for _, line in some]
            answers = self._fhir.receive_all(requests)
            for (index, _), request, answer in zip(some, requests, answers, strict=True):
                self._note_fhir(path, index, request, answer)

    def _take_fhir(self, path: str, content: bytes) -> None:
        request = request_of(self._source, content)
        self._note_fhir(path, 0, request, self._fhir.receive(request))

    def _note_fhir(self, path: str, index: int, request: FhirRequest, answer: FhirAnswer) -> None:
        name = request.type or "Bundle"
        issues, told = issues_of(answer), tuple(references_in(answer.body))
        if is_refused(answer, told, issues):
            reason = issues[0]["message"] if issues else f"answered {answer.status}"
            outcome = "duplicate" if answer.replayed else "refused"
            self._note(path, index, name, outcome, reason, findings=issues)
            return
        outcome = "duplicate" if answer.replayed else "stored"
        self._note(path, index, name, outcome, None, told, issues)

    def _note(
        self,
        path: str,
        index: int,
        type: str,
        outcome: str,
        reason: str | None,
        told: tuple[str, ...] = (),
        findings: Sequence[dict[str, Any]] = (),
    ) -> None:
        self._entries.append(
            {
                "path": path,
                "index": index,
                "source": self._source,
                "type": type,
                "outcome": outcome,
                "reason": reason,
                "encounters": [],
                "findings": list(findings),
            }
        )
        self._told.append(told)

    @property
    def told_by(self) -> list[str]:
        """What told something, in order: an HL7 message by its id, a FHIR resource as ``Type/id``."""
        return [each for told in self._told for each in told]

    def finish(self) -> dict[str, Any]:
        """Interpret and derive what was taken; then say of each message which encounters it told of."""
        self._site.settle()
        with self._site.store.read() as tx:
            problems = {each.id: found for each, found in tx.inbox.messages(self._source, failed_only=True)}
            for entry, told in zip(self._entries, self._told, strict=True):
                entry["encounters"] = self._encounters(tx, told)
                entry["findings"] += [asdict(each) for each in self._problems(tx, told, problems)]
        return {"messages": self._entries, "totals": self._totals()}

    def _encounters(self, tx: Transaction, told: Sequence[str]) -> list[str]:
        said = tx.subjects.asserted_by(self._source, told).values()
        return sorted({id for words in said for kind, id, _ in words if kind is RecordKind.ENCOUNTER})

    def _problems(
        self, tx: Transaction, told: Sequence[str], problems: dict[str, list[MappingProblem]]
    ) -> Iterator[MappingProblem]:
        if not problems:
            return
        references = [each for each in told if "/" in each]
        messages = {each for each in told if "/" not in each}
        messages.update(tx.resources.told_by(self._source, references).values())
        for message_id in sorted(messages):
            yield from problems.get(message_id, ())

    def _totals(self) -> dict[str, int]:
        outcomes = Counter(each["outcome"] for each in self._entries)
        return {
            "files": len({each["path"] for each in self._entries}),
            "messages": len(self._entries),
            "stored": outcomes["stored"],
            "duplicate": outcomes["duplicate"],
            "refused": outcomes["refused"],
            "encounters": len({id for each in self._entries for id in each["encounters"]}),
            "findings": sum(len(each["findings"]) for each in self._entries),
        }


def _whole(path: Path) -> bytes:
    """The bytes of a file. Raises FormatError where they are too many, OSError."""
    with path.open("rb") as stream:
        content = stream.read(_WHOLE_MAX + 1)
    if len(content) > _WHOLE_MAX:
        raise FormatError(f"the file is larger than {_WHOLE_MAX // 1024 // 1024} MB; split it")
    return content


def request_of(source: str, content: bytes) -> FhirRequest:
    """A Bundle is posted, a resource alone keeps its id. The bytes name the request, so that a rerun repeats it."""
    key = hashlib.sha256(content).hexdigest()
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None  # the receiver reads it strictly, and says what is wrong
    kind = body.get("resourceType") if isinstance(body, dict) else None
    if not isinstance(kind, str) or kind == "Bundle" or resource_shape(kind) is None:
        return FhirRequest(source=source, method="POST", content=content, lenient=True)
    own = body.get("id") if isinstance(body, dict) else None
    if isinstance(own, str) and own:
        return FhirRequest(source=source, method="PUT", type=kind, id=own, content=content, idempotency_key=key)
    return FhirRequest(source=source, method="POST", type=kind, content=content, idempotency_key=key)


def is_refused(answer: FhirAnswer, told: Sequence[str], issues: Sequence[dict[str, Any]]) -> bool:
    """Whether nothing was taken: a batch is answered 200 though each of its entries be refused."""
    return answer.status >= 400 or (not told and any(issue["fatal"] for issue in issues))


def issues_of(answer: FhirAnswer) -> list[dict[str, Any]]:
    """The issues of an OperationOutcome, or of those in a batch's answer, as findings."""
    body = json.loads(answer.body) if answer.body else {}
    outcomes = [body, *(entry["response"].get("outcome", {}) for entry in body.get("entry", ()) if "response" in entry)]
    return [
        {
            "place": (issue.get("expression") or [""])[0],
            "mapping": "",
            "message": issue.get("diagnostics", ""),
            "fix": issue.get("details", {}).get("text", ""),
            "fatal": issue.get("severity") in ("error", "fatal"),
        }
        for outcome in outcomes
        for issue in outcome.get("issue", ())
    ]
