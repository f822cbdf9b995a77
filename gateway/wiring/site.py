"""A site ready to work: store, clock, policy, connections, use cases, put together from its settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from clearinghouse.exchange import PartnerExchange
from clearinghouse.folder import FolderMailbox
from clearinghouse.guide_check import RenderedGuideCheck
from clearinghouse.mailbox import Mailbox
from clearinghouse.partner import FolderAccess, PartnerProfile
from clearinghouse.pgp import Pgp
from clearinghouse.sftp import SftpMailbox
from clearinghouse.x12.claims_837 import Submitter
from clearinghouse.x12.parties import Contact, ContactNumber, Name
from gateway.config import SenderSettings, Settings, read_settings
from gateway.errors import ConfigurationError, NotFound
from gateway.pipeline.certify import CertificationPass
from gateway.pipeline.check import Checker
from gateway.pipeline.collect import CollectPass
from gateway.pipeline.commands import Commands
from gateway.pipeline.connections import ConnectionWatch
from gateway.pipeline.derive import Derivation
from gateway.pipeline.derive_pass import DerivePass
from gateway.pipeline.interpret import InterpretPass
from gateway.pipeline.owners import SourceOwner
from gateway.pipeline.receive import Receiver
from gateway.pipeline.send import SendPass
from gateway.pipeline.silence import SilencePass
from gateway.ports import Clock
from gateway.store.database import Database
from gateway.wiring.clock import clock_of
from gateway.wiring.mapping_check import read_connection, remembered_files
from gateway.wiring.numbers_beside import SENT_NUMBERS, NumbersBeside
from gateway.wiring.policy import LoadedPolicy, open_policy
from gateway.wiring.storage import open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything a door needs, put together."""

    settings: Settings
    store: Database
    clock: Clock
    policy: LoadedPolicy
    exchanges: dict[str, PartnerExchange]
    owners: dict[str, SourceOwner]
    receiver: Receiver
    interpreting: InterpretPass
    deriving: DerivePass
    derivation: Derivation
    sending: SendPass
    collecting: CollectPass
    silences: SilencePass
    commands: Commands
    connections: ConnectionWatch
    certification: CertificationPass

    def exchange(self, connection: str) -> PartnerExchange:
        """The exchange over a connection. Raises NotFound, naming those there are."""
        if connection not in self.exchanges:
            known = ", ".join(self.exchanges) or "none"
            raise NotFound(f"no payer is routed over a connection {connection!r}; there are {known}")
        return self.exchanges[connection]

    def close(self) -> None:
        """Let the database go."""
        self.store.close()

    def settle(self) -> None:
        """Interpret and derive until nothing is left to do."""
        while self.interpreting.run() or self.deriving.run():
            pass


def open_site(folder: Path) -> Site:
    """The site of a folder: database migrated, by the mapping set in force. Raises ConfigurationError, Unavailable.

    Edited mapping files change nothing here: they are put in force (gateway.wiring.mappings).
    """
    settings = read_settings(folder)
    clock = clock_of(settings)
    store = open_store(settings)
    policy = open_policy(store, settings.mappings, clock.now(), remembered_files(settings))
    site = put_together(settings, store, clock, policy)
    organizations = {each.id: each.name for each in policy.catalogue.organizations.values()}
    usages = {name: exchange.usage for name, exchange in site.exchanges.items()}
    store.ensure_tenant(settings.tenant, organizations, usages)
    return site


def put_together(settings: Settings, store: Database, clock: Clock, policy: LoadedPolicy) -> Site:
    """A site of its parts; nothing is read or written yet."""
    exchanges, owners = _exchanges(settings, policy), _owners(settings, policy)
    derivation = Derivation(policy, Checker(RenderedGuideCheck(_submitter(settings.sender, "CHECK"))))
    connections = ConnectionWatch(store, clock, NumbersBeside(settings.folder / SENT_NUMBERS))
    return Site(
        settings=settings,
        store=store,
        clock=clock,
        policy=policy,
        exchanges=exchanges,
        owners=owners,
        receiver=Receiver(store, clock, owners),
        interpreting=InterpretPass(store, clock, policy),
        deriving=DerivePass(store, clock, derivation),
        derivation=derivation,
        sending=SendPass(store, clock, derivation, exchanges, connections),
        collecting=CollectPass(store, clock, policy, exchanges, connections),
        silences=SilencePass(store, clock, exchanges),
        connections=connections,
        certification=CertificationPass(store, clock, connections),
        commands=Commands(store, clock, derivation),
    )


def _owners(settings: Settings, policy: LoadedPolicy) -> dict[str, SourceOwner]:
    """Whose each feed is. Raises ConfigurationError for a feed of another tenant's organization."""
    organizations = policy.catalogue.organizations
    strangers = [
        f"site.yaml: the tenant is {settings.tenant}, and the source {each.name} is of {owner.id}, whose tenant is "
        f"{owner.tenant}; write the same in both"
        for each in settings.sources
        if (owner := organizations[policy.mapping_set.source(each.name).organization]).tenant != settings.tenant
    ]
    if strangers:
        raise ConfigurationError(strangers)
    return {
        each.name: SourceOwner(tenant=settings.tenant, organization=policy.mapping_set.source(each.name).organization)
        for each in settings.sources
    }


def _exchanges(settings: Settings, policy: LoadedPolicy) -> dict[str, PartnerExchange]:
    """The connections that some payer of the set is routed over."""
    routed = {route.connection for payer in policy.catalogue.payers.values() for route in payer.routes}
    return {
        name: exchange_of(settings, read_connection(file))
        for name, file in policy.mapping_set.connections.items()
        if name in routed
    }


def exchange_of(settings: Settings, profile: PartnerProfile) -> PartnerExchange:
    """One partner's exchange; nothing is connected yet."""
    return PartnerExchange(
        profile,
        mailbox_of(settings, profile),
        _submitter(settings.sender, profile.envelope.sender_id.strip()),
        local_time=ZoneInfo(settings.sender.time_zone),
        settle_gap=timedelta(seconds=settings.settle_gap_s),
        pgp=Pgp(profile.pgp, settings.folder),
    )


def mailbox_of(settings: Settings, profile: PartnerProfile) -> Mailbox:
    """The partner's mailbox; relative secrets are beside the site's settings."""
    if isinstance(profile.access, FolderAccess):
        return FolderMailbox(profile.access, profile.upload)
    return SftpMailbox(profile.access, profile.upload, secrets_beside=settings.folder)


def _submitter(sender: SenderSettings, identifier: str) -> Submitter:
    return Submitter(
        name=Name(sender.name, id_qualifier="46", identifier=identifier),
        contacts=(Contact(name=sender.contact_name, numbers=(ContactNumber("TE", sender.contact_phone),)),),
    )
