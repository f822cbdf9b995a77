"""Makes a source's mapping file: drafted from sample messages, or copied from the template of an EHR."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from adapters.csv.table import CsvRow, open_table
from adapters.csv.unknown_sheet import COLUMNS, columns_missing, columns_taken, is_heading, with_columns
from adapters.csv.view import RowView, column_of, folded
from adapters.hl7.view import MessageView
from adapters.mapping.draft import Drafting, Told
from adapters.mapping.engine import SourceInterpreter
from adapters.mapping.mapping_files import read_templates
from adapters.mapping.yaml_reader import nearest
from adapters.mapping.yaml_writer import written
from gateway.config import Settings, read_settings
from gateway.errors import ConfigurationError, Conflict, FormatError, NotFound
from gateway.ports.storage import Transaction
from gateway.wiring.dry_run import dry_run, empty_site, what_comes_of
from gateway.wiring.files import CSV, FHIR, HL7, expand, find_format, shown
from gateway.wiring.ingest import Taking
from gateway.wiring.mapping_check import check_files, site_files
from gateway.wiring.policy import LoadedPolicy, load_policy
from gateway.wiring.site import Site

_GENERIC = {HL7: "generic-hl7", FHIR: "generic-fhir", CSV: "generic-csv"}
_USUAL_NUMBERS = b'"PID-3[5=MR].1", "PID-3[5=PI].1", "PID-3[1].1"'
_OTHER_NUMBERS = {
    "PID-2[1].1": "PID-3 has no number of the patient's, and this may be it",
    "PID-4[1].1": "PID-3 has no number of the patient's, and this may be it",
    "PID-18[1].1": "PID-3 has no number of the patient's; an account's may change with each stay",
}
"""Where HL7 senders put the patient's number instead, with why it is a guess."""
_SHIPPED_CLINIC = "riverbend"
_SYSTEM_WORDS = {"Patient": "mrn", "Encounter": "visit", "EpisodeOfCare": "stay", "Coverage": "policy"}
_NAMESPACES = re.compile(rb"^namespaces:\n(?:[ #].*\n)+", re.MULTILINE)


def draft_source(folder: Path, name: str, samples: Sequence[Path]) -> dict[str, Any]:
    """Write mappings/sources/NAME.yaml: {"path", "records", "left_out", "unread", "guesses", "problems",
    "messages", "encounters", "findings"}; the last three are what the draft makes of the samples.

    Raises Conflict for a file that is there, FormatError for samples of no format or of several.
    """
    settings, path = _free_place(folder, name)
    contents = _read_samples(samples)
    formats = {find_format(each) for each in contents}
    if len(formats) != 1 or not formats <= set(_GENERIC):
        raise FormatError("the samples are all HL7 v2, all FHIR JSON, or all CSV with the headings in the first line")
    look = _look_at_rows if formats == {CSV} else _look
    drafting, told, unread = look(settings, name, _template(_GENERIC[formats.pop()], name), contents)
    if not drafting.kept:
        raise FormatError(
            f"nothing in the samples makes a record, so no file was written; they have {', '.join(unread)}"
        )
    return {
        **_write(settings, path, drafting.text(told, unread), contents),
        "records": [each.entry.name for each in drafting.kept],
        "left_out": [each.entry.name for each in drafting.left_out],
        "unread": unread,
    }


def copy_template(folder: Path, name: str, template: str, samples: Sequence[Path] = ()) -> dict[str, Any]:
    """Write mappings/sources/NAME.yaml after an EHR's template, with the site's organization; answers as draft_source.

    Raises NotFound for a template that is not shipped, Conflict for a file that is there, FormatError for samples of
    another format than the template's.
    """
    settings, path = _free_place(folder, name)
    text = _own_copy(template, name, _told(load_policy(site_files(settings.mappings)), {}))
    contents = _read_samples(samples)
    wanted = next(each for each in _GENERIC if _GENERIC[each].endswith(template.rpartition("-")[2]))
    if not {find_format(each) for each in contents} <= {wanted}:
        raise FormatError(f"the template {template} is for samples of {wanted}")
    written_in_it = re.findall(r"^  - name: (\S+)", text, re.MULTILINE)
    return {**_write(settings, path, text, contents), "records": written_in_it, "left_out": [], "unread": []}


