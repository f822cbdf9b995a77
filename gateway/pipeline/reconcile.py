"""Attendance against claims, both ways, by day: what was billed and not attended, and attended and not billed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.claim.claim import ClaimLine
from gateway.claim.finding import Finding, Owner, blocks
from gateway.pipeline.funnel import HELD, place_of
from gateway.pipeline.money import VOID, live_version
from gateway.ports.claims import ClaimRow, DayRow, PlacementRow
from gateway.ports.storage import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """One day of one patient on which attendance and claims differ."""

    patient_id: str
    organization: str
    facility: str
    program: str
    level_of_care: str
    payer: str
    on: date
    place: str
    """Attended and not billed: waiting, held or not-billable. Billed and not attended: billed."""
    reason: str
    owner: str
    cents: int
    """Charges of the day's lines; of a day without lines, of a whole day under its definition."""
    minutes: int
    claim_id: str
    claim_state: str
    encounter_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Every attended day is billed or among those that are not; every billed line is of an attended day or not."""

    attended_days: int
    billed_days: int
    """Attended, and on a claim that has left and was not refused."""
    billed_cents: int
    """Charges of the lines of those days."""
    attended_not_billed: tuple[Discrepancy, ...]
    billed_not_attended: tuple[Discrepancy, ...]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A line of a claim that the payer has."""

    row: ClaimRow
    facility: str
    program: str
    level_of_care: str
    line: ClaimLine


def reconcile(tx: Transaction, *, since: date | None = None, until: date | None = None) -> Reconciliation:
    """All organizations' days, of these dates of service where they are given."""
    rows = tx.claims.search()
    days = [row for row in tx.claims.days() if row.attended_ids and _is_inside(row.on, since, until)]
    sent = [each for each in _sent(tx, rows) if _is_inside(each.line.service_on, since, until)]
    placements = {row.encounter_id: row for row in tx.claims.placements()}
    lines_of: dict[str, list[_Sent]] = defaultdict(list)
    for each in sent:
        for encounter_id in each.line.encounter_ids:
            lines_of[encounter_id].append(each)
    billed = [row for row in days if any(id in lines_of for id in row.attended_ids)]
    unbilled = [row for row in days if not any(id in lines_of for id in row.attended_ids)]
    attended = {id for row in days for id in row.attended_ids}
    missed = [each for each in sent if attended.isdisjoint(each.line.encounter_ids)]
    claims = _Claims(tx, rows)
    return Reconciliation(
        attended_days=len(days),
        billed_days=len(billed),
        billed_cents=sum(each.line.charge_cents for each in sent) - sum(each.line.charge_cents for each in missed),
        attended_not_billed=tuple(_not_billed(row, placements, claims) for row in unbilled),
        billed_not_attended=tuple(_not_attended(missed, placements)),
    )


class _Claims:
    """Claims by key, and what holds those that are held."""

    def __init__(self, tx: Transaction, rows: Sequence[ClaimRow]) -> None:
        self.states = {row.key: str(row.state) for row in rows}
        self.ids = {row.key: row.id for row in rows}
        held = {row.id: row.key for row in rows if row.state in HELD}
        drafts = tx.claims.drafts(list(held))
        self._blocks = {held[id]: tuple(blocks(draft.findings)) for id, draft in drafts.items()}

    def blocks(self, placed: PlacementRow) -> tuple[Finding, ...]:
        """What holds an encounter: its own findings, else those of the claim it is on."""
        return tuple(blocks(placed.findings)) or self._blocks.get(placed.claim_key, ())


def _is_inside(on: date, since: date | None, until: date | None) -> bool:
    return (since is None or since <= on) and (until is None or on <= until)


def _sent(tx: Transaction, rows: Sequence[ClaimRow]) -> Iterator[_Sent]:
    """Lines of the newest version of each claim, unless it was refused or takes the claim back."""
    ids = [row.id for row in rows]
    versions, facts = tx.claims.versions(ids), tx.claims.facts(ids)
    for row in rows:
        live = live_version(versions[row.id], facts[row.id])
        if live is None or live.claim.frequency == VOID:
            continue
        key = live.claim.key
        for line in live.claim.lines:
            yield _Sent(row, key.facility, key.program, key.level_of_care, line)


def _not_billed(row: DayRow, placements: Mapping[str, PlacementRow], claims: _Claims) -> Discrepancy:
    """An attended day, with what keeps it: the worst of its encounters speaks for it."""
    found = [placements[id] for id in row.attended_ids]
    placed = max(found, key=lambda each: _WORSE.index(place_of(each, claims.states)))
    state = claims.states.get(placed.claim_key, "")
    held = claims.blocks(placed)
    speaking = next(iter((*held, *placed.findings)), None)
    return Discrepancy(
        patient_id=row.patient_id,
        organization=row.organization,
        facility=row.facility,
        program=row.program,
        level_of_care=row.level_of_care,
        payer=placed.payer,
        on=row.on,
        place=place_of(placed, claims.states),
        reason=held[0].rule if held else f"claim-{state}" if placed.reason == "on-claim" else placed.reason,
        owner=str(speaking.owner if speaking else Owner.BILLING),
        cents=row.cents,
        minutes=row.minutes,
        claim_id=claims.ids.get(placed.claim_key, ""),
        claim_state=state,
        encounter_ids=row.attended_ids,
    )


_WORSE = ("billed", "waiting", "not-billable", "held")


def _not_attended(missed: Iterable[_Sent], placements: Mapping[str, PlacementRow]) -> Iterator[Discrepancy]:
    """Billed lines of which no session counts as attended any more: the payer has to be told."""
    by_day: dict[tuple[str, date], list[_Sent]] = defaultdict(list)
    for each in missed:
        by_day[each.row.key, each.line.service_on].append(each)
    for (_, on), lines in sorted(by_day.items()):
        first = lines[0]
        encounter_ids = tuple(dict.fromkeys(id for each in lines for id in each.line.encounter_ids))
        now = [placements[id].reason for id in encounter_ids if id in placements]
        yield Discrepancy(
            patient_id=first.row.patient_id,
            organization=first.row.organization,
            facility=first.facility,
            program=first.program,
            level_of_care=first.level_of_care,
            payer=first.row.payer,
            on=on,
            place="billed",
            reason=next(iter(now), "withdrawn"),
            owner=Owner.BILLING,
            cents=sum(each.line.charge_cents for each in lines),
            minutes=0,
            claim_id=first.row.id,
            claim_state=first.row.state,
            encounter_ids=encounter_ids,
        )
