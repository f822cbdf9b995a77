"""Commands for whoever edits mapping files: check, explain, diff, put."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.mapping_changes import new, what_if
from gateway.cli.options import HERE, ActAs, AsJson, SiteFolder, open_desk


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    says = "Check, test and explain mapping files; put edits in force."
    mappings = typer.Typer(help=says, no_args_is_help=True)
    for command in (check, test, explain, diff, put, history, schemas):
        mappings.command(command.__name__)(command)
    mappings.command("new")(new)
    mappings.command("what-if")(what_if)
    app.add_typer(mappings, name="mappings")


def check(site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """Check the shipped mapping files and the site's own. Every problem is told as file:line:column."""
    from gateway.wiring.mapping_check import check_site_mappings

    gc.disable()  # what is read lives as long as the command; walking it again and again takes a fifth of the time
    found = check_site_mappings(site)
    output.show(found, as_json=as_json, render=_render_check)
    return output.OK if found["ok"] else output.FOUND


def _render_check(found: dict[str, Any]) -> None:
    for each in found["problems"]:
        output.say(f"{each['place']}: {each['message']}")
    for each in found["remarks"]:
        output.say(f"{each['place']}: remark: {each['message']}")
    if found["ok"]:
        output.say(f"{output.count(found['files'], 'file')} ({found['own_files']} of the site's own): nothing wrong.")
    else:
        output.say(f"{output.count(len(found['problems']), 'problem')}; the set in force stays as it is.")


def test(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Case files and folders; the site's mappings/tests by default.")
    ] = None,
    site: SiteFolder = HERE,
    shipped: Annotated[bool, typer.Option("--shipped", help="The shipped cases, by the shipped files alone.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Write what comes of the messages as expected.")] = False,
    as_json: AsJson = False,
) -> int:
    """Run the cases beside the mapping files. Messages in; encounters, days, claims and findings compared. Exit 1
    when one differs. Needs no database: fit for a CI of your own."""
    from gateway.wiring.mapping_cases import run_cases

    if shipped and (paths or accept):
        raise typer.BadParameter("--shipped takes no paths, and its cases are not accepted here")
    found = run_cases(site, paths or (), shipped=shipped, accept=accept)
    output.show(found, as_json=as_json, render=_render_cases)
    return output.OK if found["ok"] else output.FOUND


def _render_cases(found: dict[str, Any]) -> None:
    for case in found["cases"]:
        verdict = "accepted" if case["accepted"] else "ok" if case["ok"] else "differs"
        output.say(f"{case['case']}: {'error' if case['error'] else verdict}")
        if case["error"]:
            output.say(f"  {case['error']}")
        for each in case["differences"]:
            output.say(f"  {each['place']}: {each['path']}")
            output.say(f"    expected  {each['expected'] or '(nothing)'}")
            output.say(f"    found     {each['found'] or '(nothing)'}")
    wrong = sum(not each["ok"] for each in found["cases"])
    verdict = f"{wrong} not as expected" if wrong else "all as expected"
    output.say(f"{output.count(len(found['cases']), 'case')}: {verdict}.")


def explain(
    subject: Annotated[
        str,
        typer.Argument(
            help="A message's or an encounter's id, Type/id of a FHIR resource, or a file.", show_default=False
        ),
    ],
    site: SiteFolder = HERE,
    source: Annotated[str, typer.Option("--source", help="Whose resource or file it is.")] = "",
    edited: Annotated[bool, typer.Option("--edited", help="By the files as edited; a file always is.")] = False,
    values: Annotated[bool, typer.Option("--values", help="Show the values too; they are a patient's.")] = False,
    as_json: AsJson = False,
) -> int:
    """Say what each mapping entry made of a message. Which field, from where, by which line, or why nothing. What is
    stored is explained by the mapping set in force, or with --edited by the files as edited; a file by those always."""
    from gateway.wiring import explanations

    path = Path(subject)
    with open_desk(site) as desk:
        if path.is_file():
            found = explanations.explain_file(desk.site, path, source, values=values)
        else:
            by = explanations.as_edited(desk.site) if edited else desk.site
            found = explanations.explain(by, subject, values=values, source=source)
    output.show(found, as_json=as_json, render=_render_explained)
    return output.OK


def went_by(found: dict[str, Any]) -> str:
    """Which mapping set an answer goes by, in a sentence."""
    version = found["mappings"]["hash"][:12]
    if found["mappings"]["in_force"]:
        return f"By the mapping set in force, {version}."
    return f"By the files as edited, {version}; they are not in force: 'cleanclaim mappings put' puts them."


