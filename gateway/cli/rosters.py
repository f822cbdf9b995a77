"""Commands about rosters: credentials, eligibility, certifications, consents; import, list, show."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.options import HERE, ActAs, AsJson, SiteFolder, day, open_books, open_desk_as

_Kind = Annotated[
    str, typer.Argument(help="credentials, eligibility, certifications, consents or authorizations", show_default=False)
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    rosters = typer.Typer(
        help="What you keep of people and papers. Credentials, eligibility, certifications, consents, authorizations.",
        no_args_is_help=True,
    )
    rosters.command("import")(import_roster)
    rosters.command("list")(list_rosters)
    rosters.command("show")(show)
    app.add_typer(rosters, name="rosters")


def import_roster(
    kind: _Kind,
    file: Annotated[
        Path,
        typer.Argument(help="CSV with a heading line, a JSON list; for eligibility a 271 too.", show_default=False),
    ],
    site: SiteFolder = HERE,
    organization: Annotated[str, typer.Option(help="Whose it is; needed where there are several.")] = "",
    source: Annotated[str, typer.Option(help="Who keeps it: rows replace rows of the same source.")] = "organization",
    whole: Annotated[
        bool, typer.Option("--whole", help="The file is all there is: retire the source's rows it does not have.")
    ] = False,
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Load a roster, all rows or none. Rows replace rows of the same key; every mistake is told."""
    from gateway.wiring.files import shown

    content = file.read_bytes()
    with open_desk_as(site, act_as, "load-rosters") as (desk, actor):
        done = desk.load_roster(
            kind, content, shown(file), actor, organization=organization, source=source, whole=whole
        )
    output.show(done, as_json=as_json, render=_render_loaded)
    return output.OK


def _render_loaded(done: dict[str, Any]) -> None:
    output.say(
        f"Loaded {output.count(done['rows'], 'row')} of {done['kind']} for {done['organization']}: "
        f"{done['added']} new, {done['changed']} changed, {done['retired']} retired."
    )
    if done["unanswered"]:
        output.say(f"The payers could not answer for {output.count(done['unanswered'], 'member')}.")
    if done["unmatched"]:
        who = output.count(done["unmatched"], "patient")
        output.say(f"No feed has told of {who} it names yet; the rows wait for them.")


def list_rosters(site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """List the rosters that are loaded."""
    with open_books(site) as books:
        found = books.rosters()
    output.show(found, as_json=as_json, render=_render_list)
    return output.OK


def _render_list(found: dict[str, Any]) -> None:
    columns = ("organization", "kind", "source", "rows", "loaded")
    rows = [
        (each["organization"], each["kind"], each["source"], each["rows"], each["loaded_at"][:16])
        for each in found["rosters"]
    ]
    output.table(columns, rows, right=("rows",))


def show(
    kind: _Kind,
    site: SiteFolder = HERE,
    organization: Annotated[str, typer.Option(help="Only of this organization.")] = "",
    at: Annotated[
        datetime | None,
        day("--at", "As it stood at the end of this day (UTC)."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Show the rows of one kind, now or as they stood on a day."""
    moment = datetime.combine(at, time.max, UTC) if at else None
    with open_books(site) as books:
        found = books.roster(kind, moment, organization)
    output.show(found, as_json=as_json, render=_render_rows)
    return output.OK


def _render_rows(found: dict[str, Any]) -> None:
    columns = list(dict.fromkeys(name for row in found["rows"] for name in row))
    if columns:
        output.table(columns, [[row.get(name, "") for name in columns] for row in found["rows"]])
        output.say()
    output.say(f"{output.count(len(found['rows']), 'row')}")
