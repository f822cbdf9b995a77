"""Pitfall one: wrong codes, on the charge, in the diagnoses, and in the organization's own service definitions."""

from __future__ import annotations

from gateway.bench.defects.chart import Chart, Context
from gateway.bench.defects.label import (
    Desk,
    MappingChange,
    Pitfall,
    both,
    by_the_day,
    defect,
    in_programs,
    mental_health,
    of_plans,
    substance_use,
)
from gateway.demo import clinic


def _charge(chart: Chart, code: str) -> None:
    chart.days[1][0].charge_code = code


@defect(Pitfall.CODES, "G12", Desk.CLINICIAN, fits=both(mental_health, by_the_day))
def substance_use_code_on_a_mental_health_day(chart: Chart) -> None:
    """The EHR charged H0015, substance use, for a mental health day."""
    _charge(chart, "H0015")


@defect(Pitfall.CODES, "G12", Desk.CLINICIAN, fits=both(substance_use, by_the_day))
def mental_health_code_on_a_substance_use_day(chart: Chart) -> None:
    """The EHR charged S9480, psychiatric, for a substance use day."""
    _charge(chart, "S9480")


@defect(Pitfall.CODES, "G12", Desk.CLINICIAN, fits=in_programs(clinic.IOP, clinic.ADOLESCENT_IOP))
def partial_hospitalization_code_on_an_intensive_outpatient_day(chart: Chart) -> None:
    """The EHR charged H0035, partial hospitalization, for an intensive outpatient day."""
    _charge(chart, "H0035")


@defect(Pitfall.CODES, "G12", Desk.CLINICIAN, fits=in_programs(clinic.PHP, clinic.DAY_PHP))
def intensive_outpatient_code_on_a_partial_hospitalization_day(chart: Chart) -> None:
    """The EHR charged S9480, intensive outpatient, for a day of partial hospitalization."""
    _charge(chart, "S9480")


@defect(Pitfall.CODES, "G12", Desk.CLINICIAN, fits=of_plans(clinic.MEDICARE, clinic.HARBOR))
def program_day_code_where_sessions_are_billed(chart: Chart) -> None:
    """The EHR charged S0201, a whole day, where the payer wants every session."""
    _charge(chart, "S0201")


@defect(Pitfall.CODES, "G12", Desk.CLINICIAN, fits=of_plans(clinic.MEDICARE, clinic.HARBOR))
def another_sessions_code(chart: Chart) -> None:
    """The EHR charged 90791, an evaluation, for a group."""
    _charge(chart, "90791")


# --- diagnoses -------------------------------------------------------------------------------------------------------


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN)
def principal_diagnosis_is_a_category(chart: Chart) -> None:
    """The principal diagnosis is F33, which has longer codes below it."""
    chart.stay.diagnoses = ("F33", "F41.1")


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN)
def second_diagnosis_is_a_category(chart: Chart) -> None:
    """The second diagnosis is F10, which has longer codes below it."""
    chart.stay.diagnoses = (chart.stay.diagnoses[0], "F10")


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN)
def diagnosis_does_not_exist(chart: Chart) -> None:
    """The principal diagnosis is F33.77, which no release has."""
    chart.stay.diagnoses = ("F33.77",)


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN)
def diagnosis_of_an_earlier_release(chart: Chart) -> None:
    """The principal diagnosis is F50.01, which got longer codes on 1 October 2024."""
    chart.stay.diagnoses = ("F50.01",)


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN)
def diagnosis_of_ninth_revision(chart: Chart) -> None:
    """The principal diagnosis is 296.33, a code of the revision before."""
    chart.stay.diagnoses = ("296.33",)


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN)
def principal_diagnosis_is_of_the_body(chart: Chart) -> None:
    """The principal diagnosis is E11.9, diabetes."""
    chart.stay.diagnoses = ("E11.9", *chart.stay.diagnoses[:1])


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN)
def principal_diagnosis_is_a_circumstance(chart: Chart) -> None:
    """The principal diagnosis is Z63.0, a circumstance and no illness."""
    chart.stay.diagnoses = ("Z63.0", *chart.stay.diagnoses[:1])


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN)
def principal_diagnosis_is_an_external_cause(chart: Chart) -> None:
    """The principal diagnosis is Y04.0XXA, an external cause."""
    chart.stay.diagnoses = ("Y04.0XXA", *chart.stay.diagnoses[:1])


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN)
def principal_diagnosis_is_a_manifestation(chart: Chart) -> None:
    """The principal diagnosis is F02.80, which is coded after the disease that causes it."""
    chart.stay.diagnoses = ("F02.80", *chart.stay.diagnoses[:1])


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN)
def no_diagnosis(chart: Chart) -> None:
    """No diagnosis is told, of the stay or of any visit."""
    chart.stay.diagnoses = ()


