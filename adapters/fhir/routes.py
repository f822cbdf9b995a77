"""The FHIR API over HTTP: who asks, how much may come, what is answered. Always an OperationOutcome, never a trace."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from adapters.batching import BatchWriter
from adapters.fhir.capability import STATUS_TYPES, capability_statement
from adapters.fhir.http_edge import (
    BEARER,
    Authenticate,
    OutcomeRoute,
    Slots,
    arriving,
    plain_issue,
    response_of,
    source_of,
)
from adapters.fhir.issues import Refused
from adapters.fhir.primitives import is_id
from adapters.fhir.receiving import FhirReceiver, FhirRequest, type_not_supported
from adapters.fhir.status import SHAPES, search_set
from adapters.fhir.strict_json import DEFAULT_LIMITS, JsonLimits, body_too_large, write_json
from adapters.fhir.submission import SUPPORTED_TYPES
from gateway.ports import FHIR_CONTENT, FhirAnswer, StatusReader
from gateway.ports.submissions import FhirIntake

_JSON_TYPES = {"application/fhir+json", "application/json", "application/json+fhir", "text/json"}
_MOST_IN_ONE_COMMIT = 64
_PAGE_SIZE_MAX = 500
_PAGING = {"_count", "_offset", "_format", "_pretty"}
_SEARCHES = {"patient": "patient", "encounter": "encounter", "identifier": "claim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirLimits:
    """What the API takes at once."""

    json: JsonLimits = field(default_factory=lambda: DEFAULT_LIMITS)
    submissions_per_source_max: int = 32
    """Requests of one source in work at one time; the next is told to come back (429)."""
    body_timeout_s: float = 60.0
    """A body that takes longer to arrive is given up (408)."""
    shared_commit_bytes: int = 256 * 1024
    """A body up to this size, read in some 20 ms, shares a commit with others; a larger one holds nobody up."""


def fhir_router(
    intake: FhirIntake, statuses: StatusReader, authenticate: Authenticate, limits: FhirLimits | None = None
) -> APIRouter:
    """Routes of ``/fhir``: ``metadata``, Bundles and resources in, resources and claim status out.

    Every address but ``metadata`` asks for ``Authorization: Bearer`` before it reads a body, on loopback too.
    """
    api = _FhirApi(FhirReceiver(intake, (limits or FhirLimits()).json), statuses, authenticate, limits or FhirLimits())
    router = APIRouter(prefix="/fhir", tags=["FHIR R4"], route_class=OutcomeRoute)
    router.add_api_route(
        "/metadata", api.metadata, methods=["GET"], summary="What this server can do", responses=_described(200, 406)
    )
    for path, endpoint, method, summary, answers in (
        ("", api.post_bundle, "POST", "Store a Bundle", _TAKEN),
        ("/{type}", api.create, "POST", "Create a resource", _TAKEN),
        ("/{type}", api.update_by_identifier, "PUT", "Update by identifier", _TAKEN),
        ("/{type}", api.search, "GET", "Find the status of claims", _READ),
        ("/{type}/{id}", api.update, "PUT", "Update or create a resource", _TAKEN),
        ("/{type}/{id}", api.read, "GET", "Read a resource or a claim's status", _READ),
        ("/{type}/{id}/_history/{version}", api.read_version, "GET", "Read the newest version", _READ),
    ):
        router.add_api_route(
            path,
            endpoint,
            methods=[method],
            summary=summary,
            dependencies=[Depends(BEARER)],
            responses=_described(*answers),
            openapi_extra={"requestBody": _JSON_BODY} if answers is _TAKEN else None,
        )
    router.add_api_route("/", api.post_bundle, methods=["POST"], include_in_schema=False)
    every = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
    for path in ("", "/{rest:path}"):
        router.add_api_route(path, api.anything_else, methods=every, include_in_schema=False)
    return router


_JSON_BODY = {"required": True, "content": {FHIR_CONTENT: {"schema": {"type": "object"}}}}
_READ = (200, 400, 401, 404, 405, 406, 503)
_TAKEN = (200, 201, 400, 401, 404, 406, 408, 409, 412, 413, 415, 422, 429, 503)


def _described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of an address for the OpenAPI contract: a resource, or an OperationOutcome."""
    resource: dict[str, Any] = {FHIR_CONTENT: {"schema": {"type": "object"}}}
    return {
        status: {"description": HTTPStatus(status).phrase if status < 400 else "OperationOutcome", "content": resource}
        for status in statuses
    }


