"""Decides at the door what becomes of a message: accept, refuse for good (AR), or hand back for repair (AE).

Looks at the header and at the shape of the lines alone. An event nobody maps is accepted and stored: AR would stop the
sender's whole queue for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adapters.hl7.er7 import Header, Hl7Message, is_segment_id, peek_header, read_message
from adapters.hl7.errors import CharsetError, Hl7FormatError

Kind = Literal["accept", "refuse", "retry"]

# A line that begins like this but is no segment is a damaged segment; any other text is a value somebody broke in two.
_LONGEST_DAMAGED_ID = 6
_READABLE_HEADER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class AcceptancePolicy:
    """What one source may send. None or empty means: not looked at.

    `processing_ids` of MSH-11; `receivers` pairs of MSH-5.1 and MSH-6.1; `senders` pairs of MSH-3.1 and MSH-4.1;
    `fallback_charset` a Python codec for messages that are not in the character set they declare. `silent_when_asked`
    says nothing where MSH-15 and MSH-16 ask for nothing; senders that put NE there and wait all the same are common.
    """

    fallback_charset: str | None = None
    processing_ids: frozenset[str] = frozenset()
    receivers: frozenset[tuple[str, str]] = frozenset()
    senders: frozenset[tuple[str, str]] = frozenset()
    silent_when_asked: bool = False


ANY_SENDER = AcceptancePolicy()


@dataclass(frozen=True, slots=True)
class Triage:
    """The verdict on one message: `code` AA, AR or AE; `reason` a stable code; `text` a sentence without values."""

    kind: Kind
    code: str
    reason: str
    text: str
    header: Header | None
    message: Hl7Message | None = None
    segment: str = ""
    segment_number: int = 0
    field_number: int = 0

    @property
    def sending_application(self) -> str:
        """MSH-3.1, empty where MSH could not be read."""
        return self.header.sending_application if self.header else ""

    @property
    def sending_facility(self) -> str:
        """MSH-4.1."""
        return self.header.sending_facility if self.header else ""

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.control_id if self.header else ""

    @property
    def message_type(self) -> str:
        """MSH-9.1."""
        return self.header.message_type if self.header else ""

    @property
    def trigger(self) -> str:
        """MSH-9.2."""
        return self.header.trigger if self.header else ""

    @property
    def version(self) -> str:
        """MSH-12.1."""
        return self.header.version if self.header else ""

    @property
    def processing_id(self) -> str:
        """MSH-11.1."""
        return self.header.processing_id if self.header else ""


def triage(raw: bytes, policy: AcceptancePolicy = ANY_SENDER) -> Triage:
    """Judge one message as received. Never raises: what cannot be read is refused or handed back."""
    try:
        message = read_message(raw, policy.fallback_charset)
    except CharsetError as error:
        # The sender can repair this and send again; the bytes are for quarantine.
        return Triage("retry", "AE", error.reason, str(error), find_header(raw), segment="MSH", field_number=18)
    except Hl7FormatError as error:
        return Triage("refuse", "AR", error.reason, str(error), None)
    return _check_header(message, policy) or _check_lines(message) or _accepted(message)


def find_header(raw: bytes) -> Header | None:
    """Read MSH as far as it can be read, for an answer to a message that cannot: else None."""
    beginning = raw[:_READABLE_HEADER_BYTES]
    for fallback in (None, "iso8859-1"):
        try:
            return peek_header(beginning, fallback)
        except Hl7FormatError:
            continue
    return None


def message_key(header: Header) -> tuple[str, str, str]:
    """(MSH-3, MSH-4, MSH-10) as written: with the listener and a hash of the bytes this tells a repeat."""
    return header.field(3), header.field(4), header.field(10)


def _accepted(message: Hl7Message) -> Triage:
    return Triage("accept", "AA", "accepted", "stored", message.header, message)


def _refused(message: Hl7Message, reason: str, text: str, field_number: int) -> Triage:
    return Triage("refuse", "AR", reason, text, message.header, message, "MSH", 1, field_number)


def _check_header(message: Hl7Message, policy: AcceptancePolicy) -> Triage | None:
    header = message.header
    if not header.message_type:
        return _refused(message, "message-type-missing", "MSH-9 names no message type", 9)
    if not header.control_id:
        return _refused(message, "control-id-missing", "MSH-10 is empty, so no answer could be matched", 10)
    if not _is_version_2(header.version):
        return _refused(message, "version-unsupported", "MSH-12 is not a version 2 of HL7", 12)
    if policy.processing_ids and header.processing_id not in policy.processing_ids:
        return _refused(message, "processing-id", "MSH-11 is not one this listener takes (test or production)", 11)
    if policy.receivers and (header.receiving_application, header.receiving_facility) not in policy.receivers:
        return _refused(message, "receiver", "MSH-5 and MSH-6 name another receiver", 5)
    if policy.senders and (header.sending_application, header.sending_facility) not in policy.senders:
        return _refused(message, "sender", "MSH-3 and MSH-4 name a sender this listener does not know", 3)
    return None


def _is_version_2(version: str) -> bool:
    """An empty MSH-12 is read as version 2: senders leave it out, and nothing else looks like ER7."""
    if not version:
        return True
    parts = version.split(".")
    return parts[0] == "2" and len(parts) <= 3 and all(part.isascii() and part.isdigit() for part in parts)


def _check_lines(message: Hl7Message) -> Triage | None:
    separator = message.separators.field
    for segment in message.segments:
        name = segment.name
        if is_segment_id(name):
            continue
        if 0 < len(name) <= _LONGEST_DAMAGED_ID and name.isalnum() and segment.text[len(name) :].startswith(separator):
            return Triage(
                "refuse",
                "AR",
                "segment-id",
                f"line {segment.index + 1} does not begin with a three-character segment name",
                message.header,
                message,
                segment_number=segment.index + 1,
            )
    return None
