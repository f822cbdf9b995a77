"""One connection: claims rendered in its envelope, files moved through its mailbox, answers read back as facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO
from zoneinfo import ZoneInfo

from clearinghouse import mailbox as box
from clearinghouse.ack_999 import transaction_answers
from clearinghouse.archive import MARK_LENGTH, ArchiveRefused, is_archive, unpacked
from clearinghouse.claims_to_837 import transaction_837
from clearinghouse.inbox import Key, PartnerInbox, Sighted
from clearinghouse.interchange_ta1 import interchange_answers
from clearinghouse.partner import Expected, PartnerProfile, Publish, Referee, file_name, number_in
from clearinghouse.pgp import LARGEST_GROWTH, KeyUnusable, NotOpened, Pgp
from clearinghouse.remit_835 import remittance_entries
from clearinghouse.returned_file import Enclosed, Excerpt, split_returned
from clearinghouse.secret import SecretMissing
from clearinghouse.status_277ca import claim_answers
from clearinghouse.x12.claims_837 import Submitter
from clearinghouse.x12.decoding import X12FormatError
from clearinghouse.x12.encoding import UnwritableValue
from clearinghouse.x12.envelope import Delimiters, Envelope
from clearinghouse.x12.findings import ERROR
from clearinghouse.x12.parties import Name
from clearinghouse.x12.referee import ask_referee
from clearinghouse.x12.tokens import ISA_LENGTH, Header, read_header, read_segments
from clearinghouse.x12.verify import verify_written
from clearinghouse.x12.write_837 import write_837
from gateway.claim.answer import Answer, AnswerTransaction, ClaimAnswer, Entry, InterchangeAnswer, PaidClaim
from gateway.errors import (
    DeliveryUnknown,
    FormatError,
    GatewayError,
    NoAnswer,
    NotSent,
    PartnerPaused,
    Unavailable,
)
from gateway.ports import (
    OPENED,
    PROBED,
    REFUSED,
    REMOVING,
    InterchangeNumbers,
    NumberedClaim,
    RenderedInterchange,
    Settled,
)
from gateway.ports.partners import AWAITED

_READERS: Mapping[str, tuple[str, Callable[[Excerpt], Iterable[Entry | Answer]]]] = {
    "TA1": ("TA1", interchange_answers),
    "999": ("999", transaction_answers),
    "277": ("277CA", claim_answers),
    "835": ("835", remittance_entries),
}


class PartnerExchange:
    """Implements gateway.ports.Exchange for one partner profile over one mailbox."""

    def __init__(
        self,
        profile: PartnerProfile,
        mailbox: box.Mailbox,
        submitter: Submitter,
        *,
        local_time: ZoneInfo,
        settle_gap: timedelta,
        pgp: Pgp | None = None,
    ) -> None:
        self._profile = profile
        self._mailbox = mailbox
        self._submitter = submitter
        self._local_time = local_time
        self._settle_gap = settle_gap
        self._pgp = pgp or Pgp(profile.pgp)
        self._seen: dict[Key, Sighted] = {}

    @property
    def usage(self) -> str:
        """ISA15."""
        return self._profile.envelope.usage.value

    @property
    def most_claims(self) -> int:
        """Claims in one interchange at most."""
        return self._profile.upload.max_claims

    @property
    def most_bytes(self) -> int:
        """Bytes in one file at most, as it is before it is sealed."""
        return self._profile.upload.max_bytes - (LARGEST_GROWTH if self._pgp.seals else 0)

    @property
    def poll_every(self) -> timedelta:
        """How often the partner wants to be asked for answers."""
        return self._profile.download.poll_every

    @property
    def files_per_hour(self) -> int | None:
        """How many files the partner takes in an hour; None for any number."""
        return self._profile.upload.max_files_per_hour

    def takes_files_at(self, at: datetime) -> bool:
        """Whether the partner's hours let files be sent now."""
        return self._profile.schedule.takes_files_at(at)

    def answers_due(self, sent_at: datetime) -> Mapping[str, datetime]:
        """By when each answer to a file sent then is due, by the words of gateway.ports.partners.AWAITED. One that the
        partner never sends, or sends only on an error, is left out."""
        rules, schedule = self._profile.answers, self._profile.schedule
        ta1, ack_999, first_277ca, payer_277ca, remittance = AWAITED
        clocks = {remittance: rules.remittance_within}
        if rules.ta1 is Expected.ALWAYS:
            clocks[ta1] = rules.syntax_within
        if rules.ack_999 is Expected.ALWAYS:
            clocks[ack_999] = rules.syntax_within
        if rules.status_277ca is Expected.ALWAYS:
            clocks |= {first_277ca: rules.first_277ca_within, payer_277ca: rules.payer_277ca_within}
        return {name: schedule.due(sent_at, within) for name, within in clocks.items()}

    @property
    def settle_gap(self) -> timedelta:
        """How far apart two probes must agree that nothing arrived."""
        return self._settle_gap

    # --- out ---------------------------------------------------------------------------------------------------------

    def render(self, claims: Sequence[NumberedClaim], numbers: InterchangeNumbers) -> RenderedInterchange:
        """One interchange with one ST. Raises FormatError naming loop and element, never the value."""
        local = numbers.created_at.astimezone(self._local_time)
        envelope = self._envelope(numbers.isa13, local)
        receiver = self._profile.envelope.receiver_id.strip()
        transaction = transaction_837(
            claims,
            batch_reference=numbers.batch_reference,
            created_at=local,
            submitter=self._submitter,
            receiver=Name(self._profile.partner.upper(), id_qualifier="46", identifier=receiver),
        )
        try:
            content = write_837(transaction, envelope)
        except UnwritableValue as error:
            raise FormatError(str(error)) from error
        form = claims[0].claim.form
        usage = self._profile.envelope.usage
        name = file_name(self._profile.upload, form, numbers.isa13, usage, numbers.created_at)
        wrong = [found for found in verify_written(transaction, content) if found.severity == ERROR]
        if wrong:
            raise FormatError(f"what was written is not what was meant: {wrong[0].message}")
        return RenderedInterchange(content=content, remote_name=name)

    @property
    def asks_referee(self) -> bool:
        """Whether the profile names a referee."""
        return self._profile.referee is not Referee.NONE

    def objection(self, claims: Sequence[NumberedClaim], numbers: InterchangeNumbers) -> str:
        """What pyx12 has against these claims as one file; empty when nothing. Raises FormatError."""
        complaints = ask_referee(self.render(claims, numbers).content)
        if not complaints:
            return ""
        first, others = complaints[0], len({*complaints}) - 1
        loop = next((part for part in reversed(first.path.split("/")) if part[:1].isdigit()), "")
        where = f"{first.element or first.segment} of loop {loop}" if loop else first.element or first.segment
        more = f", and {others} more" if others else ""
        return f"pyx12 objects to {where} (its code {first.code}){more}"

    def _envelope(self, number: int, local: datetime) -> Envelope:
        ours = self._profile.envelope
        marks = ours.delimiters
        return Envelope(
            sender_qualifier=ours.sender_qualifier,
            sender_id=ours.sender_id,
            receiver_qualifier=ours.receiver_qualifier,
            receiver_id=ours.receiver_id,
            application_sender_code=ours.group_sender,
            application_receiver_code=ours.group_receiver,
            usage=ours.usage.value,
            interchange_control_number=number,
            group_control_number=number,
            created_on=local.date(),
            created_time=local.time(),
            acknowledgment_requested=ours.acknowledgement_requested,
            delimiters=Delimiters(marks.element, marks.component, marks.repetition, marks.segment, marks.newline),
        )

    def sealed(self, content: bytes) -> bytes | None:
        """The file encrypted for the partner, other bytes each time; None where it goes as it is. Raises NotSent."""
        if not self._pgp.seals:
            return None
        try:
            return self._pgp.seal(content)
        except (KeyUnusable, SecretMissing) as error:
            raise NotSent(f"it cannot be encrypted for the partner: {error}") from error

    def claim_numbers(self, content: bytes) -> list[str]:
        """CLM01 of every claim, read back from the bytes."""
        return [values[1] for _, values in read_segments(content) if values[0] == "CLM" and len(values) > 1]

    def upload(self, interchange: RenderedInterchange, on_step: Callable[[str, str], None]) -> None:
        """Put the file where the partner takes it; see gateway.ports.Exchange for what is raised."""

        def step(marker: box.Step, detail: Mapping[str, str | int]) -> None:
            on_step(marker.value, " ".join(f"{name}={value}" for name, value in detail.items()))

        with _translated(), self._mailbox.session() as session:
            try:
                session.upload(interchange.remote_name, interchange.content, step)
            except box.NameTaken as taken:
                there = self._own_file(interchange)
                if taken.seen_size != there.size or not _holds(session, there, interchange.content):
                    raise
                step(box.Step.ALREADY_THERE, {"size": there.size})

    def settle(
        self, interchange: RenderedInterchange, markers: Sequence[str], on_step: Callable[[str, str], None]
    ) -> Settled:
        """What became of an interrupted upload. Removes only our own unfinished file."""
        if OPENED not in markers or REFUSED in markers:
            return Settled.NOT_SENT
        size = len(interchange.content)
        with _translated(), self._mailbox.session() as session:
            probe = session.probe(interchange.remote_name)
            if probe.shows_delivery(size):
                return Settled.DELIVERED
            if not probe.shows_nothing:
                on_step(REMOVING, "")
                removed = session.remove_partial(interchange.remote_name, size)
                return Settled.NOT_SENT if removed else Settled.UNKNOWN
            renamed = box.Step.RENAME_SENT.value in markers
            hidden = self._profile.upload.publish is not Publish.DIRECT and not renamed
            # What an earlier probe took away cannot appear any more; without that, the partner may have taken it.
            return Settled.NOT_SENT if hidden or PROBED in markers else Settled.UNKNOWN

    def _own_file(self, interchange: RenderedInterchange) -> box.RemoteFile:
        name = interchange.remote_name.encode()
        return box.RemoteFile(self._profile.upload.directory, name, len(interchange.content), None)

    def highest_number_seen(self) -> int:
        """The highest ISA13 in the names of our files wherever the partner shows them; 0 for none."""
        rules = self._profile.upload
        with _translated(), self._mailbox.session() as session:
            names = [file.name for file in session.list(rules.directory)]
            for place in rules.probe_directories:
                with suppress(box.RemoteMissing):
                    names += [file.name for file in session.list(place)]
        return max((number_in(rules, name) for name in names), default=0)

    # --- back --------------------------------------------------------------------------------------------------------

    @contextmanager
    def open_inbox(self) -> Iterator[PartnerInbox]:
        """One conversation in which waiting answers are fetched."""
        with _translated(), self._mailbox.session() as session:
            yield PartnerInbox(session, self._profile.download, self._seen, _translated)

    def unpacked(self, file: BinaryIO, *, enclosed: bool = False) -> list[tuple[str, bytes]]:
        """Name and bytes of every file in an archive, or of what was encrypted for us; none for any other file.

        What was ``enclosed`` in another file need not be encrypted. Raises FormatError when refused, Unavailable when
        our key cannot be used: then the file waits.
        """
        file.seek(0)
        if self._pgp.opens and not enclosed:
            try:
                return [("opened", self._pgp.open(file.read()))]
            except NotOpened as error:
                raise FormatError(f"{error}; nothing of it was used, its bytes are kept") from error
            except (KeyUnusable, SecretMissing) as error:
                raise Unavailable(f"an encrypted file waits: {error}") from error
        if not is_archive(file.read(MARK_LENGTH)):
            return []
        file.seek(0)
        try:
            return unpacked(file.read(), self._profile.download.archives)
        except ArchiveRefused as error:
            raise FormatError(f"{error}; nothing of it was used, its bytes are kept") from error

    def read_answers(self, file: BinaryIO) -> list[ReturnedTransaction]:
        """Every transaction of a returned file. Raises NoAnswer when it holds none we know."""
        enclosed = split_returned(file)
        if not enclosed:
            raise NoAnswer("the file holds no X12 transaction")
        read = [ReturnedTransaction(each) for each in enclosed if each.identifier in _READERS]
        if not read:
            found = ", ".join(sorted({each.identifier for each in enclosed}))
            raise NoAnswer(f"the file holds {found}, which is no answer to a claim")
        return read

    def is_ours(self, answer: AnswerTransaction) -> str:
        """Why a returned transaction is not for us; empty when it is."""
        ours = self._profile.envelope
        if answer.receiver != ours.sender_id.strip():
            return "the receiver in its envelope is somebody else: this may be another organization's data"
        if answer.usage != ours.usage.value:
            return f"its usage is {answer.usage}, this connection's is {ours.usage.value}"
        return ""

    def is_about(self, transaction: AnswerTransaction, answer: InterchangeAnswer, sent: bytes) -> str:
        """Why a TA1 with the number of a file of ours means another one; empty when it means these bytes.

        TA101 to TA103 repeat ISA13, ISA09 and ISA10 of what they answer, and ISA06 and ISA08 come back swapped.
        """
        ours = read_header(sent[:ISA_LENGTH].decode("latin-1"))
        assert isinstance(ours, Header), "what we sent begins with an ISA"
        header = ours.elements
        if answer.created_on is None or answer.created_at is None:
            return "it does not say of when the interchange is that it answers"
        if (f"{answer.created_on:%y%m%d}", f"{answer.created_at:%H%M}") != (header[9], header[10]):
            return "it answers an interchange of this number, but of another day or minute than ours"
        if transaction.sender != header[8].strip():
            return "it comes from somebody else than the receiver of our interchange of this number"
        return ""