class _FhirApi:
    """The endpoints. Anything that waits for the store runs in a thread."""

    def __init__(
        self, receiver: FhirReceiver, statuses: StatusReader, authenticate: Authenticate, limits: FhirLimits
    ) -> None:
        self._receiver = receiver
        self._writer = BatchWriter(receiver.receive_each, _MOST_IN_ONE_COMMIT, "fhir-writer")
        self._statuses = statuses
        self._authenticate = authenticate
        self._limits = limits
        self._in_work = Slots(limits.submissions_per_source_max, "requests")
        self._capability = write_json(capability_statement())

    async def metadata(self, request: Request) -> Response:
        """The CapabilityStatement; the one address that asks for no token."""
        _check_accept(request)
        return Response(self._capability, media_type=FHIR_CONTENT)

    async def post_bundle(self, request: Request) -> Response:
        """Store a transaction, batch, collection or message Bundle."""
        return await self._submit(request)

    async def create(self, request: Request, type: str) -> Response:
        """Store a new resource; with If-None-Exist only when no resource has the identifier."""
        return await self._submit(request, type)

    async def update(self, request: Request, type: str, id: str) -> Response:
        """Store a new version under an id of the sender's; If-Match guards against losing another's change."""
        return await self._submit(request, type, id)

    async def update_by_identifier(self, request: Request, type: str) -> Response:
        """Store a new version of the resource that has the identifier, or a new resource."""
        return await self._submit(request, type, query=request.url.query)

    async def _submit(self, request: Request, type: str = "", id: str = "", query: str = "") -> Response:
        source = source_of(request, self._authenticate)
        _check_accept(request)
        if type and type not in SUPPORTED_TYPES:
            raise Refused(404, [type_not_supported(type)])
        _check_content_type(request)
        if id and not is_id(id):
            raise Refused(400, [plain_issue("value", "id-malformed", "The id of the address is no FHIR id.", _ID_FIX)])
        with self._in_work.taken(source):
            content = await self._body(request)
            answer = await self._stored(_request(request, source, content, type, id, query))
        return response_of(answer)

    async def _stored(self, request: FhirRequest) -> FhirAnswer:
        """Committed with what else waits, unless it is large; then read and committed by itself."""
        if len(request.content) > self._limits.shared_commit_bytes:
            return await run_in_threadpool(self._receiver.receive, request)
        (answer,) = await self._writer.submit([request])
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def read(self, request: Request, type: str, id: str) -> Response:
        """A resource as this source sent it, or the status of one of its claims."""
        source = source_of(request, self._authenticate)
        _check_accept(request)
        if type not in SUPPORTED_TYPES and type not in STATUS_TYPES:
            raise Refused(404, [type_not_supported(type)])
        return await self._read(source, type, id)

    async def read_version(self, request: Request, type: str, id: str, version: str) -> Response:
        """One version of a resource, as long as it is the newest."""
        source = source_of(request, self._authenticate)
        found = await self._read(source, type, id)
        if found.headers.get("ETag") != f'W/"{version}"':
            raise _nothing_there()
        return found

    async def _read(self, source: str, type: str, id: str) -> Response:
        if is_id(id) and type in SUPPORTED_TYPES:
            resource = await run_in_threadpool(self._receiver.read, source, type, id)
            if resource is not None:
                headers = {"ETag": f'W/"{resource.version}"'}
                return Response(write_json(resource.body), media_type=FHIR_CONTENT, headers=headers)
        if is_id(id) and type in STATUS_TYPES:
            for claim in await run_in_threadpool(self._statuses.claim_statuses, source, claim=id):
                made = SHAPES[type](claim) if claim.claim_id == id else None
                if made is not None:
                    return Response(write_json(made), media_type=FHIR_CONTENT)
        raise _nothing_there()

    async def search(self, request: Request, type: str) -> Response:
        """The claims of a patient, an encounter or a claim number, as Task, ClaimResponse or ExplanationOfBenefit."""
        source = source_of(request, self._authenticate)
        _check_accept(request)
        if type not in STATUS_TYPES:
            if type not in SUPPORTED_TYPES:
                raise Refused(404, [type_not_supported(type)])
            raise _not_searchable()
        wanted, offset, count = _read_search(request)
        claims = await run_in_threadpool(lambda: self._statuses.claim_statuses(source, **wanted))
        made = [shaped for claim in claims if (shaped := SHAPES[type](claim)) is not None]
        query = urlencode([(name, value) for name, value in request.query_params.multi_items() if name in _SEARCHES])
        base = f"{str(request.base_url).rstrip('/')}/fhir/"
        page = search_set(made, base=base, query=query, type=type, offset=offset, count=count)
        return Response(write_json(page), media_type=FHIR_CONTENT)

    async def anything_else(self, request: Request) -> Response:
        """An address or method this server does not have."""
        source_of(request, self._authenticate)
        raise Refused(
            405 if request.method not in {"GET", "HEAD"} else 404,
            [
                plain_issue(
                    "not-supported",
                    "interaction-not-supported",
                    "This server has no such interaction.",
                    "Read /fhir/metadata; take a resource back by sending it with its status entered-in-error.",
                )
            ],
            {"Allow": "GET, POST, PUT"},
        )

    async def _body(self, request: Request) -> bytes:
        """The body, given up as soon as it is larger or slower than allowed."""
        size_max = self._limits.json.size_max
        too_large = Refused(413, [body_too_large(size_max)], {"Connection": "close"})
        stated = request.headers.get("content-length", "")
        if stated.isdigit() and int(stated) > size_max:
            raise too_large
        content = bytearray()
        async with arriving(request, self._limits.body_timeout_s):
            async for chunk in request.stream():
                content += chunk
                if len(content) > size_max:
                    raise too_large
        return bytes(content)


