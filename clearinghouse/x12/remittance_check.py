"""SNIP 3 to 5 of an 835: its balance, its payment, the shapes of its codes."""

from __future__ import annotations

import re

from clearinghouse.x12.code_sets import is_npi
from clearinghouse.x12.decoding import at, cents
from clearinghouse.x12.encoding import money
from clearinghouse.x12.findings import ERROR, NOTE, WARNING, Finding, TransactionReport, redacted
from clearinghouse.x12.guide import Guide
from clearinghouse.x12.patterns import ELEMENT
from clearinghouse.x12.walk import Handler, handlers_by_name

_AMOUNTS = range(3, 20, 3)
_REASON = re.compile(r"\d{1,3}|[A-Z]\d{1,3}")
_REMARK = re.compile(r"[A-Z]{1,2}\d{1,4}")


class RemittanceCheck:
    """The three equations of an 835 (X221 balancing): line, claim, transaction."""

    def __init__(self, guide: Guide, report: TransactionReport) -> None:
        self.report = report
        self.payment: int | None = None
        self.payment_position = 0
        self.paid = 0
        self.adjusted_by_provider = 0
        self.exact = True
        self.claim: list[int] | None = None  # position, charge, paid, adjusted, patient share sent, patient adjusted
        self.line: list[int] | None = None  # position, charge, paid, adjusted
        self.lines_gap = self.claims_gap = 0
        self.whole = True
        self.line_totals = [0, 0]
        self.has_lines = False
        self.handlers = handlers_by_name(guide, _REMITTANCE)

    def finish(self, _position: int) -> None:
        """The transaction set has ended."""
        self._end_claim()
        if self.payment is None or not self.exact:
            return
        expected = self.paid - self.adjusted_by_provider
        if self.payment not in (expected, expected + self.claims_gap):  # a claim that is off was told itself
            message = (
                f"The payment (BPR02) is {money(self.payment)}; the claims' payments less provider adjustments "
                f"come to {money(expected)}."
            )
            self._add(ERROR, "payment-out-of-balance", message, "BPR", self.payment_position, "", "BPR02")
        elif self.payment < 0:
            message = "A payment is not negative: what the payee owes is carried forward with a PLB adjustment (FB)."
            self._add(WARNING, "payment-negative", message, "BPR", self.payment_position, "", "BPR02")

    def _end_line(self) -> None:
        line, self.line = self.line, None
        if line is None:
            return
        position, charge, paid, adjusted = line
        self.line_totals[0] += charge
        self.line_totals[1] += paid
        self.lines_gap += charge - adjusted - paid
        if charge - adjusted != paid:
            message = f"Line charge {money(charge)} less adjustments {money(adjusted)} is not the paid {money(paid)}."
            self._add(ERROR, "line-out-of-balance", message, "SVC", position, "2110", "SVC03")

    def _end_claim(self) -> None:
        self._end_line()
        claim, self.claim = self.claim, None
        if claim is None:
            return
        position, charge, paid, adjusted, patient, patient_adjusted = claim
        self.paid += paid
        gap = charge - adjusted - paid
        if gap and gap != self.lines_gap:
            self.claims_gap += gap
            message = f"Claim charge {money(charge)} less adjustments {money(adjusted)} is not the paid {money(paid)}."
            self._add(ERROR, "claim-out-of-balance", message, "CLP", position, "2100", "CLP04")
        elif self.has_lines and self.whole and self.line_totals[0] != charge:
            message = f"The lines' charges come to {money(self.line_totals[0])}; the claim's charge is {money(charge)}."
            self._add(NOTE, "charges-differ", message, "CLP", position, "2100", "CLP03")
        if patient >= 0 and patient != patient_adjusted:
            message = "The patient's share (CLP05) differs from the patient responsibility adjustments."
            self._add(NOTE, "patient-share-differs", message, "CLP", position, "2100", "CLP05")

    def _bpr(self, text: str, position: int, _loop: str) -> None:
        values = text.split(ELEMENT)
        self.payment, self.payment_position = self._cents(at(values, 2)), position
        if self.payment and at(values, 4) == "NON":
            message = "The payment method says that nothing is paid (BPR04 = NON), and BPR02 is not zero."
            self._add(ERROR, "payment-method", message, "BPR", position, "", "BPR04")

    def _clp(self, text: str, position: int, _loop: str) -> None:
        self._end_claim()
        values = text.split(ELEMENT)
        patient = self._cents(at(values, 5)) if at(values, 5) else -1
        self.claim = [position, self._cents(at(values, 3)), self._cents(at(values, 4)), 0, patient, 0]
        self.line_totals, self.has_lines, self.lines_gap, self.whole = [0, 0], False, 0, True

    def _svc(self, text: str, position: int, _loop: str) -> None:
        self._end_line()
        values = text.split(ELEMENT)
        if len(values) < 2:
            self.whole = False  # an SVC that never came: its line cannot be balanced
            return
        self.line = [position, self._cents(at(values, 2)), self._cents(at(values, 3)), 0]
        self.has_lines = True

    def _cas(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        for index in range(2, len(values), 3):
            if values[index] and _REASON.fullmatch(values[index]) is None:
                message = f"CAS{index:02d} has not the form of an adjustment reason code."
                element, shape = f"CAS{index:02d}", redacted(values[index])
                found = Finding(5, ERROR, "reason-shape", message, "CAS", position, loop, element, shape, "8", "7")
                self.report.add(found)
        total = sum(self._cents(values[index]) for index in _AMOUNTS if index < len(values))
        if self.line is not None:
            self.line[3] += total
        if self.claim is not None:
            self.claim[3] += total
            if at(values, 1) == "PR":
                self.claim[5] += total

    def _lq(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        if at(values, 1) == "HE" and _REMARK.fullmatch(at(values, 2)) is None:
            message = "LQ02 has not the form of a remark code (one or two letters and a number)."
            shape = redacted(at(values, 2))
            self.report.add(Finding(5, ERROR, "remark-shape", message, "LQ", position, loop, "LQ02", shape, "8", "7"))

    def _plb(self, text: str, _position: int, _loop: str) -> None:
        self._end_claim()
        values = text.split(ELEMENT)
        self.adjusted_by_provider += sum(self._cents(value) for value in values[4::2])

    def _nm1(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        self._npi(at(values, 8), at(values, 9), "NM109", position, loop)

    def _n1(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        self._npi(at(values, 3), at(values, 4), "N104", position, loop)

    def _npi(self, qualifier: str, value: str, element: str, position: int, loop: str) -> None:
        if qualifier == "XX" and not is_npi(value):
            message = f"{element} is not a National Provider Identifier: ten digits whose check digit must fit."
            shape = redacted(value)
            finding = Finding(
                5, WARNING, "npi-invalid", message, element[:-2], position, loop, element, shape, "8", "7"
            )
            self.report.add(finding)

    def _cents(self, text: str) -> int:
        try:
            return cents(text)
        except ValueError:
            self.exact = False
            return 0

    def _add(
        self, severity: str, code: str, message: str, segment: str, position: int, loop: str, element: str
    ) -> None:
        finding = Finding(3, severity, code, message, segment, position, loop, element, "", "8", "7")
        self.report.add(finding)


_REMITTANCE: tuple[tuple[str, Handler], ...] = (
    ("BPR", RemittanceCheck._bpr),
    ("CLP", RemittanceCheck._clp),
    ("SVC", RemittanceCheck._svc),
    ("CAS", RemittanceCheck._cas),
    ("LQ", RemittanceCheck._lq),
    ("PLB", RemittanceCheck._plb),
    ("NM1", RemittanceCheck._nm1),
    ("N1", RemittanceCheck._n1),
)
