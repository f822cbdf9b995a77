"""OpenPGP: sealed for one, opened by that one alone; what is wrong is told without a key or a content."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pysequoia
import pytest

from clearinghouse.pgp import LARGEST_GROWTH, KeyUnusable, NotOpened, Pgp, PgpRules
from clearinghouse.secret import SecretMissing
from tests.keys import KeyPair, a_key_pair

CONTENT = b"ISA*00*" + bytes(range(256)) * 40


@pytest.fixture
def ours(tmp_path: Path) -> KeyPair:
    return a_key_pair(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> KeyPair:
    return a_key_pair(tmp_path, "theirs")


def test_what_one_seals_and_signs_the_other_opens_and_verifies(ours: KeyPair, theirs: KeyPair) -> None:
    us = Pgp(PgpRules(their_key_ref=theirs.public, our_key_ref=ours.private, sign=True))
    them = Pgp(PgpRules(their_key_ref=ours.public, our_key_ref=theirs.private, verify=True))
    sealed = us.seal(CONTENT)
    assert CONTENT[:40] not in sealed
    assert sealed != us.seal(CONTENT)
    assert len(sealed) - len(CONTENT) < LARGEST_GROWTH
    assert CONTENT == them.open(sealed)
    assert CONTENT == them.open(pysequoia.armor(sealed, pysequoia.ArmorKind.Message).encode())


def test_what_is_not_as_agreed_is_not_opened(ours: KeyPair, theirs: KeyPair, tmp_path: Path) -> None:
    stranger = a_key_pair(tmp_path, "stranger")
    us = Pgp(PgpRules(their_key_ref=theirs.public, our_key_ref=ours.private, verify=True))
    for_us = PgpRules(their_key_ref=ours.public, our_key_ref=theirs.private)
    unsigned = Pgp(for_us).seal(CONTENT)
    by_a_stranger = Pgp(PgpRules(their_key_ref=ours.public, our_key_ref=stranger.private, sign=True)).seal(CONTENT)
    signer = pysequoia.Tsk.from_file(theirs.private.removeprefix("file:")).signer()
    refused = {
        "not encrypted": [
            CONTENT,
            b"",
            b"ISA*00*",
            pysequoia.sign(signer, CONTENT),
            pysequoia.sign(signer, CONTENT, armor=False),
        ],
        "no valid signature": [unsigned, by_a_stranger],
        "another key than ours": [Pgp(PgpRules(their_key_ref=theirs.public)).seal(CONTENT)],
        "cannot be decrypted": [unsigned[:-20], unsigned[:-1] + b"!"],
    }
    for words, files in refused.items():
        for file in files:
            with pytest.raises(NotOpened, match=words) as told:
                us.open(file)
            assert "Stack" not in str(told.value)


def test_a_key_that_has_expired_seals_nothing_and_opens_nothing(ours: KeyPair, tmp_path: Path) -> None:
    old = a_key_pair(tmp_path, "old", seconds=1)
    time.sleep(1.1)
    sealed = pysequoia.encrypt(CONTENT, recipients=[pysequoia.Cert.from_file(old.public.removeprefix("file:"))])
    trials: list[Callable[[], object]] = [
        lambda: Pgp(PgpRules(their_key_ref=old.public)).seal(CONTENT),
        lambda: Pgp(PgpRules(their_key_ref=ours.public, our_key_ref=old.private, sign=True)).seal(CONTENT),
        lambda: Pgp(PgpRules(our_key_ref=old.private)).open(sealed),
        Pgp(PgpRules(our_key_ref=old.private)).tried_keys,
    ]
    for trial in trials:
        with pytest.raises(KeyUnusable, match="expired on"):
            trial()


def test_a_revoked_key_seals_nothing(theirs: KeyPair) -> None:
    path = Path(theirs.public.removeprefix("file:"))
    key = pysequoia.Tsk.from_file(theirs.private.removeprefix("file:"))
    public = key.extract_certificate()
    revocation = public.revoke(key.certifier())
    path.write_bytes(pysequoia.armor(bytes(public) + bytes(revocation), pysequoia.ArmorKind.PublicKey).encode())
    with pytest.raises(KeyUnusable, match="was revoked"):
        Pgp(PgpRules(their_key_ref=theirs.public)).seal(CONTENT)


def test_keys_that_cannot_be_read_are_told_by_whose_they_are(ours: KeyPair, theirs: KeyPair, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("-----BEGIN")
    for rules, error, words in (
        (PgpRules(their_key_ref=f"file:{nonsense}"), KeyUnusable, "their key cannot be read"),
        (PgpRules(their_key_ref=f"file:{tmp_path}/none"), SecretMissing, "cannot be read"),
        (PgpRules(our_key_ref=f"file:{nonsense}"), KeyUnusable, "our key cannot be read"),
        (PgpRules(our_key_ref=theirs.public), KeyUnusable, "our key opens nothing"),
    ):
        with pytest.raises(error, match=words):
            Pgp(rules).tried_keys()
    said = Pgp(PgpRules(their_key_ref=theirs.public, our_key_ref=ours.private, sign=True)).tried_keys()
    assert said.startswith("uploads are sealed and signed for ")
