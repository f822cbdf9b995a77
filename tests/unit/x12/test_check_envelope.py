"""SNIP 1: envelopes, counts, control numbers, several interchanges, what is no X12 at all."""

from __future__ import annotations

import pytest

from clearinghouse.x12.check import check_bytes, check_transaction
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import ENVELOPE, institutional_transaction

CLEAN = write_837(institutional_transaction(), ENVELOPE)


@pytest.mark.parametrize(
    ("old", "new", "code", "element"),
    [
        (b"GE*1*101~", b"GE*2*101~", "count-wrong", "GE01"),
        (b"GE*1*101~", b"GE*1*102~", "control-number-mismatch", "GE02"),
        (b"IEA*1*000000101~", b"IEA*2*000000101~", "count-wrong", "IEA01"),
        (b"IEA*1*000000101~", b"IEA*1*000000102~", "control-number-mismatch", "IEA02"),
        (b"SE*41*0001~", b"SE*40*0001~", "segment-count-wrong", "SE01"),
        (b"SE*41*0001~", b"SE*41*0002~", "control-number-mismatch", "SE02"),
        (b"SE*41*0001~\n", b"", "trailer-missing", ""),
        (b"GE*1*101~\n", b"", "trailer-missing", ""),
        (b"IEA*1*000000101~\n", b"", "trailer-missing", ""),
        (b"*1*T*:~", b"*1*X*:~", "envelope-value", "ISA15"),
        (b"*261123*0730*^", b"*261323*0730*^", "envelope-value", "ISA09"),
        (b"GS*HC*", b"GS*HP*", "envelope-value", "GS01"),
        (b"*X*005010X223A2~\nST", b"*X*005010X222A1~\nST", "version-mismatch", "ST03"),
        (b"*20261123*0730*101*X*", b"*20261123*0730*1O1*X*", "envelope-value", "GS06"),
        (b"*^*00501*", b"*U*00501*", "delimiter-invalid", "ISA11"),
        (b"LX*1~\n", b"LX*1~~\n", "segment-empty", ""),
        (b"ST*837*0001", b"CLM*1~\nST*837*0001", "segment-misplaced", ""),
    ],
)
def test_a_broken_envelope_is_named(old: bytes, new: bytes, code: str, element: str) -> None:
    assert old in CLEAN
    found = check_transaction(CLEAN.replace(old, new, 1))
    assert (1, code, element) in {(finding.snip, finding.code, finding.element) for finding in found}


@pytest.mark.parametrize("content", [b"", b"   \n", b"hello", b"GS*HC*A*B~", CLEAN[4:], b"\x00\xff" * 50])
def test_what_holds_no_interchange_is_unreadable_with_a_sentence(content: bytes) -> None:
    report = check_bytes(content)
    assert not report.readable
    assert report.error
    assert report.as_json()["error"] == report.error
    assert check_transaction(content)


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
