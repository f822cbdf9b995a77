"""What one patient's days do to authorizations: entries of every claim, sent or drafted, and of days without lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from gateway.authorization.account import AuthorizationAccount, AuthorizationEntry, Stage, account_of
from gateway.authorization.ledger import units_of_day
from gateway.claim.claim import Claim
from gateway.claim.contract import AuthorizationNeed, Catalogue, UnitBasis
from gateway.claim.record import AuthorizationRecord, AuthorizationUnit
from gateway.lifecycle import ClaimState
from gateway.pipeline.facts import KnownClaim, PatientFacts
from gateway.pipeline.grants import KnownAuthorization
from gateway.pipeline.money import VOID
from gateway.services.case import ExpectedDay
from gateway.services.days import scheduled_minutes

_SUNDAY = 6


def entries_of(
    facts: PatientFacts, drafts: Mapping[str, Claim], expected: Sequence[ExpectedDay], catalogue: Catalogue
) -> list[AuthorizationEntry]:
    """Every entry of one patient. ``drafts`` are the claims that would be sent now, by key as stored."""
    units = _Units(facts, catalogue)
    entries: list[AuthorizationEntry] = []
    sent: dict[str, frozenset[date]] = {}
    for known in facts.claims:
        found = list(_of_versions(known, units))
        sent[known.row.key] = frozenset(each.on for each in found if each.stage is Stage.CONSUMED)
        entries += found
    for key, claim in drafts.items():
        if claim.frequency != VOID:
            entries += (
                each
                for each in _of_claim(key, claim, Stage.ACCRUED, "attended", units)
                if each.on not in sent.get(key, ())
            )
    entries += (_of_expected(each, units, catalogue) for each in expected)
    return entries


def accounts_of(
    facts: PatientFacts, entries: Sequence[AuthorizationEntry], catalogue: Catalogue, today: date
) -> list[AuthorizationAccount]:
    """The account of each authorization on file: the patient's entries, and the same member's elsewhere."""
    by_number: dict[tuple[str, str], list[AuthorizationEntry]] = defaultdict(list)
    for each in (*entries, *(row.entry for row in facts.elsewhere)):
        by_number[each.payer, each.number].append(each)
    return [
        account_of(
            each.record,
            payer,
            by_number[payer, each.record.number] if each.record.number else (),
            catalogue.payers[payer].week_start if payer in catalogue.payers else _SUNDAY,
            in_care=_is_in_care(facts, each.record, today),
        )
        for each in facts.authorizations
        for payer in [payer_of(each, by_number)]
    ]


def _is_in_care(facts: PatientFacts, record: AuthorizationRecord, today: date) -> bool:
    """True while a stay the authorization is for is open."""
    return any(
        not each.record.cancelled
        and each.record.admitted_on is not None
        and each.record.admitted_on <= today
        and (each.record.discharged_on is None or today < each.record.discharged_on)
        and (record.level_of_care is None or each.record.level_of_care in (None, record.level_of_care))
        for each in (facts.case.episodes if facts.case else ())
    )


def payer_of(known: KnownAuthorization, used: Iterable[tuple[str, str]] = ()) -> str:
    """The payer an authorization is of: the one it names, else the one whose claims carry its number."""
    if known.payer:
        return known.payer
    return next((payer for payer, number in sorted(used) if number == known.record.number and number), "")


class _Units:
    """What each authorization counts, and which service definitions ask for one."""

    def __init__(self, facts: PatientFacts, catalogue: Catalogue) -> None:
        self._of_number = {each.record.number: each.record.unit for each in facts.authorizations}
        required = AuthorizationNeed.REQUIRED
        self._asking = frozenset(each.id for each in catalogue.services if each.authorization is required)

    def of_day(self, number: str, minutes: int) -> int:
        """Units a day takes; of an authorization that is not on file, a day is one."""
        return units_of_day(self._of_number.get(number, AuthorizationUnit.DAY), minutes)

    def are_asked(self, claim: Claim) -> bool:
        """True when some line's definition asks for an authorization."""
        return any(line.definition_id in self._asking for line in claim.lines)


def _of_versions(known: KnownClaim, units: _Units) -> Iterator[AuthorizationEntry]:
    """What the payer has of a claim, or had and gave back."""
    live = known.live
    if live is None:
        return
    if live.claim.frequency == VOID:
        yield from _of_claim(known.row.key, live.claim, Stage.RELEASED, "voided", units)
    elif known.state_of(live) is ClaimState.DENIED:
        yield from _of_claim(known.row.key, live.claim, Stage.RELEASED, "denied", units)
    else:
        yield from _of_claim(known.row.key, live.claim, Stage.CONSUMED, "sent", units)


def _of_claim(key: str, claim: Claim, stage: Stage, reason: str, units: _Units) -> Iterator[AuthorizationEntry]:
    """One entry for each date of a claim, in the units its authorization counts."""
    number = claim.authorization_number
    if not number and not units.are_asked(claim):
        return
    minutes: dict[date, int] = defaultdict(int)
    cents: dict[date, int] = defaultdict(int)
    for line in claim.lines:
        on = line.service_on
        minutes[on] = max(minutes[on], line.minutes) if line.unit_basis is UnitBasis.DAY else minutes[on] + line.minutes
        cents[on] += line.charge_cents
    for on, attended in sorted(minutes.items()):
        yield AuthorizationEntry(
            payer=claim.key.payer,
            member=claim.insured.member_number,
            number=number,
            on=on,
            units=units.of_day(number, attended),
            stage=stage,
            reason=reason,
            claim_key=key,
            cents=cents[on],
        )


def _of_expected(each: ExpectedDay, units: _Units, catalogue: Catalogue) -> AuthorizationEntry:
    return AuthorizationEntry(
        payer=each.payer,
        member=each.member,
        number=each.number,
        on=each.day.on,
        units=units.of_day(each.number, scheduled_minutes(each.day, catalogue)),
        stage=Stage.RESERVED if each.held else Stage.RELEASED,
        reason="scheduled" if each.reason == "planned" else each.reason,
        cents=each.cents,
    )
