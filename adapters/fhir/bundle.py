"""Stores a submission in one open transaction: identities found, references resolved, the answer made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    read_condition,
    same_resource_twice,
)
from adapters.fhir.validation import FoundReference
from gateway.claim.identifiers import new_ulid
from gateway.claim.party import Identifier
from gateway.ports import FHIR_CONTENT, FhirAnswer, LookAhead, NewVersion, Resource, ResourceTable

BASE_PATH = "/fhir"
_PHRASES = {200: "200 OK", 201: "201 Created", 412: "412 Precondition Failed", 422: "422 Unprocessable Entity"}


@dataclass(slots=True)
class _Placed:
    """What becomes of one entry: the id it has or gets, or why it is refused."""

    entry: Entry
    id: str = ""
    new: bool = False
    """True when the id was given here, so that nothing can be stored under it yet."""
    current: Resource | None = None
    status: int = 0
    stored: Resource | None = None
    issues: tuple[Issue, ...] = ()

    def refuse(self, status: int, *issues: Issue) -> None:
        """Keep the entry out."""
        self.status, self.issues = status, issues


def apply_submission(submission: Submission, table: ResourceTable, now: datetime) -> FhirAnswer:
    """Store all that the submission holds and answer it. May be called again with another transaction's table."""
    return _Application(submission, table, now).run()


def look_ahead(submission: Submission) -> LookAhead:
    """What storing the submission is going to ask of the table."""
    open_entries = [each for each in submission.entries if not each.skipped and not refuses(each.issues)]
    looked_for = [_identity_to_look_for(each) for each in open_entries]
    return LookAhead(
        identities=tuple((type, identity) for type, identity in looked_for if identity is not None),
        pointed_at=tuple(
            (type, identifier)
            for entry in open_entries
            for found, original in zip(entry.references, entry.originals, strict=True)
            for types, identifier in _target_by_identifier(found, original)
            for type in types
        ),
        ids=tuple((each.type, each.id) for each in open_entries if each.id and each.condition is None),
    )