def _one_kind_of_program(context: Context) -> bool:
    """Lakeland buys partial hospitalization of either kind with one code."""
    return (context.plan, context.track.level_of_care) != (clinic.LAKELAND, "PHP")


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN, fits=both(mental_health, by_the_day, _one_kind_of_program))
def substance_use_principal_in_a_mental_health_program(chart: Chart) -> None:
    """The principal diagnosis is F10.20, alcohol dependence, in a mental health program."""
    chart.stay.diagnoses = ("F10.20", "F33.1")


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN, fits=both(substance_use, _one_kind_of_program))
def mental_health_principal_in_a_substance_use_program(chart: Chart) -> None:
    """The principal diagnosis is F33.1, depression, in a substance use program."""
    chart.stay.diagnoses = ("F33.1", "F10.20")


# --- the organization's own definitions ------------------------------------------------------------------------------


def _definition(path: str, old: str, new: str) -> tuple[MappingChange, ...]:
    return (MappingChange(f"services/{path}.yaml", old, new),)


_PRAIRIE_IOP = both(of_plans(clinic.PRAIRIE), in_programs(clinic.IOP, clinic.ADOLESCENT_IOP))
_PRAIRIE_PHP = both(of_plans(clinic.PRAIRIE), in_programs(clinic.PHP))
_MEDICARE_PHP = both(of_plans(clinic.MEDICARE), in_programs(clinic.PHP))
_MEDICARE_IOP = both(of_plans(clinic.MEDICARE), in_programs(clinic.IOP))


@defect(
    Pitfall.CODES, "G12", Desk.BILLING, fits=_PRAIRIE_IOP,
    mapping=_definition("prairie-mutual", "revenue_code: 0905", "revenue_code: 0913"),
)  # fmt: skip
def revenue_code_of_another_level_of_care(_: Chart) -> None:
    """The definition bills intensive outpatient under 0913, partial hospitalization."""


@defect(
    Pitfall.CODES, "G12", Desk.BILLING, fits=_PRAIRIE_IOP,
    mapping=_definition("prairie-mutual", "revenue_code: 0905", "revenue_code: 0906"),
)  # fmt: skip
def revenue_code_of_another_kind_of_program(_: Chart) -> None:
    """The definition bills psychiatric intensive outpatient under 0906, chemical dependency."""


@defect(
    Pitfall.CODES, "G12", Desk.BILLING, fits=_PRAIRIE_PHP,
    mapping=_definition("prairie-mutual", "hcpcs: H0035", "hcpcs: S9480"),
)  # fmt: skip
def procedure_code_of_another_level_of_care(_: Chart) -> None:
    """The definition bills partial hospitalization with S9480, intensive outpatient."""


@defect(
    Pitfall.CODES, "G20", Desk.BILLING, fits=_PRAIRIE_PHP,
    mapping=_definition("prairie-mutual", "hcpcs: H0035", "hcpcs: H0099"),
)  # fmt: skip
def procedure_code_does_not_exist(_: Chart) -> None:
    """The definition bills H0099, which the HCPCS list does not have."""


@defect(
    Pitfall.CODES, "G13", Desk.BILLING, fits=_MEDICARE_PHP,
    mapping=_definition("medicare", "condition_codes: [41]", "condition_codes: []"),
)  # fmt: skip
def condition_code_missing(_: Chart) -> None:
    """Medicare partial hospitalization without condition code 41."""


