"""What CMS's own lists forbid, and the rate codes of a state: code lists as the organization imported them.

The lists are made up, in the layout of their owners' files, over codes that the charts bill.
"""

from __future__ import annotations

from gateway.bench.defects.chart import Chart
from gateway.bench.defects.label import (
    CodeListFile,
    Desk,
    MappingChange,
    Pitfall,
    both,
    defect,
    in_programs,
    near_miss,
    of_plans,
)
from gateway.demo import clinic

_LISTS = Pitfall.CODES
_HOSPITAL = of_plans(clinic.MEDICARE)
_GROUP, _EDUCATION, _EVALUATION = "G0410", "G0177", "90791"


def _pair(modifier: str, effective: str = "20200101", deleted: str = "*") -> CodeListFile:
    header = "Column 1\tColumn 2\t*\tEffective Date\tDeletion Date\tModifier\tPTP Edit Rationale\n"
    of_no_day = "90846\t90847\t\t20200101\t*\t0\tmade up\n"
    row = f"{_GROUP}\t{_EDUCATION}\t\t{effective}\t{deleted}\t{modifier}\tmade up\n"
    return CodeListFile("ptp-hospital", header + of_no_day + row)


def _units(kind: str, code: str, most: int, counted: str) -> CodeListFile:
    header = "HCPCS/CPT Code,MUE Values,MUE Adjudication Indicator\n"
    title = "Outpatient Hospital Services" if kind == "mue-hospital" else "Practitioner Services"
    return CodeListFile(kind, header.replace("MUE Values", f"{title} MUE Values") + f"{code},{most},{counted}\n")


def _add_on(primary: str) -> CodeListFile:
    header = "Add-On Code,AOC Edit Type,Primary Code,AOC Edit Eff Dt,AOC Edit Del Dt\n"
    return CodeListFile("add-on-codes", f"{header}{_EDUCATION},1,{primary},2013001,\n")


# --- edits -----------------------------------------------------------------------------------------------------------


@defect(_LISTS, "G27", Desk.BILLING, fits=_HOSPITAL, lists=(_pair("0"),))
def two_codes_never_paid_together(_: Chart) -> None:
    """An edit says that education is never paid on the day of a group, and both are billed."""


@defect(_LISTS, "G27", Desk.BILLING, fits=_HOSPITAL, lists=(_pair("1"),))
def two_codes_that_need_a_modifier(_: Chart) -> None:
    """An edit asks for a modifier where education and a group are on one day, and neither line has one."""


@defect(
    _LISTS, "G27", Desk.BILLING, fits=_HOSPITAL, lists=(_units("mue-hospital", _GROUP, 0, "2 Date of Service Edit"),)
)
def more_units_than_likely_on_a_hospital_claim(_: Chart) -> None:
    """An edit allows a hospital no unit of a group a day."""


@defect(
    _LISTS, "G27", Desk.BILLING, fits=of_plans(clinic.MEDICAID),
    lists=(_units("mue-practitioner", "H0015", 0, "1 Line Edit"),),
)  # fmt: skip
def more_units_than_likely_on_a_practitioners_claim(_: Chart) -> None:
    """An edit allows a practitioner no unit of H0015 on a line."""


@defect(_LISTS, "G27", Desk.BILLING, fits=_HOSPITAL, lists=(_add_on(_EVALUATION),))
def add_on_without_its_primary(_: Chart) -> None:
    """Education is an add-on of an evaluation, and no day has an evaluation."""


@near_miss(fits=_HOSPITAL, lists=(_pair("0", deleted="20260731"),))
def edit_that_ended_the_month_before(_: Chart) -> None:
    """An edit of two codes of the day ended on the last day of July."""


@near_miss(fits=_HOSPITAL, lists=(_pair("0", effective="20260901"),))
def edit_that_begins_the_month_after(_: Chart) -> None:
    """An edit of two codes of the day begins on the first of September."""


@near_miss(fits=_HOSPITAL, lists=(_pair("9", deleted="20200101"),))
def edit_that_was_taken_back(_: Chart) -> None:
    """An edit of two codes of the day was taken back on the day it began."""


@near_miss(fits=_HOSPITAL, lists=(_units("mue-practitioner", _GROUP, 0, "1 Line Edit"),))
def units_of_the_other_setting(_: Chart) -> None:
    """A practitioner's limit of units does not bind a hospital."""


@near_miss(fits=_HOSPITAL, lists=(_units("mue-hospital", _EDUCATION, 1, "1 Line Edit"),))
def exactly_the_units_of_a_line(_: Chart) -> None:
    """Each line has as many units as its edit allows."""


@near_miss(fits=_HOSPITAL, lists=(_add_on(_GROUP),))
def add_on_beside_its_primary(_: Chart) -> None:
    """Education is an add-on of a group, and every day has one."""


@near_miss(fits=of_plans(clinic.LAKELAND), lists=(_units("mue-hospital", "S0201", 0, "2 Date of Service Edit"),))
def edits_bind_government_programs(_: Chart) -> None:
    """A commercial payer does not go by CMS's edits."""


# --- rate codes ------------------------------------------------------------------------------------------------------


def _rate_changes_on(day: str, day_before: str) -> MappingChange:
    """The payer's rate code in value code 24 changes within the definition's life."""
    old = "  - id: prairie-mh-php\n    since: 2026-01-01\n"
    terms = (
        "    level_of_care: PHP\n    form: 837I\n    payers: [prairie-mutual]\n    program_kinds: [MH]\n"
        "    revenue_code: 0913\n    hcpcs: H0035\n    diagnosis_prefixes: [F0, F2, F3, F4, F5, F6, F8, F9]\n"
        "    minimum_minutes_day: 240\n    minimum_services_day: 4\n    telehealth_allowed: false\n"
        "    cadence: weekly\n    source: made up\n"
    )
    first = f"{old}    until: {day_before}\n    value_codes: [{{code: 24, amount: '3210.00'}}]\n{terms}"
    then = f"  - id: prairie-mh-php\n    since: {day}\n    value_codes: [{{code: 24, amount: '3300.00'}}]\n"
    return MappingChange("services/prairie-mutual.yaml", old, first + then)


_PRAIRIE_PHP = both(of_plans(clinic.PRAIRIE), in_programs(clinic.PHP))


@defect(_LISTS, "G28", Desk.BILLING, fits=_PRAIRIE_PHP, mapping=(_rate_changes_on("2026-08-05", "2026-08-04"),))
def rate_code_changes_within_the_week(_: Chart) -> None:
    """The rate code of value code 24 changes on a Wednesday, and the week is one claim."""


@near_miss(fits=_PRAIRIE_PHP, mapping=(_rate_changes_on("2026-08-09", "2026-08-08"),))
def rate_code_changes_between_weeks(_: Chart) -> None:
    """The rate code of value code 24 changes on the day a new week of the payer begins."""
