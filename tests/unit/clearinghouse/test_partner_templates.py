"""The shipped partner profiles: nothing verified, every one with its source, whole once its blanks are filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ruamel.yaml import YAML

from clearinghouse.partner import Publish, SftpAccess, Usage, file_name
from clearinghouse.profile_fields import ProfileError
from clearinghouse.profile_reading import blanks, in_test, read_profile
from tests.unit.clearinghouse.test_partner import AT, KEY
from tests.unit.docs.pages import ROOT

FILES = {path.stem: path for path in sorted((ROOT / "mappings/clearinghouses").glob("*.yaml"))}
TEMPLATES = sorted(set(FILES) - {"sandbox"})
FILLED = {"key": KEY, "secret_ref": "env:PASSWORD", "isa06": "CLINIC", "isa08": "THEM"}


def settings_of(name: str) -> Any:
    yaml = YAML(typ="rt", pure=True)
    return as_text(yaml.load(FILES[name].read_text()))


def as_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_text(each) for each in value]
    return str(value)


def filled_in(value: Any, key: str = "") -> Any:
    """The settings with something plausible in place of each blank."""
    if isinstance(value, dict):
        return {name: filled_in(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [filled_in(each, key) for each in value]
    return FILLED.get(key, "given") if value.startswith("<") else value


def test_the_partners_of_the_field_are_there() -> None:
    known = {"stedi", "availity", "optum", "claim-md", "office-ally", "trizetto", "waystar", "experian", "ssi"}
    assert known | {"medicare-nsv", "state-medicaid"} == set(TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_whole_once_its_blanks_are_filled_in_and_says_where_it_is_from(name: str) -> None:
    settings = settings_of(name)
    with pytest.raises(ProfileError, match="still to be filled in"):
        read_profile(settings)
    profile = read_profile(filled_in(settings))
    assert (name, False) == (profile.profile_id, profile.verified)
    assert profile.source
    assert isinstance(profile.access, SftpAccess)
    assert (Usage.PRODUCTION, Usage.TEST) == (
        profile.envelope.usage,
        read_profile(in_test(filled_in(settings))).envelope.usage,
    )
    assert Publish.DIRECT is profile.upload.publish  # no guide says that temporary names are left alone


def test_every_blank_says_what_is_wanted_by_its_key() -> None:
    wanted = {each.path: each.message for each in blanks(settings_of("stedi"))}
    assert {"sftp.username", "sftp.secret_ref", "sftp.host_keys[0].key", "envelope.isa06"} == set(wanted)
    assert "the user name the partner assigned" in wanted["sftp.username"]


def test_office_allys_test_files_are_known_by_their_name() -> None:
    profile = read_profile(in_test(filled_in(settings_of("office-ally"))))
    name = file_name(profile.upload, "837I", 42, Usage.TEST, AT)
    assert name.startswith("OATEST_")


def test_stedis_test_files_name_another_receiver_and_go_by_another_user() -> None:
    filled = filled_in(settings_of("stedi"))
    filled["test"]["sftp"]["username"] = "clinic-test"
    test = read_profile(in_test(filled))
    assert isinstance(test.access, SftpAccess)
    assert ("STEDITEST", "clinic-test") == (test.envelope.receiver_id, test.access.username)
