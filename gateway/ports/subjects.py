"""Who and what the facts are about, and every source's word on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from gateway.claim.origins import NO_ORIGINS, Origins
from gateway.claim.party import Identifier
from gateway.claim.record import FeedRecord, RecordKind


class Assertion(Struct, frozen=True, kw_only=True):
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
    origins: Origins = NO_ORIGINS


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

    def beginning_with(self, organization: str, kind: RecordKind, namespace: str, start: str) -> list[Identifier]:
        """Every identifier of a namespace that begins with some text."""

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
        patient is that patient's alone, and so is a stay or session that a later move took there. Moves are applied,
        not among the words.
        """

    def last_words(self, patient_ids: Sequence[str]) -> Mapping[str, int]:
        """The number of the newest word any source said of each patient; a later word has a higher one."""

    def patients_of(self, subject_ids: Sequence[str]) -> set[str]:
        """Every patient that any word tied one of these subjects to, taken-back and later moved ones too."""

    def moved_with(self, patient_ids: Iterable[str]) -> set[str]:
        """The other patients between whom and these anything was moved: what is told of one may be the other's."""

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
