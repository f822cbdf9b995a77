"""Certification: a batch of specimen claims in test mode, and what the partner's answers say of going live.

Nothing of it is a claim of ours: no version, no money, no patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain, groupby

import msgspec

from gateway.claim.actor import Actor
from gateway.claim.answer import AnswerTransaction, ClaimAnswer, Entry, InterchangeAnswer, TransactionAnswer
from gateway.claim.claim import Claim
from gateway.claim.identifiers import claim_number, new_ulid
from gateway.errors import NotAllowed
from gateway.pipeline.connections import ConnectionWatch
from gateway.ports import Clock, Exchange, InterchangeNumbers, NumberedClaim, RenderedInterchange
from gateway.ports.connections import ConnectionFact, ConnectionFactKind
from gateway.ports.exchanges import ISA13, AnswerStatus
from gateway.ports.storage import Store, Transaction

TEST_USAGE = "T"
_TAKEN = ("A", "E")
_STATUS = "277CA"


class TestFile(msgspec.Struct, frozen=True):
    """One file of a test batch."""

    __test__ = False
    isa13: int
    batch_reference: str
    remote_name: str
    sha256: str
    claim_numbers: tuple[str, ...]


class TestState(StrEnum):
    """Where a connection's test stands."""

    __test__ = False
    NONE = "none"
    """No batch was sent yet."""
    WAITING = "waiting"
    FAILED = "failed"
    PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the answers to the newest test batch come to."""

    state: TestState
    sent_at: datetime | None = None
    files: tuple[TestFile, ...] = ()
    heard: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


class CertificationPass:
    """Sends a connection's test batch, and reads what came back."""

    def __init__(self, store: Store, clock: Clock, watch: ConnectionWatch) -> None:
        self._store = store
        self._clock = clock
        self._watch = watch

    def send(self, connection: str, exchange: Exchange, claims: Sequence[Claim], actor: Actor) -> None:
        """Render the claims with usage T and move the files.

        Raises NotAllowed for an exchange in production or without claims; what uploading raises: send another batch.
        """
        if exchange.usage != TEST_USAGE:
            raise NotAllowed("a test batch goes out with usage T alone")
        if not claims:
            raise NotAllowed(f"no payer is routed over {connection}, so there is nothing to test it with")
        with self._store.write() as tx:
            rendered = [
                self._render(tx, connection, exchange, [*of_form])
                for _, of_form in groupby(sorted(claims, key=lambda each: each.form), key=lambda each: each.form)
            ]
            detail = msgspec.json.encode([file for _, file in rendered]).decode()
            self._watch.say(tx, connection, ConnectionFactKind.TEST_SENT, actor, "", detail)
        for interchange, _ in rendered:
            content = exchange.sealed(interchange.content) or interchange.content
            exchange.upload(RenderedInterchange(content=content, remote_name=interchange.remote_name), _unmarked)

    def _render(
        self, tx: Transaction, connection: str, exchange: Exchange, claims: Sequence[Claim]
    ) -> tuple[RenderedInterchange, TestFile]:
        now = self._clock.now()
        isa13, reference = tx.exchanges.next_number(connection, ISA13), new_ulid(now)
        numbers = [claim_number(each) for each in tx.claims.next_claim_numbers(len(claims))]
        numbered = [NumberedClaim(claim=each, claim_number=own) for each, own in zip(claims, numbers, strict=True)]
        interchange = exchange.render(
            numbered, InterchangeNumbers(isa13=isa13, batch_reference=reference, created_at=now)
        )
        sha256 = tx.exchanges.keep(interchange.content)
        return interchange, TestFile(isa13, reference, interchange.remote_name, sha256, tuple(numbers))

    def verdict(self, connection: str, exchange: Exchange) -> Verdict:
        """What came back on the newest test batch; a batch that passed is put on record, once."""
        with self._store.read() as tx:
            facts = [*tx.connections.facts(connection)]
            sent = next((fact for fact in reversed(facts) if fact.kind is ConnectionFactKind.TEST_SENT), None)
            if sent is None:
                return Verdict(state=TestState.NONE)
            heard = _heard(tx, connection, sent)
        return _judge(sent, heard, exchange.answers_due(sent.at))

    def certify(self, connection: str, verdict: Verdict, actor: Actor) -> None:
        """Put on record that the partner took the newest test batch whole. Raises NotAllowed when it did not."""
        if verdict.state is not TestState.PASSED:
            raise NotAllowed("the partner has not taken the test batch whole")
        count = sum(len(file.claim_numbers) for file in verdict.files)
        with self._store.write() as tx:
            reason = f"{count} specimen claims in {len(verdict.files)} files were taken"
            self._watch.decide(tx, connection, ConnectionFactKind.CERTIFIED, actor, reason)


