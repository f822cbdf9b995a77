"""The references that are plain work: forty predicates, and a claim's way with nothing checked, explained or traced.

They say how fast this machine is at Python, JSON and SQLite; they are nobody's gateway.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from gateway.claim.claim import Claim
from gateway.claim.identifiers import npi_is_valid

Plain = Mapping[str, Any]
_COMMIT_EVERY = 500


def plain_claim(claim: Claim) -> Plain:
    """A claim as the predicates look at it: one flat mapping."""
    attending, patient = claim.attending, claim.patient
    return {
        "number": "C00000000001",
        "npi": claim.billing_provider.npi,
        "tax_id": claim.billing_provider.tax_id,
        "taxonomy": claim.billing_provider.taxonomy,
        "zip": claim.billing_provider.address.postal_code,
        "attending_npi": attending.npi if attending else "",
        "payer_number": claim.insured.payer_number,
        "filing": claim.insured.claim_filing_code,
        "member": claim.insured.member_number,
        "family": patient.name.family if patient.name else "",
        "given": patient.name.given if patient.name else "",
        "born": patient.birth_on.isoformat() if patient.birth_on else "",
        "sex": patient.sex or "",
        "street": patient.address.line1 if patient.address else "",
        "city": patient.address.city if patient.address else "",
        "state": patient.address.state if patient.address else "",
        "postal_code": patient.address.postal_code if patient.address else "",
        "from": claim.statement_from_on.isoformat(),
        "through": claim.statement_through_on.isoformat(),
        "admitted": claim.admitted_on.isoformat() if claim.admitted_on else "",
        "frequency": claim.frequency,
        "bill_class": claim.bill_class,
        "status": claim.patient_status,
        "origin": claim.point_of_origin,
        "admission_type": claim.admission_type,
        "diagnoses": list(claim.diagnoses),
        "conditions": list(claim.condition_codes),
        "authorization": claim.authorization_number,
        "record_number": claim.medical_record_number,
        "cents": claim.charge_cents,
        "lines": [
            {
                "on": line.service_on.isoformat(),
                "revenue": line.revenue_code,
                "hcpcs": line.hcpcs,
                "cents": line.charge_cents,
                "units": line.units,
                "number": line.number,
            }
            for line in claim.lines
        ],
    }


PREDICATES: tuple[Callable[[Plain], bool], ...] = (
    lambda c: npi_is_valid(c["npi"]),
    lambda c: npi_is_valid(c["attending_npi"]),
    lambda c: c["npi"] != c["attending_npi"],
    lambda c: len(c["tax_id"]) == 9 and c["tax_id"].isdecimal(),
    lambda c: len(c["taxonomy"]) == 10,
    lambda c: len(c["zip"]) == 9,
    lambda c: bool(c["payer_number"]),
    lambda c: c["filing"] in {"CI", "MA", "MB", "MC", "CH", "BL", "HM", "16"},
    lambda c: 2 <= len(c["member"]) <= 80,
    lambda c: bool(c["family"]),
    lambda c: bool(c["given"]),
    lambda c: len(c["born"]) == 10,
    lambda c: c["born"] < c["from"],
    lambda c: c["sex"] in {"F", "M", "U"},
    lambda c: bool(c["street"]),
    lambda c: bool(c["city"]),
    lambda c: len(c["state"]) == 2,
    lambda c: len(c["postal_code"]) in {5, 9},
    lambda c: c["from"] <= c["through"],
    lambda c: c["admitted"] <= c["from"],
    lambda c: c["through"] <= "2026-12-31",
    lambda c: c["frequency"] in {"1", "2", "3", "4", "7", "8"},
    lambda c: len(c["bill_class"]) == 2,
    lambda c: c["status"] in {"01", "30"},
    lambda c: (c["status"] == "30") == (c["frequency"] in {"2", "3"}),
    lambda c: bool(c["origin"]),
    lambda c: c["admission_type"] in {"1", "2", "3", "9"},
    lambda c: 1 <= len(c["diagnoses"]) <= 25,
    lambda c: all("." not in each for each in c["diagnoses"]),
    lambda c: all(3 <= len(each) <= 7 for each in c["diagnoses"]),
    lambda c: len(set(c["diagnoses"])) == len(c["diagnoses"]),
    lambda c: all(len(each) == 2 for each in c["conditions"]),
    lambda c: bool(c["authorization"]),
    lambda c: bool(c["record_number"]),
    lambda c: sum(line["cents"] for line in c["lines"]) == c["cents"],
    lambda c: all(line["cents"] > 0 for line in c["lines"]),
    lambda c: all(line["units"] > 0 for line in c["lines"]),
    lambda c: all(len(line["revenue"]) == 4 for line in c["lines"]),
    lambda c: all(len(line["hcpcs"]) == 5 for line in c["lines"]),
    lambda c: all(c["from"] <= line["on"] <= c["through"] for line in c["lines"]),
)


def judge(claim: Plain) -> list[int]:
    """Which predicates fail."""
    return [place for place, holds in enumerate(PREDICATES) if not holds(claim)]


# --- a claim's way with nothing on it --------------------------------------------------------------------------------


def bill_plainly(documents: Sequence[bytes], database: Path) -> int:
    """Load each document, map it, judge it, write an 837's text of it, insert both; one commit for 500. How many."""
    with closing(sqlite3.connect(database, isolation_level=None)) as store:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            store.execute(f"PRAGMA {pragma}")
        store.execute("CREATE TABLE IF NOT EXISTS claim (hash BLOB, text TEXT, found TEXT)")
        for start in range(0, len(documents), _COMMIT_EVERY):
            rows = [_row(orjson.loads(document)) for document in documents[start : start + _COMMIT_EVERY]]
            store.execute("BEGIN IMMEDIATE")
            store.executemany("INSERT INTO claim VALUES (?, ?, ?)", rows)
            store.execute("COMMIT")
    return len(documents)


