from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fhir.issues import Refused
from adapters.fhir.strict_json import JsonLimits, read_json, write_json

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def refusal(content: bytes, limits: JsonLimits | None = None) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        read_json(content, limits or JsonLimits())
    assert len(caught.value.issues) == 1
    return caught.value.status, caught.value.issues[0].detail


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "json-unreadable"),
        (b"{", "json-unreadable"),
        (b'{"a": tru}', "json-unreadable"),
        (b'{"a": 1} x', "json-unreadable"),
        (b'{"a": NaN}', "json-unreadable"),
        (b'{"a": -Infinity}', "json-unreadable"),
        (b"\xff\xfe", "json-unreadable"),
        (b'"\\ud800"', "json-unreadable"),
        (b'{"a": "line\nbreak"}', "json-unreadable"),
        (b'{"a": 1e999}', "json-number-too-long"),
        (b'{"a": 1e-99999999999999999999}', "json-number-too-long"),
        (b'{"a": ' + b"1" * 5000 + b"}", "json-number-too-long"),
        (b"[" * 100_000, "json-too-deep"),
    ],
)
def test_what_is_not_json_is_refused_with_a_reason(content: bytes, detail: str) -> None:
    assert (400, detail) == refusal(content)


@pytest.mark.fault("F45")
def test_nan_is_called_by_its_name_and_placed() -> None:
    with pytest.raises(Refused) as caught:
        read_json(b'{\n  "value": NaN\n}')
    assert "NaN and Infinity are not JSON numbers; one stands at line 2" in caught.value.issues[0].message


@pytest.mark.fault("F45")
@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1,"a":2}',
        b'{"a" :1, "a" : 2}',
        b'{"a":1,"\\u0061":2}',
        b'[{"b":{"a":1,"a":1}}]',
        b'{"text":"a \\": b","x":{"a":1,"a":2}}',
        b'{"text":"\\":","a":1,"a" :2}',
        b'{"text":" :","a":1,"a":2}',
    ],
)
def test_a_key_that_stands_twice_is_refused_however_it_is_written(content: bytes) -> None:
    assert (400, "json-duplicate-key") == refusal(content)


def test_a_key_that_stands_twice_is_named_only_when_it_looks_like_an_element() -> None:
    with pytest.raises(Refused) as caught:
        read_json(b'{"Jane Canaryfeather":1,"Jane Canaryfeather":2,"status":1,"status":2}')
    message = caught.value.issues[0].message
    assert '"status"' in message
    assert "Canaryfeather" not in message


def test_depth_is_bounded() -> None:
    at_the_limit = b"[" * 64 + b"]" * 64
    assert read_json(at_the_limit)
    assert (400, "json-too-deep") == refusal(b"[" + at_the_limit + b"]")


def test_number_of_containers_is_bounded() -> None:
    limits = JsonLimits(containers_max=10)
    assert read_json(b"[" + b",".join([b"{}"] * 9) + b"]", limits)
    assert (413, "json-too-many-values") == refusal(b"[" + b",".join([b"{}"] * 10) + b"]", limits)


def test_size_is_bounded_before_parsing() -> None:
    assert (413, "body-too-large") == refusal(b"not even json", JsonLimits(size_max=5))


def test_a_byte_order_mark_is_no_reason_to_refuse() -> None:
    assert {"a": 1} == read_json(b'\xef\xbb\xbf{"a":1}')


@pytest.mark.parametrize("digits", ["72.50", "0.10", "350.00", "0.000000000000000001", "123456789012345678.9"])
def test_decimals_keep_their_digits(digits: str) -> None:
    content = f'{{"value":{digits}}}'.encode()
    value = read_json(content)
    assert {"value": Decimal(digits)} == value
    assert str(value["value"]) == str(Decimal(digits))
    assert Decimal(digits) == Decimal(json.loads(write_json(value), parse_float=str)["value"])


@given(JSON_VALUES, st.sampled_from([None, 1, 2]), st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
def test_any_json_reads_as_itself(value: Any, indent: int | None, separators: tuple[str, str]) -> None:
    content = json.dumps(value, indent=indent, separators=separators).encode()
    try:
        expected = json.loads(content.decode().encode("utf-8", "strict"))
    except ValueError:
        return
    assert expected == read_json(content)


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_reader(content: bytes) -> None:
    try:
        read_json(content)
    except Refused as refused:
        assert refused.status in {400, 413}


@given(JSON_VALUES.filter(lambda value: isinstance(value, dict) and value), st.data())
def test_a_repeated_key_is_always_found(value: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    text = json.dumps(value)
    colon = data.draw(st.sampled_from([":", " :", " : ", "\n:"]))
    doubled = text[:-1] + ", " + json.dumps(key) + colon + "1}"
    assert (400, "json-duplicate-key") == refusal(doubled.encode())