def _render_explained(found: dict[str, Any]) -> None:
    output.say(went_by(found))
    if found["encounter"]:
        output.say(f"Encounter {found['encounter']['id']}, told by {', '.join(found['encounter']['sources'])}")
        rows = [(each["name"], each["position"], each["entry"]) for each in found["encounter"]["fields"]]
        output.table(("field", "from", "by"), rows)
    for message in found["messages"]:
        output.say(f"\nMessage {message['message']} of {message['source']}: {message['type']}")
        for resource in message["resources"]:
            if resource["resource"]:
                output.say(f"\n{resource['resource']}")
            for entry in resource["entries"]:
                _render_entry(entry)


def _render_entry(entry: dict[str, Any]) -> None:
    verdict = "applies" if entry["applies"] else "does not apply"
    output.say(f"\n{entry['name']} ({entry['entry']}): {verdict}{'; ' if entry['why'] else ''}{entry['why']}")
    rows = [row for field in entry["fields"] for row in _rows_of(field)]
    if rows:
        output.table(("field", "from", "by", "result"), rows)


def _rows_of(field: dict[str, Any]) -> list[tuple[object, ...]]:
    """A field in one row, and below it each alternative that gave nothing."""
    result = field["notes"] or field["values"] or ("found" if field["found"] else field["why"] or "nothing found")
    rows: list[tuple[object, ...]] = [(field["name"], field["positions"] or field["tried"], field["entry"], result)]
    failed = [each for each in field["ways"] if each["why"] and not each["why"].startswith("not asked")]
    return rows + [("  not", each["tried"], each["entry"], each["why"]) for each in failed]


def diff(
    before: Annotated[str, typer.Argument(help="A version's hash; the set in force when left out.")] = "",
    after: Annotated[str, typer.Argument(help="A version's hash; the site's files when left out.")] = "",
    site: SiteFolder = HERE,
    as_json: AsJson = False,
) -> int:
    """Show how the files differ from the set in force. Or how two versions differ. Exit 1 when they do."""
    from gateway.wiring.mappings import diff_site_mappings

    found = diff_site_mappings(site, before, after)
    output.show(found, as_json=as_json, render=_render_diff)
    return output.FOUND if found["files"] else output.OK


def _render_diff(found: dict[str, Any]) -> None:
    if not found["files"]:
        output.say(f"No difference: both are {found['after'][:12]}.")
    for each in found["files"]:
        output.say(f"{each['change']}: {each['path']}")
        for line in each["lines"]:
            output.say(f"  {line}")


def put(
    version: Annotated[
        str, typer.Option("--version", help="Put back a version of 'mappings history', by how its hash begins.")
    ] = "",
    site: SiteFolder = HERE,
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Put the edited files in force. Nothing may be wrong with them; every claim is judged anew; who did it stays."""
    from gateway.wiring.mappings import put_site_mappings

    done = put_site_mappings(site, act_as, version)
    with open_desk(site) as desk, output.progress("working out what follows"):
        desk.site.settle()  # also where it was in force: an earlier 'put' may have been stopped before it came to this
    output.show(done, as_json=as_json, render=_render_put)
    return output.OK


def _render_put(done: dict[str, Any]) -> None:
    if not done["changed"]:
        output.say(f"{done['in_force'][:12]} is in force already.")
        return
    output.say(f"In force: {done['in_force'][:12]}, put by {done['actor']}.")
    output.say("Messages interpreted before keep what they said; 'cleanclaim messages again --source NAME' asks anew.")


def history(site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """List which mapping sets were in force. The newest first: since when, put by whom."""
    from gateway.wiring.mappings import mapping_history

    found = mapping_history(site)
    output.show(found, as_json=as_json, render=_render_history)
    return output.OK


def _render_history(found: dict[str, Any]) -> None:
    rows = [(each["in_force"][:12], each["at"], each["actor"], each["role"]) for each in found["versions"]]
    output.table(("version", "in force since", "by", "as"), rows)


def schemas(
    folder: Annotated[Path | None, typer.Argument(help="Where to; the site's mappings/schema when left out.")] = None,
    site: SiteFolder = HERE,
    as_json: AsJson = False,
) -> int:
    """Write the JSON Schemas that editors go by. 'init' has written them; do it again after an upgrade."""
    from gateway.wiring.mapping_schemas import FOLDER, write_schemas

    done = write_schemas(folder or site / "mappings" / FOLDER)
    output.show(done, as_json=as_json, render=_render_schemas)
    return output.OK


def _render_schemas(done: dict[str, Any]) -> None:
    for name in done["changed"]:
        output.say(f"{done['folder']}/{name}")
    output.say(f"{output.count(len(done['files']), 'schema')}, {len(done['changed'])} of them written.")
