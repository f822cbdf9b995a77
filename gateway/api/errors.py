"""One shape for every error under /api: ``{"error": {"kind", "message"}}``, in plain sentences, without values."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from gateway.errors import (
    ConfigurationError,
    Conflict,
    FormatError,
    GatewayError,
    NotAllowed,
    NotFound,
    NotKnown,
    Unavailable,
    innermost_place,
)

_LOG = structlog.get_logger("api")
_RETRY_AFTER_S = "5"
_STATUSES: tuple[tuple[type[GatewayError], int], ...] = (
    (NotFound, 404),
    (NotAllowed, 403),
    (Conflict, 409),
    (NotKnown, 422),
    (ConfigurationError, 422),
    (FormatError, 422),
    (Unavailable, 503),
)
_KINDS = {
    400: "misuse",
    401: "not-authenticated",
    403: "not-allowed",
    404: "not-found",
    405: "misuse",
    408: "too-slow",
    413: "too-large",
    415: "misuse",
}


class Unauthenticated(GatewayError):
    """Send a bearer token of a user of this site."""


def install_error_handlers(app: FastAPI) -> None:
    """Answer every failure in the one shape."""
    app.add_exception_handler(GatewayError, _gateway_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    for refusal in (HTTPException, 404, 405):  # the framework's own "no such address" is known by its number alone
        app.add_exception_handler(refusal, _http_error)
    app.add_exception_handler(Exception, _unexpected)


def error_body(kind: str, message: str) -> dict[str, Any]:
    """The shape."""
    return {"error": {"kind": kind, "message": message}}


def _answer(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(error_body(kind, message), status_code=status, headers=headers)


async def _gateway_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GatewayError)
    if isinstance(error, Unauthenticated):
        return _answer(401, "not-authenticated", str(error), {"WWW-Authenticate": "Bearer"})
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    headers = {"Retry-After": _RETRY_AFTER_S} if status == 503 else None
    return _answer(status, error.kind, str(error), headers)


async def _validation_error(_: Request, error: Exception) -> JSONResponse:
    """Which parameters are wrong and why; what was sent is never repeated."""
    assert isinstance(error, RequestValidationError)
    said = [f"{'.'.join(map(str, each['loc'][1:])) or each['loc'][0]}: {each['msg']}" for each in error.errors()]
    return _answer(422, "misuse", "; ".join(said))


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    status = getattr(error, "status_code", 500)
    message = str(getattr(error, "detail", "the request failed"))
    return _answer(status, _KINDS.get(status, "failed"), message, getattr(error, "headers", None))


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    """The text of an unexpected error may hold a patient's data; its type and place may not."""
    _LOG.error("request-failed", error=type(error).__name__, at=innermost_place(error))
    return _answer(500, "defect", "the server failed; nothing half done was kept. Tell whoever runs it.")
