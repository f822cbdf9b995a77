"""Which visits are one is a person's decision, and some decisions are not theirs to make lightly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.claim.party import Identifier
from gateway.claim.record import EncounterRecord, FeedRecord, RecordKind
from gateway.errors import NotAllowed
from tests.factories import ORGANIZATION
from tests.pipeline_site import BILLER, Site, a_week


def sessions(records: Sequence[FeedRecord]) -> list[EncounterRecord]:
    return [each for each in records if isinstance(each, EncounterRecord)]


def id_of(site: Site, record: EncounterRecord) -> str:
    with site.store.read() as tx:
        found = tx.subjects.find(ORGANIZATION, RecordKind.ENCOUNTER, record.identifiers[0])
    assert found is not None
    return found


def decide(site: Site, first: EncounterRecord, second: EncounterRecord, reason: str = "") -> None:
    pair = frozenset({id_of(site, first), id_of(site, second)})
    site.commands.decide_encounters(ORGANIZATION, pair, "same", BILLER, reason)
    site.settle_facts()


def decisions(site: Site) -> list[str]:
    with site.store.read() as tx:
        return list(tx.subjects.encounter_decisions(ORGANIZATION).values())


def test_two_sessions_of_one_feed_are_made_one_only_with_a_reason(site: Site) -> None:
    site.admit()
    first, second, *_ = sessions(a_week())
    with pytest.raises(NotAllowed, match=r"ehr itself tells of both, 2026-08-\d\d .* UTC and .*--reason"):
        decide(site, first, second)
    assert [] == decisions(site)
    decide(site, first, second, "the group was entered twice")
    assert ["same"] == decisions(site)
    assert site.ailing() == []


def test_what_two_feeds_told_needs_no_reason(site: Site) -> None:
    site.admit()
    own, *_ = sessions(a_week())
    told_again = replace(own, identifiers=(Identifier("other-feed", "1"),))
    site.tell(told_again, source="hl7")
    decide(site, own, told_again)
    assert ["same"] == decisions(site)


def test_visits_of_two_patients_are_never_one(site: Site) -> None:
    site.admit(1)
    site.admit(2)
    with pytest.raises(NotAllowed, match="two patients"):
        decide(site, sessions(a_week(1))[0], sessions(a_week(2))[0], "they look alike")


def test_an_encounter_is_not_decided_against_itself(site: Site) -> None:
    site.admit()
    first, *_ = sessions(a_week())
    with pytest.raises(NotAllowed, match="two different"):
        decide(site, first, first)
