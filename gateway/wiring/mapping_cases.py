"""Runs the cases beside mapping files: each tells an empty site its messages, as a preview would, and compares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from adapters.mapping.case_file import PARTS, Case, CaseMessage, Difference, accepted, differences, read_case
from adapters.mapping.mapping_files import CASES, TEMPLATES, read_mapping_files, read_templates
from adapters.mapping.yaml_writer import Tree
from gateway.claim.money import dollars
from gateway.config import Settings, read_settings
from gateway.errors import ConfigurationError, GatewayError, NotFound
from gateway.wiring.clock import StandingClock
from gateway.wiring.dry_run import dry_run, empty_site, what_comes_of
from gateway.wiring.files import shown
from gateway.wiring.mapping_check import site_files
from gateway.wiring.policy import load_policy
from gateway.wiring.site import Site

_SUFFIXES = (".yaml", ".yml")


def run_cases(
    folder: Path, paths: Sequence[Path] = (), *, shipped: bool = False, accept: bool = False
) -> dict[str, Any]:
    """{"ok", "cases": [{"case", "ok", "accepted", "differences": [{"place", "path", "expected", "found"}], "error"}]}.

    The site's own cases, or those of the paths, by the site's files as they are now; the shipped ones by the shipped
    files alone, those of templates with the templates over these. Raises ConfigurationError for settings or mapping
    files that do not hold, NotFound where no case is.
    """
    settings = read_settings(folder)
    if shipped:
        own = read_mapping_files(shipped=True, overlay=None)
        cases = _run_shipped(settings, own, CASES)
        cases += _run_shipped(settings, {**own, **read_templates()}, f"{TEMPLATES}/{CASES}")
    else:
        with empty_site(settings, load_policy(site_files(settings.mappings))) as site:
            cases = _run_all(site, _below(paths or [settings.mappings / CASES]), accept=accept)
    return {"ok": all(each["ok"] for each in cases), "cases": cases}


def _run_shipped(settings: Settings, mapping_files: Mapping[str, bytes], folder: str) -> list[dict[str, Any]]:
    policy = load_policy(mapping_files)
    tenant = next(each.tenant for each in policy.catalogue.organizations.values())
    with (
        as_file(files("mappings").joinpath(folder)) as root,
        empty_site(replace(settings, tenant=tenant), policy) as site,
    ):
        return _run_all(site, _below([root]), accept=False)


def _below(paths: Iterable[Path]) -> list[Path]:
    """The case files of these paths, folders opened."""
    found: list[Path] = []
    for path in paths:
        found += sorted(each for each in path.rglob("*") if each.suffix in _SUFFIXES) if path.is_dir() else [path]
    if not found:
        where = " or ".join(map(shown, paths))
        raise NotFound(f"there is no case in {where}; 'cleanclaim mappings test --help' says what a case is")
    return found


def _run_all(site: Site, paths: Sequence[Path], *, accept: bool) -> list[dict[str, Any]]:
    return [_run(site, path, accept=accept) for path in paths]


def _run(site: Site, path: Path, *, accept: bool) -> dict[str, Any]:
    """One case; what is wrong with it, or with its messages, is its error and stops no other."""
    error: str | None = None
    wrong, was_accepted = list[Difference](), False
    try:
        text = path.read_bytes()
        case = read_case(shown(path), text)
        found = _found(site, case, path.parent)
        wrong = differences(case, found)
        if wrong and accept:
            _accept(path, case, text.decode(), found)
            wrong, was_accepted = [], True
    except OSError as failure:
        error = f"{shown(path)}: cannot be read ({failure.strerror})"
    except ConfigurationError as failure:
        error = "\n".join(failure.problems)
    except GatewayError as failure:
        error = f"{shown(path)}: {failure}"
    return {
        "case": shown(path),
        "ok": not wrong and error is None,
        "accepted": was_accepted,
        "differences": [{**asdict(each), "place": str(each.place)} for each in wrong],
        "error": error,
    }


def _accept(path: Path, case: Case, text: str, found: Mapping[str, Tree]) -> None:
    if case.part and case.expect is not None:
        raise ConfigurationError([f"{case.place}: with 'match: part' what is expected is written by hand; edit it"])
    path.write_text(accepted(text, found))


def _found(site: Site, case: Case, folder: Path) -> dict[str, Tree]:
    """What comes of the case's messages. Raises ConfigurationError for a file that is not there."""
    contents = []
    for each in case.messages:
        try:
            contents.append((each.source or case.source, _beside(folder, each).read_bytes()))
        except OSError as failure:
            raise ConfigurationError([f"{each.place}: {each.file} cannot be read ({failure.strerror})"]) from failure
    with dry_run(replace(site, clock=StandingClock(case.now))) as trial:
        came = what_comes_of(trial, contents)
    zone = site.policy.mapping_set.source(contents[0][0]).time_zone
    views: Mapping[str, _View] = {
        "messages": _message,
        "encounters": partial(_encounter, zone),
        "days": _texts,
        "claims": _claim,
    }
    return {name: [views[name](each) for each in sorted(came[name], key=_ORDER[name])] for name in PARTS if came[name]}


