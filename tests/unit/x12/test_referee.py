"""The second opinion: pyx12 with its traps closed."""

from __future__ import annotations

import pytest

from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.referee import ask_referee
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import ENVELOPE, dependent_transaction, institutional_transaction, professional_transaction

CLEAN = write_837(institutional_transaction(), ENVELOPE)
PROFESSIONAL = write_837(professional_transaction(), ENVELOPE)


def test_clean_files_have_no_complaints() -> None:
    for content in (CLEAN, PROFESSIONAL, write_837(dependent_transaction(), ENVELOPE)):
        assert ask_referee(content) == ()


def test_a_second_interchange_with_other_marks_is_judged_too() -> None:
    other = CLEAN.replace(b"CL1*3*1*30~\n", b"").replace(b"*", b"|").replace(b"~\n", b"'")
    assert ask_referee(CLEAN + other)


@pytest.mark.parametrize(
    "broken",
    [
        CLEAN.replace(b"RD8*20261102-20261106", b"RD8*20261102-2026-1106"),
        CLEAN.replace(b"005010X223A2", b"005010X999A9"),
        CLEAN[:300],
        b"no x12",
        CLEAN.replace(b"~\n", b"~~", 5),
    ],
)
def test_what_pyx12_raises_on_is_a_complaint_and_no_exception(broken: bytes) -> None:
    assert ask_referee(broken)


def test_nothing_of_a_value_is_printed_or_logged(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    found = ask_referee(CLEAN.replace(b"19850214", b"99x19840119"))
    assert found
    out, err = capfd.readouterr()
    shown = out + err + caplog.text + "".join(map(repr, found))
    assert "99x19840119" not in shown.lower()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"CL1*3*1*30~\n", b""),
        (b"HI*ABK:F332~\n", b""),
        (b"*787010000~", b"*78701~"),
        (b"HL*2*1*22*0", b"HL*2*7*22*0"),
        (b"SE*41*", b"SE*40*"),
        (b"NM1*40*2*", b"NM1*40*9*"),
        (b"DTP*472*D8*20261102", b"DTP*472*D8*20261302"),
        (b"*350*UN*1~", b"*35O*UN*1~"),
        (b"LX*2~", b"LX*3~"),
        (b"REF*EA*MRN1~", b"REF*ZZ*MRN1~"),
        (b"REF*EA*MRN1~", b"REF*EA*MRN1**X~"),
        (b"GE*1*101", b"GE*2*101"),
        (b"IEA*1*000000101", b"IEA*1*000000102"),
        (b"N4*AUSTIN*TX*78702", b"N4*AUSTIN*ZZ*78702"),
        (b"", b""),
    ],
)
def test_both_judges_give_one_verdict_on_syntax_and_guide(old: bytes, new: bytes) -> None:
    content = CLEAN.replace(old, new, 1) if old else CLEAN
    ours = [finding for finding in check_bytes(content, deep=False).all_findings() if finding.severity == "error"]
    assert bool(ours) == bool(ask_referee(content))
