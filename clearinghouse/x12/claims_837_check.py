"""SNIP 3 to 5 of an 837: gathers each claim's facts as its segments pass and judges them when the claim ends."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from clearinghouse.x12 import codes_837, situations_837
from clearinghouse.x12.balance_837 import balance_findings
from clearinghouse.x12.claim_facts import (
    AdjudicationFact,
    ClaimFact,
    CoverageFact,
    DiagnosisFact,
    LineFact,
    Placed,
    SubscriberFact,
)
from clearinghouse.x12.code_sets import CodeSets
from clearinghouse.x12.decoding import at, cents
from clearinghouse.x12.explain import is_date
from clearinghouse.x12.findings import TransactionReport
from clearinghouse.x12.guide import Guide, SegmentNode
from clearinghouse.x12.patterns import COMPONENT, ELEMENT
from clearinghouse.x12.walk import Handler

_SEEN_NUMBERS_KEPT = 100_000
_AMOUNTS = range(3, 20, 3)


class ClaimsCheck:
    """The claim checks of one transaction set. `handlers` are called by the walk."""

    def __init__(self, guide: Guide, report: TransactionReport, code_sets: CodeSets) -> None:
        self.report = report
        self.code_sets = code_sets
        self.institutional = guide.kind == "837I"
        self.created = ""
        self.subscriber = SubscriberFact(0)
        self.claim: ClaimFact | None = None
        self.line: LineFact | None = None
        self.coverage: CoverageFact | None = None
        self.adjudication: AdjudicationFact | None = None
        self.numbers: set[str] = set()
        self.told_of_release = False
        self.handlers = _handlers(guide)

    def finish(self, _position: int) -> None:
        """The transaction set has ended."""
        self._end_claim()
        self._end_subscriber()

    def _end_claim(self) -> None:
        claim, self.claim = self.claim, None
        if claim is None:
            return
        self.line = self.coverage = self.adjudication = None
        report = self.report
        report.add_all(balance_findings(claim))
        report.add_all(situations_837.claim_findings(claim, self.subscriber, self.institutional, self.created))
        for finding in codes_837.claim_findings(claim, self.institutional, self.code_sets):
            if finding.code != codes_837.RELEASE_MISSING:
                report.add(finding)
            elif not self.told_of_release:
                self.told_of_release = True  # once for the set: it is not the claims' fault
                report.add(finding)
        if claim.number in self.numbers:
            report.add(situations_837.repeated_claim(claim))
        elif len(self.numbers) < _SEEN_NUMBERS_KEPT:
            self.numbers.add(claim.number)

    def _end_subscriber(self) -> None:
        if self.subscriber.position:
            self.report.add_all(situations_837.subscriber_findings(self.subscriber))

    def _bht(self, text: str, _position: int, _loop: str) -> None:
        self.created = at(text.split(ELEMENT), 4)

    def _hl(self, text: str, position: int, loop: str) -> None:
        self._end_claim()
        if loop == "2000C":
            self.subscriber.has_patient = True
            self.subscriber.patient_born = ""
            return
        self._end_subscriber()
        promises = at(text.split(ELEMENT), 4) == "1"
        self.subscriber = SubscriberFact(position if loop == "2000B" else 0, promises_patient=promises)

    def _sbr(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        if loop == "2320":
            self.coverage = CoverageFact(position, at(values, 1))
            if self.claim is not None:
                self.claim.coverages.append(self.coverage)
            return
        if self.subscriber.responsibility:  # a second subscriber whose HL is missing
            self._end_claim()
            self._end_subscriber()
            self.subscriber = SubscriberFact(position)
        subscriber = self.subscriber
        subscriber.responsibility = at(values, 1)
        subscriber.relationship = at(values, 2)
        subscriber.filing_indicator = at(values, 9)

    def _nm1(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        if at(values, 8) == "XX":
            self.report.add_all(codes_837.npi_findings(values, position, loop))
        if loop == "2010BA":
            self.subscriber.name_position = position
            self.subscriber.named = len(values) > 2
            self.subscriber.member_id = at(values, 9)
        elif loop == "2330B" and self.coverage is not None:
            self.coverage.payer_id = at(values, 9)
        elif loop.startswith("2310") and self.claim is not None:
            self.claim.roles.add(at(values, 1))

    def _n3(self, text: str, position: int, loop: str) -> None:
        if loop == "2010BA":
            self.subscriber.has_street = True
            return
        self.report.add_all(situations_837.street_findings(text.split(ELEMENT), position, loop))

    def _n4(self, text: str, position: int, loop: str) -> None:
        if loop == "2010BA":
            self.subscriber.has_city = True
        self.report.add_all(codes_837.postal_findings(text.split(ELEMENT), position, loop, self.institutional))

    def _dmg(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        born = at(values, 2)
        if loop == "2010CA":
            self.subscriber.patient_born = born
        else:
            self.subscriber.has_demographics = True
            self.subscriber.born = born
        self.report.add_all(situations_837.birth_findings(born, self.created, position, loop))

    def _prv(self, text: str, position: int, loop: str) -> None:
        self.report.add_all(codes_837.taxonomy_findings(text.split(ELEMENT), position, loop))

    def _clm(self, text: str, position: int, _loop: str) -> None:
        self._end_claim()
        values = text.split(ELEMENT)
        place = at(values, 5).split(COMPONENT)
        causes = at(values, 11).split(COMPONENT)
        self.claim = ClaimFact(position, at(values, 1), _cents(at(values, 2)), at(place, 0), at(place, 2))
        self.claim.causes, self.claim.accident_state = tuple(causes[:3]), at(causes, 3)
        self.coverage = None

    def _claim_date(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        if "-" in text:
            self.report.add_all(situations_837.span_findings(values, position, loop))
        claim = self.claim
        if claim is None:
            return
        claim.dates.add(at(values, 1))
        if at(values, 1) == "434":
            first, _, last = at(values, 3).partition("-")
            if is_date(first) and is_date(last) and first <= last:
                claim.statement_from, claim.statement_through, claim.statement_position = first, last, position
        elif at(values, 1) == "435":
            claim.admitted = Placed(at(values, 3)[:8], position)

    def _cl1(self, text: str, position: int, _loop: str) -> None:
        if self.claim is not None:
            values = text.split(ELEMENT)
            self.claim.admission_type = at(values, 1)
            self.claim.patient_status = Placed(at(values, 3), position)

    def _claim_ref(self, text: str, _position: int, _loop: str) -> None:
        if self.claim is not None:
            self.claim.references.add(text[4:6])

    def _hi(self, text: str, position: int, _loop: str) -> None:
        if self.claim is None:
            return
        for index, value in enumerate(text.split(ELEMENT)):
            parts = value.split(COMPONENT)
            if not index:
                continue
            if parts[0] in codes_837.DIAGNOSIS_QUALIFIERS:
                element = f"HI{index:02d}-2"
                present = at(parts, 8)
                self.claim.diagnoses.append(DiagnosisFact(parts[0], at(parts, 1), present, element, position))
            elif parts[0] in codes_837.BILLING_QUALIFIERS:
                self.report.add_all(codes_837.billing_code_findings(parts, index, position))

    def _amount(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        paid = _cents(at(values, 2))
        if loop == "2320" and self.coverage is not None and at(values, 1) == "D":
            self.coverage.paid_cents = paid
        if paid is not None and paid < 0:
            self.report.add(situations_837.negative_amount(position, loop))

    def _decided(self, text: str, _position: int, _loop: str) -> None:
        if self.coverage is not None and text.startswith("573", 4):
            self.coverage.decided_on = True

    def _pwk(self, text: str, position: int, loop: str) -> None:
        self.report.add_all(situations_837.attachment_findings(text.split(ELEMENT), position, loop))

    def _cas(self, text: str, _position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        total = sum(_cents(values[index]) or 0 for index in _AMOUNTS if index < len(values))
        if loop == "2430":
            if self.adjudication is not None:
                self.adjudication.adjusted_cents += total
        elif self.coverage is not None:
            self.coverage.adjusted_cents += total
            self.coverage.adjusted = True

    def _lx(self, text: str, position: int, _loop: str) -> None:
        self.line = LineFact(position, text[3:])
        self.adjudication = None
        if self.claim is not None:
            self.claim.lines.append(self.line)

    def _sv1(self, text: str, position: int, _loop: str) -> None:
        line = self.line
        if line is None:
            return
        values = text.split(ELEMENT)
        line.service_position = position
        line.procedure, line.procedure_element = at(values, 1).split(COMPONENT), "SV101"
        line.charge_cents, line.units = _cents(at(values, 2)), at(values, 4)
        pointers = at(values, 7)
        line.pointers = pointers.split(COMPONENT) if pointers else []

    def _sv2(self, text: str, position: int, _loop: str) -> None:
        line = self.line
        if line is None:
            return
        values = text.split(ELEMENT)
        line.service_position = position
        line.revenue = at(values, 1)
        composite = at(values, 2)
        line.procedure = composite.split(COMPONENT) if composite else []
        line.procedure_element = "SV202"
        line.charge_cents, line.units = _cents(at(values, 3)), at(values, 5)

    def _line_date(self, text: str, position: int, loop: str) -> None:
        values = text.split(ELEMENT)
        if "-" in text:
            self.report.add_all(situations_837.span_findings(values, position, loop))
        if self.line is not None and at(values, 1) == "472":
            first, _, last = at(values, 3).partition("-")
            first, last = first[:8], (last or first)[:8]
            if is_date(first) and is_date(last):
                self.line.date_from, self.line.date_through = first, last
            self.line.date_position = position

    def _line_ref(self, text: str, _position: int, _loop: str) -> None:
        if self.line is not None and text.startswith("6R", 4):
            self.line.control_number = text[7:]

    def _svd(self, text: str, position: int, _loop: str) -> None:
        if self.line is None:
            return
        values = text.split(ELEMENT)
        self.adjudication = AdjudicationFact(at(values, 1), _cents(at(values, 2)), position)
        self.line.adjudications.append(self.adjudication)


def _cents(text: str) -> int | None:
    try:
        return cents(text)
    except ValueError:
        return None


_ANYWHERE: dict[str, Handler] = {
    "BHT": ClaimsCheck._bht,
    "HL": ClaimsCheck._hl,
    "SBR": ClaimsCheck._sbr,
    "NM1": ClaimsCheck._nm1,
    "N4": ClaimsCheck._n4,
    "DMG": ClaimsCheck._dmg,
    "PRV": ClaimsCheck._prv,
    "CLM": ClaimsCheck._clm,
    "CL1": ClaimsCheck._cl1,
    "HI": ClaimsCheck._hi,
    "CAS": ClaimsCheck._cas,
    "PWK": ClaimsCheck._pwk,
    "LX": ClaimsCheck._lx,
    "SV1": ClaimsCheck._sv1,
    "SV2": ClaimsCheck._sv2,
    "SVD": ClaimsCheck._svd,
}
_IN_LOOP: dict[tuple[str, str], Handler] = {
    ("DTP", "2300"): ClaimsCheck._claim_date,
    ("DTP", "2400"): ClaimsCheck._line_date,
    ("REF", "2300"): ClaimsCheck._claim_ref,
    ("REF", "2400"): ClaimsCheck._line_ref,
    ("AMT", "2300"): ClaimsCheck._amount,
    ("AMT", "2320"): ClaimsCheck._amount,
    ("DTP", "2330B"): ClaimsCheck._decided,
    ("N3", "2010BA"): ClaimsCheck._n3,
    ("N3", "2010AA"): ClaimsCheck._n3,
}


@cache
def _handlers(guide: Guide) -> Mapping[SegmentNode, Handler]:
    found: dict[SegmentNode, Handler] = {}
    for node in guide.segments:
        method = _IN_LOOP.get((node.name, node.loop.name)) or _ANYWHERE.get(node.name)
        if method is not None:
            found[node] = method
    return MappingProxyType(found)
