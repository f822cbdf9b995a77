"""Lanes across machines: procrastinate, in PostgreSQL, wakes whoever is free to run a lane's pass.

A job says that a lane may have work, and nothing else: what is to be done are our own rows. A job that is lost, done
twice or left behind by a killed worker changes nothing; every worker asks for every lane again after a while. So the
engine's tables are its own (a schema beside ours), and are made anew when another version of it is installed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.metadata import version
from time import monotonic
from typing import Any
from uuid import uuid4

import psycopg
import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import DeleteJobCondition, Status
from procrastinate.schema import SchemaManager

from gateway.errors import Unavailable, innermost_place
from gateway.jobs.lane import Lane, run_pass

_LOG = structlog.get_logger("jobs")
_SCHEMA = "cleanclaim_jobs"
_SETUP_LOCK = 0x636C6561
_TASK = "pass"
_SWEEP_S = 10.0
_GATHER_S = 0.1
_POLL_S = 1.0
_STALLED_S = 60.0
_AT_A_TIME_S = 1.0
"""How long one job goes on with passes that follow each other at once: asking for each is dearer than a small one."""
_COME_BACK_S = 5.0
_END_S = 30.0
_AWAY = (ConnectorException, psycopg.Error, OSError)

Alone = Callable[[str], AbstractContextManager[bool]]
"""Holds a lane for one machine as long as it is entered; False where another machine has it."""


class EngineLoop:
    """Runs lanes as jobs ask for them, beside any number of others on other machines, until it is stopped.

    With no lanes of its own it only wakes those of others: what a process does that takes messages in and works on
    none. Whoever took a lane's job asks for its next.
    """

    def __init__(
        self, lanes: Sequence[Lane], woken: Sequence[str], url: str, alone: Alone, *, sweep_s: float = _SWEEP_S
    ) -> None:
        self.lanes = tuple(lanes)
        self._woken = tuple(woken)
        self._url = url
        self._alone = alone
        self._sweep_s = sweep_s
        self.name = uuid4().hex  # apart from every other process of every other machine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._arrived = asyncio.Event()
        self._threads = ThreadPoolExecutor(max_workers=max(1, len(lanes)), thread_name_prefix="lane")
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="jobs-engine")
        listening = sum(map(_listens, lanes))
        connector = PsycopgConnector(conninfo=url, kwargs=_in_schema(), min_size=1, max_size=listening + 3)
        self._app = App(connector=connector)
        for lane in lanes:
            self._app.task(name=_task(lane.name), queue=lane.name)(_Job(self, lane).run)

    def start(self) -> None:
        """Make the engine's tables where they are missing, then run. Raises Unavailable."""
        with _unavailable():
            _make_tables(self._url)
        self._thread.start()

    def wake(self) -> None:
        """Say that there is new work; from any thread. A wake-up that is lost is made up for by the next sweep."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._arrived.set)

    def stop(self) -> None:
        """Let every lane finish the pass it is in, and wait for it."""
        while self._thread.is_alive():
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(timeout=_GATHER_S)
        self._threads.shutdown()

    @property
    def is_stopping(self) -> bool:
        """True once it was asked to stop; in the loop's own thread."""
        return self._stopping.is_set()

    async def ask(self, lane: str, after_s: float = 0.0, *, by: str = "") -> None:
        """Ask somebody to run the lane, unless a job asks already: one for later, and one for whoever is free now.

        What ``by`` asks is a job of its own: as many may take part as ask.
        """
        when = {"seconds": after_s} if after_s else None
        only_one = f"{lane} {'later' if after_s else f'now {by}'}"
        task = self._app.configure_task(_task(lane), queue=lane, queueing_lock=only_one, schedule_in=when)
        with suppress(AlreadyEnqueued):
            await task.defer_async()

    async def in_thread(self, work: Callable[[], int]) -> int:
        """Do what blocks in a thread; there is one for each lane."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def alone(self, lane: Lane) -> AbstractContextManager[bool]:
        """Holds the lane where only one machine may run it."""
        return self._alone(lane.name)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            try:
                await asyncio.to_thread(_make_tables, self._url)  # they may have gone while we ran
                async with self._app.open_async():
                    await self._work()
            except _AWAY as error:
                _LOG.warning("job-engine-away", error=type(error).__name__, again_in_s=_COME_BACK_S)
                await _either(self._stopping, after_s=_COME_BACK_S)
            except Exception as error:  # a defect here must not end the work of a process that goes on answering
                _LOG.error("job-engine-broke", error=type(error).__name__, at=innermost_place(error))
                await _either(self._stopping, after_s=_COME_BACK_S)

    async def _work(self) -> None:
        """Until asked to stop, or the database goes away; the passes under way are finished first."""
        workers = [
            self._app.run_worker_async(
                queues=[lane.name],
                name=lane.name,
                concurrency=1,
                listen_notify=_listens(lane),  # which keeps a connection for each; the others look every second
                fetch_job_polling_interval=_POLL_S,
                delete_jobs=DeleteJobCondition.ALWAYS.value,
                install_signal_handlers=False,
            )
            for lane in self.lanes
        ]
        tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(each) for each in (*workers, self._sweep(), self._pass_on())
        ]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end([stopping, *tasks])
        for each in tasks:
            if each.done() and not each.cancelled() and (error := each.exception()) is not None:
                raise error

    async def _sweep(self) -> None:
        """Ask for every lane again and again, and drop what killed workers left behind."""
        while True:
            for lane in self.lanes:
                await self.ask(lane.name)
            for job in await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_S):
                if job.id is not None:
                    await self._app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
            await asyncio.sleep(self._sweep_s)

    async def _pass_on(self) -> None:
        """Wake the lanes that what arrives is for; what arrives within a tenth of a second is one wake-up."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            for name in self._woken:
                await self.ask(name)
            await asyncio.sleep(_GATHER_S)


