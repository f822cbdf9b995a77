"""Rosters as files: each row judged, every mistake told with place and column, all rows or none, no cell repeated."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from gateway.claim.party import Identifier
from gateway.claim.record import AuthorizationStatus, AuthorizationUnit, LevelOfCare, Weekday
from gateway.claim.roster import (
    CertificationRecord,
    ConsentRecord,
    CredentialRecord,
    CredentialRole,
    CredentialStatus,
    EligibilityRecord,
    GrantRecord,
    RosterKind,
    RosterRecord,
    member_of,
)
from gateway.errors import ConfigurationError, FormatError, NotFound
from gateway.wiring.rosters import KnownNames, read_roster, roster_kind, roster_source, roster_view

KNOWN = KnownNames(
    payers={"acme", "medicare"}, programs={"sud-iop"}, namespaces={"mrn", "visit"}, record_numbers={"mrn"}
)
NPI = "1991000104"


def read(kind: str, text: str, known: KnownNames = KNOWN) -> list[RosterRecord]:
    return list(read_roster(RosterKind(kind), text.encode(), "roster.csv", known).values())


def wrong(kind: str, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read(kind, text)
    return refused.value.problems


def test_a_credential_with_everything_a_payer_and_a_board_say() -> None:
    text = (
        "npi,payer,role,start_on,retro_effective_on,status,tax_id,taxonomy,license_number,license_state,license_end_on\n"
        f"{NPI},acme,Attending,2026-03-01,2026-02-01,active,99-0000017,2084P0800X,036.1,IL,2027-07-31\n"
    )
    expected = CredentialRecord(
        npi=NPI,
        payer="acme",
        role=CredentialRole.ATTENDING,
        start_on=date(2026, 3, 1),
        retro_effective_on=date(2026, 2, 1),
        status=CredentialStatus.ACTIVE,
        tax_id="990000017",
        taxonomy="2084P0800X",
        license_number="036.1",
        license_state="IL",
        license_end_on=date(2027, 7, 31),
        entry="roster.csv:2",
    )
    assert [expected] == read("credentials", text)


def test_an_answer_names_a_patient_or_a_member() -> None:
    text = (
        "patient,member_number,payer,active,start_on,checked_on,service_types,copay,carve_out_payer\n"
        "mrn|7,,acme,yes,2026-01-01,2026-08-01,MH 30,40.00,\n"
        ",ABC1,acme,no,2026-01-01,2026-08-01,,,Other Health\n"
    )
    by_patient, by_member = read("eligibility", text)
    given: dict[str, Any] = {"payer": "acme", "start_on": date(2026, 1, 1), "checked_on": date(2026, 8, 1)}
    patient = EligibilityRecord(
        patient=Identifier("mrn", "7"),
        active=True,
        service_types=("30", "MH"),
        copay_cents=4000,
        entry="roster.csv:2",
        **given,
    )
    member = EligibilityRecord(
        patient=member_of("acme", "ABC1"),
        active=False,
        carve_out_payer="Other Health",
        entry="roster.csv:3",
        **given,
    )
    assert (patient, member) == (by_patient, by_member)


def test_a_bare_number_is_a_medical_record_number_where_there_is_one_namespace_of_them() -> None:
    text = f"patient,level_of_care,start_on,signed_on,signed_by,weekly_hours\n7,php,2026-08-03,2026-08-04,{NPI},20\n"
    expected = CertificationRecord(
        patient=Identifier("mrn", "7"),
        level_of_care=LevelOfCare.PHP,
        start_on=date(2026, 8, 3),
        signed_on=date(2026, 8, 4),
        signed_by=NPI,
        weekly_hours=20,
        entry="roster.csv:2",
    )
    assert [expected] == read("certifications", text)
    two = KnownNames(payers={"acme"}, namespaces={"mrn", "other"}, record_numbers={"mrn", "other"})
    with pytest.raises(ConfigurationError, match=r"roster.csv:2: patient: write it as NAMESPACE\|NUMBER"):
        read("certifications", text, two)


def test_rows_may_come_as_json() -> None:
    rows = [{"patient": "mrn|7", "program": "sud-iop", "signed_on": "2026-08-01", "payer": None}]
    expected = ConsentRecord(
        patient=Identifier("mrn", "7"), program="sud-iop", signed_on=date(2026, 8, 1), entry="roster.csv: row 1"
    )
    assert [expected] == read("consents", json.dumps(rows))
    assert ["roster.csv: row 1: the column 'program' is missing"] == wrong(
        "consents", json.dumps([{"patient": "mrn|7", "signed_on": "2026-08-01"}])
    )
    assert ["roster.csv: is not a list of objects, one for each row"] == wrong("consents", '{"rows": []}')


def test_every_mistake_of_every_row_is_told_with_its_line_and_column() -> None:
    text = "npi,payer,role,start_on,end_on\n1234567890,nobody,king,tomorrow,\n\n" + f"{NPI},acme,billing,,2026-01-01\n"
    assert [
        "roster.csv:2: npi: is not a valid NPI",
        "roster.csv:2: payer: no payer file has this id; known are acme, medicare",
        "roster.csv:2: role: is none of rendering, attending, billing",
        "roster.csv:2: start_on: is not a date such as 2026-01-31",
        "roster.csv:4: start_on: is empty",
    ] == wrong("credentials", text)


CONTRADICTIONS = {
    "an end before the beginning": (
        "credentials",
        f"npi,payer,role,start_on,end_on\n{NPI},acme,billing,2026-02-01,2026-01-31\n",
        "end_on: lies before the first day",
    ),
    "dated back to a later day": (
        "credentials",
        f"npi,payer,role,start_on,retro_effective_on\n{NPI},acme,billing,2026-02-01,2026-02-02\n",
        "retro_effective_on: lies after start_on; it is the earlier day the payer agreed to",
    ),
    "signed on no day": (
        "certifications",
        f"patient,level_of_care,start_on,signed_by\nmrn|7,PHP,2026-08-03,{NPI}\n",
        "signed_on: is empty, and signed_by says that somebody signed",
    ),
    "revoked before it was given": (
        "consents",
        "patient,program,signed_on,revoked_on\nmrn|7,sud-iop,2026-08-03,2026-08-02\n",
        "revoked_on: lies before the first day",
    ),
    "an answer about nobody": (
        "eligibility",
        "payer,active,start_on,checked_on\nacme,yes,2026-08-03,2026-08-02\n",
        "patient: is empty, and so is member_number; give one of them",
    ),
    "an amount that is none": (
        "eligibility",
        "member_number,payer,active,start_on,checked_on,copay\nA1,acme,yes,2026-08-03,2026-08-02,NaN\n",
        "copay: is not an amount such as 40.00",
    ),
    "a namespace no feed has": (
        "consents",
        "patient,program,signed_on\nmrm|7,sud-iop,2026-08-03\n",
        "patient: no source file has this namespace; known are mrn, visit",
    ),
    "an amount beyond reckoning": (
        "eligibility",
        "member_number,payer,active,start_on,checked_on,copay\nA1,acme,yes,2026-08-03,2026-08-02,1e999999\n",
        "copay: is not an amount such as 40.00",
    ),
    "a day nobody can count from": (
        "certifications",
        "patient,level_of_care,start_on\nmrn|7,PHP,9999-12-30\n",
        "start_on: lies after 2199-12-31",
    ),
    "a day of no living patient": (
        "consents",
        "patient,program,signed_on\nmrn|7,sud-iop,0001-01-01\n",
        "signed_on: lies before 1900-01-01",
    ),
    "a character that no terminal should see": (
        "authorizations",
        "patient,payer,number,status\nmrn|7,acme,\x1b[31mA1,approved\n",
        "number: holds a control character or half a character; type the cell anew",
    ),
    "a cell without end": (
        "authorizations",
        f"patient,payer,number,status\nmrn|7,acme,{'A' * 5000},approved\n",
        "number: is longer than 4,000 characters",
    ),
    "a program that is none": (
        "consents",
        "patient,program,signed_on\nmrn|7,sud,2026-08-03\n",
        "program: the organization has no such program; known are sud-iop",
    ),
}


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_what_a_row_may_not_say(what: str) -> None:
    kind, text, expected = CONTRADICTIONS[what]
    assert [f"roster.csv:2: {expected}"] == wrong(kind, text)


def test_an_end_that_stands_for_none_is_an_end() -> None:
    (record,) = read("credentials", f"npi,payer,role,start_on,end_on\n{NPI},acme,billing,2026-01-01,9999-12-31\n")
    assert isinstance(record, CredentialRecord)
    assert date.max == record.end_on


def test_a_row_that_is_none_hides_no_other_mistake() -> None:
    text = 'npi,payer,role,start_on\n1,acme,billing,2026-01-01\n1,2,3,4,5\n2,acme,billing,2026-01-01\n"199'
    assert [
        "roster.csv:2: npi: is not a valid NPI",
        "roster.csv:3: 5 cells under 4 headings; quote commas",
        "roster.csv:4: npi: is not a valid NPI",
        "roster.csv:5: is not CSV: unexpected end of data",
    ] == wrong("credentials", text)


def test_every_row_of_json_that_is_none_is_told() -> None:
    nested: Any = []
    for _ in range(900):
        nested = [nested]
    row = {"npi": NPI, "payer": "acme", "role": "billing", "start_on": "2026-01-01"}
    rows = [{**row, "plan": "gold"}, {**row, "license_number": nested}, {**row, "license_number": "\ud800"}]
    problems = wrong("credentials", json.dumps(rows))
    assert ["column 5 has no heading we know", "value 5 is neither a word, a number nor a list of them"] == [
        each.split(": ")[2].split(";")[0] for each in problems[:2]
    ]
    assert problems[2].startswith("roster.csv: row 3: license_number: holds a control character")


def test_a_file_of_a_million_columns_is_refused_in_a_few_lines() -> None:
    problems = wrong("credentials", ",".join(["x"] * 1_000_000))
    assert "19, 20 and 999,980 more has no heading we know" in problems[-1]


@pytest.mark.parametrize("word", ["", " ", "\x1b[31m", "x" * 101])
def test_who_keeps_a_roster_has_a_name(word: str) -> None:
    with pytest.raises(FormatError, match="the source of a roster is a name"):
        roster_source(word)


def test_two_rows_of_one_key_contradict_each_other() -> None:
    row = f"{NPI},acme,billing,2026-01-01,"
    text = f"npi,payer,role,start_on,end_on\n{row}\n{row}2026-12-31\n"
    assert ["roster.csv:3: the same npi, payer, role, location_npi, start_on as in roster.csv:2; keep one"] == wrong(
        "credentials", text
    )


UNREADABLE = {
    "no text": (b"\xff\xfe", "roster.csv:1: the file is not UTF-8 text; save it as CSV UTF-8"),
    "nothing": (b"", "roster.csv:1: has no heading line"),
    "a quote that never ends": (b'npi,payer,role,start_on\n"199', "roster.csv:2: is not CSV"),
    "more cells than headings": (b"npi,payer,role,start_on\n1,2,3,4,5\n", "roster.csv:2: 5 cells under 4 headings"),
    "a heading twice": (b"npi,npi,payer,role,start_on\n", "roster.csv:1: the column 'npi' is there twice"),
    "a heading we do not know": (b"npi,payer,role,start_on,hat\n", "roster.csv:1: column 5 has no heading we know"),
    "broken JSON": (b"[{", "roster.csv: is not JSON"),
    "JSON without a bottom": (b"[" * 100_000, "roster.csv: is not JSON"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_that_is_no_roster_is_told_what_it_lacks(what: str) -> None:
    content, expected = UNREADABLE[what]
    with pytest.raises(ConfigurationError) as refused:
        read_roster(RosterKind.CREDENTIALS, content, "roster.csv", KNOWN)
    assert refused.value.problems[0].startswith(expected)


def test_no_cell_of_a_roster_is_repeated_in_what_is_wrong_with_it() -> None:
    for kind in RosterKind:
        columns = [*roster_columns(kind)]
        text = ",".join(columns) + "\n" + ",".join(["Thornbury"] * len(columns)) + "\n"
        assert "Thornbury" not in "\n".join(wrong(kind, text))


def roster_columns(kind: RosterKind) -> list[str]:
    """The columns as the error for a file without a heading lists them."""
    return wrong(kind, "")[0].rpartition("columns are ")[2].split(", ")


def test_a_record_is_shown_by_the_columns_of_its_file() -> None:
    text = (
        "patient,payer,active,start_on,checked_on,service_types,copay\n"
        "mrn|7,acme,yes,2026-01-01,2026-08-01,30 MH,40.05\n"
    )
    (record,) = read("eligibility", text)
    assert {
        "patient": "mrn|7",
        "payer": "acme",
        "active": "yes",
        "start_on": "2026-01-01",
        "checked_on": "2026-08-01",
        "service_types": "30 MH",
        "copay": "40.05",
    } == roster_view(record)


def test_a_kind_that_is_none_is_told_which_there_are() -> None:
    with pytest.raises(NotFound, match="credentials, eligibility, certifications, consents"):
        roster_kind("hats")


def test_an_authorization_with_everything_a_payer_may_say() -> None:
    text = (
        "member_number,payer,number,status,level_of_care,unit,units,units_per_week,weekdays,npis,start_on,"
        "opening_units,opening_on\n"
        f"ABC1,acme,A1,Approved,iop,hour,60,9,monday;friday,{NPI},2026-08-01,12,2026-08-17\n"
    )
    assert read("authorizations", text) == [
        GrantRecord(
            patient=member_of("acme", "ABC1"),
            payer="acme",
            number="A1",
            status=AuthorizationStatus.APPROVED,
            level_of_care=LevelOfCare.IOP,
            unit=AuthorizationUnit.HOUR,
            units=60,
            units_per_week=9,
            weekdays=(Weekday.FRIDAY, Weekday.MONDAY),
            npis=(NPI,),
            start_on=date(2026, 8, 1),
            opening_units=12,
            opening_on=date(2026, 8, 17),
            entry="roster.csv:2",
        )
    ]


def test_every_mistake_of_an_authorization_is_told_with_its_column() -> None:
    text = (
        "patient,payer,number,status,units,weekdays,opening_units\n"
        "M1,acme,A1,granted,many,funday,\n"
        ",acme,A2,approved,8,,\n"
        "M1,acme,A3,approved,8,,5\n"
    )
    found = wrong("authorizations", text)
    assert [each.split(": ")[:2] for each in found] == [
        ["roster.csv:2", "status"],
        ["roster.csv:2", "units"],
        ["roster.csv:2", "weekdays"],
        ["roster.csv:3", "patient"],
        ["roster.csv:4", "opening_units"],
    ]
    assert not any("funday" in each or "many" in each for each in found)
