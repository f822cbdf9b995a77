"""What an organization is told before anything holds a claim: rosters nobody loaded, what falls due, at what price."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.claim.calendar import Span
from gateway.claim.contract import CertificationClock, CredentialNeed, Enrollment, UnknownFacts
from gateway.claim.finding import Severity
from gateway.claim.record import EpisodeRecord
from gateway.claim.roster import CredentialRole
from gateway.lifecycle import ClaimState
from gateway.pipeline.readiness import Readiness, readiness
from gateway.store.database import Database
from tests.factories import CONNECTION, ORGANIZATION, TENANT
from tests.pipeline_site import Site, a_catalogue, a_week
from tests.rosters import a_certification, a_consent, a_credential, an_answer, load
from tests.unit.services import samples

TODAY = date(2026, 8, 17)
WEEK_CENTS = 105_000


def looked_at(site: Site, days: int = 14) -> Readiness:
    with site.store.read() as tx:
        return readiness(tx, site.policy, TENANT, site.clock.now(), days)


def due(site: Site, rule: str, days: int = 14) -> list[tuple[date | None, str, int]]:
    return [
        (each.due_on, each.finding.message, each.finding.cents)
        for each in looked_at(site, days).due
        if each.finding.rule == rule
    ]


def clinic(store: Database, root: Path, unknown: UnknownFacts | None = None, **payer: Any) -> Site:
    """The sample clinic, whose services want a physician's certification."""
    catalogue = a_catalogue(**payer)
    clock = CertificationClock(first_days=17, then_days=30)
    services = tuple(replace(each, certification=clock) for each in catalogue.services)
    owner = replace(catalogue.organizations[ORGANIZATION], unknown=unknown or UnknownFacts())
    return Site(store, root, replace(catalogue, services=services, organizations={ORGANIZATION: owner}))


def test_a_roster_nobody_loaded_is_told_once_however_many_claims_there_are(store: Database, tmp_path: Path) -> None:
    site = clinic(store, tmp_path / "partner")
    for number in (1, 2, 3):
        site.admit(number)
    missing = {each.roster: each for each in looked_at(site).missing}
    assert ["credentials", "eligibility", "certifications", "consents"] == list(missing)
    assert {Severity.WARN} == {each.finding.severity for each in missing.values()}
    assert (3, 3 * WEEK_CENTS) == (missing["eligibility"].claims, missing["eligibility"].finding.cents)
    assert (0, 0) == (missing["consents"].claims, missing["consents"].finding.cents)
    assert {ClaimState.RELEASED} == set(site.states())
    assert looked_at(site).ready
    load(site, an_answer())
    assert "eligibility" not in {each.roster for each in looked_at(site).missing}


def test_an_organization_may_hold_what_nobody_loaded(store: Database, tmp_path: Path) -> None:
    site = clinic(store, tmp_path / "partner", UnknownFacts(eligibility=Severity.BLOCK))
    site.admit()
    assert ClaimState.HELD == site.state()
    assert not looked_at(site).ready
    load(site, an_answer())
    assert ClaimState.RELEASED == site.state()


def test_a_payers_file_without_enrollments_is_a_roster_nobody_loaded(store: Database, tmp_path: Path) -> None:
    site = clinic(store, tmp_path / "partner", enrollments=None)
    site.admit()
    (missing,) = (each for each in looked_at(site).missing if each.roster == "enrollments")
    assert ("Acme's file has no roster of enrollments.", 1) == (missing.finding.message, missing.claims)


def test_a_recertification_is_told_a_week_before_it_holds_a_claim(store: Database, tmp_path: Path) -> None:
    site = clinic(store, tmp_path / "partner")
    site.admit()
    load(site, a_certification(start_on=TODAY - timedelta(days=9)))
    assert [] == due(site, "certification-current")
    load(site, a_certification(start_on=TODAY - timedelta(days=10)), whole=True)
    assert [(TODAY + timedelta(days=7), "The physician's recertification of IOP is due on 2026-08-24.", 0)] == due(
        site, "certification-current"
    )
    assert looked_at(site).ready
    assert {"P1"} == set(looked_at(site).record_numbers.values())


def test_a_recertification_that_is_overdue_tells_what_the_days_since_cost(store: Database, tmp_path: Path) -> None:
    site = clinic(store, tmp_path / "partner")
    site.admit()
    load(site, a_certification(start_on=date(2026, 7, 19)))
    assert [(date(2026, 8, 5), "The physician's recertification of IOP was due on 2026-08-05.", 70_000)] == due(
        site, "certification-current"
    )
    assert not looked_at(site).ready


