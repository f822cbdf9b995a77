"""Commands about what needs somebody soon: list it, close an item by hand, take that back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.options import HERE, ActAs, AsJson, Reason, SiteFolder, open_books, open_desk_as
from gateway.permissions import to_close_as

_Item = Annotated[str, typer.Argument(help="The item's id, as 'worklist' shows it.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    items = typer.Typer(help="What needs somebody soon; close what was seen to.")
    items.callback(invoke_without_command=True)(worklist)
    items.command("close")(close)
    items.command("reopen")(reopen)
    app.add_typer(items, name="worklist")


def worklist(
    context: typer.Context,
    site: SiteFolder = HERE,
    owner: Annotated[str, typer.Option(help="Only what this owner can do: utilization-review, clinician ...")] = "",
    closed: Annotated[bool, typer.Option("--closed", help="What was closed by hand instead, by whom and why.")] = False,
    as_json: AsJson = False,
) -> int:
    """List what needs somebody soon, due first. It is told before it costs a day."""
    if context.invoked_subcommand is not None:
        return output.OK
    with open_books(site) as books:
        found = books.worklist(owner=owner, closed=closed)
    output.show(found, as_json=as_json, render=_render_closed if closed else _render_open)
    return output.OK


def _render_open(found: dict[str, Any]) -> None:
    names = ("due", "owner", "at risk", "what", "do", "item")
    rows = [
        (each["due_on"], each["owner"], output.dollars(each["cents"]), each["message"], each["fix"], each["id"])
        for each in found["items"]
    ]
    output.table(names, rows, right=("at risk",))
    output.say(f"\n{output.count(len(rows), 'item')}")


def _render_closed(found: dict[str, Any]) -> None:
    rows = [
        (
            each["closed"]["at"][:10],
            each["closed"]["outcome"],
            each["closed"]["actor"],
            each["closed"]["reason"],
            output.dollars(each["cents"]),
            each["message"],
            each["id"],
        )
        for each in found["items"]
    ]
    output.table(("closed", "as", "by", "why", "at risk", "what", "item"), rows, right=("at risk",))
    output.say(f"\n{output.count(len(rows), 'closed item')}")


def close(
    item: _Item,
    outcome: Annotated[str, typer.Argument(help="appealed, done, not-needed or written-off.", show_default=False)],
    site: SiteFolder = HERE,
    reason: Reason = "",
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Take an item off the list, with a reason. Something new makes another one; writing off is a supervisor's."""
    with open_desk_as(site, act_as, to_close_as(outcome)) as (desk, actor):
        done = desk.close_item(item, outcome, actor, reason)
    output.show(done, as_json=as_json, render=_render_done)
    return output.OK


def reopen(
    item: _Item, site: SiteFolder = HERE, reason: Reason = "", act_as: ActAs = "", as_json: AsJson = False
) -> int:
    """Put a closed item back on the list."""
    with open_desk_as(site, act_as, "close-work") as (desk, actor):
        done = desk.reopen_item(item, actor, reason)
    output.show(done, as_json=as_json, render=_render_done)
    return output.OK


def _render_done(done: dict[str, Any]) -> None:
    closed = done["closed"]
    said = f"closed as {closed['outcome']} by {closed['actor']}" if closed else "open"
    output.say(f"{done['message']}\nItem {done['id']} is {said}.")
