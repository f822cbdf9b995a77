"""What a gate rule is: a name, who answers for it, when it applies, its published page and its check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from gateway.claim.attendance import Session
from gateway.claim.claim import Claim, ClaimLine
from gateway.claim.contract import LineOfBusiness, ServiceDefinition
from gateway.claim.finding import Finding, Origin, Owner, Severity
from gateway.rules.context import BilledLine, GateContext
from gateway.services.origins import origin_of

Limits = Mapping[str, str]
"""A rule's settings as text, by name: its own, and over them the payer's."""


class Group(StrEnum):
    """What a rule is about."""

    STRUCTURE = "structure"
    CODES = "codes"
    PLACE = "place and bill type"
    ATTENDANCE = "attendance"
    AUTHORIZATION = "authorization"
    COVERAGE = "eligibility and coverage"
    CREDENTIALING = "credentialing"
    CERTIFICATION = "certification"
    SERIES = "series and frequency"
    DUPLICATES = "duplicates and overlap"
    FILING = "timely filing"
    PAYER = "payer"


class Need(StrEnum):
    """A source of facts beside the claim itself, without which a rule cannot say whether the claim is right."""

    PAYER = "payer file"
    DEFINITIONS = "service definitions"
    ATTENDANCE = "attendance"
    AUTHORIZATIONS = "authorizations"
    COVERAGES = "coverages"
    CREDENTIALS = "credentials"
    ELIGIBILITY = "eligibility"
    CERTIFICATIONS = "certifications"
    CONSENTS = "consents"
    ENROLLMENTS = "enrollments"


_NEEDED_BY_GROUP = {Group.ATTENDANCE: (Need.ATTENDANCE,), Group.AUTHORIZATION: (Need.AUTHORIZATIONS,)}


@dataclass(frozen=True, slots=True)
class Inspection:
    """One claim under the gate, with what every rule asks of it worked out once."""

    claim: Claim
    context: GateContext
    key: str
    """The claim's business identity as text."""
    lines: tuple[tuple[int, ClaimLine, ServiceDefinition | None], ...]
    """Each line with its index (``lines[0]`` is the first) and its definition."""
    definitions: tuple[ServiceDefinition | None, ...]
    """The definition of each line, by its place; None when the catalogue has none of that id on that day."""
    per_diem: tuple[bool, ...]
    """True for each line that bills a whole program day; without its definition, by its unit."""
    behind: tuple[tuple[Session, ...], ...]
    """The clinical sessions behind each line, attended or not; none when the day's attendance is not known."""
    at_once: tuple[tuple[int, Session], ...]
    """Attended sessions in order of start, each with a line it is behind, if any began before another ended; of most
    claims none."""
    billed_elsewhere: tuple[BilledLine, ...]
    """Lines of the patient's other live claims; the claim that this one replaces is none of them."""
    dates: tuple[date, ...]
    """The dates of service billed, each once, in order."""
    same_days: tuple[BilledLine, ...]
    """Those lines elsewhere that are on one of these dates; of most claims none."""

    @property
    def is_medicare(self) -> bool:
        """True for original Medicare; Medicare Advantage is a contract like any other."""
        return self.claim.insured.line_of_business is LineOfBusiness.MEDICARE

    def origin(self, name: str) -> Origin | None:
        """Where a field of the claim came from, by its path; None when nobody said."""
        return origin_of(self.claim.origins, name)

    def weight_of_unknown(self, roster: str) -> Severity:
        """How much the organization lets an unknown fact weigh, by the roster that would tell it."""
        organization = self.context.catalogue.organizations.get(self.claim.key.organization)
        return getattr(organization.unknown, roster) if organization else Severity.WARN

    def has(self, need: Need) -> bool:
        """True when that source of facts is at hand for the claim."""
        context = self.context
        facts = {
            Need.PAYER: context.payer,
            Need.DEFINITIONS: any(self.definitions) or None,
            Need.ATTENDANCE: context.days or None,
            Need.AUTHORIZATIONS: context.authorizations or None,
            Need.COVERAGES: context.coverages or None,
            Need.CREDENTIALS: context.credentials,
            Need.ELIGIBILITY: context.eligibility,
            Need.CERTIFICATIONS: context.certifications,
            Need.CONSENTS: context.consents,
            Need.ENROLLMENTS: context.payer.enrollments if context.payer else None,
        }
        return facts[need] is not None


Check = Callable[[Inspection, Limits], Iterator[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of the gate. ``since`` and ``until`` are dates of service; the claim's first one decides."""

    name: str
    """Words, e.g. ``authorization-covers-days``."""
    code: str
    severity: Severity
    owner: Owner
    group: Group
    snip: int
    page: str
    """The rule's published page: one sentence, then Why, Fails, Passes and Source."""
    check: Check
    since: date = date.min
    until: date = date.max
    overridable: bool = True
    judges_voids: bool = False
    """A void takes a claim back as it was sent and says nothing new of the service: rules of form alone judge it."""
    limits: Limits = field(default_factory=dict)
    """Every limit the rule knows, as it is where no payer sets it. A number, or empty, is set to a number."""
    limit_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a limit that is no number may be."""
    needs: tuple[Need, ...] = ()
    """What must be at hand before a stranger's claim can be judged by it; its group says so where this is empty."""

    @property
    def needed(self) -> tuple[Need, ...]:
        """The sources of facts the rule judges by."""
        return self.needs or _NEEDED_BY_GROUP.get(self.group, ())

    def never_loaded(self, inspection: Inspection, roster: str, of: str = "") -> Iterator[Finding]:
        """Holds the claim where the organization chose that, of a roster that was never loaded.

        Otherwise nothing is said of the single claim: ``readiness`` says it once for the organization.
        """
        if inspection.weight_of_unknown(roster) is Severity.BLOCK:
            yield self.finding(
                "",
                f"The roster of {roster}{of} was never loaded, and the organization holds claims until it is.",
                "Load the roster, or let the unknown weigh less in the organization's file (unknown).",
                values={"roster": roster},
                cents=inspection.claim.charge_cents,
                severity=Severity.BLOCK,
            )

    def finding(
        self,
        path: str,
        message: str,
        fix: str,
        *,
        values: Mapping[str, str] | None = None,
        origin: Origin | None = None,
        cents: int = 0,
        owner: Owner | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of this rule; owner and severity are the rule's unless the case asks for others."""
        return Finding(
            rule=self.name,
            code=self.code,
            severity=severity or self.severity,
            path=path,
            message=message,
            fix=fix,
            owner=owner or self.owner,
            values=values or {},
            origin=origin,
            cents=cents,
            overridable=self.overridable,
        )
