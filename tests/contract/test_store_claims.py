"""Claims on both databases: identity, draft, immutable versions, facts, and where each encounter's bill is."""

from __future__ import annotations

import gc
from datetime import date

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from gateway.claim.claim import Claim
from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Origin, Severity
from gateway.claim.fingerprint import content_fingerprint
from gateway.claim.identifiers import claim_number
from gateway.claim.origins import Origins
from gateway.claim.party import Identifier
from gateway.claim.record import RecordKind
from gateway.lifecycle import ClaimFact, FactKind
from gateway.ports.claims import DayRow, Override, PlacementRow
from gateway.store.database import Database
from tests.contract.races import LONG_S, at_once, beside
from tests.contract.rows import a_claim_row, a_draft, a_patient, a_version
from tests.factories import (
    CONNECTION,
    ORGANIZATION,
    PSYCHIATRIST,
    a_claim,
    a_fact,
    a_finding,
    a_line,
    an_adjudication,
)


def a_full_claim() -> Claim:
    """A claim with something in every place that a row could lose."""
    line = a_line(1, modifiers=("GT",), rendering=PSYCHIATRIST, encounter_ids=("e1",), definition="services/a.yaml:3")
    origin = Origin(source="Encounter.period.start", mapping="ehr.yaml:7")
    return a_claim(
        lines=(line,),
        origins=Origins.of({"diagnoses": origin}, "m1"),
        condition_codes=("92",),
        payer_claim_number="ICN1",
    )


def test_a_frozen_version_says_for_ever_where_its_values_came_from(store: Database) -> None:
    row = a_claim_row(store)
    with store.write() as tx:
        tx.claims.add_versions([a_version(row.id, claim=a_full_claim())])
        moved = Origins.of({"diagnoses": Origin(source="Encounter.period.start", mapping="ehr.yaml:8")}, "m1")
        tx.claims.save_drafts([a_draft(row.id, claim=replace(a_full_claim(), origins=moved))])
        tx.claims.drop_drafts([row.id])
    with store.read() as tx:
        (version,) = tx.claims.versions([row.id])[row.id]
    assert version.claim.origins["diagnoses"] == Origin(
        source="Encounter.period.start", mapping="ehr.yaml:7", message_id="m1"
    )


def test_a_claim_is_made_once_and_found_by_id_number_and_key(store: Database) -> None:
    row = a_claim_row(store, state="ready")
    with store.write() as tx:
        assert tx.claims.ensure([replace(row, id="another", state="paid")]) == {row.key: row.id}
        tx.claims.add_versions([a_version(row.id, claim_number="C00000000ABC")])
    with store.read() as tx:
        assert tx.claims.rows([row.id, "nobody"]) == [row]
        for text in (row.id, row.key, "C00000000ABC"):
            assert tx.claims.find(text) == row
        assert tx.claims.find("C00000000ABD") is None
        assert tx.claims.of_patients([row.patient_id, "nobody"]) == [row]


def test_claims_are_searched_by_organization_payer_and_state(store: Database) -> None:
    rows = sorted(
        (a_claim_row(store, number, state) for number, state in ((1, "ready"), (2, "ready"), (3, "paid"))),
        key=lambda row: row.key,
    )
    with store.read() as tx:
        assert tx.claims.search() == rows
        assert tx.claims.search(state="ready") == [row for row in rows if row.state == "ready"]
        assert tx.claims.search(organization=ORGANIZATION, payer="acme", limit=1) == rows[:1]
        assert tx.claims.search(payer="nobody") == []
        assert tx.claims.states() == {"ready": 2, "paid": 1}


def test_a_draft_comes_back_as_it_was_saved_and_the_last_one_saved_stands(store: Database) -> None:
    row = a_claim_row(store)
    findings = (a_finding(), a_finding(Severity.NOTE, origin=Origin(source="PV1-44", mapping="hl7.yaml:3")))
    draft = a_draft(row.id, claim=a_full_claim(), findings=findings, ready_on=date(2026, 8, 9), encounter_ids=("e1",))
    with store.write() as tx:
        tx.claims.save_drafts([draft])
    with store.read() as tx:
        (stored,) = tx.claims.drafts([row.id, "nobody"]).values()
        assert stored == draft
        assert content_fingerprint(stored.claim) == content_fingerprint(draft.claim)
    with store.write() as tx:
        tx.claims.drop_drafts([row.id])
        assert tx.claims.drafts([row.id]) == {}


