"""Files as people have them: told apart by their content, then checked or read by whoever knows the format."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.errors import FormatError

if TYPE_CHECKING:
    from gateway.rules.context import CodeSets
    from gateway.wiring.gate_files import FileGate

X12, HL7, FHIR, CSV = "x12", "hl7v2", "fhir", "csv"
_BLANK = b" \t\r\n\x0b\x0c\x1c\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_HL7_BEGINNINGS = (b"MSH", b"FHS", b"BHS")
_SUFFIXES = {".hl7": HL7, ".er7": HL7, ".json": FHIR, ".ndjson": FHIR, ".jsonl": FHIR, ".csv": CSV}
_LOOKED_AT_BYTES = 4096


def shown(path: Path) -> str:
    """The path as text that can be written anywhere; bytes of a name that are no UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def find_format(path: Path) -> str:
    """``x12``, ``hl7v2``, ``fhir`` or ``csv``, by the first bytes, else by the name. Raises OSError."""
    with path.open("rb") as stream:
        beginning = stream.read(_LOOKED_AT_BYTES)
    text = beginning.lstrip(_BLANK)
    if text.startswith(_HL7_BEGINNINGS) or (beginning.startswith(_WIDE_MARKS) and path.suffix.lower() != ".csv"):
        return HL7
    if text.startswith((b"{", b"[")):
        return FHIR
    return X12 if text.startswith(b"ISA") else _SUFFIXES.get(path.suffix.lower(), X12)


def expand(paths: Sequence[Path]) -> list[Path]:
    """The files of these paths, folders opened, in order of name.

    Raises FormatError for a path that is not there, and for a pipe or device, which would be waited for without end.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(each for each in path.rglob("*") if each.is_file() and not _is_hidden(each, path))
        elif path.is_file():
            found.append(path)
        elif path.exists():
            raise FormatError(
                "this is no regular file: a pipe or a device cannot be read twice; save it first", str(path)
            )
        else:
            raise FormatError("there is no such file or folder", str(path))
    return found


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def check_files(paths: Sequence[Path], gate: FileGate | None = None) -> Iterator[dict[str, Any]]:
    """One entry of ``files`` in ``check --json`` for each file; never raises for what a file holds.

    With a gate, ``gate`` says what it finds in the claims of each 837.
    """
    for path in paths:
        entry = _guarded(path, _CHECKS)
        if gate is not None and entry["readable"] and _holds_claims(entry):
            entry["gate"] = gate.judge(path)
            _leave_to_the_gate(entry)
        yield entry


def _leave_to_the_gate(entry: Mapping[str, Any]) -> None:
    """The gate, which knows more releases, says what diagnoses were not judged; the check need not say it too."""
    from clearinghouse.x12.codes_837 import RELEASE_MISSING

    if entry["gate"]["claims"]:
        for each in entry["interchanges"]:
            for transaction in (one for group in each["groups"] for one in group["transactions"]):
                kept = [found for found in transaction["findings"] if found["code"] != RELEASE_MISSING]
                transaction["findings"] = kept


def _holds_claims(entry: Mapping[str, Any]) -> bool:
    return any(
        one["type"].startswith("837")
        for each in entry.get("interchanges", ())
        for group in each["groups"]
        for one in group["transactions"]
    )


def stream_read(path: Path, write: Callable[[str], object], *, prove: bool = False) -> tuple[bool, bool]:
    """Write one entry of ``files`` in ``read --json`` as it is read; whether it is readable, and came out the same.

    With ``prove`` the entry says ``same_bytes``. An X12 file may be of any size. Raises OSError when reading fails
    after the file was opened.
    """
    if _kind_of(path) != X12:
        entry = overview(path, prove=prove)
        write(json.dumps(entry, ensure_ascii=False))
        return entry["readable"], entry.get("same_bytes", True)
    from clearinghouse.x12.read_json import rewrites_same, stream_json

    write(f'{{"format": "{X12}",\n')
    readable, same = stream_json(path, shown(path), write), True
    if prove and readable:
        same = rewrites_same(path)
        write(f',\n"same_bytes": {json.dumps(same)}')
    write("}")
    return readable, same


def overview(path: Path, *, prove: bool = False, most_claims: int = 0) -> dict[str, Any]:
    """What ``stream_read`` writes, as people want it: of an X12 file no segments, and at most so many claims a set."""
    entry = _guarded(path, {**_READERS, X12: partial(_read_x12, most_claims=most_claims)})
    if prove and entry["readable"]:
        entry["same_bytes"] = _PROOFS[entry["format"]](entry, path)
    return entry


def _kind_of(path: Path) -> str | None:
    try:
        return find_format(path)
    except OSError:
        return None


def is_clean(entry: Mapping[str, Any]) -> bool:
    """True when a checked file is readable and nothing in it is an error or a warning."""
    return bool(entry["readable"]) and all(each["severity"] in _HARMLESS for each in findings_of(entry))


_HARMLESS = frozenset({"note", "information"})


def findings_of(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every finding of one checked file, whichever part of it has it."""
    yield from entry.get("findings", ())
    for claim in entry.get("gate", {}).get("claims", ()):
        yield from claim["findings"]
    for part in ("interchanges", "groups", "transactions", "messages"):
        for below in entry.get(part, ()):
            yield from findings_of(below)


