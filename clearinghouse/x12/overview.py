"""What an X12 file holds, in a few values: its interchanges, groups and transaction sets; of an 835 the money, of a
TA1, 999 and 277CA what they take and refuse."""

from __future__ import annotations

from typing import Any

from clearinghouse.x12.answer_overview import AnswerOverview, answer_overview, interchange_answer
from clearinghouse.x12.read_file import Listener, SetEnd, SetStart, read_file
from clearinghouse.x12.read_json import UNREADABLE, claim_json, paid_json
from clearinghouse.x12.remittance_835 import ClaimPayment
from clearinghouse.x12.tokens import Header, Source


def overview(source: Source, path: str, most_claims: int) -> dict[str, Any]:
    """An entry of `files` in `read --json` without segments, noise and the places of things.

    Of each 835, and of the claims a 277CA refuses, at most so many are given; `claim_count` counts them all. A 999 and
    a 277CA have `told`, an interchange `acknowledgments` for its TA1s. Raises OSError.
    """
    found = _Overview(most_claims)
    readable = read_file(source, found)
    error = None if readable else UNREADABLE
    return {"path": path, "readable": readable, "error": error, "interchanges": found.interchanges}


class _Overview(Listener):
    def __init__(self, most_claims: int) -> None:
        self.most_claims = most_claims
        self.interchanges: list[dict[str, Any]] = []
        self.set: dict[str, Any] = {}
        self.component = ""
        self.answer: AnswerOverview | None = None

    def interchange(self, header: Header) -> None:
        self.component = header.delimiters.component
        self.interchanges.append({"control_number": header.elements[13], "acknowledgments": [], "groups": []})

    def segment(self, values: list[str], blank: str) -> None:  # noqa: ARG002 - the listener's shape
        if self.answer is not None:
            self.answer.take(values)
        elif values[0] == "TA1":
            self.interchanges[-1]["acknowledgments"].append(interchange_answer(values))

    def group(self, values: list[str], segment: int) -> None:  # noqa: ARG002 - the listener's shape
        self.interchanges[-1]["groups"].append({"transactions": []})

    def transaction(self, start: SetStart) -> None:
        self.set = {"type": start.kind, "control_number": start.control_number}
        self.answer = answer_overview(start.kind, self.component, self.most_claims)
        if start.is_remittance:
            self.set |= {"claims": [], "claim_count": 0}
        self.interchanges[-1]["groups"][-1]["transactions"].append(self.set)

    def claim(self, claim: ClaimPayment) -> None:
        self.set["claim_count"] += 1
        if len(self.set["claims"]) < self.most_claims:
            self.set["claims"].append(claim_json(claim))

    def end_transaction(self, end: SetEnd) -> None:
        if "claims" in self.set:
            self.set |= paid_json(end)
        if self.answer is not None:
            self.set["told"] = self.answer.told()
            self.answer = None
