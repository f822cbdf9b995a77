"""JSON as FHIR means it: one value per key, no NaN, decimals kept exactly, within limits. Knows no resource."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from adapters.fhir.issues import Issue, Refused

_NUMBER_LENGTH_MAX = 40
_EXPONENT_MAX = 30
_BYTE = re.compile(r"byte (\d+)")
_ELEMENT_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLimits:
    """What one body may cost."""

    size_max: int = 10 * 1024 * 1024
    """Bytes."""
    depth_max: int = 64
    """Objects and lists inside each other."""
    containers_max: int = 300_000
    """Objects and lists in one body."""


DEFAULT_LIMITS = JsonLimits()


def read_json(content: bytes, limits: JsonLimits = DEFAULT_LIMITS) -> Any:
    """The value of a JSON text. Numbers with a fraction or exponent come back as ``Decimal``, whole numbers as int.

    Raises Refused: not JSON, NaN, a key twice in one object, or beyond the limits.
    """
    if len(content) > limits.size_max:
        raise Refused(413, [body_too_large(limits.size_max)])
    try:
        value = _DECODER.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except msgspec.DecodeError as error:
        issue = _number_too_long() if "out of range" in str(error) else _unreadable(content, str(error))
        raise Refused(400, [issue]) from None
    except ArithmeticError:
        raise Refused(400, [_number_too_long()]) from None
    except RecursionError:
        raise Refused(400, [_too_deep(limits)]) from None
    keys = _count_keys(value, limits)
    if _keys_may_repeat(content, keys):
        _refuse_repeated_keys(content)
    return value


def write_json(value: Any) -> bytes:
    """The JSON text of a value read with read_json; decimals are written with the digits they were read with."""
    return _ENCODER.encode(value)


def body_too_large(size_max: int) -> Issue:
    """The issue of a body beyond the limit."""
    return Issue(
        code="too-long",
        detail="body-too-large",
        expression="",
        message=f"The body is larger than {size_max} bytes.",
        fix="Send it in smaller Bundles.",
    )


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if len(text) > _NUMBER_LENGTH_MAX or abs(value.adjusted()) > _EXPONENT_MAX:
        raise OverflowError  # msgspec would dress a ValueError up as malformed JSON
    return value


_DECODER = msgspec.json.Decoder(float_hook=_decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _count_keys(value: Any, limits: JsonLimits) -> int:
    """Keys of all objects, level by level. Raises Refused beyond the limits of depth and number."""
    keys = containers = depth = 0
    level = [value] if type(value) in (dict, list) else []
    while level:
        depth += 1
        containers += len(level)
        if depth > limits.depth_max:
            raise Refused(400, [_too_deep(limits)])
        if containers > limits.containers_max:
            raise Refused(413, [_too_many(limits)])
        deeper: list[Any] = []
        for container in level:
            if type(container) is dict:
                keys += len(container)
                deeper += [each for each in container.values() if type(each) is dict or type(each) is list]
            else:
                deeper += [each for each in container if type(each) is dict or type(each) is list]
        level = deeper
    return keys


def _keys_may_repeat(content: bytes, keys: int) -> bool:
    """False only when no object has a key twice.

    Where no colon follows white space, each key ends in ``":``, so the text holds at least as many of those as it has
    keys; parsing merges repeated keys. As many as were parsed therefore means that nothing was merged.
    """
    spaced = any(colon in content for colon in (b" :", b"\n:", b"\t:", b"\r:"))
    return spaced or content.count(b'":') != keys


def _refuse_repeated_keys(content: bytes) -> None:
    """Read again with the slow reader that sees every pair. Raises Refused naming the keys that repeat."""
    repeated: dict[str, None] = {}

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    repeated[key if _ELEMENT_NAME.match(key) else ""] = None
                seen.add(key)
        return built

    json.loads(content.decode("utf-8-sig"), object_pairs_hook=build, parse_float=str, parse_int=str)
    if repeated:
        names = sorted(name for name in repeated if name)
        told = ", ".join(f'"{name}"' for name in names[:10]) or "A key"
        raise Refused(
            400,
            [
                Issue(
                    code="structure",
                    detail="json-duplicate-key",
                    expression="",
                    message=f"{told} stands twice in one JSON object; which of the values counts cannot be known.",
                    fix="Send each key once.",
                    severity="fatal",
                )
            ],
        )


def _unreadable(content: bytes, reason: str) -> Issue:
    found = _BYTE.search(reason)
    place, what = "", "The body is not JSON text in UTF-8"
    if found:
        offset = int(found[1])
        before = content[:offset]
        line, column = before.count(b"\n") + 1, offset - before.rfind(b"\n")
        place = f" at line {line}, column {column}"
        if re.match(rb"-?(NaN|Infinity)", content[max(offset - 1, 0) : offset + 9].lstrip(b":, [")):
            what = "NaN and Infinity are not JSON numbers; one stands"
    elif not content.strip():
        what = "The body is empty"
    return Issue(
        code="structure",
        detail="json-unreadable",
        expression="",
        message=f"{what}{place}.",
        fix="Send one JSON resource, encoded in UTF-8.",
        severity="fatal",
    )


def _number_too_long() -> Issue:
    return Issue(
        code="value",
        detail="json-number-too-long",
        expression="",
        message=f"A number has more than {_NUMBER_LENGTH_MAX} characters or an exponent beyond {_EXPONENT_MAX}.",
        fix="Send FHIR decimals of at most 18 digits.",
        severity="fatal",
    )


def _too_deep(limits: JsonLimits) -> Issue:
    return Issue(
        code="too-costly",
        detail="json-too-deep",
        expression="",
        message=f"Objects and lists are nested deeper than {limits.depth_max}.",
        fix="Send FHIR resources as the standard nests them.",
        severity="fatal",
    )


def _too_many(limits: JsonLimits) -> Issue:
    return Issue(
        code="too-costly",
        detail="json-too-many-values",
        expression="",
        message=f"The body holds more than {limits.containers_max} objects and lists.",
        fix="Send it in smaller Bundles.",
        severity="fatal",
    )
