"""The reference page's examples do what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from adapters.fhir.submission import SUPPORTED_TYPES
from tests.unit.fhir.conftest import FhirClient, details, expressions

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "fhir.md").read_text()
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def test_the_examples_are_answered_as_the_page_says(ehr: FhirClient) -> None:
    visit, wrong = (each for each in EXAMPLES if "resourceType" in each)
    taken = ehr.post("/fhir", visit)
    assert ["201 Created", "201 Created"] == [each["response"]["status"] for each in taken.json()["entry"]]
    assert taken.content == ehr.post("/fhir", visit).content
    refused = ehr.post("/fhir/Encounter", wrong)
    found = dict(zip(expressions(refused), details(refused), strict=True))
    assert (422, {"Encounter.status": "code-not-in-value-set", "Encounter.period": "period-reversed"}) == (
        refused.status_code,
        found,
    )
    assert all(f"`{detail}` at `{place}`" in PAGE for place, detail in found.items())


def test_the_page_names_every_type_that_is_kept() -> None:
    (listed,) = re.findall(r"Types kept: (.*?)\.", PAGE, re.DOTALL)
    assert list(SUPPORTED_TYPES) == listed.replace("\n", " ").split(", ")
