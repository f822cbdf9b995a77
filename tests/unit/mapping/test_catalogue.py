# ruff: noqa: E501 - the tables hold one mistake a line
from datetime import date

import pytest

from adapters.mapping.catalogue import load_catalogue, load_mapping_set, read_mapping_set
from adapters.mapping.mapping_files import content_hash
from adapters.mapping.yaml_reader import Problems
from gateway.claim.calendar import Span
from gateway.claim.contract import ALWAYS, Bundling, ClaimForm, LineOfBusiness
from gateway.claim.finding import Owner, Severity
from gateway.claim.party import Identifier
from gateway.claim.record import LevelOfCare
from gateway.errors import ConfigurationError, NotFound
from gateway.rules.gate import RULES_BY_NAME
from tests.unit.mapping.small_set import FACILITIES, HL7_SOURCE, PAYERS, SERVICES, SESSIONS, a_set


def problems_of(**changes: str) -> list[str]:
    problems = Problems()
    read_mapping_set(a_set(**changes), problems, rules=RULES_BY_NAME)
    return problems.lines()


def test_a_set_that_holds_becomes_the_classes_of_the_contract() -> None:
    catalogue = load_catalogue(a_set())
    facility = catalogue.facilities["oak-main"]
    service = catalogue.services[0]
    assert "123456789" == catalogue.organizations["oak"].tax_id
    assert "2175550100" == catalogue.organizations["oak"].contact_phone
    assert "627010001" == facility.address.postal_code
    assert "13" == facility.bill_class
    assert "facilities/oak.yaml:13" == facility.entry
    assert 35000 == catalogue.charges[0].cents
    assert "0905" == catalogue.charges[0].revenue_code
    assert Span(date(2026, 1, 1)) == catalogue.charges[0].span
    assert (LevelOfCare.IOP, ClaimForm.INSTITUTIONAL, Bundling.PER_DIEM) == (
        service.level_of_care,
        service.form,
        service.bundling,
    )
    assert ALWAYS == catalogue.payers["acme"].routes[0].span
    assert catalogue.payers["acme"].enrollments is None
    assert catalogue.payer_named(Identifier("oak-payer", "ACME")) is catalogue.payers["acme"]
    assert 45 == catalogue.sessions["group-psychotherapy"].minimum_minutes


def test_no_enrollments_is_known_and_is_not_the_same_as_unknown() -> None:
    payers = PAYERS + "    enrollments: []\n"
    assert () == load_catalogue(a_set(payers=payers)).payers["acme"].enrollments


def test_a_payers_own_condition_becomes_a_function_of_a_claim() -> None:
    payers = PAYERS + (
        "    own_rules:\n"
        "      - {name: small-claims, fails_when: claim.charge_cents > 100000, message: Too much, fix: Split it,\n"
        "         owner: billing, severity: warn, since: 2026-03-01}\n"
    )
    (rule,) = load_catalogue(a_set(payers=payers)).payers["acme"].own_rules
    assert (Owner.BILLING, Severity.WARN, date(2026, 3, 1)) == (rule.owner, rule.severity, rule.span.start_on)


def test_rule_settings_are_dated_and_typed() -> None:
    payers = PAYERS + "    rules: {filed-in-time: {severity: note, limits: {warn_days: 14}, until: 2026-06-30}}\n"
    (setting,) = load_catalogue(a_set(payers=payers)).payers["acme"].rules["filed-in-time"]
    assert ({"warn_days": "14"}, Severity.NOTE, date(2026, 6, 30)) == (
        setting.limits,
        setting.severity,
        setting.span.end_on,
    )


def test_clearinghouse_files_stay_text_and_know_where_each_key_stands() -> None:
    connection = load_mapping_set(a_set()).connections["house"]
    assert {"alg": "ssh-ed25519", "key": None} == connection.settings["sftp"]["host_keys"][0]
    assert "clearinghouses/oak.yaml:4:39" == str(connection.place("sftp.host_keys[0].key"))
    assert "clearinghouses/oak.yaml:4:15" == str(connection.place("sftp.host_keys[0].missing"))


def test_the_same_files_have_the_same_hash_and_a_changed_byte_another() -> None:
    files = a_set()
    changed = files | {"payers/oak.yaml": files["payers/oak.yaml"] + b"\n"}
    assert load_catalogue(files).content_hash == content_hash(dict(reversed(files.items())))
    assert content_hash(files) != content_hash(changed)


