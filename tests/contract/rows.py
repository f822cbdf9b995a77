"""Rows that the store's contract tests share: a patient, claims of hers, versions and interchanges."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from gateway.claim.answer import AnswerTransaction, Entry, InterchangeAnswer, Remittance
from gateway.claim.fingerprint import content_fingerprint
from gateway.claim.identifiers import claim_number, stable_id
from gateway.claim.party import Identifier
from gateway.claim.record import RecordKind
from gateway.ports.claims import ClaimRow, Draft, Version
from gateway.ports.exchanges import AnswerRow, InterchangeRow
from gateway.ports.storage import Transaction
from gateway.store.database import Database
from tests.factories import CONNECTION, NOON, ORGANIZATION, TENANT, a_claim, a_key


def a_patient(store: Database, number: int = 1) -> str:
    with store.write() as tx:
        return tx.subjects.resolve(ORGANIZATION, RecordKind.PATIENT, [[Identifier("urn:mrn", str(number))]])[0]


def a_claim_row(store: Database, number: int = 1, state: str = "released") -> ClaimRow:
    """A claim of its own patient, with a draft that goes over the connection."""
    patient_id = a_patient(store, number)
    key = str(a_key(patient_id))
    row = ClaimRow(
        id=stable_id("claim", key),
        tenant=TENANT,
        organization=ORGANIZATION,
        patient_id=patient_id,
        payer="acme",
        key=key,
        state=state,
        created_at=NOON,
    )
    with store.write() as tx:
        tx.claims.ensure([row])
        tx.claims.save_drafts([a_draft(row.id)])
    return row


def a_draft(claim_id: str, **changes: Any) -> Draft:
    claim = changes.pop("claim", a_claim())
    given = {"content_hash": content_fingerprint(claim), "findings": (), "complete": True, "ready_on": None, **changes}
    return Draft(claim_id=claim_id, claim=claim, **given)


def a_version(claim_id: str, number: int = 1, interchange_id: str = "i1", **changes: Any) -> Version:
    claim = a_claim()
    given: dict[str, Any] = {
        "id": stable_id("version", claim_id, str(number)),
        "claim_id": claim_id,
        "number": number,
        "claim_number": claim_number(int(stable_id(claim_id, str(number))[-4:].encode().hex(), 16)),
        "claim": claim,
        "content_hash": content_fingerprint(claim),
        "findings": (),
        "frozen_at": NOON,
        "interchange_id": interchange_id,
    }
    return Version(**{**given, **changes})


def an_interchange(isa13: int = 1, **changes: Any) -> InterchangeRow:
    content = an_interchange_content(isa13)
    given: dict[str, Any] = {
        "id": f"i{isa13}",
        "connection": CONNECTION,
        "tenant": TENANT,
        "isa13": isa13,
        "batch_reference": f"B{isa13}",
        "usage": "T",
        "form": "837I",
        "remote_name": f"837I_{isa13:09d}.x12",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "created_at": NOON,
        "claim_count": 1,
        "charge_cents": 105_000,
    }
    return InterchangeRow(**{**given, **changes})


def an_interchange_content(isa13: int = 1) -> bytes:
    return b"ISA*%09d~" % isa13


def freeze(tx: Transaction, number: int, /, *versions: Version, **changes: Any) -> InterchangeRow:
    row = replace(an_interchange(number, claim_count=len(versions)), **changes)
    tx.exchanges.add_interchange(row, an_interchange_content(number), [each.id for each in versions])
    return row


def an_answer(number: int, business_key: str = "key", status: str = "applied", **changes: Any) -> AnswerRow:
    said = changes.pop("said", InterchangeAnswer(isa13=1, code="A"))
    transaction = AnswerTransaction(
        type="835" if isinstance(said, Remittance) else "TA1",
        sender="CLEARING",
        receiver="HARBOR",
        usage="T",
        isa13=number,
        gs06=None,
        st02="",
        answers=(said,),
    )
    given: dict[str, Any] = {
        "id": f"a{number}",
        "connection": CONNECTION,
        "type": transaction.type,
        "business_key": business_key,
        "digest": "0" * 64,
        "raw_sha256": hashlib.sha256(_raw(number)).hexdigest(),
        "status": status,
        "reason": "",
        "received_at": NOON,
        "transaction": transaction,
    }
    return AnswerRow(**{**given, **changes})


def add_answer(tx: Transaction, file_id: str, row: AnswerRow, *entries: Entry) -> None:
    """Stage and add an answer that says this of claims."""
    staged = tx.exchanges.stage(row.id, _Told(row.transaction, entries))
    tx.exchanges.add_answer(file_id, replace(row, digest=staged.digest, raw_sha256=staged.raw_sha256))


def _raw(number: int) -> bytes:
    return b"ISA*answer %d~" % number


@dataclass
class _Told:
    """A returned transaction that reads as it is told."""

    transaction: AnswerTransaction
    entries: tuple[Entry, ...]

    def open(self) -> BytesIO:
        return BytesIO(_raw(self.transaction.isa13))

    def read(self) -> Iterator[Entry | AnswerTransaction]:
        yield from self.entries
        yield self.transaction