def test_versions_come_back_oldest_first_as_they_were_frozen(store: Database) -> None:
    row = a_claim_row(store)
    second = a_version(row.id, 2, claim=a_full_claim(), findings=(a_finding(Severity.WARN),))
    first = a_version(row.id, 1)
    with store.write() as tx:
        tx.claims.add_versions([second, first])
        tx.claims.add_versions([])
    with store.read() as tx:
        assert tx.claims.versions([row.id]) == {row.id: [first, second]}
        found = tx.claims.bills_by_number([second.claim_number, "nothing"])
        assert {number: bill.id for number, bill in found.items()} == {second.claim_number: second.id}


def test_a_claim_number_stands_on_one_version_only(store: Database) -> None:
    row = a_claim_row(store)
    with store.write() as tx:
        tx.claims.add_versions([a_version(row.id, 1, claim_number="C1")])
    for twice in (a_version(row.id, 2, claim_number="C1"), a_version(row.id, 1, id="other", claim_number="C2")):
        with pytest.raises(IntegrityError), store.write() as tx:
            tx.claims.add_versions([twice])


def test_claim_numbers_never_repeat_over_threads_and_a_rollback_gives_them_back(store: Database) -> None:
    def numbers(_: int) -> list[int]:
        found = []
        for _ in range(5):
            with store.write() as tx:
                found.extend(tx.claims.next_claim_numbers(2))
        return found

    taken = [number for some in at_once(4, numbers) for number in some]
    assert sorted(taken) == list(range(1, 41))
    with pytest.raises(KeyError), store.write() as tx:
        assert tx.claims.next_claim_numbers(3) == range(41, 44)
        raise KeyError
    with store.write() as tx:
        assert tx.claims.next_claim_numbers(0) == range(41, 41)
        assert tx.claims.next_claim_numbers(1) == range(41, 42)
    assert len({claim_number(each) for each in taken}) == 40


def facts_of(claim_id: str) -> list[ClaimFact]:
    paid = an_adjudication(80_000, ("CO", "45", 25_000))
    return [
        a_fact(FactKind.RELEASED, "content-1", claim_id=claim_id, version_id="", actor="ana", role="biller"),
        a_fact(FactKind.FROZEN, "000000001", claim_id=claim_id, interchange_id="i1"),
        a_fact(FactKind.REMITTED, "1", claim_id=claim_id, paid=paid, paid_on=date(2026, 8, 24), answer_id="a1"),
    ]


def test_facts_come_back_in_the_order_they_were_recorded_and_once_however_often(store: Database) -> None:
    row = a_claim_row(store)
    facts = facts_of(row.id)
    with store.write() as tx:
        tx.claims.add_facts(facts[:2])
    with store.write() as tx:
        tx.claims.add_facts([*facts[::-1], *facts])
    with store.read() as tx:
        assert tx.claims.facts([row.id]) == {row.id: facts}


def test_the_same_fact_from_many_threads_is_one_fact(store: Database) -> None:
    row = a_claim_row(store)

    def tell(_: int) -> None:
        with store.write() as tx:
            tx.claims.add_facts(facts_of(row.id))

    at_once(6, tell)
    with store.read() as tx:
        assert len(tx.claims.facts([row.id])[row.id]) == 3


def test_a_payers_number_finds_its_version_and_nothing_once_two_have_it(store: Database) -> None:
    first, second = a_claim_row(store, 1), a_claim_row(store, 2)
    versions = [a_version(row.id) for row in (first, second)]

    def given(place: int) -> ClaimFact:
        version = versions[place]
        return a_fact(FactKind.PAYER, claim_id=version.claim_id, version_id=version.id, payer_claim_number="ICN1")

    with store.write() as tx:
        for version in versions:
            tx.claims.add_versions([version])
        tx.claims.add_facts([given(0)])
        assert tx.claims.bill_by_payer_number("ICN1") == tx.claims.bills([first.id])[first.id][0]
        assert tx.claims.bill_by_payer_number("ICN2") is None
        tx.claims.add_facts([given(1)])
        assert tx.claims.bill_by_payer_number("ICN1") is None


