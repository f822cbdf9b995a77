"""What an HL7 message leaves empty stands as the feed said it before, in whatever order messages came."""

from __future__ import annotations

from itertools import permutations

import pytest

from gateway.claim.record import EpisodeRecord
from gateway.wiring.ingest import Taking
from gateway.wiring.site import Site

PID = "PID|1||1001^^^CLINIC^MR||RIVERA^ANA||19800502|F\r"


def adt(event: str, hour: int, *, admitted: str = "", attending: str = "", diagnosis: str = "") -> bytes:
    visit = {2: "R", 7: attending, 19: "V77", 44: admitted}
    pv1 = "|".join(["PV1", *(visit.get(number, "") for number in range(1, 45))])
    dg1 = f"DG1|1||{diagnosis}\r" if diagnosis else ""
    head = f"MSH|^~\\&|EHR|CLINIC|GW|HUB|2026080308{hour:02}00||ADT^{event}|{event}-{hour}|P|2.5.1\r"
    return f"{head}{PID}{pv1}\r{dg1}".encode()


ADMITTED = adt("A01", 1, admitted="20260803", attending="1234567893^LEE^SAM^^^^^^NPI^L^^^NPI", diagnosis="F33.1^^I10")
MOVED = adt("A02", 2)
DISCHARGED = adt("A03", 3)


def stay(site: Site, *messages: bytes) -> tuple[EpisodeRecord, dict[str, str]]:
    for each in messages:
        taking = Taking(site, "generic-hl7")
        taking.take_bytes(each)
        taking.finish()
    with site.store.read() as tx:
        said = tx.subjects.about_patients(list(tx.subjects.patient_ids()))
        (found,) = (each for words in said.values() for each in words if isinstance(each.record, EpisodeRecord))
    assert isinstance(found.record, EpisodeRecord)
    return found.record, {name: origin.message_id for name, origin in found.origins.items()}


@pytest.mark.parametrize("order", [*permutations((ADMITTED, MOVED, DISCHARGED))])
def test_a_transfer_and_a_discharge_leave_what_they_do_not_say(site: Site, order: tuple[bytes, ...]) -> None:
    found, told_by = stay(site, *order)
    assert ("2026-08-03", ("F331",)) == (str(found.admitted_on), found.diagnoses)
    assert found.attending is not None
    assert "1234567893" == found.attending.npi
    assert told_by["diagnoses"] == told_by["attending.npi"] != told_by["identifiers"]


def test_what_a_later_message_says_takes_the_place_of_what_stood(site: Site) -> None:
    found, _ = stay(site, ADMITTED, MOVED, adt("A08", 4, diagnosis="F10.20^^I10"))
    assert ("F1020",) == found.diagnoses
    assert "2026-08-03" == str(found.admitted_on)


def test_what_is_said_and_not_understood_is_not_taken_for_unsaid(site: Site) -> None:
    found, told_by = stay(site, ADMITTED, adt("A08", 4, admitted="soon"))
    assert found.admitted_on is None
    assert "admitted_on" not in told_by


def test_where_nobody_said_it_nothing_stands(site: Site) -> None:
    found, told_by = stay(site, MOVED)
    assert ((), None) == (found.diagnoses, found.attending)
    assert "diagnoses" not in told_by
