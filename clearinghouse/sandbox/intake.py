"""A submitted file becomes interchanges, claims and first answers (TA1, 999, 277CA); decisions on money come later."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
from msgspec.structs import replace

from clearinghouse.sandbox.answers import (
    CLEARINGHOUSE_NAME,
    Verdict,
    interchange_answer,
    reply_address,
    reply_envelope,
    status_answer,
)
from clearinghouse.sandbox.faults import Faults
from clearinghouse.sandbox.judge import claim_number_at, judge_at_payer, judge_claim, judge_envelope
from clearinghouse.sandbox.ledger import Ledger, stamp
from clearinghouse.sandbox.outbox import Outbox, Timing
from clearinghouse.sandbox.payer import content_key
from clearinghouse.sandbox.payer_table import PayerTable
from clearinghouse.sandbox.submission import SubmittedClaim, SubmittedGroup, SubmittedInterchange, read_claims
from clearinghouse.x12.acknowledge import acknowledge_group
from clearinghouse.x12.acknowledgement_999 import Acknowledgement, write_999
from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.envelope import Envelope
from clearinghouse.x12.findings import GroupReport, InterchangeReport
from clearinghouse.x12.parties import Name

DUPLICATE = "025"
"""TA105: this interchange control number was received before."""
_SENDER_REFUSED = "006"
"""TA105: the sender's identifier is not valid."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a claim came from: the mailbox, the interchange's row and reading, and when it was taken."""

    mailbox: str
    row_id: int
    interchange: SubmittedInterchange
    now: datetime

    def envelope(self, number: int) -> Envelope:
        return reply_envelope(self.interchange, number, self.now)


class Intake:
    """Turns one uploaded file into interchanges, claims and first answers, inside the caller's transaction."""

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        table: PayerTable,
        seed: int,
        clock: Callable[[], datetime],
        timing: Timing,
        faults: Faults,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._faults = faults
        self._table = table
        self._seed = seed
        self._clock = clock
        self._timing = timing

    def take(
        self, mailbox: str, file_name: str, content: bytes, digest: str, interchanges: Sequence[SubmittedInterchange]
    ) -> list[int]:
        """The rows of the file's interchanges; one row for a file that holds none."""
        file = {"mailbox": mailbox, "file_name": file_name, "sha256": digest, "size": len(content)}
        if not interchanges:
            return [self._record(file, None, "unreadable")]
        reports = check_bytes(content, file_name).interchanges
        return [self._take_one(file, each, report) for each, report in zip(interchanges, reports, strict=True)]

    def _take_one(self, file: dict[str, Any], interchange: SubmittedInterchange, report: InterchangeReport) -> int:
        isa = interchange.header.elements
        mailbox = str(file["mailbox"])
        note = judge_envelope(interchange)
        if note is None and self._ledger.has_interchange(mailbox, isa[6].strip(), isa[8].strip(), isa[15], isa[13]):
            note = DUPLICATE
        if note is None and self._faults.strikes("refuse-interchange"):
            note = _SENDER_REFUSED
        if note is not None:
            row_id = self._record(file, interchange, {DUPLICATE: "duplicate", "023": "cut"}.get(note, "refused"))
            self._answer_interchange(_Place(mailbox, row_id, interchange, self._clock()), "R", note)
            return row_id
        place = _Place(mailbox, self._record(file, interchange, "accepted"), interchange, self._clock())
        if isa[14] == "1":
            self._answer_interchange(place, "A", "000")
        codes = {
            code
            for group, checked in zip(interchange.groups, report.groups, strict=False)
            for code in self._take_group(place, group, checked)
        }
        if "R" in codes:
            self._ledger.change("interchange", place.row_id, outcome="partial" if codes - {"R"} else "rejected")
        return place.row_id

    def _take_group(self, place: _Place, group: SubmittedGroup, report: GroupReport) -> list[str]:
        """Answer one group with a 999 and pass the claims of its accepted transactions on; the codes given."""
        sets = {id(checked): each for each, checked in zip(group.transactions, report.transactions, strict=False)}
        answer = acknowledge_group(report, lambda checked, position: claim_number_at(sets.get(id(checked)), position))
        if self._faults.strikes("refuse-transaction"):
            answer = _refused(answer)
        passed: list[Verdict] = []
        for checked, response in zip(report.transactions, answer.responses, strict=True):
            transaction = sets.get(id(checked))
            if transaction is not None and response.code != "R" and answer.group_code != "R":
                claims = read_claims(transaction, place.interchange.delimiters)
                passed += [judge_claim(claim, self._table, checked.findings, place.now.date()) for claim in claims]
        self._outbox.post(
            place.mailbox,
            place.row_id,
            "999",
            lambda number: write_999(answer, place.envelope(number)),
            self._timing.acknowledge_after,
        )
        self._take_claims(place, passed)
        return ["R" if answer.group_code == "R" else response.code for response in answer.responses]

    def _take_claims(self, place: _Place, verdicts: list[Verdict]) -> None:
        for verdict in verdicts:
            if not verdict.is_acceptance:
                self._add_claim(place, verdict, "rejected_by_clearinghouse")
        receiver = place.interchange.header.elements[8].strip()
        self._answer_claims(place, Name(CLEARINGHOUSE_NAME, id_qualifier="46", identifier=receiver), "AY", verdicts)
        passed_on = [verdict.claim for verdict in verdicts if verdict.is_acceptance]
        passed_on.sort(key=lambda claim: claim.payer.identifier)
        for payer_id, claims in groupby(passed_on, key=lambda claim: claim.payer.identifier):
            payer = self._table.find(payer_id)
            name = Name(payer.name if payer else "PAYER", id_qualifier="PI", identifier=payer_id)
            self._answer_claims(place, name, "PR", [self._take_at_payer(place, claim) for claim in claims])

    def _take_at_payer(self, place: _Place, claim: SubmittedClaim) -> Verdict:
        original = self._ledger.by_payer_number(place.mailbox, claim.original_number) if claim.original_number else None
        known = original is not None and original["payer_id"] == claim.payer.identifier
        refusal = judge_at_payer(claim, known)
        if refusal is not None:
            verdict = Verdict(claim, *refusal)
            self._add_claim(place, verdict, "rejected_by_payer")
            return verdict
        verdict = Verdict(claim, "A2", "20", "PR", self._payer_number(place.mailbox, claim))
        self._add_claim(place, verdict, "accepted")
        return verdict

    def _payer_number(self, mailbox: str, claim: SubmittedClaim) -> str:
        """A payer claim control number made from the content, so that a second run with the same claims agrees."""
        key = content_key(claim)
        earlier = len(self._ledger.same_content(mailbox, key))
        while True:
            text = f"{self._seed}|{mailbox}|{key}|{claim.frequency}|{earlier}"
            number = f"{int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) % 10**13:013d}"
            if self._ledger.by_payer_number(mailbox, number) is None:
                return number
            earlier += 1

    def _add_claim(self, place: _Place, verdict: Verdict, state: str) -> None:
        claim = verdict.claim
        self._ledger.add(
            "claim",
            interchange_id=place.row_id,
            mailbox=place.mailbox,
            claim_number=claim.claim_number,
            payer_id=claim.payer.identifier,
            payee_npi=claim.billing.identifier,
            frequency=claim.frequency,
            payer_claim_number=verdict.payer_claim_number,
            replaces=claim.original_number if claim.frequency in ("7", "8") else "",
            authorization_number=claim.authorization_number,
            content_key=content_key(claim),
            charge_cents=claim.charge_cents,
            state=state,
            reason="" if verdict.is_acceptance else f"{verdict.category}:{verdict.status}",
            due_at=stamp(place.now + self._timing.pay_after),
            body=msgspec.json.encode(claim).decode(),
        )

    def _record(self, file: dict[str, Any], interchange: SubmittedInterchange | None, outcome: str) -> int:
        isa = interchange.header.elements if interchange else ("",) * 17
        now = self._clock()
        return self._ledger.add(
            "interchange",
            **file,
            sender=isa[6].strip(),
            receiver=isa[8].strip(),
            control_number=isa[13],
            usage=isa[15],
            reply=reply_address(interchange) if interchange else "",
            received_at=stamp(now),
            outcome=outcome,
        )

    def _answer_interchange(self, place: _Place, code: str, note: str) -> None:
        self._outbox.post(
            place.mailbox,
            place.row_id,
            "TA1",
            lambda number: interchange_answer(place.interchange, code, note, place.envelope(number)),
            self._timing.acknowledge_after,
        )

    def _answer_claims(self, place: _Place, source: Name, role: str, verdicts: list[Verdict]) -> None:
        """One 277CA for each batch (BHT03) of the file."""
        for _, batch in groupby(verdicts, key=lambda verdict: verdict.claim.batch_reference):
            said = list(batch)

            def write(number: int, said: list[Verdict] = said) -> bytes:
                return status_answer(source, role, said, place.envelope(number), place.now)

            self._outbox.post(place.mailbox, place.row_id, "277CA", write, self._timing.status_after)


def _refused(answer: Acknowledgement) -> Acknowledgement:
    """The same acknowledgement, with every transaction refused."""
    responses = tuple(replace(each, code="R") for each in answer.responses)
    return replace(answer, responses=responses, group_code="R", accepted_count=0)
