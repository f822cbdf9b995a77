"""Shapes are compiled at first use, by whichever request comes first."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from adapters.fhir import shapes

THREADS = 8


@pytest.fixture
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a server that has just started, with threads that take turns as often as they can."""
    monkeypatch.setattr(shapes, "_COMPILED", {})
    monkeypatch.setattr(shapes, "_RESOURCES", {})
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("nothing_compiled")
def test_the_first_requests_of_a_server_may_come_at_once() -> None:
    together = Barrier(THREADS)

    def first_request(_: int) -> int:
        together.wait()
        bundle = shapes.resource_shape("Bundle")
        assert bundle is not None
        return len(bundle.elements)

    with ThreadPoolExecutor(THREADS) as pool:
        seen = list(pool.map(first_request, range(THREADS)))
    complete = shapes.resource_shape("Bundle")
    assert complete is not None
    assert seen == [len(complete.elements)] * THREADS
