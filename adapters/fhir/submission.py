"""What a request asks to be stored, checked as far as that goes without looking at what is stored already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from adapters.fhir.issues import Issue, Refused, refuses
from adapters.fhir.primitives import is_id
from adapters.fhir.references import check_references
from adapters.fhir.shapes import resource_shape
from adapters.fhir.validation import FoundReference, Place, inspect_resource, render_place
from adapters.fhir.view import TYPE_AND_ID
from gateway.claim.party import Identifier

SUPPORTED_TYPES = (
    "Patient",
    "Coverage",
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Location",
    "EpisodeOfCare",
    "Account",
    "Encounter",
    "Condition",
    "Procedure",
    "ChargeItem",
    "Appointment",
    "ServiceRequest",
    "Claim",
    "ClaimResponse",
)
BUNDLE_TYPES = ("transaction", "batch", "collection", "message")
_STORED_WHOLE = frozenset({"collection", "message"})
_ANSWERS_AND_RECORDS = frozenset({"document", "transaction-response", "batch-response", "history", "searchset"})
"""Types of Bundle that ask a server for nothing."""
_SUPPORTED = frozenset(SUPPORTED_TYPES)
_IDENTIFIER_BYTES_MAX = 1000
_VERSION_TAG = re.compile(r'(?:W/)?"?(\d{1,9})"?\Z', re.ASCII)


@dataclass(slots=True, kw_only=True)
class Entry:
    """One resource to be stored, and how. ``issues`` keep it out when any of them refuses."""

    index: int
    """Place in the Bundle."""
    expression: str
    """FHIRPath of the resource in the request."""
    type: str
    body: dict[str, Any]
    references: list[FoundReference]
    originals: list[str | None]
    """``reference.reference`` of each reference as sent, so that storing can be tried again from the start."""
    method: str = "POST"
    id: str = ""
    """The id to store under; empty when one is to be found or given."""
    condition: Identifier | None = None
    """The identifier a conditional create or update looks for."""
    if_match: int | None = None
    full_url: str = ""
    by_identity: bool = False
    """True when a resource without id is matched by its own first identifier (collections and messages)."""
    issues: list[Issue] = field(default_factory=list)
    skipped: bool = False
    """True when it is left out without harm: a type we do not keep, in a collection or message."""

    @property
    def identifiers(self) -> list[Identifier]:
        """The resource's identifiers that have a system and a value."""
        return identifiers_of(self.body)


@dataclass(slots=True, kw_only=True)
class Submission:
    """Everything one request asks to be stored."""

    kind: str
    """``transaction``, ``batch``, ``collection``, ``message``, ``searchset`` or ``single``."""
    entries: list[Entry]
    control_key: str = ""
    minimal: bool = False
    """True when the sender wants no resource back."""

    @property
    def event(self) -> str:
        """``Bundle/transaction`` or ``Encounter/POST``."""
        if self.kind != "single":
            return f"Bundle/{self.kind}"
        return f"{self.entries[0].type}/{self.entries[0].method}"

    @property
    def all_or_nothing(self) -> bool:
        """True when one refused entry refuses all."""
        return self.kind not in {"batch", "searchset"}


def identifiers_of(body: Mapping[str, Any]) -> list[Identifier]:
    """The identifiers of a resource that name a system: what identity can hang on."""
    given = body.get("identifier")
    found = []
    for each in given if isinstance(given, list) else [given]:
        system, value = (each.get("system"), each.get("value")) if isinstance(each, dict) else (None, None)
        if system and value:
            found.append(Identifier(system, value))
    return found


def _check_identifiers(entry: Entry) -> list[Issue]:
    """Identifiers are found again by an index, whose entries have a greatest length."""
    return [
        Issue(
            code="too-long",
            detail="identifier-too-long",
            expression=f"{entry.expression}.identifier",
            message=f"A system or value of an identifier is longer than {_IDENTIFIER_BYTES_MAX} bytes.",
            fix="Send a shorter one; a value that long names nothing.",
        )
        for each in entry.identifiers
        if max(len(each.namespace.encode()), len(each.value.encode())) > _IDENTIFIER_BYTES_MAX
    ][:1]


