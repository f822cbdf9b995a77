import pytest

from adapters.fhir.view import FHIR_NOTATION
from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.catalogue import load_mapping_set
from adapters.mapping.check import check_mappings
from adapters.mapping.engine import SourceInterpreter
from adapters.mapping.explain import ExplainedEntry, explain_message, explain_resource
from adapters.mapping.mapping_files import read_mapping_files
from gateway.errors import FormatError
from tests.unit.mapping.small_set import (
    FACILITIES,
    HL7_SOURCE,
    PAYERS,
    SERVICES,
    SESSIONS,
    Arrived,
    a_set,
    message,
    resource,
)

ONLY_IOP = PAYERS + "    levels_of_care: [IOP]\n"
PID = ("PID", {3: "77^^^OAK^MR"})
FT1 = ("FT1", {1: "1", 2: "T1", 4: "202608030900", 6: "CG", 7: "QQQ"})
PAID = ("FT1", {1: "2", 2: "T2", 6: "PY"})


def explained(source: str = HL7_SOURCE) -> list[ExplainedEntry]:
    loaded = load_mapping_set(a_set(sources=source), [HL7_NOTATION])
    interpreter = SourceInterpreter(loaded.source("oak-hl7"), HL7_NOTATION)
    return explain_message(interpreter, message("DFT^P03", PID, FT1, PAID))


def test_each_field_says_what_it_got_from_where_by_which_line() -> None:
    charge = explained()[0]
    assert (True, "FT1[1]", "sources/oak-hl7.yaml:9") == (charge.applies, charge.place, charge.entry)
    assert "kind in ['CG', 'CR'] is true (sources/oak-hl7.yaml:14)" == charge.why
    fields = {each.name: each for each in charge.fields}
    assert (("2026-08-03 14:00:00+00:00",), ("FT1[1]-4.1",), "sources/oak-hl7.yaml:20") == (
        tuple(str(value).replace("T", " ") for value in fields["start_at"].values),
        fields["start_at"].positions,
        fields["start_at"].chosen_by,
    )
    assert ({"namespace": "oak-mrn", "value": "77"},) == fields["patient"].values
    assert ("oak-charge", "T1") == tuple(fields["identifiers"].values[0].values())


def test_a_field_that_got_nothing_says_what_was_tried_and_why() -> None:
    fields = {each.name: each for each in explained()[0].fields}
    assert ((), "FT1-7.1", ("FT1[1]-7.1: the value map does not know this value (sources/oak-hl7.yaml:18)",)) == (
        fields["session"].values,
        fields["session"].tried,
        fields["session"].notes,
    )
    assert ((), "FT1-4.2", ()) == (fields["end_at"].values, fields["end_at"].tried, fields["end_at"].notes)


def test_the_alternative_that_gave_a_value_is_named() -> None:
    source = HL7_SOURCE.replace(
        "end_at: FT1-4.2", "end_at:\n        first_of:\n          - FT1-4.2\n          - FT1-4.1"
    )
    end = next(each for each in explained(source)[0].fields if each.name == "end_at")
    assert ("FT1-4.2 or FT1-4.1", "sources/oak-hl7.yaml:24") == (end.tried, end.chosen_by)
    assert [("FT1-4.2", "nothing is at FT1-4.2"), ("FT1-4.1", "")] == [(each.tried, each.why) for each in end.ways]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("FT1-5", "nothing is at FT1-5"),
        (
            "{from: FT1-7, codes: {A: A}, miss: ignore}",
            "FT1[1]-7 has nothing that can be used, and 'miss: ignore' leaves",
        ),
        ("{from: FT1-7, when: kind == 'CR'}", "kind == 'CR' is not true"),
        ("{parts: [FT1-7, FT1-5]}", "one of its parts is not there"),
        ("{first_of: [FT1-5, FT1-8]}", "none of its alternatives gave anything"),
    ],
)
def test_why_there_is_nothing_is_said(spec: str, why: str) -> None:
    source = HL7_SOURCE.replace("end_at: FT1-4.2", f"charge_code: {spec}")
    code = next(each for each in explained(source)[0].fields if each.name == "charge_code")
    assert (why, ()) == (code.why[: len(why)], code.notes)