_ID_FIX = "Send an id of 1 to 64 letters, digits, - and ."


def _request(request: Request, source: str, content: bytes, type: str, id: str, query: str) -> FhirRequest:
    headers = request.headers
    preferences = {each.strip().replace(" ", "") for each in headers.get("prefer", "").replace(";", ",").split(",")}
    return FhirRequest(
        source=source,
        method=request.method,
        type=type,
        id=id,
        query=query,
        content=content,
        if_none_exist=headers.get("if-none-exist", ""),
        if_match=headers.get("if-match"),
        idempotency_key=headers.get("idempotency-key", ""),
        minimal="return=minimal" in preferences,
        lenient="handling=lenient" in preferences,
    )


def _check_content_type(request: Request) -> None:
    media, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    stated = dict(part.partition("=")[::2] for part in parameters)
    charset = stated.get("charset", "utf-8").strip('"')
    version = stated.get("fhirversion", "4.0").strip('"')
    encoded = request.headers.get("content-encoding", "identity").lower()
    if media in _JSON_TYPES and charset in {"utf-8", "utf8"} and version.startswith("4.") and encoded == "identity":
        return
    message = "The body is not FHIR R4 JSON in UTF-8, uncompressed, by what its headers say."
    fix = "Send Content-Type: application/fhir+json."
    raise Refused(415, [plain_issue("not-supported", "content-type-not-supported", message, fix)])


def _check_accept(request: Request) -> None:
    asked = request.query_params.get("_format") or request.headers.get("accept", "*/*")
    medias = {part.partition(";")[0].strip().lower() for part in asked.split(",")}
    if medias & (_JSON_TYPES | {"*/*", "application/*", "json", ""}):
        return
    message, fix = "Answers are JSON only.", "Send Accept: application/fhir+json."
    raise Refused(406, [plain_issue("not-supported", "format-not-supported", message, fix)])


def _read_search(request: Request) -> tuple[dict[str, str], int, int]:
    """What to look for, where to begin, how many. Raises Refused unless exactly one known parameter says what."""
    wanted: dict[str, str] = {}
    for name, value in parse_qsl(request.url.query, keep_blank_values=True):
        if name in _PAGING:
            continue
        key = _SEARCHES.get(name)
        if key is None or key in wanted or not value.strip("|"):
            raise _search_refused()
        wanted[key] = _search_value(name, value)
    if not wanted:
        raise _search_refused()
    offset, count = (_number(request.query_params.get(name), default) for name, default in _PAGE_DEFAULTS)
    return wanted, offset, max(1, min(count, _PAGE_SIZE_MAX))


_PAGE_DEFAULTS = (("_offset", 0), ("_count", 100))


def _search_value(name: str, value: str) -> str:
    if name == "identifier":
        return value.rpartition("|")[2]
    if "|" in value:
        return value
    type = name.capitalize()
    bare = value.rpartition("/")[2]
    return f"{type}/{bare}"


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() and len(text) < 9 else default


def _search_refused() -> Refused:
    return Refused(
        400,
        [
            plain_issue(
                "value",
                "search-not-supported",
                "The search has a parameter that is not known, repeated or empty, or none at all.",
                "Ask with patient=, encounter= or identifier=; _count and _offset page.",
            )
        ],
    )


def _not_searchable() -> Refused:
    message, fix = "Resources of this type can be read by id, not searched.", "Read /fhir/Type/id."
    return Refused(405, [plain_issue("not-supported", "search-not-supported", message, fix)], {"Allow": "POST, PUT"})


def _nothing_there() -> Refused:
    message, fix = "This source has sent no such resource.", "Check type and id."
    return Refused(404, [plain_issue("not-found", "not-found", message, fix)])
