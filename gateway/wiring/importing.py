"""Works bulk imports off, a part a pass: every line by the door a request comes through, its outcome kept."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.fhir.receiving import FhirReceiver
from gateway.ports import FhirAnswer
from gateway.ports.imports import LineOutcome
from gateway.ports.storage import Store, Transaction
from gateway.ports.submissions import FhirIntake
from gateway.wiring.ingest import is_refused, issues_of, request_of
from gateway.wiring.messages import references_in


class ImportPass:
    """Tries the lines of one part after another, sources in turn, so that nobody's years wait for another's.

    What became of the lines commits with them: a part that was stopped within was not tried at all.
    """

    def __init__(self, store: Store, intake: FhirIntake) -> None:
        self._store = store
        self._receiver = FhirReceiver(intake)
        self._last_source = ""

    def run(self) -> int:
        """How many lines were tried; 0 when none is left. Raises Unavailable."""
        with self._store.read() as tx:
            part = tx.imports.next_part(self._last_source)
        if part is None:
            return 0
        self._last_source = part.source
        numbers, contents = zip(*part.lines, strict=True)

        def note(tx: Transaction, answers: Sequence[FhirAnswer]) -> None:
            tx.imports.finish_part(part, [_outcome(*each) for each in zip(numbers, answers, strict=True)])

        self._receiver.receive_all([request_of(part.source, each) for each in contents], note)
        return len(part.lines)


def _outcome(line: int, answer: FhirAnswer) -> LineOutcome:
    issues, told = issues_of(answer), tuple(references_in(answer.body))
    refused = is_refused(answer, told, issues)
    outcome = "refused" if refused else "duplicate" if answer.replayed else "stored"
    said = tuple(each["message"] for each in issues if refused or each["fatal"])
    return LineOutcome(line=line, outcome=outcome, references=() if refused else told, issues=said)
