"""The table of findings holds what the check can say: every code of the source, and what the mutations show of each."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import clearinghouse.x12
from clearinghouse.x12.finding_codes import finding_codes
from tests.unit.x12.mutations import mutations

_SOURCES = Path(clearinghouse.x12.__file__).parent.glob("*.py")
# The referee's own word, no finding of the check.
_NO_FINDINGS = {"no-map"}


def test_every_code_of_the_source_is_in_the_table_and_no_other() -> None:
    texts = {
        node.value
        for source in _SOURCES
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    named = {text for text in texts if re.fullmatch(r"[a-z]+(-[a-z]+)+", text)} - _NO_FINDINGS
    assert sorted(finding_codes()) == sorted(named | ({"unreadable"} & texts))


def test_what_the_mutations_show_is_what_the_table_says() -> None:
    codes = finding_codes()
    for mutation in mutations():
        for found in mutation.found:
            code = codes[found["code"]]
            answer = "/".join(filter(None, (found.get("ik3"), found.get("ik4"))))
            assert found["snip"] in code.snip, mutation.name
            assert found.get("severity", "error") in code.severity, mutation.name
            assert answer in (code.answers or ("",)), mutation.name
