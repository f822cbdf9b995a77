"""The labelled cases through the product, from its doors to its gate: what it caught, missed, and held for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from gateway.bench.defects.catalogue import Case
from gateway.bench.defects.label import Defect, Desk, MappingChange, Outcome
from gateway.bench.defects.messages import messages_of, rosters_of
from gateway.bench.sites import answered, folder_of_site, site_in
from gateway.claim.finding import Finding, Severity, blocks
from gateway.claim.party import Identifier
from gateway.claim.record import RecordKind
from gateway.errors import ConfigurationError
from gateway.wiring.codes import import_codes
from gateway.wiring.site import Site

FAMILY_OF = {
    "attendance-after-death": "G18",
    "attendance-not-recorded": "G09",
    "attendance-outside-stay": "G18",
    "charge-missing": "G30",
    "coverage-missing": "G06",
    "coverage-order": "G07",
    "day-too-short": "G09",
    "definition-missing": "G12",
    "end-unknown": "G09",
    "facility-unknown": "feed",
    "level-of-care-unknown": "feed",
    "payer-unknown": "G05",
    "program-unknown": "feed",
    "session-times-impossible": "G09",
    "session-too-short": "G09",
    "session-unknown": "feed",
    "sessions-overlap": "G10",
    "status-unknown": "feed",
    "subscriber-relationship-unknown": "G04",
    "visit-told-twice": "G26",
}
"""The family a biller files a finding under, where it comes before the gate and has no code of its own."""
OWN_RULE = "payer"
"""What a payer's own condition is filed under."""
_ALSO = {
    "admission-codes-valid": "G15",
    "bill-type-takes-program": "G12",
    "campus-modifier-agrees": "G20",
    "charge-code-agrees-with-chart": "G12",
    "place-agrees-with-chart": "G12",
    "program-day-covers-services": "G10",
    "revenue-codes-current": "G12",
    "stay-covers-days": "G18",
}
"""Rules with a code beyond the thirty families, and the family each belongs to."""
_LISTS_HOLD_FROM = date(2026, 1, 1)
_MORNING = time(13, tzinfo=UTC)
_NAMES = (("riverbend-mrn", "mrn"), ("riverbend-recovery-mrn", "recovery_mrn"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the product made of one case."""

    case: Case
    findings: tuple[Finding, ...] = ()
    """Of its claims, and of its sessions that are on none."""
    billed: frozenset[date] = frozenset()
    """Dates that are on a claim which nothing holds."""
    charged: frozenset[date] = frozenset()
    """Dates that are on a claim, held or not."""
    refused: str = ""
    """What a door said that refused one of its messages, or the mapping loader of the organization's change."""

    @property
    def is_held(self) -> bool:
        """Something waits for a person."""
        return bool(self.refused or blocks(self.findings))

    @property
    def is_clean(self) -> bool:
        """Nothing is held, and every day but those rightly left out is billed."""
        wanted = len(self.case.chart.days) - self.case.unbilled_days
        return not self.is_held and len(self.billed) >= wanted

    @property
    def is_warned(self) -> bool:
        """Somebody is asked to look at it, though it may go."""
        return any(each.severity is Severity.WARN for each in self.findings)

    def catches(self, defect: Defect) -> bool:
        """The defect does not leave unseen."""
        if self.refused:
            return True
        if defect.outcome is Outcome.HELD:
            return self.is_held
        if defect.outcome is Outcome.LEFT_OUT:
            return len(self.charged) < len(self.case.chart.days)
        return bool(self._of_family(defect))

    def names_family(self, defect: Defect) -> bool:
        """A rule of the family a biller expects says so."""
        return bool(self.refused) or self._needs_no_word(defect) or bool(self._of_family(defect))

    def names_owner(self, defect: Defect) -> bool:
        """And says it to whom it concerns."""
        if self.refused or self._needs_no_word(defect):
            return True
        return any(str(each.owner) == defect.owner for each in self._of_family(defect))

    def _needs_no_word(self, defect: Defect) -> bool:
        """A day nobody attended is left out with its reason; there is nothing to put right."""
        return defect.owner is Desk.NOBODY

    def _of_family(self, defect: Defect) -> list[Finding]:
        weighing = [
            each
            for each in self.findings
            if each.severity is Severity.BLOCK
            or (defect.outcome is not Outcome.HELD and each.severity is Severity.WARN)
        ]
        return [each for each in weighing if family_of(each) in defect.families]


def family_of(finding: Finding) -> str:
    """The family (G01-G30) a biller files the finding under, or ``OWN_RULE``."""
    if finding.code.startswith("SNIP"):
        return "G03"
    return _ALSO.get(finding.rule) or finding.code or FAMILY_OF.get(finding.rule, OWN_RULE)


def judge(cases: Sequence[Case]) -> Iterator[Verdict]:
    """Each case through a site of the organization's files as the case has them, on the day it is judged."""
    ordered = sorted(cases, key=_site_of)
    for (_, today), group in groupby(ordered, key=_site_of):
        together = list(group)
        try:
            with _site(together, today) as site:
                refusals = _tell(site, together)
                site.settle()
                yield from _verdicts(site, together, refusals)
        except ConfigurationError as error:
            if not together[0].mapping:
                raise
            yield from (Verdict(case=each, refused=str(error)) for each in together)


def _site_of(case: Case) -> tuple[str, date]:
    return " ".join(each.name for each in case.done if each.apart), case.today


@contextmanager
def _site(cases: Sequence[Case], today: date) -> Iterator[Site]:
    with folder_of_site(datetime.combine(today, _MORNING)) as folder:
        for change in cases[0].mapping:
            _change(folder / "mappings", change)
        for each in cases[0].lists:
            file = folder / f"{each.kind}.txt"
            file.write_text(each.content)
            import_codes(folder, each.kind, file, _LISTS_HOLD_FROM)
        with site_in(folder, rosters_of([each.chart for each in cases])) as site:
            yield site


def _change(overlay: Path, change: MappingChange) -> None:
    target = overlay / change.path
    text = target.read_text() if target.exists() else files("mappings").joinpath(change.path).read_text()
    if change.old not in text:
        raise ValueError(f"{change.path} no longer says {change.old!r}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text.replace(change.old, change.new))


def _tell(site: Site, cases: Sequence[Case]) -> Mapping[int, str]:
    """Send everything by its door; what the doors refused, by the patient's number."""
    told = messages_of([each.chart for each in cases])
    answers = zip((number for _, number in told), answered(site, [message for message, _ in told]), strict=True)
    return {number: refusal for number, (_, refusal) in answers if refusal}


def _verdicts(site: Site, cases: Iterable[Case], refusals: Mapping[int, str]) -> Iterator[Verdict]:
    with site.store.read() as tx:
        for case in cases:
            patients = {
                found
                for namespace, name in _NAMES
                if (found := tx.subjects.find(
                    "riverbend", RecordKind.PATIENT, Identifier(namespace, getattr(case.chart.patient, name))
                ))
            }  # fmt: skip
            drafts = tx.claims.drafts([row.id for row in tx.claims.of_patients(sorted(patients))])
            placements = list(tx.claims.placements(sorted(patients)))
            on_claims = [each for draft in drafts.values() for each in draft.findings]
            beside = [each for placed in placements if placed.place != "billed" for each in placed.findings]
            yield Verdict(
                case=case,
                findings=tuple(_once([*on_claims, *beside])),
                billed=frozenset(each.on for each in placements if each.place in ("billed", "waiting") and each.on),
                refused=refusals.get(case.chart.patient.number, ""),
                charged=frozenset(each.on for each in placements if each.claim_key and each.on),
            )


def _once(findings: Iterable[Finding]) -> Iterable[Finding]:
    return {(each.rule, each.path, each.message, each.severity): each for each in findings}.values()
