"""The gate over anybody's 837: each claim read into ours, matched with the files at hand, judged as far as may be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import structs

from adapters.mapping.mapping_files import read_mapping_files
from clearinghouse.claims_from_837 import StrangersClaim, claim_from_837
from clearinghouse.x12.claims_837 import FiledClaim
from clearinghouse.x12.decoding import X12FormatError
from clearinghouse.x12.read_837 import stream_837
from clearinghouse.x12.tokens import Source
from gateway.claim.claim import Claim
from gateway.claim.contract import Catalogue, Facility, LineOfBusiness, Payer, ServiceDefinition
from gateway.config import read_settings
from gateway.pipeline.views import finding_view, line_view
from gateway.rules.context import BilledLine, CodeSets, GateContext, lines_of
from gateway.rules.gate import check_stranger
from gateway.rules.rule import Need
from gateway.services.resolve import resolve_definition
from gateway.wiring.clock import SystemClock, clock_of
from gateway.wiring.mapping_check import remembered_files
from gateway.wiring.policy import load_policy, policy_in_force
from gateway.wiring.storage import opened_store

_GUIDES = ("005010X222", "005010X223")
_ONE_OF_A_KIND = (LineOfBusiness.MEDICARE, LineOfBusiness.TRICARE)


@dataclass(frozen=True, slots=True)
class FileGate:
    """What files are judged by."""

    catalogue: Catalogue
    codes: CodeSets
    today: date

    def judge(self, source: Source) -> dict[str, Any]:
        """{"claims": [{"place", "number", "payer", "level_of_care", "charge_cents", "lines", "findings"}],
        "unknown": [...]}.

        Findings by claim, and each source of facts that is not at hand, once: {"source", "rules", "claims"}.
        """
        try:
            claims = [self._matched(claim_from_837(place, filed)) for place, filed in _filed(source)]
        except X12FormatError:
            claims = []  # the check beside this one says what is wrong with the file
        billed = _billed_lines(claims)
        waiting: dict[Need, tuple[set[str], int]] = {}
        judged = []
        for each in claims:
            found, missing = check_stranger(each.claim, self._context(each.claim, billed[_member(each.claim)]))
            for need, rules in missing.items():
                known, count = waiting.get(need, (set(), 0))
                waiting[need] = known | set(rules), count + 1
            judged.append(_claim_view(each, [finding_view(one) for one in found]))
        unknown = [
            {"source": str(need), "rules": sorted(rules), "claims": count}
            for need, (rules, count) in sorted(waiting.items())
        ]
        return {"claims": judged, "unknown": unknown}

    def _context(self, claim: Claim, billed: Sequence[BilledLine]) -> GateContext:
        return GateContext(
            today=self.today,
            catalogue=self.catalogue,
            payer=self.catalogue.payers.get(claim.insured.payer),
            facility=self.catalogue.facilities.get(claim.key.facility),
            codes=self.codes,
            billed_lines=tuple(billed),
        )

    def _matched(self, stranger: StrangersClaim) -> StrangersClaim:
        """The claim under the ids of our files, where they know its payer, its organization and its place."""
        claim = stranger.claim
        payer = self._payer(claim)
        facility = self._facility(claim)
        organization = facility.organization if facility else claim.key.organization
        key = structs.replace(claim.key, organization=organization, facility=facility.id if facility else "")
        if payer is not None:
            key = structs.replace(key, payer=payer.id)
            insured = structs.replace(claim.insured, payer=payer.id, line_of_business=payer.line_of_business)
            claim = structs.replace(claim, insured=insured)
        if payer is not None and facility is not None:
            claim = self._defined(claim, payer, facility)
        return replace(stranger, claim=structs.replace(claim, key=key))

    def _payer(self, claim: Claim) -> Payer | None:
        """The payer whose route has the number; of Medicare and TRICARE the only one there is."""
        insured, payers = claim.insured, self.catalogue.payers.values()
        for each in payers:
            if any(route.payer_number == insured.payer_number for route in each.routes):
                return each
        if insured.line_of_business not in _ONE_OF_A_KIND:
            return None
        of_kind = [each for each in payers if each.claim_filing_code == insured.claim_filing_code]
        return of_kind[0] if len(of_kind) == 1 else None

    def _facility(self, claim: Claim) -> Facility | None:
        """The organization's facility at the service address, else at the billing address, else its only one."""
        owners = {each.id for each in self.catalogue.organizations.values() if each.npi == claim.key.organization}
        own = [each for each in self.catalogue.facilities.values() if each.organization in owners]
        place = claim.service_facility
        if place is not None:
            return next((each for each in own if each.npi == place.npi or each.address.is_where(place.address)), None)
        here = [each for each in own if each.address.is_where(claim.billing_provider.address)]
        return here[0] if here else own[0] if len(own) == 1 else None

    def _defined(self, claim: Claim, payer: Payer, facility: Facility) -> Claim:
        lines = []
        for line in claim.lines:
            found = resolve_definition(
                self.catalogue, payer, "", claim.program_kind, claim.key.level_of_care, facility, line.service_on
            )
            if isinstance(found, ServiceDefinition):
                line = structs.replace(line, definition_id=found.id, definition=found.entry)
            lines.append(line)
        return structs.replace(claim, lines=tuple(lines))


def _filed(source: Source) -> Iterator[tuple[int, FiledClaim]]:
    """Each claim of the guides we know with its place in the file; of an older guide the check says so."""
    for place, (enclosure, filed) in enumerate(stream_837(source), 1):
        if any(part.startswith(_GUIDES) for part in (*enclosure.start, *enclosure.group)):
            yield place, filed


@contextmanager
def file_gate(folder: Path | None) -> Iterator[FileGate]:
    """The gate of a site folder, or without one of what ships. Raises ConfigurationError, Unavailable."""
    if folder is None:
        shipped = load_policy(read_mapping_files(shipped=True, overlay=None))
        yield FileGate(
            _without_enrollments(shipped.catalogue), shipped.codes_for_strangers(), SystemClock().now().date()
        )
        return
    settings = read_settings(folder)
    with opened_store(settings) as store:
        policy = policy_in_force(store, remembered_files(settings))
        yield FileGate(policy.catalogue, policy.codes_for_strangers(), clock_of(settings).now().date())


def _without_enrollments(catalogue: Catalogue) -> Catalogue:
    """Who is enrolled where is the demo's in the shipped files, and nobody else's."""
    payers = {name: replace(each, enrollments=None) for name, each in catalogue.payers.items()}
    return replace(catalogue, payers=payers)


def _billed_lines(claims: Iterable[StrangersClaim]) -> Mapping[tuple[str, str], list[BilledLine]]:
    """The lines of the file's claims by payer and member, for what excludes each other on one day."""
    billed: dict[tuple[str, str], list[BilledLine]] = defaultdict(list)
    for each in claims:
        claim = each.claim
        if claim.frequency in ("7", "8") or not claim.insured.member_number:
            continue
        billed[_member(claim)] += lines_of(claim, str(claim.key), each.number, sent=False)
    return billed


def _member(claim: Claim) -> tuple[str, str]:
    return claim.insured.payer, claim.insured.member_number


def _claim_view(stranger: StrangersClaim, findings: list[dict[str, Any]]) -> dict[str, Any]:
    claim = stranger.claim
    return {
        "place": stranger.place,
        "number": stranger.number,
        "payer": claim.insured.payer_name,
        "level_of_care": claim.key.level_of_care,
        "charge_cents": claim.charge_cents,
        "lines": [line_view(each) for each in claim.lines],
        "findings": findings,
    }
