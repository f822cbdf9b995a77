"""SNIP 3 and 4 of the acknowledgments: the counts of a 999, the verdicts and totals of a 277CA."""

from __future__ import annotations

from clearinghouse.x12.decoding import at, cents
from clearinghouse.x12.findings import WARNING, Finding, TransactionReport
from clearinghouse.x12.guide import Guide
from clearinghouse.x12.patterns import COMPONENT, ELEMENT
from clearinghouse.x12.walk import Handler, handlers_by_name

_REJECTING = frozenset(("A3", "A4", "A6", "A7", "A8"))
# IK501: accepted, with errors, rejected, and the three security codes.
_RESPONSES = frozenset("AEMRWX")
_ACCEPTING = frozenset(("A0", "A1", "A2", "A5"))


class AcknowledgementCheck:
    """A 999's counts and codes against its own responses."""

    def __init__(self, guide: Guide, report: TransactionReport) -> None:
        self.report = report
        self.responses = 0
        self.accepted = 0
        self.errors = False
        self.judged = 0
        self.handlers = handlers_by_name(guide, _ACKNOWLEDGEMENT)

    def finish(self, _position: int) -> None:
        """Nothing is left to say."""

    def _ak2(self, _text: str, _position: int, _loop: str) -> None:
        self.responses += 1
        self.errors = False

    def _ik3(self, _text: str, _position: int, _loop: str) -> None:
        self.errors = True

    def _ik5(self, text: str, position: int, loop: str) -> None:
        code = at(text.split(ELEMENT), 1)
        self.judged += code in _RESPONSES
        self.accepted += code in ("A", "E")
        if code == "A" and self.errors:
            message = "IK501 accepts the transaction set without errors (A), and errors are listed above it."
            self._add("response-code", message, "IK5", position, loop, "IK501")

    def _ak9(self, text: str, position: int, _loop: str) -> None:
        values = text.split(ELEMENT)
        code = at(values, 1)
        if self.responses and at(values, 3) != str(self.responses):
            message = f"AK903 counts other than the {self.responses} transaction sets this acknowledgment answers."
            self._add("received-count", message, "AK9", position, "", "AK903")
        if not self.responses or self.judged != self.responses:
            return
        if code == "R" and at(values, 4) == "0":
            return  # rejected for an error of its own, whatever was said of the transaction sets in it
        if at(values, 4) != str(self.accepted):
            message = f"AK904 counts other than the {self.accepted} transaction sets the responses accept."
            self._add("accepted-count", message, "AK9", position, "", "AK904")
        message = ""
        if code == "A" and self.accepted != self.responses:
            message = "AK901 accepts the group, and a response inside it rejects a transaction set."
        elif code == "R" and self.accepted:
            message = "AK901 rejects the group, and a response inside it accepts a transaction set."
        elif code == "P" and self.accepted in (0, self.responses):
            message = "AK901 accepts the group in part, and the responses are all of one kind."
        if message:
            self._add("group-code", message, "AK9", position, "", "AK901")

    def _add(self, code: str, message: str, segment: str, position: int, loop: str, element: str) -> None:
        self.report.add(Finding(3, WARNING, code, message, segment, position, loop, element, "", "8", "7"))


class _Level:
    """A receiver or provider level: what its totals say, and what the claims below it add up to.

    Each total is (position, number or cents), each sum likewise a pair: accepted first, rejected second.
    """

    def __init__(self, loop: str) -> None:
        self.loop = loop
        self.counts: dict[bool, tuple[int, int]] = {}
        self.amounts: dict[bool, tuple[int, int]] = {}
        self.listed = {True: 0, False: 0}
        self.charged = {True: 0, False: 0}


class StatusCheck:
    """A 277CA's action codes against its categories (WQ accepts, U rejects: X12 RFI 2203), its totals against claims.

    Totals are judged only where claims of their kind are listed: a payer may list the rejected ones alone.
    """

    def __init__(self, guide: Guide, report: TransactionReport) -> None:
        self.report = report
        self.levels: list[_Level] = []
        self.judged = False
        self.handlers = handlers_by_name(guide, _STATUS)

    def finish(self, _position: int) -> None:
        """The transaction set has ended."""
        self._end_levels(0)

    def _hl(self, _text: str, _position: int, loop: str) -> None:
        depth = {"2000A": 0, "2000B": 0, "2000C": 1}.get(loop)
        self.judged = False
        if depth is not None:
            self._end_levels(depth)
            if loop != "2000A":
                self.levels.append(_Level("2200" + loop[-1]))

    def _end_levels(self, depth: int) -> None:
        while len(self.levels) > depth:
            level = self.levels.pop()
            for accepted, word in ((True, "accepted"), (False, "rejected")):
                self._compare(level, "QTY", level.counts.get(accepted), level.listed[accepted], word)
                if level.listed[accepted]:
                    self._compare(level, "AMT", level.amounts.get(accepted), level.charged[accepted], word)

    def _compare(self, level: _Level, segment: str, told: tuple[int, int] | None, found: int, word: str) -> None:
        if told is None or not found or told[1] == found:
            return
        code, what = ("status-count", "number") if segment == "QTY" else ("status-amount", "charges")
        message = f"The total of {word} claims differs from the {what} of the {word} claims listed below it."
        element = f"{segment}02"
        self.report.add(Finding(3, WARNING, code, message, segment, told[0], level.loop, element, "", "8", "7"))

    def _qty(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        if self.levels and self.levels[-1].loop == loop and at(values, 2).isdecimal():
            self.levels[-1].counts[at(values, 1) in ("90", "QA")] = (position, int(at(values, 2)[:9]))

    def _amt(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        charge = _cents(at(values, 2))
        if self.levels and self.levels[-1].loop == loop and charge is not None:
            self.levels[-1].amounts[at(values, 1) == "YU"] = (position, charge)

    def _stc(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        category, action = at(values, 1).split(COMPONENT)[0], at(values, 3)
        if (category in _REJECTING and action == "WQ") or (category in _ACCEPTING and action == "U"):
            message = f"Category {category} and action {action} contradict each other: WQ accepts, U rejects."
            finding = Finding(4, WARNING, "status-contradicts", message, "STC", position, loop, "STC03", "", "8", "7")
            self.report.add(finding)
        if loop == "2200D" and not self.judged:
            self.judged = True
            for level in self.levels:
                level.listed[category in _ACCEPTING] += 1
                level.charged[category in _ACCEPTING] += _cents(at(values, 4)) or 0


def _cents(text: str) -> int | None:
    try:
        return cents(text)
    except ValueError:
        return None


_ACKNOWLEDGEMENT: tuple[tuple[str, Handler], ...] = (
    ("AK2", AcknowledgementCheck._ak2),
    ("IK3", AcknowledgementCheck._ik3),
    ("IK5", AcknowledgementCheck._ik5),
    ("AK9", AcknowledgementCheck._ak9),
)
_STATUS: tuple[tuple[str, Handler], ...] = (
    ("HL", StatusCheck._hl),
    ("QTY", StatusCheck._qty),
    ("AMT", StatusCheck._amt),
    ("STC", StatusCheck._stc),
)
