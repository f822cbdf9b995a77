"""Loop 2300 of an 837 and everything under it, segment by segment, to a Claim."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.claims_837 import (
    CLAIM_PROVIDERS,
    LINE_PROVIDERS,
    OTHER_PAYER_PROVIDERS,
    Attachment,
    Claim,
    ClaimKind,
    InstitutionalFacts,
    LineAdjudication,
    Note,
    OtherPayer,
    OtherSubscriber,
    Provider,
    ServiceLine,
)
from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.parties import Amount, Name, QualifiedDate, UnreadSegment
from clearinghouse.x12.read_837_codes import read_code
from clearinghouse.x12.read_837_fields import says_more

_DRUG, _FORM = frozenset(("LIN", "CTP")), frozenset(("LQ", "FRM"))
_PROCEDURE_COMPONENTS = 7
_PATIENT_AMOUNTS = frozenset(("F3", "F5"))
_OTHER_PARTIES = {"IL": "own", "PR": "payer"}
# AMT01 and whether it stands under a line's adjudication.
_DECIDED_AMOUNTS = {
    ("D", False): "payer_paid_cents",
    ("EAF", False): "remaining_patient_cents",
    ("A8", False): "non_covered_cents",
    ("EAF", True): "remaining_patient_cents",
}


class ClaimReader:
    """The claim in hand and, inside it, the provider, other coverage, line or adjudication in hand."""

    def __init__(self, values: list[str], position: int, component: str, kind: ClaimKind) -> None:
        self.component = component
        self.kind: ClaimKind = kind
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
        self.aside = ""  # loop 2410 or 2440 of the line in hand, for which there are no values
        self.unread: list[UnreadSegment] = []
        usual = ("A", "", "") if kind == "institutional" else ("B", at(values, 6), at(values, 10))
        if says_more(values) or (place[1], at(values, 6), at(values, 10)) != usual:
            self.keep(values, position)

    def take(self, values: list[str], position: int) -> None:
        """One segment of the claim. Raises X12FormatError."""
        name = values[0]
        handler = _HANDLERS.get(name)
        if handler is None or (self.aside and name == "REF"):
            if name in _DRUG or name in _FORM:
                self._close_provider()
                self.aside = "2410" if name in _DRUG else "2440"
            self.keep(values, position)
            return
        handler(self, values, position)
        if says_more(values):
            self.keep(values, position)

    def keep(self, values: list[str], position: int) -> None:
        """Keep a segment that says more than there are values for."""
        if not self.unread or self.unread[-1].position != position:
            self.unread.append(UnreadSegment(self._loop(), position, tuple(values)))

    def _loop(self) -> str:
        """The loop of the segment just read."""
        if self.aside:
            return self.aside
        if self.line is not None:
            if self.provider is not None:
                return LINE_PROVIDERS[self.kind].get(self.provider["role"], "2420")
            return "2400" if self.decision is None else "2430"
        if self.coverage is not None:
            if self.provider is not None:
                return OTHER_PAYER_PROVIDERS[self.kind].get(self.provider["role"], "2330")
            return {"own": "2330A", "payer": "2330B"}.get(self.party, "2320")
        return CLAIM_PROVIDERS[self.kind].get(self.provider["role"], "2310") if self.provider is not None else "2300"

    def finish(self) -> Claim:
        """The claim, when its last segment has been read."""
        self._close_line()
        self._close_coverage()
        self._close_provider()
        return Claim(**_frozen(self.claim), unread=tuple(self.unread))

    def _holder(self) -> dict[str, Any]:
        if self.line is not None:
            return self.line
        return self.coverage if self.coverage is not None else self.claim

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
        self.aside = ""
        if self.line is not None:
            parts = {"charge_cents": 0, "units": Decimal(0), **self.line}
            self.line = None
            self.claim["lines"].append(ServiceLine(**_frozen(parts)))

    def _close_coverage(self) -> None:
        self._close_provider()
        if self.coverage is not None:
            parts = self.coverage
            self.coverage = None
            payer = parts.pop("payer", {"name": Name("")})
            built = OtherSubscriber(payer=OtherPayer(**_frozen(payer)), **_frozen({"name": Name(""), **parts}))
            self.claim.setdefault("other_subscribers", []).append(built)
        self.party = ""

    def _nm1(self, values: list[str], _position: int) -> None:
        role = at(values, 1)
        self._close_provider()
        self._close_decision()
        self.aside = ""
        if self.coverage is not None and self.line is None and role in _OTHER_PARTIES:
            self.party = _OTHER_PARTIES[role]
            if self.party == "own":
                self.coverage["name"] = read.name(values)
            else:
                self.coverage["payer"] = {"name": read.name(values)}
        else:
            self.provider = {"role": role, "name": read.name(values)}

    def _addressee(self) -> dict[str, Any] | None:
        """Who an N3 and N4 belong to."""
        if self.provider is not None:
            return self.provider
        if self.coverage is not None and self.line is None and self.party:
            found: dict[str, Any] = self.coverage["payer"] if self.party == "payer" else self.coverage
            return found
        return None

    def _n3(self, values: list[str], position: int) -> None:
        self.street = values
        self._address([], values, position)

    def _n4(self, values: list[str], position: int) -> None:
        self._address(values, values, position)

    def _address(self, city: list[str], values: list[str], position: int) -> None:
        addressee = self._addressee()
        if addressee is None:
            self.keep(values, position)
        else:
            addressee["address"] = read.address(self.street, city)

    def _prv(self, values: list[str], position: int) -> None:
        if self.provider is not None and at(values, 2) == "PXC" and "taxonomy" not in self.provider:
            self.provider["taxonomy"] = at(values, 3)
        else:
            self.keep(values, position)

    def _per(self, values: list[str], position: int) -> None:
        if self.provider is not None and "contact" not in self.provider:
            self.provider["contact"] = read.contact(values)
        else:
            self.keep(values, position)

    def _ref(self, values: list[str], position: int) -> None:
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
        else:
            self.keep(values, position)

    def _dtp(self, values: list[str], position: int) -> None:
        qualifier = at(values, 1)
        decided = self.decision
        if decided is None and self.line is None and self.coverage is not None and self.party == "payer":
            decided = self.coverage["payer"]
        if decided is not None and qualifier == "573":
            decided["adjudicated_on"] = read.reading(read.day, values, 3, position)
        elif self.decision is not None or (self.line is None and self.coverage is not None):
            self.keep(values, position)
        elif self.line is not None:
            self._line_date(self.line, values, position)
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
        self._here().setdefault("attachments", []).append(Attachment(at(values, 1), at(values, 2), at(values, 6)))

    def _amt(self, values: list[str], position: int) -> None:
        qualifier, amount = at(values, 1), read.reading(read.cents, values, 2, position)
        if self.decision is not None or (self.line is None and self.coverage is not None):
            decided = self.decision if self.decision is not None else self.coverage
            field = _DECIDED_AMOUNTS.get((qualifier, self.decision is not None))
            if decided is None or field is None:
                self.keep(values, position)
            else:
                decided[field] = amount
        elif self.line is None and qualifier in _PATIENT_AMOUNTS and "patient_amount_cents" not in self.claim:
            self.claim["patient_amount_cents"] = amount
        else:
            self._here().setdefault("amounts", []).append(Amount(qualifier, amount))

    def _k3(self, values: list[str], _position: int) -> None:
        self._here().setdefault("fixed_format", []).append(at(values, 1))

    def _nte(self, values: list[str], _position: int) -> None:
        self._here().setdefault("notes", []).append(Note(at(values, 1), at(values, 2)))

    def _here(self) -> dict[str, Any]:
        return self.line if self.line is not None else self.claim

    def _hi(self, values: list[str], position: int) -> None:
        for index in range(1, len(values)):
            if values[index] and not read_code(self.claim, values, index, self.component, position):
                self.keep(values, position)

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
        else:
            self.keep(values, position)

    def _oi(self, values: list[str], position: int) -> None:
        if self.coverage is not None:
            self.coverage |= {
                "benefits_assigned": at(values, 3),
                "patient_signature_source": at(values, 4),
                "release_of_information": at(values, 6),
            }
        else:
            self.keep(values, position)

    def _mia(self, values: list[str], position: int) -> None:
        if self.coverage is not None:
            self.coverage["inpatient_adjudication"] = read.inpatient(values)
        else:
            self.keep(values, position)

    def _moa(self, values: list[str], position: int) -> None:
        if self.coverage is not None:
            decided = read.reading(lambda _: read.outpatient(values), values, 1, position)
            self.coverage["outpatient_adjudication"] = decided
        else:
            self.keep(values, position)

    def _lx(self, values: list[str], position: int) -> None:
        self._close_line()
        self._close_coverage()
        self.line = {"number": read.reading(read.whole, values, 1, position)}

    def _sv1(self, values: list[str], position: int) -> None:
        if self.line is None:
            self.keep(values, position)
            return
        self._procedure(values, 1, position)
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
            self.keep(values, position)
            return
        self._procedure(values, 2, position)
        self.line |= {
            "revenue_code": at(values, 1),
            "procedure": read.procedure(at(values, 2), self.component),
            "charge_cents": read.reading(read.cents, values, 3, position),
            "unit_basis": at(values, 4),
            "units": read.reading(read.decimal, values, 5, position),
            "non_covered_cents": read.reading(read.optional_cents, values, 7, position),
        }

    def _procedure(self, values: list[str], index: int, position: int) -> None:
        """Keep a service whose procedure says more than a code, modifiers and a description."""
        if at(values, index).count(self.component) >= _PROCEDURE_COMPONENTS:
            self.keep(values, position)

    def _svd(self, values: list[str], position: int) -> None:
        self._close_provider()
        self._close_decision()
        self.aside = ""
        self.decision = {
            "payer_id": at(values, 1),
            "paid_cents": read.reading(read.cents, values, 2, position),
            "procedure": read.procedure(at(values, 3), self.component),
            "revenue_code": at(values, 4),
            "paid_units": read.reading(read.decimal, values, 5, position),
            "bundled_into": read.reading(read.whole, values, 6, position) if at(values, 6) else None,
        }
        self._procedure(values, 3, position)


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
    "K3": ClaimReader._k3,
    "AMT": ClaimReader._amt,
    "NTE": ClaimReader._nte,
    "HI": ClaimReader._hi,
    "SBR": ClaimReader._sbr,
    "CAS": ClaimReader._cas,
    "OI": ClaimReader._oi,
    "MIA": ClaimReader._mia,
    "MOA": ClaimReader._moa,
    "LX": ClaimReader._lx,
    "SV1": ClaimReader._sv1,
    "SV2": ClaimReader._sv2,
    "SVD": ClaimReader._svd,
}