def test_an_entry_that_does_not_apply_says_why() -> None:
    other = HL7_SOURCE + (
        "  - name: stay\n    record: episode\n    from: ADT^A01\n"
        "    identity: [{from: PV1-19, namespace: oak-visit}]\n    fields: {patient: PID-3}\n"
        "  - name: policy\n    record: coverage\n    from: DFT^P03\n    each: IN1\n"
        "    identity: [{from: IN1-36, namespace: oak-policy}]\n    fields: {patient: PID-3}\n"
    )
    whys = [(each.name, each.applies, each.why) for each in explained(other)]
    assert [
        ("charge", True, "kind in ['CG', 'CR'] is true (sources/oak-hl7.yaml:14)"),
        ("charge", False, "kind in ['CG', 'CR'] is false (sources/oak-hl7.yaml:14)"),
        ("stay", False, "is for ADT^A01; the message is DFT^P03"),
        ("policy", False, "the message has no IN1"),
    ] == whys


def test_an_entry_whose_days_are_over_says_so() -> None:
    entry, *_ = explained(HL7_SOURCE.replace("    each: FT1", "    until: 2026-07-31\n    each: FT1"))
    assert (False, "holds from 1900-01-01 to 2026-07-31; this was said on 2026-08-03") == (entry.applies, entry.why)


def test_a_resource_is_explained_like_a_message() -> None:
    loaded = load_mapping_set(read_mapping_files(shipped=True, overlay=None), [FHIR_NOTATION])
    interpreter = SourceInterpreter(loaded.source("generic-fhir"), FHIR_NOTATION)
    patient = resource(resourceType="Patient", id="p", gender="robot", name=[{"family": "Rivera"}])
    applied = [each for each in explain_resource(interpreter, patient, Arrived()) if each.applies]
    (entry,) = applied
    fields = {each.name: each for each in entry.fields}
    assert ("Rivera",) == fields["name.family"].values
    assert "the value map does not know this value" in fields["sex"].notes[0]


def test_bytes_that_are_no_message_cannot_be_explained() -> None:
    loaded = load_mapping_set(a_set(sources=HL7_SOURCE), [HL7_NOTATION])
    with pytest.raises(FormatError):
        explain_message(SourceInterpreter(loaded.source("oak-hl7"), HL7_NOTATION), b"")


def test_the_shipped_set_holds_without_problem_or_remark() -> None:
    found = check_mappings(read_mapping_files(shipped=True, overlay=None), [HL7_NOTATION, FHIR_NOTATION])
    assert ((), ()) == (found.problems, found.remarks)
    assert found.ok


def test_a_set_with_problems_is_not_ok_and_is_still_read_as_far_as_it_goes() -> None:
    found = check_mappings(a_set(payers=PAYERS.replace("CI", "COMMERCIAL")))
    assert not found.ok
    assert 1 == len(found.problems)
    assert "oak-main" in found.loaded.catalogue.facilities


def test_what_is_right_but_odd_is_remarked_on() -> None:
    unused = ONLY_IOP + PAYERS.removeprefix("payers:\n").replace("acme", "idle").replace("ACME", "IDLE").replace(
        "    routes: [{connection: house, payer_number: 60054}]\n", ""
    )
    services = SERVICES + (
        "  - {id: medicaid, since: 2026-01-01, level_of_care: IOP, form: 837P, lines_of_business: [medicaid],\n"
        "     hcpcs: H9999}\n"
    )
    found = check_mappings(a_set(payers=unused, services=services))
    assert found.ok
    assert [
        "facilities/oak.yaml:21:5: S9480 is not in codes/hcpcs.yaml; add it there if it is right",
        "payers/oak.yaml:9:5: 'idle' has no route: its claims cannot be sent",
        "payers/oak.yaml:9:5: no service definition says how 'idle' is billed",
        "services/oak.yaml:2:5: S9480 is not in codes/hcpcs.yaml; add it there if it is right",
        "services/oak.yaml:9:5: H9999 is not in codes/hcpcs.yaml; add it there if it is right",
        "services/oak.yaml:9:5: no charge prices H9999 at any facility",
        "services/oak.yaml:9:5: service 'medicaid' is for payers of a kind that no payer file has",
    ] == list(found.remarks)


