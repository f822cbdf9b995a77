"""Commands that show what the product does and how fast: demo and bench."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.claims import render_why
from gateway.cli.options import AsJson
from gateway.cli.sites import render_funnel


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("demo")(demo)
    app.command("bench")(bench)


def demo(
    folder: Annotated[
        Path | None, typer.Option("--site", help="Where the demo's site is made; kept afterwards. Default: a new one.")
    ] = None,
    database: Annotated[
        str, typer.Option("--database", help="An empty database: sqlite:///FILE or postgresql://...")
    ] = "sqlite:///cleanclaim.sqlite",
    patients: Annotated[int, typer.Option(min=1, max=100_000, help="How many patients the month has.")] = 48,
    seed: Annotated[int, typer.Option(help="Same seed, same month.")] = 2026,
    as_json: AsJson = False,
) -> int:
    """Play a made-up clinic's month. Two EHR feeds become paid and denied claims."""
    from gateway.demo.play import play
    from gateway.wiring.logs import log_to_stderr

    log_to_stderr()
    place = folder if folder is not None else Path(tempfile.mkdtemp(prefix="cleanclaim-demo-"))
    found = play(place, database, patients, seed, _teller(as_json))
    output.show(found, as_json=as_json, render=_render_demo)
    return output.OK if found["doctor"]["ok"] else output.FOUND


def _teller(as_json: bool) -> Callable[[str], None]:
    """Progress goes to people as it happens; a program gets the one document alone."""

    def tell(text: str) -> None:
        (output.complain if as_json else output.say)(f"  {text}")
        output.flush()

    return tell


def _render_demo(found: dict[str, Any]) -> None:
    output.say()
    render_funnel(found)
    output.say("\nCaught before sending, where programs lose their money:")
    rows = [
        (each["pitfall"], each["claims"], output.dollars(each["cents"]), each["for_example"])
        for each in found["caught"]
    ]
    output.table(("pitfall", "claims", "dollars", "for example"), rows, right=("claims", "dollars"))
    if found["story"]:
        output.say("\nWhy?")
    for answer in found["story"]:
        output.say()
        _render_reason(answer)
    verdict = "everything is accounted for" if found["doctor"]["ok"] else "SOMETHING IS WRONG"
    output.say(f"\nDoctor: {verdict} ({output.count(len(found['doctor']['checks']), 'check')}).")
    for each in found["doctor"]["checks"]:
        if not each["ok"]:
            output.say(f"  {each['name']}: {each['detail']}")
    site = found["site"]
    output.say("\nNext:")
    first = [f"claims why {answer['id']}" for answer in found["story"][:1]]
    for step in ("claims list --state held", *first, "worklist", "exchange status", "doctor"):
        output.say(f"  {output.command()} {step} --site {site}")


def _render_reason(answer: dict[str, Any]) -> None:
    """Why, in brief: what holds the claim; the rest is counted, and `claims why` tells it."""
    holding = [each for each in answer["findings"] if each["severity"] == "block"]
    render_why({**answer, "findings": holding}, with_sources=False)
    if len(holding) < len(answer["findings"]):
        rest = len(answer["findings"]) - len(holding)
        output.say(f"\nBeside that, {output.count(rest, 'finding that holds', 'findings that hold')} nothing.")


def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="x12, ingest, gate, pipeline, exchange, workers, mappings; all by default. long, only by name."
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Measure the stages. Each is a ratio against a named reference in the same run."""
    from gateway.bench import run

    with output.progress("measuring"):
        found = run(names or [])
    output.show(found, as_json=as_json, render=_render_bench)
    return output.OK


def _render_bench(found: dict[str, Any]) -> None:
    output.say(found["machine"] if isinstance(found["machine"], str) else str(found["machine"]))
    columns = ("name", "value", "unit", "reference", "reference_value", "ratio", "budget", "met")
    rows = [[_figure(row[column]) for column in columns] for row in found["rows"]]
    output.table(columns, rows, right=("value", "reference_value", "ratio"))


def _figure(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:,.1f}" if isinstance(value, float) else value
