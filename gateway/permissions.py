"""What each role may do: the one table, asked by use cases and doors alike. Knows no site and no user."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gateway.claim.actor import Actor
from gateway.errors import NotAllowed

ROLES = ("viewer", "biller", "supervisor", "clinician", "utilization-review", "integration", "auditor")


class Permission(StrEnum):
    """What somebody may do or see."""

    SEE_COUNTS = "see-counts"
    """Numbers and states, no claim's content."""
    SEE_CLAIMS = "see-claims"
    SEE_MESSAGES = "see-messages"
    HAND_ON_ANSWERS = "hand-on-answers"
    """Raw 835s and other answers as they came: they name patients."""
    RELEASE = "release"
    HOLD = "hold"
    OVERRIDE = "override"
    RESOLVE = "resolve-doubts"
    """Decide on a file in doubt."""
    WAIVE = "waive-certification"
    MOVE_NUMBERS = "move-control-numbers"
    """After a restore."""
    POST = "post-remittances"
    """Such as do not balance; the others are posted by themselves."""
    EXCHANGE = "exchange"
    TEST_CONNECTIONS = "test-connections"
    """Log in at a partner and look around; no claim leaves."""
    CLOSE_WORK = "close-work"
    WRITE_OFF = "write-off"
    """Give the money of a work item up."""
    DECIDE_ENCOUNTERS = "decide-encounters"
    LOAD_ROSTERS = "load-rosters"
    INTERPRET_AGAIN = "interpret-again"
    PUT_MAPPINGS = "put-mappings"
    IMPORT_CODES = "import-codes"
    PREVIEW = "preview"
    """See what would come of a message, of which nothing is kept."""

    @property
    def words(self) -> str:
        """As a sentence has it: "may not ..."."""
        return self.value.replace("-", " ")


def to_close_as(outcome: str) -> Permission:
    """What it takes to close a work item with an outcome (gateway.ports.watch.Outcome)."""
    return Permission.WRITE_OFF if outcome == "written-off" else Permission.CLOSE_WORK


_BILLING = ("biller", "supervisor")
_CARE = ("clinician", "utilization-review")
PERMISSIONS: Mapping[Permission, tuple[str, ...]] = {
    Permission.SEE_COUNTS: ROLES,
    Permission.SEE_CLAIMS: (*_BILLING, *_CARE, "auditor"),
    Permission.SEE_MESSAGES: ("integration", "supervisor", "auditor"),
    Permission.HAND_ON_ANSWERS: _BILLING,
    Permission.RELEASE: _BILLING,
    Permission.HOLD: _BILLING,
    Permission.OVERRIDE: ("supervisor",),
    Permission.RESOLVE: ("supervisor",),
    Permission.WAIVE: ("supervisor",),
    Permission.MOVE_NUMBERS: ("supervisor",),
    Permission.POST: ("supervisor",),
    Permission.EXCHANGE: _BILLING,
    Permission.TEST_CONNECTIONS: ("integration", *_BILLING),
    Permission.CLOSE_WORK: (*_BILLING, "utilization-review"),
    Permission.WRITE_OFF: ("supervisor",),
    Permission.DECIDE_ENCOUNTERS: (*_BILLING, "utilization-review"),
    Permission.LOAD_ROSTERS: (*_BILLING, "utilization-review"),
    Permission.INTERPRET_AGAIN: ("integration", "supervisor"),
    Permission.PUT_MAPPINGS: ("integration", "supervisor"),
    Permission.IMPORT_CODES: ("integration", "supervisor"),
    Permission.PREVIEW: ("integration", *_BILLING, *_CARE),
}
"""Which roles have each permission, the one that should be asked first in front."""


def require(actor: Actor, permission: Permission) -> None:
    """Raise NotAllowed unless the actor's role has the permission."""
    allowed = PERMISSIONS[permission]
    if actor.role not in allowed:
        raise NotAllowed(f"the role {actor.role} may not {permission.words}; {_either(allowed)} may")


def _either(roles: tuple[str, ...]) -> str:
    return roles[0] if len(roles) == 1 else f"{', '.join(roles[:-1])} or {roles[-1]}"
