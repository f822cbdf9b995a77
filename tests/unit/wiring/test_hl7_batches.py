"""A batch in one MLLP frame: each message stored and judged by itself, all answered in one batch."""

from __future__ import annotations

from datetime import UTC, datetime

from adapters.hl7.batch import BatchMessage, read_batch
from adapters.hl7.mllp import ReceivedFrame
from gateway.wiring.feeds import hl7_receive
from gateway.wiring.site import Site

SOURCE = "generic-hl7"
HEAD = "FHS|^~\\&|EHR\rBHS|^~\\&|EHR||||20260803||||B7\r"
ADT = (
    "MSH|^~\\&|EHR|CLINIC|GW|HUB|20260803080000||ADT^A01^ADT_A01|{id}|P|{version}\r"
    "PID|1||1001^^^CLINIC^MR||RIVERA^ANA||19800502|F\rPV1|1|R|||||||||||||||||V77\r"
)


def adt(control_id: int, version: str = "2.5.1") -> str:
    return ADT.format(id=control_id, version=version)


def answer(site: Site, *frames: str) -> list[bytes]:
    receive = hl7_receive(site, SOURCE, lambda: None)
    at = datetime(2026, 8, 3, 8, tzinfo=UTC)
    return receive([ReceivedFrame(raw=each.encode(), peer="127.0.0.1", received_at=at) for each in frames])


def codes(batch: bytes) -> list[str]:
    answers = [each.raw.decode() for each in read_batch(batch) if isinstance(each, BatchMessage)]
    return ["|".join(each.splitlines()[1].split("|")[1:3]) for each in answers]


def outcomes(site: Site) -> list[str]:
    with site.store.read() as tx:
        return [each.refusal or "stored" for each, _ in tx.inbox.messages()]


def test_each_message_of_a_batch_is_stored_and_answered_in_a_batch_that_names_it(site: Site) -> None:
    alone, batch = answer(site, adt(1), HEAD + adt(2) + adt(3) + "BTS|2\rFTS|1\r")
    assert b"MSA|AA|1\r" in alone
    assert batch.startswith(b"\x0bBHS|^~\\&|")
    assert batch.splitlines()[0].endswith(b"|B7")
    assert ["AA|2", "AA|3"] == codes(batch)
    assert ["stored"] * 3 == outcomes(site)


def test_a_message_that_is_refused_takes_no_other_one_with_it(site: Site) -> None:
    (batch,) = answer(site, HEAD + adt(1) + adt(2, version="7") + adt(3) + "BTS|3\rFTS|1\r")
    assert ["AA|1", "AR|2", "AA|3"] == codes(batch)
    assert ["stored", "MSH-12 is not a version 2 of HL7", "stored"] == outcomes(site)


def test_a_count_that_does_not_agree_is_told_in_the_answer(site: Site) -> None:
    (batch,) = answer(site, HEAD + adt(1) + "BTS|5\rFTS|1\r")
    assert b"\rBTS|1|BTS-1 does not agree with the 1 found\r" in batch
    assert ["AA|1"] == codes(batch)


def test_a_batch_sent_again_hears_the_same_codes_and_is_stored_once(site: Site) -> None:
    whole = HEAD + adt(1) + adt(2) + "BTS|2\rFTS|1\r"
    (first,), (again,) = answer(site, whole), answer(site, whole)
    assert ["AA|1", "AA|2"] == codes(first) == codes(again)
    assert 2 == len(outcomes(site))


def test_an_envelope_around_nothing_is_kept_and_refused(site: Site) -> None:
    (refusal,) = answer(site, HEAD + "BTS|0\rFTS|1\r")
    assert b"MSA|AR|" in refusal
    assert 1 == len(outcomes(site))
    assert "stored" not in outcomes(site)
