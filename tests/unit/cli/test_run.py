"""How a command ends: exit codes, one sentence, JSON for programs, and never a patient's data or a traceback."""

from __future__ import annotations

import json
from typing import NoReturn

import pytest
import typer

from gateway.cli import run
from gateway.cli.app import app
from gateway.cli.failures import TRACEBACK, answer_failure, describe_failure
from gateway.errors import (
    ConfigurationError,
    Conflict,
    FormatError,
    GatewayError,
    NotAllowed,
    NotFound,
    PartnerPaused,
    Unavailable,
)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (NotFound("there is no such claim"), "not-found", 2),
        (ConfigurationError(["site.yaml:1:1: wrong"]), "configuration-error", 2),
        (FormatError("no file", "x.835"), "format-error", 2),
        (NotAllowed("the role viewer may not"), "not-allowed", 1),
        (Conflict(), "conflict", 1),
        (Unavailable(), "unavailable", 1),
        (PartnerPaused(), "partner-paused", 1),
        (FileNotFoundError(2, "No such file or directory", "x.csv"), "file", 2),
        (PermissionError(13, "Permission denied", "x.csv"), "file", 2),
    ],
)
def test_what_is_wrong_with_the_world_is_a_sentence_and_a_code(error: Exception, kind: str, code: int) -> None:
    found_kind, message, found_code = describe_failure(error)
    assert (kind, code) == (found_kind, found_code)
    assert message
    assert "Traceback" not in message


def test_a_defect_names_its_place_and_nothing_it_held(capsys: pytest.CaptureFixture[str]) -> None:
    def break_down() -> NoReturn:
        raise ValueError("JANE DOE, born 1990-01-01")

    try:
        break_down()
    except ValueError as error:
        assert answer_failure(error, as_json=True) == 1
    told = capsys.readouterr()
    assert "JANE" not in told.out + told.err
    assert "test_run.py" in told.err
    assert json.loads(told.out)["error"]["kind"] == "defect"


def test_whoever_maintains_it_can_ask_for_the_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRACEBACK, "1")
    assert answer_failure(ValueError("x"), as_json=False) == 1
    assert "ValueError" in capsys.readouterr().err


def test_ctrl_c_is_no_failure_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer_failure(KeyboardInterrupt(), as_json=False) == 130
    assert "safely" in capsys.readouterr().err


def test_a_day_that_is_none_is_told_with_one_that_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["attendance", "reconcile", "--since", "2026-13-01"]) == 2
    assert "'2026-13-01' is not a date such as 2026-01-31" in capsys.readouterr().err


def test_misuse_says_where_help_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["claims", "show"]) == 2
    assert "cleanclaim claims show --help" in capsys.readouterr().err


def _commands(group: typer.Typer, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [(*path, each.name or "") for each in group.registered_commands]
    for below in group.registered_groups:
        assert below.typer_instance is not None
        inside = (*path, below.name or "")
        found += [inside] if below.typer_instance.registered_callback else []
        found += _commands(below.typer_instance, inside)
    return found


@pytest.mark.parametrize("command", _commands(app), ids=" ".join)
def test_every_command_has_help_and_takes_json(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--json" in shown
    assert shown.splitlines()[2].strip(), "it says what it does"


def test_every_error_of_the_gateway_has_a_kind_of_its_own() -> None:
    kinds = [describe_failure(each("x") if each is not ConfigurationError else each(["x"]))[0] for each in _errors()]
    assert len(set(kinds)) == len(kinds)


def _errors() -> list[type[GatewayError]]:
    return [ConfigurationError, Conflict, FormatError, NotAllowed, NotFound, PartnerPaused, Unavailable]  # type: ignore[list-item]
