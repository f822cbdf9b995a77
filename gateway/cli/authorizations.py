"""Commands about authorizations, and about attendance against claims."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.options import HERE, AsJson, SiteFolder, day, open_books


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    authorizations = typer.Typer(help="What payers granted, and what is left of it.", no_args_is_help=True)
    authorizations.command("list")(list_authorizations)
    authorizations.command("show")(show)
    app.add_typer(authorizations, name="authorizations")
    attendance = typer.Typer(help="What was attended against what was billed.", no_args_is_help=True)
    attendance.command("reconcile")(reconcile)
    app.add_typer(attendance, name="attendance")


def list_authorizations(
    site: SiteFolder = HERE,
    payer: Annotated[str, typer.Option(help="Only this payer's.")] = "",
    at_risk: Annotated[bool, typer.Option("--at-risk", help="Only those that run out, or have.")] = False,
    as_json: AsJson = False,
) -> int:
    """List authorizations and what is left of each. Granted, used, the first day beyond, dollars at risk."""
    with open_books(site) as books:
        found = books.authorizations(payer=payer, at_risk=at_risk)
    output.show(found, as_json=as_json, render=_render_list)
    return output.OK


def _render_list(found: dict[str, Any]) -> None:
    counts = ("granted", "opening", "reserved", "accrued", "consumed", "released", "remaining")
    rows = [
        (
            each["number"] or each["id"],
            each["payer"],
            each["level_of_care"],
            each["status"],
            each["through"],
            *(each[name] for name in counts),
            each["first_day_beyond"],
            output.dollars(each["at_risk_cents"]),
        )
        for each in found["authorizations"]
    ]
    header = ("authorization", "payer", "level", "status", "through", *counts, "first beyond", "at risk")
    output.table(header, rows, right=(*counts, "at risk"))
    output.say(f"\n{output.count(len(rows), 'authorization')}")


def show(
    authorization: Annotated[str, typer.Argument(help="Its number, or its id.", show_default=False)],
    site: SiteFolder = HERE,
    as_json: AsJson = False,
) -> int:
    """Show what each day did to an authorization. And what will run out of it."""
    with open_books(site) as books:
        found = books.authorization(authorization)
    output.show(found, as_json=as_json, render=_render_accounts)
    return output.OK


def _render_accounts(found: dict[str, Any]) -> None:
    for each in found["authorizations"]:
        output.facts(
            [
                ("authorization", each["number"] or each["id"]),
                ("payer", each["payer"]),
                ("level of care", each["level_of_care"]),
                ("status", each["status"]),
                ("span", f"{each['from'] or '...'} to {each['through'] or '...'}"),
                ("granted", each["granted"]),
                ("used before go-live", each["opening"]),
                ("scheduled", each["reserved"]),
                ("attended", each["accrued"]),
                ("sent", each["consumed"]),
                ("given back", each["released"]),
                ("left", each["remaining"]),
                ("first day beyond", each["first_day_beyond"]),
                ("at risk", output.dollars(each["at_risk_cents"])),
                *(("warning", said) for said in each["warnings"]),
            ]
        )
        rows = [
            (day["on"], day["stage"], day["units"], output.dollars(day["cents"]), day["reason"], day["claim_key"])
            for day in each["days"]
        ]
        output.table(("day", "stage", "units", "dollars", "why", "claim"), rows, right=("units", "dollars"))


def reconcile(
    site: SiteFolder = HERE,
    since: Annotated[datetime | None, day("--since", "From this date of service.")] = None,
    until: Annotated[datetime | None, day("--until", "To this date of service.")] = None,
    as_json: AsJson = False,
) -> int:
    """Compare attendance with claims, both ways. By day: the reason, who can do something about it, the dollars."""
    with open_books(site) as books:
        found = books.reconciliation(since=since.date() if since else None, until=until.date() if until else None)
    output.show(found, as_json=as_json, render=_render_reconciliation)
    return output.FOUND if found["billed_not_attended"] else output.OK


def _render_reconciliation(found: dict[str, Any]) -> None:
    output.facts(
        [
            ("attended days", found["attended_days"]),
            ("billed", f"{found['billed_days']}, {output.dollars(found['billed_cents'])}"),
        ]
    )
    for name, title in (
        ("billed_not_attended", "Billed, not attended"),
        ("attended_not_billed", "Attended, not billed"),
    ):
        rows = [
            (
                each["on"],
                each["level_of_care"],
                each["payer"],
                each["place"],
                each["reason"],
                each["owner"],
                output.dollars(each["cents"]),
                each["claim_id"] or "",
            )
            for each in found[name]
        ]
        output.say(
            f"\n{title}: {output.count(len(rows), 'day')}, {output.dollars(sum(each['cents'] for each in found[name]))}"
        )
        if rows:
            header = ("day", "level", "payer", "place", "reason", "owner", "dollars", "claim")
            output.table(header, rows, right=("dollars",))
