"""Which revision a database's schema is of, and the way to the newest one."""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import Connection, inspect, text


class UnknownRevision(Exception):
    """The database is of a revision that this version does not have."""


def is_newest(connection: Connection) -> bool:
    """True when nothing is left to migrate: the usual case, told without Alembic, which takes long to load."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    revisions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return revisions == [_newest()]


def upgrade(connection: Connection) -> None:
    """Run every revision that the database lacks. Raises UnknownRevision."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "gateway.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise UnknownRevision(str(error)) from error


def _newest() -> str:
    """The revisions are one line of files, named by their number in it."""
    names = (each.name for each in files("gateway.store.migrations.versions").iterdir())
    return max(name.removesuffix(".py") for name in names if name[:4].isdecimal())
