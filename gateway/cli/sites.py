"""Commands about a site as a whole: init, serve, doctor, audit, funnel, export."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.options import HERE, AsJson, SiteFolder, one_of, open_books, open_desk

_ROLES = ("all", "api", "mllp", "work")
_SAMPLE_PATIENTS, _SAMPLES_PER_FEED = 24, 10
_MOST_BROKEN = 20


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("init")(init)
    app.command("serve")(serve)
    app.command("doctor")(doctor)
    audit = typer.Typer(help="The trail of what people and the machine did.", no_args_is_help=True)
    audit.command("verify")(verify_audit)
    app.add_typer(audit, name="audit")
    app.command("readiness")(readiness)
    app.command("funnel")(funnel)
    app.command("export")(export)


def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.", show_default=False)],
    demo: Annotated[
        bool, typer.Option("--demo", help="The synthetic clinic, with the sandbox as clearinghouse.")
    ] = False,
    database: Annotated[
        str, typer.Option("--database", help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.")
    ] = "sqlite:///cleanclaim.sqlite",
    as_json: AsJson = False,
) -> int:
    """Make a site folder. It holds settings, secrets, a mapping overlay, sample messages."""
    from gateway.wiring.new_site import make_site

    made = make_site(folder, demo=demo, database=database, samples=_samples())
    output.show(made, as_json=as_json, render=_render_made)
    return output.OK


def _samples() -> dict[str, bytes]:
    """The first messages of the synthetic clinic's month and one attendance sheet, by file name."""
    from gateway.demo.attendance_sheet import attendance_sheet
    from gateway.demo.feed import Feed
    from gateway.demo.month import clinic_month

    found = {"csv/attendance.csv": attendance_sheet()}
    of_feed = dict.fromkeys(Feed, 0)
    for message in clinic_month(patients=_SAMPLE_PATIENTS).messages():
        folder, suffix = ("fhir", "json") if message.feed is Feed.FHIR else ("hl7", "hl7")
        if of_feed[message.feed] < _SAMPLES_PER_FEED:
            of_feed[message.feed] += 1
            found[f"{folder}/{of_feed[message.feed]:02d}-{message.label}.{suffix}"] = message.content
    return found


def _render_made(made: dict[str, Any]) -> None:
    output.say(f"Made a site in {made['site']}:")
    counted = {"samples/": "message", "mappings/schema/": "schema"}
    for name in made["files"]:
        if not name.startswith(tuple(counted)):
            output.say(f"  {name}")
    for folder, what in counted.items():
        number = sum(1 for name in made["files"] if name.startswith(folder))
        output.say(f"  {folder} ({output.count(number, what)})")
    output.say("\nNext:")
    for step in made["next"]:
        output.say(f"  {re.sub('^cleanclaim ', f'{output.command()} ', step)}")


