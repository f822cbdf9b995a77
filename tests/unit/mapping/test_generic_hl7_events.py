"""Every event of the HL7 page, sent to the shipped generic-hl7 source: it makes what the page says, and no other."""

from __future__ import annotations

import pytest

from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.engine import SourceInterpreter
from gateway.claim.party import Identifier
from gateway.claim.record import (
    AttendanceStatus,
    AuthorizationRecord,
    EncounterRecord,
    EpisodeRecord,
    MoveRecord,
    PatientRecord,
)
from gateway.wiring.hl7_events import EventRow, event_rows, generic_source
from tests.unit.mapping.small_set import NOW, message
from tests.unit.mapping.test_generic_hl7 import DG1, IN1, IN3, PID, PV1

SOURCE = generic_source()
GENERIC = SourceInterpreter(SOURCE, HL7_NOTATION, {Identifier("generic-hl7-location", "MAIN"): "main"})
ROWS = list(event_rows(SOURCE))

MRG = ("MRG", {1: "0999^^^OAK^MR", 3: "AC1", 5: "V0"})
MERGES = {
    *("A18", "A30", "A34", "A35", "A36", "A39", "A40", "A41", "A42", "A43", "A44", "A45", "A46", "A47", "A49", "A50")
}
AUT = ("AUT", {2: "ACME", 4: "20260801", 5: "20260831", 6: "AUTH9", 9: "12"})
FT1 = ("FT1", {1: "1", 2: "T1", 4: "202608031700^202608031800", 6: "CG", 7: "90853"})
SIU = (
    ("SCH", {1: "P1", 2: "S1", 7: "90853", 11: "^^^202608031700^202608031800"}),
    PID,
    PV1,
    ("RGS", {1: "1"}),
    ("AIS", {1: "1", 3: "90853", 4: "202608031700"}),
)


def sample(event: str) -> bytes:
    """A message with everything the event may carry."""
    event = event.replace("*", "I12")
    kind = event[:3]
    if kind == "SIU":
        return message(event, *SIU)
    if kind in ("REF", "RRI", "RPA"):
        return message(event, PID, PV1, AUT)
    if event[4:] in MERGES:
        return message(event, ("PID", {**PID[1], 18: "AC2"}), MRG, PV1)
    charges = (FT1,) if kind == "DFT" else ()
    return message(event, PID, PV1, *charges, DG1, IN1, IN3)


@pytest.mark.parametrize("row", ROWS, ids=[row.event for row in ROWS])
def test_each_event_makes_the_records_of_its_row(row: EventRow) -> None:
    said = GENERIC.interpret_message(sample(row.event), NOW)
    assert () == said.problems
    entries = {each.entry.entry: each.entry.name for each in GENERIC.entries}
    lines = {name: int(entry.rpartition(":")[2]) for entry, name in entries.items()}
    made = {
        max((name for name in lines if lines[name] <= at), key=lambda name: lines[name])
        for each in said.records
        for at in [int(each.origins["identifiers"].mapping.rpartition(":")[2])]
    }
    assert {*row.records} == made


@pytest.mark.parametrize("event", ["ADT^A23", "ADT^A24", "ADT^A29", "ADT^A37", "BAR^P12", "XYZ^Z99"])
def test_an_event_that_somebody_has_to_look_at_is_a_finding(event: str) -> None:
    (problem,) = GENERIC.interpret_message(message(event, PID, PV1), NOW).problems
    assert f"no record is made of {event}" == problem.message


@pytest.mark.parametrize("event", [each.replace("*", "T02") for each in SOURCE.passed_over])
def test_an_event_that_is_passed_over_says_nothing(event: str) -> None:
    said = GENERIC.interpret_message(message(event, PID, PV1, DG1), NOW)
    assert ((), ()) == (said.records, said.problems)


def test_a_merge_of_several_patients_joins_each() -> None:
    second = ("PID", {3: "1002^^^OAK^MR", 5: "Hale^Jo"})
    said = GENERIC.interpret_message(message("ADT^A40", PID, MRG, second, ("MRG", {1: "0998^^^OAK^MR"})), NOW)
    joined = [
        each.record for each in said.records if isinstance(each.record, PatientRecord) and each.record.merged_into
    ]
    assert [("0999", "1001"), ("0998", "1002")] == [
        (each.identifiers[0].value, each.merged_into.value) for each in joined if each.merged_into
    ]


