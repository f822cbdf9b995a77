"""Checks a mapping set without putting it in force: every mistake of every file, and what is right but looks odd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.mapping.catalogue import MappingSet, read_mapping_set
from adapters.mapping.payer_rules import NO_RULES
from adapters.mapping.remarks import remark_on
from adapters.mapping.remembered import Remembered
from adapters.mapping.view import Notation
from adapters.mapping.yaml_reader import Problems
from gateway.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class CheckedMappings:
    """What a check found: ``problems`` keep the set out of force, ``remarks`` do not."""

    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    loaded: MappingSet

    @property
    def ok(self) -> bool:
        """True when the set could be put in force."""
        return not self.problems


def check_mappings(
    files: Mapping[str, bytes],
    notations: Sequence[Notation] = (),
    rules: Mapping[str, Rule] = NO_RULES,
    remembered: Remembered | None = None,
) -> CheckedMappings:
    """Everything wrong or odd in the files, as ``file:line:column: sentence``; quicker with what is ``remembered``."""
    problems = Problems()
    loaded = read_mapping_set(files, problems, notations, rules, remembered)
    remarks = problems.beside()
    if not len(problems):
        remark_on(loaded, remarks)
    return CheckedMappings(tuple(problems.lines()), tuple(remarks.lines()), loaded)
