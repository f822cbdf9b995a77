"""ZIP archives that partners send: unpacked in memory within limits, or refused whole. No name becomes a path."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath, PureWindowsPath

MARKS = (b"PK\x03\x04", b"PK\x05\x06")
"""How an archive begins: with a file, or empty."""
MARK_LENGTH = len(MARKS[0])
_ENTRY = b"PK\x01\x02"
"""How each entry of an archive's list of its files begins."""
_PIECE = 1 << 16
_RATIO_FROM_BYTES = 1_000_000
"""Below this much, however well it was packed, nothing is harmed."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much may come out of one archive."""

    max_bytes: int = 200_000_000
    max_files: int = 500
    max_ratio: int = 100


class ArchiveRefused(ValueError):
    """The archive is broken, hostile or beyond the limits; nothing of it was used."""


def is_archive(content: bytes) -> bool:
    """Whether the bytes begin as a ZIP archive does."""
    return content.startswith(MARKS)


def unpacked(content: bytes, limits: ArchiveLimits) -> list[tuple[str, bytes]]:
    """Name and bytes of every file in an archive, in its order. Raises ArchiveRefused, naming no name of its own."""
    listed = content.count(_ENTRY)  # before the list is read: one of millions would fill the memory
    if listed > limits.max_files:
        raise ArchiveRefused(f"the archive holds {listed} files, {limits.max_files} are allowed")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
            if not members:
                raise ArchiveRefused("the archive holds no file")
            for place, member in enumerate(members, 1):
                _check_member(member, place)
            return _read_all(archive, members, len(content), limits)
    except ArchiveRefused:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise ArchiveRefused(f"the archive is broken ({type(error).__name__})") from None


def _check_member(member: zipfile.ZipInfo, place: int) -> None:
    posix, windows = PurePosixPath(member.filename), PureWindowsPath(member.filename)
    if posix.is_absolute() or windows.drive or windows.root or ".." in (*posix.parts, *windows.parts):
        raise ArchiveRefused(f"file {place} of the archive has a name that leads out of it")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ArchiveRefused(f"file {place} of the archive is a link")
    if member.flag_bits & 1:
        raise ArchiveRefused(f"file {place} of the archive is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArchiveRefused(f"file {place} of the archive is packed in an unusual way")


def _read_all(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], packed: int, limits: ArchiveLimits
) -> list[tuple[str, bytes]]:
    """What a header says of a size is not believed: the bytes are counted as they come."""
    most_by_ratio = max(packed * limits.max_ratio, _RATIO_FROM_BYTES)
    found = []
    total = 0
    for place, member in enumerate(members, 1):
        whole = BytesIO()
        with archive.open(member) as source:
            while piece := source.read(_PIECE):
                total += len(piece)
                if total > limits.max_bytes:
                    raise ArchiveRefused(f"more than {limits.max_bytes} bytes come out of the archive")
                if total > most_by_ratio:
                    raise ArchiveRefused(f"the archive unpacks to more than {limits.max_ratio} times its size")
                whole.write(piece)
        if is_archive(whole.getvalue()):
            raise ArchiveRefused(f"file {place} of the archive is an archive itself")
        found.append((member.filename, whole.getvalue()))
    return found
