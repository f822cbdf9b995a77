"""A 271 as rows of the eligibility roster: spans, service types, carve-outs, who pays first, whom it is about."""

from __future__ import annotations

from datetime import date

import pytest
from x12sdk.io import X12ModelReader

from clearinghouse.eligibility_271 import EligibilityAnswers, eligibility_answers
from clearinghouse.x12.decoding import X12FormatError
from gateway.claim.party import Identifier
from gateway.claim.roster import EligibilityRecord, member_of

PAYERS = {"PRMT1": "prairie", "Harbor Behavioral": "harbor", "MEDA1": "medicare"}
HEAD = ("HL*1**20*1", "NM1*PR*2*PRAIRIE MUTUAL*****PI*PRMT1", "HL*2*1*21*1", "NM1*1P*2*RIVERBEND*****XX*1991000104")
SUBSCRIBER = ("HL*3*2*22*0", "TRN*2*ASK1*9CLINIC001", "NM1*IL*1*SAMPLE*PAT****MI*PMX123456789", "REF*EJ*MRN7")
ANSWERED_ON = date(2026, 8, 3)


def a_271(*segments: str, head: tuple[str, ...] = HEAD, on: str = "20260803") -> bytes:
    inside = ["ST*271*0001*005010X279A1", f"BHT*0022*11*ASK1*{on}*1201", *head, *segments]
    inside.append(f"SE*{len(inside) + 1}*0001")
    isa = "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *260803*1201*^*00501*000000001*0*T*:"
    gs = "GS*HB*PAYER*CLINIC*20260803*1201*1*X*005010X279A1"
    return "".join(f"{each}~\n" for each in (isa, gs, *inside, "GE*1*1", "IEA*1*000000001")).encode()


def payer_of(number: str, name: str) -> str:
    return PAYERS.get(number) or PAYERS.get(name, "")


def answers(*segments: str, head: tuple[str, ...] = HEAD) -> EligibilityAnswers:
    return eligibility_answers(a_271(*segments, head=head), payer_of, "mrn")


def rows(*segments: str, head: tuple[str, ...] = HEAD) -> list[EligibilityRecord]:
    found = answers(*segments, head=head)
    assert () == found.problems
    return list(found.rows.values())


def said(record: EligibilityRecord) -> tuple[bool, date, date | None, tuple[str, ...]]:
    return record.active, record.start_on, record.end_on, record.service_types


def test_an_active_plan_with_its_dates_and_a_copay() -> None:
    (record,) = rows(
        *SUBSCRIBER,
        "DTP*346*D8*20260101",
        "DTP*347*D8*20261231",
        "EB*1*IND*30^MH**PRAIRIE CHOICE",
        "EB*B*IND*MH***27*40",
    )
    expected = EligibilityRecord(
        patient=member_of("prairie", "PMX123456789"),
        payer="prairie",
        active=True,
        start_on=date(2026, 1, 1),
        end_on=date(2026, 12, 31),
        checked_on=ANSWERED_ON,
        service_types=("30", "MH"),
        plan="PRAIRIE CHOICE",
        copay_cents=4000,
        entry="segment 7",
    )
    assert expected == record


DATES = {
    "a begin alone is open": (("DTP*356*D8*20260101",), (date(2026, 1, 1), None)),
    "a range": (("DTP*291*RD8*20260101-20260630",), (date(2026, 1, 1), date(2026, 6, 30))),
    "a plan's single date begins it": (("DTP*307*D8*20260101",), (date(2026, 1, 1), None)),
    "an end alone speaks of the day asked": (("DTP*349*D8*20260831",), (ANSWERED_ON, date(2026, 8, 31))),
    "an end in the past": (("DTP*349*D8*20260630",), (date(2026, 6, 30), date(2026, 6, 30))),
    "the service date asked about": (("DTP*472*D8*20260805",), (date(2026, 8, 5), date(2026, 8, 5))),
    "no date at all speaks of the day of the answer": ((), (ANSWERED_ON, ANSWERED_ON)),
}


