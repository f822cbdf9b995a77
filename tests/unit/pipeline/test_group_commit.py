"""Callers who wait while another commits share the next commit, and only the culprit of a failed one fails."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from gateway.errors import Unavailable
from gateway.pipeline.group_commit import GroupCommit

LONG_S = 20


class Commits:
    """A commit that can be held open, and that remembers what it was given."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.away = False

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.groups.append(list(asked))
        self.begun.set()
        assert self.go_on.wait(LONG_S)
        if self.away:
            raise Unavailable("away")
        if 13 in asked:
            raise ValueError("thirteen")
        return [2 * each for each in asked]


def behind_a_held_commit(commits: Commits, group: GroupCommit[int, int], *numbers: int) -> list[Future[int]]:
    """Asks for 1, which is held open until every one of the numbers waits behind it."""
    with ThreadPoolExecutor(len(numbers) + 1) as pool:
        asked = [pool.submit(group.ask, 1)]
        assert commits.begun.wait(LONG_S)
        asked += [pool.submit(group.ask, each) for each in numbers]
        while len(group._queue) < len(numbers):
            threading.Event().wait(0.001)
        commits.go_on.set()
    return asked


def test_who_waits_while_another_commits_shares_the_next_commit() -> None:
    commits = Commits()
    asked = behind_a_held_commit(commits, GroupCommit(commits, 10), 2, 3, 4)
    assert [2, 4, 6, 8] == [each.result() for each in asked]
    assert [1] == commits.groups[0]
    assert [2, 3, 4] == sorted(commits.groups[1])


def test_a_commit_takes_no_more_than_its_most() -> None:
    commits = Commits()
    behind_a_held_commit(commits, GroupCommit(commits, 2), 2, 3, 4)
    assert [1, 2, 1] == [len(each) for each in commits.groups]


def test_when_a_shared_commit_fails_only_the_culprit_fails() -> None:
    commits = Commits()
    asked = behind_a_held_commit(commits, GroupCommit(commits, 10), 2, 13, 4)
    assert [2, 4, 8] == [asked[each].result() for each in (0, 1, 3)]
    with pytest.raises(ValueError, match="thirteen"):
        asked[2].result()


def test_when_the_database_is_away_nobody_asks_it_again_alone() -> None:
    commits = Commits()
    commits.away = True
    asked = behind_a_held_commit(commits, GroupCommit(commits, 10), 2, 3)
    assert 2 == len(commits.groups)
    for each in asked:
        with pytest.raises(Unavailable):
            each.result()
