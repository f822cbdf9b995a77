"""People who do not exist, and their insurance: every name and number different, every one from a seed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from gateway.demo import clinic, words
from gateway.demo.truth import Home, Human, Plan, Policy

_GIVEN = tuple(
    (name, sex) for pair in zip(words.GIVEN_F, words.GIVEN_M, strict=True) for name, sex in zip(pair, "FM", strict=True)
)
_ROUND = len(_GIVEN) * len(words.FAMILY)
_AGES = {"adult": (19, 63), "senior": (66, 84), "adolescent": (13, 17)}
_DAY_OF_AGE = date(2026, 8, 1)
# No Medicare number has these letters (CMS, Understanding the MBI format), so one made of them is nobody's.
_NEVER_IN_A_MEDICARE_NUMBER = "BILOSZ"


def make_npi(number: int) -> str:
    """The NPI of that number, of up to eight digits; its check digit is right (45 CFR 162.406)."""
    digits = f"1{number:08d}"
    doubled = (int(each) * (1 + place % 2) for place, each in enumerate(reversed(f"80840{digits}"), 1))
    return digits + str(-sum(sum(divmod(each, 10)) for each in doubled) % 10)


def make_human(random: Random, number: int, age: str) -> Human:
    """The person of that number: given and family name differ for every number below 2,544, middle initial after."""
    given, sex = _GIVEN[number % len(_GIVEN)]
    youngest, oldest = _AGES[age]
    town, postal_code = random.choice(words.TOWNS)
    return Human(
        given=given,
        middle=chr(ord("A") + number // _ROUND % 26),
        family=words.FAMILY[number % len(words.FAMILY)],
        sex=sex,
        birth_on=_DAY_OF_AGE - timedelta(days=random.randint(youngest * 366, oldest * 365)),
        home=Home(
            line=f"{100 + number} {random.choice(words.STREETS)} {random.choice(('Street', 'Avenue', 'Lane'))}",
            city=town,
            state="IL",
            postal_code=f"{postal_code}{random.randint(1000, 9998)}",
        ),
    )


def make_parent(random: Random, number: int, child: Human) -> Human:
    """The subscriber of an adolescent's policy: same family name and home."""
    given, sex = _GIVEN[(number * 7 + 5) % len(_GIVEN)]
    return replace(child, given=given, sex=sex, birth_on=child.birth_on - timedelta(days=random.randint(9000, 13000)))


def make_policy(random: Random, number: int, plan: Plan, human: Human, age: str) -> Policy:
    """One policy in force the whole year; an adolescent's subscriber is a parent."""
    dependent = age == "adolescent"
    return Policy(
        number=f"P{number:06d}1",
        plan=plan,
        member_number=member_number(number, plan),
        group_number=f"G{random.randint(10000, 99999)}" if plan in (clinic.PRAIRIE, clinic.LAKELAND) else "",
        relationship="child" if dependent else "self",
        subscriber=make_parent(random, number, human) if dependent else None,
        start_on=date(2026, 1, 1),
    )


def member_number(number: int, plan: Plan) -> str:
    """A number in the payer's own shape, the same for every seed: a payer may know a member before the month does."""
    if plan is clinic.MEDICARE:
        letters = [_NEVER_IN_A_MEDICARE_NUMBER[(number + place * 5) % 6] for place in range(4)]
        digits = f"{number:06d}"
        return f"{1 + number % 9}{letters[0]}{digits[0]}{digits[1]}{letters[1]}{digits[2]}{digits[3]}" + (
            f"{letters[2]}{letters[3]}{digits[4:]}"
        )
    prefixes = {
        clinic.TRICARE.key: "00",
        clinic.PRAIRIE.key: "PMX",
        clinic.LAKELAND.key: "LHP",
        clinic.MEDICAID.key: "9",
        clinic.HARBOR.key: "HA",
    }
    return f"{prefixes.get(plan.key, 'F')}{number:06d}{100 + number * 37 % 900}"
