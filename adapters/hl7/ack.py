"""Acknowledgements: which ones a message asks for, and their bytes. Knows no socket and no store.

Original mode answers AA, AE or AR. Enhanced mode (MSH-15 or MSH-16 present) answers CA, CE or CR at once, and gives the
application's answer where MSH-16 asks for it. Source: HL7 v2.5.1 chapter 2, 2.9.2 and 2.9.3. The caller gives clock and
control id, so that an acknowledgement can be stored with its message and replayed byte for byte.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.hl7.charsets import find_codec
from adapters.hl7.er7 import Header
from adapters.hl7.escapes import DEFAULT_SEPARATORS, escape, unescape
from adapters.hl7.framing import frame
from adapters.hl7.triage import ANY_SENDER, AcceptancePolicy, Triage, find_header, message_key, triage

_COMMIT_CODES = {"AA": "CA", "AE": "CE", "AR": "CR"}
_LONGEST_ECHO = 250
_LONGEST_CONTROL_ID = 199
_ACK_VERSION = "2.5.1"
# HL7 table 0357: what went wrong, by our reason codes.
_ERROR_CODES = {
    "message-type-missing": "200^Unsupported message type",
    "version-unsupported": "203^Unsupported version id",
    "processing-id": "202^Unsupported processing id",
    "control-id-missing": "101^Required field missing",
    "segment-id": "100^Segment sequence error",
    "charset-unknown": "102^Data type error",
    "charset-mismatch": "102^Data type error",
}
_OTHER_ERROR = "207^Application internal error"
_REFUSED_ERROR = "207^Application error"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the owner stores in one transaction before `answer` (wire bytes, empty for silence) may be sent."""

    raw: bytes
    sha256: str
    triage: Triage
    key: tuple[str, str, str]
    answer: bytes


def prepare_receipt(
    raw: bytes, *, answered_at: datetime, control_id: str, policy: AcceptancePolicy = ANY_SENDER
) -> Receipt:
    """Judge one message and write its answer, to be sent only once `raw` and the answer are committed."""
    verdict = triage(raw, policy)
    key = message_key(verdict.header) if verdict.header else ("", "", "")
    silent = policy.silent_when_asked
    answer = write_answer(verdict, answered_at=answered_at, control_id=control_id, silent_when_asked=silent)
    return Receipt(raw, hashlib.sha256(raw).hexdigest(), verdict, key, answer)


def write_answer(verdict: Triage, *, answered_at: datetime, control_id: str, silent_when_asked: bool = False) -> bytes:
    """The wire bytes that answer a message: one acknowledgement, two where both kinds are asked for, or none."""
    codes = acknowledgement_codes(verdict.header, verdict.code, silent_when_asked)
    ids = [control_id if number == 0 else f"{control_id}-{number + 1}" for number in range(len(codes))]
    return b"".join(
        frame(write_acknowledgement(verdict, code, answered_at=answered_at, control_id=own_id))
        for code, own_id in zip(codes, ids, strict=True)
    )


def write_failure(raw: bytes, *, answered_at: datetime, control_id: str) -> bytes:
    """The wire bytes that say we could not store a message just now (AE, or CE): the sender may try again."""
    text = "not stored; send again"
    verdict = Triage("retry", "AE", "not-stored", text, find_header(raw))
    return write_answer(verdict, answered_at=answered_at, control_id=control_id)


def acknowledgement_codes(header: Header | None, code: str, silent_when_asked: bool = False) -> tuple[str, ...]:
    """Which acknowledgement codes to send for an outcome of AA, AE or AR, in order.

    None where nothing is asked for and the source is known to mean it; a failure is told even then, since silence would
    look like success.
    """
    if header is None:
        return (code,)
    accept, application = header.accept_acknowledgement.upper(), header.application_acknowledgement.upper()
    if not accept and not application:
        return (code,)
    codes = []
    if _is_wanted(accept, code):
        codes.append(_COMMIT_CODES[code])
    # After a refusal to commit there is no application outcome to tell.
    if _is_wanted(application, code) and (code == "AA" or not codes):
        codes.append(code)
    if not codes and not (silent_when_asked and code == "AA"):
        codes.append(code)
    return tuple(codes)


