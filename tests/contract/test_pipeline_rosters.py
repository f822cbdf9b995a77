"""Loading rosters: whom a row is about, which claims are judged again, what a later load takes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from gateway.claim.finding import Finding
from gateway.claim.party import Identifier, Relationship
from gateway.claim.roster import member_of
from gateway.lifecycle import ClaimState
from tests.pipeline_site import Site, a_week
from tests.rosters import P1, a_consent, a_credential, an_answer, load
from tests.unit.services import samples


def findings(site: Site) -> Mapping[str, Finding]:
    """Findings of the only claim, by rule."""
    with site.store.read() as tx:
        (draft,) = tx.claims.drafts([row.id for row in tx.claims.search()]).values()
    return {each.rule: each for each in draft.findings}


def test_a_payers_no_holds_the_claim_and_its_later_yes_frees_it(site: Site) -> None:
    site.admit()
    assert ClaimState.RELEASED == site.state()
    load(site, an_answer(active=False))
    assert ClaimState.HELD == site.state()
    assert "eligibility-active" in findings(site)
    load(site, an_answer(checked_on=date(2026, 8, 10)))
    assert ClaimState.RELEASED == site.state()


def test_a_row_may_come_before_its_patient_and_waits(site: Site) -> None:
    done = load(site, an_answer(active=False))
    assert (1, 1, 1) == (done.rows, done.added, done.unmatched)
    site.admit()
    assert ClaimState.HELD == site.state()


def test_the_same_file_again_changes_nothing_and_names_who_is_known(site: Site) -> None:
    site.admit()
    load(site, an_answer())
    done = load(site, an_answer())
    assert (1, 0, 0, 0, 0) == (done.rows, done.added, done.changed, done.retired, done.unmatched)


def test_an_answer_that_names_the_member_finds_the_patient(site: Site) -> None:
    site.admit()
    load(site, an_answer(member_of("acme", "ABC000001"), active=False))
    assert ClaimState.HELD == site.state()


def test_a_dependents_claim_does_not_go_by_the_subscribers_answer(site: Site) -> None:
    records = [
        replace(each, relationship=Relationship.CHILD, subscriber_name=samples.ADULT.name)
        if type(each) is type(samples.coverage().record)
        else each
        for each in a_week()
    ]
    site.tell(*records)
    load(site, an_answer(member_of("acme", "ABC000001"), active=False))
    assert "is on file" in findings(site)["eligibility-active"].message
    load(site, an_answer(P1, active=False))
    assert "not active" in findings(site)["eligibility-active"].message


def test_a_patients_rows_follow_a_merge(site: Site) -> None:
    site.tell(replace(samples.ADULT, identifiers=(Identifier("ehr", "P9"),)))
    load(site, an_answer(Identifier("ehr", "P9"), active=False), an_answer(Identifier("ehr", "P8")))
    site.admit()
    assert "is on file" in findings(site)["eligibility-active"].message
    site.tell(replace(samples.ADULT, identifiers=(Identifier("ehr", "P9"), P1)))
    assert "not active" in findings(site)["eligibility-active"].message


def test_a_credential_that_a_whole_roster_no_longer_has_is_over(site: Site) -> None:
    site.admit()
    load(site, a_credential(), a_credential(payer="medicare"))
    assert "billing-provider-enrolled" not in findings(site)
    done = load(site, a_credential(payer="medicare"), whole=True)
    assert 1 == done.retired
    assert "does not say" in findings(site)["billing-provider-enrolled"].message


def test_a_part_2_programs_claim_waits_for_the_patients_consent(site: Site) -> None:
    site.tell(
        *(
            replace(each, program=samples.SUD, diagnoses=("F10.20",)) if hasattr(each, "program") else each
            for each in a_week()
        )
    )
    assert ClaimState.RELEASED == site.state()
    load(site, a_consent(Identifier("ehr", "P2")))
    assert ClaimState.HELD == site.state()
    assert not findings(site)["disclosure-consented"].overridable
    load(site, a_consent())
    assert ClaimState.RELEASED == site.state()
    load(site, a_consent(revoked_on=date(2026, 8, 17)))
    assert ClaimState.HELD == site.state()


def test_what_was_loaded_is_on_record(site: Site) -> None:
    load(site, a_credential())
    with site.store.read() as tx:
        (act,) = tx.audit.acts("credentials:harbor:office")
    assert ("load-roster", "added=1 changed=0 retired=0") == (act["action"], act["detail"])
