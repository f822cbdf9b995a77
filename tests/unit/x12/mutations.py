"""The clean files that `mutations.yaml` breaks, and how a mutation is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from ruamel.yaml import YAML

from clearinghouse.x12.acknowledgement_999 import write_999
from clearinghouse.x12.claims_837 import Diagnosis
from clearinghouse.x12.interchange_ta1 import InterchangeAcknowledgement, write_ta1
from clearinghouse.x12.write_277ca import write_277ca
from clearinghouse.x12.write_835 import write_835
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import (
    ENVELOPE,
    acknowledgement,
    dependent_transaction,
    institutional_claim,
    institutional_transaction,
    professional_transaction,
    remittance,
    status_transaction,
)

_ANSWER = InterchangeAcknowledgement("000000101", date(2026, 11, 23), time(7, 30), "A")
_STAY = institutional_claim(
    facility_code="11",
    frequency_code="1",
    admitted_at=datetime(2026, 11, 2, 9, 30),  # noqa: DTZ001 - X12 carries local time
    discharge_time=time(17, 5),
    diagnoses=(Diagnosis("ABK", "F332"), Diagnosis("ABJ", "F329"), Diagnosis("ABF", "F411")),
)
_STAY = replace(_STAY, institutional=replace(_STAY.institutional, patient_status="01"))
BASES = {
    name: content.decode().replace("~\n", "~")
    for name, content in {
        "institutional": write_837(institutional_transaction(), ENVELOPE),
        "inpatient": write_837(institutional_transaction(_STAY), ENVELOPE),
        "professional": write_837(professional_transaction(), ENVELOPE),
        "dependent": write_837(dependent_transaction(), ENVELOPE),
        "remittance": write_835(remittance(), ENVELOPE),
        "acknowledgement": write_999(acknowledgement(), ENVELOPE),
        "status": write_277ca(status_transaction(), ENVELOPE),
        "answer": write_ta1(_ANSWER, ENVELOPE),
    }.items()
}


@dataclass(frozen=True, slots=True)
class Mutation:
    """One entry: in the base, `old` becomes `new` once; `found` is every finding the check must tell, in file order."""

    name: str
    base: str
    old: str
    new: str
    found: list[dict[str, Any]]

    def content(self) -> bytes:
        """The broken file. SE01 is made right again, unless the mutation is about it."""
        base = BASES[self.base]
        if base.count(self.old) < 1:
            raise ValueError(f"{self.name}: the base does not hold {self.old!r}")
        changed = base.replace(self.old, self.new, 1)
        counted = base.partition("~SE*")[2].partition("*")[0]
        if "ST*" in changed and f"~SE*{counted}*" in changed:
            count = changed.partition("ST*")[2].partition("~SE*")[0].count("~") + 2
            changed = changed.replace(f"~SE*{counted}*", f"~SE*{count}*", 1)
        return changed.encode("latin-1")


def mutations() -> list[Mutation]:
    """Every entry of mutations.yaml."""
    entries = YAML(typ="safe").load(Path(__file__).with_name("mutations.yaml"))
    return [Mutation(**{"new": "", **entry}) for entry in entries]