def _unmarked(marker: str, detail: str) -> None:
    """A test batch that was cut off is not recovered: another one is sent."""


def test_batches(facts: Iterable[ConnectionFact]) -> list[TestFile]:
    """Every file of every test batch of a connection."""
    sent = (fact.detail for fact in facts if fact.kind is ConnectionFactKind.TEST_SENT)
    return [file for detail in sent for file in _files(detail)]


def answers_test(
    tx: Transaction, connection: str, transaction: AnswerTransaction, entries: Iterable[Sequence[Entry]]
) -> bool:
    """Whether a returned transaction speaks of a test batch of ours, and of nothing else."""
    files = test_batches(tx.connections.facts(connection))
    if not files:
        return False
    numbers = {file.isa13 for file in files}
    claims = {number for file in files for number in file.claim_numbers}
    said = []
    for answer in transaction.answers:
        if isinstance(answer, InterchangeAnswer):
            said.append(answer.isa13 in numbers)
        elif isinstance(answer, TransactionAnswer):
            said.append(answer.gs06 in numbers)
    for part in entries:
        said.append(all(each.claim_number in claims for each in part))
        if not said[-1]:
            return False
    return bool(said) and all(said)


def _files(detail: str) -> tuple[TestFile, ...]:
    return msgspec.json.decode(detail, type=tuple[TestFile, ...])


@dataclass(slots=True)
class _Heard:
    """Codes by control number or claim number."""

    ta1: dict[int, str]
    ack_999: dict[int, str]
    status_277ca: dict[str, bool]


def _heard(tx: Transaction, connection: str, sent: ConnectionFact) -> _Heard:
    heard = _Heard({}, {}, {})
    for row in tx.exchanges.answers():
        if row.connection != connection or row.received_at < sent.at or row.status != AnswerStatus.TESTED:
            continue
        for answer in row.transaction.answers:
            if isinstance(answer, InterchangeAnswer):
                heard.ta1[answer.isa13] = answer.code
            elif isinstance(answer, TransactionAnswer):
                heard.ack_999[answer.gs06] = answer.code
        for entry in chain.from_iterable(tx.exchanges.entries(row.id, row.type)):
            if isinstance(entry, ClaimAnswer) and not entry.by_payer:  # a payer knows no specimen's member
                taken = heard.status_277ca.get(entry.claim_number, True)
                heard.status_277ca[entry.claim_number] = taken and entry.accepted
    return heard


def _judge(sent: ConnectionFact, heard: _Heard, due: Mapping[str, datetime]) -> Verdict:
    files = _files(sent.detail)
    told, missing, failures = [], [], []
    for file in files:
        for kind, codes in (("TA1", heard.ta1), ("999", heard.ack_999)):
            code = codes.get(file.isa13)
            if code is not None:
                told.append(f"{kind} {code} for {file.remote_name}")
                failures += [told[-1]] if code not in _TAKEN else []
            elif kind in due:
                missing.append(f"a {kind} for {file.remote_name}, due {due[kind]:%Y-%m-%d %H:%M} UTC")
        for number in file.claim_numbers:
            taken = heard.status_277ca.get(number)
            if taken is not None:
                told.append(f"277CA for claim {number}: {'taken' if taken else 'refused'}")
            if taken is False:
                failures.append(f"277CA: claim {number} of {file.remote_name} was refused")
            if taken is None and _STATUS in due:
                missing.append(f"a 277CA for claim {number}, due {due[_STATUS]:%Y-%m-%d %H:%M} UTC")
    undecided = TestState.WAITING if missing or not told else TestState.PASSED
    state = TestState.FAILED if failures else undecided
    return Verdict(
        state=state,
        sent_at=sent.at,
        files=files,
        heard=tuple(told),
        missing=tuple(missing),
        failures=tuple(failures),
    )