THIN = [
    ("ADT^A43", {1: "1001^^^OAK^MR"}, "moved-patient: the message names one number and one patient"),
    ("ADT^A44", {1: "0999^^^OAK^MR"}, "moved-account.identity: MRG-3.1 or PID-18.1 gives no identifier"),
    ("ADT^A44", {3: "AC1"}, "moved-account.moved_from: MRG-1[5=MR].1 or MRG-1[1].1 gives nothing"),
    ("ADT^A45", {5: "V0"}, "moved-visit.moved_from: MRG-1[5=MR].1 or MRG-1[1].1 gives nothing"),
    ("ADT^A49", {3: "AC1"}, "renumbered-account: the message names one number and one patient"),
    ("ADT^A50", {1: "1001^^^OAK^MR"}, "renumbered-visit: the message names one number and one patient"),
]


@pytest.mark.parametrize(("event", "prior", "message_of"), THIN)
def test_a_move_that_does_not_say_what_moved_is_a_finding(event: str, prior: dict[int, str], message_of: str) -> None:
    said = GENERIC.interpret_message(message(event, PID, ("MRG", prior), PV1), NOW)
    assert [] == [each.record for each in said.records if isinstance(each.record, MoveRecord)]
    assert any(each.message.startswith(message_of) for each in said.problems)


def test_one_message_moves_several_visits() -> None:
    other = (("MRG", {1: "0998^^^OAK^MR", 5: "V8"}), ("PV1", {19: "V9"}))
    said = GENERIC.interpret_message(message("ADT^A45", PID, MRG, PV1, *other), NOW)
    moves = [each.record for each in said.records if isinstance(each.record, MoveRecord)]
    assert ["0999", "0998"] == [each.moved_from.value for each in moves if each.moved_from]
    assert ["V8", "V9"] == [each.value for each in moves[1].identifiers]


@pytest.mark.parametrize("changed", [{6: "CD"}, {6: "CR"}, {10: "-1"}])
def test_a_credit_is_the_same_session_as_its_charge_and_takes_it_back(changed: dict[int, str]) -> None:
    credit = ("FT1", {**FT1[1], 2: "T2", **changed})
    said = GENERIC.interpret_message(message("DFT^P03", PID, PV1, FT1, credit), NOW)
    charged, taken_back = (each.record for each in said.records if isinstance(each.record, EncounterRecord))
    assert AttendanceStatus.ATTENDED == charged.status
    assert AttendanceStatus.ERROR == taken_back.status
    assert {*charged.identifiers} & {*taken_back.identifiers}


def test_a_procedure_may_name_the_session_and_a_role_the_attending() -> None:
    charge = ("FT1", {**FT1[1], 7: "ROOM"})
    role = ("ROL", {1: "1", 2: "AD", 3: "AT", 4: "1234567893^Lee^Sam^^^^^^NPI^L^^^NPI"})
    visit = ("PV1", {**PV1[1], 7: ""})
    said = GENERIC.interpret_message(message("DFT^P03", PID, visit, role, charge, ("PR1", {1: "1", 3: "90837"})), NOW)
    (session,) = (each.record for each in said.records if isinstance(each.record, EncounterRecord))
    assert ("individual-psychotherapy-60", "90837") == (session.session, session.charge_code)
    said = GENERIC.interpret_message(message("ADT^A01", PID, role, visit), NOW)
    (stay,) = (each.record for each in said.records if isinstance(each.record, EpisodeRecord))
    assert stay.attending is not None
    assert "1234567893" == stay.attending.npi


def test_an_authorization_may_stand_in_the_policy_itself() -> None:
    policy = ("IN1", {**IN1[1], 14: "AUTH7^20260801"})
    said = GENERIC.interpret_message(message("ADT^A01", PID, PV1, policy), NOW)
    (found,) = (each.record for each in said.records if isinstance(each.record, AuthorizationRecord))
    assert "AUTH7" == found.number