def read_condition(text: str, place: str) -> Identifier:
    """The identifier of ``identifier=system|value``, as If-None-Exist and conditional updates give it.

    Raises Refused for anything else: other searches could match another resource tomorrow.
    """
    parameters = parse_qsl(text.lstrip("?"), keep_blank_values=True)
    system, bar, value = parameters[0][1].partition("|") if len(parameters) == 1 else ("", "", "")
    if len(parameters) != 1 or parameters[0][0] != "identifier" or not (system and bar and value):
        raise Refused(
            400,
            [
                Issue(
                    code="not-supported",
                    detail="condition-not-identifier",
                    expression=place,
                    message="The condition is not one identifier with its system.",
                    fix="Send identifier=system|value and nothing else.",
                )
            ],
        )
    return Identifier(system, value)


def read_if_match(text: str | None, place: str) -> int | None:
    """The version number of an If-Match header or ``request.ifMatch``; None when there is none. Raises Refused."""
    if text is None:
        return None
    match = _VERSION_TAG.match(text.strip())
    if match is None:
        raise Refused(
            400,
            [
                Issue(
                    code="value",
                    detail="if-match-malformed",
                    expression=place,
                    message="If-Match is not a version tag of this server.",
                    fix='Send the ETag of the last answer, for instance W/"3".',
                )
            ],
        )
    return int(match[1])


def read_single(
    body: Any,
    *,
    type: str,
    method: str,
    id: str = "",
    condition: Identifier | None = None,
    if_match: int | None = None,
) -> Submission:
    """One resource sent to ``/fhir/Type`` or ``/fhir/Type/id``. Raises Refused with all that is wrong with it."""
    inspection = inspect_resource(body)
    issues = inspection.issues
    sent_type = body.get("resourceType") if isinstance(body, dict) else None
    if isinstance(sent_type, str) and sent_type != type:
        issues.insert(0, _wrong_type_for_url(type))
    entry = Entry(
        index=0,
        expression=type,
        type=type,
        body=body,
        references=inspection.references,
        originals=_originals(inspection.references),
        method=method,
        id=id,
        condition=condition,
        if_match=if_match,
        issues=issues,
    )
    if isinstance(body, dict) and method == "PUT" and id and body.get("id", "") != id:
        issues.append(_wrong_id("id", type))
    if not refuses(issues):
        issues += check_references(entry.references, entry.originals, body, {})
        issues += _check_identifiers(entry)
    if refuses(issues):
        raise Refused(422, issues)
    return Submission(kind="single", entries=[entry])


def read_bundle(body: Any, *, lenient: bool = False, pulled: bool = False) -> Submission:
    """A Bundle posted to ``/fhir``. Entries of a batch keep their issues; otherwise raises Refused with all of them.

    ``pulled`` is a page of a search of ours: each entry is stored by itself, under the id it has.

    ``lenient`` (Prefer: handling=lenient) leaves resources of types that are not kept out of any Bundle, and says so.
    """
    frame = inspect_resource(body, entries=False)
    if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
        if not refuses(frame.issues):
            frame.issues.append(_not_a_bundle())
        raise Refused(422, frame.issues)
    kind = body.get("type")
    whole = kind in _STORED_WHOLE or (pulled and kind == "searchset")
    if kind in _ANSWERS_AND_RECORDS and not whole:
        frame.issues.append(_bundle_type_not_supported())
    sent = body.get("entry")
    listed = sent if isinstance(sent, list) else []
    entries = [
        _read_entry(index, each, lenient or whole, stored_whole=whole)
        for index, each in enumerate(listed)
        if isinstance(each, dict)
    ]
    _check_names(entries, frame.issues)
    names = _names(entries)
    for entry in entries:
        if not entry.skipped and not refuses(entry.issues):
            entry.issues += check_references(entry.references, entry.originals, entry.body, names)
            entry.issues += _check_identifiers(entry)
    submission = Submission(kind=str(kind), entries=entries, control_key=_bundle_identifier(body))
    if submission.all_or_nothing:
        _check_identities(entries)
    inside = [issue for entry in entries for issue in entry.issues]
    if refuses(frame.issues) or (submission.all_or_nothing and refuses(inside)):
        raise Refused(422, frame.issues + inside)
    return submission


