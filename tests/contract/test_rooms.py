"""What one patient's attendance says of another's: same clinician, same group; judged again on either side."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from gateway.claim.contract import RuleSetting
from gateway.claim.record import AttendanceStatus, EncounterRecord, FeedRecord
from gateway.store import attended
from gateway.store.database import Database
from tests.contract.plans import plan_of
from tests.factories import NOON
from tests.pipeline_site import Site, a_catalogue, a_week
from tests.unit.services.samples import GROUP, INDIVIDUAL, npi


def rules_of(site: Site, patient: int) -> list[str]:
    """The attendance rules that the patient's draft has findings of, and how many."""
    with site.store.read() as tx:
        (key,) = [each for each in tx.subjects.patient_ids() if _number(site, each) == patient]
        ids = [row.id for row in tx.claims.of_patients([key])]
        findings = [found for draft in tx.claims.drafts(ids).values() for found in draft.findings]
    return sorted(each.rule for each in findings if each.rule in ("clinician-in-one-room", "group-within-size"))


def _number(site: Site, patient_id: str) -> int:
    with site.store.read() as tx:
        names = tx.subjects.identifiers([patient_id])[patient_id]
    return int(next(each.value[1:] for each in names if each.namespace == "ehr"))


def led_apart(number: int) -> list[FeedRecord]:
    """A week whose individual sessions another clinician led, so that the groups alone are shared."""
    return [
        replace(each, rendering=replace(each.rendering, npi=npi(100 + number)))  # type: ignore[type-var]
        if isinstance(each, EncounterRecord) and each.session == INDIVIDUAL
        else each
        for each in a_week(number)
    ]


def test_one_clinician_with_two_patients_at_once_is_told_on_both_claims(site: Site) -> None:
    site.tell(*a_week(1))
    assert rules_of(site, 1) == []
    site.tell(*a_week(2))
    assert rules_of(site, 2) == ["clinician-in-one-room"] * 3
    assert rules_of(site, 1) == ["clinician-in-one-room"] * 3


def test_two_patients_of_one_batch_see_each_other(site: Site) -> None:
    site.tell(*a_week(1), *a_week(2))
    assert rules_of(site, 1) == rules_of(site, 2) == ["clinician-in-one-room"] * 3


def test_correcting_one_of_them_clears_both(site: Site) -> None:
    site.tell(*a_week(1), *a_week(2))
    moved = [
        replace(each, start_at=each.start_at + timedelta(hours=6), end_at=each.end_at + timedelta(hours=6))
        for each in a_week(2)
        if isinstance(each, EncounterRecord) and each.session == INDIVIDUAL and each.start_at and each.end_at
    ]
    site.tell(*moved, at=NOON + timedelta(hours=1))
    assert rules_of(site, 1) == rules_of(site, 2) == []


def test_a_group_has_many_patients(site: Site) -> None:
    site.tell(*led_apart(1), *led_apart(2), *led_apart(3))
    assert [rules_of(site, number) for number in (1, 2, 3)] == [[], [], []]


def test_a_group_that_grows_beyond_the_cap_is_told_on_every_claim_and_no_longer_once_it_shrinks(
    store: Database, tmp_path: Path
) -> None:
    capped = a_catalogue(rules={"group-within-size": (RuleSetting(limits={"most": "2"}),)})
    site = Site(store, tmp_path / "partner", capped)
    site.tell(*led_apart(1), *led_apart(2))
    assert [rules_of(site, number) for number in (1, 2)] == [[], []]
    site.tell(*led_apart(3))
    assert [len(rules_of(site, number)) for number in (1, 2, 3)] == [6, 6, 6]
    missed = [
        replace(each, status=AttendanceStatus.NO_SHOW)
        for each in led_apart(3)
        if isinstance(each, EncounterRecord) and each.session == GROUP
    ]
    site.tell(*missed, at=NOON + timedelta(hours=1))
    assert [len(rules_of(site, number)) for number in (1, 2)] == [3, 3]


def test_what_a_clinician_led_is_found_by_clinician_and_date_in_their_order(tmp_path: Path) -> None:
    """Without the index a derivation gets slower with every session there ever was."""
    (step,) = plan_of(attended._BESIDE, tmp_path)
    assert step.startswith("SEARCH") and "clinician=? AND on=?" in step, step
