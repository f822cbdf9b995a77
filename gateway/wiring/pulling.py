"""Pulls what EHRs that only answer have new: a page into the store, then how far that came. Safe to stop anywhere."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adapters.fhir.pull import EhrReader, Page
from adapters.fhir.receiving import FhirReceiver, FhirRequest
from adapters.fhir.smart_backend import BackendClient, BackendToken, read_key
from adapters.fhir.submission import SUPPORTED_TYPES
from clearinghouse.secret import resolve_secret
from gateway.config import PullSettings, SourceSettings
from gateway.errors import ConfigurationError, FormatError, NotAllowed, NotFound
from gateway.ports.pulls import PullProgress
from gateway.wiring.site import Site

Sleep = Callable[[float], None]
_NOBODY = (
    "no patient of this EHR is known yet, and this type is searched patient by patient; let Patient be pulled before "
    "it, pushed or imported"
)
_FAILED_MAX = 3
"""Searches of a type that fail one after the other before its other patients are left for the next run, first."""
_CIRCLE = (
    "the EHR's pages lead in a circle: one that was read already comes again as the next. What came is kept, and the "
    "search begins again at the next run; tell the EHR's vendor"
)
_ENDLESS = (
    "{pages:,} pages came in this run and the EHR names yet another. What came is kept, and the next run goes on from "
    "there. Where the EHR has so many, raise pages_max or page_size in the pull section of {source} in site.yaml; "
    "where it has not, its next links never end: leave the type out of pull.types and tell the EHR's vendor"
)


@dataclass(slots=True, kw_only=True)
class PulledType:
    """What one run pulled of one resource type."""

    type: str
    pages: int = 0
    resources: int = 0
    refused: int = 0
    problem: str | None = None
    """Why a search for this type ended early; the other types go on."""
    failed: int = 0
    """How many of its searches ended so in a row."""

    def view(self) -> dict[str, Any]:
        """{"type", "pages", "resources", "refused", "problem"}."""
        told = ("type", "pages", "resources", "refused", "problem")
        return {name: getattr(self, name) for name in told}


@dataclass(slots=True)
class _Search:
    """One search of a run: for all resources of a type, or for those of one patient."""

    pulled: PulledType
    patient: str
    """Empty where all are asked for."""
    read: set[str] = field(default_factory=set)
    """Its pages so far in this run, by what tells one from another."""
    begun_again: bool = False


class SourcePull:
    """The searches of one source, type after type, a page a step."""

    def __init__(self, site: Site, source: SourceSettings, sleep: Sleep = time.sleep) -> None:
        """Raises ConfigurationError, SecretMissing."""
        assert source.pull is not None, "the source is one that is pulled"
        self.source = source.name
        self.settings: PullSettings = source.pull
        wrong = [each for each in self.settings.types if each not in SUPPORTED_TYPES]
        strange = [each for each in self.settings.by_patient if each not in self.settings.types or each == "Patient"]
        if site.policy.mapping_set.source(source.name).format != "fhir":
            raise ConfigurationError(
                [f"site.yaml: {source.name} has a pull section, and its mapping file maps no FHIR"]
            )
        if wrong:
            raise ConfigurationError([f"site.yaml: pull.types of {source.name}: {', '.join(wrong)} is not kept"])
        if strange:
            said = f"pull.by_patient of {source.name}: {', '.join(strange)} is no patient's resource among pull.types"
            raise ConfigurationError([f"site.yaml: {said}"])
        key = read_key(resolve_secret(self.settings.key, site.settings.folder).reveal())
        client = BackendClient(
            token_url=self.settings.token_url,
            client_id=self.settings.client_id,
            key_id=self.settings.key_id,
            scope=self.settings.scope,
            key=key,
        )
        self._reader = EhrReader(self.settings.base, BackendToken(client, site.clock.now), sleep)
        self._receiver = FhirReceiver(site.receiver)
        self._site = site
        self._types: deque[str] = deque()
        self._searches: deque[_Search] = deque()
        """Those of one type that are still to come in this run."""
        self._left_at: dict[str, str] = {}
        """By type, the patient at whom a run gave the others up."""
        self.under_way = False

    def step(self) -> PulledType | None:
        """Take one page; what this run pulled of its type so far, or None when the run has come to its end.

        Raises Unavailable and Throttled (later), PartnerPaused (the EHR does not know us).
        """
        if not self.under_way:
            self._types.extend(self.settings.types)
            self.under_way = True
        if not self._searches:
            if not self._types:
                self.under_way = False
                return None
            pulled = PulledType(type=self._types.popleft())
            self._searches.extend(_Search(pulled, each) for each in self._asked_for(pulled.type))
            if not self._searches:
                pulled.problem = _NOBODY
                return pulled
        search = self._searches[0]
        try:
            if self._take_page(search):
                self._searches.popleft()
                search.pulled.failed = 0
        except (NotFound, NotAllowed, FormatError) as error:
            self._give_up(search, str(error))
        return search.pulled

    def _asked_for(self, type: str) -> list[str]:
        """The patients the source has told of so far, where the type is searched by patient; else all at once.

        Those whom the last run gave up come first: the ones who failed before them may fail every time.
        """
        if type not in self.settings.by_patient:
            return [""]
        with self._site.store.read() as tx:
            patients = [each.removeprefix("Patient/") for each in tx.resources.references(self.source, "Patient")]
        left_at = self._left_at.pop(type, "")
        return sorted(patients, key=lambda each: each <= left_at)

    def _give_up(self, search: _Search, problem: str) -> None:
        """A patient the EHR has no more keeps nobody else's resources out; several in a row are no accident."""
        self._searches.popleft()
        search.pulled.problem = problem
        search.pulled.failed += 1
        if search.pulled.failed >= _FAILED_MAX:
            self._left_at[search.pulled.type] = search.patient
            self._searches.clear()

    def _take_page(self, search: _Search) -> bool:
        """One page stored, and how far that is; True when it was the last."""
        progress = self._progress(search)
        page = self._page(search, progress)
        if page is None:
            return False
        self._store(page, search.pulled)
        now = self._site.clock.now()
        # By the EHR's clock, which its resources go by; one that runs ahead of ours would leave resources out.
        began = (progress.began_at if progress.next_url else None) or min(page.at or now, now)
        if not page.next_url:
            self._record(search, PullProgress(whole_until=began))
            return True
        if page.mark in search.read:
            self._begin_again(search, progress)
            raise FormatError(_CIRCLE)
        search.read.add(page.mark)
        following = PullProgress(whole_until=progress.whole_until, began_at=began, next_url=page.next_url)
        self._record(search, following)
        if len(search.read) >= self.settings.pages_max:
            raise FormatError(_ENDLESS.format(pages=len(search.read), source=self.source))
        return False

    def _page(self, search: _Search, progress: PullProgress) -> Page | None:
        """The next page; None when the place a search had come to is no more, so that it begins again, once a run."""
        if not progress.next_url:
            overlap = timedelta(seconds=self.settings.overlap_s)
            known = progress.whole_until if self.settings.by_change else None
            since = known - overlap if known is not None else None
            first = self._reader.first_url(search.pulled.type, search.patient, since, self.settings.page_size)
            return self._reader.page(first)
        try:
            return self._reader.page(progress.next_url)
        except (NotFound, FormatError):
            self._begin_again(search, progress)
            if search.begun_again:
                raise
            search.begun_again = True
            return None

    def _begin_again(self, search: _Search, progress: PullProgress) -> None:
        self._record(search, PullProgress(whole_until=progress.whole_until))
        search.read.clear()

    def _store(self, page: Page, pulled: PulledType) -> None:
        pulled.pages += 1
        if not page.entries:
            return
        request = FhirRequest(source=self.source, method="POST", content=page.content, pulled=True)
        answer = json.loads(self._receiver.receive(request).body)
        statuses = [each["response"]["status"] for each in answer.get("entry", ())]
        if answer["resourceType"] != "Bundle":
            raise FormatError(answer["issue"][0]["diagnostics"])
        pulled.resources += len(statuses)
        pulled.refused += sum(not each.startswith("2") for each in statuses)

    def _progress(self, search: _Search) -> PullProgress:
        with self._site.store.read() as tx:
            return tx.pulls.progress(self.source, search.pulled.type, search.patient)

    def _record(self, search: _Search, progress: PullProgress) -> None:
        with self._site.store.write() as tx:
            tx.pulls.record(self.source, search.pulled.type, search.patient, progress)


def source_pulls(site: Site) -> list[SourcePull]:
    """The sources of the site that are pulled. Raises ConfigurationError, SecretMissing."""
    return [SourcePull(site, each) for each in site.settings.sources if each.pull is not None]


def pull_now(site: Site, source: str) -> dict[str, Any]:
    """Pull all that is new of one source and work it in: ``pull --json``. Raises NotFound, Unavailable, PartnerPaused.

    {"source", "types": [{"type", "pages", "resources", "refused", "problem"}]}.
    """
    settings = site.settings.source(source)
    if settings.pull is None:
        raise NotFound(f"the source {source!r} of site.yaml has no pull section, which says where its EHR is asked")
    pulling = SourcePull(site, settings)
    found: dict[str, PulledType] = {}
    while (pulled := pulling.step()) is not None:
        found[pulled.type] = pulled
    site.settle()
    return {"source": source, "types": [each.view() for each in found.values()]}
