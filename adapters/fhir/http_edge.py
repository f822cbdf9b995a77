"""What every FHIR address does: asks whose token it is, answers with an OperationOutcome, never with a trace."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from adapters.fhir.bundle import outcome_answer
from adapters.fhir.issues import Issue, Refused
from adapters.fhir.receiving import broke
from gateway.errors import Conflict, NotAllowed, NotFound, Unavailable
from gateway.ports import FHIR_CONTENT, FhirAnswer

RETRY_AFTER_S = 5

Authenticate = Callable[[str], str | None]
"""From a bearer token to the source it belongs to; None when it belongs to none. Answers from memory, at once."""

BEARER = HTTPBearer(auto_error=False, scheme_name="FHIR source token")
"""Names the token in the OpenAPI contract; `source_of` does the checking, and answers with an OperationOutcome."""
_TOKEN_FIX = "Send the token of your source as Authorization: Bearer."  # noqa: S105


class OutcomeRoute(APIRoute):
    """Turns whatever goes wrong below /fhir into an OperationOutcome."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, fenced."""
        handle = super().get_route_handler()

        async def fenced(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                return response_of(_answer_to(error))

        return fenced


def _answer_to(error: Exception) -> FhirAnswer:
    if isinstance(error, Refused):
        return outcome_answer(error.status, error.issues, error.headers)
    if isinstance(error, Unavailable):
        issue = plain_issue("transient", "unavailable", "Nothing was stored.", "Send it again.")
        return outcome_answer(503, [issue], {"Retry-After": str(RETRY_AFTER_S)})
    for kind, status, code, detail in _KNOWN_ERRORS:
        if isinstance(error, kind):
            issue = plain_issue(code, detail, str(error), "Change the request, then send it again.")
            return outcome_answer(status, [issue])
    return outcome_answer(500, broke(error).issues)


_KNOWN_ERRORS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (NotAllowed, 403, "forbidden", "not-allowed"),
    (NotFound, 404, "not-found", "not-found"),
    (Conflict, 409, "conflict", "conflict"),
)


def source_of(request: Request, authenticate: Authenticate) -> str:
    """The source whose token the request carries. Raises Refused (401) before anything of a body is read."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    source = None
    if kind.lower() == "bearer" and token.strip():
        source = authenticate(token.strip())
    if source is None:
        raise Refused(
            401,
            [plain_issue("login", "token-missing-or-unknown", "The request carries no valid token.", _TOKEN_FIX)],
            {"WWW-Authenticate": 'Bearer realm="fhir"', "Connection": "close"},
        )
    return source


@asynccontextmanager
async def arriving(request: Request, within_s: float) -> AsyncIterator[None]:
    """Around reading a body, or a part of it. Raises Refused when it does not come in time, or its sender hangs up."""
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError:
        issue = plain_issue("timeout", "body-too-slow", "The body did not arrive in time.", "Send it again.")
        raise Refused(408, [issue], {"Connection": "close"}) from None
    except Exception:
        if not await request.is_disconnected():
            raise
        issue = plain_issue("incomplete", "body-incomplete", "The body broke off.", "Send it again.")
        raise Refused(400, [issue], {"Connection": "close"}) from None


class Slots:
    """How much of one kind each source may have in work at one time; no source's count against another's."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, source: str) -> Iterator[None]:
        """Around the work. Raises Refused (429) where the source has none left."""
        if self._taken[source] >= self._most:
            message, fix = f"Too many {self._what} of this source are in work.", "Wait, then send it again."
            issue = plain_issue("throttled", "too-many-requests", message, fix)
            raise Refused(429, [issue], {"Retry-After": str(RETRY_AFTER_S)})
        self._taken[source] += 1
        try:
            yield
        finally:
            self._taken[source] -= 1
            if not self._taken[source]:
                del self._taken[source]


def plain_issue(code: str, detail: str, message: str, fix: str) -> Issue:
    """An error that stands at no element."""
    return Issue(code=code, detail=detail, expression="", message=message, fix=fix)


def response_of(answer: FhirAnswer) -> Response:
    """The answer as HTTP."""
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Type"}
    media_type = answer.headers.get("Content-Type", FHIR_CONTENT) if answer.body else None
    return Response(answer.body, status_code=answer.status, headers=headers, media_type=media_type)
