"""What use cases ask of the database: one transaction at a time, rows as plain values, no SQL in sight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from gateway.claim.answer import AnswerTransaction
from gateway.claim.claim import Claim
from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Origin
from gateway.claim.party import Identifier
from gateway.claim.record import FeedRecord, RecordKind
from gateway.lifecycle import ClaimFact
from gateway.ports import MappingProblem
from gateway.ports.code_lists import CodeLists
from gateway.ports.connections import Connections
from gateway.ports.imports import Imports
from gateway.ports.ledger import Ledger
from gateway.ports.oversight import Audit, MappingSets
from gateway.ports.partners import Partners
from gateway.ports.pulls import Pulls
from gateway.ports.resources import Resources
from gateway.ports.rosters import Rosters
from gateway.ports.watch import Authorizations, Sessions, Worklist
from gateway.ports.webhooks import Webhooks

# --- what came in ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A message as stored; immutable."""

    id: str
    tenant: str
    organization: str
    source: str
    received_at: datetime
    sha256: str
    content_type: str
    control_key: str
    event: str
    answer: bytes = b""
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What interpreting one message, or one resource of it, came to."""

    message_id: str
    origin_key: str
    at: datetime
    mapping_hash: str
    problems: tuple[MappingProblem, ...]


class Inbox(Protocol):
    """Bytes that came in, and what became of them."""

    def hold(self, keys: Iterable[tuple[str, str]]) -> None:
        """Make whoever else receives one of these (source, control key) wait until this transaction ends."""

    def with_keys(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], list[InboundMessage]]:
        """Every message with one of these (source, control key), by that, in order of arrival; [] for none."""

    def add_answered(self, messages: Sequence[tuple[InboundMessage, bytes]]) -> None:
        """Store many messages, each with its bytes and the answer and refusal it carries."""

    def get(self, message_id: str) -> InboundMessage | None:
        """One message."""

    def some(self, message_ids: Sequence[str]) -> list[InboundMessage]:
        """Messages by id, in the order of the ids: work keeps the order of arrival, ids of one moment do not."""

    def content(self, sha256: str) -> bytes:
        """The bytes as received."""

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Append what interpreting messages, or resources of them, came to; the latest of each counts."""

    def messages(
        self, source: str = "", *, failed_only: bool = False
    ) -> Iterable[tuple[InboundMessage, list[MappingProblem]]]:
        """Messages in order of arrival, each with its latest problems."""