def _read_entry(index: int, sent: Mapping[str, Any], may_skip: bool, *, stored_whole: bool) -> Entry:
    place: Place = ((None, "Bundle"), "entry", index)
    body = sent.get("resource")
    inspection = inspect_resource(body, (place, "resource")) if body is not None else None
    entry = Entry(
        index=index,
        expression=f"Bundle.entry[{index}].resource",
        type=str(body.get("resourceType", "")) if isinstance(body, dict) else "",
        body=body if isinstance(body, dict) else {},
        references=inspection.references if inspection else [],
        originals=_originals(inspection.references) if inspection else [],
        full_url=sent["fullUrl"] if isinstance(sent.get("fullUrl"), str) else "",
        issues=inspection.issues if inspection else [],
    )
    if inspection is None and (stored_whole or _writes(sent)):
        entry.issues.append(_required(f"{render_place(place)}.resource"))
    if entry.type and entry.type not in _SUPPORTED and not _names_an_unknown_type(entry.issues):
        _set_aside(entry, may_skip)
    if stored_whole:
        _take_own_id(entry)
    elif not entry.skipped:
        _read_request(entry, sent.get("request"))
    return entry


def _writes(sent: Mapping[str, Any]) -> bool:
    request = sent.get("request")
    return isinstance(request, dict) and request.get("method") in {"POST", "PUT"}


def _names_an_unknown_type(issues: Iterable[Issue]) -> bool:
    return any(issue.detail in {"resource-type-unknown", "fhir-version-wrong"} for issue in issues)


def _set_aside(entry: Entry, may_skip: bool) -> None:
    """A resource type we do not keep: left out where that does no harm, an error where it is asked to be stored."""
    entry.skipped = may_skip
    severity = "information" if entry.skipped else "error"
    if entry.skipped:
        entry.issues = [replace(issue, severity="warning") for issue in entry.issues]
    entry.issues.insert(
        0,
        Issue(
            code="not-supported",
            detail="resource-not-supported",
            expression=entry.expression,
            message=f"{entry.expression} is of a type this server does not keep{_named(entry.type)}.",
            fix=f"Leave it out. Kept are: {', '.join(SUPPORTED_TYPES)}.",
            severity=severity,
        ),
    )


def _named(type: str) -> str:
    return f" ({type})" if resource_shape(type) is not None else ""


def _read_request(entry: Entry, request: Any) -> None:
    """Fill in method, id and conditions from ``entry.request``."""
    place = f"Bundle.entry[{entry.index}].request"
    if not isinstance(request, dict):
        entry.issues.append(_required(place))
        return
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or not isinstance(url, str):
        return  # the walk along the Bundle's shape has said so
    if method not in {"POST", "PUT"}:
        entry.issues.append(_method_not_supported(f"{place}.method"))
        return
    entry.method = method
    try:
        entry.if_match = read_if_match(request.get("ifMatch"), f"{place}.ifMatch")
        if_none_exist = request.get("ifNoneExist")
        if isinstance(if_none_exist, str) and method == "POST":
            entry.condition = read_condition(if_none_exist, f"{place}.ifNoneExist")
        _read_url(entry, url, f"{place}.url")
    except Refused as refused:
        entry.issues += refused.issues


def _read_url(entry: Entry, url: str, place: str) -> None:
    path, question, query = url.partition("?")
    path = path.strip("/")
    if entry.method == "POST":
        right = path == entry.type and not question
    elif question:
        right = path == entry.type
        entry.condition = read_condition(query, place)
    else:
        type, _, id = path.partition("/")
        right = type == entry.type and is_id(id)
        entry.id = id if right else ""
        if right and entry.body.get("id", "") != id:
            entry.issues.append(_wrong_id(f"{entry.expression}.id", entry.type))
    if entry.type and not right:
        wanted = (
            f"{entry.type}" if entry.method == "POST" else f"{entry.type}/id or {entry.type}?identifier=system|value"
        )
        entry.issues.append(
            Issue(
                code="value",
                detail="request-url-wrong",
                expression=place,
                message=f"{place} does not fit the method and the resource.",
                fix=f"Send {wanted}." if entry.type in _SUPPORTED else "Send the resource's type.",
            )
        )


def _take_own_id(entry: Entry) -> None:
    """In collections and messages a resource keeps the id its sender gave it, so that sending it again updates it."""
    own = entry.body.get("id")
    entry.method = "PUT"
    if isinstance(own, str) and is_id(own):
        entry.id = own
    elif entry.full_url.startswith("urn:uuid:") and is_id(entry.full_url[9:]):
        entry.id = entry.full_url[9:]
    else:
        entry.by_identity = True


