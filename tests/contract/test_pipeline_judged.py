"""A freeze judges again whatever was judged on anything else than what is known now, and nothing beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Severity
from gateway.claim.party import Identifier
from gateway.claim.record import CoverageRecord, EncounterRecord, FeedRecord, PatientRecord
from gateway.claim.roster import row_key
from gateway.lifecycle import ClaimState
from gateway.pipeline.derive import Derivation
from gateway.ports.claims import Draft
from gateway.ports.storage import Transaction
from tests.factories import CONNECTION, NOON, ORGANIZATION
from tests.partner_answers import Partner
from tests.pipeline_site import BILLER, OpenCodeSets, Site, a_week
from tests.rosters import an_answer

INSTITUTIONAL = ClaimForm.INSTITUTIONAL
LATER = NOON + timedelta(hours=1)


class _Heard(Derivation):
    """The derivation, and whom it was asked to derive."""

    patients: list[str]

    @classmethod
    def at(cls, site: Site) -> _Heard:
        """The site's own, in the hands of its sender alone."""
        used = site.sending._derivation
        heard = cls(used._policy, used._checker)
        heard.patients = []
        site.sending._derivation = heard
        return heard

    def derive(self, tx: Transaction, patient_ids: Sequence[str], now: datetime) -> None:
        self.patients += patient_ids
        super().derive(tx, patient_ids, now)


class _Asleep:
    """Derives nothing; what is asked for keeps waiting."""

    def run(self) -> int:
        return 0


class _OtherCodeSets(OpenCodeSets):
    """Another release of the code lists."""

    @property
    def version(self) -> str:
        return "codes@2026-10-01"


def frozen_after(site: Site) -> tuple[str | None, list[str]]:
    """The interchange that freezes now, and who was derived for it."""
    heard = _Heard.at(site)
    return site.sending.freeze(CONNECTION, INSTITUTIONAL), heard.patients


def drafts(site: Site) -> dict[str, Draft]:
    with site.store.read() as tx:
        return dict(tx.claims.drafts([row.id for row in tx.claims.search()]))


def told_only(site: Site, *records: FeedRecord) -> None:
    """Told and interpreted; nobody derives from it yet."""
    deriving, site.deriving = site.deriving, _Asleep()  # type: ignore[assignment]
    site.tell(*records, at=LATER)
    site.deriving = deriving


def a_late_word(site: Site) -> None:
    told_only(site, a_week()[4])


def two_patients_who_are_one(site: Site) -> None:
    told_only(site, PatientRecord(identifiers=(Identifier("ehr", "P9"),), merged_into=Identifier("ehr", "P1")))


def an_eligibility_answer(site: Site) -> None:
    said = an_answer()
    site.commands.load_roster(ORGANIZATION, said.kind, "office", {row_key(said): said}, BILLER, file=b"rows")


def a_decision_on_two_visits(site: Site) -> None:
    with site.store.read() as tx:
        one, other, *_ = sorted(each.encounter_id for each in tx.claims.placements())
    site.commands.decide_encounters(ORGANIZATION, frozenset((one, other)), "different", BILLER)


def another_mapping_set(site: Site) -> None:
    site.policy.catalogue = replace(site.policy.catalogue, content_hash="another")


def another_code_list(site: Site) -> None:
    site.policy.codes = _OtherCodeSets()


def another_day(site: Site) -> None:
    site.clock.move(timedelta(days=1))


CHANGES: tuple[Callable[[Site], None], ...] = (
    a_late_word,
    two_patients_who_are_one,
    an_eligibility_answer,
    a_decision_on_two_visits,
    another_mapping_set,
    another_code_list,
    another_day,
)


def test_a_claim_judged_on_what_is_known_now_leaves_as_it_was_judged(site: Site) -> None:
    site.admit()
    ((claim_id, draft),) = drafts(site).items()
    interchange, derived = frozen_after(site)
    assert interchange is not None
    assert derived == []
    (version,) = site.versions()
    assert (version.claim_id, version.claim, version.findings) == (claim_id, draft.claim, draft.findings)


def test_what_a_rule_says_stands_before_what_the_guide_says_of_it(site: Site) -> None:
    patient, *others = a_week()
    assert isinstance(patient, PatientRecord)
    site.tell(replace(patient, address=None), *others)
    (draft,) = drafts(site).values()
    blocks = [each.rule for each in draft.findings if each.severity is Severity.BLOCK]
    assert "patient-identified" == blocks[0]
    assert "guide-subscriber-address" in blocks[1:]


def test_judging_again_on_the_same_facts_says_the_same(site: Site) -> None:
    site.admit()
    before = drafts(site)
    with site.store.write() as tx:
        site.sending._derivation.derive(tx, list(tx.subjects.patient_ids()), site.clock.now())
    assert drafts(site) == before
    assert all(each.judged_on for each in before.values())


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__)
def test_one_thing_changed_since_the_draft_has_the_claim_judged_again_in_the_freeze(
    site: Site, change: Callable[[Site], None]
) -> None:
    site.admit()
    (row,) = site.claims()
    change(site)
    _, derived = frozen_after(site)
    assert derived == [row.patient_id]


def test_an_answer_to_one_claim_has_the_patients_other_claims_judged_again(site: Site, partner: Partner) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    week_later = [_moved(each, 7) for each in a_week()[4:]]
    site.clock.move(timedelta(days=7))
    site.tell(*week_later, at=LATER)
    site.settle_facts()
    (waiting,) = [row for row in site.claims() if row.state == ClaimState.RELEASED]
    (sent,) = site.versions()
    (site.root / "out" / "277.edi").write_bytes(partner.status_277ca(sent))
    site.collecting.run(CONNECTION)
    interchange, derived = frozen_after(site)
    assert interchange is not None
    assert derived == [waiting.patient_id]


def test_whoever_shares_an_authorization_is_judged_at_every_freeze(site: Site) -> None:
    site.admit(1)
    theirs = [
        replace(each, member_number="ABC000001") if isinstance(each, CoverageRecord) else each for each in a_week(2)
    ]
    site.tell(*theirs)
    _, derived = frozen_after(site)
    assert sorted(derived) == sorted({row.patient_id for row in site.claims()})


def test_whoever_had_a_clinician_with_somebody_else_too_is_judged_at_every_freeze(site: Site) -> None:
    site.admit(1)
    site.admit(2)  # the same clinician, at the same times, one of them alone with each
    assert {each.judged_on for each in drafts(site).values()} == {None}
    _, derived = frozen_after(site)
    assert sorted(derived) == sorted({row.patient_id for row in site.claims()})


def _moved(record: FeedRecord, days: int) -> FeedRecord:
    assert isinstance(record, EncounterRecord)
    shift = timedelta(days=days)
    assert record.start_at is not None
    assert record.end_at is not None
    names = tuple(replace(each, value=f"{each.value}+{days}") for each in record.identifiers)
    return replace(record, identifiers=names, start_at=record.start_at + shift, end_at=record.end_at + shift)
