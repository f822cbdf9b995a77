"""How a case of the benchmark is labelled: what is wrong in a biller's words, and what should come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.bench.defects.chart import Chart, Context
from gateway.demo import clinic
from gateway.demo.feed import Feed
from gateway.demo.truth import Plan, Track


class Pitfall(StrEnum):
    """Where new programs lose their money, and the rest that makes a claim unclean."""

    CODES = "wrong codes"
    PLACE = "wrong place of service"
    ATTENDANCE = "attendance that does not match"
    AUTHORIZATION = "authorization limits"
    PAYER = "payer rules"
    PEOPLE = "patient, coverage, providers"


class Outcome(StrEnum):
    """What must come of a defect."""

    HELD = "held"
    """The claim, or the day no claim could be made of, waits for the owner."""
    LEFT_OUT = "left out"
    """The day is not billed and says why; the rest of the claim is right without it."""
    WARNED = "warned"
    """The claim may go, with a warning for the owner."""


class Desk(StrEnum):
    """Who can put it right."""

    FRONT_DESK = "front-desk"
    CLINICIAN = "clinician"
    UTILIZATION_REVIEW = "utilization-review"
    CREDENTIALING = "credentialing"
    BILLING = "billing"
    INTEGRATION = "integration"
    NOBODY = "nobody"
    """There is nothing to put right: the day is left out, and its reason says why."""


@dataclass(frozen=True, slots=True)
class MappingChange:
    """One sentence of a shipped mapping file as the organization wrote it: ``old`` occurs in the file as shipped."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class CodeListFile:
    """A code list the organization imported, in the layout its owner publishes."""

    kind: str
    content: str


Change = Callable[[Chart], None]
Fits = Callable[[Context], bool]
Today = Callable[[Chart], date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One way to change a clean chart, and where it can be applied."""

    name: str
    says: str
    """What is wrong, or what lies exactly on a boundary, in one sentence."""
    change: Change
    fits: Fits
    mapping: tuple[MappingChange, ...]
    lists: tuple[CodeListFile, ...]
    apart: bool
    """True when it changes what holds for every patient of the organization."""
    today: Today | None
    """The day the claim is judged, where it matters; else the morning after August."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect(Labelled):
    """A defect, with the families of gate rules (G01-G30) a biller expects to hear from, and for whom."""

    pitfall: Pitfall
    families: tuple[str, ...]
    owner: Desk
    outcome: Outcome
    conceals: bool
    """True when what else is wrong with the claim cannot be seen until this is put right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss(Labelled):
    """A clean case exactly on a boundary: nothing may hold it."""

    unbilled_days: int = 0
    """Days that are rightly not billed."""


def anywhere(_: Context) -> bool:
    """Every payer, program and feed."""
    return True


def defect(
    pitfall: Pitfall,
    families: str,
    owner: Desk,
    *,
    outcome: Outcome = Outcome.HELD,
    fits: Fits = anywhere,
    mapping: tuple[MappingChange, ...] = (),
    lists: tuple[CodeListFile, ...] = (),
    apart: bool = False,
    today: Today | None = None,
    conceals: bool = False,
) -> Callable[[Change], Defect]:
    """Label a function that spoils a chart: its name is the defect's, its docstring says what is wrong."""

    def label(change: Change) -> Defect:
        return Defect(
            name=_name(change),
            says=_says(change),
            change=change,
            fits=fits,
            mapping=mapping,
            lists=lists,
            apart=apart or bool(mapping or lists),
            today=today,
            pitfall=pitfall,
            families=tuple(families.split()),
            owner=owner,
            outcome=outcome,
            conceals=conceals,
        )

    return label


def near_miss(
    *,
    fits: Fits = anywhere,
    mapping: tuple[MappingChange, ...] = (),
    lists: tuple[CodeListFile, ...] = (),
    today: Today | None = None,
    unbilled_days: int = 0,
) -> Callable[[Change], NearMiss]:
    """Label a function that takes a chart to a boundary and leaves it clean."""

    def label(change: Change) -> NearMiss:
        return NearMiss(
            name=_name(change),
            says=_says(change),
            change=change,
            fits=fits,
            mapping=mapping,
            lists=lists,
            apart=bool(mapping or lists),
            today=today,
            unbilled_days=unbilled_days,
        )

    return label


def _name(change: Change) -> str:
    return change.__name__.strip("_").replace("_", "-")


def _says(change: Change) -> str:
    assert change.__doc__ is not None, f"{change.__name__} does not say what is wrong"
    return " ".join(change.__doc__.split()).rstrip(".")


# --- where a defect can be applied -----------------------------------------------------------------------------------

_BY_THE_SESSION = (clinic.MEDICARE, clinic.HARBOR)


def authorized(context: Context) -> bool:
    """The payer wants an authorization."""
    return context.plan is not clinic.MEDICARE


def by_the_day(context: Context) -> bool:
    """The payer buys program days."""
    return context.plan not in _BY_THE_SESSION


def by_the_session(context: Context) -> bool:
    """The payer buys each session."""
    return context.plan in _BY_THE_SESSION


def of_plans(*plans: object) -> Fits:
    """Patients of these plans."""
    return lambda context: context.plan in plans


def in_programs(*tracks: Track) -> Fits:
    """Patients of these programs."""
    return lambda context: context.track in tracks


def one_program_of(plan: Plan, track: Track) -> Fits:
    """One payer's patients of one program, in its site's own EHR."""
    return lambda context: (context.plan, context.track, context.feed) == (plan, track, track.site.feed)


def mental_health(context: Context) -> bool:
    """A mental health program."""
    return not context.track.program.startswith("sud")


def substance_use(context: Context) -> bool:
    """A substance use program."""
    return context.track.program.startswith("sud")


def told_in(feed: Feed) -> Fits:
    """Patients told in that feed."""
    return lambda context: context.feed is feed


def both(*conditions: Fits) -> Fits:
    """All of the conditions."""
    return lambda context: all(each(context) for each in conditions)
