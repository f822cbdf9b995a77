"""Claims of one form to one 837 transaction. Knows no bytes and no envelope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from clearinghouse.claim_loops import grouped_transaction
from clearinghouse.institutional_837 import institutional_claim
from clearinghouse.professional_837 import professional_claim
from clearinghouse.x12.claims_837 import ClaimTransaction, Submitter
from clearinghouse.x12.parties import Name
from gateway.claim.contract import ClaimForm
from gateway.ports import NumberedClaim


def transaction_837(
    claims: Sequence[NumberedClaim],
    *,
    batch_reference: str,
    created_at: datetime,
    submitter: Submitter,
    receiver: Name,
    control_number: str = "0001",
) -> ClaimTransaction:
    """The ST of one or more claims of one form. Raises ValueError for no claims or claims of both forms.

    ``batch_reference`` becomes BHT03, ``control_number`` ST02; ``created_at`` is written as it is given.
    """
    forms = {numbered.claim.form for numbered in claims}
    if len(forms) != 1:
        raise ValueError("one transaction holds claims of exactly one form")
    institutional = forms == {ClaimForm.INSTITUTIONAL}
    return grouped_transaction(
        claims,
        institutional_claim if institutional else professional_claim,
        kind="institutional" if institutional else "professional",
        batch_reference=batch_reference,
        created_at=created_at,
        submitter=submitter,
        receiver=receiver,
        control_number=control_number,
    )
