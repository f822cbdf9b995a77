"""What the shipped generic-hl7 source makes of each HL7 event, for its page: records by name, and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from adapters.mapping.catalogue import load_mapping_set
from adapters.mapping.mapping_files import read_mapping_files
from adapters.mapping.source_file import SourceFile
from gateway.wiring.mapping_check import NOTATIONS

SOURCE: Final = "generic-hl7"

_EFFECTS: Final = {
    "ADT^A01": "admitted: the stay begins",
    "ADT^A02": "transferred: the stay's place or level of care changes, and with it what its days are billed as",
    "ADT^A03": "discharged: the stay ends, with its patient status; the last claim closes",
    "ADT^A04": "registered as an outpatient: the stay begins",
    "ADT^A05": "pre-admitted: patient, policies and authorizations are known before the stay",
    "ADT^A06": "became an inpatient: the stay is elsewhere, and no program day lies in it",
    "ADT^A07": "became an outpatient: a stay in a program",
    "ADT^A08": "changed: what was derived of it is derived anew; without a visit number, of the person alone",
    "ADT^A11": "admission cancelled: its sessions belong to no stay; a claim that left is proposed for a void",
    "ADT^A12": "transfer cancelled: the stay is where it was",
    "ADT^A13": "discharge cancelled: the stay is open again",
    "ADT^A18": "merged, as older senders say it: the number in MRG-1 is the patient in PID-3",
    "ADT^A28": "person added",
    "ADT^A30": "persons merged: the number in MRG-1 is the patient in PID-3",
    "ADT^A31": "person changed, with policies where they are sent",
    "ADT^A34": "merged by patient number: as A40",
    "ADT^A35": "accounts merged: the number in MRG-3 is the account in PID-18",
    "ADT^A36": "merged by patient and account number: as A40 and A35; the account's visits keep their numbers",
    "ADT^A39": "persons merged: as A40",
    "ADT^A40": "merged: all that was told of the number in MRG-1 is the surviving patient's",
    "ADT^A41": "accounts merged: as A35",
    "ADT^A42": "visits merged: the stay in MRG-5 is the stay in PV1-19, with the sessions of both",
    "ADT^A43": "moved: what was told of the number in MRG-1 until now is the patient's in PID-3",
    "ADT^A44": "account moved: its stays and sessions told until now are the patient's in PID-3, no longer MRG-1's",
    "ADT^A45": "visit moved to another account (PID-18), of the patient in PID-3; its sessions go along",
    "ADT^A46": "number changed: as A47",
    "ADT^A47": "number changed: the number in MRG-1 goes on meaning the patient",
    "ADT^A49": "account number changed: the number in MRG-3 goes on meaning the account in PID-18",
    "ADT^A50": "visit number changed: messages under either number (MRG-5, PV1-19) are of one stay",
    "BAR^P01": "account opened: patient, policies and authorizations",
    "BAR^P05": "account changed: as P01",
    "DFT^P03": "charge: a session attended; a credit (CD, CR, a negative quantity) takes it back",
    "DFT^P11": "charge, expanded: as P03",
    "REF^*": "referral: the authorization in AUT",
    "RPA^*": "the payer's answer to a request: the authorization in AUT",
    "RRI^*": "answer to a referral: the authorization in AUT",
    "SIU^S12": "booked: a session planned, counted against authorizations before it happens",
    "SIU^S13": "moved to another time",
    "SIU^S14": "changed",
    "SIU^S15": "cancelled: not billable, with the reason",
    "SIU^S16": "discontinued: cancelled",
    "SIU^S17": "deleted: entered in error",
    "SIU^S18": "service or resource added: still planned",
    "SIU^S19": "service or resource changed: still planned",
    "SIU^S20": "service or resource cancelled: still planned",
    "SIU^S21": "service or resource ended: still planned",
    "SIU^S22": "service or resource deleted: still planned",
    "SIU^S26": "patient did not come: a no-show",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One event: what it does, and the mapping entries that make records of it."""

    event: str
    does: str
    records: tuple[str, ...]


def generic_source() -> SourceFile:
    """The shipped source, read from the package."""
    return load_mapping_set(read_mapping_files(shipped=True, overlay=None), NOTATIONS).source(SOURCE)


def event_rows(source: SourceFile) -> Iterator[EventRow]:
    """Every event that records are made of, in order. Raises KeyError for one whose effect nobody wrote down."""
    named = {name for record in source.records for name in record.sources} - {"SIU^*"}
    events = named | {event for event in _EFFECTS if event.startswith("SIU")}
    for event in sorted(events):
        wanted = {event, f"{event[:3]}^*"}
        records = tuple(record.name for record in source.records if wanted & {*record.sources})
        yield EventRow(event=event, does=_EFFECTS[event], records=records)
