"""Stores a submission in one open transaction: identities found, references resolved, the answer made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from adapters.fhir.issues import Issue, operation_outcome, refuses
from adapters.fhir.references import conditional_target, logical_target, resolve_reference
from adapters.fhir.strict_json import write_json
from adapters.fhir.submission import (
    SUPPORTED_TYPES,
    Entry,
    Submission,
    entry_names,
    identifiers_of,
    read_condition,
    same_resource_twice,
)
from gateway.claim.identifiers import new_ulid
from gateway.claim.party import Identifier
from gateway.ports import FhirAnswer, Resource, ResourceTable

CONTENT_TYPE = "application/fhir+json"
BASE_PATH = "/fhir"
_PHRASES = {200: "200 OK", 201: "201 Created", 412: "412 Precondition Failed", 422: "422 Unprocessable Entity"}


@dataclass(slots=True)
class _Placed:
    """What becomes of one entry: the id it has or gets, or why it is refused."""

    entry: Entry
    id: str = ""
    current: Resource | None = None
    looked_up: bool = False
    keep: bool = False
    """True when a conditional create found its resource: nothing is written."""
    status: int = 0
    stored: Resource | None = None
    issues: tuple[Issue, ...] = ()


def apply_submission(submission: Submission, table: ResourceTable, now: datetime) -> FhirAnswer:
    """Store all that the submission holds and answer it. May be called again with another transaction's table."""
    return _Application(submission, table, now).run()