@pytest.mark.parametrize("what", DATES)
def test_the_days_an_answer_speaks_of(what: str) -> None:
    dates, expected = DATES[what]
    of_member, of_benefit = rows(*SUBSCRIBER, *dates, "EB*1**30"), rows(*SUBSCRIBER, "EB*1**30", *dates)
    assert [expected] * 2 == [(each.start_on, each.end_on) for each in (*of_member, *of_benefit)]


def test_a_benefits_own_dates_come_before_the_members() -> None:
    (record,) = rows(*SUBSCRIBER, "DTP*346*D8*20260101", "EB*6**30", "DTP*348*D8*20260815")
    assert (False, date(2026, 8, 15), None, ("30",)) == said(record)


def test_services_that_are_not_covered_are_inactive_and_the_plan_is_not() -> None:
    plan, excluded = rows(*SUBSCRIBER, "DTP*346*D8*20260101", "EB*1**30", "EB*I**AI")
    assert [True, False] == [plan.active, excluded.active]
    assert ("AI",) == excluded.service_types


def test_a_carve_out_names_whom_to_bill_by_our_id_or_by_name() -> None:
    for name, expected in (("Harbor Behavioral", "harbor"), ("NORTH MIND", "NORTH MIND")):
        plan, carved = rows(
            *SUBSCRIBER,
            "DTP*346*D8*20260101",
            "EB*1**30",
            "EB*I**MH",
            "EB*U**MH",
            "LS*2120",
            f"NM1*VN*2*{name}",
            "LE*2120",
        )
        assert ("", expected) == (plan.carve_out_payer, carved.carve_out_payer)
        assert (True, date(2026, 1, 1), None, ("MH",)) == said(carved)


def test_a_contact_for_the_whole_plan_is_no_carve_out() -> None:
    (plan,) = rows(*SUBSCRIBER, "EB*1**30", "EB*U**30", "LS*2120", "NM1*PR*2*NORTH MIND", "LE*2120", "EB*U**MH")
    assert "" == plan.carve_out_payer


def test_medicare_is_asked_for_part_b_and_says_who_pays_first() -> None:
    head = (HEAD[0], "NM1*PR*2*MEDICARE*****PI*MEDA1", *HEAD[2:])
    given = ("EB*1**30*MA", "DTP*291*D8*20200101", "EB*6**30*MB", "DTP*291*RD8*20200101-20260731")
    (part_b,) = rows(*SUBSCRIBER, *given, head=head)
    assert (False, date(2020, 1, 1), date(2026, 7, 31), ("30",)) == said(part_b)
    (part_a_alone,) = rows(*SUBSCRIBER, *given[:2], head=head)
    assert not part_a_alone.active
    _, advantage = rows(
        *SUBSCRIBER, "EB*1**30*MB", "DTP*291*D8*20200101", "EB*R**30*HN", "DTP*290*D8*20260101", "LS*2120",
        "NM1*PRP*2*HARBOR ADVANTAGE", "LE*2120", head=head,
    )  # fmt: skip
    assert ("HARBOR ADVANTAGE", date(2026, 1, 1)) == (advantage.primary_payer, advantage.start_on)


def test_two_answers_for_the_same_services_are_as_bad_as_the_worse() -> None:
    given = ("EB*1*IND*MH", "DTP*291*RD8*20260101-20261231", "EB*6*FAM*MH", "DTP*291*RD8*20260101-20260630")
    for segments in (given, (*given[2:], *given[:2])):
        (record,) = rows(*SUBSCRIBER, *segments)
        assert (False, date(2026, 1, 1), date(2026, 6, 30), ("MH",)) == said(record)


def test_a_dependent_is_known_by_the_account_number_the_payer_echoes() -> None:
    dependent = ("HL*4*3*23*0", "TRN*2*ASK2*9CLINIC001", "NM1*03*1*SAMPLE*KIM", "REF*EJ*MRN8", "EB*6**30")
    first, second = rows("HL*3*2*22*1", SUBSCRIBER[2], "EB*1**30", *dependent)
    assert member_of("prairie", "PMX123456789") == first.patient
    assert (Identifier("mrn", "MRN8"), False) == (second.patient, second.active)