def _beside(folder: Path, message: CaseMessage) -> Path:
    """A case comes with its messages, and may be a stranger's: it reads nothing else, and waits for no pipe."""
    try:
        path = (folder / message.file).resolve()
    except (ValueError, RuntimeError):  # a name with a NUL in it, a link that leads to itself
        path = folder.parent
    if not path.is_relative_to(folder.resolve()) or (path.exists() and not path.is_file()):
        raise ConfigurationError([f"{message.place}: the messages of a case are files in its folder; copy them there"])
    return path


# --- what comes of messages, as a reader of the case wants to see it -------------------------------------------------


def _message(message: Mapping[str, Any]) -> dict[str, Tree]:
    findings = [{"place": each["place"], "message": each["message"]} for each in message["findings"]]
    said = {"type": message["type"], "outcome": message["outcome"], "reason": message["reason"]}
    return _texts({**said, "findings": findings})


def _encounter(zone: ZoneInfo, encounter: Mapping[str, Any]) -> dict[str, Tree]:
    record = dict(encounter["record"])
    times = {name: _local(record.pop(f"{name}_at"), zone) for name in ("start", "end")}
    bill = {"bill": encounter["place"], "because": encounter["reason"], "payer": encounter["payer"]}
    return _texts({**times, **record, **bill, "findings": _findings(encounter)})


def _local(moment: str | None, zone: ZoneInfo) -> str | None:
    return datetime.fromisoformat(moment).astimezone(zone).isoformat() if moment else None


def _claim(claim: Mapping[str, Any]) -> dict[str, Tree]:
    names = ("payer", "form", "level_of_care", "from", "through", "state", "charge_cents")
    lines = [
        {
            "on": each["service_on"],
            **{name: each[name] for name in ("revenue_code", "hcpcs", "modifiers", "units", "charge_cents")},
            "place_of_service": each["place_of_service"],
            "minutes": each["minutes"],
            "services": each["services"],
        }
        for each in claim["lines"]
    ]
    return _texts({**{name: claim[name] for name in names}, "lines": lines, "findings": _findings(claim)})


def _findings(subject: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{name: each[name] for name in ("rule", "severity", "message")} for each in subject["findings"]]


_View = Callable[[Mapping[str, Any]], Any]
_ORDER: Mapping[str, _View] = {
    "messages": lambda _: "",  # as they were told
    "encounters": lambda each: (str(each["record"]["start_at"]), each["record"]["session"], each["encounter_id"]),
    "days": lambda each: (each["on"], each["facility"], each["program"]),
    "claims": lambda each: (each["from"], each["payer"], each["level_of_care"], each["id"]),
}


def _texts(value: Mapping[str, Any]) -> dict[str, Tree]:
    """A view as texts: what is empty is left out, amounts are dollars."""
    return dict(_entries(value))


def _entries(value: Mapping[str, Any]) -> Iterator[tuple[str, Tree]]:
    for name, below in value.items():
        if below in (None, "", [], ()):
            continue
        if name.endswith("cents"):
            yield name.removesuffix("_cents").replace("cents", "charge"), _amount(below)
        elif isinstance(below, list | tuple):
            yield name, [_texts(each) if isinstance(each, Mapping) else _text(each) for each in below]
        else:
            yield name, _text(below)


def _text(value: object) -> str:
    """As a file can hold it: what a sender put into a word may be anything."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "".join(each if each.isprintable() else "\ufffd" for each in text).strip()


def _amount(cents: int) -> str:
    return dollars(cents).replace("$", "").replace(",", "")