def serve(
    site: SiteFolder = HERE,
    role: Annotated[str, typer.Option("--role", help="all, api, mllp or work: one process may do a part.")] = "all",
    open_to_network: Annotated[
        bool, typer.Option("--open-to-network", help="HTTP beyond loopback is behind a TLS proxy; serve it plainly.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Run the gateway: FHIR API, HL7 listeners, workers. Stops gracefully on SIGTERM or Ctrl-C."""
    import json
    import logging

    one_of(_ROLES, role, "--role")
    from gateway.cli.serving import serve as serve_site
    from gateway.wiring.logs import log_to_stderr

    log_to_stderr(logging.INFO)

    def announce(text: str) -> None:
        output.say(json.dumps({"said": text}) if as_json else text)
        output.flush()

    serve_site(site, role, open_to_network=open_to_network, announce=announce)
    return output.OK


def doctor(site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """Recount all from raw messages and frozen bytes. Exit 1 when the tables say otherwise."""
    with open_desk(site) as desk, output.progress("examining"):
        found = desk.doctor()
    output.show(found, as_json=as_json, render=_render_doctor)
    return output.OK if found["ok"] else output.FOUND


def _render_doctor(found: dict[str, Any]) -> None:
    rows = [("ok" if each["ok"] else "WRONG", each["name"], each["detail"]) for each in found["checks"]]
    output.table(("", "check", "detail"), rows)


def verify_audit(site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """Check the audit trail against its seals. Exit 1 with the first act that was changed, moved or taken out."""
    with open_books(site) as books, output.progress("verifying"):
        found = books.verify_audit()
    output.show(found, as_json=as_json, render=_render_audit)
    return output.OK if found["ok"] else output.FOUND


def _render_audit(found: dict[str, Any]) -> None:
    output.say(f"{output.count(found['acts'], 'act')} on record.")
    if found["unsealed"]:
        output.say(f"The first {found['unsealed']:,} are from before there was a seal: nothing can be said of them.")
    if not found["anchored"]:
        output.say("None is anchored outside the database: whether the end was cut off cannot be told.")
    for each in found["broken"][:_MOST_BROKEN]:
        output.say(f"act {each['number']}: {each['problem']}")
    if len(found["broken"]) > _MOST_BROKEN:
        output.say(f"and {len(found['broken']) - _MOST_BROKEN:,} more; --json lists them all")
    output.say("NOT INTACT from the first of these on." if found["broken"] else "Intact.")
    if found["broken"]:
        output.say("After a restored backup it stays so until audit.anchors is moved away, to the backup's papers.")


def readiness(
    site: SiteFolder = HERE,
    days: Annotated[int, typer.Option("--days", min=0, max=366, help="How far to look ahead for what ends.")] = 14,
    as_json: AsJson = False,
) -> int:
    """Say which rosters are missing and what falls due soon. Credentials, licenses, certifications and the like."""
    with open_desk(site) as desk:
        found = desk.readiness(days)
    output.show(found, as_json=as_json, render=_render_readiness)
    return output.OK if found["ready"] else output.FOUND


def _render_readiness(found: dict[str, Any]) -> None:
    if found["mappings"]["state"] == "refused":
        output.say(f"{found['mappings']['sentence']}.\n")
    if found["missing"]:
        output.say("Never loaded:")
        rows = [
            (each["severity"], each["organization"], each["claims"], output.dollars(each["cents"]), each["message"])
            for each in found["missing"]
        ]
        output.table(("", "organization", "claims", "dollars", "what"), rows, right=("claims", "dollars"))
    if found["due"]:
        output.say(f"\nDue by {found['through']}:")
        columns = ("due", "", "patient", "owner", "at risk", "what")
        output.table(columns, map(_due_row, found["due"]), right=("at risk",))
    if not found["missing"] and not found["due"]:
        output.say(f"Everything is loaded, and nothing falls due by {found['through']}.")


def _due_row(item: dict[str, Any]) -> tuple[object, ...]:
    late = "overdue" if item["overdue"] else ""
    return item["due_on"], late, item["record_number"], item["owner"], output.dollars(item["cents"]), item["message"]


def funnel(site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """Follow encounters to money. Where everything is, what is held by whom and why, what was paid and denied."""
    with open_books(site) as books:
        found = books.funnel()
    output.show(found, as_json=as_json, render=render_funnel)
    return output.OK


def render_funnel(found: dict[str, Any]) -> None:
    """The funnel for people; the demo shows the same."""
    output.facts(
        [
            ("encounters", f"{found['encounters']:,}"),
            ("", ""),
            *((f"  {place}", f"{number:,}") for place, number in sorted(found["places"].items())),
            ("service days", f"{found['service_days']:,}"),
            ("claims", f"{found['claims']:,}"),
            ("sent", f"{found['sent']:,}"),
            ("accepted by the payer", f"{found['accepted']:,}"),
            ("paid", f"{found['paid']:,}"),
            ("denied", f"{found['denied']:,}"),
            ("billed", output.dollars(found["billed_cents"])),
            ("paid by payers", output.dollars(found["paid_cents"])),
            ("contractual write-off", output.dollars(found["contractual_cents"])),
            ("denied by payers", output.dollars(found["denied_cents"])),
            ("owed by patients", output.dollars(found["patient_cents"])),
            ("settled by earlier payers", output.dollars(found["prior_payer_cents"] or None)),
            ("adjusted by PLB", output.dollars(found["adjusted_cents"] or None)),
            ("open at payers", output.dollars(found["open_cents"])),
            ("paid, claim not ours", output.dollars(found["suspense_cents"] or None)),
        ]
    )
    if found["held"]:
        output.say("\nHeld, by who can free it:")
        rows = [
            (each["owner"], each["rule"], each["claims"], each["encounters"], output.dollars(each["cents"]))
            for each in found["held"]
        ]
        numbers = ("claims", "encounters", "dollars")
        output.table(("owner", "rule", *numbers), rows, right=numbers)
    if found["reasons"]:
        output.say("\nNot billable, by reason:")
        output.table(("reason", "encounters"), sorted(found["reasons"].items()), right=("encounters",))


def export(
    site: SiteFolder = HERE,
    as_json: AsJson = False,  # noqa: ARG001 - it is always JSON; the option is there because every command has it
) -> int:
    """Write claims, lines, money and states as JSON. By business identity: two runs of a month give the same."""
    with open_books(site) as books:
        output.write_json(books.export())
    return output.OK
