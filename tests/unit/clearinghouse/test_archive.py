"""Archives are unpacked within limits or refused whole, whatever their headers say."""

from __future__ import annotations

import contextlib
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from clearinghouse.archive import ArchiveLimits, ArchiveRefused, is_archive, unpacked

LIMITS = ArchiveLimits(max_bytes=3_000_000, max_files=3, max_ratio=50)


def zipped(**files: bytes) -> bytes:
    return packed([(zipfile.ZipInfo(name), content) for name, content in files.items()])


def packed(members: list[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members:
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def named(name: str) -> bytes:
    return packed([(zipfile.ZipInfo(name), b"ISA")])


def noise(size: int) -> bytes:
    return random.Random(1).randbytes(size)


def a_link() -> bytes:
    link = zipfile.ZipInfo("a.835")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return packed([(link, b"elsewhere")])


def encrypted() -> bytes:
    content = bytearray(zipped(a=b"ISA"))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


def one_that_lies_about_its_size() -> bytes:
    content = bytearray(zipped(a=bytes(10_000_000)))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = struct.pack("<I", 100)
    return bytes(content)


def test_files_come_out_in_their_order_and_folders_are_no_files() -> None:
    content = packed([(zipfile.ZipInfo(name), name.encode()) for name in ("z.835", "folder/", "folder/a.835")])
    assert is_archive(content)
    assert unpacked(content, LIMITS) == [("z.835", b"z.835"), ("folder/a.835", b"folder/a.835")]


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a path upwards": (lambda: named("../../a.835"), "leads out"),
    "a path upwards for Windows": (lambda: named("..\\..\\a.835"), "leads out"),
    "an absolute path": (lambda: named("/etc/passwd"), "leads out"),
    "a drive": (lambda: named("C:a.835"), "leads out"),
    "a link": (a_link, "link"),
    "an archive in it": (lambda: zipped(a=zipped(b=b"ISA")), "archive itself"),
    "more bytes than allowed": (lambda: zipped(a=noise(3_000_001)), "3000000 bytes"),
    "more bytes in all than allowed": (lambda: zipped(a=noise(1_600_000), b=noise(1_600_000)), "3000000 bytes"),
    "a bomb": (lambda: zipped(a=bytes(2_900_000)), "50 times"),
    "a lie about its size": (one_that_lies_about_its_size, "broken|times|bytes"),
    "too many files": (lambda: zipped(a=b"", b=b"", c=b"", d=b""), "4 files"),
    "no file": (lambda: zipped(), "no file"),
    "a password": (encrypted, "encrypted"),
    "its end missing": (lambda: zipped(a=b"ISA")[:40], "broken"),
    "a byte flipped": (lambda: zipped(a=b"ISA" * 50).replace(b"PK\x03\x04", b"PK\x03\x05", 1), "broken"),
}


@pytest.mark.fault("F40")
@pytest.mark.parametrize(("make", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_broken_hostile_or_too_much_is_refused_whole(make: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(ArchiveRefused, match=reason):
        unpacked(make(), LIMITS)


def test_every_byte_of_an_archive_flipped_is_read_or_refused() -> None:
    content = zipped(a=b"ISA*00*", b=b"IEA*1*1~")
    for place in range(len(content)):
        spoilt = bytearray(content)
        spoilt[place] ^= 0xFF
        with contextlib.suppress(ArchiveRefused):
            assert 1 <= len(unpacked(bytes(spoilt), LIMITS)) <= 2


def test_a_list_of_more_files_than_allowed_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped(**{f"f{number}": b"x" for number in range(LIMITS.max_files + 1)})
    monkeypatch.setattr(zipfile, "ZipFile", None)  # reading the list of a hostile archive fills the memory
    with pytest.raises(ArchiveRefused, match="holds 4 files, 3 are allowed"):
        unpacked(content, LIMITS)
