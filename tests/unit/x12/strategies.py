"""Hypothesis strategies the X12 laws share: names, numbers, dates, addresses, references, as an X12 file carries them.

Values are already tidy (upper case, no double or edge spaces), so that what is read equals what was written.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TypeVar

from hypothesis import strategies as st

from clearinghouse.x12.parties import Address, Name, Reference

T = TypeVar("T")

NPIS = ("1999999984", "1888888876", "1777777768")
numbers = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=2, max_size=17)
names = st.from_regex(r"[A-Z]{2,12}( [A-Z]{1,9})?", fullmatch=True)
texts = st.from_regex(r"[A-Z0-9]{1,9}([ ,./()&;?-][A-Z0-9]{1,9}){0,3}", fullmatch=True)
days = st.dates(date(2026, 1, 1), date(2026, 9, 30))
decimals = st.integers(1, 99_999).map(lambda value: Decimal(value) / 100).map(lambda value: Decimal(f"{value:f}"))
addresses = st.builds(
    Address,
    texts,
    names,
    st.sampled_from(("TX", "CA", "NY")),
    st.sampled_from(("787010000", "902100001", "100010002")),
    st.one_of(st.just(""), texts),
)


def optional(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    """The value, or None."""
    return st.one_of(st.none(), strategy)


def people(qualifier: str) -> st.SearchStrategy[Name]:
    """A person with an identifier of this kind; XX takes an NPI."""
    identifiers = st.sampled_from(NPIS) if qualifier == "XX" else numbers
    blank = st.just("")
    return st.builds(
        Name,
        names,
        st.one_of(blank, names),
        st.one_of(blank, st.sampled_from("ABC")),
        st.one_of(blank, st.just("JR")),
        st.just(qualifier),
        identifiers,
        st.just("1"),
    )


def references(*qualifiers: str) -> st.SearchStrategy[tuple[Reference, ...]]:
    """At most one REF of each qualifier, in the order given."""
    chosen = st.tuples(*(optional(numbers) for _ in qualifiers))
    return chosen.map(
        lambda values: tuple(
            Reference(qualifier, value)
            for qualifier, value in zip(qualifiers, values, strict=True)
            if value is not None
        )
    )
