"""Ports: what use cases need of the world and edges need of use cases, as Protocols named for the job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, BinaryIO, Protocol

from gateway.claim.answer import AnswerTransaction, InterchangeAnswer
from gateway.claim.claim import Claim
from gateway.claim.finding import Finding, Origin
from gateway.claim.party import Identifier
from gateway.claim.record import FeedRecord
from gateway.ports.returned import Returned


class Clock(Protocol):
    """The only source of the present."""

    def now(self) -> datetime:
        """The present as an aware UTC datetime."""


# --- receiving -------------------------------------------------------------------------------------------------------


FHIR_CONTENT, HL7_CONTENT, CSV_CONTENT = "application/fhir+json", "x-application/hl7-v2+er7", "text/csv"
"""Media types of what arrives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Bytes as received, with the positive answer that may be given once they are committed."""

    source: str
    content: bytes
    content_type: str
    control_key: str
    """What the sender calls this message: MSH-3|MSH-4|MSH-10, or Bundle.identifier; empty when it gives no name."""
    event: str = ""
    """``ADT^A01``, ``Bundle/transaction`` ..."""
    answer: bytes = b""
    """Stored with the message and replayed when the same bytes come again."""
    refusal: str = ""
    """Why the message is not acceptable; it is stored all the same, and never interpreted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of one arrival, after the commit."""

    message_id: str
    outcome: str
    """``stored``, ``duplicate`` (same key, same bytes: ``answer`` is the first one) or ``refused``."""
    answer: bytes
    reused_key: bool = False
    """True when the sender used a control key again for other bytes: accepted as new, and flagged."""


class Intake(Protocol):
    """Commits what arrives. An answer may be sent only after ``receive`` returned."""

    def receive(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """Store a batch in one transaction, in order. Raises Unavailable when nothing was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One version of one FHIR resource as stored. ``body`` carries its id, version and resolved references; numbers
    with a fraction in it are ``Decimal``, with the digits the sender wrote."""

    type: str
    id: str
    version: int
    updated_at: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """What to store of one FHIR resource. ``id`` and ``version`` are the caller's; meta is filled in."""

    type: str
    id: str
    version: int
    """1 for an id that is new, otherwise one more than that of ``ResourceTable.current``."""
    body: Mapping[str, Any]
    identifiers: tuple[Identifier, ...] = ()


class ResourceTable(Protocol):
    """The FHIR resources of one source inside one open transaction; a whole Bundle at a time."""

    def find(self, wanted: Iterable[tuple[str, Identifier]]) -> Mapping[tuple[str, Identifier], list[str]]:
        """Ids of the current resources by type and identifier (namespace is the system); empty lists are left out.

        The identities are held until the commit: nobody else can find nothing and create the same meanwhile.
        """

    def current(self, wanted: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Resource]:
        """The newest versions by type and id, which stay the newest until the commit; unknown ones are left out."""

    def put(self, versions: Sequence[NewVersion]) -> list[Resource]:
        """Store new versions, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirAnswer:
    """An HTTP answer as stored and replayed."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    refused: bool = False
    """True when no resource of it may be kept (the message's bytes are kept all the same)."""
    replayed: bool = field(default=False, compare=False)
    """True when the same request was answered before, and this is that answer again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAhead:
    """What a submission is going to ask its table, so that many are looked up at once. Anything else may be asked."""

    identities: tuple[tuple[str, Identifier], ...] = ()
    """(type, identifier) of what it stores; the newest versions are wanted too."""
    pointed_at: tuple[tuple[str, Identifier], ...] = ()
    """(type, identifier) of what its references mean."""
    ids: tuple[tuple[str, str], ...] = ()
    """(type, id) of what it stores."""


# --- interpreting ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedRecord:
    """One record as a mapping file made it. ``origins`` has one entry per field the file filled, or left ``UNSAID``."""

    record: FeedRecord
    asserted_at: datetime
    """When the source says it said so: meta.lastUpdated, EVN-2, MSH-7."""
    origins: Mapping[str, Origin]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingProblem:
    """Why a record, or a field of it, could not be made. No values."""

    place: str
    """Position in the message."""
    mapping: str
    """``file:line`` of the entry, empty when no entry applies."""
    message: str
    fix: str
    fatal: bool = True
    """True when the record was not made because of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """What one message or resource says."""

    records: tuple[MappedRecord, ...] = ()
    problems: tuple[MappingProblem, ...] = ()
    references: tuple[str, ...] = ()
    """``Type/id``, or ``Type?identifier=system|value`` where that is all the sender gave, of every resource the mapping
    followed, found or not: when one changes or comes, this is mapped again."""
    missing: tuple[str, ...] = ()
    """Those of them that have not arrived yet."""