def test_released_claims_leave_by_the_connection_and_form_of_their_draft(store: Database) -> None:
    rows = sorted((a_claim_row(store, number) for number in (1, 2, 3)), key=lambda row: row.key)
    a_claim_row(store, 4, state="ready")
    elsewhere = a_claim_row(store, 5)
    with store.write() as tx:
        tx.claims.save_drafts([a_draft(elsewhere.id, claim=a_claim(connection="other-clearing"))])
    with store.write() as tx:
        institutional = ClaimForm.INSTITUTIONAL
        assert tx.claims.releasable(CONNECTION, institutional, 10) == [row.id for row in rows]
        assert tx.claims.releasable(CONNECTION, institutional, 2) == [row.id for row in rows[:2]]
        assert tx.claims.releasable("other-clearing", institutional, 10) == [elsewhere.id]
        assert tx.claims.releasable(CONNECTION, ClaimForm.PROFESSIONAL, 10) == []


def test_a_patient_that_one_worker_freezes_is_left_alone_by_another(store: Database) -> None:
    rows = [a_claim_row(store, number) for number in (1, 2)]

    def release_all() -> list[str]:
        with store.write() as tx:
            return tx.claims.releasable(CONNECTION, ClaimForm.INSTITUTIONAL, 10)

    with store.write() as tx:
        frozen = tx.claims.releasable(CONNECTION, ClaimForm.INSTITUTIONAL, 1)
        others = beside(release_all)
        tx.claims.set_states([(claim_id, "frozen") for claim_id in frozen])
    assert sorted([*frozen, *others.result(LONG_S)]) == sorted(row.id for row in rows)


def test_states_are_written_for_the_claims_named_and_no_other(store: Database) -> None:
    first, second = a_claim_row(store, 1), a_claim_row(store, 2)
    with store.write() as tx:
        tx.claims.set_states([(second.id, "paid")])
        tx.claims.set_states([])
    with store.read() as tx:
        assert {row.id: row.state for row in tx.claims.search()} == {first.id: "released", second.id: "paid"}


def a_placement(patient_id: str, encounter_id: str, place: str = "billed") -> PlacementRow:
    return PlacementRow(
        encounter_id=encounter_id,
        patient_id=patient_id,
        payer="acme",
        place=place,
        reason="on-claim",
        on=date(2026, 8, 3),
        claim_key="key",
        cents=35_000,
        findings=(a_finding(),),
    )


def a_day(patient_id: str, minutes: int = 180) -> DayRow:
    return DayRow(
        patient_id=patient_id,
        organization=ORGANIZATION,
        facility="harbor-main",
        program="mh-program",
        level_of_care="IOP",
        on=date(2026, 8, 3),
        minutes=minutes,
        services=3,
    )


def test_placements_and_days_are_replaced_patient_by_patient(store: Database) -> None:
    one, other = a_patient(store, 1), a_patient(store, 2)
    with store.write() as tx:
        e1, e2, e3 = tx.subjects.resolve(
            ORGANIZATION, RecordKind.ENCOUNTER, [[Identifier("urn:visit", each)] for each in "abc"]
        )
        tx.claims.replace_placements([one], [a_placement(one, e1), a_placement(one, e2)], [a_day(one)])
        tx.claims.replace_placements([other], [a_placement(other, e3)], [a_day(other)])
    with store.write() as tx:
        tx.claims.replace_placements([one], [a_placement(one, e2, "held")], [a_day(one, 120)])
    with store.read() as tx:
        assert list(tx.claims.placements([one])) == [a_placement(one, e2, "held")]
        assert {each.encounter_id for each in tx.claims.placements()} == {e2, e3}
        assert [each.patient_id for each in tx.claims.placements_of([e3])] == [other]
        assert {(each.patient_id, each.minutes) for each in tx.claims.days()} == {(one, 120), (other, 180)}


def test_what_is_asked_of_an_answers_claims_leaves_nothing_to_the_garbage_collector(store: Database) -> None:
    row = a_claim_row(store)

    def ask() -> None:
        with store.write() as tx:
            tx.claims.hold([row.id])
            tx.claims.drafts([row.id])
            tx.claims.bills([row.id])
            tx.claims.bills_by_number(["C1"])
            tx.claims.facts([row.id])
            tx.ledger.replace_all({f"claim:{row.id}": []})

    ask()  # what is remembered of a statement is made the first time
    gc.collect()
    ask()
    assert 0 == gc.collect()


def test_overrides_are_kept_with_who_why_and_until_when(store: Database) -> None:
    row = a_claim_row(store)
    override = Override(
        claim_id=row.id,
        rule="authorization-covers-days",
        actor="sam",
        role="supervisor",
        reason="extension confirmed by telephone",
        expires_on=date(2026, 8, 31),
    )
    with store.write() as tx:
        tx.claims.add_override(override)
    with store.read() as tx:
        assert tx.claims.overrides([row.id, "nobody"]) == {row.id: [override], "nobody": []}