@dataclass(frozen=True, slots=True)
class ReturnedTransaction:
    """Implements gateway.ports.returned.Returned for one transaction in its place in a file."""

    enclosed: Enclosed

    def open(self) -> Excerpt:
        """Its own bytes, in an envelope of its own."""
        return self.enclosed.open()

    def read(self) -> Iterator[Entry | AnswerTransaction]:
        """Its entries one by one, then the transaction, with why it cannot be applied."""
        type, read = _READERS[self.enclosed.identifier]
        answers: list[Answer] = []
        problems = list(self.enclosed.problems)
        if not problems:
            try:
                for said in read(self.open()):
                    if isinstance(said, ClaimAnswer | PaidClaim):
                        yield said
                    else:
                        answers.append(said)
            except (X12FormatError, ValueError) as error:
                problems.append(f"the {type} cannot be read: {error}")
        elements, group_number = self.enclosed.header.elements, self.enclosed.group_number
        yield AnswerTransaction(
            type=type,
            sender=elements[6].strip(),
            receiver=elements[8].strip(),
            usage=elements[15],
            isa13=int(elements[13]) if elements[13].isdigit() else 0,
            gs06=int(group_number) if group_number.isdigit() else None,
            st02=self.enclosed.control_number,
            answers=() if problems else tuple(answers),
            problems=tuple(problems),
        )


def _holds(session: box.MailboxSession, file: box.RemoteFile, content: bytes) -> bool:
    """Whether the partner's file is these very bytes; one that cannot be read is not known to be."""
    try:
        return session.download(file, file.size) == content
    except box.MailboxError:
        return False


@contextmanager
def _translated() -> Iterator[None]:
    """The mailbox's failures in the words of the use cases."""
    try:
        yield
    except box.DeliveryUnknown as error:
        raise DeliveryUnknown(str(error)) from error
    except box.NotSent as error:
        raise NotSent(str(error)) from error
    except box.MailboxError as error:
        raised: type[GatewayError] = PartnerPaused if error.pauses_partner else Unavailable
        raise raised(str(error)) from error
