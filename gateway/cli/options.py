"""Options that several commands share, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import output

if TYPE_CHECKING:
    from gateway.claim.actor import Actor
    from gateway.wiring.books import Books
    from gateway.wiring.desk import Desk

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document; its keys are stable.")]
SiteFolder = Annotated[
    Path, typer.Option("--site", envvar="CLEANCLAIM_SITE", help="The site folder that 'cleanclaim init' made.")
]
ActAs = Annotated[
    str, typer.Option("--as", help="Act as this user of site.yaml; needed only where several have the role.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the decision.")]

HERE = Path()


def day(name: str, asks: str) -> Any:
    """An option that takes one day; typer gives its midnight."""
    return typer.Option(name, formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help=asks, show_default=False)


def one_of(words: Iterable[str], given: str, name: str) -> None:
    """Raise BadParameter, naming the words, for an option that was given and is none of them."""
    known = list(words)
    if given and given not in known:
        raise typer.BadParameter(f"it is one of {', '.join(known)}", param_hint=name)


@contextmanager
def open_books(folder: Path) -> Iterator[Books]:
    """The site's books: enough to look things up, and far quicker to open. Raises ConfigurationError, Unavailable."""
    from gateway.wiring.books import opened_books
    from gateway.wiring.logs import log_to_stderr

    log_to_stderr()
    with opened_books(folder) as books:
        yield books


@contextmanager
def open_desk_as(folder: Path, name: str, permission: str) -> Iterator[tuple[Desk, Actor]]:
    """The site's desk, and who acts: refused before anything is opened when the role has not that permission.

    Raises NotAllowed, ConfigurationError, Unavailable.
    """
    from gateway.config import read_settings
    from gateway.permissions import Permission
    from gateway.wiring.people import find_actor

    actor = find_actor(read_settings(folder), name, Permission(permission))
    with open_desk(folder) as desk:
        yield desk, actor


@contextmanager
def open_desk(folder: Path) -> Iterator[Desk]:
    """The site's desk for as long as the command runs. Raises ConfigurationError, Unavailable.

    Edited mapping files are not put in force by it, and it says so where they wait.
    """
    from gateway.wiring.desk import Desk
    from gateway.wiring.logs import log_to_stderr
    from gateway.wiring.mappings import files_wait
    from gateway.wiring.site import open_site

    log_to_stderr()
    site = open_site(folder)
    try:
        if files_wait(site.settings, site.store):
            output.complain("The edited mapping files are not in force; 'cleanclaim mappings check', then 'put'.")
        yield Desk(site, site.settle)
    finally:
        site.close()
