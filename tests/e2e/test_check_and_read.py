"""`check` and `read` on single files: exit codes, JSON shapes, and bad input answered in sentences."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e import examples
from tests.e2e.command import Cleanclaim

FINDING_KEYS = {
    "snip", "severity", "code", "message", "segment", "position", "loop", "element", "value_redacted", "ik3", "ik4",
    "ik5", "ak9", "ta1",
}  # fmt: skip


def _put(cleanclaim: Cleanclaim, name: str, content: bytes) -> Path:
    path = cleanclaim.folder / name
    path.write_bytes(content)
    return path


def test_help_names_every_command(cleanclaim: Cleanclaim) -> None:
    done = cleanclaim.run("--help")
    assert done.code == 0
    named = {line.split()[0] for line in done.out.partition("Commands:")[2].splitlines() if line.startswith("  ")}
    expected = "init serve ingest messages claims encounters rosters exchange check read mappings sandbox"
    assert {*expected.split(), "demo", "bench", "doctor", "funnel", "export"} <= named


def test_a_clean_acknowledgement_is_clean(cleanclaim: Cleanclaim) -> None:
    path = _put(cleanclaim, "answer.999", examples.acknowledgement())
    done = cleanclaim.run("check", path, "--json")
    assert done.code == 0, done.out
    (file,) = done.answer["files"]
    assert {"path", "interchanges", "findings", "readable", "error"} <= set(file)
    (interchange,) = file["interchanges"]
    assert ("SANDBOX", "RIVERBEND", "000000001", "T") == tuple(
        interchange[key] for key in ("sender", "receiver", "control_number", "usage")
    )
    (transaction,) = interchange["groups"][0]["transactions"]
    assert ("999", "005010X231A1", "0001", True, []) == tuple(
        transaction[key] for key in ("type", "guide", "control_number", "accepted", "findings")
    )


def test_findings_exit_1_and_say_where(cleanclaim: Cleanclaim) -> None:
    path = _put(cleanclaim, "answer.999", examples.acknowledgement().replace(b"SE*6*", b"SE*7*"))
    done = cleanclaim.run("check", path, "--json")
    assert done.code == 1
    (transaction,) = done.answer["files"][0]["interchanges"][0]["groups"][0]["transactions"]
    assert set(transaction["findings"][0]) == FINDING_KEYS
    assert transaction["findings"][0]["segment"] == "SE"
    told = cleanclaim.run("check", path)
    assert told.code == 1
    assert "SNIP 1" in told.out


@pytest.mark.parametrize("content", [b"", b"\x00\xff\x00", b"Dear Sir or Madam,\n", b"ISA*00*short~"])
def test_a_file_that_is_no_interchange_is_unreadable(cleanclaim: Cleanclaim, content: bytes) -> None:
    path = _put(cleanclaim, "letter.835", content)
    for command in ("check", "read"):
        done = cleanclaim.run(command, path, "--json")
        assert done.code == 2
        (file,) = done.answer["files"]
        assert not file["readable"]
        assert file["error"]


def test_reading_loses_no_byte_and_says_whether_an_835_balances(cleanclaim: Cleanclaim) -> None:
    path = _put(cleanclaim, "pay.835", examples.remittance())
    done = cleanclaim.run("read", path, "--write", "--json")
    assert done.code == 0
    (file,) = done.answer["files"]
    assert file["same_bytes"]
    (transaction,) = file["interchanges"][0]["groups"][0]["transactions"]
    assert transaction["balanced"]
    assert transaction["payment_cents"] == 8000
    (claim,) = transaction["claims"]
    expected = {"claim_id": "CLAIM0001", "payer_claim_id": "PAYERCLAIM1", "status_code": "1"}
    assert expected == {key: claim[key] for key in expected}
    assert (10000, 8000, 2000) == (claim["charge_cents"], claim["paid_cents"], claim["patient_cents"])
    assert [{"group": "PR", "reason": "2", "cents": 2000}] == claim["lines"][0]["adjustments"]


def test_an_835_that_does_not_balance_says_where_and_by_how_much(cleanclaim: Cleanclaim) -> None:
    path = _put(cleanclaim, "pay.835", examples.remittance(payment="81"))
    (file,) = cleanclaim.json("read", path)["files"]
    (transaction,) = file["interchanges"][0]["groups"][0]["transactions"]
    assert not transaction["balanced"]
    (off,) = transaction["out_of_balance"]
    assert {"where", "expected_cents", "found_cents"} <= set(off)
    assert abs(off["expected_cents"] - off["found_cents"]) == 100
    assert "DOES NOT BALANCE" in cleanclaim.run("read", path).out


@pytest.mark.parametrize("line_end", [b"\r", b"\n", b"\r\n"])
def test_hl7_files_are_checked_by_conformance_and_read_whole(cleanclaim: Cleanclaim, line_end: bytes) -> None:
    content = b"FHS|^~\\&|EHR\r" + examples.admission() + b"\r" + examples.admission("M2") + b"FTS|1\r"
    path = _put(cleanclaim, "batch.txt", content.replace(b"\r", line_end))
    (checked,) = cleanclaim.json("check", path)["files"]
    assert checked["format"] == "hl7v2"
    assert [each["type"] for each in checked["messages"]] == ["ADT^A04", "ADT^A04"]
    assert [each["answer"] for each in checked["messages"]] == ["AA", "AA"]
    done = cleanclaim.run("read", path, "--write", "--json")
    assert done.code == 0
    (file,) = done.answer["files"]
    assert file["same_bytes"]
    assert [each["type"] for each in file["messages"]] == ["ADT^A04^ADT_A01", "ADT^A04^ADT_A01"]


def test_fhir_files_are_checked_element_by_element(cleanclaim: Cleanclaim) -> None:
    good = _put(cleanclaim, "good.json", examples.patient(gender="female"))
    assert cleanclaim.run("check", good).code == 0
    bad = _put(cleanclaim, "bad.json", examples.patient(gender="yes", birthday="1990-01-01"))
    done = cleanclaim.run("check", bad, "--json")
    assert done.code == 1
    assert {"Patient.gender", "Patient.birthday"} <= {each["element"] for each in done.answer["files"][0]["findings"]}


def test_folders_are_opened_and_the_worst_file_decides_the_exit_code(cleanclaim: Cleanclaim) -> None:
    folder = cleanclaim.folder / "answers" / "deeper"
    folder.mkdir(parents=True)
    (folder / "a.999").write_bytes(examples.acknowledgement())
    (folder.parent / "b.835").write_bytes(examples.remittance())
    (folder.parent / ".hidden").write_bytes(b"not looked at")
    done = cleanclaim.run("check", folder.parent, "--json")
    assert [Path(each["path"]).name for each in done.answer["files"]] == ["b.835", "a.999"]
    (folder.parent / "c.835").write_bytes(b"nothing")
    assert cleanclaim.run("check", folder.parent).code == 2


def test_no_value_of_a_file_is_repeated_in_its_findings(cleanclaim: Cleanclaim) -> None:
    """What a check prints may end up in a ticket; names and numbers of patients may not."""
    content = examples.remittance().replace(b"ABC123456", b"\x01SECRETNUMBER\x01").replace(b"DOE*JANE", b"SECRETNAME*9")
    path = _put(cleanclaim, "pay.835", content)
    for arguments in (("check", path), ("check", path, "--json")):
        done = cleanclaim.run(*arguments)
        assert done.code == 1
        assert "SECRET" not in done.out + done.err


def test_control_characters_of_a_file_name_never_reach_the_terminal(cleanclaim: Cleanclaim) -> None:
    path = _put(cleanclaim, "evil\x1b[2J.835", b"nothing")
    done = cleanclaim.run("check", path)
    assert done.code == 2
    assert "\x1b" not in done.out + done.err


def test_a_name_that_is_no_text_spoils_no_command(cleanclaim: Cleanclaim) -> None:
    odd = cleanclaim.folder / os.fsdecode(b"odd-\xff.csv")
    odd.write_text("code\n0450\n")
    for command in ("check", "read"):
        assert ["odd-\N{REPLACEMENT CHARACTER}.csv"] == [
            Path(each["path"]).name for each in cleanclaim.run(command, "--json", odd).answer["files"]
        ]
    cleanclaim.run("init", "clinic", "--demo")
    done = cleanclaim.run("codes", "import", "revenue-codes", odd, "--from", "2026-01-01", "--site", "clinic")
    assert (0, "") == (done.code, done.err)
    odd.write_text("npi,payer,role,start_on\n1991000104,medicare,billing,2026-01-01\n")
    done = cleanclaim.run("rosters", "import", "credentials", odd, "--site", "clinic", "--as", "dana")
    assert (0, "") == (done.code, done.err)