@defect(
    Pitfall.CODES, "G13", Desk.BILLING, fits=_MEDICARE_IOP,
    mapping=_definition("medicare", "condition_codes: [92]", "condition_codes: [41]"),
)  # fmt: skip
def condition_code_of_the_other_program(_: Chart) -> None:
    """Medicare intensive outpatient with condition code 41."""


@defect(
    Pitfall.CODES, "G13", Desk.BILLING, fits=_MEDICARE_IOP,
    mapping=_definition("medicare", "condition_codes: [92]", "condition_codes: [92, 41]"),
)  # fmt: skip
def both_condition_codes(_: Chart) -> None:
    """Condition codes 41 and 92 on one claim."""


@defect(
    Pitfall.CODES, "G14", Desk.BILLING, fits=_MEDICARE_PHP,
    mapping=_definition(
        "medicare",
        "{session: group-psychotherapy, revenue_code: 0915, hcpcs: G0410}",
        "{session: group-psychotherapy, revenue_code: 0912, hcpcs: G0410}",
    ),
)  # fmt: skip
def program_day_revenue_code_to_medicare(_: Chart) -> None:
    """Groups go to Medicare under 0912, a whole program day."""


@defect(
    Pitfall.CODES, "G14", Desk.BILLING, fits=_MEDICARE_PHP,
    mapping=_definition(
        "medicare",
        "{session: group-psychotherapy, revenue_code: 0915, hcpcs: G0410}",
        "{session: group-psychotherapy, revenue_code: 0915}",
    ),
)  # fmt: skip
def line_without_procedure_to_medicare(_: Chart) -> None:
    """Groups go to Medicare with a revenue code alone."""


@defect(
    Pitfall.CODES, "G20", Desk.BILLING, fits=of_plans(clinic.MEDICAID),
    mapping=_definition("medicaid", "modifiers: [HF]", "modifiers: [HF, HF]"),
)  # fmt: skip
def one_modifier_twice(_: Chart) -> None:
    """The definition asks for HF twice."""


@defect(
    Pitfall.CODES, "G20", Desk.BILLING, fits=of_plans(clinic.MEDICAID),
    mapping=_definition("medicaid", "modifiers: [HF]", "modifiers: [HF, Q1Z]"),
)  # fmt: skip
def modifier_does_not_exist(_: Chart) -> None:
    """The definition asks for a modifier of three characters."""


@defect(
    Pitfall.CODES, "G30", Desk.BILLING, fits=_PRAIRIE_PHP,
    mapping=(
        MappingChange(
            "facilities/riverbend.yaml",
            "  - {organization: riverbend, revenue_code: 0913, hcpcs: H0035, charge: 790.00, since: 2026-01-01}\n",
            "",
        ),
    ),
)  # fmt: skip
def service_without_a_price(_: Chart) -> None:
    """The price list has no charge for the day."""


@defect(
    Pitfall.CODES, "G30 G01", Desk.BILLING, fits=_PRAIRIE_PHP,
    mapping=(
        MappingChange(
            "facilities/riverbend.yaml", "hcpcs: H0035, charge: 790.00, since", "hcpcs: H0035, charge: 0.00, since"
        ),
    ),
)  # fmt: skip
def service_priced_at_nothing(_: Chart) -> None:
    """The price list has the day at 0.00."""


@defect(
    Pitfall.CODES, "G12", Desk.BILLING, fits=_PRAIRIE_IOP, conceals=True,
    mapping=_definition(
        "prairie-mutual",
        "  - id: prairie-mh-iop\n    since: 2026-01-01",
        "  - id: prairie-mh-iop\n    since: 2026-08-05",
    )
    + _definition("commercial", "  - id: commercial-mh-iop\n    since: 2024-01-01",
                  "  - id: commercial-mh-iop\n    since: 2026-09-01"),
)  # fmt: skip
def no_definition_on_the_day(_: Chart) -> None:
    """No service definition is in force on the first day."""
