"""Figures for operators in Prometheus' format: counts by state and kind, never a patient, claim or name."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.errors import Unavailable
from gateway.ports.exchanges import SET_ASIDE
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
        """Claims by state, work by kind, what each connection has; none while the database is away."""
        up = GaugeMetricFamily("cleanclaim_database_up", "1 when the database answers")
        claims = GaugeMetricFamily("cleanclaim_claims", "Claims by state", labels=["state"])
        work = GaugeMetricFamily("cleanclaim_work_waiting", "Work still to be done", labels=["kind"])
        files = GaugeMetricFamily(
            "cleanclaim_interchanges", "Interchanges by delivery state", labels=["connection", "state"]
        )
        silences = GaugeMetricFamily(
            "cleanclaim_silent_answers", "Answers that are overdue", labels=["connection", "answer"]
        )
        set_aside = GaugeMetricFamily(
            "cleanclaim_answers_set_aside", "Answers that were not applied", labels=["connection", "status"]
        )
        contacts = GaugeMetricFamily(
            "cleanclaim_last_contact_seconds", "When a partner last answered, as Unix time", labels=["connection"]
        )
        try:
            with self._store.read() as tx:
                for state, number in tx.claims.states().items():
                    claims.add_metric([state], number)
                for kind, number in tx.work.count().items():
                    work.add_metric([kind], number)
                tally = tx.partners.interchange_counts()
                silent = Counts((each.interchange.connection, each.answer) for each in tx.partners.silences())
                aside = Counts(
                    (each.connection, each.status) for each in tx.partners.answer_notes() if each.status in SET_ASIDE
                )
                for connection, contact in tx.partners.contacts().items():
                    if contact.contacted_at:
                        contacts.add_metric([connection], contact.contacted_at.timestamp())
        except Unavailable:
            up.add_metric([], 0)
            yield up
            return
        for (connection, state), number in sorted(tally.items()):
            files.add_metric([connection, state], number)
        for (connection, answer), number in sorted(silent.items()):
            silences.add_metric([connection, answer], number)
        for (connection, status), number in sorted(aside.items()):
            set_aside.add_metric([connection, status], number)
        up.add_metric([], 1)
        yield from (up, claims, work, files, silences, set_aside, contacts)