def _own_copy(template: str, name: str, told: Told) -> str:
    """The template as the site's source: under its name, of its organization, without what it says of being one."""
    shipped = read_templates()
    names = [Path(each).stem for each in shipped if each.startswith("sources/")]
    if template not in names:
        raise NotFound(f"no template {template!r} among {', '.join(names)}{nearest(template, names)}")
    text = shipped[f"sources/{template}.yaml"].decode().replace("../../schema/", "../schema/")
    text = re.sub(r"^# A template: .*\n", "", text, flags=re.MULTILINE)
    for key, guess, whose in (
        ("organization", told.organization, "the site's first"),
        ("time_zone", told.time_zone, "of its first facility"),
    ):
        text = re.sub(rf"^{key}: \S+", f"{key}: {guess}  # guess: {whose}", text, count=1, flags=re.MULTILINE)
    return re.sub(rf"\b{template}\b", name, text)


def _free_place(folder: Path, name: str) -> tuple[Settings, Path]:
    settings = read_settings(folder)
    path = settings.mappings / "sources" / f"{name}.yaml"
    if path.exists():
        raise Conflict(f"{shown(path)} is there already; nothing was changed. Take another name, or move it away")
    return settings, path


def _write(settings: Settings, path: Path, text: str, contents: Mapping[Path, bytes]) -> dict[str, Any]:
    """Write the file, and say what is wrong with it and what it makes of the samples."""
    mapping_path = f"sources/{path.name}"
    edited = {**site_files(settings.mappings), mapping_path: text.encode()}
    checked = check_files(settings, edited)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return {
        "path": shown(path),
        "guesses": sum("# guess" in line for line in text.splitlines()),
        "problems": [each for each in checked.problems if mapping_path in each],
        **(_made_of(settings, path.stem, load_policy(edited), contents) if checked.ok else _NOTHING),
    }


_NOTHING: Mapping[str, Any] = {"messages": 0, "encounters": 0, "findings": []}


def _read_samples(samples: Sequence[Path]) -> dict[Path, bytes]:
    return {each: each.read_bytes() for each in expand(samples)}


def _template(shipped: str, name: str) -> bytes:
    """The standard's source file under the new name, its made-up identifier systems taken out."""
    content = files("mappings").joinpath(f"sources/{shipped}.yaml").read_bytes()
    return _NAMESPACES.sub(b"", content).replace(shipped.encode(), name.encode())


def _look(
    settings: Settings, name: str, template: bytes, contents: Mapping[Path, bytes]
) -> tuple[Drafting, Told, list[str]]:
    """The samples seen through the template, in an empty site, where references among them lead somewhere."""
    policy = load_policy({**site_files(settings.mappings), f"sources/{name}.yaml": template})
    interpreter = policy.interpreter(name)
    assert isinstance(interpreter, SourceInterpreter), "mapping files are interpreted by the mapping engine"
    with empty_site(_of_its_tenant(settings, policy, name), policy) as site, dry_run(site) as trial:
        told_by = _take(trial, name, contents)
        with trial.store.read() as tx:
            bodies = [each.body for each in _resources(tx, name, told_by)]
            systems = _namespaces(name, bodies)
            adapted = _with_numbers(template, _views(tx, interpreter, told_by)) + _written_namespaces(systems)
            if adapted != template:
                interpreter = _interpreter_of(settings, name, adapted)
            drafting = Drafting(interpreter, lambda path: _OTHER_NUMBERS.get(path, ""))
            unread = [*_look_at_all(tx, name, interpreter, drafting, told_by), *_extensions(bodies)]
    return drafting, _told(policy, systems), unread


