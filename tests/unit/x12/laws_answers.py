"""Hypothesis strategies for whole 277CAs and 999s: every level, segment and code the values have a place for."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from hypothesis import strategies as st

from clearinghouse.x12.acknowledgement_999 import (
    Acknowledgement,
    Context,
    ElementError,
    SegmentError,
    TransactionResponse,
)
from clearinghouse.x12.parties import Amount, DateSpan, Name, Procedure, QualifiedDate, Quantity
from clearinghouse.x12.status_277ca import (
    ClaimStatus,
    LineStatus,
    ProviderStatus,
    ReceiverStatus,
    SourceStatus,
    Status,
    StatusCode,
    StatusTransaction,
)
from tests.unit.x12.strategies import NPIS, days, names, numbers, optional, people, references, texts

_cents = st.integers(0, 999_999)
_blank = st.just("")


def _codes(category: str, entities: tuple[str, ...]) -> st.SearchStrategy[tuple[StatusCode, ...]]:
    one = st.builds(
        StatusCode, st.just(category), st.sampled_from(("19", "20", "507", "562")), st.sampled_from(("", *entities))
    )
    return st.lists(one, min_size=1, max_size=3).map(tuple)


def _statuses(
    most: int, entities: tuple[str, ...], *, dated: bool = True, priced: bool = True, told: bool = False
) -> st.SearchStrategy[tuple[Status, ...]]:
    def built(category: str, action: str) -> st.SearchStrategy[Status]:
        return st.builds(
            Status,
            _codes(category, entities),
            days if dated else st.none(),
            st.just(action),
            _cents if priced else st.none(),
            st.one_of(_blank, texts) if told else _blank,
        )

    either = built("A7", "U") if not priced else st.one_of(built("A1", "WQ"), built("A7", "U"))
    return st.lists(either, min_size=1, max_size=most).map(tuple)


def _totals(counts: tuple[str, ...]) -> dict[str, st.SearchStrategy[object]]:
    number = st.integers(1, 99).map(Decimal)
    quantities = st.tuples(*(optional(st.builds(Quantity, st.just(each), number)) for each in counts))
    amounts = st.tuples(*(optional(st.builds(Amount, st.just(each), _cents)) for each in ("YU", "YY")))
    return {"quantities": quantities.map(_present), "amounts": amounts.map(_present)}


def _present(values: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(value for value in values if value is not None)


_spans = st.builds(DateSpan, days, optional(st.just(date(2026, 9, 30))))
_lines = st.builds(
    LineStatus,
    st.builds(Procedure, st.sampled_from(("H0015", "S9480")), st.lists(st.just("HF"), max_size=1).map(tuple)),
    _cents,
    _statuses(1, ("85", "IL"), priced=False),
    revenue_code=st.sampled_from(("", "0905")),
    units=st.integers(1, 99).map(Decimal),
    line_control_number=st.one_of(_blank, numbers),
    references=references("XZ"),
    service_dates=optional(_spans),
)
_claims = st.builds(
    ClaimStatus,
    people("MI"),
    numbers,
    _statuses(2, ("PR", "85", "IL"), told=True),
    payer_claim_number=st.one_of(_blank, numbers),
    clearinghouse_trace=st.one_of(_blank, numbers),
    bill_type=st.sampled_from(("", "132")),
    service_dates=_spans,
    lines=st.lists(_lines, max_size=2).map(tuple),
)


def _providers() -> st.SearchStrategy[ProviderStatus]:
    provider = st.builds(Name, names, id_qualifier=st.just("XX"), identifier=st.sampled_from(NPIS))
    claims = st.lists(_claims, min_size=1, max_size=3).map(tuple)
    told = st.builds(
        ProviderStatus,
        provider,
        claims,
        numbers,
        _statuses(2, ("PR", "85"), dated=False),
        references("G2"),
        **_totals(("QA", "QC")),
    )
    return st.one_of(st.builds(ProviderStatus, provider, claims), told)


_receivers = st.builds(
    ReceiverStatus,
    st.builds(Name, names, id_qualifier=st.just("46"), identifier=st.just("SUBMITTERID")),
    numbers,
    _statuses(2, ("PR", "41")),
    st.lists(_providers(), max_size=2).map(tuple),
    **_totals(("90", "AA")),
)
_sources = st.builds(
    SourceStatus,
    st.builds(Name, names, id_qualifier=st.just("PI"), identifier=numbers),
    st.sampled_from(("PR", "AY")),
    numbers,
    st.tuples(days, days).map(
        lambda on: (QualifiedDate("050", DateSpan(on[0])), QualifiedDate("009", DateSpan(on[1])))
    ),
    st.lists(_receivers, min_size=1, max_size=1).map(tuple),
)
statuses = st.builds(
    StatusTransaction,
    numbers,
    days,
    st.just(time(8, 15)),
    st.lists(_sources, min_size=1, max_size=2).map(tuple),
)

_position = st.integers(1, 999_999)
_triggers = st.lists(
    st.builds(
        Context,
        st.just("SITUATIONAL TRIGGER"),
        _blank,
        st.just("CLM"),
        _position,
        st.sampled_from(("", "2300")),
        st.just(5),
        st.just(3),
        optional(st.just(1)),
        st.sampled_from(("", "1325")),
    ),
    max_size=2,
).map(tuple)
_business_units = st.lists(
    st.builds(Context, st.sampled_from(("CLM01", "TRN02", "PATIENT NAME NM109")), numbers), max_size=1
).map(tuple)
_contexts = st.tuples(_triggers, _business_units).map(lambda both: (*both[0], *both[1]))
_element_errors = st.lists(
    st.builds(
        ElementError,
        st.integers(1, 20),
        st.sampled_from(("1", "2", "5", "7", "8", "10", "12", "I6", "I9", "I10", "I13")),
        optional(st.integers(1, 9)),
        st.none(),
        st.sampled_from(("", "1325", "67")),
        st.one_of(_blank, texts),
        _triggers,
    ),
    max_size=2,
).map(tuple)
_segment_errors = st.lists(
    st.one_of(
        st.builds(
            SegmentError,
            st.sampled_from(("CLM", "NM1", "REF")),
            _position,
            st.sampled_from(("1", "2", "3", "4", "5", "6", "7", "I4", "I6", "I7")),
            st.sampled_from(("", "2300", "2010")),
            _contexts,
        ),
        st.builds(SegmentError, st.just("CLM"), _position, st.just("8"), st.just("2300"), _contexts, _element_errors),
    ),
    max_size=3,
).map(tuple)


@st.composite
def acknowledgements(draw: st.DrawFn) -> Acknowledgement:
    """A 999 of any verdict, its counts those of its responses."""
    responses = []
    for at in range(draw(st.integers(1, 4))):
        code = draw(st.sampled_from("AER"))
        wrong = draw(_segment_errors) if code != "A" else ()
        because = draw(st.lists(st.sampled_from(("5", "I5", "4", "3")), unique=True)) if code == "R" else ()
        responses.append(TransactionResponse("837", f"{at:04d}", code, "005010X223A2", wrong, tuple(because)))
    accepted = sum(each.code != "R" for each in responses)
    code = "R" if not accepted else "P" if accepted < len(responses) else "A"
    because = ("3",) if code == "R" and draw(st.booleans()) else ()
    count = len(responses)
    group = draw(st.integers(1, 999_999_999))
    return Acknowledgement(
        "HC", str(group), "005010X223A2", tuple(responses), code, count, count, accepted, tuple(because)
    )
