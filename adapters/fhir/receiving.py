"""Takes one request of a source that is known: bytes to a checked submission, to the intake, to an answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from adapters.fhir.bundle import apply_submission, look_ahead, outcome_answer
from adapters.fhir.issues import Issue, Refused
from adapters.fhir.shapes import resource_shape
from adapters.fhir.strict_json import DEFAULT_LIMITS, JsonLimits, read_json
from adapters.fhir.submission import (
    SUPPORTED_TYPES,
    Submission,
    read_bundle,
    read_condition,
    read_if_match,
    read_single,
)
from gateway.errors import innermost_place
from gateway.ports import FHIR_CONTENT, Arrival, FhirAnswer, Resource
from gateway.ports.storage import Transaction
from gateway.ports.submissions import FhirIntake, FhirSubmission, note_nothing

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirRequest:
    """A POST or PUT as it came, without its HTTP dress."""

    source: str
    """Whose token it came with."""
    method: str
    type: str = ""
    """Resource type of the address; empty for the base address."""
    id: str = ""
    query: str = ""
    """The condition of a conditional update, without the question mark."""
    content: bytes
    if_none_exist: str = ""
    if_match: str | None = None
    idempotency_key: str = ""
    minimal: bool = False
    pulled: bool = False
    """True for a page of a search of ours: what the EHR has, not what it asks us to do."""
    lenient: bool = False
    """True leaves resources of types that are not kept out of a Bundle instead of refusing it."""

    @property
    def address(self) -> str:
        """Method and path, with the headers that change the meaning: what makes two requests the same request."""
        path = "/".join(part for part in (self.type, self.id) if part)
        return f"{self.method} /fhir/{path}?{self.query} {self.if_none_exist} {self.if_match or ''}".strip()


class FhirReceiver:
    """Submits requests to the intake. Synchronous: callers on an event loop use a thread."""

    def __init__(self, intake: FhirIntake, limits: JsonLimits = DEFAULT_LIMITS) -> None:
        self._intake = intake
        self.limits = limits

    def receive(self, request: FhirRequest) -> FhirAnswer:
        """Commit the request and its answer. A request that is refused is kept too; so are its bytes.

        Raises Unavailable when nothing was stored.
        """
        return self._intake.submit(self._submission(request))

    def receive_each(self, requests: Sequence[FhirRequest]) -> list[FhirAnswer | Exception]:
        """The same for many that know nothing of each other: why one was not stored takes the place of its answer."""
        return self._intake.submit_each([self._submission(each) for each in requests])

    def receive_all(
        self,
        requests: Sequence[FhirRequest],
        note: Callable[[Transaction, Sequence[FhirAnswer]], None] = note_nothing,
    ) -> list[FhirAnswer]:
        """The same for many in one transaction, in order; ``note`` writes in it what hangs on the answers."""
        given: list[FhirAnswer] = []

        def note_given(tx: Transaction, answers: Sequence[FhirAnswer | Exception]) -> None:
            given[:] = _given(answers)
            note(tx, given)

        self._intake.submit_all([self._submission(each) for each in requests], note_given)
        return given

    def read(self, source: str, type: str, id: str) -> Resource | None:
        """The newest version of a resource as the source sent it."""
        return self._intake.read(source, type, id)

    def _submission(self, request: FhirRequest) -> FhirSubmission:
        try:
            submission = self._read(request)
        except Refused as refused:
            return _refusal(request, refused)
        except Exception as error:  # its sender's alone, whoever it is read together with
            return _refusal(request, broke(error))
        arrival = Arrival(
            source=request.source,
            content=request.content,
            content_type=FHIR_CONTENT,
            control_key=_control_key(request, submission),
            event=submission.event,
        )
        return FhirSubmission(
            arrival=arrival,
            request_key=_request_key(request),
            apply=lambda table, now: apply_submission(submission, table, now),
            look_ahead=look_ahead(submission),
            if_reused=lambda: _name_reused(request),
        )

    def _read(self, request: FhirRequest) -> Submission:
        body = read_json(request.content, self.limits)
        if request.type and request.type not in SUPPORTED_TYPES:
            raise Refused(404, [type_not_supported(request.type)])
        if not request.type:
            submission = read_bundle(body, lenient=request.lenient, pulled=request.pulled)
        else:
            condition = None
            if request.method == "POST" and request.if_none_exist:
                condition = read_condition(request.if_none_exist, "")
            elif request.method == "PUT" and not request.id:
                condition = read_condition(request.query, "")
            submission = read_single(
                body,
                type=request.type,
                method=request.method,
                id=request.id,
                condition=condition,
                if_match=read_if_match(request.if_match, ""),
            )
        submission.minimal = request.minimal
        return submission


def broke(error: Exception) -> Refused:
    """What a sender hears where the server itself failed. Logs where."""
    # The text of an unexpected error may hold what was sent; its type and place may not.
    _LOG.error("fhir request failed", error=type(error).__name__, at=innermost_place(error))
    return Refused(
        500,
        [
            Issue(
                code="exception",
                detail="unexpected",
                expression="",
                message="The server failed; no resource of it was stored.",
                fix="Tell whoever runs it.",
            )
        ],
    )


def _given(answers: Sequence[FhirAnswer | Exception]) -> list[FhirAnswer]:
    """An answer each: what broke one of many is no reason to keep the others out."""
    return [each if isinstance(each, FhirAnswer) else _answer_of(broke(each)) for each in answers]


def _answer_of(refused: Refused) -> FhirAnswer:
    return outcome_answer(refused.status, refused.issues, refused.headers)


def _refusal(request: FhirRequest, refused: Refused) -> FhirSubmission:
    """Stores the bytes of a request that cannot be taken. Its names stay free, for the corrected content."""
    arrival = Arrival(
        source=request.source,
        content=request.content,
        content_type=FHIR_CONTENT,
        control_key="",
        event=f"{_type_of(request)}/refused",
        refusal=str(refused),
    )
    answer = _answer_of(refused)
    return FhirSubmission(arrival=arrival, request_key=_once(request), apply=lambda _table, _now: answer)


def _name_reused(request: FhirRequest) -> FhirSubmission:
    return _refusal(request, Refused(409, [_identifier_reused(request)]))


def _control_key(request: FhirRequest, submission: Submission) -> str:
    """The sender's own name for the content. The same name with other content is a conflict."""
    if submission.control_key:
        return submission.control_key
    return f"Idempotency-Key|{request.address}|{request.idempotency_key}" if request.idempotency_key else ""


