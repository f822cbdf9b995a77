"""Partners that refuse us, are away, or want to be asked seldom: not asked more than is good for the account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import workers
from gateway.pipeline.collect import Collected
from gateway.pipeline.send import Sent
from gateway.workers import LONGEST_BACKOFF_S, ExchangePasses


@dataclass
class Partner:
    """What passes over one connection come to, and when they ran."""

    now: float = 0.0
    poll_every: timedelta = timedelta(seconds=5)
    sent: Sent = field(default_factory=Sent)
    collected: Collected = field(default_factory=Collected)
    broken: Exception | None = None
    sends: list[float] = field(default_factory=list)
    collects: list[float] = field(default_factory=list)

    def passes(self) -> ExchangePasses:
        site: Any = SimpleNamespace(
            sending=SimpleNamespace(run=self._send),
            collecting=SimpleNamespace(run=self._collect),
            exchanges={"clearing": SimpleNamespace(poll_every=self.poll_every)},
        )
        return ExchangePasses(site, "clearing", lambda: self.now)

    def _send(self, _: str) -> Sent:
        self.sends.append(self.now)
        if self.broken is not None:
            raise self.broken
        return self.sent

    def _collect(self, _: str) -> Collected:
        self.collects.append(self.now)
        return self.collected

    def run_for(self, passes: ExchangePasses, seconds: int) -> None:
        for _ in range(seconds):
            passes.run()
            self.now += 1


def test_answers_are_asked_for_as_often_as_the_profile_says_and_claims_leave_at_once() -> None:
    partner = Partner()
    partner.run_for(partner.passes(), 20)
    assert partner.collects == [0, 5, 10, 15]
    assert len(partner.sends) == 20


@pytest.mark.fault("F09")
@pytest.mark.parametrize("word", [{"sent": Sent(problems=("away",))}, {"sent": Sent(in_doubt=1)}])
def test_a_partner_that_is_away_is_asked_less_and_less_often(word: dict[str, Any]) -> None:
    partner = Partner(**word)
    partner.run_for(partner.passes(), 300)
    gaps = [later - earlier for earlier, later in zip(partner.sends, partner.sends[1:], strict=False)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == LONGEST_BACKOFF_S
    assert len(partner.sends) < 12


def test_what_keeps_us_from_sending_keeps_no_answer_from_being_heard() -> None:
    partner = Partner(broken=ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        partner.passes().run()
    assert partner.collects == [0]


def test_a_refusal_is_said_where_an_operator_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(
        workers, "_LOG", SimpleNamespace(error=lambda _, **said: heard.append(said), warning=heard.append)
    )
    partner = Partner(sent=Sent(paused="the host key is not the pinned one"))
    partner.run_for(partner.passes(), 10)
    assert [each["reason"] for each in heard] == ["the host key is not the pinned one"]