class _Application:
    def __init__(self, submission: Submission, table: ResourceTable, now: datetime) -> None:
        self._submission = submission
        self._table = table
        self._now = now
        self._placed: list[_Placed] = []
        self._book: dict[str, str] = {}
        self._identities: dict[tuple[str, Identifier], str] = {}

    def run(self) -> FhirAnswer:
        for entry in self._submission.entries:
            self._placed.append(self._place(entry))
        self._refuse_overlaps()
        self._write_book()
        self._refuse_followers()
        refused = [placed for placed in self._placed if placed.status >= 400]
        if refused and self._submission.all_or_nothing:
            issues = [issue for placed in refused for issue in placed.issues]
            return outcome_answer(refused[0].status, issues)
        for placed in self._placed:
            if not placed.status:
                self._store(placed)
        return self._answer_single() if self._submission.kind == "single" else self._answer_bundle()

    def _place(self, entry: Entry) -> _Placed:
        """Find or give the id."""
        if entry.skipped:
            return _Placed(entry, status=200, issues=tuple(entry.issues))
        if refuses(entry.issues):
            return _Placed(entry, status=422, issues=tuple(entry.issues))
        if entry.condition is not None:
            return self._place_by_condition(entry, entry.condition)
        if entry.by_identity:
            return self._place_by_identity(entry)
        if entry.method == "PUT":
            return self._place_update(_Placed(entry, id=entry.id))
        return _Placed(entry, id=new_ulid(self._now))

    def _place_by_condition(self, entry: Entry, condition: Identifier) -> _Placed:
        found = self._table.find(entry.type, condition)
        if len(found) > 1:
            return _Placed(entry, status=412, issues=(_ambiguous(entry.expression),))
        if entry.method == "PUT":
            own = entry.body.get("id", "")
            if found and own and own != found[0]:
                return _Placed(entry, status=422, issues=(_not_the_matched(entry.expression),))
            return self._place_update(_Placed(entry, id=found[0] if found else own or new_ulid(self._now)))
        if not found:
            return _Placed(entry, id=new_ulid(self._now))
        current = self._table.current(entry.type, found[0])
        return _Placed(entry, id=found[0], current=current, looked_up=True, keep=True)

    def _place_by_identity(self, entry: Entry) -> _Placed:
        """A resource of a collection that has no id of its own is the stored one with its first identifier."""
        identifiers = entry.identifiers
        found = self._table.find(entry.type, identifiers[0]) if identifiers else []
        if len(found) > 1:
            return _Placed(entry, status=412, issues=(_ambiguous(entry.expression),))
        return self._place_update(_Placed(entry, id=found[0] if found else new_ulid(self._now)))

    def _place_update(self, placed: _Placed) -> _Placed:
        entry = placed.entry
        placed.current, placed.looked_up = self._table.current(entry.type, placed.id), True
        if entry.if_match is not None and (placed.current is None or placed.current.version != entry.if_match):
            placed.status, placed.issues = 412, (_stale(entry.expression),)
        return placed

    def _refuse_overlaps(self) -> None:
        """Conditions can turn out to mean a resource that another entry names; then nobody knows which one counts."""
        if self._submission.kind == "batch":
            return
        seen: set[tuple[str, str]] = set()
        for placed in self._placed:
            key = (placed.entry.type, placed.id)
            if placed.id and key in seen:
                placed.status, placed.issues = 422, (same_resource_twice(placed.entry.expression),)
            seen.add(key)

    def _write_book(self) -> None:
        """Every text that means a resource of this Bundle, with the ``Type/id`` it is stored as."""
        for placed in self._placed:
            entry = placed.entry
            if placed.status >= 400 or not entry.type:
                continue
            own = placed.id or entry.body.get("id") or entry.full_url.rpartition(":")[2]
            reference = f"{entry.type}/{own}"
            for name in entry_names(entry):
                self._book[name] = reference
            for identifier in entry.identifiers if placed.id else ():
                self._identities.setdefault((entry.type, identifier), reference)

    def _refuse_followers(self) -> None:
        """In a batch, what points at a refused new resource cannot be stored: it would point at nothing for ever."""
        if self._submission.kind != "batch":
            return
        lost = {
            name
            for placed in self._placed
            if placed.status >= 400 and placed.entry.method == "POST"
            for name in entry_names(placed.entry)
            if name.startswith("urn:")
        }
        changed = bool(lost)
        while changed:
            changed = False
            for placed in self._placed:
                if placed.status or not any(text in lost for text in placed.entry.originals):
                    continue
                placed.status, placed.issues = 422, (_follows_refused(placed.entry.expression),)
                lost |= {name for name in entry_names(placed.entry) if name.startswith("urn:")}
                changed = True

    def _store(self, placed: _Placed) -> None:
        entry = placed.entry
        if placed.keep and placed.current is not None:
            placed.status, placed.stored = 200, placed.current
            return
        self._resolve_references(entry)
        if placed.current is not None and _says_the_same(entry.body, placed.current):
            placed.status, placed.stored = 200, placed.current
            return
        placed.stored = self._table.put(entry.type, placed.id, entry.body, identifiers=identifiers_of(entry.body))
        placed.status = 200 if placed.stored.version > 1 else 201

    def _resolve_references(self, entry: Entry) -> None:
        for found, original in zip(entry.references, entry.originals, strict=True):
            target = self._target_by_text(original) if original is not None else None
            if target is None and original is None:
                logical = logical_target(found)
                target = self._find_one(*logical) if logical is not None else None
            if target is not None:
                found.value["reference"] = target
            elif original is not None:
                found.value["reference"] = original
                self._make_logical(found.value, original)
            else:
                found.value.pop("reference", None)

    def _target_by_text(self, text: str) -> str | None:
        literal = resolve_reference(text, self._book)
        if literal is not None:
            return literal
        conditional = conditional_target(text, read_condition)
        return self._find_one((conditional[0],), conditional[1]) if conditional is not None else None

    def _make_logical(self, reference: dict[str, Any], text: str) -> None:
        """A conditional reference whose target has not come yet stays, as the identifier it names."""
        conditional = conditional_target(text, read_condition)
        if conditional is not None:
            del reference["reference"]
            reference["type"] = conditional[0]
            reference["identifier"] = {"system": conditional[1].namespace, "value": conditional[1].value}

    def _find_one(self, types: tuple[str, ...], identifier: Identifier) -> str | None:
        """``Type/id`` of the one resource with the identifier; None when there is none, or more than one."""
        for type in types or SUPPORTED_TYPES:
            here = self._identities.get((type, identifier))
            if here is not None:
                return here
        found = [
            f"{type}/{id}"
            for type in types or SUPPORTED_TYPES
            if type in _KEPT
            for id in self._table.find(type, identifier)
        ]
        return found[0] if len(found) == 1 else None

    def _answer_single(self) -> FhirAnswer:
        placed = self._placed[0]
        stored = placed.stored
        assert stored is not None
        headers = {
            "Location": f"{BASE_PATH}/{stored.type}/{stored.id}/_history/{stored.version}",
            "ETag": f'W/"{stored.version}"',
            "Last-Modified": format_datetime(stored.updated_at, usegmt=True),
            "Content-Type": CONTENT_TYPE,
        }
        body = b"" if self._submission.minimal else write_json(stored.body)
        return FhirAnswer(status=placed.status, body=body, headers=headers)

    def _answer_bundle(self) -> FhirAnswer:
        kind = "transaction-response" if self._submission.kind == "transaction" else "batch-response"
        entries = [{"response": _response(placed)} for placed in self._placed]
        answer: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
        if entries:
            answer["entry"] = entries
        return FhirAnswer(status=200, body=write_json(answer), headers={"Content-Type": CONTENT_TYPE})


