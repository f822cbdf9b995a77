"""Commands about partners: what is where, send, collect, decide on a file in doubt, hand answers on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import exchange_connections, output
from gateway.cli.options import HERE, ActAs, AsJson, Reason, SiteFolder, open_books, open_desk, open_desk_as

_Connection = Annotated[str, typer.Option("--connection", help="Only this connection.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    exchange = typer.Typer(help="Send claims, collect answers, decide on files in doubt.", no_args_is_help=True)
    for name, command in (("status", status), ("send", send), ("collect", collect), ("resolve", resolve), ("raw", raw)):
        exchange.command(name)(command)
    exchange.command("post")(post)
    exchange.command("reports")(reports)
    exchange.command("silences")(silences)
    exchange_connections.add_to(exchange)
    app.add_typer(exchange, name="exchange")


def status(site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """Say of each partner when it last answered. Then what is queued, in doubt, silent or set aside."""
    with open_desk(site) as desk:
        found = desk.exchange_status()
    output.show(found, as_json=as_json, render=_render_status)
    return output.OK


def _render_status(found: dict[str, Any]) -> None:
    for each in found["connections"]:
        output.say(each["connection"])
        if each["paused"]:
            output.say(f"  paused: {each['paused']}; cleanclaim exchange resume {each['connection']} --reason ...")
        if each["refused"]:
            output.say(f"  nothing is sent from here: {each['refused']}")
        answers = ", ".join(f"{number} {kind}" for kind, number in each["answers"].items() if number)
        output.facts(
            [
                ("  last collected", _minute(each["last_contact"]) or "never"),
                ("  collects next", _minute(each["next_run"])),
                ("  trouble", each["problem"] and f"{each['problem']} (since {_minute(each['troubled_since'])})"),
                ("  queued", each["queued"]),
                ("  sending", each["sending"]),
                ("  delivered", each["delivered"]),
                ("  rejected", each["rejected"]),
                ("  answers", answers or "none"),
                ("  reports", each["reports"] or None),
            ]
        )
        for title, name in (("under way", "under_way"), ("in doubt", "in_doubt"), ("goes again", "goes_again")):
            for row in each[name]:
                output.say(f"  {title}: {row['remote_name']}, {output.count(row['claims'], 'claim')}, "
                           f"{output.dollars(row['charge_cents'])}")  # fmt: skip
                output.facts([("    id", row["id"]), ("    known", row["known"]), ("    next", row["next"])])
        for row in each["silent"]:
            output.say(f"  silent: {row['remote_name']}: no {row['answer']} for {row['waiting']} of its claims, "
                       f"due {_minute(row['due_at'])}")  # fmt: skip
        for row in each["set_aside"]:
            output.say(f"  set aside: {row['type']} {row['id']}: {row['status']}, {row['reason']}")
        for row in each["not_ours"]:
            output.say(f"  not ours: {row['type']} {row['id']}: {row['reason']}")


def _minute(time: str | None) -> str:
    return time[:16].replace("T", " ") if time else ""


def silences(site: SiteFolder = HERE, connection: _Connection = "", as_json: AsJson = False) -> int:
    """List the answers that partners owe us. By their own clocks, the longest due first."""
    with open_desk(site) as desk:
        found = desk.silences(connection)
    output.show(found, as_json=as_json, render=_render_silences)
    return output.FOUND if found["silences"] else output.OK


def _render_silences(found: dict[str, Any]) -> None:
    rows = [
        (
            each["connection"],
            each["answer"],
            _minute(each["due_at"]),
            each["isa13"],
            each["remote_name"],
            each["waiting"],
            output.dollars(each["charge_cents"]),
        )
        for each in found["silences"]
    ]
    columns = ("connection", "no", "due", "ISA13", "file", "claims", "billed")
    output.table(columns, rows, right=("ISA13", "claims", "billed"))
    output.say(f"\n{output.count(len(rows), 'answer')} owed")


def send(site: SiteFolder = HERE, connection: _Connection = "", act_as: ActAs = "", as_json: AsJson = False) -> int:
    """Freeze what is released and send it, now. 'cleanclaim serve' does so by itself."""
    with open_desk_as(site, act_as, "exchange") as (desk, actor), output.progress("sending"):
        done = desk.send(actor, connection)
    output.show(done, as_json=as_json, render=_render_sent)
    troubled = any(
        each["paused"] or each["refused"] or each["in_doubt"] or each["problems"] for each in done["connections"]
    )
    return output.FOUND if troubled else output.OK


def _render_sent(done: dict[str, Any]) -> None:
    rows = [(each["connection"], each["frozen"], each["delivered"], each["in_doubt"]) for each in done["connections"]]
    numbers = ("frozen", "delivered", "in doubt")
    output.table(("connection", *numbers), rows, right=numbers)
    for each in done["connections"]:
        if each["paused"]:
            output.say(f"{each['connection']} is paused: {each['paused']}")
        if each["refused"]:
            output.say(f"{each['connection']}: nothing was sent. {each['refused']}")
        for problem in each["problems"]:
            output.say(f"{each['connection']}: {problem}")
        if each["in_doubt"]:
            files = output.count(each["in_doubt"], "file")
            output.say(f"{each['connection']}: {files} in doubt; 'cleanclaim exchange status' says what happens next.")
        if each["problems"]:
            output.say("What was not delivered is tried again by the next 'exchange send', or by 'serve'.")


def collect(site: SiteFolder = HERE, connection: _Connection = "", act_as: ActAs = "", as_json: AsJson = False) -> int:
    """Collect and apply what waits at the partners, now. 'cleanclaim serve' does so by itself."""
    with open_desk_as(site, act_as, "exchange") as (desk, actor), output.progress("collecting"):
        done = desk.collect(actor, connection)
    output.show(done, as_json=as_json, render=_render_collected)
    troubled = any(each["paused"] or each["problems"] or each["set_aside"] for each in done["connections"])
    return output.FOUND if troubled else output.OK


def _render_collected(done: dict[str, Any]) -> None:
    rows = [
        (each["connection"], *(each[name] for name in ("files", "applied", "duplicates", "set_aside", "reports")))
        for each in done["connections"]
    ]
    numbers = ("files", "applied", "duplicates", "set aside", "reports")
    output.table(("connection", *numbers), rows, right=numbers)
    for each in done["connections"]:
        if each["settling"]:
            output.say(f"{each['connection']}: {output.count(each['settling'], 'file')} may still be growing; later")
        for problem in [*each["problems"], *([each["paused"]] if each["paused"] else [])]:
            output.say(f"{each['connection']}: {problem}")


def post(
    answer: Annotated[str, typer.Argument(help="The 835's id, as 'status' shows it.", show_default=False)],
    site: SiteFolder = HERE,
    reason: Reason = "",
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Post an 835 that does not balance. What nothing explains goes to suspense. Supervisors only; it is audited."""
    with open_desk_as(site, act_as, "post-remittances") as (desk, actor):
        done = desk.post(answer, actor, reason)
    output.show(done, as_json=as_json, render=_render_posted)
    return output.OK


