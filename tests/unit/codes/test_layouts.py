"""Published layouts, each by a small made-up file: what is read of it, and what is said of a bad row."""

from __future__ import annotations

from datetime import date

import pytest

from adapters.codes.kinds import KINDS, read_code_list
from adapters.codes.table import ListedCode
from gateway.errors import ConfigurationError

NOTICE = '"Made up for a test; (c) nobody,\nall rights given away",,,\n'


def read(kind: str, text: str) -> list[ListedCode]:
    return read_code_list(KINDS[kind], text.encode(), "list.txt")


def lines(kind: str, text: str) -> list[str]:
    return [row.line() for row in read(kind, text)]


def hcpcs_record(code: str, record: str, added: str = "20200101", ended: str = "") -> str:
    return f"{code:<5}00100{record}{'words':<80}{'word':<28}".ljust(268) + f"{added:<8}{'':<8}{ended:<8}N"


def order_line(number: int, code: str, flag: str) -> str:
    return f"{number:05d} {code:<7} {flag} {'short words':<60} long words"


def test_the_order_file_tells_codes_from_headings() -> None:
    text = "\n".join((order_line(1, "F33", "0"), order_line(2, "F330", "1"), order_line(3, "S72001A", "1")))
    assert ["F33\t\t\tbillable=0", "F330\t\t\tbillable=1", "S72001A\t\t\tbillable=1"] == lines("icd-10-cm", text)


def test_the_fixed_file_of_hcpcs_has_codes_and_modifiers_and_goes_on_with_words() -> None:
    text = "\n".join(
        (
            hcpcs_record("H9990", "3"),
            hcpcs_record("H9990", "4"),
            hcpcs_record("G9991", "3", "20210401", "20251231"),
            hcpcs_record("   ZQ", "7"),
        )
    )
    assert ["H9990\t2020-01-01\t\t", "G9991\t2021-04-01\t2025-12-31\t", "-ZQ\t2020-01-01\t\t"] == lines("hcpcs", text)


def test_hcpcs_is_read_with_a_header_too() -> None:
    text = "HCPC,SEQNUM,RECID,LONG DESCRIPTION,ADD DT,ACT EFF DT,TERM DT\nH9990,00100,3,words,20200101,20200101,\n"
    assert ["H9990\t2020-01-01\t\t"] == lines("hcpcs", text)


@pytest.mark.parametrize(
    "text", ["Notice\n\n00001 words\n0002T more words\n", "123456\t00001\twords\n123457\t0002T\tmore\n"]
)
def test_of_the_licensed_file_codes_alone_are_kept(text: str) -> None:
    assert ["00001\t\t\t", "0002T\t\t\t"] == lines("cpt", text)


def test_units_are_counted_by_line_or_by_day() -> None:
    header = '"HCPCS/\nCPT Code",Outpatient Hospital Services MUE Values,MUE Adjudication Indicator,MUE Rationale\n'
    text = NOTICE + header + "00001,2,3 Date of Service Edit: Clinical,words\nH9990,1,1 Line Edit,words\n"
    assert ["00001\t\t\tby=day;units=2", "H9990\t\t\tby=line;units=1"] == lines("mue-hospital", text)


def test_pairs_have_days_and_a_modifier_and_those_taken_back_are_none() -> None:
    text = (
        "Made up for a test\n\n"
        "Column 1\tColumn 2\t*=in existence prior to 1996\tEffective Date\tDeletion Date *=no data\t"
        "Modifier 0=not allowed 1=allowed 9=not applicable\tPTP Edit Rationale\n"
        "00001\t00002\t\t20200101\t*\t1\twords\n"
        "00001\t00003\t\t20200101\t20240331\t0\twords\n"
        "00001\t00004\t\t20200101\t20200101\t9\twords\n"
    )
    expected = ["00001 00002\t2020-01-01\t\tmodifier=1", "00001 00003\t2020-01-01\t2024-03-31\tmodifier=0"]
    assert expected == lines("ptp-practitioner", text)


def test_add_on_codes_name_their_primaries_or_leave_them_to_the_contractor() -> None:
    text = (
        "Add-On Code,AOC Edit Type,Primary Code,AOC Edit Eff Dt,AOC Edit Del Dt\n"
        "00010,1,00001,2013001,\n00011,2,CCCCC,2013001,\n"
    )
    assert ["00010 00001\t2013-01-01\t\t", "00011\t2013-01-01\t\t"] == lines("add-on-codes", text)


