"""Writes the reference pages of what the code itself knows: `python -m gateway.cli.reference FOLDER`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from gateway.bench.defects.page import defects_page
from gateway.cli.app import app
from gateway.cli.key_tables import key_tables
from gateway.cli.shapes import SHAPES
from gateway.rules.gate import RULES, rule_pages
from gateway.wiring.ehr_templates import ehr_templates
from gateway.wiring.files import x12_finding_codes
from gateway.wiring.hl7_events import event_rows, generic_source

_CLI_HEAD = """\
# Command line

Written from the code by `python -m gateway.cli.reference docs/reference`; a test keeps it current.

Every command takes `--json` and then writes one JSON document on standard output, and nothing else there; its keys are
stable: new ones may come, none goes or changes its meaning. Amounts are integer cents, times ISO 8601 with offset.
Without `--json`, people get tables on a terminal and plain columns in a pipe. Progress and complaints go to standard
error.

| exit code | means |
|---|---|
| 0 | well |
| 1 | something was found (findings, refusals, a claim that may not be released), or something failed |
| 2 | unreadable input, or misuse |
| 130 | stopped by Ctrl-C; running the same command again goes on safely |

What fails is said in one plain sentence with the next step; with `--json` also as
`{"error": {"kind", "message"}}` on standard output. `CLEANCLAIM_SITE` names the site folder where `--site` does not.
Commands that act as a person take `--as NAME`, a user of site.yaml; without it the only user of the role that may.
"""
_API_HEAD = """\
# HTTP API

Written from the code by `python -m gateway.cli.reference docs/reference`; a test keeps it current. The contract itself
is `/openapi.json` of a running server.

"""


_RULES_HEAD = """\
Written from `gateway/rules/` by `python -m gateway.cli.reference docs/reference`; a test keeps it current.

A claim with a *block* does not leave. A *warn* is shown and lets it pass, a *note* is for the reader. Where a rule says
that nothing overrides it, not even a supervisor's `cleanclaim claims override` does. A payer's file may turn a rule
off, change its severity or set its limits, from and until a date of service, under `rules:`; a payer's own conditions
come under `own_rules:` ([mapping files](mapping-files.md)). Each rule's cases are in `tests/rules/`.
"""


_HL7_HEAD = """\
# HL7 v2

Written from the shipped source `generic-hl7` by `python -m gateway.cli.reference docs/reference`; a test sends each
event. A site's own source file may read any event and any segment, Z-segments too ([mapping files](mapping-files.md)).

| a message | is |
|---|---|
| with a readable MSH, a control id and an event | stored, then answered AA, or CA where MSH-15 or MSH-16 is filled |
| not in the character set it declares | kept and answered AE: the sender may mend it and send again |
| without MSH-9 or MSH-10, not version 2, or with a damaged segment name | kept and answered AR, with the place |
| stored before with the same bytes | answered as it was then, and not worked on again |
| with a control id used before for other bytes | a new message |
| one of a batch (FHS, BHS) | stored and judged by itself; the answers come as one batch that names it (BHS-12) |
| a batch whose BTS-1 or FTS-1 is not what was found, or that nothing ends | taken; told in BTS-2 of the answer |
| of an event no record is made of | kept, with a finding; once it is mapped, `cleanclaim messages again --failed` |

Segments that the shipped source reads: PID, MRG, PV1, DG1, IN1, IN2, IN3, AUT, FT1, PR1, ROL, SCH, AIS, AIL, AIP.
IN1-14 is an authorization where IN3 names none. GT1 is kept and read by nothing: a guarantor stands on no 837.

An event said later wins by EVN-2, else MSH-7, whatever order messages come in.

A move (A43, A44, A45) takes along what was told before it of the patient in MRG-1, however late that is heard, and
nothing of anybody else; what is told after it names its patient itself. Policies and authorizations are the person's
and stay: send those of the right patient. Numbers that were merged or changed mean the same from then on. A claim that
has left is work then, with the difference ([corrections](../how-to/corrections.md)). A move that does not say what
moved from where is a finding, and moves nothing.

"""


_FINDINGS_HEAD = """\
# Findings of the X12 check

Written from the code by `python -m gateway.cli.reference docs/reference`; a test keeps it current.

What `cleanclaim check` can say of an X12 file, by SNIP type: 1 syntax, 2 guide, 3 balance, 4 situation, 5 codes. A
transaction set with an *error* is not accepted; a *warning* is for a person, a *note* for the reader. The last column
is what an acknowledgment of the file would carry: IK304 and IK403 in a 999 (or, from type 3 on, a status in a 277CA),
IK502 for a transaction set, AK905 for a group, TA105 for an interchange. One mistake is told once; only a segment whose
loop never began is told together with that loop when the loop is required.

"""


_TEMPLATES_HEAD = """\
# Templates of EHRs

Written from the shipped templates by `python -m gateway.cli.reference docs/reference`; tests run their cases.

A template is a source file that stands on a generic one and says what an EHR family does differently, as far as public
pages tell. Every entry names its page; what no page says is marked as a guess, the words of a site's own lists above
all. Nobody has tried one against a live feed: all say `verified: false`. None is in force anywhere; how to
[start from one](../how-to/start-from-a-template.md). A family of which nothing public was found has no template.

"""


def write_pages(folder: Path) -> None:
    """Write every page that comes from the code into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cli.md").write_text(cli_page())
    (folder / "defects.md").write_text(defects_page())
    (folder / "api.md").write_text(api_page(_contract()))
    (folder / "rules.md").write_text(rules_page())
    (folder / "x12-findings.md").write_text(findings_page())
    (folder / "hl7.md").write_text(hl7_page())
    (folder / "mapping-keys.md").write_text(key_tables())
    (folder / "ehr-templates.md").write_text(templates_page())


