"""POST /fhir/$import: NDJSON as it arrives, committed part by part, then worked on; status and outcomes to ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from adapters.fhir.http_edge import (
    BEARER,
    RETRY_AFTER_S,
    Authenticate,
    OutcomeRoute,
    Slots,
    arriving,
    plain_issue,
    source_of,
)
from adapters.fhir.issues import Refused
from adapters.fhir.strict_json import DEFAULT_LIMITS, write_json
from gateway.ports.imports import ImportDesk, ImportStatus

NDJSON = "application/fhir+ndjson"
_TAKEN_TYPES = frozenset({NDJSON, "application/ndjson", "application/x-ndjson"})
_PATH = "/$import"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLimits:
    """What one import may be."""

    size_max: int = 1024 * 1024 * 1024
    line_max: int = DEFAULT_LIMITS.size_max
    part_lines: int = 100
    part_bytes: int = 1024 * 1024
    """Of what commits at once, when it comes and again when it is tried: others who write wait that long."""
    quiet_s: float = 60.0
    """Longest silence of a sender."""
    arriving_per_source_max: int = 2
    """Imports of one source that arrive at one time; the next is told to come back (429)."""


def fhir_import_router(
    imports: ImportDesk, authenticate: Authenticate, limits: ImportLimits | None = None
) -> APIRouter:
    """Routes of ``/fhir/$import``; to be asked before those of ``/fhir/{type}``."""
    api = _ImportApi(imports, authenticate, limits or ImportLimits())
    router = APIRouter(prefix="/fhir", tags=["FHIR R4"], route_class=OutcomeRoute, dependencies=[Depends(BEARER)])
    router.add_api_route(
        _PATH, api.take, methods=["POST"], status_code=202, summary="Import NDJSON, one resource a line"
    )
    router.add_api_route(f"{_PATH}/{{id}}", api.status, methods=["GET"], summary="How far an import is")
    router.add_api_route(f"{_PATH}/{{id}}/outcomes", api.outcomes, methods=["GET"], summary="What became of each line")
    return router


class _ImportApi:
    def __init__(self, imports: ImportDesk, authenticate: Authenticate, limits: ImportLimits) -> None:
        self._imports = imports
        self._authenticate = authenticate
        self._limits = limits
        self._arriving = Slots(limits.arriving_per_source_max, "imports")

    async def take(self, request: Request) -> Response:
        """Commit the lines as they come; 202 once all are on disk."""
        source = source_of(request, self._authenticate)
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media not in _TAKEN_TYPES or request.headers.get("content-encoding", "identity").lower() != "identity":
            message = "The body is not uncompressed NDJSON, by what its headers say."
            fix = f"Send Content-Type: {NDJSON}."
            raise Refused(415, [plain_issue("not-supported", "content-type-not-supported", message, fix)])
        with self._arriving.taken(source):
            import_id = await run_in_threadpool(self._imports.begin, source)
            number = 0
            async for part in self._parts(request):
                await run_in_threadpool(self._imports.add_part, import_id, number, part)
                number += 1
            await run_in_threadpool(self._imports.seal, import_id)
        return Response(status_code=202, headers={"Content-Location": _address(request, import_id)})

    async def _parts(self, request: Request) -> AsyncIterator[list[tuple[int, bytes]]]:
        """The lines in parts that fit into memory and into a transaction."""
        part: list[tuple[int, bytes]] = []
        size = count = 0
        async for line in self._lines(request):
            count += 1
            if not line.strip():
                continue
            part.append((count, line.strip()))
            size += len(line)
            if len(part) >= self._limits.part_lines or size >= self._limits.part_bytes:
                yield part
                part, size = [], 0
        if part:
            yield part

    async def _lines(self, request: Request) -> AsyncIterator[bytes]:
        rest = b""
        whole = 0
        async for chunk in self._chunks(request):
            whole += len(chunk)
            if whole > self._limits.size_max:
                raise _too_large("The import", self._limits.size_max, "Send it in several.")
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line
            if len(rest) > self._limits.line_max:
                raise _too_large("A line", self._limits.line_max, "Send smaller resources.")
        yield rest

    async def _chunks(self, request: Request) -> AsyncIterator[bytes]:
        stream = aiter(request.stream())
        while True:
            async with arriving(request, self._limits.quiet_s):  # what is done with a chunk meanwhile takes its time
                chunk = await anext(stream, None)
            if chunk is None:
                return
            yield chunk

    async def status(self, request: Request, id: str) -> Response:
        """202 with the progress while lines are left, then 200 with counts and where the outcomes are."""
        source = source_of(request, self._authenticate)
        found = await self._find(source, id)
        if not found.finished:
            progress = f"{found.done} of {found.lines} lines"
            return Response(status_code=202, headers={"X-Progress": progress, "Retry-After": str(RETRY_AFTER_S)})
        address = _address(request, id)
        body = {
            "transactionTime": found.asked_at.isoformat().replace("+00:00", "Z"),
            "request": address.rpartition("/")[0],
            "requiresAccessToken": True,
            "lines": found.lines,
            "stored": found.stored,
            "duplicate": found.duplicate,
            "refused": found.refused,
            "output": [{"type": "lines", "count": found.lines, "url": f"{address}/outcomes"}],
        }
        return Response(write_json(body), media_type="application/json")

    async def outcomes(self, request: Request, id: str) -> Response:
        """One line of JSON for each line that was tried."""
        source = source_of(request, self._authenticate)
        await self._find(source, id)

        def lines() -> Iterator[bytes]:
            for part in self._imports.outcomes(source, id):
                yield b"".join(write_json(asdict(each)) + b"\n" for each in part)

        return StreamingResponse(lines(), media_type="application/ndjson")

    async def _find(self, source: str, id: str) -> ImportStatus:
        found = await run_in_threadpool(self._imports.status, source, id)
        if found is None:
            raise Refused(
                404, [plain_issue("not-found", "not-found", "This source has no such import.", "Check the address.")]
            )
        return found


def _address(request: Request, import_id: str) -> str:
    return f"{str(request.base_url).rstrip('/')}/fhir{_PATH}/{import_id}"


def _too_large(what: str, most: int, fix: str) -> Refused:
    message = f"{what} is larger than {most:,} bytes."
    return Refused(413, [plain_issue("too-long", "body-too-large", message, fix)], {"Connection": "close"})
