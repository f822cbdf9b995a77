"""Billing periods: how much attendance goes on one claim, by the payer's cadence and what splits it."""

from __future__ import annotations

from datetime import date, timedelta

from gateway.claim.calendar import Span, federal_fiscal_year, month_of, week_of
from gateway.claim.contract import Cadence, Payer, SplitOn
from gateway.claim.record import EpisodeRecord


def billing_period(on: date, cadence: Cadence, payer: Payer, episode: EpisodeRecord | None) -> Span | None:
    """The period that holds the day, cut where the payer splits claims.

    None when the cadence runs from admission to discharge and no admission is known.
    """
    if cadence is Cadence.ADMISSION:
        if episode is None or episode.admitted_on is None:
            return None
        span = Span(episode.admitted_on, episode.discharged_on)
    elif cadence is Cadence.DAILY:
        span = Span(on, on)
    else:
        span = week_of(on, payer.week_start) if cadence is Cadence.WEEKLY else month_of(on)
    for split in payer.split_on:
        if split in _SPLITS:
            span = _intersection(span, _SPLITS[split](on))
    return span


def ready_on(period: Span, episode: EpisodeRecord | None) -> date | None:
    """The day after the period closes: at its end or an earlier discharge; None while nobody can say."""
    last = period.end_on
    discharged_on = episode.discharged_on if episode else None
    if discharged_on is not None and discharged_on >= period.start_on:
        last = discharged_on if last is None else min(last, discharged_on)
    return last + timedelta(days=1) if last is not None else None


def closes_stay(period: Span, episode: EpisodeRecord | None) -> bool:
    """True when the patient's discharge lies in the period."""
    return (
        episode is not None
        and episode.discharged_on is not None
        and (period.end_on is None or episode.discharged_on <= period.end_on)
    )


def _year(on: date) -> Span:
    return Span(date(on.year, 1, 1), date(on.year, 12, 31))


def _fiscal_year(on: date) -> Span:
    year = federal_fiscal_year(on)
    return Span(date(year - 1, 10, 1), date(year, 9, 30))


_SPLITS = {SplitOn.MONTH_END: month_of, SplitOn.YEAR_END: _year, SplitOn.FISCAL_YEAR_END: _fiscal_year}


def _intersection(one: Span, other: Span) -> Span:
    ends = [end for end in (one.end_on, other.end_on) if end is not None]
    return Span(max(one.start_on, other.start_on), min(ends, default=None))
