"""What moved between patients, applied to what was told before. Knows words and ids, no SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from gateway.claim.moves import Move, last_move
from gateway.claim.origins import Origins
from gateway.claim.party import Identifier
from gateway.claim.record import EncounterRecord, EpisodeRecord, FeedRecord, MoveRecord
from gateway.ports.subjects import Assertion


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Every move that concerns some patients, in order of time."""

    said: Sequence[Assertion]
    numbers: Mapping[Identifier, str]
    """What each moved number means."""
    people: Mapping[Identifier, str]
    """The patients the moves name."""
    stays: Mapping[str, Sequence[Identifier]]
    """Every number of each stay, by its id."""

    def applied(self, told: Sequence[Assertion]) -> list[Assertion]:
        """The same words, each of the patient whose it is after the moves."""
        moves = [self._move(each) for each in self.said]
        accounts = self._accounts(told)
        return [self._carried(each, moves, accounts) for each in told]

    def _move(self, said: Assertion) -> Move:
        record = said.record
        assert isinstance(record, MoveRecord), "the words that move things are moves"
        return Move(
            said_at=said.asserted_at,
            under=said.subject_id,
            from_patient=self.people[record.moved_from] if record.moved_from else None,
            to_patient=self.people[record.patient],
            into=self._meaning(record.account) if record.account else None,
        )

    def _meaning(self, number: Identifier) -> str:
        return self.numbers.get(number, str(number))

    def _accounts(self, told: Iterable[Assertion]) -> dict[Identifier, Identifier]:
        """The account each stay is kept under, by every number of the stay; the newest word counts."""
        found: dict[Identifier, Identifier] = {}
        for each in sorted(told, key=lambda one: one.asserted_at):
            if isinstance(each.record, EpisodeRecord) and each.record.account:
                found |= dict.fromkeys(self.stays[each.subject_id], each.record.account)
        return found

    def _carried(self, told: Assertion, moves: Sequence[Move], accounts: Mapping[Identifier, Identifier]) -> Assertion:
        record = told.record
        if not isinstance(record, EncounterRecord | EpisodeRecord):
            return told  # policies and authorizations are a person's: they stay
        names = {*record.identifiers, record.patient, *self.stays.get(told.subject_id, ())}
        if isinstance(record, EncounterRecord) and record.episode:
            names.add(record.episode)
        account = record.account or next((accounts[each] for each in names if each in accounts), None)
        kept_under = self._meaning(account) if account else None
        under = frozenset(self._meaning(each) for each in names) | ({kept_under} if kept_under else set())
        last = last_move(moves, said_at=told.asserted_at, patient=told.patient_id, under=under, account=kept_under)
        return told if last is None else _moved(told, record, moves[last], self.said[last])


def _moved(told: Assertion, record: EncounterRecord | EpisodeRecord, move: Move, said: Assertion) -> Assertion:
    assert isinstance(said.record, MoveRecord), "the words that move things are moves"
    moved: FeedRecord = replace(record, patient=said.record.patient)
    origins = Origins.first_of([said.origins.only(["patient"]), told.origins])
    return structs.replace(told, patient_id=move.to_patient, record=moved, origins=origins)
