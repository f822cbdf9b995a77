"""The bytes of an 837I or 837P to its values, streaming by claim: ours or a peer's. Lenient: `check` judges, this
reads.

What the values have no field for (CR1, HCP, LIN, FRM ...) is kept as `unread` segments with their loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.claims_837 import (
    BillingProvider,
    Claim,
    ClaimKind,
    ClaimTransaction,
    FiledClaim,
    Patient,
    Payer,
    PayToPlan,
    Submitter,
    Subscriber,
)
from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.parties import Address, Demographics, Name, UnreadSegment
from clearinghouse.x12.read_837_claim import ClaimReader
from clearinghouse.x12.read_837_fields import says_more
from clearinghouse.x12.tokens import Source
from clearinghouse.x12.transactions import Enclosure, read_lines

_CLAIM_CLOSERS = frozenset(("CLM", "HL", "SE"))
_NO_ADDRESS = Address("", "")
# HL03 (blank above the first) and NM101 of the parties above the claims.
_ROLES = {
    ("", "41"): "submitter",
    ("", "40"): "receiver",
    ("20", "85"): "billing",
    ("20", "87"): "pay_to",
    ("20", "PE"): "plan",
    ("22", "IL"): "own",
    ("22", "PR"): "payer",
    ("23", "QC"): "own",
}
_ADDRESSED = frozenset(("billing", "pay_to", "plan", "own", "payer"))
_LISTED = {
    "REF": {"billing": "references", "plan": "plan_references", "own": "references", "payer": "payer_references"},
    "PER": {"submitter": "contacts", "billing": "contacts"},
}
_LOOPS = {
    ("", "submitter"): "1000A",
    ("", "receiver"): "1000B",
    ("20", ""): "2000A",
    ("20", "billing"): "2010AA",
    ("20", "pay_to"): "2010AB",
    ("20", "plan"): "2010AC",
    ("22", ""): "2000B",
    ("22", "own"): "2010BA",
    ("22", "payer"): "2010BB",
    ("23", ""): "2000C",
    ("23", "own"): "2010CA",
}


def read_837(source: Source) -> list[ClaimTransaction]:
    """Every 837 transaction set of a file, whole. Raises X12FormatError."""
    found: list[_Gathered] = []
    for enclosure, filed in stream_837(source):
        if not found or found[-1].enclosure is not enclosure:
            found.append(_Gathered(enclosure, filed))
        found[-1].add(filed)
    return [gathered.transaction() for gathered in found]


def stream_837(source: Source) -> Iterator[tuple[Enclosure, FiledClaim]]:
    """Each claim of a file with what stands above it; nothing else is kept. Raises X12FormatError."""
    reader: _Reader | None = None
    for enclosure, values, position in read_lines(source, "837", counted=False):
        if position == 1:
            reader = _Reader(enclosure)
            continue
        assert reader is not None
        filed = reader.take(values, position)
        if filed is not None:
            yield enclosure, filed


class _Gathered:
    """The claims of one ST put back under their subscribers and billing providers."""

    def __init__(self, enclosure: Enclosure, filed: FiledClaim) -> None:
        self.enclosure = enclosure
        self.header = filed.header
        self.providers: list[tuple[BillingProvider, list[tuple[Subscriber, list[Claim]]]]] = []

    def add(self, filed: FiledClaim) -> None:
        if not self.providers or self.providers[-1][0] is not filed.billing_provider:
            self.providers.append((filed.billing_provider, []))
        subscribers = self.providers[-1][1]
        if not subscribers or subscribers[-1][0] is not filed.subscriber:
            subscribers.append((filed.subscriber, []))
        subscribers[-1][1].append(filed.claim)

    def transaction(self) -> ClaimTransaction:
        providers = tuple(
            replace(
                provider,
                subscribers=tuple(replace(subscriber, claims=tuple(claims)) for subscriber, claims in subscribers),
            )
            for provider, subscribers in self.providers
        )
        return replace(self.header, billing_providers=providers)


class _Reader:
    """The levels above the claim in hand, kept as parts until a claim needs them."""

    def __init__(self, enclosure: Enclosure) -> None:
        self.enclosure = enclosure
        guide = at([*enclosure.start], 3) or at([*enclosure.group], 8)
        self.kind: ClaimKind = "institutional" if "X223" in guide else "professional"
        self.header: ClaimTransaction | None = None
        self.parts: dict[str, Any] = {"submitter": Name(""), "receiver": Name("")}
        self.level = ""
        self.inside = ""
        self.provider: dict[str, Any] = {}
        self.subscriber: dict[str, Any] = {}
        self.patient: dict[str, Any] | None = None
        self.built_provider: BillingProvider | None = None
        self.built_subscriber: Subscriber | None = None
        self.built_patient: Patient | None = None
        self.street: list[str] = []
        self.claim: ClaimReader | None = None

    def take(self, values: list[str], position: int) -> FiledClaim | None:
        """One segment; the claim it closes, if any."""
        name = values[0]
        filed = None
        if self.claim is not None:
            if name not in _CLAIM_CLOSERS:
                self.claim.take(values, position)
                return None
            filed = self._file(position)
        if name == "CLM":
            self.claim = ClaimReader(values, position, self.enclosure.component, self.kind)
        elif name == "HL":
            self._level(at(values, 3))
        else:
            self._above(name, values, position)
        return filed

    def _level(self, code: str) -> None:
        self.level, self.inside = code, ""
        if code == "20":
            self.provider = {}
            self.built_provider = None
        if code in ("20", "22"):
            self.subscriber = {}
            self.built_subscriber = None
        self.patient = {} if code == "23" else None
        self.built_patient = None

    def _above(self, name: str, values: list[str], position: int) -> None:
        """A segment above the claims; one with no home, or that says more than its home holds, is kept."""
        placed = True
        if name == "BHT":
            self._header(values, position)
        elif name == "NM1":
            placed = self._name(values)
        elif name in ("N3", "N4"):
            placed = self._address(name, values)
        elif name in _LISTED:
            field = _LISTED[name].get(self.inside)
            placed = field is not None
            if field is not None:
                found = read.reference(values) if name == "REF" else read.contact(values)
                self._here().setdefault(field, []).append(found)
        elif name == "DMG" and self.inside == "own":
            self._here()["demographics"] = read.demographics(values, position)
        elif name == "PRV" and self.level == "20" and at(values, 2) == "PXC":
            self.provider["taxonomy"] = at(values, 3)
        elif name == "SBR" and self.level == "22":
            self.subscriber["SBR"] = values
        elif name == "PAT" and self.patient is not None:
            self.patient["relationship"] = at(values, 1)
            if at(values, 6):
                self.patient["died_on"] = read.reading(read.day, values, 6, position)
        else:
            placed = name == "SE"
        if not placed or says_more(values):
            loop = _LOOPS.get((self.level, self.inside), "")
            self._here().setdefault("unread", []).append(UnreadSegment(loop, position, tuple(values)))

    def _here(self) -> dict[str, Any]:
        if self.patient is not None:
            return self.patient
        return {"20": self.provider, "22": self.subscriber}.get(self.level, self.parts)

    def _name(self, values: list[str]) -> bool:
        self.inside = _ROLES.get((self.level, at(values, 1)), "other")
        if self.inside == "other":
            return False
        self._here()[self.inside] = read.name(values)
        return self.inside != "pay_to" or not any(values[3:])

    def _address(self, name: str, values: list[str]) -> bool:
        if self.inside not in _ADDRESSED:
            return False
        if name == "N3":
            self.street = values
        self._here()[f"{self.inside}_address"] = read.address(self.street, values if name == "N4" else [])
        return True

    def _header(self, values: list[str], position: int) -> None:
        self.parts |= {
            "purpose_code": at(values, 2),
            "reference": at(values, 3),
            "created_on": read.reading(read.day, values, 4, position),
            "created_time": read.reading(read.clock, values, 5, position),
            "transaction_type_code": at(values, 6),
        }

    def _file(self, position: int) -> FiledClaim:
        assert self.claim is not None
        claim = replace(self.claim.finish(), patient=self._patient())
        self.claim = None
        return FiledClaim(self._transaction(position), self._provider(), self._subscriber(), claim)

    def _transaction(self, position: int) -> ClaimTransaction:
        if self.header is None:
            parts = self.parts
            if "reference" not in parts:
                raise X12FormatError("BHT is missing before the first claim.", position)
            self.header = ClaimTransaction(
                kind=self.kind,
                reference=parts["reference"],
                created_on=parts["created_on"],
                created_time=parts["created_time"],
                submitter=Submitter(parts["submitter"], tuple(parts.get("contacts", ()))),
                receiver=parts["receiver"],
                billing_providers=(),
                transaction_type_code=parts["transaction_type_code"],
                purpose_code=parts["purpose_code"],
                control_number=self.enclosure.control_number,
                unread=tuple(parts.get("unread", ())),
            )
        return self.header

    def _provider(self) -> BillingProvider:
        if self.built_provider is None:
            parts = self.provider
            plan = parts.get("plan")
            self.built_provider = BillingProvider(
                name=parts.get("billing", Name("")),
                address=parts.get("billing_address", _NO_ADDRESS),
                references=tuple(parts.get("references", ())),
                subscribers=(),
                taxonomy=parts.get("taxonomy", ""),
                contacts=tuple(parts.get("contacts", ())),
                pay_to_address=parts.get("pay_to_address"),
                pay_to_plan=None
                if plan is None
                else PayToPlan(plan, parts.get("plan_address", _NO_ADDRESS), tuple(parts.get("plan_references", ()))),
                unread=tuple(parts.get("unread", ())),
            )
        return self.built_provider

    def _subscriber(self) -> Subscriber:
        if self.built_subscriber is None:
            parts = self.subscriber
            coverage = parts.get("SBR", [])
            self.built_subscriber = Subscriber(
                payer_responsibility=at(coverage, 1),
                claim_filing_indicator=at(coverage, 9),
                name=parts.get("own", Name("")),
                payer=Payer(
                    parts.get("payer", Name("")), parts.get("payer_address"), tuple(parts.get("payer_references", ()))
                ),
                claims=(),
                relationship=at(coverage, 2),
                group_number=at(coverage, 3),
                group_name=at(coverage, 4),
                insurance_type=at(coverage, 5),
                address=parts.get("own_address"),
                demographics=parts.get("demographics"),
                references=tuple(parts.get("references", ())),
                unread=tuple(parts.get("unread", ())),
            )
        return self.built_subscriber

    def _patient(self) -> Patient | None:
        if self.patient is None:
            return None
        if self.built_patient is None:
            parts = self.patient
            self.built_patient = Patient(
                relationship=parts.get("relationship", ""),
                name=parts.get("own", Name("")),
                address=parts.get("own_address", _NO_ADDRESS),
                demographics=parts.get("demographics", _UNKNOWN),
                references=tuple(parts.get("references", ())),
                died_on=parts.get("died_on"),
                unread=tuple(parts.get("unread", ())),
            )
        return self.built_patient


_UNKNOWN = Demographics(read.day("19000101"), "U")
