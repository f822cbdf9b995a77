"""Who acts at a site, and what each role may do: the same for the command line and the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from hmac import compare_digest
from pathlib import Path
from typing import TypeVar

from clearinghouse.secret import resolve_secret
from gateway.claim.actor import Actor
from gateway.config import ROLES, Settings
from gateway.errors import NotAllowed

Holder = TypeVar("Holder")
"""Whoever a token is given to: a user, or a source."""


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
    RESOLVE = "resolve"
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
        raise NotAllowed(f"the role {actor.role} may not {_words(permission)}; {_either(allowed)} may")


def find_actor(settings: Settings, name: str, permission: Permission) -> Actor:
    """The user of that name; without a name the only user of the first role that has the permission.

    Raises NotAllowed when the user's role has it not and, saying who there is, for no such user or several.
    """
    allowed = PERMISSIONS[permission]
    if name:
        for user in settings.users:
            if user.name == name:
                actor = Actor(name=user.name, role=user.role)
                require(actor, permission)
                return actor
        known = ", ".join(user.name for user in settings.users) or "nobody"
        raise NotAllowed(f"site.yaml has no user {name!r}; it has {known}")
    for role in allowed:
        users = [user for user in settings.users if user.role == role]
        if len(users) == 1:
            return Actor(name=users[0].name, role=role)
        if users:
            names = ", ".join(user.name for user in users)
            raise NotAllowed(f"several users are {role}: {names}; say who you are with --as NAME")
    raise NotAllowed(
        f"nobody at this site may {_words(permission)}; add a user with the role {allowed[0]} to site.yaml"
    )


def user_of_token(settings: Settings) -> Callable[[str], Actor | None]:
    """Which user a bearer token belongs to. Raises SecretMissing."""
    return holder_of_token(
        ((Actor(name=user.name, role=user.role), user.token) for user in settings.users), settings.folder
    )


def holder_of_token(references: Iterable[tuple[Holder, str]], folder: Path) -> Callable[[str], Holder | None]:
    """Whose a bearer token is, of those that have a reference to one; every token is compared, in constant time.

    Relative references are beside the folder's settings. Raises SecretMissing.
    """
    tokens = [(holder, resolve_secret(each, folder).reveal().encode()) for holder, each in references if each]

    def find(token: str) -> Holder | None:
        given = token.encode()
        found = None
        for holder, expected in tokens:
            if compare_digest(given, expected):
                found = holder
        return found

    return find


def _words(permission: Permission) -> str:
    return permission.value.replace("-", " ")


def _either(roles: tuple[str, ...]) -> str:
    return roles[0] if len(roles) == 1 else f"{', '.join(roles[:-1])} or {roles[-1]}"
