"""Valid files to damage: every shape the writers' own tests know, on one line, with the marks `*`, `:`, `^` and `~`."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from clearinghouse.x12.acknowledgement_999 import write_999
from clearinghouse.x12.envelope import Delimiters
from clearinghouse.x12.write_277ca import write_277ca
from clearinghouse.x12.write_835 import write_835
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import ENVELOPE, acknowledgement, remittance, status_transaction
from tests.unit.x12.test_write_and_read import CLAIMS

ONE_LINE = replace(ENVELOPE, delimiters=Delimiters())


def shapes() -> Mapping[str, bytes]:
    """Files by name: 837I and 837P (dependents, other payers, line adjudications, several levels), 835, 277CA, 999."""
    return {
        **{f"837 {name}": write_837(build(), ONE_LINE) for name, build in CLAIMS.items()},
        "835": write_835(remittance(), ONE_LINE),
        "277CA": write_277ca(status_transaction(), ONE_LINE),
        "999": write_999(acknowledgement(), ONE_LINE),
    }
