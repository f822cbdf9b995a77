"""A whole site on one database: scripted feeds, the real derivation, gate and guide check, a folder as mailbox."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from clearinghouse.claim_loops import submitter_loop
from clearinghouse.exchange import PartnerExchange
from clearinghouse.folder import FolderMailbox
from clearinghouse.guide_check import RenderedGuideCheck
from clearinghouse.partner import FolderAccess
from clearinghouse.profile_reading import read_profile
from gateway.claim.actor import Actor
from gateway.claim.contract import Catalogue, Payer, Release, Route
from gateway.claim.party import Identifier
from gateway.claim.record import FeedRecord
from gateway.lifecycle import ClaimState
from gateway.pipeline.check import Checker
from gateway.pipeline.collect import Collected, CollectPass
from gateway.pipeline.commands import Commands
from gateway.pipeline.connections import ConnectionWatch
from gateway.pipeline.derive import Derivation
from gateway.pipeline.derive_pass import DerivePass
from gateway.pipeline.doctor import examine
from gateway.pipeline.interpret import InterpretPass
from gateway.pipeline.owners import SourceOwner
from gateway.pipeline.receive import Receiver
from gateway.pipeline.send import SendPass
from gateway.pipeline.silence import SilencePass
from gateway.ports import Arrival, Interpretation, Interpreter, MappedRecord, Resource
from gateway.ports.claims import ClaimRow, Version
from gateway.ports.exchanges import AnswerRow, InterchangeRow
from gateway.ports.storage import Store
from gateway.rules.context import CodeSets
from gateway.services.claim_content import billing_provider
from gateway.wiring.numbers_beside import NumbersBeside
from tests.factories import CONNECTION, NOON, ORGANIZATION, TENANT, ManualClock
from tests.unit.services import samples

BILLER = Actor(name="ana", role="biller")
SUPERVISOR = Actor(name="sam", role="supervisor")
SENDER_ID, RECEIVER_ID = "HARBOR", "CLEARING"
SETTLE_GAP = timedelta(minutes=1)
LOCAL_TIME = ZoneInfo("America/Chicago")
OTHER_CONNECTION = "other-clearing"


class OpenCodeSets(CodeSets):
    """Code sets that know every code."""

    def diagnosis_is_known(self, code: str, on: date) -> bool | None:
        return True

    def diagnosis_is_billable(self, code: str, on: date) -> bool | None:
        return True

    def place_of_service_is_known(self, code: str) -> bool:
        return True

    def hcpcs_is_known(self, code: str, on: date) -> bool | None:
        return True


@dataclass
class ScriptedInterpreter:
    """Says of each message what the test wrote for it."""

    script: dict[bytes, Interpretation] = field(default_factory=dict)

    def interpret_message(self, content: bytes, received_at: datetime) -> Interpretation:
        return self.script[content]

    def interpret_resource(self, resource: Resource, find: Callable[[str], Resource | None]) -> Interpretation:
        return self.script[resource.id.encode()]


@dataclass
class SitePolicy:
    """A mapping set in force: the sample clinic, whose payer Acme lets clean claims leave by themselves."""

    catalogue: Catalogue
    interpreters: dict[str, Interpreter]
    codes: OpenCodeSets = field(default_factory=OpenCodeSets)
    built_names: dict[str, str] = field(default_factory=dict)

    def interpreter(self, source: str) -> Interpreter:
        return self.interpreters[source]

    def precedence(self, source: str) -> int:
        return sorted(self.interpreters).index(source)

    def medical_record_number(self, organization: str, identifiers: Sequence[Identifier]) -> str:
        return next((each.value for each in identifiers if each.namespace == "ehr"), "")


def a_catalogue(**payer: Any) -> Catalogue:
    """The sample clinic under the tests' tenant, with changes to its payer Acme: other terms are another set."""
    given = {"release": Release.AUTOMATIC, **payer}
    acme: Payer = replace(samples.CATALOGUE.payers["acme"], **given)
    organization = replace(samples.CATALOGUE.organizations[ORGANIZATION], tenant=TENANT)
    terms = hashlib.sha256(repr(sorted(payer.items())).encode()).hexdigest()
    return replace(
        samples.CATALOGUE,
        content_hash=terms if payer else samples.CATALOGUE.content_hash,
        payers={**samples.CATALOGUE.payers, "acme": acme},
        organizations={ORGANIZATION: organization},
    )


