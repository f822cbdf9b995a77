"""Opens the database a site names, ready to use, or says in plain words why it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from clearinghouse.secret import SecretMissing, resolve_secret
from gateway.config import DATABASES, SETTINGS_FILE, Settings
from gateway.errors import ConfigurationError
from gateway.store.audit_chain import AuditChain
from gateway.store.database import Database
from gateway.store.revisions import UnknownRevision

_SQLITE_MARK = b"SQLite format 3\x00"


def open_store(settings: Settings) -> Database:
    """The site's database, its schema the newest. The address is never repeated: it may hold a password.

    Raises ConfigurationError for an address or a file that is none of ours, Unavailable when it does not answer.
    """
    place = settings.folder / SETTINGS_FILE
    _check_address(settings.database_url, place)
    store = Database(settings.database_url, _audit_chain(settings, place))
    try:
        store.migrate()
    except UnknownRevision:
        store.close()
        step = "start with the version that made it, or restore that version's database"
        raise ConfigurationError([f"{place}: the database is of another version of cleanclaim; {step}"]) from None
    except DatabaseError as error:
        store.close()
        said = type(error.orig).__name__ if error.orig is not None else type(error).__name__
        raise ConfigurationError([f"{place}: the database cannot be used by cleanclaim ({said})"]) from None
    except BaseException:
        store.close()
        raise
    return store


@contextmanager
def opened_store(settings: Settings) -> Iterator[Database]:
    """The same for as long as the block runs."""
    store = open_store(settings)
    try:
        yield store
    finally:
        store.close()


def _audit_chain(settings: Settings, place: Path) -> AuditChain:
    try:
        key = resolve_secret(settings.audit_key, settings.folder)
    except SecretMissing as error:
        step = "bring back the key this site's audit trail is sealed with; a new trail takes any long random text"
        raise ConfigurationError([f"{place}: audit_key: {error}; {step}"]) from None
    return AuditChain(key.reveal().encode(), settings.folder / settings.audit_anchors)


def _check_address(url: str, place: Path) -> None:
    try:
        path = make_url(url).database
    except (ArgumentError, ValueError):
        path = None
    if path is None or not url.startswith(DATABASES):
        expected = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        raise ConfigurationError([f"{place}: database is not an address we know; expected {expected}"])
    if url.startswith("sqlite") and _is_something_else(Path(path)):
        raise ConfigurationError([f"{place}: database names a file that is not an SQLite database"])


def _is_something_else(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            beginning = file.read(len(_SQLITE_MARK))
    except OSError:
        return False  # not there yet, or not to be read: opening it says which
    return beginning not in (b"", _SQLITE_MARK)
