"""Origins by reference: what messages of one shape share is one sheet, and the way back to each value is as written."""

from __future__ import annotations

import msgspec
import pytest

from gateway.claim.finding import Origin
from gateway.claim.origins import NO_ORIGINS, UNSAID, Origins, origins_stored, stored_origins

START = Origin(source="ZPH[1]-3", mapping="ehr.yaml:9")
NPI = Origin(source="PV1-7.1", mapping="ehr.yaml:4")
TOLD = {"start_at": START, "attending.npi": NPI}


def test_a_value_came_from_its_place_on_the_sheet_in_the_message_that_was_told() -> None:
    assert Origin(source="ZPH[1]-3", mapping="ehr.yaml:9", message_id="m1") == Origins.of(TOLD, "m1")["start_at"]


def test_messages_of_one_shape_share_a_sheet() -> None:
    one, other = Origins.of(TOLD, "m1"), Origins.of(dict(reversed(TOLD.items())), "m2")
    assert one.told[0].sheet.digest == other.told[0].sheet.digest
    assert one != other


def test_a_field_left_unsaid_has_no_origin_and_is_known_to_be_unsaid() -> None:
    origins = Origins.of({**TOLD, "end_at": Origin(source=UNSAID, mapping="ehr.yaml:10")})
    assert ["attending.npi", "start_at"] == list(origins)
    assert origins.told[0].sheet.unsaid == ("end_at",)


def test_of_several_the_first_that_knows_a_field_counts_and_who_adds_nothing_is_left_out() -> None:
    first, second, third = (
        Origins.of(given, id) for given, id in (({"start_at": START}, "a"), (TOLD, "b"), (TOLD, "c"))
    )
    joined = Origins.first_of([NO_ORIGINS, first, second, third])
    assert [each.message_id for each in joined.told] == ["a", "b"]
    assert {"start_at": "a", "attending.npi": "b"} == {name: each.message_id for name, each in joined.items()}


def test_one_field_is_taken_with_its_parts_and_no_other() -> None:
    assert {"attending.npi": NPI} == Origins.of({**TOLD, "attended": START}).only(["attending"])
    assert {} == Origins.of(TOLD).only(["attending"]).only(["start_at"])


def test_a_record_s_fields_can_stand_below_another_name() -> None:
    below = Origins.of(TOLD).only(["attending"]).under("patient.")
    assert {"patient.attending.npi": NPI} == below
    with pytest.raises(KeyError):
        below["attending.npi"]


def test_what_is_stored_is_read_back_with_the_sheets_it_names() -> None:
    origins = Origins.first_of([Origins.of(TOLD, "m1").only(["attending"]).under("patient."), Origins.of(TOLD, "m2")])
    sheets = {each.sheet.digest: each.sheet for each in origins.told}
    stored = msgspec.json.decode(msgspec.json.encode(stored_origins(origins)))
    assert origins == origins_stored(stored, sheets.__getitem__)
    assert "ehr.yaml" not in str(stored)


def test_nothing_else_is_stored_by_way_of_origins() -> None:
    with pytest.raises(TypeError):
        stored_origins(object())
