"""Figures for operators in Prometheus' format: counts by state and kind, never a patient, claim or name."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.errors import Unavailable
from gateway.ports.storage import Store

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One registry per app: requests as they are answered, and the store's counts when somebody asks."""

    def __init__(self, store: Store) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("cleanclaim_http_requests", "Answered requests", labels, registry=self._registry)
        self._seconds = Histogram("cleanclaim_http_seconds", "Time to answer", ("route",), registry=self._registry)
        self._registry.register(_StoreCollector(store))

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request by route pattern and known method: no stranger's word is a label."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def render(self) -> bytes:
        """The page."""
        return generate_latest(self._registry)


class _StoreCollector(Collector):
    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> Iterator[Metric]:
        """Nothing: the counts are asked for at each scrape alone."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Claims by state, work by kind, interchanges by connection and state; none while the database is away."""
        up = GaugeMetricFamily("cleanclaim_database_up", "1 when the database answers")
        claims = GaugeMetricFamily("cleanclaim_claims", "Claims by state", labels=["state"])
        work = GaugeMetricFamily("cleanclaim_work_waiting", "Work still to be done", labels=["kind"])
        files = GaugeMetricFamily(
            "cleanclaim_interchanges", "Interchanges by delivery state", labels=["connection", "state"]
        )
        try:
            with self._store.read() as tx:
                for state, number in tx.claims.states().items():
                    claims.add_metric([state], number)
                for kind, number in tx.work.count().items():
                    work.add_metric([kind], number)
                tally: dict[tuple[str, str], int] = {}
                for row in tx.exchanges.interchanges():
                    tally[row.connection, row.state] = tally.get((row.connection, row.state), 0) + 1
        except Unavailable:
            up.add_metric([], 0)
            yield up
            return
        for (connection, state), number in sorted(tally.items()):
            files.add_metric([connection, state], number)
        up.add_metric([], 1)
        yield from (up, claims, work, files)