class _Job:
    """What a job of one lane does."""

    def __init__(self, engine: EngineLoop, lane: Lane) -> None:
        self._engine = engine
        self._lane = lane

    async def run(self) -> None:
        """Passes in a thread, then the next one asked for: at once while there is more, else in its own time."""
        until = monotonic() + _AT_A_TIME_S
        goes_on = await self._goes_on()
        if goes_on and self._lane.shared:  # there is so much that whoever is free may take part
            await self._engine.ask(self._lane.name)
        while goes_on and monotonic() < until and not self._engine.is_stopping:
            goes_on = await self._goes_on()
        await self._engine.ask(self._lane.name, 0.0 if goes_on else self._lane.patience_s)

    async def _goes_on(self) -> bool:
        """One pass; True when another follows at once."""
        done = await self._engine.in_thread(self._pass)
        if self._lane.caught_up(done) and self._lane.then:
            await self._engine.ask(self._lane.then, by=self._engine.name)
        return self._lane.goes_on(done)

    def _pass(self) -> int:
        if self._lane.shared:
            return run_pass(self._lane)
        with self._engine.alone(self._lane) as ours:
            return run_pass(self._lane) if ours else 0


def _listens(lane: Lane) -> bool:
    """Whether a worker hears at once that a lane is asked for: of new work, or that it may take part in another's."""
    return lane.woken or lane.shared


def _task(lane: str) -> str:
    return f"{_TASK}:{lane}"


def _in_schema() -> dict[str, str]:
    """Connections of the engine's own, which wait for no disk: a job that a crash loses changes nothing."""
    return {"options": f"-c search_path={_SCHEMA} -c synchronous_commit=off"}


_FOUND = """
    SELECT obj_description(oid, 'pg_namespace'),
           (SELECT count(*) FROM pg_class WHERE relnamespace = found.oid)
           + (SELECT count(*) FROM pg_proc WHERE pronamespace = found.oid)
    FROM pg_namespace AS found WHERE nspname = %s
"""
"""The schema's comment, and how many things are in it: fewer than it says, and some were lost."""


def _make_tables(url: str) -> None:
    """The engine's tables, made once, and anew for another version of it or where some of them are gone; several
    processes may start at once."""
    with psycopg.connect(url, autocommit=False) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_SETUP_LOCK])
        found = connection.execute(_FOUND, [_SCHEMA]).fetchone()
        if found is not None and found[0] == _comment(found[1]):
            return
        connection.execute(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE")
        connection.execute(f"CREATE SCHEMA {_SCHEMA}")
        connection.execute(f"SET LOCAL search_path = {_SCHEMA}")
        connection.execute(SchemaManager.get_schema())
        made = connection.execute(_FOUND, [_SCHEMA]).fetchone()
        assert made is not None, "it was made in this transaction"
        connection.execute(f"COMMENT ON SCHEMA {_SCHEMA} IS '{_comment(made[1])}'")


def _comment(things: int) -> str:
    return f"procrastinate {version('procrastinate')}, {things} things"


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        said = "its user may not create the job engine's schema; GRANT CREATE ON DATABASE to it"
        raise Unavailable(f"the database cannot be used: {said}") from error
    except psycopg.OperationalError as error:
        raise Unavailable(f"the database does not answer ({str(error).splitlines()[0]})") from error


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Ask the tasks to end, twice if need be: a worker waits for its job, whose thread goes on to its end in any case,
    and then for a database that may be gone."""
    for patience_s in (_END_S, _END_S):
        for each in tasks:
            each.cancel()
        _, waiting = await asyncio.wait(tasks, timeout=patience_s)
        if not waiting:
            return


async def _either(event: asyncio.Event, *, after_s: float) -> None:
    """Until the event, or so long."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), after_s)
