"""People and bodies on a claim: names, addresses, identifiers, practitioners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Sex(StrEnum):
    """Administrative sex as the 837 carries it in DMG03."""

    FEMALE = "F"
    MALE = "M"
    UNKNOWN = "U"


class Relationship(StrEnum):
    """The patient's relationship to the subscriber."""

    SELF = "self"
    SPOUSE = "spouse"
    CHILD = "child"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A value that names something within a namespace the configuration knows."""

    namespace: str
    """Whose numbering or naming it is."""
    value: str
    """The number or name there."""

    def __str__(self) -> str:
        return f"{self.namespace}|{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """A person's name, in the 837's parts."""

    family: str
    given: str = ""
    middle: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address. ``postal_code`` is digits only, 5 or 9."""

    line1: str
    """Street and number; a PO box is refused where a place is meant."""
    line2: str = ""
    """Suite or floor."""
    city: str
    """City."""
    state: str
    postal_code: str

    def is_where(self, other: Address) -> bool:
        """True for the same street and ZIP code, however it is written: an 837 is all capitals."""
        return (self.line1.casefold(), self.postal_code[:5]) == (other.line1.casefold(), other.postal_code[:5])


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who somebody is: what a claim says of a patient or a subscriber. Unknown parts are None."""

    name: PersonName | None = None
    birth_on: date | None = None
    sex: Sex | None = None
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Practitioner:
    """A clinician as a claim names them. ``npi`` is empty when the feed gave none."""

    npi: str = ""
    name: PersonName | None = None
    taxonomy: str = ""