def test_nothing_falls_due_for_a_patient_who_has_left(store: Database, tmp_path: Path) -> None:
    site = clinic(store, tmp_path / "partner")
    site.tell(
        *(
            replace(each, discharged_on=date(2026, 8, 7)) if isinstance(each, EpisodeRecord) else each
            for each in a_week()
        )
    )
    load(site, a_certification(start_on=date(2026, 7, 19)))
    assert [] == due(site, "certification-current")


def test_eligibility_is_asked_again_before_the_answer_is_too_old_and_before_the_coverage_ends(site: Site) -> None:
    site.admit()
    load(site, an_answer(checked_on=date(2026, 7, 24)))
    ((on, said, _),) = due(site, "eligibility-active")
    assert (date(2026, 8, 24), "Acme was last asked on 2026-07-24 about this patient's eligibility.") == (on, said)
    load(site, an_answer(checked_on=date(2026, 7, 25)))
    assert [] == due(site, "eligibility-active")
    load(site, an_answer(checked_on=TODAY, end_on=date(2026, 8, 24)))
    assert ["The patient's coverage with Acme ends on 2026-08-24."] == [
        said for _, said, _ in due(site, "eligibility-active")
    ]


def test_coverage_that_a_payer_takes_back_after_it_was_billed_is_told(site: Site) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    load(site, an_answer(checked_on=TODAY), an_answer(checked_on=TODAY, active=False, start_on=date(2026, 8, 5)))
    assert [(None, "Acme took back the coverage of 2 days it was billed for, the first 2026-08-05.", 70_000)] == due(
        site, "eligibility-active"
    )
    assert looked_at(site).ready


def test_a_consent_that_ends_is_told_two_weeks_before(site: Site) -> None:
    site.tell(
        *(
            replace(each, program=samples.SUD, diagnoses=("F10.20",)) if hasattr(each, "program") else each
            for each in a_week()
        )
    )
    load(site, a_consent(end_on=date(2026, 8, 31)))
    assert [] == due(site, "disclosure-consented", days=30)
    load(site, a_consent(end_on=date(2026, 8, 30)))
    ((on, said, _),) = due(site, "disclosure-consented", days=30)
    assert date(2026, 8, 31) == on
    assert said.startswith("From 2026-08-31 no consent lets")


def test_credentials_and_licenses_are_told_with_the_charges_that_rest_on_them(store: Database, tmp_path: Path) -> None:
    site = clinic(store, tmp_path / "partner", credentials=CredentialNeed.PRACTITIONER)
    site.admit()
    physician: dict[str, Any] = {"npi": samples.PHYSICIAN.npi, "role": CredentialRole.ATTENDING}
    ending = a_credential(**physician, end_on=date(2026, 9, 1), license_end_on=date(2026, 8, 6))
    load(site, a_credential(end_on=date(2026, 8, 31)), ending)
    (billing,) = due(site, "clinicians-credentialed")
    assert date(2026, 8, 31) == billing[0]
    assert billing[1].startswith("The billing credential of NPI")
    assert 2 == len(due(site, "clinicians-credentialed", days=15))
    ((on, said, cents),) = due(site, "licenses-in-force")
    assert (date(2026, 8, 6), 35_000) == (on, cents)
    assert said == f"The license of NPI {samples.PHYSICIAN.npi} ended on 2026-08-06."
    assert not looked_at(site).ready


def test_what_ended_and_nothing_rests_on_is_not_told(site: Site) -> None:
    site.admit()
    load(site, a_credential(npi="1882001013", license_end_on=date(2026, 1, 31), end_on=date(2026, 1, 31)))
    assert [] == due(site, "licenses-in-force")
    assert [] == due(site, "clinicians-credentialed")


@pytest.mark.parametrize(("days", "found"), [(13, 0), (14, 1)])
def test_an_enrollment_that_ends_is_told_inside_the_days_looked_at(
    store: Database, tmp_path: Path, days: int, found: int
) -> None:
    ends = Span(date(2026, 1, 1), date(2026, 8, 31))
    enrollments = tuple(
        Enrollment(npi=samples.npi(1), transaction=each, span=ends if each == "837I" else Span(date(2026, 1, 1)))
        for each in ("837I", "835")
    )
    site = clinic(store, tmp_path / "partner", enrollments=enrollments)
    assert found == len(due(site, "transactions-enrolled", days))


def test_an_organization_of_another_tenant_in_the_set_is_nothing_to_get_ready_for(
    store: Database, tmp_path: Path
) -> None:
    site = clinic(store, tmp_path / "partner")
    own = site.policy.catalogue.organizations[ORGANIZATION]
    organizations = {ORGANIZATION: own, "shipped": replace(own, id="shipped", tenant="another")}
    site.policy.catalogue = replace(site.policy.catalogue, organizations=organizations)
    assert {ORGANIZATION} == {each.organization for each in looked_at(site).missing}
