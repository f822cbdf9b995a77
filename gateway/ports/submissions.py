"""FHIR requests to be stored: what to make of each inside a transaction, and who commits them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.ports import Arrival, FhirAnswer, LookAhead, Resource, ResourceTable
from gateway.ports.storage import Transaction

NoteAnswers = Callable[[Transaction, Sequence[FhirAnswer | Exception]], None]
"""Writes, in the transaction of some submissions, what hangs on their answers."""


def note_nothing(_: Transaction, __: Sequence[FhirAnswer | Exception]) -> None:
    """Nothing hangs on the answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirSubmission:
    """One request to be stored: its bytes, and what to make of them inside the transaction."""

    arrival: Arrival
    request_key: str
    """Method, path, idempotency headers: the same with the same bytes again is the same request."""
    apply: Callable[[ResourceTable, datetime], FhirAnswer]
    """May be run again with another transaction's table."""
    look_ahead: LookAhead = field(default_factory=LookAhead)
    if_reused: Callable[[], FhirSubmission] | None = None
    """What is stored in its place where its control key was used for other bytes; None where it has no such key."""


class FhirIntake(Protocol):
    """Commits FHIR submissions and their answers together."""

    def submit(self, submission: FhirSubmission) -> FhirAnswer:
        """Store the bytes, run ``apply`` in the same transaction, store its answer, commit.

        The same ``request_key`` and bytes again give the first answer again. When the answer is refused, nothing that
        ``apply`` put is stored, and the message stays. Raises Unavailable when nothing was stored.
        """

    def submit_all(
        self, submissions: Sequence[FhirSubmission], note: NoteAnswers = note_nothing
    ) -> list[FhirAnswer | Exception]:
        """The same for many in one transaction, in order: each one's answer, or what ``submit`` would have raised.

        ``note`` writes what hangs on the answers in that transaction; what it raises undoes all of it.
        """

    def submit_each(self, submissions: Sequence[FhirSubmission]) -> list[FhirAnswer | Exception]:
        """The same for many who know nothing of each other: where one transaction for all fails and the database is
        there, each has its own, so that only the culprit fails. Raises Unavailable when nothing was stored.
        """

    def read(self, source: str, type: str, id: str) -> Resource | None:
        """The newest version of one resource of that source."""
