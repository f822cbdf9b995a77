"""Whoever reaches a use case is asked for the permission there, whatever door they came by."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from gateway.claim.actor import Actor
from gateway.claim.roster import RosterKind
from gateway.errors import GatewayError, NotAllowed
from gateway.permissions import PERMISSIONS, ROLES, Permission
from gateway.ports.watch import Outcome
from tests.factories import CONNECTION, NOON, ORGANIZATION
from tests.pipeline_site import Site

WHY = "because"
Act = Callable[[Site, Actor], object]
ACTS: Mapping[Permission, Act] = {
    Permission.RELEASE: lambda site, actor: site.commands.release("NOBODY", actor),
    Permission.HOLD: lambda site, actor: site.commands.hold("NOBODY", actor, WHY),
    Permission.OVERRIDE: lambda site, actor: site.commands.override("NOBODY", "rule", actor, WHY, NOON.date()),
    Permission.RESOLVE: lambda site, actor: site.commands.resolve("NOBODY", "resend", actor, WHY),
    Permission.CLOSE_WORK: lambda site, actor: site.commands.close_item("NOBODY", Outcome.DONE, actor, WHY),
    Permission.WRITE_OFF: lambda site, actor: site.commands.close_item("NOBODY", Outcome.WRITTEN_OFF, actor, WHY),
    Permission.DECIDE_ENCOUNTERS: lambda site, actor: site.commands.decide_encounters(
        ORGANIZATION, frozenset({"one"}), "same", actor
    ),
    Permission.LOAD_ROSTERS: lambda site, actor: site.commands.load_roster(
        ORGANIZATION, RosterKind.CONSENTS, "own", {}, actor, file=b""
    ),
    Permission.POST: lambda site, actor: site.collecting.post("NOBODY", actor, WHY),
    Permission.EXCHANGE: lambda site, actor: site.connections.resume(CONNECTION, actor, WHY),
    Permission.WAIVE: lambda site, actor: site.connections.waive_certification(CONNECTION, actor, WHY),
    Permission.MOVE_NUMBERS: lambda site, actor: site.connections.guard(CONNECTION, site.exchange, actor, WHY, skip=0),
}


@pytest.mark.parametrize("permission", ACTS)
def test_a_use_case_is_for_the_roles_of_the_one_table_and_no_other(permission: Permission, site: Site) -> None:
    refused = set()
    for role in (*ROLES, "machine"):
        try:
            ACTS[permission](site, Actor(name="somebody", role=role))
        except NotAllowed as error:
            if f"the role {role} may not {permission.words}" in str(error):
                refused.add(role)
        except GatewayError:
            pass  # allowed, and there is nothing by that name
    assert {*ROLES, "machine"} - set(PERMISSIONS[permission]) == refused


def test_a_reopened_item_asks_for_the_permission_to_close(site: Site) -> None:
    with pytest.raises(NotAllowed, match="the role viewer may not close work"):
        site.commands.reopen_item("NOBODY", Actor(name="vera", role="viewer"))