def test_services_of_a_program_day_say_which_are_primary() -> None:
    text = "HCPCS,Primary,Effective Date,End Date\n00001,Y,1/1/2024,\nG9991,,01/01/2024,12/31/2025\n"
    assert ["00001\t2024-01-01\t\tprimary=1", "G9991\t2024-01-01\t2025-12-31\t"] == lines("program-services", text)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("revenue-codes", "Revenue Code,Label\n0999,words\n", "0999\t\t\t"),
        ("taxonomy", "Code,Grouping,Effective Date\n999Z00000X,words,1/1/2020\n", "999Z00000X\t2020-01-01\t\t"),
        ("carc", "Code,Start Date,Stop Date\n999,01/01/1995,06/30/2024\n", "999\t1995-01-01\t2024-06-30\t"),
        ("rarc", "Code,Description,Start Date,Stop Date\nN999,words,2020-01-01,\n", "N999\t2020-01-01\t\twords=words"),
        ("carc", 'Code,Description\n999,"made up;  for a test"\n', "999\t\t\twords=made up, for a test"),
    ],
)  # fmt: skip
def test_lists_with_a_column_of_codes_are_read_by_its_title(kind: str, text: str, expected: str) -> None:
    assert [expected] == lines(kind, text)


@pytest.mark.parametrize(
    ("kind", "text", "problems"),
    [
        ("icd-10-cm", "00001 F33     2 words", ["list.txt:1: place 15 is 1 for a code that may be billed "
                                                 "and 0 for a heading"]),
        ("icd-10-cm", order_line(1, "f33", "1"), ["list.txt:1: what stands there is not an ICD-10-CM code"]),
        ("hcpcs", hcpcs_record("H999", "3"), ["list.txt:1: what stands there is not a HCPCS code"]),
        ("hcpcs", hcpcs_record("H9990", "3", "20201301"), ["list.txt:1: the first or the last day is not a date"]),
        ("mue-hospital", "words\n", ["list.txt: no header line was found; it has columns that begin with "
                                     "'hcpcs cpt', 'practitioner', 'mue adjudication'"]),
        ("carc", "Code,Start Date\n1,x\nQQQQ,\n", ["list.txt:2: the first or the last day is not a date",
                                                    "list.txt:3: what stands there is not a reason code"]),
        ("carc", "Code,Start Date\n", ["list.txt: holds no code of the kind carc"]),
        ("carc", "Code,Start Date\n1,9998999\n", ["list.txt:2: the first or the last day is not a date"]),
        ("carc", "Code\n" + "9" * 200_000, ["list.txt: line 2 is not CSV: field larger than field limit (131072)"]),
        ("mue-hospital", f"HCPCS/CPT Code,Outpatient MUE,MUE Adjudication\n99998,{'9' * 5000},2\n99999,1,4\n",
         [f"list.txt:{line}: the units are no whole number, or the indicator is not 1, 2 or 3" for line in (2, 3)]),
        ("cpt", "00001 words\nmore words\n", ["list.txt:2: no CPT code begins this line"]),
    ],
)  # fmt: skip
def test_every_row_that_is_wrong_is_told_with_its_line(kind: str, text: str, problems: list[str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(kind, text)
    assert problems == refused.value.problems


def test_of_very_many_bad_rows_a_hundred_are_told_and_the_others_counted() -> None:
    with pytest.raises(ConfigurationError) as refused:
        read("carc", "Code,Start Date\n" + "x,\n" * 250)
    assert (101, "list.txt: and 150 rows more") == (len(refused.value.problems), refused.value.problems[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_in_a_file_it_is_refused_in_words(kind: str) -> None:
    for content in (b"", b"\xff\xfe\x00", b"\x00" * 50, b'"' * 9, b",\n" * 9, bytes(range(256)) * 3):
        with pytest.raises(ConfigurationError):
            read_code_list(KINDS[kind], content, "list.txt")


@pytest.mark.parametrize("kind", KINDS)
def test_no_cell_is_repeated_whichever_list_somebody_took_it_for(kind: str) -> None:
    patients = "code,column 1,column 2,effective,deletion,modifier,hcpcs cpt,outpatient,mue adjudication,primary code\n"
    row = ",".join(["Thornbury"] * 10)
    with pytest.raises(ConfigurationError) as refused:
        read(kind, f"{patients}{row}\n{row}\n".replace("hcpcs cpt", "add on code" if "add" in kind else "hcpcs cpt"))
    assert "Thornbury" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 and so on", "list.txt: is a ZIP archive or a spreadsheet; import the text in it, a sheet saved"),
        ("Code\n1\n".encode("utf-16"), "list.txt: is UTF-16 text; save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_told_how_to_become_one(content: bytes, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_code_list(KINDS["carc"], content, "list.txt")
    assert str(refused.value).startswith(said)


def test_rows_keep_their_days() -> None:
    (row,) = read("carc", "Code,Start Date,Stop Date\n1,1/1/2020,12/31/2020\n")
    days = (date(2019, 12, 31), date(2020, 1, 1), date(2020, 12, 31), date(2021, 1, 1))
    assert [False, True, True, False] == [row.holds_on(on) for on in days]
