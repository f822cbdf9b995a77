"""Commands about one connection: prove it, let it be tried again, move its numbers after a restore."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.options import HERE, ActAs, AsJson, Reason, SiteFolder, open_desk_as

_Connection = Annotated[str, typer.Argument(help="The connection's id: profile.id of its file.", show_default=False)]


def add_to(exchange: typer.Typer) -> None:
    """Register the commands."""
    for name, command in (("test", test), ("certify", certify), ("resume", resume), ("guard", guard)):
        exchange.command(name)(command)


def test(connection: _Connection, site: SiteFolder = HERE, as_json: AsJson = False) -> int:
    """Prove a connection step by step. No claim is sent, no login tried twice."""
    from gateway.wiring.partners import prove_connection

    with output.progress("connecting"):
        done = prove_connection(site, connection)
    output.show(done, as_json=as_json, render=_render_test)
    return output.OK if done["ok"] else output.FOUND


def _render_test(done: dict[str, Any]) -> None:
    for each in done["steps"]:
        output.say(f"{'ok    ' if each['ok'] else 'FAILED'} {each['step']}: {each['detail']}")
        if each["next"]:
            output.say(f"       next: {each['next']}")


def certify(
    connection: _Connection,
    site: SiteFolder = HERE,
    again: Annotated[bool, typer.Option("--again", help="Send another test batch.")] = False,
    wait: Annotated[int, typer.Option("--wait", min=0, help="Seconds to wait for answers that are missing.")] = 60,
    waive: Annotated[
        bool, typer.Option("--waive", help="Go live without a test batch: a supervisor's decision, with --reason.")
    ] = False,
    reason: Reason = "",
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Send specimen claims in test mode, judge the answers. Production files leave only once they were taken."""
    from gateway.wiring import partners

    with open_desk_as(site, act_as, "waive-certification" if waive else "exchange") as (desk, actor):
        if waive:
            done = partners.waive_certification(desk.site, connection, actor, reason)
        else:
            with output.progress("testing"):
                done = partners.certify(desk.site, connection, actor, again=again, wait_s=wait)
    output.show(done, as_json=as_json, render=_render_certify)
    return output.OK if done["certified"] and done.get("state") != "failed" else output.FOUND


def _render_certify(done: dict[str, Any]) -> None:
    for name in done.get("files", ()):
        output.say(f"sent in test mode: {name}")
    for line in done.get("heard", ()):
        output.say(f"  {line}")
    for line in done.get("missing", ()):
        output.say(f"  still missing: {line}")
    for line in done.get("failures", ()):
        output.say(f"FAILED {line}")
    if done["certified"]:
        output.say(f"{done['connection']} may go live: {done['certified']}.")
    else:
        output.say(f"{done['connection']} may not go live yet. Run this again for more answers; --again sends anew.")


def resume(
    connection: _Connection,
    site: SiteFolder = HERE,
    reason: Reason = "",
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Let a paused connection be tried again. The partner had refused us; it is audited."""
    from gateway.wiring.partners import resume as resume_connection

    with open_desk_as(site, act_as, "exchange") as (desk, actor):
        done = resume_connection(desk.site, connection, actor, reason)
    output.show(done, as_json=as_json, render=lambda _: output.say(f"{connection} is tried again with the next pass."))
    return output.OK


def guard(
    connection: _Connection,
    site: SiteFolder = HERE,
    skip: Annotated[int, typer.Option("--skip", min=0, help="Numbers left out beyond the highest seen.")] = 1000,
    not_restored: Annotated[
        bool, typer.Option("--not-restored", help="This is one more machine of a running site: change no number.")
    ] = False,
    reason: Reason = "",
    act_as: ActAs = "",
    as_json: AsJson = False,
) -> int:
    """Move control numbers on after a restore. What may have left is held or looked for. Supervisors only."""
    from gateway.wiring.partners import guard as guard_connection

    with open_desk_as(site, act_as, "move-control-numbers") as (desk, actor):
        done = guard_connection(desk.site, connection, actor, reason, skip=skip, restored=not not_restored)
    output.show(done, as_json=as_json, render=_render_guard)
    return output.OK


def _render_guard(done: dict[str, Any]) -> None:
    output.facts(
        [
            ("number the database knew", done["last"]),
            ("highest number in use", done["seen"]),
            ("next number", done["next"]),
            ("claims held", done["held"]),
            ("files in doubt", done["in_doubt"]),
        ]
    )
    if done["held"]:
        output.say("Held: restored-from-backup. Look for each at the partner's before anybody releases it.")
