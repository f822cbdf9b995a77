"""A blocked claim never leaves: one type that cannot be made of one, and one module through which claims leave."""

from __future__ import annotations

import ast
from itertools import product
from pathlib import Path

import pytest

import gateway
from gateway.claim.finding import Severity
from gateway.errors import NotAllowed
from gateway.pipeline.check import Cleared
from tests.factories import a_claim, a_finding

GATEWAY = Path(gateway.__file__).parent
THE_DOOR = "pipeline/send.py"
LEAVING = {"add_versions", "add_interchange", "Cleared"}


@pytest.mark.parametrize("severities", list(product(Severity, repeat=2)))
def test_a_claim_is_cleared_unless_any_finding_blocks(severities: tuple[Severity, ...]) -> None:
    findings = tuple(a_finding(severity) for severity in severities)
    if Severity.BLOCK not in severities:
        assert Cleared(a_claim(), findings).findings == findings
        return
    with pytest.raises(NotAllowed, match="never leaves"):
        Cleared(a_claim(), findings)


def called_in(path: Path) -> set[str]:
    """Names of functions and methods that a module calls."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call)]
    return {each.attr for each in calls if isinstance(each, ast.Attribute)} | {
        each.id for each in calls if isinstance(each, ast.Name)
    }


def test_versions_and_interchanges_are_made_in_one_module_alone() -> None:
    makers = {
        str(path.relative_to(GATEWAY))
        for path in GATEWAY.rglob("*.py")
        if called_in(path) & LEAVING and not path.is_relative_to(GATEWAY / "store")
    }
    assert makers == {THE_DOOR}
    assert called_in(GATEWAY / THE_DOOR) >= LEAVING


def test_in_that_module_a_version_is_made_of_a_cleared_claim_alone() -> None:
    tree = ast.parse((GATEWAY / THE_DOOR).read_bytes())
    made = [
        {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Version"
    ]
    assert [(each["claim"], each["findings"]) for each in made] == [("cleared.claim", "cleared.findings")]
