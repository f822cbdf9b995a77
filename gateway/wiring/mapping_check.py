"""A site's mapping files read and checked, without its database: quick to open, for editors and CI."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from adapters.csv.view import CSV_NOTATION
from adapters.fhir.view import FHIR_NOTATION
from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.check import CheckedMappings, check_mappings
from adapters.mapping.clearinghouse_files import ConnectionFile
from adapters.mapping.mapping_files import content_hash, read_mapping_files
from adapters.mapping.remembered import Remembered
from adapters.mapping.yaml_reader import nearest
from clearinghouse.partner import PartnerProfile
from clearinghouse.profile_fields import ProfileError
from clearinghouse.profile_reading import blanks, read_profile
from gateway.config import Settings, read_settings
from gateway.errors import ConfigurationError
from gateway.rules.gate import RULES_BY_NAME
from gateway.wiring.mapping_schemas import FOLDER, outdated

NOTATIONS: Final = (FHIR_NOTATION, HL7_NOTATION, CSV_NOTATION)
_REMEMBERED: Final = "run/mapping-files.cache"
_PLACED = re.compile(r"(\S[^:\n]*:\d+(?::\d+)?): (.*)", re.DOTALL)


def site_files(overlay: Path) -> dict[str, bytes]:
    """Shipped mapping files with the site's own over them."""
    return read_mapping_files(shipped=True, overlay=overlay if overlay.is_dir() else None)


def remembered_files(settings: Settings) -> Remembered:
    """What reading this site's mapping files found before."""
    return Remembered(settings.folder / _REMEMBERED)


def read_connection(file: ConnectionFile) -> PartnerProfile:
    """The partner profile of a clearinghouse file. Raises ConfigurationError with file:line of every problem."""
    try:
        return read_profile(file.settings)
    except ProfileError as error:
        raise ConfigurationError(
            [f"{file.place(each.path)}: {each.path}: {each.message}" for each in error.found]
        ) from error


def check_files(settings: Settings, files: Mapping[str, bytes]) -> CheckedMappings:
    """Everything wrong or odd in the files, for this site: its connections and its feeds too."""
    checked = check_mappings(files, NOTATIONS, RULES_BY_NAME, remembered_files(settings))
    problems = list(checked.problems)
    routed = {route.connection for payer in checked.loaded.catalogue.payers.values() for route in payer.routes}
    for connection in checked.loaded.connections.values():
        if connection.id not in routed and blanks(connection.settings):
            continue  # a template that nobody sends by
        try:
            read_connection(connection)
        except ConfigurationError as error:
            problems += error.problems
    feeds = checked.loaded.sources
    for name in (each.name for each in settings.sources if f"sources/{each.name}.yaml" not in files):
        sentence = f"is not there, and site.yaml names the feed {name!r}{nearest(name, feeds)}"
        problems.append(f"sources/{name}.yaml:1:1: {sentence}")
    return CheckedMappings(tuple(problems), checked.remarks, checked.loaded)


def check_site_mappings(folder: Path) -> dict[str, Any]:
    """{"ok", "files", "own_files", "hash", "problems": [{"place", "message"}], "remarks": [...]}.

    Raises ConfigurationError only for site.yaml itself.
    """
    settings = read_settings(folder)
    files = site_files(settings.mappings)
    checked = check_files(settings, files)
    return {
        "ok": checked.ok,
        "files": len(files),
        "own_files": len(_own_files(settings)),
        "hash": content_hash(files),
        "problems": placed(checked.problems),
        "remarks": placed([*checked.remarks, *_remark_on_schemas(settings)]),
    }


def _remark_on_schemas(settings: Settings) -> list[str]:
    folder = settings.mappings / FOLDER
    old = outdated(folder) if folder.is_dir() else []
    return (
        [f"{FOLDER}/{old[0]}:1:1: is of another version; 'cleanclaim mappings schemas' writes it anew"] if old else []
    )


def _own_files(settings: Settings) -> Mapping[str, bytes]:
    if not settings.mappings.is_dir():
        return {}
    return read_mapping_files(shipped=False, overlay=settings.mappings)


def placed(problems: Sequence[str]) -> list[dict[str, str]]:
    """Each problem as {"place": "file:line:column", "message"}."""
    matches = [(problem, _PLACED.match(problem)) for problem in problems]
    return [{"place": at[1], "message": at[2]} if at else {"place": "", "message": each} for each, at in matches]
