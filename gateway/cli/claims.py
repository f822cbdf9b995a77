"""Commands about claims and encounters: what is where, why, and what a person decides."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.options import HERE, ActAs, AsJson, Reason, SiteFolder, day, open_books, open_desk_as

_Claim = Annotated[str, typer.Argument(help="A claim's id, number or key.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    claims = typer.Typer(help="List claims, ask why, release, hold, override.", no_args_is_help=True)
    for name, command in (("list", list_claims), ("show", show), ("why", why), ("release", release), ("hold", hold)):
        claims.command(name)(command)
    claims.command("override")(override)
    app.add_typer(claims, name="claims", rich_help_panel=None)
    encounters = typer.Typer(help="Where each encounter's bill is; which two are one.", no_args_is_help=True)
    encounters.command("list")(list_encounters)
    encounters.command("decide")(decide)
    app.add_typer(encounters, name="encounters")


def list_claims(
    site: SiteFolder = HERE,
    payer: Annotated[str, typer.Option(help="Only this payer's.")] = "",
    state: Annotated[str, typer.Option(help="Only in this state: held, ready, denied ...")] = "",
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")] = 0,
    as_json: AsJson = False,
) -> int:
    """List claims, each in one line."""
    with open_books(site) as books:
        found = books.claims(payer=payer, state=state, limit=limit)
    output.show(found, as_json=as_json, render=_render_list)
    return output.OK


def _render_list(found: dict[str, Any]) -> None:
    rows = [
        (
            each["id"],
            each["state"],
            each["payer"],
            each["form"],
            each["from"],
            each["through"],
            output.dollars(each["charge_cents"]),
            each["holds"],
        )
        for each in found["claims"]
    ]
    output.table(("claim", "state", "payer", "form", "from", "through", "dollars", "held by"), rows, right=("dollars",))
    output.say(f"\n{output.count(len(rows), 'claim')}")


def show(claim: _Claim, site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """Show one claim whole. Lines, findings, versions, what was heard of it, money."""
    with open_books(site) as books:
        found = books.claim(claim)
    output.show(found, as_json=as_json, render=_render_claim)
    return output.OK


def _render_claim(found: dict[str, Any]) -> None:
    output.facts(
        [
            ("claim", found["id"]),
            ("state", found["state"]),
            ("number", found["claim_number"]),
            ("payer", found["payer"]),
            ("organization", found["organization"]),
            ("level of care", found["level_of_care"]),
            ("form", found["form"]),
            ("statement", f"{found['from']} to {found['through']}"),
            ("authorization", found["authorization_number"]),
            ("charge", output.dollars(found["charge_cents"])),
        ]
    )
    _render_lines(found["lines"])
    _render_findings(found["findings"])
    _render_overrides(found["overrides"])
    _render_adjustments(found)
    _render_work(found["work"])
    if found["facts"]:
        output.say("\nHeard:")
        rows = [(each["at"][:16], each["kind"], each["code"], each["actor"], each["reason"]) for each in found["facts"]]
        output.table(("at", "what", "code", "who", "why"), rows)
    if found["money"]:
        output.say("\nMoney:")
        money = [(each["account"], output.dollars(each["cents"]), each["basis"]) for each in found["money"]]
        output.table(("account", "dollars", "because"), money, right=("dollars",))


def _render_work(items: list[dict[str, Any]]) -> None:
    if items:
        output.say("\nWork:")
        rows = [
            (each["due_on"], each["owner"], each["rule"], _closed(each["closed"]), each["fix"], each["id"])
            for each in items
        ]
        output.table(("due", "owner", "what", "closed", "do", "item"), rows)


def _closed(closing: dict[str, Any] | None) -> str:
    return f"{closing['outcome']} by {closing['actor']}: {closing['reason']}" if closing else ""


def _render_adjustments(found: dict[str, Any]) -> None:
    """What the payer took off, in the words of the lists the site imported; of a denial who acts, and how."""
    if found["adjustments"]:
        output.say("\nAdjusted by the payer:")
        rows = [
            (
                f"{each['group']} {each['reason']}",
                output.dollars(each["cents"]),
                *(each[name] for name in ("words", "owner", "fix")),
            )
            for each in found["adjustments"]
        ]
        output.table(("reason", "dollars", "in its list's words", "who acts", "next step"), rows, right=("dollars",))
    if found["remarks"]:
        output.table(("remark", "in its list's words"), [(each["code"], each["words"]) for each in found["remarks"]])


def _render_lines(lines: list[dict[str, Any]]) -> None:
    if not lines:
        return
    output.say("\nLines:")
    rows = [
        (
            each["number"],
            each["service_on"],
            each["revenue_code"],
            " ".join([each["hcpcs"] or "", *each["modifiers"]]),
            each["units"],
            output.dollars(each["charge_cents"]),
        )
        for each in lines
    ]
    output.table(("line", "day", "revenue", "code", "units", "dollars"), rows, right=("units", "dollars"))


def _render_findings(findings: list[dict[str, Any]]) -> None:
    for each in findings:
        output.say(f"\n{each['severity']}: {each['message']}")
        source = each["source"] or {}
        output.facts(
            [
                ("  rule", f"{each['rule']} {each['code']}".strip()),
                ("  where", each["path"]),
                ("  values", ", ".join(f"{name} {value}" for name, value in each["values"].items())),
                ("  source", source.get("field")),
                ("  mapping", source.get("mapping")),
                ("  fix", each["fix"]),
                ("  owner", each["owner"]),
                ("  dollars", output.dollars(each["cents"]) if each["cents"] else None),
            ]
        )


def _render_overrides(overrides: list[dict[str, Any]]) -> None:
    if overrides:
        output.say("\nLet pass:")
        rows = [(each["rule"], each["actor"], each["role"], each["expires_on"], each["reason"]) for each in overrides]
        output.table(("rule", "who", "role", "until", "why"), rows)


def why(claim: _Claim, site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """Say why a claim is as it is. Rule or mapping entry (file:line), source field, values compared."""
    with open_books(site) as books:
        found = books.why(claim)
    output.show(found, as_json=as_json, render=render_why)
    return output.OK


def render_why(found: dict[str, Any], *, with_sources: bool = True) -> None:
    """One answer to why; the demo shows the same without the sources of every field."""
    output.say(f"Claim {found['id']}: {found['because']}")
    _render_findings(found["findings"])
    _render_adjustments(found)
    _render_overrides(found["overrides"])
    shown: dict[str, int] = {}
    for line in found["lines"]:
        code = f"{line['revenue_code']} {line['hcpcs'] or ''}".strip()
        output.say(f"\nline {line['number']}: {line['service_on']} {code}")
        output.facts(
            [
                ("  definition", f"{line['definition']} ({line['definition_entry']})"),
                ("  price", line["charge_entry"]),
                ("  attended", f"{line['minutes']} minutes, {output.count(line['services'], 'service')}"),
                *(_sources(line, shown) if with_sources else ()),
            ]
        )


def _sources(line: dict[str, Any], shown: dict[str, int]) -> list[tuple[str, str]]:
    """Field by field where a line's values came from; lines that are told alike refer to the first of them."""
    told = [(f"  {name}", f"{each['field']} by {each['mapping']}") for name, each in line["sources"].items() if each]
    first = shown.setdefault(repr(told), line["number"])
    return told if first == line["number"] else [("  told", f"as line {first} is")]


