"""The one check: gate rules and guide check merged, overrides applied. Preview, gate and audit all call this.

Only what passed here can be frozen: ``Cleared`` cannot be made of a claim that a block still holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from msgspec import Struct

from gateway.claim.claim import Claim
from gateway.claim.finding import Finding, Severity, blocks
from gateway.errors import NotAllowed
from gateway.ports import GuideCheck
from gateway.ports.claims import Override
from gateway.rules.context import GateContext
from gateway.rules.gate import check_claims

_MOST_REMEMBERED = 20_000


class Cleared(Struct, frozen=True):
    """A claim that no block holds, with the findings that travel with it. The only thing that can be frozen."""

    claim: Claim
    findings: tuple[Finding, ...]

    def __post_init__(self) -> None:
        """Raise NotAllowed when a block remains, whoever asks."""
        if blocks(self.findings):
            raise NotAllowed("a blocked claim never leaves; clear the findings, or have a supervisor override them")


class Candidate(Struct, frozen=True):
    """A claim to be judged: what the gate may look at, what was found on the way, what people let pass."""

    claim: Claim
    content_hash: str
    context: GateContext
    earlier: Sequence[Finding]
    overrides: Sequence[Override]


class Checker:
    """Runs rules, asks the guide check, merges findings."""

    def __init__(self, guide: GuideCheck) -> None:
        self._guide = guide
        self._guide_findings: dict[str, tuple[Finding, ...]] = {}

    def check(self, candidates: Sequence[Candidate]) -> list[tuple[Finding, ...]]:
        """Every finding of each claim, most severe first; blocks that a live override lets pass become notes."""
        ruled = check_claims([(each.claim, each.context) for each in candidates])
        guided = self._guided(candidates)
        return [_merged(each, [*rules, *guide]) for each, rules, guide in zip(candidates, ruled, guided, strict=True)]

    def _guided(self, candidates: Sequence[Candidate]) -> list[tuple[Finding, ...]]:
        """The guide check, asked once per content: its answer depends on nothing else."""
        known = self._guide_findings
        if len(known) >= _MOST_REMEMBERED:
            known.clear()
        new = {each.content_hash: each.claim for each in candidates if each.content_hash not in known}
        known.update(zip(new, self._guide.check(list(new.values())), strict=True))
        return [known[each.content_hash] for each in candidates]


def _merged(candidate: Candidate, judged: Sequence[Finding]) -> tuple[Finding, ...]:
    found = _once([*candidate.earlier, *judged])
    passed = (_overridden(each, candidate.overrides, candidate.context.today) for each in found)
    return tuple(sorted(passed, key=_rank))


def _rank(finding: Finding) -> tuple[int, bool, str, str, str]:
    """A rule first: what the guide misses, a rule has mostly said in plainer words, to the desk that can mend it."""
    return (_WEIGHT[finding.severity], finding.rule.startswith(_GUIDE), finding.code, finding.rule, finding.path)


_GUIDE = "guide-"
_WEIGHT = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.NOTE: 2}


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without repeats of the same rule at the same place."""
    return list({(each.rule, each.path, each.message): each for each in findings}.values())


def _overridden(finding: Finding, overrides: Sequence[Override], today: date) -> Finding:
    if finding.severity is not Severity.BLOCK or not finding.overridable:
        return finding
    for override in overrides:
        if override.rule == finding.rule and today <= override.expires_on:
            passed = f"{finding.message} (let pass by {override.actor}, {override.role}: {override.reason})"
            return replace(finding, severity=Severity.NOTE, message=passed)
    return finding
