"""The audit trail's seal: every act is sealed, with a key kept outside the database, onto the act before it.

Heads of the trail are anchored in a file outside the database as well: without it, a cut tail could not be told.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from hashlib import sha256
from pathlib import Path
from sys import maxsize
from typing import Any

import structlog

from gateway.ports.oversight import AuditVerdict, BrokenAct

_LOG = structlog.get_logger("store")
BEFORE_THE_FIRST = "0" * 64
_CONTENT = ("id", "actor", "role", "action", "subject", "reason", "detail")


class AuditChain:
    """Seals acts and says which of them are not as they were sealed. ``anchors`` is a file that only grows."""

    def __init__(self, key: bytes, anchors: Path | None = None) -> None:
        self._key = key
        self._anchors = anchors

    def seal(self, before: str, act: Mapping[str, Any]) -> str:
        """The seal of an act that follows the one with the seal ``before``: HMAC-SHA256 in hex."""
        content = [before, act["at"].astimezone(UTC).isoformat(), *(act[name] for name in _CONTENT)]
        return hmac.new(self._key, json.dumps(content).encode(), sha256).hexdigest()

    def anchor(self, act: Mapping[str, Any]) -> None:
        """Note outside the database that the trail reaches this act. What is committed stays so if the file cannot."""
        if self._anchors is None:
            return
        line = f"{act['id']} {act['seal']} {act['at'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
        try:
            with self._anchors.open("a", encoding="ascii") as file:
                file.write(line)
        except OSError as error:
            _LOG.error("audit-not-anchored", error=type(error).__name__)

    def anchored(self) -> dict[int, str]:
        """The seal that each anchored act had; of two anchors of one act the first. A line cut short says nothing."""
        found: dict[int, str] = {}
        try:
            text = self._anchors.read_text(encoding="ascii", errors="replace") if self._anchors else ""
        except FileNotFoundError:
            return found
        for line in text.splitlines():
            number, _, rest = line.partition(" ")
            seal = rest.partition(" ")[0]
            if number.isdecimal() and len(seal) == len(BEFORE_THE_FIRST):
                found.setdefault(int(number), seal)
        return found

    def verify(self, acts: Iterable[Mapping[str, Any]]) -> AuditVerdict:
        """Judge the whole trail, in order. Acts from before there was a seal stand unsealed at its beginning, and
        none of them was ever anchored."""
        anchored = self.anchored()
        first_anchored = min(anchored, default=maxsize)
        before, number, unsealed, broken = BEFORE_THE_FIRST, 0, 0, []
        for act in acts:
            if not act["seal"] and unsealed == number and act["id"] < first_anchored:
                unsealed = number = act["id"]
                continue
            problem = self._problem(act, before, number + 1, anchored)
            if problem:
                broken.append(BrokenAct(number=act["id"], problem=problem))
            before, number = act["seal"], act["id"]
        reached = max(anchored, default=0)
        if reached > number:
            problem = f"it is gone, and all after it: act {reached} was anchored"
            broken.append(BrokenAct(number=number + 1, problem=problem))
        return AuditVerdict(acts=number, unsealed=unsealed, anchored=reached, broken=tuple(broken))

    def _problem(self, act: Mapping[str, Any], before: str, expected: int, anchored: Mapping[int, str]) -> str:
        number = act["id"]
        if number != expected:
            return f"it follows act {expected - 1}: what stood between them is gone"
        if not hmac.compare_digest(act["seal"], self.seal(before, act)):
            return "it is not what was sealed: changed, moved, put in, or sealed with another key"
        if anchored.get(number, act["seal"]) != act["seal"]:
            return "another act was anchored under its number: the trail was written anew from here"
        return ""
