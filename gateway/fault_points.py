"""Named moments between the durable steps. Nothing happens at them, unless a test has armed them to kill the process.

They stand where one death could be told from another: around every commit and every change at a partner's.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class FaultPoint(StrEnum):
    """Every point there is; whoever armed them knows where the process is by the name alone."""

    COMMITTING = "committing"
    """All is written, nothing is committed."""
    COMMITTED = "committed"
    """The commit is done; what follows it (an anchor, an acknowledgement, a change at a partner's) is not."""
    MESSAGES_STORED = "receive-messages-stored"
    MESSAGES_ANSWERED = "receive-committed"
    """The messages are committed; no acknowledgement has left."""
    INTERPRETING = "interpret-work-taken"
    DERIVING = "derive-work-taken"
    FREEZE_NUMBERED = "freeze-numbered"
    FREEZE_RENDERED = "freeze-rendered"
    SEND_CLAIMED = "send-claimed"
    SEND_MARKED = "send-marked"
    """A marker is committed; the change at the partner's that it announces is not made."""
    SEND_CHANGED = "send-changed"
    """A change at the partner's is made; the next marker is not committed."""
    FINISH_UPLOADED = "finish-uploaded"
    """The partner has confirmed the file, which we have not written down."""
    SETTLE_PROBED = "settle-probed"
    COLLECT_DOWNLOADED = "collect-downloaded"
    COLLECT_STORED = "collect-stored"
    """The file's bytes are written; none of its transactions is applied."""
    POST_APPLIED = "post-applied"
    COLLECT_COMMITTED = "collect-committed"
    """All of the file is committed; the partner's copy is still there."""
    COLLECT_DISPOSED = "collect-disposed"


_strike: Callable[[FaultPoint], object] | None = None


def reach(point: FaultPoint) -> None:
    """Say that the process is at this point."""
    if _strike is not None:
        _strike(point)


def arm(strike: Callable[[FaultPoint], object] | None) -> None:
    """Have something happen at every point from now on, in this process; None for nothing."""
    global _strike
    _strike = strike
