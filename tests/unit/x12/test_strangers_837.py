"""A stranger's 837 says things we have no values for: each is kept as it stood, with the loop it stood in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clearinghouse.x12.claims_837 import ClaimTransaction
from clearinghouse.x12.encoding import UnwritableValue
from clearinghouse.x12.parties import UnreadSegment
from clearinghouse.x12.read_837 import read_837
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import ENVELOPE, dependent_transaction, professional_transaction

# A segment added after another of a written file: (before which it stands, what is added, the loop it is kept under).
PROFESSIONAL = (
    (b"NM1*40*", b"REF*87*005010X222A1", "1000A"),
    (b"NM1*85*", b"CUR*85*USD", "2000A"),
    (b"HL*2*", b"NM1*XX*2*NOBODY", ""),
    (b"NM1*IL*", b"PAT*****D8*20260101*01*120", "2000B"),
    (b"NM1*PR*", b"PER*IC**TE*5555550109", "2010BA"),
    (b"CLM*", b"DMG*D8*19900101*F", "2010BB"),
    (b"HI*", b"CN1*09*12.5", "2300"),
    (b"HI*", b"CR1*LB*140*A*DH*12", "2300"),
    (b"HI*", b"CRC*ZZ*Y*AV", "2300"),
    (b"NM1*82*", b"HI*ZZZ:1", "2300"),
    (b"NM1*82*", b"HI*BG:41:D8:20260101", "2300"),
    (b"NM1*82*", b"HCP*03*100*10", "2300"),
    (b"LX*1~", b"PER*IC*DESK*TE*5555550109~PER*IC*DESK*TE*5555550109", "2310B"),
    (b"LX*2~", b"REF*9F*1**2U:77777", "2400"),
    (b"LX*2~", b"QTY*PT*2", "2400"),
    (b"LX*2~", b"MEA*TR*R1*113.4", "2400"),
    (b"LX*2~", b"LIN**N4*01234567891~CTP****2*UN~REF*XZ*123", "2410"),
    (b"LX*2~", b"NM1*DK*1*ROE*PAT~REF*0B*1**2U:77777", "2420E"),
    (b"LX*2~", b"SVD*77777*1*HC:H0015:::::A:B*0905*1", "2430"),
    (b"LX*2~", b"LQ*UT*01.02~FRM*12*N", "2440"),
)
INSTITUTIONAL = (
    (b"LX*1~", b"SBR*T*18*******CI~DTP*573*D8*20260101", "2320"),
    (b"LX*1~", b"SBR*T*18*******CI~AMT*ZZ*1", "2320"),
    (b"LX*1~", b"SBR*T*18*******CI~NM1*IL*1*A~DTP*573*D8*20260101", "2330A"),
    (b"LX*1~", b"SBR*T*18*******CI~NM1*85*2~PER*IC*A*TE*1~PER*IC*A*TE*1", "2330I"),
    (b"LX*2~", b"SVD*77777*1**0905*1~DTP*574*D8*20260101", "2430"),
)


def all_unread(values: ClaimTransaction) -> Iterator[UnreadSegment]:
    yield from values.unread
    for provider in values.billing_providers:
        yield from provider.unread
        for subscriber in provider.subscribers:
            yield from subscriber.unread
            for claim in subscriber.claims:
                yield from claim.unread
                yield from claim.patient.unread if claim.patient else ()


def added(content: bytes, before: bytes, segments: bytes) -> ClaimTransaction:
    at = content.index(b"\n" + before) + 1
    (values,) = read_837(content[:at] + segments + b"~\n" + content[at:])
    return values


@pytest.mark.parametrize(("before", "segments", "loop"), PROFESSIONAL)
def test_what_a_professional_claim_says_beyond_the_values_is_kept(before: bytes, segments: bytes, loop: str) -> None:
    content = write_837(professional_transaction(), ENVELOPE)
    kept = [*all_unread(added(content, before, segments))]
    last = segments.split(b"~")[-1].decode()
    assert [("*".join(entry.elements), entry.loop) for entry in kept][-1] == (last, loop)
    assert [*all_unread(read_837(content)[0])] == []


@pytest.mark.parametrize(("before", "segments", "loop"), INSTITUTIONAL)
def test_what_an_institutional_claim_says_beyond_the_values_is_kept(before: bytes, segments: bytes, loop: str) -> None:
    content = write_837(dependent_transaction(), ENVELOPE)
    kept = [*all_unread(added(content, before, segments))]
    last = segments.split(b"~")[-1].decode()
    assert [("*".join(entry.elements), entry.loop) for entry in kept] == [(last, loop)]
    assert [*all_unread(read_837(content)[0])] == []


def test_a_claim_element_without_a_value_keeps_the_whole_segment() -> None:
    content = write_837(professional_transaction(), ENVELOPE).replace(b"*Y*A*Y*Y~", b"*Y*A*Y*Y**AA:::TX~")
    (kept,) = all_unread(read_837(content)[0])
    assert kept.elements[0] == "CLM"
    assert kept.elements[11] == "AA:::TX"


def test_values_read_from_a_file_that_says_more_are_never_written_without_it() -> None:
    content = write_837(professional_transaction(), ENVELOPE)
    values = added(content, b"HI*", b"CN1*09*12.5")
    with pytest.raises(UnwritableValue, match="CN1 in loop 2300"):
        write_837(values, ENVELOPE)