def release(
    claim: Annotated[str, typer.Argument(help="A claim's id, number or key; or --all-ready.", show_default=False)] = "",
    site: SiteFolder = HERE,
    all_ready: Annotated[bool, typer.Option("--all-ready", help="Every claim that is ready.")] = False,
    payer: Annotated[str, typer.Option(help="With --all-ready: only this payer's.")] = "",
    reason: Reason = "",
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Let a clean claim leave as it is now."""
    if bool(claim) == all_ready or (payer and not all_ready):
        raise typer.BadParameter("give one claim, or --all-ready; --payer goes with --all-ready")
    with open_desk_as(site, act_as, "release") as (desk, actor):
        if not all_ready:
            output.show(desk.release(claim, actor, reason), as_json=as_json, render=_render_state)
            return output.OK
        with output.progress("releasing"):
            done = desk.release_all(actor, "ready", payer, reason)
    output.show(done, as_json=as_json, render=_render_released)
    return output.FOUND if done["refused"] else output.OK


def _render_released(done: dict[str, Any]) -> None:
    output.say(f"Released {output.count(len(done['released']), 'claim')}.")
    for each in done["refused"]:
        output.say(f"  not {each['claim']}: {each['reason']}")


def _render_state(done: dict[str, Any]) -> None:
    output.say(f"Claim {done['claim']} is {done['state']}.")


def hold(
    claim: _Claim, site: SiteFolder = HERE, reason: Reason = "", act_as: ActAs = "", as_json: AsJson = False
) -> int:
    """Keep a claim back until somebody releases it."""
    with open_desk_as(site, act_as, "hold") as (desk, actor):
        output.show(desk.hold(claim, actor, reason), as_json=as_json, render=_render_state)
    return output.OK


def override(
    claim: _Claim,
    rule: Annotated[str, typer.Argument(help="The rule's name, as 'claims why' shows it.", show_default=False)],
    until: Annotated[datetime, day("--until", "The last day it holds.")],
    site: SiteFolder = HERE,
    reason: Reason = "",
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Let one rule's block pass on one claim, until a day. Supervisors only; it shows on the claim for ever."""
    with open_desk_as(site, act_as, "override") as (desk, actor):
        done = desk.override(claim, rule, actor, reason, until.date())
    said = f"{rule} lets it pass until {until.date()}. Claim {done['claim']} is {done['state']}."
    output.show(done, as_json=as_json, render=lambda _: output.say(said))
    return output.OK


def list_encounters(
    site: SiteFolder = HERE,
    place: Annotated[str, typer.Option(help="Only billed, waiting, held or not-billable.")] = "",
    on: Annotated[datetime | None, day("--on", "Only of this day.")] = None,
    as_json: AsJson = False,
) -> int:
    """List encounters and where each one's bill is."""
    with open_books(site) as books:
        found = books.encounters(place=place, on=on.date() if on else None)
    output.show(found, as_json=as_json, render=_render_encounters)
    return output.OK


def _render_encounters(found: dict[str, Any]) -> None:
    rows = [
        (
            each["encounter_id"],
            each["on"],
            each["place"],
            each["payer"],
            each["reason"] or [finding["rule"] for finding in each["findings"]],
        )
        for each in found["encounters"]
    ]
    output.table(("encounter", "day", "place", "payer", "why"), rows)
    output.say(f"\n{output.count(len(rows), 'encounter')}")


def decide(
    first: Annotated[str, typer.Argument(help="An encounter's id.", show_default=False)],
    second: Annotated[str, typer.Argument(help="The other one's.", show_default=False)],
    decision: Annotated[str, typer.Argument(help="same or different", show_default=False)],
    site: SiteFolder = HERE,
    organization: Annotated[str, typer.Option(help="Whose they are; needed where there are several.")] = "",
    reason: Reason = "",
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Say whether two encounters are one visit. Two feeds may have told of it; of one feed's two it takes a reason."""
    with open_desk_as(site, act_as, "decide-encounters") as (desk, actor):
        done = desk.decide_encounters(first, second, decision, actor, organization, reason)
    output.show(done, as_json=as_json, render=lambda _: output.say(f"Decided: {decision}."))
    return output.OK