def _look_at_rows(
    settings: Settings, name: str, template: bytes, contents: Mapping[Path, bytes]
) -> tuple[Drafting, Told, list[str]]:
    """The sheets seen through the template, its columns called as theirs. Raises FormatError."""
    tables = [open_table(each) for each in contents.values()]
    header = tables[0].header
    if any(each.header != header for each in tables):
        raise FormatError("the sheets have different headings; draft a source from those of one kind")
    taken = columns_taken(header)
    if missing := columns_missing(taken):
        raise FormatError(
            f"no heading of the first line sounds like {' or '.join(map(repr, missing))}, which a sheet of sessions "
            f"has; the shipped one has {', '.join(COLUMNS)}"
        )
    policy = load_policy({**site_files(settings.mappings), f"sources/{name}.yaml": template})
    interpreter = policy.with_source(with_columns(policy.mapping_set.source(name), taken)).interpreter(name)
    assert isinstance(interpreter, SourceInterpreter), "mapping files are interpreted by the mapping engine"
    by_sound = {heading for column, heading in taken.items() if folded(heading) != folded(column)}
    drafting = Drafting(interpreter, lambda path: "by its heading" if column_of(path)[0] in by_sound else "")
    filled: set[int] = set()
    for row in (each for table in tables for each in table.rows() if isinstance(each, CsvRow)):
        view = RowView(header, row.cells)
        drafting.look(interpreter.entries, view, interpreter.event_names(view))
        filled.update(place for place, cell in enumerate(row.cells) if cell)
    return drafting, _told(policy, {}), list(_unread_columns(header, taken, filled))


def _unread_columns(header: Sequence[str], taken: Mapping[str, str], filled: Collection[int]) -> Iterator[str]:
    by_heading = {heading: column for column, heading in taken.items()}
    for place, heading in enumerate(header):
        if heading in by_heading and place not in filled:
            yield f"column {heading}: empty; it may be what the shipped sheet calls {by_heading[heading]!r}"
        elif heading not in by_heading and is_heading(heading):
            yield f"column {heading}"


def _of_its_tenant(settings: Settings, policy: LoadedPolicy, name: str) -> Settings:
    """The settings of a site in which the draft may speak; the template's organization is not ours yet."""
    organization = policy.mapping_set.source(name).organization
    return replace(settings, tenant=policy.catalogue.organizations[organization].tenant)


def _interpreter_of(settings: Settings, name: str, template: bytes) -> SourceInterpreter:
    interpreter = load_policy({**site_files(settings.mappings), f"sources/{name}.yaml": template}).interpreter(name)
    assert isinstance(interpreter, SourceInterpreter), "mapping files are interpreted by the mapping engine"
    return interpreter


def _written_namespaces(systems: Mapping[str, str]) -> bytes:
    known = "".join(f"  {written(system)}: {namespace}\n" for system, namespace in systems.items())
    return f"namespaces:\n{known}".encode() if known else b""


def _with_numbers(template: bytes, views: Iterable[MessageView]) -> bytes:
    """The template with the fields at which these messages have the patient's number, where PID-3 has none."""
    reads = {path: MessageView.compile(path) for path in ("PID-3[1].1", *_OTHER_NUMBERS)}
    first = {next((path for path, read in reads.items() if read(view)), "") for view in views}
    others = ", ".join(f'"{path}"' for path in _OTHER_NUMBERS if path in first).encode()
    usual = _USUAL_NUMBERS if "PID-3[1].1" in first or not others else b""
    return template.replace(_USUAL_NUMBERS, b", ".join(filter(None, (usual, others))))


def _take(site: Site, name: str, contents: Mapping[Path, bytes]) -> list[str]:
    taking = Taking(site, name)
    for path in contents:
        taking.take_file(path)
    if not taking.told_by:
        refused = [each["reason"] for each in taking.finish()["messages"] if each["reason"]]
        raise FormatError("; ".join(dict.fromkeys(refused)) or "the samples hold no message")
    return taking.told_by


def _resources(tx: Transaction, name: str, told_by: Iterable[str]) -> list[Any]:
    found = (tx.resources.current(name, each) for each in told_by if "/" in each)
    return [each for each in found if each is not None]


def _look_at_all(
    tx: Transaction, name: str, interpreter: SourceInterpreter, drafting: Drafting, told_by: Sequence[str]
) -> list[str]:
    """Look at every message and resource; what of them no entry is for, or no path reads."""
    unread: Counter[str] = Counter()
    for resource in _resources(tx, name, told_by):
        entries = interpreter.entries_for_type(resource.type)
        drafting.look(entries, interpreter.open_resource(resource, lambda one: tx.resources.current(name, one)), {})
    views = _views(tx, interpreter, told_by)
    for view in views:
        names = interpreter.event_names(view)
        entries = interpreter.entries_for_event(names)
        if not entries:
            unread[f"messages {names['event']}: no entry is for them"] += 1
        drafting.look(entries, view, names)
    unread.update(_segments(views, drafting))
    return [f"{what} ({times} times)" if times > 1 else what for what, times in sorted(unread.items())]