def test_an_entry_with_one_mistake_is_judged_on_all_else_it_says() -> None:
    payers = PAYERS.replace("house", "hose") + (
        "    own_rules: [{name: x, fails_when: claim.lins > 1, message: m, fix: f, owner: billing, severity: block}]\n"
        "    split_on: [month-ned]\n"
        "    week_strat: sunday\n"
    )
    services = SERVICES.replace("[acme]", "[acne]").replace("form: 837I", "form: 837X")
    assert [
        "payers/oak.yaml:7:27: no connection 'hose' in the files; did you mean 'house'?",
        "payers/oak.yaml:8:39: a claim has no field 'lins'; did you mean 'lines'?",
        "payers/oak.yaml:9:16: 'month-ned' is not a word known here; did you mean 'month-end'?",
        "payers/oak.yaml:10:5: unknown key 'week_strat' in payer; did you mean 'week_start'?",
        "services/oak.yaml:5:11: '837X' is not a word known here; did you mean '837P'?",
        "services/oak.yaml:6:14: no payer 'acne' in the files; did you mean 'acme'?",
    ] == list(check_mappings(a_set(payers=payers, services=services)).problems)


def test_what_a_file_that_does_not_read_may_name_is_not_called_unknown() -> None:
    more = SERVICES + SERVICES.removeprefix("services:\n").replace("acme-iop", "b").replace("acme", "beta")
    unjudged, broken = check_mappings(a_set(payers="payers: [", services=more)).problems
    assert "payers/oak.yaml:1:1: does not read as it should; names that may stand in it were not judged" == unjudged
    assert broken.startswith("payers/oak.yaml:1:10: is not YAML")


def test_days_of_a_broken_entry_are_compared_with_no_other() -> None:
    twice = SERVICES + SERVICES.removeprefix("services:\n").replace("2026-01-01", "2027-13-01")
    (problem,) = check_mappings(a_set(services=twice)).problems
    assert "services/oak.yaml:10:12: '2027-13-01' is not a date such as 2026-08-03" == problem


def remarks_of(**changes: str) -> list[str]:
    found = check_mappings(a_set(codes=SESSIONS, **changes))
    assert found.ok, found.problems
    return [each for each in found.remarks if "hcpcs.yaml" not in each]


def test_a_payer_without_a_definition_for_a_level_of_care_is_remarked_on_unless_its_file_says_it_buys_none() -> None:
    assert [
        "payers/oak.yaml:2:5: no service definition says how PHP is billed to 'acme'; if it buys none, list what it "
        "buys under levels_of_care"
    ] == remarks_of()
    assert [] == remarks_of(payers=ONLY_IOP)
    both = ONLY_IOP.replace("[IOP]", "[IOP, OP]")
    assert ["payers/oak.yaml:2:5: no service definition says how OP is billed to 'acme'"] == remarks_of(payers=both)


def test_a_definition_for_what_the_payer_does_not_buy_is_a_problem() -> None:
    found = check_mappings(a_set(payers=PAYERS + "    levels_of_care: [PHP]\n"))
    assert ("services/oak.yaml:2:5: 'acme' does not buy IOP: see its levels_of_care (payers/oak.yaml:2)",) == (
        found.problems
    )


def test_a_definition_that_more_specific_ones_leave_no_day_is_remarked_on() -> None:
    general = (
        "  - {id: all-iop, since: 2026-03-01, level_of_care: IOP, form: 837I, lines_of_business: [commercial],\n"
        "     revenue_code: 0905, hcpcs: S9480}\n"
    )
    assert [
        "services/oak.yaml:9:5: service 'all-iop' is never reached: on all its days acme-iop (services/oak.yaml:2) "
        "come before it"
    ] == remarks_of(payers=ONLY_IOP, services=SERVICES + general)
    narrower = SERVICES.replace("payers: [acme]", "payers: [acme]\n    program_kinds: [SUD]")
    assert [] == remarks_of(payers=ONLY_IOP, services=narrower + general)
    ending = SERVICES.replace("    level_of_care", "    until: 2026-12-31\n    level_of_care", 1)
    assert [] == remarks_of(payers=ONLY_IOP, services=ending + general)