def test_all_mistakes_of_all_files_come_in_one_error() -> None:
    files = a_set(
        payers=PAYERS.replace("claim_filing_code", "claim_filling_code"),
        services=SERVICES.replace("IOP\n", "IPO\n"),
        facilities=FACILITIES.replace("350.00", "350.005"),
    )
    with pytest.raises(ConfigurationError) as raised:
        load_catalogue(files)
    assert [
        "facilities/oak.yaml:21:67: '350.005' is not an amount of dollars and cents such as 350.00",
        "payers/oak.yaml:2:5: payer needs the key 'claim_filing_code'",
        "payers/oak.yaml:5:5: unknown key 'claim_filling_code' in payer; did you mean 'claim_filing_code'?",
        "services/oak.yaml:4:20: 'IPO' is not a word known here; did you mean 'IOP'?",
    ] == raised.value.problems


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"facilities": FACILITIES.replace("1234567893", "1234567890")}, "facilities/oak.yaml:5:10: '1234567890' is not an NPI"),
        (
            {"facilities": FACILITIES.replace("America/Chicago", "America/Chigaco")},
            "facilities/oak.yaml:16:16: 'America/Chigaco' is not a time zone; did you mean 'America/Chicago'?",
        ),
        (
            {"facilities": FACILITIES.replace("organization: oak\n", "organization: oka\n")},
            "facilities/oak.yaml:14:19: no organization 'oka' in the files; did you mean 'oak'?",
        ),
        (
            {"facilities": FACILITIES.replace("{organization: oak, rev", "{organization: oak, facility: oak, rev")},
            "facilities/oak.yaml:21:35: no facility 'oak' in the files",
        ),
        (
            {"facilities": FACILITIES.replace("since: 2026-01-01", "until: 2026-01-01")},
            "facilities/oak.yaml:21:5: needs the key 'since'",
        ),
        (
            {"facilities": FACILITIES + "  - {organization: oak, revenue_code: 0905, hcpcs: S9480, charge: 1, since: 2026-05-01}\n"},
            "facilities/oak.yaml:22:5: prices the same service on the same days as facilities/oak.yaml:21; end one of them",
        ),
        ({"facilities": FACILITIES.replace("0905", "905")}, "facilities/oak.yaml:21:39: '905' is not a revenue code"),
        ({"facilities": FACILITIES.replace("kind: MH", "kind: mh")}, "facilities/oak.yaml:11:59: 'mh' is not a word known here; did you mean 'MH'?"),
        ({"payers": PAYERS.replace("house", "hose")}, "payers/oak.yaml:7:27: no connection 'hose' in the files; did you mean 'house'?"),
        ({"payers": PAYERS.replace("names: [{", "names: {").replace("}]\n    routes", "}\n    routes")}, "payers/oak.yaml:6:12: expected a list, found a mapping"),
        ({"payers": PAYERS + "    week_start: Sunday\n"}, "payers/oak.yaml:8:17: 'Sunday' is not a word known here; did you mean 'sunday'?"),
        ({"payers": PAYERS + "    member_number_pattern: '(a+)+'\n"}, "payers/oak.yaml:8:28: repeats a repetition"),
        ({"payers": PAYERS + "    member_number_pattern: '[A-Z'\n"}, "payers/oak.yaml:8:28: is not a regular expression"),
        ({"payers": PAYERS + "    rules: {filed-in-tme: {enabled: false}}\n"}, "payers/oak.yaml:8:27: no rule 'filed-in-tme'; did you mean 'filed-in-time'?"),
        (
            {"payers": PAYERS + "    own_rules: [{name: x, fails_when: claim.lnes == 1, message: m, fix: f, owner: billing}]\n"},
            "payers/oak.yaml:8:39: a claim has no field 'lnes'; did you mean 'lines'?",
        ),
        (
            {"payers": PAYERS.replace("routes: [", "routes: [{connection: house, payer_number: 1, since: 2026-01-01}, ")},
            "payers/oak.yaml:7:71: is a second route on the same days as payers/oak.yaml:7",
        ),
        (
            {"payers": PAYERS + "    provider_numbers:\n" + "      - {npi: 1234567893, number: 7, since: 2026-01-01}\n" * 2},
            "payers/oak.yaml:10:9: is a second number on the same days as payers/oak.yaml:9",
        ),
        ({"payers": PAYERS + PAYERS.removeprefix("payers:\n")}, "payers/oak.yaml:8:5: payer 'acme' is already at payers/oak.yaml:2"),
        (
            {"payers": PAYERS + PAYERS.removeprefix("payers:\n").replace("id: acme", "id: other")},
            "payers/oak.yaml:8:5: the name 'oak-payer|ACME' already stands for payer 'acme' (payers/oak.yaml:2)",
        ),
        ({"services": SERVICES.replace("[acme]", "[acne]")}, "services/oak.yaml:6:14: no payer 'acne' in the files; did you mean 'acme'?"),
        ({"services": SERVICES.replace("    payers: [acme]\n", "")}, "services/oak.yaml:2:5: a service names its payers or its lines_of_business"),
        ({"services": SERVICES.replace("    hcpcs: S9480\n", "").replace("    revenue_code: 0905\n", "")}, "services/oak.yaml:2:5: a per-diem service needs a revenue_code, an hcpcs, or both"),
        ({"services": SERVICES + "    bundling: itemised\n"}, "services/oak.yaml:2:5: an itemised service lists its items"),
        (
            {"services": SERVICES + "    bundling: itemised\n    items: [{session: meel, revenue_code: 0915}]\n"},
            "services/oak.yaml:10:23: no session 'meel' in the files; did you mean 'meal'?",
        ),
        ({"services": SERVICES.replace("837I", "837P").replace("    hcpcs: S9480\n", "")}, "services/oak.yaml:2:5: every line of an 837P has an hcpcs"),
        ({"services": SERVICES + "    modifiers: [HF, HF]\n"}, "services/oak.yaml:2:5: a line has at most four modifiers, each once"),
        ({"services": SERVICES + "    until: 2025-12-31\n"}, "services/oak.yaml:9:5: 'until' 2025-12-31 lies before 'since' 2026-01-01"),
        ({"services": SERVICES + "    minimum_minutes_day: three\n"}, "services/oak.yaml:9:26: 'three' is not a whole number"),
        ({"services": SERVICES + "    opps: perhaps\n"}, "services/oak.yaml:9:11: 'perhaps' is not a word known here; expected one of 'true', 'false'"),
        (
            {"services": SERVICES + SERVICES.removeprefix("services:\n").replace("acme-iop", "other")},
            "services/oak.yaml:9:5: 'other' and 'acme-iop' (services/oak.yaml:2) can both apply to one day",
        ),
        (
            {"services": SERVICES + SERVICES.removeprefix("services:\n")},
            "services/oak.yaml:9:5: service 'acme-iop' is already at services/oak.yaml:2 for some of the same days",
        ),
        ({"codes": SESSIONS + "  - {name: meal}\n"}, "codes/sessions.yaml:4:5: session 'meal' is already at codes/sessions.yaml:3"),
        ({"codes": "kinds: []\n"}, "codes/sessions.yaml:1:1: a codes file holds one of 'sessions', 'places_of_service', 'hcpcs'"),
        ({"clearinghouses": "sftp: {host: x}\n"}, "clearinghouses/oak.yaml:1:1: a clearinghouse file needs profile.id"),
        ({"sources": HL7_SOURCE.replace("organization: oak", "organization: elm")}, "sources/oak-hl7.yaml:3:15: no organization 'elm' in the files"),
        (
            {"sources": HL7_SOURCE.replace("MEAL: meal", "MEAL: workbook")},
            "sources/oak-hl7.yaml:7:43: no session 'workbook' in the files; expected one of 'group-psychotherapy', 'meal'",
        ),
        ({"sources": HL7_SOURCE.replace("MEAL: meal", "MEAL: meel")}, "sources/oak-hl7.yaml:7:43: no session 'meel' in the files; did you mean 'meal'?"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_file_line_and_column(changes: dict[str, str], problem: str) -> None:
    found = problems_of(**changes)
    assert any(each.startswith(problem) for each in found), found


def test_a_mistake_in_a_payer_is_not_a_mistake_of_the_services_that_name_it() -> None:
    found = problems_of(payers=PAYERS.replace("CI", "COMMERCIAL"))
    assert 1 == len(found)


def test_definitions_that_meet_no_common_day_may_be_alike() -> None:
    later = SERVICES.removeprefix("services:\n").replace("2026-01-01", "2027-01-01")
    assert [] == problems_of(services=SERVICES + "    until: 2026-12-31\n" + later)


def test_a_more_specific_definition_may_stand_beside_a_general_one() -> None:
    general = (
        SERVICES.removeprefix("services:\n")
        .replace("acme-iop", "general")
        .replace("payers: [acme]", "lines_of_business: [commercial]")
    )
    catalogue = load_catalogue(a_set(services=SERVICES + general))
    assert (LineOfBusiness.COMMERCIAL,) == catalogue.services[1].lines_of_business


def test_a_file_in_no_known_folder_is_an_error() -> None:
    problems = Problems()
    read_mapping_set(a_set() | {"payer/acme.yaml": b"payers: []"}, problems)
    assert ["payer/acme.yaml:1:1: lies in no folder of mapping files; did you mean 'payers'?"] == problems.lines()


def test_an_unknown_source_is_not_found_by_name_with_the_nearest_one() -> None:
    loaded = load_mapping_set(a_set(sources=HL7_SOURCE))
    with pytest.raises(NotFound, match="did you mean 'oak-hl7'"):
        loaded.source("oak-hl")


def test_the_medical_record_number_is_the_namespace_a_source_names() -> None:
    source = HL7_SOURCE + "medical_record_number: oak-mrn\nprecedence: 5\n"
    loaded = load_mapping_set(a_set(sources=source))
    identifiers = [Identifier("other", "1"), Identifier("oak-mrn", "77")]
    assert "77" == loaded.medical_record_number("oak", identifiers)
    assert "" == loaded.medical_record_number("elm", identifiers)
    assert 5 == loaded.precedence("oak-hl7")
    assert loaded.precedence("nobody") > 100
