"""The preview command: what would come of a file, of which nothing is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.claims import render_why
from gateway.cli.files import render_checked
from gateway.cli.mappings import went_by
from gateway.cli.options import HERE, AsJson, SiteFolder, open_desk


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("preview")(preview)


def preview(
    file: Annotated[
        Path, typer.Argument(help="HL7 messages, FHIR JSON, a record set or an 837.", dir_okay=False, exists=True)
    ],
    source: Annotated[
        str,
        typer.Option("--source", help="Whose feed it would be: a source of site.yaml. An 837 needs none."),
    ] = "",
    site: SiteFolder = HERE,
    as_json: AsJson = False,
) -> int:
    """Say what claims messages would make, storing nothing. By the mapping set in force; edited files count once
    'mappings put' has put them. Exit 1 when something would hold a claim."""
    from gateway.wiring.files import is_clean
    from gateway.wiring.preview import preview as preview_of

    with open_desk(site) as desk:
        found = preview_of(desk.site, source, file.read_bytes())
    for each in found.get("files", ()):
        each["path"] = str(file)
    output.show(found, as_json=as_json, render=_render)
    held = (
        not all(map(is_clean, found.get("files", ())))
        or any(each["holds"] for each in found["claims"])
        or any(each["outcome"] == "refused" or each["findings"] for each in found["messages"])
    )
    return output.FOUND if held else output.OK


def _render(found: dict[str, Any]) -> None:
    for each in found["messages"]:
        said = f": {each['reason']}" if each["reason"] else ""
        output.say(f"{each['type'] or 'message'} {each['outcome']}{said}")
        for problem in each["findings"]:
            output.say(f"  {problem['place']}: {problem['message']}")
    for claim in found["claims"]:
        output.say("")
        render_why(claim, with_sources=False)
    if "files" in found:
        render_checked(found)
    rows = [(each["on"], each["place"], each["reason"], output.dollars(each["cents"])) for each in found["encounters"]]
    if rows:
        output.say("\nEncounters:")
        output.table(("day", "bill", "because", "dollars"), rows, right=("dollars",))
    output.say(f"\n{went_by(found)} Nothing of this was stored.")
