"""Interchanges out and answers back, as stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.claim.answer import AnswerTransaction, Entry
from gateway.lifecycle import DeliveryState
from gateway.ports.returned import Readable, Returned, Staged


@dataclass(frozen=True, slots=True, kw_only=True)
class InterchangeRow:
    """A frozen interchange; immutable but for ``state`` and ``epoch``, which delivery steps explain."""

    id: str
    connection: str
    tenant: str
    isa13: int
    batch_reference: str
    usage: str
    form: str
    remote_name: str
    sha256: str
    size: int
    created_at: datetime
    claim_count: int
    charge_cents: int
    state: DeliveryState = DeliveryState.READY
    epoch: int = 0
    lease_until: datetime | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStep:
    """One marker of one attempt to deliver."""

    interchange_id: str
    epoch: int
    marker: str
    at: datetime
    detail: str = ""


ASSUMED = "assumed after a restore"
"""The detail of a marker that nobody left: the database that may have held it is lost."""


class AnswerStatus(StrEnum):
    """What became of a returned transaction."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    UNBALANCED = "unbalanced"
    TESTED = "test"
    """It answers a test batch: kept, and applied to no claim."""


SET_ASIDE = (AnswerStatus.QUARANTINED, AnswerStatus.UNBALANCED)
"""What a person has to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """One returned transaction: stored raw, applied once."""

    id: str
    connection: str
    type: str
    business_key: str
    digest: str
    raw_sha256: str
    status: AnswerStatus
    reason: str
    received_at: datetime
    transaction: AnswerTransaction


ISA13, SENDS = "isa13", "sends"
"""A connection's counters: the interchange control numbers given out, and the sends that were begun."""


class Exchanges(Protocol):
    """Interchanges out, answers back."""

    def next_number(self, connection: str, name: str) -> int:
        """The next of one of the connection's numbers, allocated in this transaction; never used twice."""

    def last_number(self, connection: str, name: str) -> int:
        """The number given out last; 0 before the first."""

    def move_number(self, connection: str, name: str, to: int) -> None:
        """Give out only numbers beyond this one from now on; never moves back."""

    def add_interchange(self, row: InterchangeRow, content: bytes, version_ids: Sequence[str]) -> None:
        """Freeze an interchange with the versions it carries."""

    def seal(self, interchange_id: str, sealed: bytes) -> None:
        """Freeze how an interchange goes out encrypted: the same bytes at every try."""

    def sealed(self, interchange_id: str) -> bytes | None:
        """How the interchange goes out encrypted; None where it goes as it is, or was never tried."""

    def interchange(self, interchange_id: str) -> InterchangeRow | None:
        """One interchange."""

    def interchanges(self, connection: str = "", states: Sequence[DeliveryState] = ()) -> list[InterchangeRow]:
        """Interchanges by connection and delivery state, oldest first."""

    def interchange_by_number(self, connection: str, isa13: int) -> InterchangeRow | None:
        """The interchange with this ISA13."""

    def versions_in(self, interchange_id: str) -> list[tuple[str, str]]:
        """(claim id, version id) in the order they were written."""

    def sent_since(self, connection: str, at: datetime) -> int:
        """How many interchanges of the connection were begun to be sent at or after a time."""

    def claim_send(self, interchange_id: str, epoch: int, lease_until: datetime) -> bool:
        """Move ready to sending for whoever holds ``epoch``; False when somebody else was first."""

    def claim_settling(self, interchange_id: str, epoch: int, now: datetime, lease_until: datetime) -> bool:
        """Put an interchange whose sender is gone in doubt under a lease; False when somebody holds it."""

    def set_delivery(self, interchange_id: str, epoch: int | None, state: DeliveryState) -> bool:
        """Move an interchange's delivery state if the epoch still holds and the move is one of DELIVERY_MOVES.

        ``epoch`` None is the partner's own word, which counts whoever is sending.
        """

    def doubt(self, interchange_id: str) -> int | None:
        """Put an interchange that is not known to be delivered in doubt, whoever holds it; the new epoch, or None."""

    def free_versions(self, interchange_id: str) -> None:
        """Let the interchange's versions be sent again under another number."""

    def add_step(self, step: DeliveryStep) -> None:
        """Append a delivery marker."""

    def add_step_of_holder(self, step: DeliveryStep, lease_until: datetime) -> bool:
        """Append a marker of whoever holds the interchange by this lease; False when it is not theirs any more."""

    def steps(self, interchange_id: str) -> list[DeliveryStep]:
        """Delivery markers in order."""

    def tenant(self, connection: str) -> str:
        """Whose connection it is."""

    def file_is_known(self, connection: str, sha256: str) -> bool:
        """True when these bytes came from this partner before."""

    def add_file(self, connection: str, content: Readable, remote_name: bytes, at: datetime, problem: str = "") -> str:
        """Store a returned file; the id of its row."""

    def stage(self, answer_id: str, returned: Returned) -> Staged:
        """Store bytes and entries of one transaction, in parts; where it has problems, no entries."""

    def add_answer(self, file_id: str, answer: AnswerRow) -> None:
        """Say of a staged transaction what became of it."""

    def entries(self, answer_id: str, type: str) -> Iterator[Sequence[Entry]]:
        """What an answer of that type says of claims, part by part, in its order."""

    def applied_answer(self, business_key: str) -> AnswerRow | None:
        """The answer already applied under this key, whatever connection it came by."""

    def unbalanced(self, answer_id: str) -> AnswerRow | None:
        """A remittance that does not balance and was not posted, held until this transaction ends."""

    def any_set_aside(self, connection: str, reasons: Sequence[str]) -> bool:
        """True when there is a quarantined answer of a connection that waits for one of these reasons."""

    def set_aside(self, connection: str, reasons: Sequence[str]) -> list[AnswerRow]:
        """Quarantined answers of a connection that wait for one of these reasons, in order of arrival."""

    def judge_again(self, answer_id: str, status: AnswerStatus, reason: str) -> None:
        """Say of an answer that was set aside what it is now; ``reason`` as an answer of that status has it."""

    def answers(self, *, type: str = "", status: str = "") -> Iterable[AnswerRow]:
        """Answers in order of arrival."""

    def keep(self, content: bytes) -> str:
        """Store bytes that leave without being an interchange of claims; their SHA-256."""

    def raw(self, sha256: str) -> bytes:
        """Stored bytes: an interchange, a returned file or one transaction."""