def _render_posted(done: dict[str, Any]) -> None:
    output.say(f"Posted. {output.dollars(done['suspense_cents'])} that nothing explains lie in suspense.")


def resolve(
    interchange: Annotated[str, typer.Argument(help="The interchange's id, as 'status' shows it.", show_default=False)],
    resolution: Annotated[str, typer.Argument(help="resend, confirm-delivered or abandon", show_default=False)],
    site: SiteFolder = HERE,
    reason: Reason = "",
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Decide on a file in doubt, after asking the partner. Supervisors only; it is audited."""
    with open_desk_as(site, act_as, "resolve-doubts") as (desk, actor):
        done = desk.resolve(interchange, resolution, actor, reason)
    output.show(
        done, as_json=as_json, render=lambda _: output.say(f"Interchange {done['interchange']} is {done['state']}.")
    )
    return output.OK


def raw(
    folder: Annotated[Path, typer.Argument(help="Where the files are written.", show_default=False)],
    site: SiteFolder = HERE,
    type: Annotated[str, typer.Option("--type", help="835, 277CA, 999, TA1 or report; empty for all answers.")] = "835",
    status: Annotated[str, typer.Option("--status", help="applied, quarantined, unbalanced, duplicate or test.")] = "",
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Hand answers on to another system. Their bytes go into a folder as they came, each once."""
    with open_desk_as(site, act_as, "hand-on-answers") as (desk, actor):
        done = desk.hand_on(folder, actor, type=type, status=status)
    output.show(done, as_json=as_json, render=_render_handed_on)
    return output.OK


def reports(site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """List files that hold no answer. A partner's own reports, and what was refused; all are kept."""
    with open_books(site) as books:
        found = books.reports()
    output.show(found, as_json=as_json, render=_render_reports)
    return output.OK


def _render_reports(found: dict[str, Any]) -> None:
    rows = [
        (_minute(each["received_at"]), *(each[name] for name in ("connection", "remote_name", "reason", "id")))
        for each in found["reports"]
    ]
    output.table(("received", "connection", "file", "reason", "id"), rows)
    output.say(f"\n{output.count(len(rows), 'file')}")
    if rows:
        output.say("'cleanclaim exchange raw FOLDER --type report' writes them.")


def _render_handed_on(done: dict[str, Any]) -> None:
    new = sum(each["written"] for each in done["files"])
    output.say(f"Wrote {output.count(new, 'file')}; {len(done['files']) - new:,} were there already.")
