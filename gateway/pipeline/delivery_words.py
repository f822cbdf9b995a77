"""What is known of a file on its way to a partner, by which proof, and what happens next: one wording everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.lifecycle import DeliveryState
from gateway.ports import OPENED, PROBED, REFUSED, RENAME_SENT
from gateway.ports.exchanges import ASSUMED, DeliveryStep, InterchangeRow

SEEN_THERE = "it was found at the partner's by looking"
_BROKE_OFF = {
    OPENED: "after it was begun",
    "bytes_done": "after its last byte",
    "closed": "after it was closed",
    RENAME_SENT: "while it got its final name",
    "rename_ok": "after it got its final name",
}
_GOES_AGAIN = (
    "the same bytes go again under the same name, once 'exchange send' or 'serve' may send and reaches the partner"
)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one file, and what happens next."""

    known: str
    next: str


def not_arrived(attempt: Sequence[DeliveryStep]) -> str:
    """Why it is certain that nothing of this attempt arrived; its own markers prove it."""
    markers = {step.marker for step in attempt}
    looks = [f"{step.at:%H:%M:%S}" for step in attempt if step.marker == PROBED]
    if OPENED not in markers:
        return "its sender ended before the first byte"
    if REFUSED in markers:
        return "the partner refused it before its first byte"
    return f"two looks, {looks[0]} and {looks[-1]} UTC, found nothing of it at the partner's"


def told_of(row: InterchangeRow, steps: Sequence[DeliveryStep], ended_by: str, settle_gap: timedelta) -> Told:
    """Of a file that is under way, in doubt, or goes again. ``ended_by`` is what ended its last doubt, if one did."""
    attempt = [step for step in steps if step.epoch == row.epoch]
    if row.state == DeliveryState.SENDING:
        held = _minute(row.lease_until)
        return Told(
            f"it is being sent, and was last heard of {_how_far(attempt)}",
            f"if its sender died, the partner is asked from {held} on",
        )
    if row.state == DeliveryState.READY:
        tried = f"before the file could count ({_minute(attempt[-1].at)})" if attempt else "before its first byte"
        return Told(ended_by or f"the last try failed {tried}, and nothing of it arrived", _GOES_AGAIN)
    if row.lease_until is not None:
        again = f"if that process died, it is asked again from {_minute(row.lease_until)} on"
        return Told(_doubt(attempt), f"the partner is being asked now; {again}")
    looks = [step.at for step in attempt if step.marker == PROBED]
    if looks:
        following = f"{looks[0] + settle_gap:%H:%M:%S} UTC"
        return Told(
            f"it broke off {_how_far(attempt)}, and a look at {looks[0]:%H:%M:%S} UTC found nothing of it",
            f"it is looked for again from {following} on; if nothing is there then either, {_GOES_AGAIN}",
        )
    return Told(
        _doubt(attempt),
        "each 'exchange send', or 'serve', looks for it; an answer that names it settles it; or ask the partner, then "
        f"'cleanclaim exchange resolve {row.id} confirm-delivered' or 'resend', with --reason",
    )


def _doubt(attempt: Sequence[DeliveryStep]) -> str:
    if any(step.detail == ASSUMED for step in attempt):
        return "the database was restored, and it may have been sent since the backup"
    return f"it broke off {_how_far(attempt)}, so the partner may have it"


def _how_far(attempt: Sequence[DeliveryStep]) -> str:
    last = next((step for step in reversed(attempt) if step.marker in _BROKE_OFF), None)
    return f"{_BROKE_OFF[last.marker]} ({_minute(last.at)})" if last else "before its first byte"


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "now"
