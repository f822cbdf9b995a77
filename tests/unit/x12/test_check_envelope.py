"""SNIP 1: envelopes, counts, control numbers, several interchanges, what is no X12 at all."""

from __future__ import annotations

import re

import pytest

from clearinghouse.x12.check import check_bytes, check_transaction
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import ENVELOPE, dependent_transaction, institutional_transaction

CLEAN = write_837(institutional_transaction(), ENVELOPE)


@pytest.mark.parametrize("content", [b"", b"   \n", b"hello", b"GS*HC*A*B~", CLEAN[4:], b"\x00\xff" * 50])
def test_what_holds_no_interchange_is_unreadable_with_a_sentence(content: bytes) -> None:
    report = check_bytes(content)
    assert not report.readable
    assert report.error
    assert report.as_json()["error"] == report.error
    assert check_transaction(content)


def test_a_segment_of_optional_elements_alone_must_hold_one_of_them() -> None:
    content = write_837(dependent_transaction(), ENVELOPE).replace(b"SE*65*", b"SE*66*")
    (insurance,) = re.findall(rb"OI\*.*~\n", content)
    filled = content.replace(insurance, insurance + b"MOA*.8~\n")
    assert check_transaction(filled) == ()
    found = check_transaction(filled.replace(b"MOA*.8~", b"MOA~"))
    assert [(finding.code, finding.segment) for finding in found] == [("segment-empty", "MOA")]


def test_a_count_with_leading_zeros_is_the_same_count() -> None:
    content = CLEAN.replace(b"SE*41*", b"SE*0041*").replace(b"GE*1*", b"GE*01*").replace(b"IEA*1*", b"IEA*00001*")
    assert check_transaction(content) == ()


def test_two_interchanges_are_two_reports_and_a_reused_control_number_is_found() -> None:
    report = check_bytes(CLEAN + CLEAN)
    assert len(report.interchanges) == 2
    assert [finding.code for finding in report.findings] == ["control-number-repeated"]


def test_text_around_an_interchange_is_found_and_the_interchange_still_checked() -> None:
    report = check_bytes(b"\xef\xbb\xbf" + CLEAN + b"trailing")
    assert [finding.code for finding in report.findings] == ["text-outside-interchange"] * 2
    assert report.interchanges[0].groups[0].transactions[0].accepted


def test_a_file_that_ends_inside_a_segment_is_said_to_be_cut_off() -> None:
    report = check_bytes(CLEAN[: CLEAN.index(b"HI*ABK") + 4])
    assert "interchange-cut" in {finding.code for finding in report.all_findings()}


def test_the_check_does_not_depend_on_marks_or_line_ends() -> None:
    other = CLEAN.replace(b"*", b"|").replace(b":", b">").replace(b"~\n", b"\r\n")
    assert check_transaction(other) == ()
    assert check_transaction(CLEAN.replace(b"~\n", b"~")) == ()
    broken = CLEAN.replace(b"*1050***", b"*1051***")
    piped = broken.replace(b"*", b"|").replace(b"~\n", b"~")
    assert check_transaction(piped) == check_transaction(broken)
