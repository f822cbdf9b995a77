"""Commands about code lists: import what an owner published, list, diff."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.options import HERE, ActAs, AsJson, SiteFolder, day

_MOST_SHOWN = 200
_Kind = Annotated[str, typer.Argument(help="What list it is; 'cleanclaim codes list' names them.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    codes = typer.Typer(help="Import code lists from their owners' files; compare them.", no_args_is_help=True)
    for name, command in (("import", import_), ("list", list_), ("diff", diff)):
        codes.command(name)(command)
    app.add_typer(codes, name="codes")


def import_(
    kind: _Kind,
    file: Annotated[Path, typer.Argument(help="The file as its owner publishes it.", dir_okay=False, exists=True)],
    start_on: Annotated[datetime, day("--from", "First date of service it holds for.")],
    end_on: Annotated[
        datetime | None,
        day("--until", "Last one; without it a later release ends it."),
    ] = None,
    site: SiteFolder = HERE,
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Take a code list in; nothing of it is stored when a row is wrong. A server takes it up when it starts."""
    from gateway.wiring.codes import import_codes

    done = import_codes(site, kind, file, start_on.date(), end_on.date() if end_on else None, act_as)
    output.show(done, as_json=as_json, render=_render_imported)
    return output.OK


def _render_imported(done: dict[str, Any]) -> None:
    until = f" until {done['end_on']}" if done["end_on"] else ""
    said = "imported" if done["imported"] else "is there already"
    output.say(f"{done['kind']} {said}: {output.count(done['rows'], 'row')} from {done['start_on']}{until}.")


def list_(site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """List the kinds of code lists, and what is loaded. Each kind names who publishes it."""
    from gateway.wiring.codes import list_codes

    output.show(list_codes(site), as_json=as_json, render=_render_list)
    return output.OK


def _render_list(found: dict[str, Any]) -> None:
    rows = []
    for kind in found["kinds"]:
        rows += [
            (kind["kind"], each["start_on"], each["end_on"] or "", each["rows"], each["sha256"][:12], each["file"])
            for each in kind["releases"]
        ] or [(kind["kind"], "", "", "", "", f"none imported; from {kind['publisher']}")]
    output.table(("kind", "from", "until", "rows", "hash", "file"), rows, right=("rows",))


def diff(
    kind: _Kind,
    before: Annotated[str, typer.Argument(help="A release's hash; the last but one when left out.")] = "",
    after: Annotated[str, typer.Argument(help="A release's hash; the last when left out.")] = "",
    site: SiteFolder = HERE,
    as_json: AsJson = False,
) -> int:
    """Show what was added, removed and changed between two releases. Exit 1 when something was."""
    from gateway.wiring.codes import diff_codes

    found = diff_codes(site, kind, before, after)
    output.show(found, as_json=as_json, render=_render_diff)
    return output.FOUND if found["changes"] else output.OK


def _render_diff(found: dict[str, Any]) -> None:
    changes = found["changes"]
    output.say(f"{found['kind']}: {output.count(len(changes), 'change')}")
    rows = [
        (each["change"], each["code"], "; ".join(each["before"]), "; ".join(each["after"]))
        for each in changes[:_MOST_SHOWN]
    ]
    if rows:
        output.table(("change", "code", "before", "after"), rows)
    if len(changes) > _MOST_SHOWN:
        output.say(f"and {len(changes) - _MOST_SHOWN:,} more; --json lists all")