def cli_page() -> str:
    """Every command: what it does, its arguments and options, its JSON."""
    sections = [_CLI_HEAD]
    for path, command in walk(typer.main.get_command(app)):
        sections.append(_command_section(path, command))
    return "\n".join(sections)


def rules_page() -> str:
    """Every rule of the gate as its own file describes it, with a list of them first."""
    head, _, pages = rule_pages().partition("\n")
    rows = [
        f"| [{each.name}](#{each.name}) | {each.code} | {each.group} | {each.severity} | {each.owner} |"
        for each in RULES
    ]
    table = ["| rule | code | about | severity | who can free it |", "|---|---|---|---|---|", *rows]
    return "\n".join([head, "", _RULES_HEAD, *table, pages])


def findings_page() -> str:
    """Every finding of the X12 check, by SNIP type and name."""
    rows = ["| code | SNIP | severity | means | what to do | answered with |", "|---|---|---|---|---|---|"]
    for each in sorted(x12_finding_codes(), key=lambda each: (each.snip, each.code)):
        snip, severity = (", ".join(map(str, values)) for values in (each.snip, each.severity))
        answers = ", ".join(each.answered)
        rows.append(f"| `{each.code}` | {snip} | {severity} | {each.means} | {each.remedy} | {answers} |")
    return _FINDINGS_HEAD + "\n".join(rows) + "\n"


def hl7_page() -> str:
    """What becomes of HL7 messages, with every event the shipped source makes records of."""
    source = generic_source()
    rows = [f"| `{row.event}` | {row.does} | {', '.join(row.records)} |" for row in event_rows(source)]
    passed = ", ".join(f"`{event}`" for event in source.passed_over)
    table = ["| event | what it does | records |", "|---|---|---|", *rows]
    return "\n".join(
        [_HL7_HEAD, *table, "", "Passed over, because nothing of them has to be known: " + passed + ".", ""]
    )


def templates_page() -> str:
    """The templates of EHRs: a list of them, then what each entry says of its EHR, with its public page."""
    templates = ehr_templates()
    rows = [
        f"| [{each.name}](#{each.name}) | {each.ehr} | {each.base} | {len(each.entries)} | {each.guesses} |"
        for each in templates
    ]
    lines = ["| template | EHR | stands on | entries of its own | guesses |", "|---|---|---|---|---|", *rows, ""]
    for template in templates:
        told = [f"| `{each.name}` | {each.note} | {each.source} |" for each in template.entries]
        lines += [
            f"## {template.name}",
            "",
            f"{template.ehr}.",
            "",
            "| entry | what is different | public page |",
            "|---|---|---|",
        ]
        lines += [*told, ""]
    return _TEMPLATES_HEAD + "\n".join(lines)


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(path, command) of everything that can be run, in the order of the help."""
    below: Mapping[str, Any] = getattr(command, "commands", {})
    if path and (not below or getattr(command, "invoke_without_command", False)):
        yield path, command
    for name, each in below.items():
        yield from walk(each, (*path, name))


def _command_section(path: tuple[str, ...], command: Any) -> str:
    name = " ".join(path)
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and each.name != "help"]
    usage = " ".join(["cleanclaim", name, *(_metavar(each) for each in arguments), "[OPTIONS]"])
    lines = [f"## {name}", "", command.help or "", "", f"    {usage}", ""]
    rows = [(_metavar(each), each.help or "") for each in arguments]
    rows += [(", ".join(f"`{one}`" for one in each.opts), _option_text(each)) for each in options]
    lines += ["| | |", "|---|---|", *(f"| {left} | {right} |" for left, right in rows), ""]
    return "\n".join([*lines, "JSON:", "", "```", SHAPES[name].strip(), "```", ""])


def _metavar(argument: Any) -> str:
    name = argument.name.upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _option_text(option: Any) -> str:
    default = option.default
    if default in (None, "", False) or isinstance(default, Path):
        return option.help or ""
    return f"{option.help} Default: {default}."


def api_page(contract: Mapping[str, Any]) -> str:
    """Every address by tag, with what it takes."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            tag = operation.get("tags", ["other"])[0]
            by_tag.setdefault(tag, []).append(_operation_row(method, path, operation))
    parts = [_API_HEAD, contract["info"]["description"], ""]
    for tag, rows in by_tag.items():
        parts += [f"## {tag}", "", "| | | takes |", "|---|---|---|", *rows, ""]
    return "\n".join(parts)


def _operation_row(method: str, path: str, operation: Mapping[str, Any]) -> str:
    query = [f"`{each['name']}`" for each in operation.get("parameters", ()) if each["in"] == "query"]
    body = operation.get("requestBody", {}).get("content", {})
    kinds = [_body_text(kind, each["schema"]) for kind, each in body.items()]
    takes = "; ".join(filter(None, [", ".join(query), ", ".join(kinds)]))
    return f"| `{method.upper()} {path}` | {operation.get('summary', '')} | {takes} |"


def _body_text(kind: str, schema: Mapping[str, Any]) -> str:
    reference = str(schema.get("$ref", "")).rpartition("/")[2]
    return f"{kind}: {reference}" if reference else kind


def _contract() -> dict[str, Any]:
    """The OpenAPI document of a site that is made for this and thrown away."""
    from gateway.api.app import create_app
    from gateway.wiring.new_site import make_site
    from gateway.wiring.site import open_site

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "site"
        make_site(place, demo=True, database="sqlite:///reference.sqlite", samples={})
        site = open_site(place)
        try:
            return create_app(site, site.settle).openapi()
        finally:
            site.close()


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
