"""What the rules over CMS's coding edits share: whose claims they are for. No rule itself."""

from __future__ import annotations

from gateway.claim.contract import LineOfBusiness
from gateway.rules.rule import Inspection, Limits

PAYERS = ("government", "everyone")


def applies(inspection: Inspection, limits: Limits) -> bool:
    """True for the government programs, which go by CMS's edits, and for a payer whose limit says that it does too."""
    return inspection.claim.insured.line_of_business is not LineOfBusiness.COMMERCIAL or limits["payers"] == "everyone"
