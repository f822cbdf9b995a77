"""Commands of the clearinghouse on this machine: run it, look into its ledger."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.options import AsJson

_Root = Annotated[Path, typer.Option("--root", help="Where it keeps mailboxes, host key and ledger.")]
_Site = Annotated[
    Path | None, typer.Option("--site", help="Instead of --root: the sandbox that 'init --demo' prepared there.")
]
_ROOT = Path("sandbox")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    sandbox = typer.Typer(help="A clearinghouse on this machine: it answers and pays.")
    sandbox.callback(invoke_without_command=True)(run)
    sandbox.command("ledger")(ledger)
    app.add_typer(sandbox, name="sandbox")


def run(
    context: typer.Context,
    root: _Root = _ROOT,
    site: _Site = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 2222,
    seed: Annotated[int, typer.Option(help="Same seed, same claims: same decisions.")] = 1,
    user: Annotated[str, typer.Option(help="Who may log in.")] = "clinic",
    password: Annotated[str, typer.Option(help="env:NAME or file:PATH; without it the password is 'sandbox'.")] = "",
    fault: Annotated[
        list[str] | None, typer.Option(help="A fault to show, NAME or NAME=ARGUMENT; may be repeated.")
    ] = None,
    pgp_key: Annotated[
        str, typer.Option(help="env:NAME or file:PATH of its private key: uploads are to be encrypted for it.")
    ] = "",
    pgp_for: Annotated[
        str, typer.Option(help="env:NAME or file:PATH of your public key: answers are encrypted for it.")
    ] = "",
    list_faults: Annotated[
        bool, typer.Option("--list-faults", help="List the faults and what each should show, and stop.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Run the sandbox until SIGTERM or Ctrl-C: a clearinghouse over real SFTP that validates, acknowledges and pays."""
    if context.invoked_subcommand is not None:
        return output.OK
    from gateway.wiring import sandbox

    if list_faults:
        listed = [dataclasses.asdict(each) for each in sandbox.faults()]
        output.show({"faults": listed}, as_json=as_json, render=_render_faults)
        return output.OK

    def announce(running: Mapping[str, Any]) -> None:
        if as_json:
            output.write_json(running)
        else:
            output.say(f"SFTP: {running['user']}@127.0.0.1 port {running['port']}, files below {running['mailbox']}")
            output.say(f"host key: {running['host_key']}")
            output.say("ready; Ctrl-C or SIGTERM stops it")
        output.flush()

    faults = fault or ()
    sealing = sandbox.sealing_by(pgp_key, pgp_for)
    if site is not None:
        sandbox.serve_for_site(site, port=port, seed=seed, faults=faults, sealing=sealing, announce=announce)
    else:
        sandbox.serve(
            root, port=port, seed=seed, user=user, password=password, faults=faults, sealing=sealing, announce=announce
        )
    return output.OK


def _render_faults(found: dict[str, list[dict[str, str]]]) -> None:
    rows = [
        ("=".join(filter(None, (each["name"], each["argument"]))), each["does"], each["sees"])
        for each in found["faults"]
    ]
    output.table(("fault", "what happens", "what you should see"), rows)


def ledger(root: _Root = _ROOT, site: _Site = None, as_json: AsJson = False) -> int:
    """Show what the sandbox received, answered and paid."""
    from gateway.wiring import sandbox

    found = sandbox.ledger(root if site is None else site / sandbox.FOLDER)
    output.show(found, as_json=as_json, render=_render_ledger)
    return output.OK


def _render_ledger(found: dict[str, list[dict[str, object]]]) -> None:
    for name, rows in found.items():
        output.say(f"{name}: {len(rows)}")
        if rows:
            columns = list(rows[0])
            output.table(columns, [[row[column] for column in columns] for row in rows])
            output.say()