def test_what_cannot_be_used_is_told_by_its_segment_and_names_nobody() -> None:
    dependent = ("HL*4*3*23*0", "NM1*03*1*SAMPLE*KIM", "EB*1**30")
    (problem,) = answers("HL*3*2*22*1", SUBSCRIBER[2], *dependent).problems
    assert (
        "segment 9: the dependent has no account number of ours (REF*EJ); ask with it, or load the answer as CSV"
        == (problem)
    )
    (problem,) = answers("HL*3*2*22*0", "NM1*IL*1*SAMPLE*PAT", "EB*1**30").problems
    assert problem.startswith("segment 7: the subscriber has no member number")
    head = (HEAD[0], "NM1*PR*2*NOBODY*****PI*X9", *HEAD[2:])
    (problem,) = answers(*SUBSCRIBER, "EB*1**30", head=head).problems
    assert "segment 3: no payer file has a route or a name 'X9' (NM109)" == problem


def test_a_question_the_payer_could_not_answer_is_counted_and_says_nothing() -> None:
    found = answers(*SUBSCRIBER, "AAA*N**75*C")
    assert (1, {}, ()) == (found.unanswered, found.rows, found.problems)
    found = answers(head=(HEAD[0], HEAD[1], "AAA*N**42*P"))
    assert (1, {}, ()) == (found.unanswered, found.rows, found.problems)


BROKEN = {
    "no 271 in it": (a_271().replace(b"ST*271", b"ST*270"), "holds no 271"),
    "no header": (a_271().replace(b"BHT*", b"BHX*"), "BHT is missing"),
    "a level nobody knows": (a_271("HL*3*2*99*0"), "hierarchical level code is unknown"),
    "a dependent of nobody": (a_271("HL*3*2*23*0"), "under no subscriber"),
    "a member of nobody": (a_271("HL*3*2*22*0", head=()), "under no payer"),
    "a date that is none": (a_271(*SUBSCRIBER, "DTP*346*D8*20261301"), "DTP03"),
    "an amount that is none": (a_271(*SUBSCRIBER, "EB*B**30****x"), "EB07"),
    "a wrong count": (a_271().replace(b"SE*7", b"SE*9"), "SE01"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_answer_is_refused_by_name(what: str) -> None:
    content, expected = BROKEN[what]
    with pytest.raises(X12FormatError) as refused:
        eligibility_answers(content, payer_of, "mrn")
    assert expected in str(refused.value)


def test_another_reader_takes_the_answers_these_tests_make() -> None:
    plan = ("DMG*D8*19900517*F", "DTP*346*D8*20260101", "EB*1*IND*30^MH**PRAIRIE CHOICE")
    carved = ("EB*U**MH", "LS*2120", "NM1*VN*2*NORTH MIND*****PI*NM1", "LE*2120")
    content = a_271(*SUBSCRIBER, *plan, *carved)
    with X12ModelReader(content.decode()) as reader:
        (model,) = reader.models()
    assert "271" == model.header.st_segment.transaction_set_identifier_code


def test_an_answer_of_a_day_nobody_counts_from_is_not_loaded() -> None:
    found = eligibility_answers(a_271(*SUBSCRIBER, "EB*1**30", on="99991231"), payer_of, "mrn")
    assert {} == found.rows
    assert ("transaction set 0001: its day (BHT04) does not lie between 1900-01-01 and 2199-12-31",) == found.problems


@pytest.mark.parametrize("benefit", ["EB*1**30**\x1b[31mGOLD", "EB*U**MH"])
def test_a_control_character_in_an_answer_is_told_and_not_repeated(benefit: str) -> None:
    found = answers(*SUBSCRIBER, benefit, "LS*2120", "NM1*VN*2*OTHER\x07 PLAN", "LE*2120")
    assert {} == found.rows
    assert ("segment 7: a control character stands in the member's answer",) == found.problems
