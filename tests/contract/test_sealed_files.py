"""Partners who want files encrypted: the frozen file stays the plain one, the encrypted one is made once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from clearinghouse.mailbox import Step
from clearinghouse.pgp import Pgp, PgpRules
from gateway.store.database import Database
from tests.contract.test_pipeline_delivery import Died, die_at, freeze_one, run_until_settled
from tests.factories import CONNECTION
from tests.keys import KeyPair, a_key_pair
from tests.partner_answers import Partner
from tests.pipeline_site import Site


class Sealed:
    """A site and a partner with a key each."""

    def __init__(self, store: Database, folder: Path) -> None:
        self.ours, self.theirs = a_key_pair(folder, "ours"), a_key_pair(folder, "theirs")
        self.partner = Pgp(PgpRules(their_key_ref=self.ours.public, our_key_ref=self.theirs.private, verify=True))
        self.site = Site(store, folder / "partner", pgp=self.rules(self.theirs))

    def rules(self, theirs: KeyPair) -> dict[str, object]:
        return {"their_key_ref": theirs.public, "our_key_ref": self.ours.private, "sign": "true"}

    def received(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.site.root / "in").iterdir())]


@pytest.fixture
def sealed(store: Database, tmp_path: Path) -> Sealed:
    return Sealed(store, tmp_path)


def test_a_file_leaves_encrypted_and_its_answers_are_opened(sealed: Sealed) -> None:
    site = sealed.site
    site.admit()
    assert site.sending.run(CONNECTION).delivered == 1
    (row,), (upload,) = site.interchanges(), sealed.received()
    assert row.sha256 == hashlib.sha256(sealed.partner.open(upload)).hexdigest()
    collected = site.answer(sealed.partner.seal(Partner(site.payee_npi).ack_999(row)))
    assert (collected.applied, collected.problems) == (1, [])
    assert site.ailing() == []


@pytest.mark.fault("F40")
def test_an_answer_that_is_not_encrypted_or_for_another_is_kept_and_used_for_nothing(
    sealed: Sealed, tmp_path: Path
) -> None:
    site = sealed.site
    site.admit()
    site.sending.run(CONNECTION)
    answer = Partner(site.payee_npi).ack_999(site.interchanges()[0])
    stranger = a_key_pair(tmp_path, "stranger")
    collected = site.answer(answer, Pgp(PgpRules(their_key_ref=stranger.public)).seal(answer))
    assert collected.applied == 0
    plain, foreign = sorted(collected.problems)
    assert "encrypted for another key than ours" in plain
    assert "it is not encrypted with OpenPGP" in foreign
    with site.store.read() as tx:
        assert 2 == len([*tx.partners.reports()])


@pytest.mark.parametrize("step", [Step.OPENED, Step.BYTES_DONE])
def test_the_same_encrypted_bytes_are_sent_again_whoever_sends_them(sealed: Sealed, step: Step) -> None:
    site = sealed.site
    freeze_one(site)
    die_at(site.sending, step, after=True)
    with pytest.raises(Died):
        site.sending.run(CONNECTION)
    with site.store.read() as tx:
        frozen = tx.exchanges.sealed(site.interchanges()[0].id)
    heir = site.heir()
    assert run_until_settled(heir) == "delivered"
    assert sealed.received() == [frozen]


def test_a_file_waits_for_a_key_that_serves_and_nobody_elses_file_waits_for_it(sealed: Sealed, tmp_path: Path) -> None:
    site = sealed.site
    public = Path(sealed.theirs.public.removeprefix("file:"))
    kept = public.read_text()
    public.write_text("none")
    site.admit()
    (problem,) = site.sending.run(CONNECTION).problems
    assert "their key cannot be read" in problem
    assert ([row.state for row in site.interchanges()], site.uploaded()) == (["ready"], [])
    public.write_text(kept)
    assert site.sending.run(CONNECTION).delivered == 1


def test_an_answer_waits_at_the_partner_for_our_key(sealed: Sealed) -> None:
    site = sealed.site
    site.admit()
    site.sending.run(CONNECTION)
    private = Path(sealed.ours.private.removeprefix("file:"))
    kept = private.read_text()
    private.unlink()
    collected = site.answer(sealed.partner.seal(Partner(site.payee_npi).ack_999(site.interchanges()[0])))
    assert (collected.files, collected.applied) == (0, 0)
    assert "an encrypted file waits" in collected.problems[0]
    private.write_text(kept)
    assert site.collecting.run(CONNECTION).applied == 1
