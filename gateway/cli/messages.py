"""Commands about what came in: ingest files, list messages, interpret them anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.options import HERE, ActAs, AsJson, SiteFolder, open_books, open_desk, open_desk_as

_MOST_LISTED = 20


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("ingest")(ingest)
    app.command("pull")(pull)
    messages = typer.Typer(help="What came in, what of it failed; interpret it anew.", no_args_is_help=True)
    messages.command("list")(list_messages)
    messages.command("again")(again)
    app.add_typer(messages, name="messages")


def ingest(
    paths: Annotated[
        list[Path], typer.Argument(help="Files and folders: .hl7, .json, .ndjson, .csv.", show_default=False)
    ],
    source: Annotated[
        str, typer.Option("--source", help="Whose feed it is: a source of site.yaml.", show_default=False)
    ],
    strict: Annotated[
        bool, typer.Option("--strict", help="Take nothing of a CSV file in which any row is wrong.")
    ] = False,
    site: SiteFolder = HERE,
    as_json: AsJson = False,
) -> int:
    """Take messages in from files. It is as if they had come over the wire; run again after a stop, it goes on.

    Exit 0 where all was understood whole, 1 where anything was refused or has a finding; the rest is taken either way.
    """
    from gateway.wiring.files import expand
    from gateway.wiring.ingest import ingest_paths

    files = expand(paths)
    with open_desk(site) as desk, output.progress("taking files in", len(files)) as advance:
        found = ingest_paths(desk.site, source, files, advance, strict=strict)
    output.show(found, as_json=as_json, render=_render_ingested)
    return output.FOUND if found["totals"]["refused"] or found["totals"]["findings"] else output.OK


def pull(
    source: Annotated[
        str, typer.Option("--source", help="A source of site.yaml with a pull section.", show_default=False)
    ],
    site: SiteFolder = HERE,
    as_json: AsJson = False,
) -> int:
    """Ask an EHR that only answers for what is new, now. 'serve' does it by itself as often as site.yaml says."""
    from gateway.wiring.pulling import pull_now

    with open_desk(site) as desk:
        found = pull_now(desk.site, source)
    output.show(found, as_json=as_json, render=_render_pulled)
    return output.FOUND if any(each["refused"] or each["problem"] for each in found["types"]) else output.OK


def _render_pulled(found: dict[str, Any]) -> None:
    numbers = ("pages", "resources", "refused")
    rows = [[each["type"], *(f"{each[name]:,}" for name in numbers), each["problem"] or ""] for each in found["types"]]
    output.table(("type", *numbers, "problem"), rows, right=numbers)


def _render_ingested(found: dict[str, Any]) -> None:
    totals = found["totals"]
    output.say(
        f"{output.count(totals['messages'], 'message')} of {output.count(totals['files'], 'file')}: "
        f"{totals['stored']:,} stored, {totals['duplicate']:,} known already, {totals['refused']:,} refused; "
        f"{output.count(totals['encounters'], 'encounter')}"
    )
    refused = [each for each in found["messages"] if each["outcome"] == "refused"]
    for each in refused[:_MOST_LISTED]:
        output.say(f"  refused: {_where(each)}: {each['reason']}")
    troubled = [(each, one) for each in found["messages"] if each["outcome"] != "refused" for one in each["findings"]]
    for each, one in troubled[:_MOST_LISTED]:
        output.say(f"  {_where(each)} {_told(one)}")
    left_out = max(0, len(refused) - _MOST_LISTED) + max(0, len(troubled) - _MOST_LISTED)
    if left_out:
        output.say(f"  and {left_out:,} more; --json lists all")


def _where(message: dict[str, Any]) -> str:
    """The file, and which of its messages; of a CSV the line."""
    in_file = message["type"] if message["type"].startswith("line ") else f"[{message['index']}]"
    return f"{message['path']} {in_file}"


def _told(finding: dict[str, Any]) -> str:
    """Where, what and what to do: `PV1-3.4: no facility has this name. Add the name ... (sources/x.yaml:12)`."""
    place = f"{finding['place']}: " if finding["place"] else ""
    fix = f" {finding['fix'][:1].upper()}{finding['fix'][1:].rstrip('.')}." if finding["fix"] else ""
    by = f" ({finding['mapping']})" if finding["mapping"] else ""
    return f"{place}{finding['message'].rstrip('.')}.{fix}{by}"


def list_messages(
    site: SiteFolder = HERE,
    failed: Annotated[bool, typer.Option("--failed", help="Only those refused, or not understood whole.")] = False,
    source: Annotated[str, typer.Option("--source", help="Only this source's.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Only those of which a reason with this part was told.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="The newest so many; 0 for all.")] = 0,
    as_json: AsJson = False,
) -> int:
    """List messages as they came, and what of them was not understood."""
    with open_books(site) as books:
        found = books.messages(source=source, failed_only=failed, reason=reason, limit=limit)
    output.show(found, as_json=as_json, render=_render_messages)
    return output.OK


def _render_messages(found: dict[str, Any]) -> None:
    rows = [
        (each["id"], each["source"], each["type"], each["received_at"][:19], each["outcome"], _why(each))
        for each in found["messages"]
    ]
    output.table(("message", "source", "type", "received", "outcome", "why"), rows)
    output.say(f"\n{output.count(len(rows), 'message')}")
    if found["reasons"]:
        output.say("\nWhat was told of them:")
        reasons = [(each["messages"], each["source"], each["reason"]) for each in found["reasons"][:_MOST_LISTED]]
        output.table(("messages", "source", "reason"), reasons, right=("messages",))


def _why(message: dict[str, Any]) -> str:
    findings = message["findings"]
    if message["reason"] or not findings:
        return message["reason"] or ""
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{findings[0]['message']}{more}"


def again(
    message: Annotated[str, typer.Argument(help="A message's id; or --source, or --failed.", show_default=False)] = "",
    failed: Annotated[bool, typer.Option("--failed", help="Every message that was not understood whole.")] = False,
    source: Annotated[str, typer.Option("--source", help="This source's: all of them, or those that --failed.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Of those, the ones of which this was told.")] = "",
    site: SiteFolder = HERE,
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Interpret messages anew, by the mapping set now in force."""
    from gateway.wiring.messages import run_again

    if bool(message) == bool(failed or source) or (reason and not failed):
        raise typer.BadParameter("give one message's id, or --source, or --failed; --reason goes with --failed")
    with open_desk_as(site, act_as, "interpret-again") as (desk, actor), output.progress("interpreting"):
        done = run_again(desk.site, actor, message_id=message, failed=failed, source=source, reason=reason)
    output.show(done, as_json=as_json, render=_render_again)
    return output.FOUND if done["still_failing"] else output.OK


def _render_again(done: dict[str, Any]) -> None:
    asked, failing = len(done["messages"]), len(done["still_failing"])
    output.say(f"Interpreted {output.count(asked, 'message')} anew; {failing:,} still not understood whole.")