def _row(document: dict[str, Any]) -> tuple[bytes, str, str]:
    claim = _mapped(document)
    text = _text(claim)
    return hashlib.sha256(text.encode()).digest(), text, repr(judge(claim))


def _mapped(document: dict[str, Any]) -> Plain:
    """One Bundle of an admission and a day's sessions to a flat claim: plain look-ups, no mapping file."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in document["entry"]:
        resource = entry["resource"]
        found.setdefault(resource["resourceType"], []).append(resource)
    patient, coverage, stay = found["Patient"][0], found["Coverage"][0], found["EpisodeOfCare"][0]
    sessions = found["Encounter"]
    name, address = patient["name"][0], patient["address"][0]
    dates = sorted(session["period"]["start"][:10] for session in sessions)
    lines = [
        {"on": on, "revenue": "0905", "hcpcs": "S9480", "cents": 46500, "units": 1, "number": number}
        for number, on in enumerate(dates, 1)
    ]
    return {
        "number": sessions[0]["identifier"][0]["value"],
        "npi": "1991000104",
        "tax_id": "990000017",
        "taxonomy": "283Q00000X",
        "zip": "620990100",
        "attending_npi": "1882001013",
        "payer_number": coverage["payor"][0]["identifier"]["value"],
        "filing": "CI",
        "member": coverage["subscriberId"],
        "family": name["family"],
        "given": name["given"][0],
        "born": patient["birthDate"],
        "sex": "F" if patient["gender"] == "female" else "M",
        "street": address["line"][0],
        "city": address["city"],
        "state": address["state"],
        "postal_code": address["postalCode"].replace("-", ""),
        "from": dates[0],
        "through": dates[-1],
        "admitted": stay["period"]["start"],
        "frequency": "2",
        "bill_class": "13",
        "status": "30",
        "origin": "1",
        "admission_type": "3",
        "diagnoses": [each["code"]["coding"][0]["code"].replace(".", "") for each in found["Condition"]],
        "conditions": ["92"],
        "authorization": found["ClaimResponse"][0]["preAuthRef"],
        "record_number": patient["identifier"][0]["value"],
        "cents": sum(line["cents"] for line in lines),
        "lines": lines,
    }


def _text(c: Plain) -> str:
    """The segments of an 837I claim by string formatting, nothing escaped, nothing looked up in a guide."""
    principal, *others = c["diagnoses"]
    segments = [
        "HL*2*1*22*0",
        "SBR*P*18*******CI",
        f"NM1*IL*1*{c['family']}*{c['given']}****MI*{c['member']}",
        f"N3*{c['street']}",
        f"N4*{c['city']}*{c['state']}*{c['postal_code']}",
        f"DMG*D8*{c['born'].replace('-', '')}*{c['sex']}",
        f"NM1*PR*2*PLAN*****PI*{c['payer_number']}",
        f"CLM*{c['number']}*{c['cents'] / 100:.2f}***{c['bill_class']}:A:{c['frequency']}**A*Y*Y",
        f"DTP*434*RD8*{c['from'].replace('-', '')}-{c['through'].replace('-', '')}",
        f"CL1*{c['admission_type']}*{c['origin']}*{c['status']}",
        f"REF*G1*{c['authorization']}",
        f"REF*EA*{c['record_number']}",
        f"HI*ABK:{principal}",
        *(f"HI*ABF:{each}" for each in others),
        f"HI*{'*'.join(f'BG:{each}' for each in c['conditions'])}",
        f"NM1*71*1*NAME*NAME****XX*{c['attending_npi']}",
    ]
    for line in c["lines"]:
        segments += [
            f"LX*{line['number']}",
            f"SV2*{line['revenue']}*HC:{line['hcpcs']}*{line['cents'] / 100:.2f}*UN*{line['units']}",
            f"DTP*472*D8*{line['on'].replace('-', '')}",
            f"REF*6R*{c['number']}{line['number']}",
        ]
    return "~\n".join(segments)