def write_acknowledgement(verdict: Triage, code: str, *, answered_at: datetime, control_id: str) -> bytes:
    """One ACK message in standard separators, unframed: parties swapped, MSH-10 echoed, no value of the message."""
    header = verdict.header
    codec, charset = _answer_charset(header)
    fields = [
        "MSH",
        "^~\\&",
        _echo_party(header, 5),
        _echo_party(header, 6),
        _echo_party(header, 3),
        _echo_party(header, 4),
        answered_at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000"),
        "",
        "^".join(part for part in ("ACK", _echo(verdict.trigger, 3), "ACK") if part) if verdict.trigger else "ACK",
        escape(control_id),
        _echo(verdict.processing_id, 3) or "P",
        _echo(verdict.version, 12) if verdict.version.startswith("2.") else _ACK_VERSION,
        *(["", "", "", "", "", charset] if charset else []),
    ]
    segments = ["|".join(fields), f"MSA|{code}|{_echo_control_id(header)}"]
    if verdict.kind != "accept":
        segments[1] += "|" + escape(_ascii(verdict.text))
        segments.append(_error_segment(verdict))
    return ("\r".join(segments) + "\r").encode(codec, errors="replace")


def _error_segment(verdict: Triage) -> str:
    place = ""
    if verdict.segment:
        place = f"{verdict.segment}^{verdict.segment_number or 1}"
        place += f"^{verdict.field_number}" if verdict.field_number else ""
    other = _OTHER_ERROR if verdict.kind == "retry" else _REFUSED_ERROR
    error = _ERROR_CODES.get(verdict.reason, other) + "^HL70357"
    reason = f"{escape(verdict.reason)}^{escape(_ascii(verdict.text))}^L"
    return f"ERR||{place}|{error}|E|{reason}"


def _is_wanted(condition: str, code: str) -> bool:
    if condition == "AL":
        return True
    return condition == ("SU" if code == "AA" else "ER")


def _echo_party(header: Header | None, number: int) -> str:
    """An application or facility (HD) in our separators, its components kept, nothing in it able to break out."""
    if header is None:
        return ""
    separators = header.separators
    text = header.field(number)
    if separators.repetition:
        text = text.split(separators.repetition, 1)[0]
    components = text.split(separators.component)[:3] if separators.component else [text]
    values = [unescape(component, separators, header.charset)[:_LONGEST_ECHO] for component in components]
    return "^".join(_clean(value) for value in values).rstrip("^")


def _echo_control_id(header: Header | None) -> str:
    """MSH-10 exactly as written where the separators are ours, so that the sender finds it again."""
    if header is None:
        return ""
    if header.separators.encoding_characters.startswith(DEFAULT_SEPARATORS.encoding_characters):
        written = header.field(10)[:_LONGEST_CONTROL_ID]
        if header.separators.field == DEFAULT_SEPARATORS.field and written.isprintable():
            return written
    return _echo(header.control_id, _LONGEST_CONTROL_ID)


def _echo(value: str, longest: int) -> str:
    return _clean(value[:longest])


def _clean(value: str) -> str:
    return escape("".join(character for character in value if character.isprintable()))


def _ascii(text: str) -> str:
    return text.encode("ascii", errors="replace").decode("ascii")


def _answer_charset(header: Header | None) -> tuple[str, str]:
    """(codec, MSH-18) of the answer: the sender's own where it declared what it sent, else one that is said."""
    if header is None:
        return "ascii", ""
    declared = header.value(18)
    if declared and find_codec(declared) == header.charset:
        return header.charset, _clean(declared)
    if header.charset == "utf-8" or header.charset.startswith(("utf-16", "utf-32")):
        return header.charset, ""
    # Read by a fallback: the sender's declaration was wrong, so the answer does not repeat it.
    return "iso8859-1", "8859/1"
