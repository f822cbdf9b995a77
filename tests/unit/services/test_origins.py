"""The way back from a field to its source survives merging, and works for fields filled in parts."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from gateway.claim.finding import Origin
from gateway.claim.origins import Origins
from gateway.services.assembly import assemble
from gateway.services.case import SourcedRecord
from gateway.services.merge import merge_encounters
from gateway.services.origins import origin_of
from tests.unit.services.samples import CATALOGUE, TODAY, case, encounter, week

NPI, FAMILY = Origin(source="PV1-7.1", mapping="m:1"), Origin(source="PV1-7.2", mapping="m:2")
PARTS = Origins.of(
    {"attending.npi": NPI, "attending.name.family": FAMILY, "attended": Origin(source="X", mapping="m:3")}
)
NOON = datetime(2026, 8, 3, 17, tzinfo=UTC)


def test_a_field_filled_in_parts_has_the_origin_of_its_first_part() -> None:
    assert FAMILY == origin_of(PARTS, "attending")
    assert FAMILY == origin_of(PARTS, "attending.name")
    assert origin_of(PARTS, "attend") is None
    assert {"attending.npi": NPI, "attending.name.family": FAMILY} == PARTS.only(["attending"])


def test_merging_keeps_the_origins_of_the_parts_of_the_source_that_was_believed() -> None:
    words = [
        SourcedRecord(
            record=encounter("E1", attending=attending).record,
            source=source,
            asserted_at=NOON,
            origins=origins,
            precedence=precedence,
        )
        for source, attending, origins, precedence in (
            ("first", None, Origins.of({"start_at": FAMILY}), 0),
            ("second", encounter("E1").record.attending, PARTS, 1),
        )
    ]
    merged = merge_encounters(words)
    assert NPI == merged.origins["attending.npi"]
    assert "attended" not in merged.origins


def test_a_claim_knows_where_the_parts_of_its_clinician_came_from() -> None:
    encounters = [replace(each, origins=PARTS) for each in week()]
    (draft,) = assemble(case(encounters), CATALOGUE, TODAY).drafts
    assert (NPI, FAMILY) == (draft.claim.origins["attending.npi"], draft.claim.origins["attending.name.family"])
