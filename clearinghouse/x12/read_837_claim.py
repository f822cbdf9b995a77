"""Loop 2300 of an 837 and everything under it, segment by segment, to a Claim."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.claims_837 import (
    Attachment,
    Claim,
    Diagnosis,
    InstitutionalFacts,
    LineAdjudication,
    Note,
    Occurrence,
    OccurrenceSpan,
    OtherPayer,
    OtherSubscriber,
    Provider,
    ServiceLine,
    ValueCode,
)
from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.parties import Amount, Name, QualifiedDate

_DIAGNOSES = frozenset(("ABK", "BK", "ABF", "BF", "ABJ", "BJ", "APR", "PR", "ABN", "BN"))
_PATIENT_AMOUNTS = frozenset(("F3", "F5"))
_COVERAGE_AMOUNTS = {"D": "payer_paid_cents", "EAF": "remaining_patient_cents", "A8": "non_covered_cents"}


class ClaimReader:
    """The claim in hand and, inside it, the provider, other coverage, line or adjudication in hand."""

    def __init__(self, values: list[str], position: int, component: str, institutional: bool) -> None:
        self.component = component
        self.institutional = institutional
        place = [*at(values, 5).split(component), "", ""]
        self.claim: dict[str, Any] = {
            "patient_control_number": at(values, 1),
            "total_charge_cents": read.reading(read.cents, values, 2, position),
            "facility_code": place[0],
            "frequency_code": place[2],
            "signature_on_file": at(values, 6) or "Y",
            "assignment_code": at(values, 7),
            "benefits_assigned": at(values, 8),
            "release_of_information": at(values, 9),
            "patient_signature_source": at(values, 10),
            "delay_reason_code": at(values, 20),
            "lines": [],
            "diagnoses": [],
        }
        self.provider: dict[str, Any] | None = None
        self.coverage: dict[str, Any] | None = None
        self.party = ""
        self.line: dict[str, Any] | None = None
        self.decision: dict[str, Any] | None = None
        self.street: list[str] = []

    def take(self, values: list[str], position: int) -> None:
        """One segment of the claim. Raises X12FormatError."""
        handler = _HANDLERS.get(values[0])
        if handler is not None:
            handler(self, values, position)

    def finish(self) -> Claim:
        """The claim, when its last segment has been read."""
        self._close_line()
        self._close_coverage()
        self._close_provider()
        return Claim(**_frozen(self.claim))

    def _holder(self) -> dict[str, Any]:
        return self.line if self.line is not None else self.claim

    def _close_provider(self) -> None:
        if self.provider is not None:
            self._holder().setdefault("providers", []).append(Provider(**_frozen(self.provider)))
            self.provider = None

    def _close_decision(self) -> None:
        if self.decision is not None and self.line is not None:
            decided = LineAdjudication(**_frozen({"adjudicated_on": None, **self.decision}))
            self.line.setdefault("adjudications", []).append(decided)
        self.decision = None

    def _close_line(self) -> None:
        self._close_provider()
        self._close_decision()
        if self.line is not None:
            parts = {"charge_cents": 0, "units": Decimal(0), **self.line}
            self.line = None
            self.claim["lines"].append(ServiceLine(**_frozen(parts)))

    def _close_coverage(self) -> None:
        if self.coverage is not None:
            parts = self.coverage
            self.coverage = None
            payer = parts.pop("payer", {"name": Name("")})
            built = OtherSubscriber(payer=OtherPayer(**_frozen(payer)), **_frozen({"name": Name(""), **parts}))
            self.claim.setdefault("other_subscribers", []).append(built)
        self.party = ""

    def _nm1(self, values: list[str], _position: int) -> None:
        role = at(values, 1)
        if self.coverage is not None and self.line is None:
            self.party = {"IL": "own", "PR": "payer"}.get(role, "other")
            if self.party == "own":
                self.coverage["name"] = read.name(values)
            elif self.party == "payer":
                self.coverage["payer"] = {"name": read.name(values)}
            return
        self._close_provider()
        self.provider = {"role": role, "name": read.name(values)}

    def _n3(self, values: list[str], _position: int) -> None:
        self.street = values

    def _n4(self, values: list[str], _position: int) -> None:
        address = read.address(self.street, values)
        if self.provider is not None:
            self.provider["address"] = address
        elif self.coverage is not None and self.party == "own":
            self.coverage["address"] = address
        elif self.coverage is not None and self.party == "payer":
            self.coverage["payer"]["address"] = address

    def _prv(self, values: list[str], _position: int) -> None:
        if self.provider is not None:
            self.provider["taxonomy"] = at(values, 3)

    def _per(self, values: list[str], _position: int) -> None:
        if self.provider is not None:
            self.provider["contact"] = read.contact(values)

    def _ref(self, values: list[str], _position: int) -> None:
        reference = read.reference(values)
        if self.provider is not None:
            self.provider.setdefault("references", []).append(reference)
        elif self.line is not None:
            if reference.qualifier == "6R" and "control_number" not in self.line:
                self.line["control_number"] = reference.value
            else:
                self.line.setdefault("references", []).append(reference)
        elif self.coverage is None:
            self.claim.setdefault("references", []).append(reference)
        elif self.party == "own":
            self.coverage.setdefault("references", []).append(reference)
        elif self.party == "payer":
            self.coverage["payer"].setdefault("references", []).append(reference)

    def _dtp(self, values: list[str], position: int) -> None:
        qualifier = at(values, 1)
        if self.decision is not None:
            if qualifier == "573":
                self.decision["adjudicated_on"] = read.reading(read.day, values, 3, position)
        elif self.line is not None:
            self._line_date(self.line, values, position)
        elif self.coverage is not None:
            if self.party == "payer" and qualifier == "573":
                self.coverage["payer"]["adjudicated_on"] = read.reading(read.day, values, 3, position)
        else:
            self._claim_date(qualifier, values, position)

    def _line_date(self, line: dict[str, Any], values: list[str], position: int) -> None:
        dates = read.reading(lambda text: read.span(at(values, 2), text), values, 3, position)
        if at(values, 1) == "472" and "service_dates" not in line:
            line["service_dates"] = dates
        else:
            line.setdefault("dates", []).append(QualifiedDate(at(values, 1), dates))

    def _claim_date(self, qualifier: str, values: list[str], position: int) -> None:
        if qualifier == "096" and at(values, 2) == "TM":
            self.claim["discharge_time"] = read.reading(read.clock, values, 3, position)
            return
        if qualifier == "435":
            on = read.reading(read.day, values, 3, position)
            text = at(values, 3)
            hour = read.reading(lambda whole: read.clock(whole[8:]), values, 3, position) if len(text) == 12 else None
            self.claim["admitted_at"] = datetime.combine(on, hour) if hour is not None else on
            return
        dates = read.reading(lambda text: read.span(at(values, 2), text), values, 3, position)
        if qualifier == "434":
            self.claim["statement_dates"] = dates
        else:
            self.claim.setdefault("dates", []).append(QualifiedDate(qualifier, dates))

    def _cl1(self, values: list[str], _position: int) -> None:
        self.claim["institutional"] = InstitutionalFacts(at(values, 1), at(values, 2), at(values, 3))

    def _pwk(self, values: list[str], _position: int) -> None:
        if self.line is None:
            attachment = Attachment(at(values, 1), at(values, 2), at(values, 6))
            self.claim.setdefault("attachments", []).append(attachment)

    def _amt(self, values: list[str], position: int) -> None:
        qualifier, amount = at(values, 1), read.reading(read.cents, values, 2, position)
        if self.decision is not None:
            if qualifier == "EAF":
                self.decision["remaining_patient_cents"] = amount
        elif self.line is not None:
            self.line.setdefault("amounts", []).append(Amount(qualifier, amount))
        elif self.coverage is not None:
            if qualifier in _COVERAGE_AMOUNTS:
                self.coverage[_COVERAGE_AMOUNTS[qualifier]] = amount
        elif qualifier in _PATIENT_AMOUNTS and "patient_amount_cents" not in self.claim:
            self.claim["patient_amount_cents"] = amount
        else:
            self.claim.setdefault("amounts", []).append(Amount(qualifier, amount))

    def _nte(self, values: list[str], _position: int) -> None:
        self._holder().setdefault("notes", []).append(Note(at(values, 1), at(values, 2)))

    def _hi(self, values: list[str], position: int) -> None:
        for index in range(1, len(values)):
            if values[index]:
                self._code([*values[index].split(self.component), *[""] * 9], values, index, position)

    def _code(self, parts: list[str], values: list[str], index: int, position: int) -> None:
        qualifier, code = parts[0], parts[1]
        try:
            if qualifier in _DIAGNOSES:
                self.claim["diagnoses"].append(Diagnosis(qualifier, code, parts[8]))
            elif qualifier == "BG":
                self.claim.setdefault("condition_codes", []).append(code)
            elif qualifier == "BH":
                self.claim.setdefault("occurrences", []).append(Occurrence(code, read.day(parts[3])))
            elif qualifier == "BI":
                dates = read.span(parts[2], parts[3])
                self.claim.setdefault("occurrence_spans", []).append(OccurrenceSpan(code, dates.from_on, dates.last_on))
            elif qualifier == "BE":
                self.claim.setdefault("value_codes", []).append(ValueCode(code, read.decimal(parts[4])))
        except ValueError as problem:
            raise X12FormatError(f"{problem}.", position, f"{values[0]}{index:02d}") from None

    def _sbr(self, values: list[str], _position: int) -> None:
        self._close_provider()
        self._close_coverage()
        self.coverage = {
            "payer_responsibility": at(values, 1),
            "relationship": at(values, 2),
            "group_number": at(values, 3),
            "group_name": at(values, 4),
            "insurance_type": at(values, 5),
            "claim_filing_indicator": at(values, 9),
        }

    def _cas(self, values: list[str], position: int) -> None:
        target = self.decision if self.decision is not None else self.coverage
        if target is not None:
            found: list[Any] = target.setdefault("adjustments", [])
            found += read.reading(lambda _: read.adjustments(values), values, 3, position)

    def _oi(self, values: list[str], _position: int) -> None:
        if self.coverage is not None:
            self.coverage |= {
                "benefits_assigned": at(values, 3),
                "patient_signature_source": at(values, 4),
                "release_of_information": at(values, 6),
            }

    def _moa(self, values: list[str], position: int) -> None:
        if self.coverage is not None:
            self.coverage["outpatient_adjudication"] = read.reading(
                lambda _: read.outpatient(values), values, 1, position
            )

    def _lx(self, values: list[str], position: int) -> None:
        self._close_line()
        self._close_coverage()
        self.line = {"number": read.reading(read.whole, values, 1, position)}

    def _sv1(self, values: list[str], position: int) -> None:
        if self.line is None:
            return
        pointers = [part for part in at(values, 7).split(self.component) if part]
        try:
            numbers = tuple(read.whole(pointer) for pointer in pointers)
        except ValueError as problem:
            raise X12FormatError(f"{problem}.", position, "SV107") from None
        self.line |= {
            "procedure": read.procedure(at(values, 1), self.component),
            "charge_cents": read.reading(read.cents, values, 2, position),
            "unit_basis": at(values, 3),
            "units": read.reading(read.decimal, values, 4, position),
            "place_of_service": at(values, 5),
            "diagnosis_pointers": numbers,
            "emergency": at(values, 9) == "Y",
        }

    def _sv2(self, values: list[str], position: int) -> None:
        if self.line is None:
            return
        self.line |= {
            "revenue_code": at(values, 1),
            "procedure": read.procedure(at(values, 2), self.component),
            "charge_cents": read.reading(read.cents, values, 3, position),
            "unit_basis": at(values, 4),
            "units": read.reading(read.decimal, values, 5, position),
            "non_covered_cents": read.reading(read.optional_cents, values, 7, position),
        }

    def _svd(self, values: list[str], position: int) -> None:
        self._close_provider()
        self._close_decision()
        self.decision = {
            "payer_id": at(values, 1),
            "paid_cents": read.reading(read.cents, values, 2, position),
            "procedure": read.procedure(at(values, 3), self.component),
            "revenue_code": at(values, 4),
            "paid_units": read.reading(read.decimal, values, 5, position),
            "bundled_into": read.reading(read.whole, values, 6, position) if at(values, 6) else None,
        }


def _frozen(parts: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if value.__class__ is list else value for key, value in parts.items()}


_HANDLERS: dict[str, Callable[[ClaimReader, list[str], int], None]] = {
    "NM1": ClaimReader._nm1,
    "N3": ClaimReader._n3,
    "N4": ClaimReader._n4,
    "PRV": ClaimReader._prv,
    "PER": ClaimReader._per,
    "REF": ClaimReader._ref,
    "DTP": ClaimReader._dtp,
    "CL1": ClaimReader._cl1,
    "PWK": ClaimReader._pwk,
    "AMT": ClaimReader._amt,
    "NTE": ClaimReader._nte,
    "HI": ClaimReader._hi,
    "SBR": ClaimReader._sbr,
    "CAS": ClaimReader._cas,
    "OI": ClaimReader._oi,
    "MOA": ClaimReader._moa,
    "LX": ClaimReader._lx,
    "SV1": ClaimReader._sv1,
    "SV2": ClaimReader._sv2,
    "SVD": ClaimReader._svd,
}
