"""Works bulk imports off, a part a pass: every line by the door a request comes through, its outcome kept."""

from __future__ import annotations

from adapters.fhir.receiving import FhirReceiver
from gateway.ports import FhirAnswer
from gateway.ports.imports import LineOutcome
from gateway.ports.storage import Store
from gateway.wiring.ingest import is_refused, issues_of, request_of
from gateway.wiring.messages import references_in
from gateway.wiring.site import Site

_TOGETHER = 100
"""Lines in one transaction."""


class ImportPass:
    """Tries the lines of the next part. Killed in between, the part is tried again: what is stored stays stored."""

    def __init__(self, site: Site) -> None:
        self._store: Store = site.store
        self._receiver = FhirReceiver(site.receiver)

    def run(self) -> int:
        """How many lines were tried; 0 when none is left. Raises Unavailable."""
        with self._store.read() as tx:
            part = tx.imports.next_part()
        if part is None:
            return 0
        outcomes: list[LineOutcome] = []
        for start in range(0, len(part.lines), _TOGETHER):
            some = part.lines[start : start + _TOGETHER]
            answers = self._receiver.receive_all(part.source, [request_of(content) for _, content in some])
            outcomes += [_outcome(number, answer) for (number, _), answer in zip(some, answers, strict=True)]
        with self._store.write() as tx:
            tx.imports.finish_part(part, outcomes)
        return len(part.lines)


def _outcome(line: int, answer: FhirAnswer) -> LineOutcome:
    issues, told = issues_of(answer), tuple(references_in(answer.body))
    refused = is_refused(answer, told, issues)
    outcome = "refused" if refused else "duplicate" if answer.replayed else "stored"
    said = tuple(each["message"] for each in issues if refused or each["fatal"])
    return LineOutcome(line=line, outcome=outcome, references=() if refused else told, issues=said)
