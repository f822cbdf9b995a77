"""What a person reads of a TA1, 999 and 277CA: verdicts, counts, refusals with their reasons, and no patient's name."""

from __future__ import annotations

from pathlib import Path

from clearinghouse.x12.overview import overview
from tests.unit.sandbox.submissions import Claim, Submission, one
from tests.unit.sandbox.test_clearing import House, pick


def read(tmp_path: Path, content: bytes) -> dict[str, object]:
    path = tmp_path / "answer"
    path.write_bytes(content)
    (interchange,) = overview(path, "answer", 1)["interchanges"]
    found: dict[str, object] = interchange
    return found


def told(tmp_path: Path, content: bytes) -> dict[str, object]:
    found = read(tmp_path, content)["groups"][0]["transactions"][0]["told"]  # type: ignore[index]
    assert "DOE" not in str(found)
    return dict(found)


def test_a_ta1_says_which_interchange_and_why(tmp_path: Path) -> None:
    house = House(tmp_path)
    accepted = pick(house.send(one(Claim())), "TA1")
    (refused,) = house.send(one(Claim()))
    assert read(tmp_path, accepted[0])["acknowledgments"] == [
        {"answers": "000000101", "verdict": "accepted", "why": ""}
    ]
    assert read(tmp_path, refused)["acknowledgments"] == [
        {"answers": "000000101", "verdict": "refused", "why": "they have had this control number before"}
    ]


def test_a_999_says_what_of_the_group_was_taken_and_where_the_errors_are(tmp_path: Path) -> None:
    bad, good = Claim(member=""), Claim("PCN0000000002")
    (answer,) = pick(House(tmp_path).send(Submission(((bad,), (good,))).text()), "999")
    found = told(tmp_path, answer)
    assert (found["verdict"], found["received"], found["accepted"]) == ("accepted in part", 2, 1)
    first, second = found["sets"]  # type: ignore[misc]
    assert (first["verdict"], second["verdict"], second["errors"]) == ("refused", "accepted", [])
    assert first["errors"] == [
        "NM1, segment 13 of loop 2010 has errors in its elements",
        "NM1, segment 13 of loop 2010: element 9 is missing where another asks for it",
    ]


def test_a_277ca_counts_the_claims_and_lists_the_refused_ones(tmp_path: Path) -> None:
    claims = (Claim(), Claim("PCN0000000002", payer="NOSUCH"), Claim("PCN0000000003", payer="NOSUCH2"))
    (clearinghouse, payer) = pick(House(tmp_path).send(one(*claims)), "277")
    found = told(tmp_path, clearinghouse)
    assert (found["by"], found["claim_count"], found["accepted"], found["refused"]) == (["clearinghouse"], 3, 1, 2)
    assert found["refusals"] == [
        {"claim": "PCN0000000002", "by": "clearinghouse", "why": ["A7:153:PR (something is not valid)"]}
    ]
    found = told(tmp_path, payer)
    assert (found["by"], found["accepted"], found["refusals"]) == (["payer"], 1, [])
