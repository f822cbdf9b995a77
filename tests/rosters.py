"""Rows of rosters for any test, and loading them at a test's site."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from gateway.claim.party import Identifier
from gateway.claim.record import LevelOfCare
from gateway.claim.roster import (
    CertificationRecord,
    ConsentRecord,
    CredentialRecord,
    CredentialRole,
    EligibilityRecord,
    RosterRecord,
    row_key,
)
from gateway.pipeline.commands import RosterLoad
from tests.factories import ORGANIZATION
from tests.pipeline_site import BILLER, Site
from tests.unit.services import samples

P1 = Identifier("ehr", "P1")


def a_credential(**changes: Any) -> CredentialRecord:
    """The organization itself, enrolled with Acme."""
    given: dict[str, Any] = {
        "npi": samples.npi(1),
        "payer": "acme",
        "role": CredentialRole.BILLING,
        "start_on": date(2026, 1, 1),
    }
    return CredentialRecord(**{**given, **changes})


def an_answer(patient: Identifier = P1, **changes: Any) -> EligibilityRecord:
    """Acme says that the patient is covered this year."""
    given: dict[str, Any] = {
        "patient": patient,
        "payer": "acme",
        "active": True,
        "start_on": date(2026, 1, 1),
        "checked_on": date(2026, 8, 1),
    }
    return EligibilityRecord(**{**given, **changes})


def a_certification(patient: Identifier = P1, **changes: Any) -> CertificationRecord:
    """A physician's signed certification from the day of admission."""
    given: dict[str, Any] = {
        "patient": patient,
        "level_of_care": LevelOfCare.IOP,
        "start_on": date(2026, 8, 1),
        "signed_on": date(2026, 8, 1),
        "signed_by": samples.PHYSICIAN.npi,
    }
    return CertificationRecord(**{**given, **changes})


def a_consent(patient: Identifier = P1, **changes: Any) -> ConsentRecord:
    """A patient's consent that the substance use program may tell every payer."""
    given: dict[str, Any] = {"patient": patient, "program": samples.SUD, "signed_on": date(2026, 8, 1)}
    return ConsentRecord(**{**given, **changes})


def load(site: Site, *records: RosterRecord, whole: bool = False) -> RosterLoad:
    """Load rows of one kind, and derive what they change."""
    rows = {row_key(each): each for each in records}
    done = site.commands.load_roster(ORGANIZATION, records[0].kind, "office", rows, BILLER, file=b"rows", whole=whole)
    site.settle_facts()
    return done


def load_rosters(site: Site, patients: Sequence[Identifier]) -> None:
    """Every kind of roster, with a row for each of these patients."""
    load(site, a_credential())
    for make in (an_answer, a_certification, a_consent):
        load(site, *(make(each) for each in patients))
