"""Checks a mapping set without putting it in force: every mistake of every file, and what is right but looks odd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.mapping.catalogue import MappingSet, read_mapping_set
from adapters.mapping.payer_rules import NO_RULES, remark_on_payer_rules
from adapters.mapping.remembered import Remembered
from adapters.mapping.view import Notation
from adapters.mapping.yaml_reader import Problems
from gateway.claim.contract import HalfDay, ItemisedService, ServiceDefinition
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
    if remembered is not None:
        remembered.keep()
    remarks = problems.beside()
    if not len(problems):
        _remark_on_payers(loaded, remarks)
        _remark_on_services(loaded, remarks)
        _remark_on_charges(loaded, remarks)
    return CheckedMappings(tuple(problems.lines()), tuple(remarks.lines()), loaded)


def _remark_on_payers(loaded: MappingSet, remarks: Problems) -> None:
    services = loaded.catalogue.services
    for payer in loaded.catalogue.payers.values():
        used = [
            each
            for each in services
            if payer.id in each.payers or (not each.payers and payer.line_of_business in each.lines_of_business)
        ]
        if not used:
            remarks.add_at(payer.entry, f"no service definition says how {payer.id!r} is billed")
        remark_on_payer_rules(payer, remarks)
        if not payer.names:
            remarks.add_at(
                payer.entry, f"{payer.id!r} has no names: no feed's coverage will be recognised as this payer"
            )
        if not payer.routes:
            remarks.add_at(payer.entry, f"{payer.id!r} has no route: its claims cannot be sent")


def _remark_on_services(loaded: MappingSet, remarks: Problems) -> None:
    kinds = {payer.line_of_business for payer in loaded.catalogue.payers.values()}
    for each in loaded.catalogue.services:
        if not each.payers and not kinds.intersection(each.lines_of_business):
            remarks.add_at(each.entry, f"service {each.id!r} is for payers of a kind that no payer file has")
        _remark_on_codes(loaded, each.entry, each.hcpcs, remarks)
        for item in each.items:
            _remark_on_codes(loaded, item.entry, item.hcpcs, remarks)


def _remark_on_codes(loaded: MappingSet, entry: str, code: str, remarks: Problems) -> None:
    if code[:1].isalpha() and code not in {row.code for row in loaded.hcpcs}:
        remarks.add_at(entry, f"{code} is not in codes/hcpcs.yaml; add it there if it is right")


def _remark_on_charges(loaded: MappingSet, remarks: Problems) -> None:
    """Per-diem definitions that no charge prices at any facility."""
    for each in loaded.catalogue.services:
        billed: list[ItemisedService | HalfDay | ServiceDefinition] = [*each.items] or [each]
        billed += [each.half_day] if each.half_day else []
        for one in billed:
            priced = any(
                charge.revenue_code in ("", one.revenue_code)
                and charge.hcpcs in ("", one.hcpcs)
                and set(charge.modifiers) <= set(one.modifiers)
                for charge in loaded.catalogue.charges
            )
            if not priced:
                code = " ".join(part for part in (one.revenue_code, one.hcpcs) if part)
                remarks.add_at(one.entry or each.entry, f"no charge prices {code} at any facility")
