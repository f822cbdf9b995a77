"""A clearinghouse with one mailbox, driven by hand, and what its answers say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clearinghouse.sandbox.clearing import Clearing
from clearinghouse.sandbox.faults import Faults
from clearinghouse.sandbox.ledger import Ledger
from clearinghouse.sandbox.outbox import Timing
from clearinghouse.sandbox.payer_table import PayerTable, SimulatedPayer, read_payer_table
from clearinghouse.x12.check import check_bytes
from tests.unit.sandbox.referee import assert_balances, pyx12_accepts, segments
from tests.unit.sandbox.submissions import Claim, Line

START = datetime(2026, 9, 1, 12, tzinfo=UTC)
# A payer whose decisions hold no chance, so that a test says exactly what it expects.
STEADY = SimulatedPayer(
    id="PRMT1",
    name="PRAIRIE MUTUAL",
    tin="910000002",
    filing_days=180,
    fees_cents={"S9480": 32500, "H0035": 52000, "H0015": 20000},
    status_of_denied="4",
    authorization=("S9480", "H0035"),
    copay_cents=2500,
)


@dataclass
class House:
    """A clearinghouse with one mailbox, driven by hand."""

    root: Path
    payer: SimulatedPayer | None = STEADY
    seed: int = 1
    faults: tuple[str, ...] = ()
    timing: Timing = field(default_factory=lambda: Timing(partial_after_s=0))
    now: datetime = START

    def __post_init__(self) -> None:
        self.box = self.root / "mailbox"
        for each in ("upload", "download", "archive"):
            (self.box / each).mkdir(parents=True, exist_ok=True)
        self.seen: set[str] = set()
        self.open()

    def open(self) -> None:
        table = read_payer_table()
        if self.payer is not None:
            table = PayerTable((self.payer,), table.revenue_codes, table.bill_types)
        self.ledger = Ledger(self.root / "ledger.sqlite")
        self.clearing = Clearing(
            {"clinic": self.box}, self.ledger, table, self.seed, lambda: self.now, self.timing, Faults(self.faults)
        )

    def send(self, text: str, name: str = "") -> list[bytes]:
        """Upload, let the house work, and take what is new in the download folder, in the order of its numbers."""
        number = sum(1 for _ in (self.box / "archive").iterdir()) + 1
        (self.box / "upload" / (name or f"837_{number}.x12")).write_text(text)
        return self.work()

    def work(self) -> list[bytes]:
        while self.clearing.run_once().did_something:
            pass
        fresh = sorted(self.names() - self.seen, key=lambda each: each.rpartition("_")[2])
        self.seen |= set(fresh)
        return [(self.box / "download" / each).read_bytes() for each in fresh]

    def names(self) -> set[str]:
        return {path.name for path in (self.box / "download").iterdir()}

    def claims(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ledger.as_json()["claims"]
        return found


def kind(answer: bytes) -> str:
    names = [segment for segment in segments(answer) if segment[0] in ("ST", "TA1")]
    return names[0][1] if names[0][0] == "ST" else "TA1"


def pick(answers: list[bytes], wanted: str) -> list[bytes]:
    return [answer for answer in answers if kind(answer) == wanted]


def only(answers: list[bytes], wanted: str) -> list[list[str]]:
    (answer,) = pick(answers, wanted)
    return segments(answer)


def elements(answer: list[list[str]], name: str, position: int) -> list[str]:
    return [segment[position] for segment in answer if segment[0] == name]


def claim_statuses(answer: bytes) -> dict[str, str]:
    """STC01 of each claim of a 277CA by its number."""
    found = {}
    number = ""
    for segment in segments(answer):
        if segment[0] in ("HL", "TRN"):
            number = segment[2] if segment[0] == "TRN" and segment[2].startswith("PCN") else ""
        elif segment[0] == "STC" and number:
            found[number] = segment[1]
    return found


def assert_valid(answers: list[bytes]) -> None:
    for answer in answers:
        errors = [found for found in check_bytes(answer).all_findings() if found.severity == "error"]
        assert [] == errors, answer
        assert pyx12_accepts(answer), answer
        if kind(answer) == "835":
            assert_balances(answer)


PROFESSIONAL = Claim(
    number="PCN0000000009",
    professional=True,
    facility="57",
    filing="MC",
    lines=(Line(code="H0015", cents=25000), Line("20260805", code="H0015", cents=25000)),
)