class Interpreter(Protocol):
    """Applies one source's mapping file."""

    def interpret_message(self, content: bytes, received_at: datetime) -> Interpretation:
        """Records of one HL7 message."""

    def interpret_resource(self, resource: Resource, find: Callable[[str], Resource | None]) -> Interpretation:
        """Records of one FHIR resource. ``find`` answers both kinds of reference with the newest version."""


# --- judging and sending ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedClaim:
    """A claim with the numbers of one version: what a writer needs to render it."""

    claim: Claim
    claim_number: str
    """CLM01."""


class GuideCheck(Protocol):
    """Asks whether a claim would make a valid 837: SNIP types 1 to 5 as findings."""

    def check(self, claims: Sequence[Claim]) -> list[tuple[Finding, ...]]:
        """Findings of each claim as it would be rendered, each with a claim path; empty when clean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterchangeNumbers:
    """The numbers and times one frozen interchange is rendered with."""

    isa13: int
    batch_reference: str
    """BHT03."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedInterchange:
    """Outbound bytes, and the name they get at the partner's."""

    content: bytes
    remote_name: str


class RemoteInbox(Protocol):
    """What waits for us at a partner's, while one conversation lasts."""

    def waiting(self) -> list[RemoteAnswer]:
        """Files waiting for us that have settled. Files with hostile names are left where they are."""

    @property
    def settling(self) -> int:
        """How many files were listed but are left for a later look."""

    def download(self, answer: RemoteAnswer) -> AbstractContextManager[BinaryIO | None]:
        """One waiting file, for as long as the block runs; None while it is not complete: it stays where it is."""

    def dispose(self, answer: RemoteAnswer) -> None:
        """After the bytes are committed: delete, move or leave, as the partner's profile says."""


class Settled(StrEnum):
    """What can be said of an interrupted upload."""

    DELIVERED = "delivered"
    NOT_SENT = "not-sent"
    UNKNOWN = "unknown"


OPENED, REFUSED, RENAME_SENT, REMOVING, PROBED = "opened", "refused", "rename_sent", "removing", "probed"
"""Delivery markers that use cases know: the first change at the partner's is about to be asked for; the partner said no
to it, and no byte left; the rename to the final name is about to be asked for; an unfinished part is about to be
removed; a probe found nothing of the file, or removed it."""


