"""What a 271 (005010X279A1) says: payers, the members asked about, and what each one's plan answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from clearinghouse.x12.parties import Name, QualifiedDate, Reference


@dataclass(frozen=True, slots=True)
class Rejection:
    """One AAA: the question was not answered. `reason` is AAA03, `follow_up` AAA04."""

    reason: str
    follow_up: str = ""


@dataclass(frozen=True, slots=True)
class RelatedEntity:
    """One loop 2120: whom the answer refers to. `role` is NM101 (PRP primary payer, VN vendor, X3, PR ...)."""

    role: str
    name: Name


@dataclass(frozen=True, slots=True)
class Benefit:
    """One EB with what follows it.

    `code` is EB01 (1-5 active, 6-8 inactive, B co-payment, I not covered, R other payer, U contact another),
    `service_types` EB03, `insurance_type` EB04, `plan` EB05, `period` EB06, `cents` EB07.
    """

    code: str
    service_types: tuple[str, ...] = ()
    insurance_type: str = ""
    plan: str = ""
    period: str = ""
    cents: int | None = None
    dates: tuple[QualifiedDate, ...] = ()
    entities: tuple[RelatedEntity, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """One subscriber (loop 2000C) or dependent (2000D) with the answers about them.

    `subscriber` is the policy holder's name where this one is a dependent.
    """

    position: int
    name: Name
    subscriber: Name | None = None
    trace: str = ""
    references: tuple[Reference, ...] = ()
    dates: tuple[QualifiedDate, ...] = ()
    benefits: tuple[Benefit, ...] = ()
    rejections: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class PayerAnswer:
    """One information source (loop 2000A) with the members it answers about; `rejections` concern all of them."""

    position: int
    name: Name
    members: tuple[Member, ...] = ()
    rejections: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class BenefitTransaction:
    """One 271 transaction set; `created_on` is BHT04, the day of the answer."""

    created_on: date
    control_number: str = ""
    payers: tuple[PayerAnswer, ...] = ()