_Handler = Callable[[Path], dict[str, Any]]


def _guarded(path: Path, handlers: Mapping[str, _Handler]) -> dict[str, Any]:
    try:
        kind = find_format(path)
        return {"format": kind, **handlers[kind](path), "path": shown(path)}
    except OSError as error:
        return {"format": None, "path": shown(path), "readable": False, "error": _cannot(error)}


def _cannot(error: OSError) -> str:
    return f"The file cannot be opened: {error.strerror}."


def x12_finding_codes() -> list[Any]:
    """Every code the check of an X12 file can tell: code, snip, severity, means, remedy, answered."""
    from clearinghouse.x12.finding_codes import finding_codes

    return [*finding_codes().values()]


def _check_x12(path: Path) -> dict[str, Any]:
    from clearinghouse.x12.check import check_file

    return check_file(path, DiagnosisCodes(_releases)).as_json()


class DiagnosisCodes:
    """Code sets for the check of any file: ICD-10-CM by day. Of procedures and revenue codes only shapes are judged.

    The list of HCPCS codes that ships is one for behavioral health, and a stranger's file may bill anything.
    ``releases`` is called when the first diagnosis comes: reading them takes a second.
    """

    def __init__(self, releases: Callable[[], CodeSets]) -> None:
        self._releases = releases

    def diagnosis(self, code: str, on: date) -> bool | None:
        """Whether the code may be billed on the day; None when no release at hand covers it."""
        return self._releases().diagnosis_is_billable(code, on)

    def procedure(self, code: str, on: date) -> None:
        """Unknown."""

    def revenue(self, code: str, on: date) -> None:
        """Unknown."""


def _check_hl7(path: Path) -> dict[str, Any]:
    from adapters.hl7.conformance import check_hl7_file_json

    return check_hl7_file_json(path)


def _check_fhir(path: Path) -> dict[str, Any]:
    """{"path","format","resource_type","readable","error","findings":[{severity, code, element, message, fix}]}."""
    from adapters.fhir.issues import Refused
    from adapters.fhir.shapes import resource_shape
    from adapters.fhir.strict_json import read_json
    from adapters.fhir.validation import check_resource

    outcome: dict[str, Any] = {"path": str(path), "resource_type": None, "readable": True, "error": None}
    try:
        body = read_json(path.read_bytes())
    except Refused as refused:
        return {**outcome, "readable": False, "error": refused.issues[0].message, "findings": []}
    issues = check_resource(body)
    type = body.get("resourceType") if isinstance(body, dict) else None
    if isinstance(type, str) and resource_shape(type) is not None:
        outcome["resource_type"] = type
    findings = [
        {
            "severity": each.severity,
            "code": each.detail,
            "element": each.expression or None,
            "message": each.message,
            "fix": each.fix,
        }
        for each in issues
    ]
    return {**outcome, "findings": findings}


@cache
def _releases() -> CodeSets:
    """The releases that are installed."""
    from adapters.mapping.code_sets import ShippedCodeSets

    return ShippedCodeSets((), ())


def _read_x12(path: Path, most_claims: int) -> dict[str, Any]:
    from clearinghouse.x12.overview import overview

    return overview(path, str(path), most_claims)


def _read_hl7(path: Path) -> dict[str, Any]:
    from adapters.hl7.read_json import read_file_json

    return read_file_json(path)


def _read_fhir(path: Path) -> dict[str, Any]:
    error = "FHIR resources are JSON already; 'cleanclaim check' says what is wrong with them."
    return {"path": str(path), "readable": False, "error": error}


def _no_csv(path: Path) -> dict[str, Any]:
    error = "What the columns of a CSV file mean is in a source's mapping file: take it in with 'cleanclaim ingest'."
    return {"path": str(path), "readable": False, "error": error}


def _proved_x12(_entry: dict[str, Any], path: Path) -> bool:
    from clearinghouse.x12.read_json import rewrites_same

    return rewrites_same(path)


def _proved_hl7(entry: dict[str, Any], path: Path) -> bool:
    from adapters.hl7.read_json import write_json

    return write_json(entry) == path.read_bytes()


_CHECKS: Mapping[str, _Handler] = {X12: _check_x12, HL7: _check_hl7, FHIR: _check_fhir, CSV: _no_csv}
_READERS: Mapping[str, _Handler] = {HL7: _read_hl7, FHIR: _read_fhir, CSV: _no_csv}
_PROOFS: Mapping[str, Callable[[dict[str, Any], Path], bool]] = {X12: _proved_x12, HL7: _proved_hl7}