class Exchange(Protocol):
    """One connection to one clearinghouse: renders interchanges for it, moves them, reads what comes back."""

    @property
    def usage(self) -> str:
        """ISA15: T or P."""

    @property
    def most_claims(self) -> int:
        """Claims in one interchange at most."""

    @property
    def files_per_hour(self) -> int | None:
        """How many files the partner takes in an hour; None for any number."""

    def takes_files_at(self, at: datetime) -> bool:
        """Whether the partner's hours let files be sent at that time."""

    def answers_due(self, sent_at: datetime) -> Mapping[str, datetime]:
        """By when each answer to a file sent then is due, by the words of gateway.ports.partners.AWAITED. One that the
        partner never sends, or sends only on an error, is left out."""

    @property
    def poll_every(self) -> timedelta:
        """How often the partner wants to be asked for answers."""

    @property
    def most_bytes(self) -> int:
        """Bytes in one file at most."""

    @property
    def settle_gap(self) -> timedelta:
        """How far apart two probes must agree that nothing arrived, before the same bytes are sent again."""

    def is_ours(self, answer: AnswerTransaction) -> str:
        """Why a returned transaction is not for us (receiver, usage); empty when it is."""

    def is_about(self, transaction: AnswerTransaction, answer: InterchangeAnswer, sent: bytes) -> str:
        """Why a TA1 with the number of a file of ours means another one; empty when it means these bytes."""

    def render(self, claims: Sequence[NumberedClaim], numbers: InterchangeNumbers) -> RenderedInterchange:
        """One interchange of claims of one form. Raises FormatError when a value cannot be written."""

    @property
    def asks_referee(self) -> bool:
        """Whether the partner's profile wants a second judge's opinion before a file is frozen."""

    def objection(self, claims: Sequence[NumberedClaim], numbers: InterchangeNumbers) -> str:
        """What the referee has against a file of these claims: places and codes, no values; empty when nothing.

        Takes milliseconds a claim. Raises FormatError when a value cannot be written.
        """

    def upload(self, interchange: RenderedInterchange, on_step: Callable[[str, str], None]) -> None:
        """Put the file where the partner takes it. ``on_step(marker, detail)`` runs before each remote change.

        A file of these very bytes that is there already under this name is the delivery. Raises NotSent (provably
        nothing arrived), DeliveryUnknown (anything else), Unavailable before any change.
        """

    def settle(
        self, interchange: RenderedInterchange, markers: Sequence[str], on_step: Callable[[str, str], None]
    ) -> Settled:
        """What became of an upload that was interrupted after these markers. Removes only our own unfinished file.

        ``PROBED`` is among the markers once an earlier call answered NOT_SENT. ``on_step`` runs before the removal, and
        what it raises prevents it.
        """

    def highest_number_seen(self) -> int:
        """The highest ISA13 in the names of our files wherever the partner shows them; 0 for none.

        Raises Unavailable, PartnerPaused.
        """

    def open_inbox(self) -> AbstractContextManager[RemoteInbox]:
        """One conversation with the partner in which waiting answers are fetched. Raises Unavailable, PartnerPaused."""

    def sealed(self, content: bytes) -> bytes | None:
        """The file encrypted for the partner, other bytes each time; None where it goes as it is. Raises NotSent."""

    def claim_numbers(self, content: bytes) -> list[str]:
        """CLM01 of every claim in an interchange of ours, read back from its bytes."""

    def unpacked(self, file: BinaryIO, *, enclosed: bool = False) -> list[tuple[str, bytes]]:
        """Name and bytes of every file in an archive, or of what was encrypted for us; none for any other file.

        What was ``enclosed`` in another file need not be encrypted. Raises FormatError when refused, Unavailable when
        our key cannot be used: then the file waits.
        """

    def read_answers(self, file: BinaryIO) -> Sequence[Returned]:
        """Every transaction of a returned file, to be read while it is open. Raises NoAnswer when it holds none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAnswer:
    """A file waiting at a partner's. The name is the partner's, and hostile until proven otherwise."""

    name: bytes
    directory: str
    size: int


# --- status back to the EHR ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStatus:
    """One claim as an EHR asks for it."""

    claim_id: str
    claim_number: str
    state: str
    """A word of gateway.lifecycle."""
    patient_references: tuple[str, ...]
    """``Patient/id`` in the asking source's own ids."""
    encounter_references: tuple[str, ...]
    payer: str
    payer_name: str
    payer_claim_number: str
    service_start: str
    service_end: str
    charge_cents: int
    paid_cents: int
    patient_cents: int
    adjustments: tuple[tuple[str, str, int], ...]
    """(group, reason, cents)."""
    lines: tuple[Mapping[str, Any], ...]
    """``service_on revenue_code hcpcs modifiers units charge_cents paid_cents adjustments`` of each line."""
    findings: tuple[Finding, ...]
    updated_at: datetime
    acknowledgement_codes: tuple[str, ...] = ()
    paid_on: str = ""


class StatusReader(Protocol):
    """Answers an EHR's questions about its claims; sees only what that source told us of."""

    def claim_statuses(
        self, source: str, *, patient: str = "", encounter: str = "", claim: str = ""
    ) -> list[ClaimStatus]:
        """Claims of ``Patient/id``, ``Encounter/id`` (or identifiers ``system|value``), or one claim id or number."""
