"""An attendance sheet as a program without an EHR feed keeps one: a made-up client's first evenings, out of Excel."""

from __future__ import annotations

import csv
import io
from typing import Final

from gateway.demo.clinic import ADULT_ATTENDING, THERAPISTS

_CLIENT: Final = {
    "Client ID": "C-1001",
    "Last name": "MERIDIAN",
    "First name": "ALMA",
    "Birth date": "2/14/1988",
    "Sex": "Female",
    "Address": "12 ALDER ROW",
    "City": "BLUESTEM",
    "State": "IL",
    "ZIP": "62098",
    "Payer": "Prairie Mutual",
    "Member ID": "PMX441002700",
    "Location": "Riverbend Hospital",
    "Program": "IOP",
    "Admitted": "8/3/2026",
    "Discharged": "",
    "Diagnoses": "F33.1; F41.1",
    "Authorization": "PA55120",
    "Attending NPI": ADULT_ATTENDING.npi,
    "Attending last name": ADULT_ATTENDING.family,
    "Attending first name": ADULT_ATTENDING.given,
}
_LEADER: Final = THERAPISTS[0]
_EVENING: Final = (
    ("5:00 PM", "6:00 PM", "Group therapy"),
    ("6:00 PM", "7:00 PM", "Skills group"),
    ("7:00 PM", "8:00 PM", "Group therapy"),
)
_DAYS: Final = (
    {"Date": "8/3/2026"},
    {"Date": "8/5/2026"},
    {"Date": "8/6/2026", "Status": "No show", "Note signed": ""},
)


def attendance_sheet() -> bytes:
    """CSV with a byte order mark and CR LF, one row for each session of three evenings; she missed the last one."""
    rows = [
        _CLIENT
        | {"Date": "", "Start": start, "End": end, "Session": session, "Status": "Attended", "Where": "In person"}
        | {"Clinician NPI": _LEADER.npi, "Clinician last name": _LEADER.family}
        | {"Clinician first name": _LEADER.given, "Note signed": "Yes"}
        | day
        for day in _DAYS
        for start, end, session in _EVENING
    ]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")
