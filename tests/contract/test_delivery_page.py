"""The transcripts on the page about delivery are those of files that were really in doubt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clearinghouse.mailbox import Step
from gateway.claim.contract import ClaimForm
from gateway.pipeline.deliver import LEASE
from gateway.store.database import Database
from tests.contract.test_pipeline_delivery import Died, die_at
from tests.factories import CHAIN, CONNECTION
from tests.partner_answers import Partner
from tests.pipeline_site import SETTLE_GAP, SUPERVISOR, Site
from tests.unit.docs.pages import ROOT

PAGE = ROOT / "docs" / "explanation" / "delivery.md"


class Story:
    """One file on its way, told line by line: what was done, the markers it left, the state it is in."""

    def __init__(self, site: Site, step: Step, *, after: bool) -> None:
        self.site = site
        self.lines: list[str] = []
        self._told = 0
        site.admit()
        interchange_id = site.sending.freeze(CONNECTION, ClaimForm.INSTITUTIONAL)
        assert interchange_id is not None
        self.interchange_id = interchange_id
        self.tell("frozen")
        die_at(site.sending, step, after=after)
        with pytest.raises(Died):
            site.sending.deliver(interchange_id)
        self.tell("the sender is killed")
        self.site = site.heir()
        self.site.clock.move(LEASE)
        self.partner = Partner(site.payee_npi)

    @property
    def file(self) -> Path:
        (row,) = self.site.interchanges()
        return self.site.root / "in" / row.remote_name

    def tell(self, what: str) -> None:
        with self.site.store.read() as tx:
            steps = tx.exchanges.steps(self.site.interchanges()[0].id)
        for step in steps[self._told :]:
            self.lines.append(f"{step.at:%H:%M:%S}    marker {step.marker}, epoch {step.epoch}")
        self._told = len(steps)
        self.lines.append(f"{self.site.clock.now():%H:%M:%S}  {what}: {self.site.interchanges()[0].state}")

    def look(self, what: str = "the next sender looks") -> None:
        self.site.clock.move(SETTLE_GAP)
        self.site.sending.run(CONNECTION)
        self.tell(what)


def seen_under_its_name(open_site: Callable[..., Site]) -> Story:
    story = Story(open_site(), Step.RENAME_OK, after=False)
    story.look()
    return story


def seen_in_the_archive(open_site: Callable[..., Site]) -> Story:
    story = Story(open_site(), Step.RENAME_OK, after=False)
    story.file.rename(story.site.root / "archive" / f"HIPAA.{story.file.name}")
    story.tell("the partner moves it to its archive")
    story.look()
    return story


def seen_by_its_notification(open_site: Callable[..., Site]) -> Story:
    story = Story(open_site(probe_notify="{name}-*-(success|FAILED)"), Step.RENAME_OK, after=False)
    story.file.rename(story.file.with_name(f"{story.file.name}-4711-success"))
    story.tell("the partner takes it and leaves a notification")
    story.look()
    return story


def only_the_temporary_file(open_site: Callable[..., Site]) -> Story:
    story = Story(open_site(), Step.RENAME_SENT, after=False)
    for _ in range(2):
        story.look()
    return story


def part_of_it_under_its_name(open_site: Callable[..., Site]) -> Story:
    story = Story(open_site(publish="direct"), Step.BYTES_DONE, after=False)
    story.file.write_bytes(b"ISA*00*")
    story.tell("a part of it is there")
    for _ in range(2):
        story.look()
    return story


def nothing_and_then_an_answer(open_site: Callable[..., Site]) -> Story:
    story = Story(open_site(), Step.RENAME_OK, after=False)
    story.file.rename(story.site.root / "taken")
    story.tell("the partner takes it and leaves no trace")
    for _ in range(2):
        story.look()
    story.site.answer(story.partner.ack_999(story.site.interchanges()[0]))
    story.tell("a 999 names it")
    return story


def nothing_and_then_a_person(open_site: Callable[..., Site]) -> Story:
    story = Story(open_site(publish="direct"), Step.OPENED, after=True)
    for _ in range(2):
        story.look()
    story.site.commands.resolve(story.interchange_id, "resend", SUPERVISOR, "the partner has no such file")
    story.tell("a supervisor, after a telephone call, says resend")
    story.look("the same bytes go under the same name")
    return story


def refused_as_a_repeat_of_our_own(open_site: Callable[..., Site]) -> Story:
    story = nothing_and_then_a_person(open_site)
    (row,) = story.site.interchanges()
    story.site.answer(story.partner.ta1(row, "R", "025"))
    story.tell("TA1 R 025: a second copy of what we sent twice")
    return story


def refused_as_a_repeat_of_nobody_knows_whose(open_site: Callable[..., Site]) -> Story:
    story = Story(open_site(), Step.RENAME_OK, after=False)
    story.file.rename(story.site.root / "taken")
    story.look()
    (row,) = story.site.interchanges()
    collected = story.site.answer(story.partner.ta1(row, "R", "025"))
    assert 1 == collected.set_aside
    story.tell("TA1 R 025, sent once: set aside for a person")
    story.site.commands.resolve(story.interchange_id, "confirm-delivered", SUPERVISOR, "they named our claims")
    story.tell("a supervisor says confirm-delivered")
    return story


STORIES = (
    seen_under_its_name,
    seen_in_the_archive,
    seen_by_its_notification,
    only_the_temporary_file,
    part_of_it_under_its_name,
    nothing_and_then_an_answer,
    nothing_and_then_a_person,
    refused_as_a_repeat_of_our_own,
    refused_as_a_repeat_of_nobody_knows_whose,
)


@pytest.mark.parametrize("story", STORIES)
def test_the_page_shows_what_happens(
    story: Callable[[Callable[..., Site]], Story], migrated_sqlite: Path, tmp_path: Path
) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{path}", CHAIN)
    try:
        told = story(lambda **profile: Site(database, tmp_path / "partner", **profile))
    finally:
        database.close()
    title = story.__name__.replace("_", " ").capitalize()
    block = f"### {title}\n\n```\n" + "\n".join(told.lines) + "\n```\n"
    assert block in PAGE.read_text(), block
