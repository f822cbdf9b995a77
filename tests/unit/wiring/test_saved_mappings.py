"""Files saved in a site's mapping folder, and files that lie there when a server starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import Settings, read_settings
from gateway.store.database import Database
from gateway.wiring.mappings import mapping_state, put_site_mappings
from gateway.wiring.new_site import make_site
from gateway.wiring.saved_mappings import SavedMappings
from gateway.wiring.site import open_site
from gateway.wiring.storage import open_store

ANNEX = """\
facilities:
  - {id: annex, organization: riverbend, name: Annex, time_zone: America/Chicago,
     address: {line1: 1 Side Road, city: Riverbend, state: IL, postal_code: '62099'}}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "clinic"
    make_site(folder, demo=True, database="sqlite:///clinic.sqlite", samples={})
    open_site(folder).close()
    return read_settings(folder)


@pytest.fixture
def store(settings: Settings) -> Iterator[Database]:
    opened = open_store(settings)
    yield opened
    opened.close()


def save(settings: Settings, text: str) -> None:
    (settings.mappings / "facilities" / "annex.yaml").write_text(text)


def state_of(settings: Settings, store: Database) -> tuple[str, str]:
    found = mapping_state(settings, store)
    return found.state, found.in_force.role


def test_a_file_is_taken_over_once_it_is_no_longer_being_written(settings: Settings, store: Database) -> None:
    saved = SavedMappings(settings)
    saved.begin()
    save(settings, ANNEX)
    saved.look(store)
    assert ("waiting", "machine") == state_of(settings, store)
    saved.look(store)
    assert ("in-force", "saved-file") == state_of(settings, store)


def test_a_broken_file_leaves_the_last_good_set_in_force_and_a_mended_one_takes_its_place(
    settings: Settings, store: Database
) -> None:
    saved = SavedMappings(settings)
    saved.begin()
    for text, state in (("facilities: [", "refused"), (ANNEX, "in-force")):
        save(settings, text)
        saved.look(store)
        saved.look(store)
        assert state == mapping_state(settings, store).state
    assert 2 == len(_history(store))


def test_what_was_saved_while_no_server_ran_is_taken_over_when_one_starts(settings: Settings, store: Database) -> None:
    save(settings, ANNEX)
    assert ("waiting", "machine") == state_of(settings, store)
    SavedMappings(settings).begin()
    assert ("in-force", "saved-file") == state_of(settings, store)


def test_a_set_that_was_put_back_stays_over_a_restart_and_a_saved_file_replaces_it(
    settings: Settings, store: Database
) -> None:
    first = _history(store)[0]
    save(settings, ANNEX)
    SavedMappings(settings).begin()
    put_site_mappings(settings.folder, "kim", first[:12])
    saved = SavedMappings(settings)
    saved.begin()
    assert ("replaced", "integration") == state_of(settings, store)
    save(settings, f"{ANNEX}# saved again\n")
    saved.look(store)
    saved.look(store)
    assert ("in-force", "saved-file") == state_of(settings, store)


def test_files_that_another_process_took_over_are_not_put_twice(settings: Settings, store: Database) -> None:
    both = [SavedMappings(settings), SavedMappings(settings)]
    for each in both:
        each.begin()
    save(settings, ANNEX)
    for each in both * 2:
        each.look(store)
    assert 2 == len(_history(store))


def _history(store: Database) -> list[str]:
    with store.read() as tx:
        return [each.hash for each in tx.mapping_sets.history()]
