"""Both judges over files made here, whole and damaged: every difference has a class, every class its source."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.differential.classes import known_classes
from tests.differential.comparison import Comparison
from tests.differential.mutations import damages
from tests.differential.page import PAGE, page
from tests.differential.subjects import shapes

_DAMAGES_OF_EACH = 120
_SHAPES = shapes()


@pytest.mark.parametrize("name", _SHAPES)
def test_every_difference_between_the_judges_has_a_class(name: str) -> None:
    seed = random.SystemRandom().randrange(2**32)
    comparison = Comparison()
    comparison.take(name, _SHAPES[name])
    every = [*damages(_SHAPES[name])]
    for damage in random.Random(seed).sample(every, _DAMAGES_OF_EACH):
        comparison.take(f"{name}, {damage}", damage.content)
    assert [] == comparison.unclassed, f"seed {seed}\n{comparison.report()}"


def test_no_class_is_without_a_verdict_a_reason_and_a_public_source() -> None:
    classes = known_classes()
    assert [1] * len(classes) == [*Counter(each.id for each in classes).values()]
    assert {each.verdict for each in classes} <= {"ours", "theirs", "opinion"}
    assert [] == [each.id for each in classes if not each.reason or not each.source]


def test_the_page_of_the_differences_is_current() -> None:
    assert page() == PAGE.read_text()


def test_every_class_is_met_by_files_made_here_or_said_to_be_of_published_ones_alone() -> None:
    text = PAGE.read_text()
    unmet = {each.id for each in known_classes() if f"{_section(text, each.id)}".find("Met 0 times") >= 0}
    assert {each.id for each in known_classes() if each.published} == unmet


def _section(text: str, name: str) -> str:
    return text.partition(f"## {name}\n")[2].partition("\n## ")[0]
