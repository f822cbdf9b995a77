"""Commands about files alone, no site needed: check and read."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import output
from gateway.cli.options import AsJson

if TYPE_CHECKING:
    from gateway.wiring.gate_files import FileGate

_Files = Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)]
_MOST_SHOWN = 200


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("check")(check)
    app.command("read")(read)


def check(
    files: _Files,
    gate: Annotated[bool, typer.Option("--gate", help="Judge the claims of 837s by the gate's rules too.")] = False,
    site: Annotated[
        Path | None,
        typer.Option("--site", help="With --gate: by this site's files and code lists.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Check any 837, 835, 277CA, 999, TA1, HL7 v2 or FHIR file. Exit 0 clean, 1 findings, 2 unreadable."""
    from gateway.wiring.files import check_files, expand, is_clean

    paths = expand(files)
    with _gate(site) if gate else nullcontext() as judge, output.progress("checking", len(paths)) as advance:
        checked = []
        for entry in check_files(paths, judge):
            checked.append(entry)
            advance(1)
    output.show({"files": checked}, as_json=as_json, render=render_checked)
    if not all(entry["readable"] for entry in checked):
        return output.MISUSE
    return output.OK if all(is_clean(entry) for entry in checked) else output.FOUND


def _gate(site: Path | None) -> AbstractContextManager[FileGate]:
    from gateway.wiring.gate_files import file_gate

    return file_gate(site)


def render_checked(answer: dict[str, Any]) -> None:
    """Show the ``files`` of a check."""
    from gateway.wiring.files import is_clean

    if not answer["files"]:
        output.say("There is no file there.")
    for entry in answer["files"]:
        if not entry["readable"]:
            output.say(f"{entry['path']}: unreadable: {entry['error']}")
            continue
        rows = list(_finding_rows(entry, ""))
        found = output.count(len(rows), "finding") if rows else "clean"
        output.say(
            f"{entry['path']}: {_what(entry)}: {f'clean but for {found}' if rows and is_clean(entry) else found}"
        )
        if rows:
            output.table(("severity", "type", "in", "where", "code", "what"), rows[:_MOST_SHOWN])
        for each in entry.get("gate", {}).get("unknown", ()):
            rules = output.count(len(each["rules"]), "rule")
            output.say(f"unknown: {each['source']}, so {rules} judged none of {output.count(each['claims'], 'claim')}")
        if len(rows) > _MOST_SHOWN:
            output.say(f"and {len(rows) - _MOST_SHOWN:,} more; --json lists all")


def _render_acknowledgment(told: dict[str, Any]) -> None:
    sets = f"{told['accepted']} of {output.count(told['received'], 'transaction set')}"
    output.say(f"  999: group {told['answers']} is {told['verdict']}; {sets} accepted")
    for each in told["sets"]:
        output.say(f"    {each['type']} {each['control_number']} is {each['verdict']}")
        for error in each["errors"][:_MOST_SHOWN]:
            output.say(f"      {error}")


def _render_statuses(control_number: str, told: dict[str, Any]) -> None:
    by = " and ".join(told["by"]) or "nobody named"
    counts = f"{told['accepted']:,} accepted, {told['refused']:,} refused"
    output.say(f"  277CA {control_number} by the {by}: {output.count(told['claim_count'], 'claim')}, {counts}")
    rows = [(each["claim"], each["by"], "; ".join(each["why"])) for each in told["refusals"]]
    if rows:
        output.table(("refused claim", "by", "status"), rows)
    if told["refused"] > len(rows):
        output.say(f"and {told['refused'] - len(rows):,} more refused")


def _what(entry: dict[str, Any]) -> str:
    """What a file holds, in a few words."""
    if entry["format"] == "fhir":
        return entry["resource_type"] or "FHIR"
    if entry["format"] == "hl7v2":
        return output.count(len(entry["messages"]), "HL7 message")
    kinds = [one["type"] for each in entry["interchanges"] for group in each["groups"] for one in group["transactions"]]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)) or "no transaction"


_SEVERITIES = {"block": "error", "warn": "warning"}
"""In one table with the check's findings the gate's have the check's words."""