def _request_key(request: FhirRequest) -> str:
    """What makes the same bytes the same request, answered with the first answer.

    A PUT, or a page of a search, is never answered from memory: content A, then B, then A again must leave A. Sending
    it twice is harmless all the same, because a version that says nothing new is not stored.
    """
    return _once(request) if request.method == "PUT" or request.pulled else request.address


def _type_of(request: FhirRequest) -> str:
    """The type of the address; not repeated where it is no type, since it may be anything then."""
    if not request.type:
        return "Bundle"
    return request.type if resource_shape(request.type) is not None else "unknown"


def _once(request: FhirRequest) -> str:
    return f"{request.address} {uuid.uuid4().hex}"


def _identifier_reused(request: FhirRequest) -> Issue:
    named = "Idempotency-Key" if request.idempotency_key and request.type else "Bundle.identifier"
    return Issue(
        code="conflict",
        detail="identifier-reused",
        expression="" if named == "Idempotency-Key" else "Bundle.identifier",
        message=f"This {named} was used before, for other content.",
        fix="Give new content a new identifier.",
    )


def type_not_supported(type: str) -> Issue:
    """The issue of an address of a type that is not kept; what is no type of R4 is not repeated."""
    known = resource_shape(type) is not None
    return Issue(
        code="not-supported",
        detail="resource-not-supported",
        expression=type if known else "",
        message=f"{type} is not kept by this server." if known else "The address is not one this server has.",
        fix=f"Kept are: {', '.join(SUPPORTED_TYPES)}; read /fhir/metadata.",
    )