def test_days_that_nothing_covers_between_two_versions_are_remarked_on() -> None:
    first = SERVICES.replace("    level_of_care", "    until: 2026-06-30\n    level_of_care", 1)
    again = SERVICES.removeprefix("services:\n").replace("2026-01-01", "2026-08-01")
    assert [
        "services/oak.yaml:10:5: service 'acme-iop' has a gap: nothing holds from 2026-07-01 to 2026-07-31"
    ] == remarks_of(payers=ONLY_IOP, services=first + again)
    assert [] == remarks_of(payers=ONLY_IOP, services=first + again.replace("2026-08-01", "2026-07-01"))


def test_a_price_that_ends_before_the_service_is_remarked_on() -> None:
    ending = FACILITIES.replace("since: 2026-01-01}", "since: 2026-01-01, until: 2026-12-31}")
    assert [
        "services/oak.yaml:2:5: no charge prices 0905 S9480 from 2027-01-01 on, and the service goes on"
    ] == remarks_of(payers=ONLY_IOP, facilities=ending)


def test_codes_are_looked_up_for_the_days_of_the_entry() -> None:
    lists = {
        "codes/places-of-service.yaml": b"places_of_service: [{code: 22, label: On campus}]",
        "codes/hcpcs.yaml": b"hcpcs: [{code: S9480, label: IOP, until: 2026-09-30}]",
    }
    facilities = FACILITIES.replace("    bill_class: 13\n", "    bill_class: 13\n    place_of_service: 23\n")
    assert [
        "facilities/oak.yaml:13:5: 23 is not in codes/places-of-service.yaml; add it there if it is right",
        "facilities/oak.yaml:22:5: S9480 is not in codes/hcpcs.yaml on 2026-10-01, a day this entry holds",
        "services/oak.yaml:2:5: S9480 is not in codes/hcpcs.yaml on 2026-10-01, a day this entry holds",
    ] == list(check_mappings(a_set(payers=ONLY_IOP, facilities=facilities) | lists).remarks)


def test_what_must_hold_between_fields_is_judged_beside_other_mistakes_and_not_where_one_of_them_is_broken() -> None:
    both = SERVICES.replace("    hcpcs: S9480\n", "    hcpcs: S948\n    modifiers: [GT, GT]\n    lower_level: IOP\n")
    assert [
        "services/oak.yaml:2:5: a line has at most four modifiers, each once",
        "services/oak.yaml:2:5: partial_day: lower-level and lower_level belong together",
        "services/oak.yaml:8:12: 'S948' is not a HCPCS or CPT code: five capitals and digits",
    ] == list(check_mappings(a_set(services=both)).problems)
    typo = SERVICES.replace("    revenue_code: 0905\n    hcpcs: S9480\n", "    revenue_cod: 0905\n    hcpcs: S948\n")
    assert [
        "services/oak.yaml:7:5: unknown key 'revenue_cod' in service; did you mean 'revenue_code'?",
        "services/oak.yaml:8:12: 'S948' is not a HCPCS or CPT code: five capitals and digits",
    ] == list(check_mappings(a_set(services=typo)).problems)


def test_names_in_a_list_under_a_misspelt_key_are_not_called_unknown() -> None:
    assert [
        "payers/oak.yaml:1:1: does not read as it should; names that may stand in it were not judged",
        "payers/oak.yaml:1:1: payers file needs the key 'payers'",
        "payers/oak.yaml:1:1: unknown key 'payer' in payers file; did you mean 'payers'?",
    ] == list(check_mappings(a_set(payers=PAYERS.replace("payers:", "payer:"))).problems)


def test_a_feed_whose_stays_never_begin_is_remarked_on() -> None:
    stay = """\
  - name: stay
    record: episode
    from: ADT^A04
    identity: [{from: PV1-19.1, namespace: oak-stay}]
    fields:
      patient: {from: "PID-3[5=MR].1", namespace: oak-mrn}
      diagnoses: {all_of: [DG1-3.1]}
"""
    (remark,) = [each for each in remarks_of(payers=ONLY_IOP, sources=HL7_SOURCE + stay) if "oak-hl7" in each]
    assert "oak-hl7 never says admitted_on: its stays hold no day" in remark
    begun = stay + "      admitted_on: PV1-44\n"
    assert [] == [each for each in remarks_of(payers=ONLY_IOP, sources=HL7_SOURCE + begun) if "oak-hl7" in each]
