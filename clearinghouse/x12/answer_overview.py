"""A TA1, 999 or 277CA for a person: what was accepted, what was refused and why, told segment by segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from clearinghouse.x12.answer_words import (
    CLAIM_CATEGORIES,
    ELEMENT_ERRORS,
    INTERCHANGE_NOTES,
    REFUSING_CATEGORIES,
    SEGMENT_ERRORS,
    VERDICTS,
)
from clearinghouse.x12.decoding import at


class AnswerOverview(Protocol):
    """What is told of one transaction set as its segments pass."""

    def take(self, values: list[str]) -> None:
        """The next segment."""

    def told(self) -> dict[str, Any]:
        """What there is to say, once the set has ended."""


def interchange_answer(values: list[str]) -> dict[str, Any]:
    """A TA1: the control number it answers, the verdict, and why."""
    code, note = at(values, 4), at(values, 5)
    return {"answers": at(values, 1), "verdict": VERDICTS.get(code, code), "why": INTERCHANGE_NOTES.get(note, note)}


def answer_overview(kind: str, component: str, most_claims: int) -> AnswerOverview | None:
    """Who tells of a transaction set of this kind; None for one that answers no claim file."""
    if kind == "999":
        return _Acknowledgement(component)
    return _Statuses(component, most_claims) if kind == "277CA" else None


class _Acknowledgement:
    """A 999: the group's verdict, each set's, and a sentence for each error."""

    def __init__(self, component: str) -> None:
        self._component = component
        self._group: dict[str, Any] = {"answers": "", "verdict": "", "received": 0, "accepted": 0, "sets": []}
        self._place = ""

    def take(self, values: list[str]) -> None:
        name = values[0]
        sets = self._group["sets"]
        if name == "AK1":
            self._group["answers"] = at(values, 2)
        elif name == "AK2":
            sets.append({"type": at(values, 1), "control_number": at(values, 2), "verdict": "", "errors": []})
        elif name == "IK3" and sets:
            loop = f" of loop {at(values, 3)}" if at(values, 3) else ""
            self._place = f"{at(values, 1)}, segment {at(values, 2)}{loop}"
            sets[-1]["errors"].append(f"{self._place} {_word(SEGMENT_ERRORS, at(values, 4))}")
        elif name == "IK4" and sets:
            position = "-".join(filter(None, at(values, 1).split(self._component)))
            sets[-1]["errors"].append(f"{self._place}: element {position} {_word(ELEMENT_ERRORS, at(values, 3))}")
        elif name == "IK5" and sets:
            sets[-1]["verdict"] = VERDICTS.get(at(values, 1), at(values, 1))
        elif name == "AK9":
            received, accepted = (int(at(values, place)) if at(values, place).isdigit() else 0 for place in (3, 4))
            self._group |= {"received": received, "accepted": accepted}
            self._group["verdict"] = VERDICTS.get(at(values, 1), at(values, 1))

    def told(self) -> dict[str, Any]:
        return self._group


class _Statuses:
    """A 277CA: how many claims were taken and refused, by whom, and the refused ones with their codes."""

    def __init__(self, component: str, most_claims: int) -> None:
        self._component = component
        self._most = most_claims
        self._level = ""
        self._by = ""
        self._claim: dict[str, Any] | None = None
        self._told: dict[str, Any] = {"by": [], "claim_count": 0, "accepted": 0, "refused": 0, "refusals": []}

    def take(self, values: list[str]) -> None:
        name = values[0]
        if name == "HL":
            self._end_claim()
            self._level = at(values, 3)
        elif name == "NM1" and self._level == "20":
            self._by = "payer" if at(values, 1) == "PR" else "clearinghouse"
            if self._by not in self._told["by"]:
                self._told["by"].append(self._by)
        elif self._level == "PT" and name == "TRN":
            self._end_claim()
            self._claim = {"claim": at(values, 2), "by": self._by, "why": [], "refused": False}
        elif self._level == "PT" and name == "STC" and self._claim is not None:
            self._status(values, self._claim)
        elif name == "SE":
            self._end_claim()

    def _status(self, values: list[str], claim: dict[str, Any]) -> None:
        codes = [each.split(self._component) for each in (at(values, 1), at(values, 10), at(values, 11)) if each]
        action = at(values, 3)
        refuses = action == "U" or (action != "WQ" and any(each[0] in REFUSING_CATEGORIES for each in codes))
        claim["refused"] = claim["refused"] or refuses
        for category, *others in codes:
            code = ":".join(filter(None, (category, *others)))
            claim["why"].append(f"{code} ({CLAIM_CATEGORIES[category]})" if category in CLAIM_CATEGORIES else code)

    def _end_claim(self) -> None:
        claim, self._claim = self._claim, None
        if claim is None:
            return
        self._told["claim_count"] += 1
        if not claim.pop("refused"):
            self._told["accepted"] += 1
            return
        self._told["refused"] += 1
        if len(self._told["refusals"]) < self._most:
            self._told["refusals"].append(claim)

    def told(self) -> dict[str, Any]:
        self._end_claim()
        return self._told


def _word(words: Mapping[str, str], code: str) -> str:
    return words.get(code, f"has the error {code}")
