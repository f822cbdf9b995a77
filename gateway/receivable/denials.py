"""What to do about a denial: which desk, the next step and by when, from the adjustment's group and reason (CARC).

Own wording throughout: what a code means is X12's text, and is shown only where a site imported its own list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.claim.finding import Owner

_SOON, _FORTNIGHT, _MONTH = 5, 14, 30


@dataclass(frozen=True, slots=True)
class NextStep:
    """Who acts, what they do, and within how many days of the remittance.

    The days are a desk's own pace, well inside the payer's: Medicare hears an appeal within 120 days, commercial payers
    within 60 to 180, many Medicaid plans within 60.
    """

    owner: Owner
    action: str
    within_days: int


_TABLE: tuple[tuple[str, Owner, int, str], ...] = (
    (
        "197 302",
        Owner.UTILIZATION_REVIEW,
        _SOON,
        "If an authorization exists, correct the claim with its number; else ask for one after the fact, then appeal.",
    ),
    (
        "198",
        Owner.UTILIZATION_REVIEW,
        _SOON,
        "Ask the payer to extend the authorization over the days denied; else appeal, or correct the claim to"
        " the days granted.",
    ),
    (
        "15 284 296",
        Owner.UTILIZATION_REVIEW,
        _FORTNIGHT,
        "Compare the authorization's number, service and provider with the payer's, and correct the claim.",
    ),
    (
        "39 210",
        Owner.UTILIZATION_REVIEW,
        _MONTH,
        "Appeal the refused authorization, with a talk between physicians where the payer offers one.",
    ),
    (
        "50",
        Owner.UTILIZATION_REVIEW,
        _MONTH,
        "Ask for a talk between physicians, then appeal with the records that show why this level of care was needed.",
    ),
    (
        "150 151 186",
        Owner.UTILIZATION_REVIEW,
        _MONTH,
        "Send the records that support level and frequency, or appeal; correct the claim only if it was wrong.",
    ),
    (
        "97 59 234 B15",
        Owner.BILLING,
        _FORTNIGHT,
        "See whether the per diem paid the same day covers it; write it off, or correct the claim if it was distinct.",
    ),
    (
        "18 B13",
        Owner.BILLING,
        _FORTNIGHT,
        "Look for the claim the payer paid before; correct this one if it was no duplicate.",
    ),
    (
        "16",
        Owner.BILLING,
        _FORTNIGHT,
        "See from the remark codes what is missing, and correct the claim; after MA130 send a new one, there "
        "is no appeal.",
    ),
    (
        "4 182",
        Owner.BILLING,
        _FORTNIGHT,
        "Mend the modifier, and correct the claim.",
    ),
    (
        "5 58",
        Owner.BILLING,
        _FORTNIGHT,
        "Mend place of service or bill type, and correct the claim.",
    ),
    (
        "199",
        Owner.BILLING,
        _FORTNIGHT,
        "Mend the revenue code or the procedure beside it, and correct the claim.",
    ),
    (
        "9 10 11 146 167",
        Owner.CLINICIAN,
        _FORTNIGHT,
        "See whether the diagnosis was right on these dates; correct the claim if not, else appeal.",
    ),
    (
        "8 170 185 B7",
        Owner.CREDENTIALING,
        _FORTNIGHT,
        "See from when the payer knows the provider, ask for an earlier date, and have the claim reprocessed.",
    ),
    (
        "183 184 206 207 208",
        Owner.CREDENTIALING,
        _FORTNIGHT,
        "See which NPI the payer has on file, and correct the claim.",
    ),
    (
        "26 27 31 177",
        Owner.FRONT_DESK,
        _SOON,
        "Ask for eligibility on these dates anew; correct the member's number, or bill whoever covered them.",
    ),
    (
        "109 B11",
        Owner.FRONT_DESK,
        _SOON,
        "Find the payer of behavioral health, and bill it with an original claim.",
    ),
    (
        "22",
        Owner.FRONT_DESK,
        _SOON,
        "Find out which payer comes first, bill it, and this one after its answer.",
    ),
    (
        "23 136",
        Owner.BILLING,
        _FORTNIGHT,
        "Compare what the payer before paid and adjusted with what the claim told, and correct the claim.",
    ),
    (
        "29",
        Owner.BILLING,
        _MONTH,
        "Appeal with the 277CA that shows the claim was accepted in time; else write it off: it is not the patient's.",
    ),
    (
        "60",
        Owner.BILLING,
        _FORTNIGHT,
        "Compare the dates with an inpatient stay, and correct the claim.",
    ),
    (
        "119 222 273",
        Owner.FRONT_DESK,
        _MONTH,
        "See whether the benefit is used up; ask for an exception, or bill the next payer.",
    ),
    (
        "96 204 256 272",
        Owner.FRONT_DESK,
        _MONTH,
        "Look the benefit up; appeal if the service is covered, else bill the next payer.",
    ),
    (
        "242 243",
        Owner.UTILIZATION_REVIEW,
        _MONTH,
        "Ask for a single case agreement or a referral, or appeal.",
    ),
    (
        "226 227 251 252",
        Owner.BILLING,
        _MONTH,
        "Send the records or the answer the payer asks for.",
    ),
    (
        "129 140",
        Owner.FRONT_DESK,
        _FORTNIGHT,
        "Compare name, birth date and member number with the payer's, and correct the claim.",
    ),
)
"""CARCs, desk, days, action."""
_STEPS: Mapping[str, NextStep] = MappingProxyType(
    {code: NextStep(owner, action, days) for codes, owner, days, action in _TABLE for code in codes.split()}
)
_UNKNOWN = NextStep(
    Owner.BILLING, "Look the code up, ask the payer what it wants, then correct the claim, appeal or write it off.", 14
)


def next_step(reason: str) -> NextStep:
    """What to do about a denial with this CARC; a code without a step of its own is billing's to look into."""
    return _STEPS.get(reason, _UNKNOWN)
