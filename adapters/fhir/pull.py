"""Reads an EHR that only answers: pages of what changed since a moment. Knows no store and no schedule."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urljoin

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from adapters.fhir.ehr_http import HttpAnswer, HttpLimits, ask, origin_of
from adapters.fhir.issues import Refused
from adapters.fhir.smart_backend import BackendToken
from adapters.fhir.strict_json import read_json, write_json
from gateway.errors import ConfigurationError, FormatError, NotAllowed, NotFound, Throttled, Unavailable
from gateway.ports import FHIR_CONTENT

_ATTEMPTS = 4
_WAIT_MAX_S = 10.0
_RETRY_AFTER_MAX_S = 3600
_GONE = frozenset({400, 404, 410})
_BACKOFF = wait_random_exponential(multiplier=0.5, max=_WAIT_MAX_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a search."""

    content: bytes
    """The Bundle as it came."""
    entries: int
    mark: str
    """What tells it from other pages: its resources, whatever its address; or its address, where it has none."""
    next_url: str
    """Empty on the last page."""
    at: datetime | None
    """The EHR's own clock when it answered, where it says so."""


class EhrReader:
    """Asks one EHR for pages, patiently within bounds: what is worth trying again is, a few times."""

    def __init__(
        self, base: str, token: BackendToken, sleep: Callable[[float], None], limits: HttpLimits | None = None
    ) -> None:
        self._base = base.rstrip("/") + "/"
        self._origin = origin_of(base)
        self._token = token
        self._sleep = sleep
        self._limits = limits

    def first_url(self, type: str, patient: str, since: datetime | None, page_size: int) -> str:
        """Where the search for resources of a type begins, or for those of one patient: all, or changed since then."""
        asked = {"patient": patient} if patient else {}
        asked["_count"] = str(page_size)
        if since is not None:
            asked["_lastUpdated"] = f"ge{since.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}"
        return f"{self._base}{type}?{urlencode(asked)}"

    def page(self, url: str) -> Page:
        """One page. Raises Unavailable and Throttled (later), NotFound (this address is no more), NotAllowed,
        PartnerPaused, FormatError."""
        retrying = Retrying(
            sleep=self._sleep,
            retry=retry_if_exception(_may_pass_soon),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_wait,
            reraise=True,
        )
        return self._read(url, retrying(self._ask, url))

    def _ask(self, url: str) -> HttpAnswer:
        answer = self._authorized(url)
        if answer.status == 401:  # it may have been taken back before its time
            self._token.forget()
            answer = self._authorized(url)
        if answer.status == 429 or answer.status >= 500:
            after_s = _retry_after(answer)
            raise Throttled(f"the EHR answered {answer.status}; it is asked again later", after_s)
        if answer.status in _GONE:
            raise NotFound(f"the EHR answered {answer.status} to a search; see which types and parameters it takes")
        if answer.status != 200:
            raise NotAllowed(f"the EHR answered {answer.status} to a search; see what our scope allows there")
        return answer

    def _authorized(self, url: str) -> HttpAnswer:
        headers = {"Authorization": f"Bearer {self._token.value()}", "Accept": FHIR_CONTENT}
        return ask("GET", url, headers, limits=self._limits)

    def _read(self, url: str, answer: HttpAnswer) -> Page:
        try:
            body = read_json(answer.body)
        except Refused as refused:
            raise FormatError(f"the EHR's page cannot be read: {refused}") from None
        if not isinstance(body, dict) or body.get("resourceType") != "Bundle" or body.get("type") != "searchset":
            raise FormatError("the EHR's answer to a search is not a Bundle of type searchset")
        entries, links = body.get("entry", []), body.get("link", [])
        if not (isinstance(entries, list) and isinstance(links, list)):
            raise FormatError("the EHR's page has an entry or a link that is no list")
        mark = hashlib.sha256(write_json(entries)).hexdigest() if entries else url
        next_url = self._next(url, links)
        return Page(content=answer.body, entries=len(entries), mark=mark, next_url=next_url, at=_date(answer))

    def _next(self, url: str, links: list[object]) -> str:
        """The next page's address. Only the EHR we were told to ask is asked, whatever it says."""
        found = next(
            (each.get("url") for each in links if isinstance(each, dict) and each.get("relation") == "next"), ""
        )
        if not found:
            return ""
        try:
            following = urljoin(url, str(found))
            same = following.isascii() and origin_of(following) == self._origin
        except (ConfigurationError, ValueError):
            same = False
        if not same:
            raise FormatError("the EHR's next page is not at the EHR's own address")
        return following


def _may_pass_soon(error: BaseException) -> bool:
    """What the EHR wants to rest from for longer than we wait here is for whoever schedules us."""
    return isinstance(error, Unavailable) and not (isinstance(error, Throttled) and error.after_s > _WAIT_MAX_S)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.after_s if isinstance(error, Throttled) else 0.0
    return max(asked, _BACKOFF(state))


def _retry_after(answer: HttpAnswer) -> float:
    text = answer.headers.get("retry-after", "")
    return float(min(int(text), _RETRY_AFTER_MAX_S)) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0


def _date(answer: HttpAnswer) -> datetime | None:
    try:
        at = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
