"""A message as an EHR sends it, and when. Knows nothing of what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.ports import FHIR_CONTENT, HL7_CONTENT


class Feed(StrEnum):
    """The clinic's two EHRs, by the id of their mapping file."""

    FHIR = "riverbend-fhir"
    """The hospital and the day program: FHIR R4 transaction bundles, ``POST /fhir``."""
    HL7 = "riverbend-hl7"
    """The recovery center: HL7 v2.5.1 over MLLP."""


class Batch(StrEnum):
    """When the demo plays a message."""

    MONTH = "month"
    AFTER_BILLING = "after_billing"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedMessage:
    """One message. ``at`` is the aware UTC time it was sent; ``label`` is a word of the story, never PHI."""

    at: datetime
    feed: Feed
    content: bytes
    label: str
    batch: Batch = Batch.MONTH

    @property
    def content_type(self) -> str:
        """The media type its door takes."""
        return FHIR_CONTENT if self.feed is Feed.FHIR else HL7_CONTENT
