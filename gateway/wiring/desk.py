"""What people decide at a site, beside what they ask of it: one desk behind every door. Plain dicts, stable keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from gateway.claim.actor import Actor
from gateway.claim.roster import RosterKind
from gateway.errors import Conflict, NotAllowed, NotFound
from gateway.permissions import Permission, require
from gateway.pipeline import doctor, exchange_views
from gateway.pipeline.readiness import readiness, readiness_view
from gateway.pipeline.silence import silence_view
from gateway.pipeline.views import work_item_view
from gateway.ports.exchanges import AnswerStatus
from gateway.ports.watch import Outcome
from gateway.wiring.asked import one_known, one_payer
from gateway.wiring.benefit_answers import read_benefit_answers
from gateway.wiring.books import ANSWER_TYPES, Books
from gateway.wiring.mappings import mapping_state, state_view
from gateway.wiring.rosters import OWN_ROSTER, known_names, read_roster, roster_kind, roster_source
from gateway.wiring.site import Site

REPORT = "report"
"""The type of a returned file that is no answer."""


class Desk(Books):
    """One site's desk: its books, and the decisions. ``after`` runs when something was decided that leaves work to do.

    Commands raise NotFound, NotAllowed and Conflict; everything raises Unavailable when the database does not answer.
    """

    def __init__(self, site: Site, after: Callable[[], None]) -> None:
        super().__init__(site.store)
        self.site = site
        self._after = after

    # --- claims ------------------------------------------------------------------------------------------------------

    def release(self, text: str, actor: Actor, reason: str = "") -> dict[str, Any]:
        """{"claim": id, "state"} after the release."""
        self.site.commands.release(text, actor, reason)
        return self._state_of(text)

    def release_all(self, actor: Actor, state: str, payer: str = "", reason: str = "") -> dict[str, Any]:
        """Release every claim in one state: {"released": [ids], "refused": [{"claim", "reason"}]}."""
        require(actor, Permission.RELEASE)
        one_payer(self.site.store, payer)
        with self.site.store.read() as tx:
            ids = [row.id for row in tx.claims.search(payer=payer, state=state)]
        released, refused = [], []
        for claim_id in ids:
            try:
                self.site.commands.release(claim_id, actor, reason)
            except (NotAllowed, NotFound, Conflict) as error:
                refused.append({"claim": claim_id, "reason": str(error)})
            else:
                released.append(claim_id)
        self._after()
        return {"released": released, "refused": refused}

    def hold(self, text: str, actor: Actor, reason: str) -> dict[str, Any]:
        """{"claim": id, "state"} after the hold."""
        self.site.commands.hold(text, actor, reason)
        return self._state_of(text)

    def override(self, text: str, rule: str, actor: Actor, reason: str, expires_on: date) -> dict[str, Any]:
        """{"claim": id, "state"} after one rule's block was let pass."""
        self.site.commands.override(text, rule, actor, reason, expires_on)
        return self._state_of(text)

    def _state_of(self, text: str) -> dict[str, Any]:
        self._after()
        with self.site.store.read() as tx:
            row = tx.claims.find(text)
            assert row is not None, "a claim is never deleted"
            return {"claim": row.id, "state": row.state}

    def decide_encounters(
        self, first: str, second: str, decision: str, actor: Actor, organization: str = "", reason: str = ""
    ) -> dict[str, Any]:
        """Say whether two encounters told by two feeds are one: {"encounters": [ids], "decision"}."""
        with self.site.store.read() as tx:
            known = {row.encounter_id for row in tx.claims.placements()}
        unknown = [each for each in (first, second) if each not in known]
        if unknown:
            raise NotFound(f"there is no encounter {unknown[0]}; 'cleanclaim encounters list' shows their ids")
        pair = frozenset({first, second})
        self.site.commands.decide_encounters(self._organization(organization), pair, decision, actor, reason)
        self._after()
        return {"encounters": sorted(pair), "decision": decision}

    def close_item(self, item: str, outcome: str, actor: Actor, reason: str) -> dict[str, Any]:
        """A worklist item after a person closed it. Raises NotKnown for an outcome there is not."""
        one_known("outcome", outcome or "none", Outcome)
        return work_item_view(self.site.commands.close_item(item, Outcome(outcome), actor, reason))

    def reopen_item(self, item: str, actor: Actor, reason: str = "") -> dict[str, Any]:
        """A worklist item after it was put back on the list."""
        return work_item_view(self.site.commands.reopen_item(item, actor, reason))

    def load_roster(
        self,
        kind: str,
        content: bytes,
        name: str,
        actor: Actor,
        *,
        organization: str = "",
        source: str = OWN_ROSTER,
        whole: bool = False,
    ) -> dict[str, Any]:
        """Load a roster's file, every row or none: {"organization", "kind", "source", "rows", "added", "changed",
        "retired", "unmatched", "unanswered"}.

        Raises ConfigurationError with everything wrong in any row, FormatError for a broken 271 or a source's name.
        """
        owner, wanted, keeper = self._organization(organization), roster_kind(kind), roster_source(source)
        mapping_set = self.site.policy.mapping_set
        known, unanswered = known_names(mapping_set, owner), 0
        if wanted is RosterKind.ELIGIBILITY and content.lstrip().startswith(b"ISA"):
            payers = mapping_set.catalogue.payers.values()
            rows, unanswered = read_benefit_answers(content, name, payers, known)
        else:
            rows = read_roster(wanted, content, name, known)
        load = self.site.commands.load_roster(owner, wanted, keeper, rows, actor, file=content, whole=whole)
        self._after()
        return {"organization": owner, "kind": wanted, "source": source, **asdict(load), "unanswered": unanswered}

    def _organization(self, name: str) -> str:
        known = sorted(self.site.policy.catalogue.organizations)
        if name in known:
            return name
        if not name and len(known) == 1:
            return known[0]
        one_known("organization", name, known)
        raise NotFound(f"say which organization is meant; there are {', '.join(known) or 'none'}")

    # --- exchange ----------------------------------------------------------------------------------------------------

    def exchange_status(self) -> dict[str, Any]:
        """{"connections": [last contact, next run, what is queued, in doubt, silent, set aside at each, and whether it
        is paused, or this machine may not send there]}."""
        with self.site.store.read() as tx:
            found = exchange_views.exchange_status(tx, self.site.exchanges)
        return {"connections": [each | self._standing(each["connection"]) for each in found]}

    def _standing(self, connection: str) -> dict[str, Any]:
        watch, usage = self.site.connections, self.site.exchanges[connection].usage
        return asdict(watch.standing(connection)) | {"refused": watch.refusal(connection, usage)}

    def silences(self, connection: str = "") -> dict[str, Any]:
        """{"silences": [what a partner should have answered by now, the longest due first]}."""
        names = self._connections(connection)
        with self.site.store.read() as tx:
            found = [silence_view(each) for each in tx.partners.silences(connection)]
        return {"silences": [each for each in found if each["connection"] in names]}

    def send(self, actor: Actor, connection: str = "") -> dict[str, Any]:
        """One sending pass: {"connections": [{"connection", "frozen", "delivered", "in_doubt", "paused", ...}]}."""
        require(actor, Permission.EXCHANGE)
        self.site.settle()
        names = self._connections(connection)
        passes = [{"connection": name, **asdict(self.site.sending.run(name))} for name in names]
        self.site.silences.run()
        return {"connections": passes}

    def collect(self, actor: Actor, connection: str = "") -> dict[str, Any]:
        """One collecting pass: {"connections": [{"connection", "files", "applied", ...}]}."""
        require(actor, Permission.EXCHANGE)
        names = self._connections(connection)
        passes = [{"connection": name, **asdict(self.site.collecting.run(name))} for name in names]
        self.site.silences.run()
        self._after()
        return {"connections": passes}

    def resolve(self, interchange: str, resolution: str, actor: Actor, reason: str) -> dict[str, Any]:
        """A person's decision on a file in doubt: {"interchange", "state"}."""
        state = self.site.commands.resolve(interchange, resolution, actor, reason)
        self._after()
        return {"interchange": interchange, "state": state}

    def post(self, answer: str, actor: Actor, reason: str) -> dict[str, Any]:
        """Post a remittance that does not balance: {"answer", "suspense_cents"}: what went there unexplained."""
        cents = self.site.collecting.post(answer, actor, reason)
        self._after()
        return {"answer": answer, "suspense_cents": cents}

    def raw_answer(self, answer_id: str, actor: Actor) -> bytes:
        """The bytes of one answer as it came, in an envelope of its own, or of one report."""
        require(actor, Permission.HAND_ON_ANSWERS)
        with self.site.store.read() as tx:
            kept = {row.id: row.raw_sha256 for row in tx.exchanges.answers()}
            kept |= {row.id: row.sha256 for row in tx.partners.reports()}
            if answer_id not in kept:
                raise NotFound("there is no such answer; GET /api/v1/answers lists them, /api/v1/reports the reports")
            content = tx.exchanges.raw(kept[answer_id])
        self._audit(actor, answer_id, "1 handed on")
        return content

    def hand_on(self, folder: Path, actor: Actor, *, type: str = "835", status: str = "") -> dict[str, Any]:
        """Write stored answers into a folder for another system: {"files": [{"answer", "type", "path", "written"}]}.

        A file that is there already with the same bytes is left alone; names hold no patient's data.
        """
        require(actor, Permission.HAND_ON_ANSWERS)
        one_known("type", type, (*ANSWER_TYPES, REPORT))
        one_known("status", status, AnswerStatus)
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        with self.site.store.read() as tx:
            for report in tx.partners.reports() if type == REPORT else ():
                path = folder / f"report_{report.received_at:%Y%m%d}_{report.id}"
                written = _write_once(path, tx.exchanges.raw(report.sha256))
                files.append({"answer": report.id, "type": REPORT, "path": str(path), "written": written})
            for row in tx.exchanges.answers(type=type, status=status):
                path = folder / f"{row.type}_{row.received_at:%Y%m%d}_{row.id}.x12"
                written = _write_once(path, tx.exchanges.raw(row.raw_sha256))
                files.append({"answer": row.id, "type": row.type, "path": str(path), "written": written})
        self._audit(actor, type or "every-type", f"{len(files)} handed on")
        return {"files": files}

    def _audit(self, actor: Actor, subject: str, detail: str) -> None:
        with self.site.store.write() as tx:
            now = self.site.clock.now()
            tx.audit.record(now, actor, "hand-on-answers", f"answers:{subject}", "", detail)

    def _connections(self, name: str) -> Sequence[str]:
        one_known("connection", name, self.site.exchanges)
        return [name] if name else list(self.site.exchanges)

    # --- the whole ---------------------------------------------------------------------------------------------------

    def readiness(self, days: int = 14) -> dict[str, Any]:
        """{"ready", "today", "through", "missing": [...], "due": [...], "mappings"}: what nobody loaded, falls due.

        Edited mapping files that were refused are not ready either.
        """
        site = self.site
        with site.store.read() as tx:
            found = readiness_view(readiness(tx, site.policy, site.settings.tenant, site.clock.now(), days))
        mappings = self.mappings()
        return {**found, "ready": found["ready"] and mappings["state"] != "refused", "mappings": mappings}

    def mappings(self) -> dict[str, Any]:
        """{"in_force", "at", "actor", "role", "edited", "state", "sentence", "problems"}: the files against the set."""
        return state_view(mapping_state(self.site.settings, self.site.store))

    def doctor(self) -> dict[str, Any]:
        """{"ok", "checks": [{"name", "ok", "detail"}]}: recounted from raw messages and frozen bytes."""
        checks = [asdict(each) for each in doctor.examine(self.site.store, self.site.policy, self.site.exchanges)]
        mappings = self.mappings()
        refused = mappings["state"] == "refused"
        checks.append({"name": "mapping-files-hold", "ok": not refused, "detail": mappings["sentence"]})
        return {"ok": all(each["ok"] for each in checks), "checks": checks}


def _write_once(path: Path, content: bytes) -> bool:
    """Write a file that is not there yet; False when it is there with the same bytes. Raises Conflict on others."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        if path.read_bytes() != content:
            raise Conflict(f"{path} is there already with other content; hand on into an empty folder") from None
        return False
    return True
