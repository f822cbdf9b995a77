"""A small mapping set that holds, for tests to bend; and messages written field by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from textwrap import dedent
from typing import Any

from gateway.ports import Resource

NOW = datetime(2026, 8, 4, 12, 0, tzinfo=UTC)

FACILITIES = """\
organizations:
  - id: oak
    tenant: oak
    name: Oak Clinic
    npi: 1234567893
    tax_id: 12-3456789
    taxonomy: 261QM0801X
    address: {line1: 1 Oak St, city: Springfield, state: IL, postal_code: 62701-0001}
    contact_name: Billing
    contact_phone: (217) 555-0100
    programs: [{id: oak-iop, name: Evening program, kind: MH}]
facilities:
  - id: oak-main
    organization: oak
    name: Oak Main
    time_zone: America/Chicago
    address: {line1: 1 Oak St, city: Springfield, state: IL, postal_code: 627010001}
    bill_class: 13
    names: [{namespace: oak-location, value: MAIN}]
charges:
  - {organization: oak, revenue_code: 0905, hcpcs: S9480, charge: 350.00, since: 2026-01-01}
"""
PAYERS = """\
payers:
  - id: acme
    name: Acme Health
    line_of_business: commercial
    claim_filing_code: CI
    names: [{namespace: oak-payer, value: ACME}]
    routes: [{connection: house, payer_number: 60054}]
"""
SERVICES = """\
services:
  - id: acme-iop
    since: 2026-01-01
    level_of_care: IOP
    form: 837I
    payers: [acme]
    revenue_code: 0905
    hcpcs: S9480
"""
SESSIONS = """\
sessions:
  - {name: group-psychotherapy, primary: true, minimum_minutes: 45}
  - {name: meal, clinical: false}
"""
CLEARINGHOUSE = """\
profile: {id: house, partner: house}
sftp:
  host: sftp.example
  host_keys: [{alg: ssh-ed25519, key: ~}]
"""
HL7_SOURCE = """\
source: oak-hl7
format: hl7
organization: oak
time_zone: America/Chicago
namespaces: {OAK: oak-mrn, 1.2.3.4: oak-universal, '': oak-plain}
codes:
  kinds: {GRP: group-psychotherapy, MEAL: meal}
records:
  - name: charge
    record: encounter
    from: DFT^P03
    each: FT1
    values: {kind: FT1-6}
    when: kind in ['CG', 'CR']
    identity: [{from: FT1-2, namespace: oak-charge}]
    fields:
      patient: {from: "PID-3[5=MR].1", namespace: oak-mrn}
      session: {from: FT1-7.1, codes: kinds}
      status: {from: FT1-6, codes: {CG: attended, CR: entered-in-error}}
      start_at: FT1-4.1
      end_at: FT1-4.2
"""


def a_set(**changes: str) -> dict[str, bytes]:
    """The small set by path, with some of its files changed (``payers="..."``) or left out (``payers=""``)."""
    texts = {
        "facilities": FACILITIES,
        "payers": PAYERS,
        "services": SERVICES,
        "codes": SESSIONS,
        "clearinghouses": CLEARINGHOUSE,
        "sources": "",
    } | changes
    names = {"sources": "sources/oak-hl7.yaml", "codes": "codes/sessions.yaml"}
    return {names.get(folder, f"{folder}/oak.yaml"): dedent(text).encode() for folder, text in texts.items() if text}


def segment(name: str, fields: Mapping[int, str]) -> str:
    """A segment with these fields by number; of MSH, number 3 and up."""
    last = max(fields)
    if name == "MSH":
        return "|".join(["MSH", "^~\\&", *(fields.get(number, "") for number in range(3, last + 1))])
    return "|".join([name, *(fields.get(number, "") for number in range(1, last + 1))])


def message(
    event: str, *segments: tuple[str, Mapping[int, str]], sent: str = "20260803180000", recorded: str = ""
) -> bytes:
    """An HL7 v2.5.1 message of an event such as ``ADT^A01``."""
    head = segment("MSH", {3: "EHR", 7: sent, 9: event, 10: "1", 11: "P", 12: "2.5.1"})
    body = [segment("EVN", {2: recorded})] if recorded else []
    body += [segment(name, fields) for name, fields in segments]
    return "\r".join([head, *body, ""]).encode()


class Arrived:
    """FHIR resources that came from one source, by ``Type/id``."""

    def __init__(self, *bodies: Mapping[str, Any]) -> None:
        self._resources = {f"{body['resourceType']}/{body['id']}": _resource(body) for body in bodies}

    def __call__(self, reference: str) -> Resource | None:
        return self._resources.get(reference)


def _resource(body: Mapping[str, Any]) -> Resource:
    return Resource(type=body["resourceType"], id=body["id"], version=1, updated_at=NOW, body=body)


def resource(**body: Any) -> Resource:
    """One resource as stored."""
    return _resource(body)