def _views(tx: Transaction, interpreter: SourceInterpreter, told_by: Sequence[str]) -> list[MessageView]:
    return [
        view
        for each in tx.inbox.some([each for each in told_by if "/" not in each])
        if isinstance(view := interpreter.open_message(tx.inbox.content(each.sha256)), MessageView)
    ]


def _segments(views: Iterable[MessageView], drafting: Drafting) -> Iterator[str]:
    """Segments that no kept entry reads: of the site's own (Z) each field that has something, of others the name."""
    text = drafting.text(Told(organization="", time_zone="", namespaces={}, sessions=()), ())
    read = set(re.findall(r"\b([A-Z][A-Z0-9]{2})(?=-\d|\[)", text)) | {"MSH", "EVN"}
    for view in views:
        for segment in view.message.segments:
            if segment.name in read:
                continue
            if segment.name.startswith("Z"):
                yield from (
                    f"{segment.name}-{number}" for number, value in enumerate(segment.fields) if number and value
                )
            else:
                yield segment.name


def _extensions(bodies: Iterable[Mapping[str, Any]]) -> list[str]:
    found = Counter(
        f"{body['resourceType']}.extension.where(url='{url}').{kind}"
        for body in bodies
        for url, kind in _extensions_in(body)
    )
    return [f"{what} ({times} times)" if times > 1 else what for what, times in sorted(found.items())]


def _extensions_in(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for each in node.get("extension", ()):
            if isinstance(each, Mapping):
                yield str(each.get("url", "")), next((key for key in each if key.startswith("value")), "extension")
        for below in node.values():
            yield from _extensions_in(below)
    elif isinstance(node, list | tuple):
        for below in node:
            yield from _extensions_in(below)


def _namespaces(name: str, bodies: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """A namespace for each identifier system of the samples, by what it is an identifier of."""
    found: dict[str, str] = {}
    for body in bodies:
        for each in body.get("identifier", ()) if isinstance(body.get("identifier"), list | tuple) else ():
            system = each.get("system")
            if isinstance(system, str) and system and "us-npi" not in system and "us-ssn" not in system:
                word = _SYSTEM_WORDS.get(body["resourceType"], body["resourceType"].lower())
                found.setdefault(system, _free(f"{name}-{word}", found.values()))
    return found


def _free(wanted: str, taken: Iterable[str]) -> str:
    names, number = set(taken), 2
    while wanted in names:
        wanted, number = f"{wanted.rstrip('0123456789-')}-{number}", number + 1
    return wanted


def _told(policy: LoadedPolicy, namespaces: Mapping[str, str]) -> Told:
    catalogue = policy.catalogue
    own = [each for each in catalogue.organizations if each != _SHIPPED_CLINIC] or list(catalogue.organizations)
    if not own:
        raise ConfigurationError(["no organization is in any facilities file; write that first"])
    zones = [each.time_zone for each in catalogue.facilities.values() if each.organization == own[0]]
    return Told(
        organization=own[0],
        time_zone=zones[0] if zones else "America/New_York",
        namespaces=namespaces,
        sessions=tuple(catalogue.sessions),
    )


def _made_of(settings: Settings, name: str, policy: LoadedPolicy, contents: Mapping[Path, bytes]) -> dict[str, Any]:
    """What the draft makes of the samples."""
    with empty_site(_of_its_tenant(settings, policy, name), policy) as site, dry_run(site) as trial:
        came = what_comes_of(trial, [(name, each) for each in contents.values()])
    said = Counter(one["message"] for each in came["messages"] for one in each["findings"])
    return {
        "messages": len(came["messages"]),
        "encounters": len(came["encounters"]),
        "findings": [{"message": message, "times": times} for message, times in said.most_common()],
    }
