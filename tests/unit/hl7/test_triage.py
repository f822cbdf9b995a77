import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7.triage import AcceptancePolicy, message_key, triage
from tests.unit.hl7.samples import ADT, message


def test_a_sound_message_is_accepted_with_its_header() -> None:
    verdict = triage(ADT.encode())
    assert (verdict.kind, verdict.code, verdict.reason) == ("accept", "AA", "accepted")
    assert (verdict.sending_application, verdict.sending_facility) == ("EHR", "CLINIC")
    assert (verdict.message_type, verdict.trigger, verdict.version) == ("ADT", "A04", "2.5.1")
    assert (verdict.control_id, verdict.processing_id) == ("MSG1", "P")


@pytest.mark.parametrize("event", ["ORU^R01", "MFN^M02", "ZZZ^Z99", "ACK^A01", "ADT^A20", "QRY"])
def test_an_event_nobody_maps_is_accepted_since_ar_would_stop_the_senders_queue(event: str) -> None:
    assert triage(message(msh_9=event)).code == "AA"


@pytest.mark.parametrize("version", ["2.1", "2.3", "2.5.1^USA^ISO", "2.8.2", "2.9", ""])
def test_every_version_2_is_accepted_and_one_left_out_is_read_as_one(version: str) -> None:
    assert triage(message(msh_12=version)).kind == "accept"


@pytest.mark.parametrize(
    ("raw", "reason", "field"),
    [
        (b"", "not-hl7", 0),
        (b"GET / HTTP/1.1", "not-hl7", 0),
        (b"MSH|^~\\^|EHR", "separators", 0),
        (message(msh_12="1.0"), "version-unsupported", 12),
        (message(msh_12="3"), "version-unsupported", 12),
        (message(msh_12="2.x"), "version-unsupported", 12),
        (message(msh_9=""), "message-type-missing", 9),
        (message(msh_10=""), "control-id-missing", 10),
        (b"MSH|^~\\&", "message-type-missing", 9),
    ],
)
def test_what_can_never_be_taken_is_refused_with_its_reason_and_field(raw: bytes, reason: str, field: int) -> None:
    verdict = triage(raw)
    assert (verdict.kind, verdict.code, verdict.reason, verdict.field_number) == ("refuse", "AR", reason, field)


@pytest.mark.parametrize("line", ["PIDX|1||5", "PV|1", "pid|1", "P1D2E|"])
def test_a_damaged_segment_name_is_refused_with_its_line(line: str) -> None:
    verdict = triage((ADT + line + "\r").encode())
    assert (verdict.code, verdict.reason, verdict.segment_number) == ("AR", "segment-id", 5)
    assert "line 5" in verdict.text


@pytest.mark.parametrize("line", ["and then the patient said|", "two words", "ZZ9|ok", "..."])
def test_a_value_broken_in_two_by_a_line_end_does_not_stop_the_sender(line: str) -> None:
    assert triage((ADT + line + "\r").encode()).code == "AA"


@pytest.mark.fault("F44")
def test_a_message_in_the_wrong_character_set_is_handed_back_for_repair() -> None:
    raw = message(msh_18="UNICODE UTF-8").replace(b"JANE", b"JAN\xe9")
    verdict = triage(raw)
    assert (verdict.kind, verdict.code, verdict.reason, verdict.control_id) == (
        "retry",
        "AE",
        "charset-mismatch",
        "MSG1",
    )
    assert triage(raw, AcceptancePolicy(fallback_charset="cp1252")).code == "AA"
    assert triage(message(msh_18="KLINGON")).reason == "charset-unknown"


def test_a_policy_refuses_test_messages_other_receivers_and_unknown_senders() -> None:
    production = AcceptancePolicy(processing_ids=frozenset({"P"}))
    assert triage(message(msh_11="T"), production).reason == "processing-id"
    assert triage(message(msh_11="P^T"), production).code == "AA"
    ours = AcceptancePolicy(receivers=frozenset({("CLEAN", "CLAIM")}))
    assert triage(ADT.encode(), ours).code == "AA"
    assert triage(message(msh_6="OTHER"), ours).reason == "receiver"
    known = AcceptancePolicy(senders=frozenset({("EHR", "CLINIC")}))
    assert triage(message(msh_3="EVIL"), known).reason == "sender"


def test_the_key_of_a_message_is_who_sent_it_and_its_control_id() -> None:
    header = triage(message(msh_3="EHR^1.2^ISO")).header
    assert header is not None
    assert message_key(header) == ("EHR^1.2^ISO", "CLINIC", "MSG1")


@pytest.mark.fault("F44")
@given(st.binary(max_size=200))
def test_any_bytes_get_a_verdict(raw: bytes) -> None:
    for candidate in (raw, ADT.encode() + raw, b"MSH|^~\\&|" + raw):
        verdict = triage(candidate)
        assert (verdict.kind, verdict.code) in {("accept", "AA"), ("refuse", "AR"), ("retry", "AE")}
