"""The recovery center's EHR: every message is well-formed HL7 v2.5.1, and the events are many."""

from __future__ import annotations

from collections import Counter

from adapters.hl7.conformance import check_conformance
from adapters.hl7.er7 import read_message
from gateway.demo.feed import Batch, Feed, FeedMessage
from gateway.demo.month import clinic_month

MONTH = clinic_month()
MESSAGES: list[FeedMessage] = [
    message for batch in Batch for message in MONTH.messages(batch) if message.feed is Feed.HL7
]


def _events() -> Counter[str]:
    return Counter(message.content.split(b"|")[8].decode().rsplit("^", 1)[0] for message in MESSAGES)


def test_every_message_keeps_to_the_tables_of_its_version() -> None:
    for message in MESSAGES:
        errors = [found for found in check_conformance(message.content) if found.severity == "error"]

        assert [] == errors
        assert "x-application/hl7-v2+er7" == message.content_type


def test_every_segment_ends_with_a_carriage_return_alone() -> None:
    assert all(message.content.endswith(b"\r") and b"\n" not in message.content for message in MESSAGES)


def test_control_ids_are_never_used_twice() -> None:
    numbers = [message.content.split(b"|")[9] for message in MESSAGES]

    assert len(set(numbers)) == len(numbers)


def test_the_month_has_every_event_a_program_sends() -> None:
    assert {
        "ADT^A01",
        "ADT^A02",
        "ADT^A03",
        "ADT^A04",
        "ADT^A06",
        "ADT^A08",
        "ADT^A13",
        "ADT^A40",
        "DFT^P03",
        "SIU^S12",
        "SIU^S26",
    } == set(_events())


def test_a_charge_is_followed_by_the_vendors_segment_that_explains_it() -> None:
    for message in MESSAGES:
        names = [segment.name for segment in read_message(message.content).segments]
        assert all(names[place + 1] == "ZPH" for place, name in enumerate(names) if name == "FT1")


def test_a_day_taken_back_is_told_as_credits() -> None:
    (content,) = [message.content for message in MESSAGES if message.batch is Batch.AFTER_BILLING]
    segments = content.decode().split("\r")

    assert ["CR"] * 3 == [segment.split("|")[6] for segment in segments if segment.startswith("FT1")]
