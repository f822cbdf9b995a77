"""What is kept of patients beside their claims: authorizations' accounts, attended sessions, what needs somebody soon.

Projections all: each derivation of a patient replaces them whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from msgspec import Struct

from gateway.authorization.account import AuthorizationEntry
from gateway.claim.finding import Finding
from gateway.claim.identifiers import stable_id
from gateway.claim.record import AuthorizationRecord

AuthorizationName = tuple[str, str, str]
"""(payer, member number, authorization number): what one account is known by."""


class AuthorizationRow(Struct, frozen=True, kw_only=True):
    """An authorization on file for one patient. ``payer`` is the payer file's id, empty when no file knows it."""

    id: str
    organization: str
    patient_id: str
    payer: str
    week_start: int
    """Of the payer's weeks: 0 Monday ... 6 Sunday."""
    record: AuthorizationRecord


class EntryRow(Struct, frozen=True, kw_only=True):
    """One entry of an authorization's account, and whose day it was."""

    organization: str
    patient_id: str
    entry: AuthorizationEntry


class Outcome(StrEnum):
    """What became of a work item that a person closed."""

    APPEALED = "appealed"
    """The payer was asked to look again; what it answers is a new cause."""
    DONE = "done"
    """What the item asks for was done where no feed and no roster tells of it."""
    NOT_NEEDED = "not-needed"
    """Somebody looked, and nothing has to be done."""
    WRITTEN_OFF = "written-off"
    """The money is given up. The ledger is not touched: the payer's answer stands in it as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """That a person closed a work item: who, when, with what outcome, and why."""

    at: datetime
    actor: str
    role: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """What somebody should do about one patient before it costs money; no claim need exist."""

    organization: str
    patient_id: str
    finding: Finding
    due_on: date | None
    about: str = ""
    """Which claim, authorization, stay or week: its number or first day."""
    cause: str = ""
    """What it rests on: a new answer or fact changes it, days that pass do not."""
    closing: Closing | None = None

    @property
    def id(self) -> str:
        """The same for as long as the cause is; a new cause is another item, which nobody closed yet."""
        return stable_id("work-item", self.patient_id, self.finding.rule, self.finding.code, self.about, self.cause)


def cause_of(finding: Finding, *, without: Collection[str] = ()) -> str:
    """What a finding compared, ``without`` the values that days passing change by themselves."""
    return " ".join(f"{name}={value}" for name, value in finding.values.items() if name not in without)


class Authorizations(Protocol):
    """Accounts of authorizations. A member whom two organizations know, or one knows twice, has one account."""

    def hold(self, names: Iterable[AuthorizationName]) -> None:
        """Make whoever else freezes claims of one of these wait until this transaction ends."""

    def names_of(self, patient_ids: Sequence[str]) -> set[AuthorizationName]:
        """What the patients' entries name."""

    def replace(
        self, patient_ids: Sequence[str], rows: Sequence[AuthorizationRow], entries: Sequence[EntryRow]
    ) -> None:
        """Replace what was derived of the patients' authorizations."""

    def rows(self, number: str = "") -> list[AuthorizationRow]:
        """Authorizations on file, in order of payer and number; those of one number or id when it is given."""

    def entries(self, number: str = "") -> list[EntryRow]:
        """Entries by day, seen through the state of the claim each is on; those of one number when it is given."""

    def entries_named(self, names: Collection[AuthorizationName]) -> list[EntryRow]:
        """Entries of these authorizations, whichever patient's or organization's."""


class Worklist(Protocol):
    """What needs somebody soon."""

    def replace(self, patient_ids: Sequence[str], items: Sequence[WorkItem]) -> None:
        """Replace what was found of the patients."""

    def items(self, *, owner: str = "", patient_id: str = "", id: str = "") -> list[WorkItem]:
        """Items, closed ones too, the ones due first in front."""

    def close(self, item_id: str, closing: Closing) -> Closing | None:
        """Close an item that is open; of one that is closed already its closing, which stays."""

    def reopen(self, item_id: str) -> bool:
        """Take the closing back; False when there is none."""


class SessionRow(NamedTuple):
    """One attended clinical session, as other patients' claims may have to look at it; they come by the thousand."""

    encounter_id: str
    patient_id: str
    organization: str
    facility: str
    session: str
    clinician: str
    """NPI of who led it; empty when nobody said."""
    on: date
    start_at: datetime
    end_at: datetime


class Sessions(Protocol):
    """Attended sessions of all patients."""

    def replace(self, patient_ids: Sequence[str], rows: Sequence[SessionRow]) -> None:
        """Replace what was derived of the patients' sessions."""

    def of_patients(self, patient_ids: Sequence[str]) -> list[SessionRow]:
        """The patients' sessions as they were last derived."""

    def beside(self, clinicians: Mapping[str, Collection[date]], organization: str) -> Iterator[SessionRow]:
        """Every session that one of these clinicians led on one of their dates, whoever attended: one clinician and
        date after the other."""