_KEPT = frozenset(SUPPORTED_TYPES)


def outcome_answer(status: int, issues: list[Issue], headers: Mapping[str, str] | None = None) -> FhirAnswer:
    """A refusal as an HTTP answer: an OperationOutcome with everything that is wrong."""
    return FhirAnswer(
        status=status,
        body=write_json(operation_outcome(issues)),
        headers={"Content-Type": CONTENT_TYPE, **(headers or {})},
        refused=True,
    )


def _response(placed: _Placed) -> dict[str, Any]:
    stored = placed.stored
    response: dict[str, Any] = {"status": _PHRASES[placed.status]}
    if stored is not None:
        response["location"] = f"{stored.type}/{stored.id}/_history/{stored.version}"
        response["etag"] = f'W/"{stored.version}"'
        response["lastModified"] = stored.updated_at.isoformat().replace("+00:00", "Z")
    if placed.issues:
        response["outcome"] = operation_outcome(list(placed.issues))
    return response


def _says_the_same(body: Mapping[str, Any], current: Resource) -> bool:
    """True when the newest version already says this. A new ``meta.lastUpdated`` of the sender's is news."""
    stored = current.body
    sent_meta, stored_meta = body.get("meta", {}), stored.get("meta", {})
    if "lastUpdated" in sent_meta and sent_meta["lastUpdated"] != stored_meta.get("lastUpdated"):
        return False
    given = {"versionId", "lastUpdated"}
    if {k: v for k, v in sent_meta.items() if k not in given} != {
        k: v for k, v in stored_meta.items() if k not in given
    }:
        return False
    own = {"id", "meta"}
    return {k: v for k, v in body.items() if k not in own} == {k: v for k, v in stored.items() if k not in own}


def _ambiguous(expression: str) -> Issue:
    return Issue(
        code="multiple-matches",
        detail="identity-ambiguous",
        expression=expression,
        message=f"More than one stored resource has the identifier of {expression}.",
        fix="Send it with its id (PUT Type/id), or with an identifier that only one resource has.",
    )


def _not_the_matched(expression: str) -> Issue:
    return Issue(
        code="value",
        detail="id-not-of-match",
        expression=f"{expression}.id",
        message=f"{expression}.id is not the id of the resource that has this identifier.",
        fix="Leave the id out, or send the id that resource has.",
    )


def _stale(expression: str) -> Issue:
    return Issue(
        code="conflict",
        detail="version-stale",
        expression=expression,
        message="The resource is not at the version of If-Match.",
        fix="Read it again, apply the change to what it is now, and send that with its ETag.",
    )


def _follows_refused(expression: str) -> Issue:
    return Issue(
        code="not-found",
        detail="reference-to-refused",
        expression=expression,
        message=f"{expression} refers to an entry that was refused.",
        fix="Put that entry right and send both again.",
    )
