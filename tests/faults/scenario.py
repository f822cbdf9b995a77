"""One course of events that reaches every fault point. Who takes its steps takes a step that was cut short again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from clearinghouse.mailbox import Step
from gateway.claim.record import AttendanceStatus, FeedRecord
from gateway.errors import NotAllowed
from gateway.ports import Arrival, Interpretation, MappedRecord
from tests.factories import CONNECTION, NOON
from tests.faults.world import World
from tests.pipeline_site import BILLER, a_week

HELD = 2
"""The patient whose claim a biller holds, and lets go a pass later."""
CHANGED = 1
"""The patient whose last day turns out, after payment, to have been missed."""


class Scenario:
    """Three patients' weeks: billed, one held and let go, one file in doubt, all paid, one corrected after payment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._journal, self._acknowledged = world.root / "steps-done", world.root / "acknowledged"
        missed = a_week(CHANGED, days=(4,), status=AttendanceStatus.NO_SHOW)
        self._messages: dict[str, Sequence[FeedRecord]] = {f"week-{number}": a_week(number) for number in (1, 2, 3)}
        self._messages["missed"] = missed
        for key, records in self._messages.items():
            told = tuple(MappedRecord(record=each, asserted_at=NOON, origins={}) for each in records)
            world.site.script.script[key.encode()] = Interpretation(records=told)
        self.steps: tuple[Callable[[], None], ...] = (
            lambda: self._tell("week-1", "week-2", "week-3"),
            self._hold,
            self._send_and_lose_the_reply,
            world.exchange,
            self._wait,
            world.exchange,
            self._release,
            world.exchange,
            lambda: self._tell("missed"),
            self._release_correction,
            world.exchange,
            world.exchange,
        )

    def run(self) -> None:
        """Take the steps that are not done yet; each is written down once it is done."""
        done = len(self._journal.read_bytes()) if self._journal.exists() else 0
        for step in self.steps[done:]:
            step()
            with self._journal.open("ab") as journal:
                journal.write(b".")

    def lost(self) -> list[str]:
        """Messages that were acknowledged and are not there."""
        keys = self._acknowledged.read_text().split() if self._acknowledged.exists() else []
        with self.world.site.store.read() as tx:
            stored = {message.control_key for message, _ in tx.inbox.messages()}
        return [f"I3: message {key} was acknowledged and is gone" for key in keys if key not in stored]

    def _tell(self, *keys: str) -> None:
        arrivals = [
            Arrival(source="ehr", content=key.encode(), content_type="x-application/hl7-v2+er7", control_key=key)
            for key in keys
        ]
        self.world.site.receiver.receive(arrivals)
        with self._acknowledged.open("a") as acknowledged:
            acknowledged.write("".join(f"{key}\n" for key in keys))
        self.world.site.settle_facts()

    def _claim(self, number: int) -> str:
        """The claim of a patient by the key that nothing changes: its place among the three."""
        return sorted(row.id for row in self.world.site.claims())[number - 1]

    def _hold(self) -> None:
        _once(lambda: self.world.site.commands.hold(self._claim(HELD), BILLER, "the chart is asked for"))

    def _release(self) -> None:
        _once(lambda: self.world.site.commands.release(self._claim(HELD), BILLER))

    def _release_correction(self) -> None:
        for row in self.world.site.claims():
            if row.state == "correction-ready":
                self.world.site.commands.release(row.id, BILLER)

    def _send_and_lose_the_reply(self) -> None:
        self.world.mailbox.broken_at = (Step.RENAME_OK, "reply")
        self.world.site.sending.run(CONNECTION)

    def _wait(self) -> None:
        self.world.run_to_rest()


def _once(command: Callable[[], object]) -> None:
    """A person who does not know whether it was done does it again, and is told that it was."""
    with suppress(NotAllowed):
        command()


def outcome(scenario: Scenario) -> list[str]:
    """Run to rest; what is wrong then."""
    scenario.world.run_to_rest()
    return [*scenario.world.violations(), *scenario.lost()]
