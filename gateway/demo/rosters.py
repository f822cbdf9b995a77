"""The rosters a clinic keeps beside its EHRs, as the CSV files it would load: from what is true. Knows no rule."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from gateway.claim.actor import Actor
from gateway.demo import clinic
from gateway.demo.truth import Patient, Plan, Stay
from gateway.wiring.desk import Desk

HEADER = ("npi", "payer", "role", "start_on", "end_on", "taxonomy", "location_npi", "license_end_on")
ANSWERS = ("patient", "payer", "active", "start_on", "end_on", "checked_on")
CERTIFICATIONS = ("patient", "level_of_care", "start_on", "recertification", "signed_on", "signed_by", "weekly_hours")
CONSENTS = ("patient", "program", "signed_on", "end_on")
CONTRACTS_SINCE = date(2025, 1, 1)
NEW_CONTRACT_SINCE = date(2026, 8, 17)
LICENSES_END_ON = date(2027, 7, 31)
_ATTENDING_TAXONOMIES = ("2084P0800X", "2084A0401X")
_CERTIFYING = (clinic.MEDICARE, clinic.HARBOR)
_FIRST_PHP_DAYS, _WEEKLY_HOURS = timedelta(days=17), {"PHP": 20, "IOP": 9}


def load_rosters(desk: Desk, actor: Actor, patients: Sequence[Patient] = (), until: date = date.max) -> dict[str, int]:
    """Load what the clinic and its patients have by a day; how many rows of each kind."""
    files = {"credentials": credentials_roster(), **_papers(patients, until)}
    return {kind: desk.load_roster(kind, content, f"{kind}.csv", actor)["rows"] for kind, content in files.items()}


def _papers(patients: Sequence[Patient], until: date) -> dict[str, bytes]:
    """The files that have a row by then."""
    rows = {
        "eligibility": (ANSWERS, list(_answers(patients, until))),
        "certifications": (CERTIFICATIONS, list(_certifications(patients, until))),
        "consents": (CONSENTS, list(_consents(patients, until))),
    }
    return {kind: _file(header, found) for kind, (header, found) in rows.items() if found}


def credentials_roster() -> bytes:
    """Every clinician and site with every payer; the new psychiatrist with one payer from 17 August only."""
    plans = (plan for plan in clinic.PLANS if plan is not clinic.UNHEARD_OF)
    return _file(HEADER, (row for plan in plans for row in _credentials(plan)))


def _credentials(plan: Plan) -> Iterator[tuple[object, ...]]:
    for npi in dict.fromkeys((clinic.ORGANIZATION_NPI, *clinic.SITE_NPIS.values())):
        yield (npi, plan.key, "billing", CONTRACTS_SINCE, "", "", "", "")
    for clinician in clinic.CLINICIANS:
        late = clinician is clinic.NEW_ATTENDING and plan is clinic.PRAIRIE
        start_on = NEW_CONTRACT_SINCE if late else CONTRACTS_SINCE
        role = "attending" if clinician.taxonomy in _ATTENDING_TAXONOMIES else "rendering"
        yield (clinician.npi, plan.key, role, start_on, "", clinician.taxonomy, "", LICENSES_END_ON)


def _answers(patients: Iterable[Patient], until: date) -> Iterator[tuple[object, ...]]:
    """Every payer the clinic deals with was asked on the day of admission, and said yes."""
    for patient, stay in _admitted(patients, until):
        if stay is patient.stays[0]:
            for policy in patient.policies:
                if policy.plan is not clinic.UNHEARD_OF:
                    dates = (policy.start_on, policy.end_on or "", stay.admitted_on)
                    yield (_name(patient), policy.plan.key, "yes", *dates)


def _certifications(patients: Iterable[Patient], until: date) -> Iterator[tuple[object, ...]]:
    """The attending physician certifies at admission, and partial hospitalization again on its eighteenth day."""
    for patient, stay in _admitted(patients, until):
        if not any(policy.plan in _CERTIFYING for policy in patient.policies):
            continue
        level, signed_by = stay.track.level_of_care, stay.attending.npi
        first, again = stay.admitted_on, stay.admitted_on + _FIRST_PHP_DAYS
        yield (_name(patient), level, first, "no", first, signed_by, _WEEKLY_HOURS[level])
        if level == "PHP" and again < until and again <= (stay.discharged_on or date.max):
            yield (_name(patient), level, again, "yes", again, signed_by, _WEEKLY_HOURS[level])


def _consents(patients: Iterable[Patient], until: date) -> Iterator[tuple[object, ...]]:
    """Whoever enters a program of the recovery center consents on that day, for a year."""
    for patient, stay in _admitted(patients, until):
        if stay.track.site is clinic.RECOVERY:
            ends = stay.admitted_on + timedelta(days=364)
            yield (_name(patient), stay.track.program, stay.admitted_on, ends)


def _admitted(patients: Iterable[Patient], until: date) -> Iterator[tuple[Patient, Stay]]:
    return ((patient, stay) for patient in patients for stay in patient.stays if stay.admitted_on < until)


def _name(patient: Patient) -> str:
    return f"riverbend-mrn|{patient.mrn}"


def _file(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
