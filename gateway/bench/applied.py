"""A 277CA and an 835 of many claims applied to claims that were sent: the memory and the time it takes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date, time
from functools import partial
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from clearinghouse.x12.envelope import Delimiters, Envelope
from clearinghouse.x12.parties import Address, Adjustment, DateSpan, Name, Procedure, QualifiedDate
from clearinghouse.x12.remittance_835 import (
    ClaimPayment,
    Payee,
    Payment,
    Remittance,
    RemittanceHeader,
    RemittancePayer,
    ServicePayment,
    Trace,
)
from clearinghouse.x12.status_277ca import (
    ClaimStatus,
    ProviderStatus,
    ReceiverStatus,
    SourceStatus,
    Status,
    StatusCode,
    StatusTransaction,
)
from clearinghouse.x12.tokens import ISA_LENGTH
from clearinghouse.x12.write_277ca import write_277ca
from clearinghouse.x12.write_835 import write_835
from gateway.bench.sites import CONNECTION, folder_of_site, freeze_all, site_in, take_in
from gateway.bench.timing import on_processor
from gateway.bench.weeks import DATES, week_messages
from gateway.claim.claim import Claim
from gateway.claim.origins import NO_ORIGINS
from gateway.lifecycle import ClaimState
from gateway.pipeline.collect import Collected
from gateway.store.coding import encode
from gateway.wiring.collector import settled
from gateway.wiring.site import Site

_ON = date(2026, 9, 1)
_NUMBER, _PAYERS_NUMBER = "B00000000000", "P00000000000"


def apply_answers(claims: int) -> dict[str, float]:
    """One 277CA and one 835 of so many claims, collected and applied; processor seconds by answer."""
    with folder_of_site() as folder, site_in(folder) as site:
        take_in(site, week_messages(0, 1, DATES[:1]))
        site.settle()
        (interchange,) = freeze_all(site)
        claim, envelope = _many_like_the_one_in(site, folder, interchange, claims)
        seconds = {}
        for name, write in (("277CA", _status), ("835", _remittance)):
            with _file(folder / name, write(claim, envelope, claims), claims) as file, settled():
                collected = Collected()
                take = partial(site.collecting.take, CONNECTION, file, name.encode(), collected)
                seconds[name], _ = on_processor(take)
            if collected.applied != 1:
                raise ValueError(f"the {name} was not applied: {collected}")
        _check(site, claims)
    return seconds


def _check(site: Site, claims: int) -> None:
    with site.store.read() as tx:
        states = tx.claims.states()
    if states.get(ClaimState.PAID) != claims:
        raise ValueError(f"of {claims} claims {states} are what the answers say")


def _many_like_the_one_in(site: Site, folder: Path, interchange: str, count: int) -> tuple[Claim, Envelope]:
    """So many sent claims of so many patients, all alike; the claim, and the envelope of what answers it."""
    with site.store.read() as tx:
        sent = tx.exchanges.interchange(interchange)
        assert sent is not None
        ((claim_id, version_id),) = tx.exchanges.versions_in(interchange)
        (row,), (version,) = tx.claims.rows([claim_id]), tx.claims.versions([claim_id])[claim_id]
        isa = tx.exchanges.raw(sent.sha256)[:ISA_LENGTH].decode("latin-1")
    own, content = "printf('bench%d', n)", encode(_without_origins(version.claim))
    with closing(sqlite3.connect(folder / "cleanclaim.sqlite")) as scratch, scratch:
        _multiply(scratch, "subject", row.patient_id, count, {"id": own})
        _multiply(scratch, "claim", claim_id, count, {"id": own, "key": own, "patient_id": own})
        numbered = {
            "id": own,
            "claim_id": own,
            "claim_number": f"printf('{_NUMBER[0]}%011d', n)",
            "content": ":content",
        }
        _multiply(scratch, "claim_version", version_id, count, numbered, content)
    return version.claim, _answering(isa)


def _multiply(
    scratch: sqlite3.Connection, table: str, id: str, count: int, changes: Mapping[str, str], content: bytes = b""
) -> None:
    """Copies of one row, in a database that is thrown away: nothing but the freeze makes versions anywhere else."""
    columns = [name for _, name, *_ in scratch.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changes.get(name, f'"{name}"') for name in columns)
    scratch.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :count) "  # noqa: S608
        f"INSERT INTO {table} SELECT {values} FROM {table}, numbers WHERE id = :id",
        {"count": count, "id": id, "content": content},
    )


def _without_origins(claim: Claim) -> Claim:
    """The claim without where its values came from, nine tenths of it and no part of an answer."""
    return replace(claim, origins=NO_ORIGINS, lines=tuple(replace(line, origins=NO_ORIGINS) for line in claim.lines))


def _answering(isa: str) -> Envelope:
    """The envelope of what comes back for the interchange of that ISA."""
    elements = isa.split(isa[3])
    return Envelope(
        sender_qualifier=elements[7],
        sender_id=elements[8].strip(),
        receiver_qualifier=elements[5],
        receiver_id=elements[6].strip(),
        application_sender_code=elements[8].strip(),
        application_receiver_code=elements[6].strip(),
        usage=elements[15],
        interchange_control_number=1,
        group_control_number=1,
        created_on=_ON,
        created_time=time(7, 30),
        delimiters=Delimiters(),
    )


def _numbered(name: str, number: int) -> str:
    return f"{name[0]}{number:011d}"


def _status(claim: Claim, envelope: Envelope, _: int) -> str:
    status = Status((StatusCode("A2", "20"),), _ON, "WQ", claim.charge_cents)
    said = ClaimStatus(patient=Name("Doe", "Jo"), trace_number=_NUMBER, statuses=(status,))
    clinic = _clinic(claim.billing_provider.npi)
    receiver = ReceiverStatus(clinic, "BATCH", (status,), (ProviderStatus(clinic, (said,)),))
    dates = (QualifiedDate("050", DateSpan(_ON)), QualifiedDate("009", DateSpan(_ON)))
    source = SourceStatus(Name("Clearinghouse", id_qualifier="46", identifier="X1"), "AY", "1", dates, (receiver,))
    return write_277ca(StatusTransaction("1", _ON, time(7, 30), (source,)), envelope).decode()


def _remittance(claim: Claim, envelope: Envelope, count: int) -> str:
    lines = tuple(
        ServicePayment(
            procedure=Procedure(line.hcpcs),
            charge_cents=line.charge_cents,
            paid_cents=line.charge_cents - line.charge_cents // 4,
            revenue_code=line.revenue_code,
            service_dates=DateSpan(line.service_on),
            adjustments=(Adjustment("CO", "45", line.charge_cents // 4),),
            line_control_number=f"L{place}",
        )
        for place, line in enumerate(claim.lines)
    )
    paid = ClaimPayment(
        patient_control_number=_NUMBER,
        status_code="1",
        charge_cents=claim.charge_cents,
        paid_cents=sum(line.paid_cents for line in lines),
        patient=Name("Doe", "Jo"),
        claim_filing_indicator="CI",
        payer_claim_number=_PAYERS_NUMBER,
        lines=lines,
        position=1,
    )
    header = RemittanceHeader(
        payment=Payment(count * paid.paid_cents, _ON, handling="I", method="CHK"),
        trace=Trace("EFT1", "1990000017"),
        payer=RemittancePayer(Name("Example Health Plan"), Address("1 Main St", "Austin", "TX", "787010001")),
        payee=Payee(_clinic(claim.billing_provider.npi)),
        produced_on=_ON,
    )
    return write_835(Remittance(header, (paid,)), envelope).decode()


def _clinic(npi: str) -> Name:
    return Name("Gateway Clinic", id_qualifier="XX", identifier=npi)


@contextmanager
def _file(path: Path, text: str, count: int) -> Iterator[BinaryIO]:
    """An answer to one claim as a file that says the same of so many, each with its own numbers."""
    start = text.index("~HL*4*" if "~HL*4*" in text else "~CLP*") + 1
    end = text.rindex("~SE*") + 1
    said, (_, segments, rest) = text[start:end], text[end:].split("*", 2)
    with path.open("w") as file:
        file.write(text[:start])
        for number in range(count):
            own = _numbered(_NUMBER, number), _numbered(_PAYERS_NUMBER, number)
            file.write(said.replace(_NUMBER, own[0]).replace(_PAYERS_NUMBER, own[1]))
        file.write(f"SE*{int(segments) + (count - 1) * said.count('~')}*{rest}")
    with path.open("rb") as opened:
        yield opened
