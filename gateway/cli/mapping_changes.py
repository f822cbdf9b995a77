"""Commands that draft a source file from samples, and say what an edit of mapping files would change."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.options import HERE, AsJson, SiteFolder, day, open_desk

_MOST_LISTED = 20
_CHANGES = ("held", "freed", "corrected", "appears", "disappears", "differs")


def what_if(
    since: Annotated[datetime, day("--since", "The first day of service that counts.")],
    edited: Annotated[
        Path | None,
        typer.Option("--with", help="A folder of edited mapping files; the site's own by default.", file_okay=False),
    ] = None,
    site: SiteFolder = HERE,
    as_json: AsJson = False,
) -> int:
    """Say what the edited files would change. Stored encounters are worked through anew, nothing is kept. Exit 1 when a
    claim would not be as it is."""
    from gateway.wiring.what_if import what_if as compared

    with open_desk(site) as desk, output.progress("working through stored encounters") as advance:
        found = compared(desk.site, since.date(), edited, advance)
    output.show(found, as_json=as_json, render=_render)
    return output.FOUND if found["claims"] else output.OK


def _render(found: dict[str, Any]) -> None:
    if not found["files"]:
        output.say("The files are the set in force; nothing would change.")
        return
    output.say(f"Edited: {', '.join(found['files'])}")
    if found["read_again"]:
        output.say(f"Messages read again of {', '.join(found['read_again'])}.")
    scope = f"{output.count(found['encounters'], 'encounter')} since {found['since']}"
    output.say(f"{output.count(len(found['claims']), 'claim')} would change, of {scope}. Nothing was changed.")
    if not found["claims"]:
        return
    output.say()
    rows = [
        (each["payer"], each["claims"], *(each[name] or "" for name in _CHANGES), *map(output.dollars, _amounts(each)))
        for each in found["payers"]
    ]
    amounts = ("dollars before", "after")
    output.table(("payer", "claims", *_CHANGES, *amounts), rows, right=("claims", *_CHANGES, *amounts))
    for each in found["claims"][:_MOST_LISTED]:
        before, after = map(output.dollars, _amounts(each))
        output.say(f"\n{each['claim']} {each['payer']} {each['start_on']} to {each['through_on']}: {each['change']}")
        output.say(f"  {before} becomes {after}")
        for why in each["why"]:
            output.say(f"  {why}")
    if len(found["claims"]) > _MOST_LISTED:
        output.say(f"\nand {len(found['claims']) - _MOST_LISTED:,} more; --json lists all")


def new(
    source: Annotated[str, typer.Argument(help="The new source's name.", show_default=False)],
    samples: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Samples: .hl7, FHIR .json or .csv files, folders. Give it several times."),
    ] = None,
    template: Annotated[
        str, typer.Option("--template", help="Copy the template of an EHR, such as epic-fhir; try it on the samples.")
    ] = "",
    site: SiteFolder = HERE,
    as_json: AsJson = False,
) -> int:
    """Make a source's mapping file from samples or a template. From samples: those of the standard's paths, or of the
    sheet's columns, that found something. Guesses are marked."""
    from gateway.wiring.drafting import copy_template, draft_source

    if not (samples or template):
        raise typer.BadParameter("name samples with --from, a template with --template, or both")
    with output.progress("looking at the samples"):
        made = (
            copy_template(site, source, template, samples or ())
            if template
            else draft_source(site, source, samples or ())
        )
    output.show(made, as_json=as_json, render=_render_draft)
    return output.FOUND if made["problems"] else output.OK


def _render_draft(made: dict[str, Any]) -> None:
    output.say(f"Wrote {made['path']}: {', '.join(made['records']) or 'no record'}")
    if made["left_out"]:
        output.say(f"The samples say nothing of {', '.join(made['left_out'])}.")
    for each in made["unread"]:
        output.say(f"  not read: {each}")
    for each in made["problems"]:
        output.say(each)
    told = f"{output.count(made['messages'], 'message')}, {output.count(made['encounters'], 'encounter')}"
    guesses = output.count(made["guesses"], "guess", "guesses")
    output.say(
        f"With it the samples make {told}; {guesses} to look at." if made["messages"] else f"{guesses} to look at."
    )
    for each in made["findings"][:_MOST_LISTED]:
        output.say(f"  {output.count(each['times'], 'time')}: {each['message']}")
    output.say("Next: edit it, then 'cleanclaim mappings check' and 'cleanclaim mappings explain FILE --source NAME'.")


def _amounts(row: dict[str, Any]) -> tuple[int, int]:
    return row["before_cents"], row["after_cents"]
