"""Who asks: a user's or a source's bearer token, and whether the role may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.api.errors import Unauthenticated
from gateway.claim.actor import Actor
from gateway.permissions import Permission, require
from gateway.wiring.feeds import source_of_token
from gateway.wiring.people import user_of_token
from gateway.wiring.site import Site

BODY_MAX = 32 * 1024 * 1024
BODY_S = 60.0
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
"""How ASGI hands a request's body over, piece by piece."""
_USER_TOKEN = HTTPBearer(auto_error=False, scheme_name="user", description="A user's token; site.yaml names its file.")
_SOURCE_TOKEN = HTTPBearer(auto_error=False, scheme_name="source", description="A source's token.")
_UserToken = Annotated[HTTPAuthorizationCredentials | None, Depends(_USER_TOKEN)]
_SourceToken = Annotated[HTTPAuthorizationCredentials | None, Depends(_SOURCE_TOKEN)]


class Access:
    """Dependencies that let a request through or refuse it."""

    def __init__(self, site: Site) -> None:
        self._user = user_of_token(site.settings)
        self._source = source_of_token(site.settings)

    def check_known(self, authorization: str) -> None:
        """Raise Unauthenticated unless the header names a user or a source; what each may is asked later."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not (self._user(token) or self._source(token)):
            raise Unauthenticated

    def may(self, permission: Permission) -> Callable[..., Actor]:
        """A dependency giving the user who asks, refused without the permission."""

        def user(given: _UserToken) -> Actor:
            actor = self._user(given.credentials) if given is not None else None
            if actor is None:
                raise Unauthenticated
            require(actor, permission)
            return actor

        return user

    def source(self, given: _SourceToken) -> str:
        """A dependency giving the source whose token it is."""
        name = self._source(given.credentials) if given is not None else None
        if name is None:
            raise Unauthenticated("send the bearer token of a source of this site")
        return name


def guarded_route(access: Access) -> type[APIRoute]:
    """A route that reads no body of anybody it does not know, and none without an end."""

    class GuardedRoute(APIRoute):
        """Asks for the token first; FastAPI itself would parse the body before any dependency."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """The handler behind the guard."""
            handle = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                access.check_known(request.headers.get("authorization", ""))
                return await handle(Request(request.scope, _limited(request.receive)))

            return guarded

    return GuardedRoute


def _limited(receive: _Receive) -> _Receive:
    size, until, whole = 0, asyncio.get_running_loop().time() + BODY_S, False

    async def limited() -> MutableMapping[str, Any]:
        nonlocal size, whole
        try:
            async with asyncio.timeout_at(None if whole else until):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "the body did not arrive in time; send it again") from None
        if message["type"] == "http.disconnect" and not whole:
            raise HTTPException(400, "the body broke off; send it again")
        size += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if size > BODY_MAX:
            raise HTTPException(413, f"the body is larger than {BODY_MAX // 1024 // 1024} MB; send it in parts")
        return message

    return limited
