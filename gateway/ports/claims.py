"""Claims as stored: identities, drafts, frozen versions, facts, where each encounter's bill is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct

from gateway.claim.claim import Claim
from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding
from gateway.lifecycle import ClaimFact


class Draft(Struct, frozen=True, kw_only=True):
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


class Version(Struct, frozen=True, kw_only=True):
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


class Bill(Struct, frozen=True, kw_only=True):
    """A frozen version as answers and the ledger see it: what it was called, what it asked for, by whom it went."""

    id: str
    claim_id: str
    claim_number: str
    content_hash: str
    organization: str
    connection: str
    frequency: str
    charge_cents: int


class ClaimRow(Struct, frozen=True, kw_only=True):
    """A claim's identity and its projected state."""

    id: str
    tenant: str
    organization: str
    patient_id: str
    payer: str
    key: str
    state: str
    created_at: datetime


class PlacementRow(Struct, frozen=True, kw_only=True):
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


class DayRow(Struct, frozen=True, kw_only=True):
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


class Override(Struct, frozen=True, kw_only=True):
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

    def hold(self, claim_ids: Sequence[str]) -> Mapping[str, str]:
        """Make whoever else projects these claims wait until this transaction ends; the states they are in."""

    def save_drafts(self, drafts: Sequence[Draft]) -> None:
        """Replace the drafts of these claims."""

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

    def answered(self, answer_id: str) -> Iterator[list[str]]:
        """Ids of the claims that an answer's facts speak of, in order, part by part."""

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