class _Application:
    """One attempt. It asks the table for everything at once: identities, newest versions, references, then stores."""

    def __init__(self, submission: Submission, table: ResourceTable, now: datetime) -> None:
        self._submission = submission
        self._table = table
        self._now = now
        self._placed = [_Placed(entry) for entry in submission.entries]
        self._book: dict[str, str] = {}
        self._identities: dict[tuple[str, Identifier], str] = {}

    def run(self) -> FhirAnswer:
        self._set_aside()
        self._find_ids()
        self._look_at_current()
        self._refuse_overlaps()
        self._write_book()
        self._refuse_followers()
        refused = [placed for placed in self._placed if placed.status >= 400]
        if refused and self._submission.all_or_nothing:
            issues = [issue for placed in refused for issue in placed.issues]
            return outcome_answer(refused[0].status, issues)
        self._resolve_references()
        self._store()
        return self._answer_single() if self._submission.kind == "single" else self._answer_bundle()

    def _open(self) -> Iterator[_Placed]:
        """Entries that are neither refused nor left out."""
        return (placed for placed in self._placed if not placed.status)

    def _set_aside(self) -> None:
        for placed in self._placed:
            if placed.entry.skipped:
                placed.status, placed.issues = 200, tuple(placed.entry.issues)
            elif refuses(placed.entry.issues):
                placed.refuse(422, *placed.entry.issues)

    def _find_ids(self) -> None:
        """The id of each entry: the sender's, that of the one resource with its identifier, or a new one."""
        wanted = {placed.entry.index: _identity_to_look_for(placed.entry) for placed in self._open()}
        found = self._table.find((type, each) for type, each in wanted.values() if each is not None)
        for placed in self._open():
            entry = placed.entry
            type, identity = wanted[entry.index]
            matches = found.get((type, identity), []) if identity is not None else []
            own = entry.id if identity is None else entry.body.get("id", "") if entry.method == "PUT" else ""
            if len(matches) > 1:
                placed.refuse(412, _ambiguous(entry.expression))
            elif matches and own and own != matches[0]:
                placed.refuse(422, _not_the_matched(entry.expression))
            else:
                placed.id = matches[0] if matches else own
                placed.new = not placed.id
                placed.id = placed.id or new_ulid(self._now)

    def _look_at_current(self) -> None:
        current = self._table.current((each.entry.type, each.id) for each in self._open() if not each.new)
        for placed in self._open():
            placed.current = current.get((placed.entry.type, placed.id))
            expected = placed.entry.if_match
            if expected is not None and (placed.current is None or placed.current.version != expected):
                placed.refuse(412, _stale(placed.entry.expression))

    def _refuse_overlaps(self) -> None:
        """Where two entries mean one resource, nobody knows which one counts (R4 http.html, transaction rules)."""
        seen: set[object] = set()
        for placed in self._open():
            entry = placed.entry
            keys = {(entry.type, placed.id), (entry.type, entry.condition or placed.id)}
            if keys & seen:
                placed.refuse(422, same_resource_twice(entry.expression))
            seen |= keys

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
        lost: set[str] = set()
        for placed in self._placed:
            if placed.status >= 400 and placed.entry.method == "POST":
                lost.update(_uuid_names(placed.entry))
        follower = self._follower_of(lost)
        while follower is not None:
            follower.refuse(422, _follows_refused(follower.entry.expression))
            lost.update(_uuid_names(follower.entry))
            follower = self._follower_of(lost)

    def _follower_of(self, lost: set[str]) -> _Placed | None:
        if not lost:
            return None
        return next((placed for placed in self._open() if not lost.isdisjoint(placed.entry.originals)), None)

    def _resolve_references(self) -> None:
        """Literal references by the book; conditional and logical ones by identifier, asked for all at once."""
        pending: list[tuple[dict[str, Any], tuple[str, ...], Identifier]] = []
        for placed in self._open():
            for found, original in zip(placed.entry.references, placed.entry.originals, strict=True):
                conditional = conditional_target(original, read_condition) if original is not None else None
                if original is None:
                    found.value.pop("reference", None)
                elif conditional is not None:
                    _make_logical(found.value, *conditional)
                else:
                    found.value["reference"] = resolve_reference(original, self._book) or original
                pending += [(found.value, *target) for target in _target_by_identifier(found, original)]
        self._follow_identifiers(pending)

    def _follow_identifiers(self, pending: Sequence[tuple[dict[str, Any], tuple[str, ...], Identifier]]) -> None:
        """Point at the one resource with the identifier; where there is none yet, or several, leave the identifier."""
        if not pending:
            return
        found = self._table.find((type, each) for _, types, each in pending for type in types)
        for value, types, identifier in pending:
            here = [self._identities[type, identifier] for type in types if (type, identifier) in self._identities]
            there = [f"{type}/{id}" for type in types for id in found.get((type, identifier), ())]
            targets = list(dict.fromkeys(here or there))
            if len(targets) == 1:
                value["reference"] = targets[0]
            elif len(types) == 1:
                value["type"] = types[0]  # so that the mapping can ask for it once it comes

    def _store(self) -> None:
        to_store = []
        for placed in self._open():
            current, entry = placed.current, placed.entry
            if current is not None and (entry.method == "POST" or _says_the_same(entry.body, current)):
                placed.status, placed.stored = 200, current
            else:
                to_store.append(placed)
        versions = [
            NewVersion(
                type=placed.entry.type,
                id=placed.id,
                version=placed.current.version + 1 if placed.current else 1,
                body=placed.entry.body,
                identifiers=tuple(placed.entry.identifiers),
            )
            for placed in to_store
        ]
        for placed, stored in zip(to_store, self._table.put(versions), strict=True):
            placed.stored, placed.status = stored, 200 if stored.version > 1 else 201

    def _answer_single(self) -> FhirAnswer:
        placed = self._placed[0]
        stored = placed.stored
        assert stored is not None
        headers = {
            "Location": f"{BASE_PATH}/{stored.type}/{stored.id}/_history/{stored.version}",
            "ETag": f'W/"{stored.version}"',
            "Last-Modified": format_datetime(stored.updated_at, usegmt=True),
            "Content-Type": FHIR_CONTENT,
        }
        body = b"" if self._submission.minimal else write_json(stored.body)
        return FhirAnswer(status=placed.status, body=body, headers=headers)

    def _answer_bundle(self) -> FhirAnswer:
        kind = "transaction-response" if self._submission.kind == "transaction" else "batch-response"
        entries = [{"response": _response(placed)} for placed in self._placed]
        answer: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
        if entries:
            answer["entry"] = entries
        return FhirAnswer(status=200, body=write_json(answer), headers={"Content-Type": FHIR_CONTENT})


_KEPT = frozenset(SUPPORTED_TYPES)


def outcome_answer(status: int, issues: list[Issue], headers: Mapping[str, str] | None = None) -> FhirAnswer:
    """A refusal as an HTTP answer: an OperationOutcome with everything that is wrong."""
    return FhirAnswer(
        status=status,
        body=write_json(operation_outcome(issues)),
        headers={"Content-Type": FHIR_CONTENT, **(headers or {})},
        refused=True,
    )


def _identity_to_look_for(entry: Entry) -> tuple[str, Identifier | None]:
    """The identifier by which the entry may be a stored resource: its condition, or its own where it has no id."""
    if entry.condition is not None or not entry.by_identity:
        return entry.type, entry.condition
    return entry.type, next(iter(entry.identifiers), None)


def _target_by_identifier(found: FoundReference, original: str | None) -> list[tuple[tuple[str, ...], Identifier]]:
    """Types that are kept and the identifier, of a reference that says no more of its target; else nothing."""
    if original is None:
        logical = logical_target(found)
        targets = [] if logical is None else [logical]
    else:
        conditional = conditional_target(original, read_condition)
        targets = [] if conditional is None else [((conditional[0],), conditional[1])]
    return [(tuple(type for type in types or SUPPORTED_TYPES if type in _KEPT), each) for types, each in targets]


def _uuid_names(entry: Entry) -> list[str]:
    return [name for name in entry_names(entry) if name.startswith("urn:")]


def _make_logical(reference: dict[str, Any], type: str, identifier: Identifier) -> None:
    """A conditional reference says what an identifier says; as one it can wait for its target to come."""
    reference.pop("reference", None)
    reference["type"] = type
    reference["identifier"] = {"system": identifier.namespace, "value": identifier.value}


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
