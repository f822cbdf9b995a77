"""Who acts at a site: users by name, and whose a token is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hmac import compare_digest
from pathlib import Path
from typing import TypeVar

from clearinghouse.secret import resolve_secret
from gateway.claim.actor import Actor
from gateway.config import Settings
from gateway.errors import NotAllowed
from gateway.permissions import PERMISSIONS, Permission, require

Holder = TypeVar("Holder")
"""Whoever a token is given to: a user, or a source."""


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
    raise NotAllowed(f"nobody at this site may {permission.words}; add a user with the role {allowed[0]} to site.yaml")


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
