"""What an operator is told of a file that broke off: what is known, by which proof, what happens next, everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clearinghouse.mailbox import Step
from gateway.lifecycle import ClaimState
from gateway.pipeline import exchange_views
from gateway.pipeline.deliver import LEASE
from gateway.pipeline.views import claim_detail, claim_why
from gateway.store.database import Database
from tests.contract.test_pipeline_delivery import Died, die_at, freeze_one
from tests.factories import CONNECTION
from tests.pipeline_site import SETTLE_GAP, SUPERVISOR, Site

AGAIN = "the same bytes go again under the same name, once 'exchange send' or 'serve' may send and reaches the partner"


def files(site: Site, name: str) -> list[dict[str, Any]]:
    with site.store.read() as tx:
        (found,) = exchange_views.exchange_status(tx, {CONNECTION: site.exchange})
    listed: list[dict[str, Any]] = found[name]
    return listed


def why(site: Site) -> str:
    with site.store.read() as tx:
        (row,) = tx.claims.search()
        because: str = claim_why(tx, row.id)["because"]
    return because


def heard(site: Site) -> list[tuple[str, str, str]]:
    """(what, who, why) of everything about the file in the claim's timeline."""
    with site.store.read() as tx:
        (row,) = tx.claims.search()
        facts = claim_detail(tx, row.id)["facts"]
    about = ("in-doubt", "not-arrived", "delivered")
    return [(each["kind"], each["actor"], each["reason"]) for each in facts if each["kind"] in about]


def broken_off(site: Site, step: Step, *, after: bool) -> Site:
    """The process that comes after the one that was killed at a step, once nobody alive can hold the file."""
    interchange_id = freeze_one(site)
    die_at(site.sending, step, after=after)
    with pytest.raises(Died):
        site.sending.deliver(interchange_id)
    heir = site.heir()
    heir.clock.move(LEASE)
    return heir


def test_two_looks_that_agree_are_the_proof_and_the_file_is_said_to_go_again(site: Site) -> None:
    heir = broken_off(site, Step.BYTES_DONE, after=False)
    (under_way,) = files(heir, "under_way")
    assert under_way["known"] == "it is being sent, and was last heard of after it was begun (2026-08-17 12:00 UTC)"
    assert under_way["next"] == "if its sender died, the partner is asked from 2026-08-17 12:20 UTC on"
    assert heir.sending.settle(CONNECTION) == 1
    (doubtful,) = files(heir, "in_doubt")
    look = "and a look at 12:20:00 UTC found nothing of it"
    assert doubtful["known"] == f"it broke off after it was begun (2026-08-17 12:00 UTC), {look}"
    assert doubtful["next"] == f"it is looked for again from 12:21:00 UTC on; if nothing is there then either, {AGAIN}"
    assert (heir.state(), "whether its file arrived is not known" in why(heir)) == (ClaimState.IN_DOUBT, True)

    heir.clock.move(SETTLE_GAP)
    assert heir.sending.settle(CONNECTION) == 0
    proof = "two looks, 12:20:00 and 12:21:00 UTC, found nothing of it at the partner's"
    (again,) = files(heir, "goes_again")
    assert (again["known"], again["next"]) == (proof, AGAIN)
    assert files(heir, "in_doubt") == []
    assert (heir.state(), why(heir)) == (
        ClaimState.FROZEN,
        f"it is frozen: its file goes again ({proof}) on 2026-08-17",
    )
    assert heard(heir)[1:] == [("not-arrived", "machine", proof)]
    assert heir.ailing() == []
    with heir.store.read() as tx:
        acts = [(each["action"], each["reason"]) for each in tx.audit.acts(f"interchange:{again['id']}")]
    assert ("not-arrived", proof) in acts

    heir.sending.run(CONNECTION)
    assert (heir.state(), files(heir, "goes_again")) == (ClaimState.TRANSMITTED, [])


def test_a_second_attempt_that_breaks_off_is_a_doubt_of_its_own(site: Site) -> None:
    heir = broken_off(site, Step.BYTES_DONE, after=False)
    heir.sending.settle(CONNECTION)
    heir.clock.move(SETTLE_GAP)
    heir.sending.settle(CONNECTION)
    assert heir.state() is ClaimState.FROZEN
    die_at(heir.sending, Step.RENAME_OK, after=False)
    with pytest.raises(Died):
        heir.sending.run(CONNECTION)
    last = heir.heir()
    last.clock.move(LEASE)
    with last.store.read() as tx:
        (row,) = tx.exchanges.interchanges()
    (last.root / "in" / row.remote_name).rename(last.root / "taken")
    assert last.sending.settle(CONNECTION) == 1
    assert (last.state(), "whether its file arrived is not known" in why(last)) == (ClaimState.IN_DOUBT, True)
    (doubtful,) = files(last, "in_doubt")
    assert doubtful["known"].startswith("it broke off while it got its final name")
    assert f"exchange resolve {row.id} confirm-delivered' or 'resend'" in doubtful["next"]


def test_a_person_who_says_resend_is_the_proof_that_is_told(store: Database, tmp_path: Path) -> None:
    heir = broken_off(Site(store, tmp_path, publish="direct"), Step.OPENED, after=True)
    assert heir.sending.settle(CONNECTION) == 1
    (row,) = heir.interchanges()
    heir.commands.resolve(row.id, "resend", SUPERVISOR, "they have no such file")
    (again,) = files(heir, "goes_again")
    assert (again["known"], again["next"]) == ("sam, supervisor, said so: they have no such file", AGAIN)
    assert heard(heir)[-1] == ("not-arrived", "sam", "they have no such file")
    assert heir.state() is ClaimState.FROZEN


def test_what_was_found_at_the_partners_or_confirmed_by_a_person_says_so_in_the_timeline(site: Site) -> None:
    heir = broken_off(site, Step.RENAME_OK, after=False)
    heir.sending.settle(CONNECTION)
    assert heard(heir)[-1] == ("delivered", "machine", "it was found at the partner's by looking")


def test_a_try_that_provably_failed_says_that_it_goes_again(site: Site) -> None:
    interchange_id = freeze_one(site)
    (site.root / "in").rename(site.root / "away")
    assert len(site.sending.run(CONNECTION).problems) == 1
    (again,) = files(site, "goes_again")
    assert (again["id"], again["next"]) == (interchange_id, AGAIN)
    assert "nothing of it arrived" in again["known"]
    assert heard(site) == []
