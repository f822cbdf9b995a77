"""Files fetched from a partner, on both databases: each once, the bytes before anything, none waiting for another."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from typing import Any, BinaryIO

import pytest

from gateway import fault_points
from gateway.errors import PartnerPaused, Unavailable
from gateway.fault_points import FaultPoint
from gateway.lifecycle import ClaimState
from gateway.ports import RemoteAnswer, RemoteInbox
from tests.factories import CONNECTION
from tests.partner_answers import Partner, payment
from tests.pipeline_site import Site, send, sent


class Watched:
    """A partner's inbox that a test looks over, and fails where the test says."""

    def __init__(self, inbox: RemoteInbox, failing: Callable[[RemoteAnswer], bool], seen: list[str]) -> None:
        self._inbox = inbox
        self._failing = failing
        self._seen = seen

    @property
    def settling(self) -> int:
        return self._inbox.settling

    def waiting(self) -> list[RemoteAnswer]:
        return self._inbox.waiting()

    def download(self, answer: RemoteAnswer) -> AbstractContextManager[BinaryIO | None]:
        self._seen.append("download")
        if self._failing(answer):
            raise Unavailable("a file of 2 bytes waits, 1 is allowed")
        return self._inbox.download(answer)

    def dispose(self, answer: RemoteAnswer) -> None:
        self._seen.append("dispose")
        self._inbox.dispose(answer)


def watch(
    site: Site, patch: pytest.MonkeyPatch, failing: Callable[[RemoteAnswer], bool] = lambda _: False
) -> list[str]:
    """What is done with the partner's files from now on, in order."""
    seen: list[str] = []
    open_inbox = site.exchange.open_inbox

    @contextmanager
    def watched() -> Iterator[Watched]:
        with open_inbox() as inbox:
            yield Watched(inbox, failing, seen)

    patch.setattr(site.exchange, "open_inbox", watched)
    return seen


def test_a_file_that_cannot_be_fetched_keeps_no_other_waiting(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(site)
    row, version = sent(site)
    watch(site, monkeypatch, lambda answer: answer.name == b"000.edi")
    collected = site.answer(partner.ta1(row), partner.ack_999(row), partner.status_277ca(version))
    assert (collected.applied, len(collected.problems)) == (2, 1)


def test_a_partner_that_stops_answering_is_given_up_after_three_files(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(site)
    row, _ = sent(site)
    seen = watch(site, monkeypatch, lambda _: True)
    collected = site.answer(*(partner.ta1(row) for _ in range(6)))
    assert (seen, len(collected.problems)) == (["download"] * 3, 3)


def test_a_partner_that_refuses_our_login_pauses_the_collection(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PartnerPaused("the partner refused our login")

    monkeypatch.setattr(site.exchange, "open_inbox", refuse)
    assert site.collecting.run(CONNECTION).paused.startswith("the partner refused our login (since ")


def test_a_collection_that_brings_nothing_commits_no_more_than_that_the_partner_answered(site: Site) -> None:
    send(site)
    reached: list[FaultPoint] = []
    fault_points.arm(reached.append)
    try:
        site.collecting.run(CONNECTION)
    finally:
        fault_points.arm(None)
    assert reached.count(FaultPoint.COMMITTING) == 1


@pytest.mark.fault("F39")
def test_the_partners_copy_is_let_go_only_after_the_bytes_are_ours(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(site)
    row, _ = sent(site)
    seen = watch(site, monkeypatch)
    take = site.collecting.take

    def taken(*given: Any) -> None:
        take(*given)
        seen.append("committed")

    monkeypatch.setattr(site.collecting, "take", taken)
    site.answer(partner.ta1(row))
    assert seen == ["download", "committed", "dispose"]

    def fail(*_: Any) -> None:
        raise Unavailable("the database does not answer")

    seen.clear()
    monkeypatch.setattr(site.collecting, "take", fail)
    assert site.answer(partner.ack_999(row)).problems == ["the database does not answer"]
    assert seen == ["download"]


@pytest.mark.fault("F36")
def test_a_file_still_growing_or_without_its_end_is_left_until_it_is_whole(site: Site, partner: Partner) -> None:
    send(site)
    row, _ = sent(site)
    whole = partner.ta1(row)
    for cut in (whole[:-20], whole[:-1], whole[:50]):
        assert site.answer(cut).files == 0
        (path,) = (site.root / "out").iterdir()
        path.unlink()
    assert site.answer(whole).applied == 1


def zipped(**files: bytes) -> bytes:
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


@pytest.mark.fault("F40")
def test_each_file_of_an_archive_counts_by_itself_and_once(site: Site, partner: Partner) -> None:
    send(site)
    row, version = sent(site)
    remit = partner.remit_835(payment(version, 80_000, ("CO", "45", 25_000)))
    collected = site.answer(zipped(a=remit, b=partner.ack_999(row), c=b"3 claims received"))
    assert (collected.files, collected.applied, collected.reports, collected.problems) == (4, 2, 1, [])
    assert site.state() is ClaimState.PAID
    assert site.answer(remit).applied == 0
    assert site.balances()["cash"] == 80_000
    assert site.ailing() == []


@pytest.mark.fault("F40")
def test_an_archive_that_is_refused_is_kept_whole_and_nothing_of_it_is_used(site: Site, partner: Partner) -> None:
    send(site)
    row, _ = sent(site)
    content = zipped(**{"a": partner.ack_999(row), "../b": b"ISA"})
    collected = site.answer(content)
    assert (collected.applied, len(collected.problems)) == (0, 1)
    with site.store.read() as tx:
        (report,) = tx.partners.reports()
        assert tx.exchanges.raw(report.sha256) == content
    assert "leads out" in report.reason
    assert site.state() is ClaimState.TRANSMITTED
