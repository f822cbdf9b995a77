"""The HTTP application of a site: FHIR, /api/v1, health and metrics, put together. Decides nothing itself."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

from gateway.api.access import Access
from gateway.api.errors import install_error_handlers
from gateway.api.metrics import CONTENT_TYPE, Metrics
from gateway.api.routes import api_router
from gateway.wiring.desk import Desk
from gateway.wiring.feeds import fhir_imports, fhir_routes
from gateway.wiring.site import Site

_DESCRIPTION = """\
Everything the command line does, over HTTP. Requests under `/api/v1` carry the bearer token of a user of the site,
whose role decides what is allowed; `/fhir` and `POST /api/v1/messages` carry a source's. Every error under `/api` is
`{"error": {"kind", "message"}}`; under `/fhir` it is an OperationOutcome. Amounts are integer cents."""
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)

# ASGI's own shapes.
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_Application = Callable[[_Message, _Receive, _Send], Awaitable[None]]


def create_app(site: Site, notify: Callable[[], None]) -> FastAPI:
    """The application; ``notify`` is called when something arrived or was decided that leaves work to do."""
    app = FastAPI(
        title="cleanclaim", version=version("cleanclaim"), description=_DESCRIPTION, docs_url=None, redoc_url=None
    )
    metrics = Metrics(site.store)
    install_error_handlers(app)
    # Addresses are tried in this order: what EHRs call all day comes before what people call.
    app.include_router(fhir_imports(site, notify))
    app.include_router(fhir_routes(site, notify))
    _add_probes(app, site, metrics)
    app.include_router(api_router(Desk(site, notify), Access(site)))
    app.add_middleware(_Dressed, metrics=metrics)
    return app


class _Dressed:
    """Gives every answer its headers, and counts it."""

    def __init__(self, app: _Application, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        started = time.perf_counter()

        async def dressed(message: _Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in _HEADERS if each[0] not in said)]
                pattern = getattr(scope.get("route"), "path", "unknown")
                self._metrics.answered(scope["method"], pattern, message["status"], time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, dressed)


def _add_probes(app: FastAPI, site: Site, metrics: Metrics) -> None:
    @app.get("/healthz", tags=["probes"], summary="Whether the process lives")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/readyz", tags=["probes"], summary="Whether the database answers", response_model=dict[str, bool])
    def readyz() -> Response:
        ready = site.store.is_ready()
        return JSONResponse({"ok": ready}, status_code=200 if ready else 503)

    @app.get("/metrics", tags=["probes"], summary="Counts in Prometheus' format", response_class=Response)
    def scrape() -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE)