def _names(entries: Iterable[Entry]) -> dict[str, str]:
    """Every text by which a reference can mean a resource of the Bundle, with the resource's type."""
    names: dict[str, str] = {}
    for entry in entries:
        for name in entry_names(entry):
            names[name] = entry.type
    return names


def entry_names(entry: Entry) -> list[str]:
    """The texts by which references inside the Bundle can mean this entry: fullUrl, ``Type/id``."""
    names = [entry.full_url] if entry.full_url else []
    match = TYPE_AND_ID.search(entry.full_url) if entry.full_url.startswith("http") else None
    if match is not None:
        names.append(f"{match[1]}/{match[2]}")
    own = entry.body.get("id")
    if isinstance(own, str):
        names.append(f"{entry.type}/{own}")
    return names


def _check_names(entries: Sequence[Entry], issues: list[Issue]) -> None:
    """Invariants bdl-7 and bdl-8: a fullUrl stands once and names no version."""
    seen: set[str] = set()
    for entry in entries:
        if not entry.full_url:
            continue
        place = f"Bundle.entry[{entry.index}].fullUrl"
        if entry.full_url in seen:
            issues.append(
                Issue(
                    code="invariant",
                    detail="full-url-repeated",
                    expression=place,
                    message=f"{place} stands on an earlier entry too.",
                    fix="Give each entry its own fullUrl.",
                )
            )
        seen.add(entry.full_url)


def _check_identities(entries: Sequence[Entry]) -> None:
    """R4 http.html#trules: a transaction in which two entries mean one resource fails."""
    seen: set[object] = set()
    for entry in entries:
        key: object = (entry.type, entry.id) if entry.id else (entry.type, entry.condition) if entry.condition else None
        if key is None or entry.skipped:
            continue
        if key in seen:
            entry.issues.append(same_resource_twice(entry.expression))
        seen.add(key)


def same_resource_twice(expression: str) -> Issue:
    """The issue of two entries of one transaction that mean one resource."""
    return Issue(
        code="invariant",
        detail="identity-overlaps",
        expression=expression,
        message=f"{expression} means the same resource as an earlier entry.",
        fix="Send each resource once in a transaction.",
    )


def _bundle_identifier(body: Mapping[str, Any]) -> str:
    """The name the sender gave the Bundle; a value without a system names nothing, as with any identifier."""
    given = body.get("identifier")
    if not isinstance(given, dict) or not (given.get("system") and given.get("value")):
        return ""
    return f"Bundle.identifier|{given['system']}|{given['value']}"


def _originals(references: Iterable[FoundReference]) -> list[str | None]:
    found = []
    for reference in references:
        text = reference.value.get("reference")
        found.append(text if isinstance(text, str) else None)
    return found


def _required(expression: str) -> Issue:
    return Issue(
        code="required",
        detail="element-missing",
        expression=expression,
        message=f"{expression} is required and not there.",
        fix="Send it.",
    )


def _wrong_type_for_url(type: str) -> Issue:
    return Issue(
        code="value",
        detail="resource-type-not-of-url",
        expression=f"{type}.resourceType",
        message=f"The address is for {type}, the body is another type.",
        fix=f"Send a {type}, or send the body to its own type's address.",
    )


def _wrong_id(expression: str, type: str) -> Issue:
    expression = expression if "." in expression else f"{type}.{expression}"
    return Issue(
        code="value",
        detail="id-not-of-url",
        expression=expression,
        message=f"{expression} is not the id of the address.",
        fix="Send the same id in both.",
    )


def _method_not_supported(expression: str) -> Issue:
    return Issue(
        code="not-supported",
        detail="method-not-supported",
        expression=expression,
        message=f"{expression} is neither POST nor PUT.",
        fix="Take a resource back by sending it with its status entered-in-error.",
    )


def _not_a_bundle() -> Issue:
    return Issue(
        code="value",
        detail="resource-not-bundle",
        expression="resourceType",
        message="Only a Bundle can be posted to the base address.",
        fix="Send a Bundle, or post to the address of the resource's type.",
    )


def _bundle_type_not_supported() -> Issue:
    return Issue(
        code="not-supported",
        detail="bundle-type-not-supported",
        expression="Bundle.type",
        message="Bundles of this type cannot be taken.",
        fix=f"Send one of: {', '.join(BUNDLE_TYPES)}.",
    )