def _finding_rows(part: dict[str, Any], where: str) -> Any:
    for each in part.get("findings", ()):
        yield _finding_row(each, where)
    for claim in part.get("gate", {}).get("claims", ()):
        for each in claim["findings"]:
            severity = _SEVERITIES.get(each["severity"], each["severity"])
            yield severity, "gate", f"claim {claim['place']}", each["path"], each["rule"], each["message"]
    for name, title in (("interchanges", "interchange"), ("groups", "group"), ("transactions", ""), ("messages", "")):
        for below in part.get(name, ()):
            inside = title or below["type"]
            number = below.get("control_number", below.get("index", ""))
            yield from _finding_rows(below, f"{inside} {number}".strip())


def _finding_row(finding: dict[str, Any], where: str) -> tuple[object, ...]:
    place = finding.get("element") or finding.get("position") or finding.get("segment")
    if "snip" in finding:
        parts = (finding["segment"], finding["position"], finding["loop"], finding["element"])
        place = " ".join(str(each) for each in parts if each is not None)
    kind = f"SNIP {finding['snip']}" if "snip" in finding else ""
    return finding["severity"], kind, where, place, finding["code"], finding["message"]


def read(
    files: _Files,
    prove: Annotated[bool, typer.Option("--write", help="Prove it: write each back, and compare the bytes.")] = False,
    as_json: AsJson = False,
) -> int:
    """Read X12 and HL7 files, as JSON, without loss. An 835 says if it balances, an acknowledgment what it refuses."""
    from gateway.wiring.files import expand, overview, stream_read

    paths = expand(files)
    outcomes = []
    with output.progress("reading", len(paths)) as advance:
        for path, write in output.json_list("files", paths) if as_json else ((path, None) for path in paths):
            if write is not None:
                outcomes.append(stream_read(path, write, prove=prove))
            else:
                entry = overview(path, prove=prove, most_claims=_MOST_SHOWN)
                _render_read(entry)
                outcomes.append((entry["readable"], entry.get("same_bytes", True)))
            advance(1)
    if not paths and not as_json:
        output.say("There is no file there.")
    if not all(readable for readable, _ in outcomes):
        return output.MISUSE
    return output.OK if all(same for _, same in outcomes) else output.FOUND


def _render_read(entry: dict[str, Any]) -> None:
    if not entry["readable"]:
        output.say(f"{entry['path']}: unreadable: {entry['error']}")
        return
    proof = {True: "; written back, the same bytes", False: "; WRITTEN BACK, OTHER BYTES", None: ""}
    output.say(f"{entry['path']}: {_what(entry)}{proof[entry.get('same_bytes')]}")
    for interchange in entry.get("interchanges", ()):
        for each in interchange["acknowledgments"]:
            why = f": {each['why']}" if each["why"] else ""
            output.say(f"  TA1: interchange {each['answers']} is {each['verdict']}{why}")
        for group in interchange["groups"]:
            for transaction in group["transactions"]:
                _render_transaction(transaction)


def _render_transaction(transaction: dict[str, Any]) -> None:
    if transaction["type"] == "999":
        _render_acknowledgment(transaction["told"])
    if transaction["type"] == "277CA":
        _render_statuses(transaction["control_number"], transaction["told"])
    if "claims" not in transaction:
        return
    if transaction["error"]:
        output.say(f"  835 {transaction['control_number']}: what it pays cannot be read: {transaction['error']}")
    else:
        balance = "balances" if transaction["balanced"] else "DOES NOT BALANCE"
        paid = output.dollars(transaction["payment_cents"])
        output.say(
            f"  835 {transaction['control_number']}: {transaction['trace']['number']} pays {paid}, and {balance}"
        )
    for off in transaction["out_of_balance"]:
        said = f"{output.dollars(off['expected_cents'])} expected, {output.dollars(off['found_cents'])} found"
        output.say(f"  out of balance at {off['where']}: {said}")
    money = ("charge", "paid", "patient")
    rows = [
        (each["claim_id"], each["status_code"], *(output.dollars(each[f"{name}_cents"]) for name in money))
        for each in transaction["claims"]
    ]
    if rows:
        output.table(("claim", "status", *money), rows, right=money)
    if transaction["claim_count"] > len(rows):
        output.say(f"and {transaction['claim_count'] - len(rows):,} more; --json lists all")
