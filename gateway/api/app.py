"""The HTTP application of a site: FHIR, /api/v1, health and metrics, put together. Decides nothing itself."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version

from fastapi import FastAPI, Request, Response
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
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

_Next = Callable[[Request], Awaitable[Response]]


def create_app(site: Site, notify: Callable[[], None]) -> FastAPI:
    """The application; ``notify`` is called when something arrived or was decided that leaves work to do."""
    app = FastAPI(
        title="cleanclaim", version=version("cleanclaim"), description=_DESCRIPTION, docs_url=None, redoc_url=None
    )
    metrics = Metrics(site.store)
    install_error_handlers(app)
    _add_probes(app, site, metrics)
    app.include_router(api_router(Desk(site, notify), Access(site)))
    app.include_router(fhir_imports(site, notify))
    app.include_router(fhir_routes(site, notify))

    @app.middleware("http")
    async def dress(request: Request, call_next: _Next) -> Response:
        started = time.perf_counter()
        response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        route = request.scope.get("route")
        pattern = getattr(route, "path", "unknown")
        metrics.answered(request.method, pattern, response.status_code, time.perf_counter() - started)
        return response

    return app


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