class Work(Protocol):
    """What is still to be done. A row is deleted in the transaction that did it."""

    def add(self, kind: str, keys: Iterable[str]) -> None:
        """Ask for the keys to be worked on; asking twice is asking once."""

    def take(self, kind: str, limit: int) -> list[str]:
        """Up to ``limit`` keys, oldest first, removed when this transaction commits; other workers get others."""

    def waiting(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys that wait for anything."""

    def count(self) -> Mapping[str, int]:
        """How many keys wait, by kind."""

    def last_sweep(self, name: str) -> str:
        """What the last sweep of that name was for; empty before the first."""

    def record_sweep(self, name: str, value: str) -> None:
        """Remember what a sweep was for."""


# --- what it says ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One source's word on one subject; ``record`` None takes an earlier word back."""

    subject_id: str
    patient_id: str
    organization: str
    kind: RecordKind
    source: str
    origin_key: str
    """What said it: ``Type/id`` of the resource, or the message id."""
    message_id: str
    mapping_hash: str
    asserted_at: datetime
    record: FeedRecord | None
    origins: Mapping[str, Origin] = field(default_factory=dict)


class Subjects(Protocol):
    """Who and what the facts are about, by identifiers in configured namespaces only."""

    def resolve(self, organization: str, kind: RecordKind, named: Sequence[Sequence[Identifier]]) -> list[str]:
        """For each set of identifiers the subject that has any of them, created when none has.

        Subjects found to be one are joined. Raises Unavailable when another worker named one first: do it again.
        """

    def find(self, organization: str, kind: RecordKind, identifier: Identifier) -> str | None:
        """The subject that has the identifier."""

    def who_are(
        self, organization: str, kind: RecordKind, identifiers: Sequence[Identifier]
    ) -> Mapping[Identifier, str]:
        """The subject that has each identifier; those that nobody has are left out."""

    def identifiers(self, subject_ids: Sequence[str]) -> Mapping[str, tuple[Identifier, ...]]:
        """Every identifier of the subjects, joined ones' included."""

    def assert_records(self, assertions: Sequence[Assertion]) -> None:
        """Append sources' words."""

    def asserted_by(
        self, source: str, origin_keys: Sequence[str]
    ) -> Mapping[str, Sequence[tuple[RecordKind, str, str]]]:
        """(kind, subject, patient) of what each of these resources or messages said last, not taken back."""

    def told_about(self, patient_ids: Sequence[str], source: str) -> list[str]:
        """The resources and messages of a source that ever told of these patients."""

    def about_patients(self, patient_ids: Sequence[str]) -> Mapping[str, list[Assertion]]:
        """For each patient, every source's newest word on each subject, taken-back ones left out.

        Newest is by ``asserted_at``, whatever order the words came in. A subject whose newest word ties it to another
        patient is that patient's alone.
        """

    def last_words(self, patient_ids: Sequence[str]) -> Mapping[str, int]:
        """The number of the newest word any source said of each patient; a later word has a higher one."""

    def patients_of(self, subject_ids: Sequence[str]) -> set[str]:
        """Every patient that any word tied one of these subjects to, taken-back and later moved ones too."""

    def joined(self, patient_ids: Sequence[str]) -> Mapping[str, list[str]]:
        """The ids that were found to be these patients, and under which older claims may stand."""

    def standing(self, patient_ids: Sequence[str]) -> list[str]:
        """The patients these ids now stand for, each once; a writing transaction holds them until it ends."""

    def patient_ids(self) -> Iterable[str]:
        """Every patient."""

    def encounter_decisions(self, organization: str) -> Mapping[frozenset[str], str]:
        """What a person decided of encounters told twice: ``same`` or ``different`` by pair of ids."""

    def decide_encounters(self, organization: str, pair: frozenset[str], decision: str) -> None:
        """Record such a decision."""


# --- claims ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A claim as it would be sent now. Replaced whole by each derivation until it is frozen."""

    claim_id: str
    claim: Claim
    content_hash: str
    findings: tuple[Finding, ...]
    complete: bool
    """The billing period is closed."""
    ready_on: date | None
    encounter_ids: tuple[str, ...] = ()
    judged_on: str | None = None
    """What its findings rest on, in one word; None where they rest on others' facts too, or nobody can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A frozen claim; immutable."""

    id: str
    claim_id: str
    number: int
    claim_number: str
    claim: Claim
    content_hash: str
    findings: tuple[Finding, ...]
    frozen_at: datetime
    interchange_id: str

    @property
    def frequency(self) -> str:
        """CLM05-3."""
        return self.claim.frequency

    @property
    def charge_cents(self) -> int:
        """What it asks for."""
        return self.claim.charge_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A frozen version as answers and the ledger see it: what it was called, what it asked for, by whom it went."""

    id: str
    claim_id: str
    claim_number: str
    content_hash: str
    organization: str
    connection: str
    frequency: str
    charge_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """A claim's identity and its projected state."""

    id: str
    tenant: str
    organization: str
    patient_id: str
    payer: str
    key: str
    state: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementRow:
    """Where one encounter's bill is: ``billed``, ``waiting``, ``held`` or ``not-billable``."""

    encounter_id: str
    patient_id: str
    payer: str
    place: str
    reason: str
    on: date | None
    claim_key: str
    cents: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """A service day as counted."""

    patient_id: str
    organization: str
    facility: str
    program: str
    level_of_care: str
    on: date
    minutes: int
    services: int
    cents: int = 0
    """Charges of its lines; of a day without lines, of a whole day where its definition and price are known."""
    attended_ids: tuple[str, ...] = ()
    """Encounters of its attended clinical sessions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person's recorded decision to let one rule's block pass on one claim, until it expires."""

    claim_id: str
    rule: str
    actor: str
    role: str
    reason: str
    expires_on: date


class Claims(Protocol):
    """Claims, their drafts, versions and facts."""

    def ensure(self, rows: Sequence[ClaimRow]) -> Mapping[str, str]:
        """Claim ids by key, creating the rows that do not exist."""

    def rows(self, claim_ids: Sequence[str]) -> list[ClaimRow]:
        """Claims by id, in the order asked for; ids that are no claim's are left out."""

    def find(self, text: str) -> ClaimRow | None:
        """One claim by id, by a version's claim number, or by key."""

    def of_patients(self, patient_ids: Sequence[str]) -> list[ClaimRow]:
        """The patients' claims."""

    def search(self, *, organization: str = "", payer: str = "", state: str = "", limit: int = 0) -> list[ClaimRow]:
        """Claims by payer and state, in order of key."""

    def hold(self, claim_ids: Sequence[str]) -> None:
        """Make whoever else projects these claims wait until this transaction ends."""

    def save_drafts(self, drafts: Sequence[Draft]) -> None:
        """Replace the drafts of these claims."""

    def patients_with_drafts(self, *, or_visits_not_billed: bool = False) -> list[str]:
        """Patients who have a claim that is not frozen as it stands."""

    def drop_drafts(self, claim_ids: Sequence[str]) -> None:
        """Remove drafts that nothing supports any more."""

    def drafts(self, claim_ids: Sequence[str]) -> Mapping[str, Draft]:
        """Drafts by claim id."""

    def versions(self, claim_ids: Sequence[str]) -> Mapping[str, list[Version]]:
        """Versions by claim id, oldest first."""

    def bills(self, claim_ids: Sequence[str]) -> Mapping[str, list[Bill]]:
        """The versions by claim id, oldest first, without what they say of the patient."""

    def bills_by_number(self, claim_numbers: Sequence[str]) -> Mapping[str, Bill]:
        """Those of the CLM01s that are ours."""

    def bill_by_payer_number(self, payer_claim_number: str) -> Bill | None:
        """The version that was given this payer claim control number; None when none or several were."""

    def next_claim_numbers(self, count: int) -> range:
        """The sequences of the next claim numbers, never used twice."""

    def add_versions(self, versions: Sequence[Version]) -> None:
        """Freeze versions."""

    def add_facts(self, facts: Sequence[ClaimFact]) -> None:
        """Append facts; a fact whose ``id`` is there already is the same fact."""

    def facts_of_versions(self, patient_ids: Sequence[str]) -> Mapping[str, int]:
        """How many facts there are of any version of each patient's claims; they only ever become more."""

    def facts(self, claim_ids: Sequence[str]) -> Mapping[str, list[ClaimFact]]:
        """Facts by claim id, in the order they were recorded."""

    def set_states(self, states: Sequence[tuple[str, str]]) -> None:
        """Write projected states: (claim id, state)."""

    def releasable(self, connection: str, form: ClaimForm, limit: int) -> list[str]:
        """Ids of claims in state ``released`` whose draft goes over this connection in this form, oldest first."""

    def replace_placements(
        self, patient_ids: Sequence[str], placements: Sequence[PlacementRow], days: Sequence[DayRow]
    ) -> None:
        """Replace what was derived of where the patients' encounters are."""

    def placements(self, patient_ids: Sequence[str] | None = None) -> Iterable[PlacementRow]:
        """Placements, of all patients when none are named."""

    def placements_of(self, encounter_ids: Sequence[str]) -> Iterable[PlacementRow]:
        """Placements of some encounters."""

    def days(self, patient_ids: Sequence[str] | None = None) -> Iterable[DayRow]:
        """Service days, of all patients when none are named."""

    def add_override(self, override: Override) -> None:
        """Record an override."""

    def overrides(self, claim_ids: Sequence[str]) -> Mapping[str, list[Override]]:
        """Overrides by claim id, expired ones too."""

    def states(self) -> Mapping[str, int]:
        """How many claims are in each state."""


# --- exchange --------------------------------------------------------------------------------------------------------


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
    state: str = "ready"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """One returned transaction: stored raw, applied once."""

    id: str
    connection: str
    type: str
    business_key: str
    digest: str
    raw_sha256: str
    status: str
    """``applied``, ``duplicate``, ``quarantined`` or ``unbalanced``."""
    reason: str
    received_at: datetime
    transaction: AnswerTransaction


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

    def interchange(self, interchange_id: str) -> InterchangeRow | None:
        """One interchange."""

    def interchanges(self, connection: str = "", states: Sequence[str] = ()) -> list[InterchangeRow]:
        """Interchanges by connection and delivery state, oldest first."""

    def interchange_by_number(self, connection: str, isa13: int) -> InterchangeRow | None:
        """The interchange with this ISA13."""

    def interchange_by_batch(self, connection: str, batch_reference: str) -> InterchangeRow | None:
        """The interchange with this BHT03."""

    def versions_in(self, interchange_id: str) -> list[tuple[str, str]]:
        """(claim id, version id) in the order they were written."""

    def sent_since(self, connection: str, at: datetime) -> int:
        """How many interchanges of the connection were begun to be sent at or after a time."""

    def claim_send(self, interchange_id: str, epoch: int, lease_until: datetime) -> bool:
        """Move ready to sending for whoever holds ``epoch``; False when somebody else was first."""

    def claim_settling(self, interchange_id: str, epoch: int, now: datetime, lease_until: datetime) -> bool:
        """Put an interchange whose sender is gone in doubt under a lease; False when somebody holds it."""

    def set_delivery(self, interchange_id: str, epoch: int | None, state: str) -> bool:
        """Move an interchange's delivery state if the epoch still holds and the move is one of DELIVERY_MOVES.

        ``epoch`` None is the partner's own word, which counts whoever is sending.
        """

    def doubt(self, interchange_id: str) -> None:
        """Put an interchange that is not known to be delivered in doubt, whoever holds it."""

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

    def add_file(self, connection: str, content: bytes, remote_name: bytes, at: datetime, problem: str = "") -> str:
        """Store a returned file; the id of its row."""

    def add_answer(self, file_id: str, answer: AnswerRow) -> None:
        """Store one transaction of it."""

    def applied_answer(self, business_key: str) -> AnswerRow | None:
        """The answer already applied under this key, whatever connection it came by."""

    def unbalanced(self, answer_id: str) -> AnswerRow | None:
        """A remittance that does not balance and was not posted, held until this transaction ends."""

    def post(self, answer_id: str, reason: str) -> None:
        """Say of such a remittance that it is applied now; ``reason`` as an applied answer has it."""

    def answers(self, *, type: str = "", status: str = "") -> Iterable[AnswerRow]:
        """Answers in order of arrival."""

    def keep(self, content: bytes) -> str:
        """Store bytes that leave without being an interchange of claims; their SHA-256."""

    def raw(self, sha256: str) -> bytes:
        """Stored bytes: an interchange, a returned file or one transaction."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One open transaction: everything read and written through it commits together or not at all."""

    inbox: Inbox
    work: Work
    resources: Resources
    pulls: Pulls
    webhooks: Webhooks
    imports: Imports
    subjects: Subjects
    rosters: Rosters
    claims: Claims
    exchanges: Exchanges
    connections: Connections
    ledger: Ledger
    audit: Audit
    mapping_sets: MappingSets
    code_lists: CodeLists
    authorizations: Authorizations
    worklist: Worklist
    sessions: Sessions
    partners: Partners
    savepoint: SavepointFactory


class SavepointFactory(Protocol):
    """Opens a savepoint: what fails inside is undone, the transaction goes on."""

    def __call__(self) -> AbstractContextManager[object]:
        """A context manager; an exception rolls back to its start and goes on up."""


class Store(Protocol):
    """The database."""

    def write(self) -> AbstractContextManager[Transaction]:
        """A writing transaction, committed at the end. Raises Unavailable when the database does not answer."""

    def read(self) -> AbstractContextManager[Transaction]:
        """A reading transaction on one consistent picture."""

    def ensure_tenant(self, tenant: str, organizations: Mapping[str, str], connections: Mapping[str, str]) -> None:
        """Make sure the rows that others hang on exist: organizations by id with names, connections with usage."""
