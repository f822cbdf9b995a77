"""Working bulk imports off on both databases: stopped anywhere, and in turn among sources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.fhir import receiving
from gateway.fault_points import FaultPoint, arm
from gateway.pipeline.imports import StoredImports
from gateway.pipeline.owners import SourceOwner
from gateway.pipeline.receive import Receiver
from gateway.store.database import Database
from gateway.wiring.importing import ImportPass
from tests.factories import ORGANIZATION, TENANT, ManualClock
from tests.unit.fhir.samples import patient

EHR, OTHER = "cedar", "birch"
OWNERS = dict.fromkeys((EHR, OTHER), SourceOwner(tenant=TENANT, organization=ORGANIZATION))


@pytest.fixture
def work(store: Database) -> Iterator[ImportPass]:
    yield ImportPass(store, Receiver(store, ManualClock(), OWNERS))
    arm(None)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(store: Database, clock: ManualClock) -> StoredImports:
    return StoredImports(store, clock, lambda: None)


def given(desk: StoredImports, source: str, *parts: list[Any]) -> str:
    """An import of these parts, a number for each line."""
    id = desk.begin(source)
    for number, part in enumerate(parts):
        lines = [(100 * number + place, json.dumps(each).encode()) for place, each in enumerate(part)]
        desk.add_part(id, number, lines)
    desk.seal(id)
    return id


def message(named: str, birth: str) -> dict[str, Any]:
    """A Bundle under a name of its sender's."""
    identifier = {"system": "urn:messages", "value": named}
    entry = {"resource": patient(id="p8", birthDate=birth), "request": {"method": "PUT", "url": "Patient/p8"}}
    return {"resourceType": "Bundle", "type": "transaction", "identifier": identifier, "entry": [entry]}


class Stopped(BaseException):
    """The machine stops."""


def stop_at(index: int) -> None:
    """At the point that is reached after so many others."""
    left = index

    def strike(_: FaultPoint) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Stopped

    arm(strike)


def stopped_at(work: ImportPass, index: int) -> bool:
    """Run one pass that is stopped at that point; False where it had none so late."""
    stop_at(index)
    try:
        work.run()
    except Stopped:
        return True
    finally:
        arm(None)
    return False


@pytest.mark.fault("F42")
def test_wherever_a_part_is_stopped_each_line_is_told_and_kept_as_if_it_had_been_tried_once(
    store: Database, desk: StoredImports, work: ImportPass
) -> None:
    deaths, stopped = 0, True
    while stopped:
        person, named = patient(id=f"p{deaths}"), f"m{deaths}"
        wrong = patient(id="p7", birthDate=f"yesterday {deaths}")
        id = given(desk, EHR, [person, person, wrong, message(named, "1980-01-01"), message(named, "1990-01-01")])
        stopped = stopped_at(work, deaths)
        while work.run():
            pass
        told = [each.outcome for part in desk.outcomes(EHR, id) for each in part]
        assert (deaths, ["stored", "duplicate", "refused", "stored", "refused"]) == (deaths, told)
        deaths += stopped
    assert deaths >= 2, "there is one before the commit and one after it"
    with store.read() as tx:
        assert 4 * (deaths + 1) == len(list(tx.inbox.messages(EHR))), "a duplicate is no message of its own"


@pytest.mark.parametrize("where", ["read_single", "apply_submission"])
def test_a_line_that_breaks_us_is_refused_and_the_others_are_stored(
    desk: StoredImports, work: ImportPass, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    works, calls = getattr(receiving, where), []

    def breaks(*given: Any, **named: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise ZeroDivisionError
        return works(*given, **named)

    monkeypatch.setattr(receiving, where, breaks)
    id = given(desk, EHR, [patient(id=f"p{number}") for number in range(3)])
    while work.run():
        pass
    (told,) = desk.outcomes(EHR, id)
    assert ["stored", "refused", "stored"] == [each.outcome for each in told]
    assert ("The server failed; no resource of it was stored. Tell whoever runs it.",) == told[1].issues


def test_sources_take_turns_and_each_one_s_own_imports_go_in_order(
    clock: ManualClock, desk: StoredImports, work: ImportPass
) -> None:
    years = given(desk, EHR, *([patient(id=f"p{number}")] for number in range(4)))
    sooner = given(desk, OTHER, [patient(id="p1")])
    clock.move(timedelta(seconds=1))
    later = given(desk, OTHER, [patient(id="p2")])
    done: list[str] = []
    while work.run():
        for source, id in ((EHR, years), (OTHER, sooner), (OTHER, later)):
            status = desk.status(source, id)
            assert status is not None
            done += [id] * (status.done - done.count(id))
    assert [sooner, years, later, years, years, years] == done