class Site:
    """The use cases over one store. Several sites over one store are several processes."""

    def __init__(
        self, store: Store, root: Path, catalogue: Catalogue | None = None, memory: Path | None = None, **profile: Any
    ) -> None:
        for folder in ("in", "out", "archive"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        self.store, self.root, self.clock = store, root, ManualClock(NOON)
        self._profile = profile
        self.script = ScriptedInterpreter()
        self.policy = SitePolicy(catalogue or a_catalogue(), {"ehr": self.script, "hl7": self.script})
        organization = self.policy.catalogue.organizations[ORGANIZATION]
        self.payee_npi = organization.npi
        self.submitter = submitter = submitter_loop(billing_provider(organization), SENDER_ID)
        partner = read_profile(a_profile(root, **profile))
        self.mailbox = FolderMailbox(FolderAccess(root), partner.upload)
        exchange = PartnerExchange(partner, self.mailbox, submitter, local_time=LOCAL_TIME, settle_gap=SETTLE_GAP)
        self.exchange = exchange
        self.exchanges = {CONNECTION: exchange, OTHER_CONNECTION: exchange}
        derivation = Derivation(self.policy, Checker(RenderedGuideCheck(submitter)))
        owners = {name: SourceOwner(tenant=TENANT, organization=ORGANIZATION) for name in ("ehr", "hl7")}
        self.receiver = Receiver(store, self.clock, owners)
        self.interpreting = InterpretPass(store, self.clock, self.policy)
        self.deriving = DerivePass(store, self.clock, derivation)
        self.memory = memory or root / "sent-numbers"
        self.connections = ConnectionWatch(store, self.clock, NumbersBeside(self.memory))
        self.sending = SendPass(store, self.clock, derivation, self.exchanges, self.connections)
        self.collecting = CollectPass(store, self.clock, self.policy, self.exchanges, self.connections)
        self.silences = SilencePass(store, self.clock, self.exchanges)
        self.commands = Commands(store, self.clock, derivation)

    def heir(self, **changes: Any) -> Site:
        """Another process, started after this one died: the same store, partner, mapping set and time."""
        return self._like_this_one(self.store, self.memory, **changes)

    def other_machine(self, memory: Path, store: Store | None = None) -> Site:
        """Another machine of the site: its own memory, and a connection of its own to the database."""
        return self._like_this_one(store or self.store, memory)

    def _like_this_one(self, store: Store, memory: Path, **changes: Any) -> Site:
        heir = Site(store, self.root, self.policy.catalogue, memory, **{**self._profile, **changes})
        heir.script.script = self.script.script
        heir.clock.at = self.clock.at
        return heir

    def by_other_connection(self) -> Site:
        """Another process, an hour later: the payer's route goes by the other connection now."""
        routes = (Route(connection=OTHER_CONNECTION, payer_number="NACME"),)
        moved = Site(self.store, self.root, a_catalogue(routes=routes), **self._profile)
        moved.script.script = self.script.script
        moved.clock.at = self.clock.at + timedelta(hours=1)
        return moved

    # --- in ----------------------------------------------------------------------------------------------------------

    def tell(self, *records: FeedRecord, at: datetime = NOON, source: str = "ehr", key: str = "") -> None:
        """One message that says these things, received, interpreted and derived."""
        content = key.encode() or b"message %d" % len(self.script.script)
        self.script.script[content] = Interpretation(
            records=tuple(MappedRecord(record=each, asserted_at=at, origins={}) for each in records)
        )
        arrival = Arrival(source=source, content=content, content_type="x-application/hl7-v2+er7", control_key=key)
        self.receiver.receive([arrival])
        self.settle_facts()

    def settle_facts(self) -> None:
        """Interpret and derive until nothing waits."""
        while self.interpreting.run() + self.deriving.run():
            pass

    def admit(self, number: int = 1, **encounter: Any) -> None:
        """One adult in the mental health IOP with Acme: an authorization, a stay, three signed program days."""
        self.tell(*a_week(number, **encounter))

    # --- what became of it -------------------------------------------------------------------------------------------

    def claims(self) -> list[ClaimRow]:
        with self.store.read() as tx:
            return tx.claims.search()

    def states(self) -> list[str]:
        return [row.state for row in self.claims()]

    def state(self) -> ClaimState:
        (row,) = self.claims()
        return ClaimState(row.state)

    def versions(self) -> list[Version]:
        with self.store.read() as tx:
            found = tx.claims.versions([row.id for row in tx.claims.search()])
            return [version for each in sorted(found) for version in found[each]]

    def interchanges(self) -> list[InterchangeRow]:
        with self.store.read() as tx:
            return tx.exchanges.interchanges()

    def balances(self) -> dict[str, int]:
        with self.store.read() as tx:
            return {account: cents for account, cents in tx.ledger.balances().items() if cents}

    def uploaded(self) -> list[str]:
        """Names of the files at the partner's, taken ones included."""
        return sorted(path.name for folder in ("in", "archive") for path in (self.root / folder).iterdir())

    def ailing(self) -> list[str]:
        """What the doctor finds amiss."""
        return [
            f"{each.name}: {each.detail}" for each in examine(self.store, self.policy, self.exchanges) if not each.ok
        ]

    # --- back --------------------------------------------------------------------------------------------------------

    def answer(self, *contents: bytes) -> Collected:
        """The partner leaves files, and we collect them."""
        for content in contents:
            number = len(list((self.root / "out").iterdir()))
            (self.root / "out" / f"{number:03}.edi").write_bytes(content)
        collected = self.collecting.run(CONNECTION)
        self.settle_facts()
        return collected


def a_profile(root: Path, **changes: Any) -> dict[str, object]:
    """A partner's profile over a folder: answers count at once, and stay where they are."""
    return {
        "profile": {"id": CONNECTION, "partner": "clearing"},
        "folder": {"path": str(root)},
        "upload": {
            "dir": "in",
            "publish": changes.get("publish", "rename_same_dir"),
            "probe_dirs": ["archive"],
            "probe_notify": changes.get("probe_notify"),
            "max_clm_per_st": changes.get("max_claims", 100),
            "max_bytes": changes.get("max_bytes"),
            "max_files_per_hour": changes.get("max_files_per_hour"),
        },
        "download": {
            "dirs": [{"path": "out"}],
            "settle": {"polls": changes.get("polls", 1), "min_age_s": 0},
            "after": changes.get("after", "leave"),
        },
        "envelope": {"isa06": SENDER_ID, "isa08": RECEIVER_ID, "usage": changes.get("usage", "T")},
        "referee": changes.get("referee", "none"),
        "acks": changes.get("acks", {}),
        "schedule": changes.get("schedule"),
        "pgp": changes.get("pgp"),
    }


def a_week(number: int = 1, **encounter: Any) -> list[FeedRecord]:
    """What a feed says of one patient's week; ``encounter`` changes every visit."""
    patient = Identifier("ehr", f"P{number}")

    def own(name: str) -> tuple[Identifier, ...]:
        return (Identifier(name, f"{name}-{number}"),)

    visits = [
        replace(each.record, patient=patient, identifiers=own(f"visit-{each.encounter_id}"))
        for each in samples.week(**encounter)
    ]
    return [
        replace(samples.ADULT, identifiers=(patient,)),
        replace(
            samples.coverage().record,
            patient=patient,
            identifiers=own("coverage"),
            member_number=f"ABC{number:06}",
        ),
        replace(samples.episode().record, patient=patient, identifiers=own("episode")),
        replace(samples.authorization(), patient=patient, identifiers=own("authorization")),
        *visits,
    ]


def send(site: Site, patients: int = 1) -> None:
    """As many claims at the partner's, in one interchange."""
    for number in range(1, patients + 1):
        site.admit(number)
    assert site.sending.run(CONNECTION).delivered == 1


def sent(site: Site) -> tuple[InterchangeRow, Version]:
    return site.interchanges()[-1], site.versions()[-1]


def answers(site: Site, status: str = "") -> list[AnswerRow]:
    """What the partner's answers are kept as."""
    with site.store.read() as tx:
        return list(tx.exchanges.answers(status=status))
