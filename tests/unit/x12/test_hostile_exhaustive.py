"""Every byte changed, files spliced and torn at random, patterns that cannot run away, memory that stays flat."""

from __future__ import annotations

import importlib
import pkgutil
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import clearinghouse.x12
from clearinghouse.x12.acknowledgement_999 import read_999, write_999
from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.decoding import X12FormatError
from clearinghouse.x12.guide import guide_for
from clearinghouse.x12.guide_tables import MAPS
from clearinghouse.x12.patterns import segment_pattern
from clearinghouse.x12.read_277ca import read_277ca
from clearinghouse.x12.read_835 import balance_of, read_835
from clearinghouse.x12.read_837 import read_837
from clearinghouse.x12.write_277ca import write_277ca
from clearinghouse.x12.write_835 import write_835
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import (
    ENVELOPE,
    acknowledgement,
    dependent_transaction,
    professional_transaction,
    remittance,
    status_transaction,
)
from tests.unit.x12.json_files import read_json, write_json

Reader = Callable[[bytes], Any]
COMPACT: dict[str, tuple[bytes, Reader]] = {
    "837I": (write_837(dependent_transaction(), ENVELOPE).replace(b"\n", b""), read_837),
    "837P": (write_837(professional_transaction(), ENVELOPE).replace(b"\n", b""), read_837),
    "835": (write_835(remittance(), ENVELOPE).replace(b"\n", b""), read_835),
    "277CA": (write_277ca(status_transaction(), ENVELOPE).replace(b"\n", b""), read_277ca),
    "999": (write_999(acknowledgement(), ENVELOPE).replace(b"\n", b""), read_999),
}
REPLACEMENTS = b"*:~\n9\xff"
FUZZ_ROUNDS = 400


def read_or_refuse(reader: Reader, content: bytes) -> Any:
    try:
        return reader(content)
    except X12FormatError:
        return None


@pytest.mark.parametrize("kind", COMPACT)
def test_no_changed_byte_anywhere_crashes_the_check_or_the_reader(kind: str) -> None:
    content, reader = COMPACT[kind]
    for at in range(len(content)):
        for byte in REPLACEMENTS:
            if content[at] != byte:
                changed = content[:at] + bytes([byte]) + content[at + 1 :]
                report = check_bytes(changed)
                assert report.readable or report.error
                read_or_refuse(reader, changed)


@pytest.mark.fault("F30")
def test_no_changed_byte_of_an_835_changes_a_balanced_amount_unseen() -> None:
    content, _ = COMPACT["835"]
    meant = amounts(read_835(content))
    for at in range(len(content)):
        for byte in b"0123456789.-*~":
            changed = content[:at] + bytes([byte]) + content[at + 1 :]
            found = read_or_refuse(read_835, changed)
            if found and amounts(found) != meant and not any(balance_of(each) for each in found):
                assert [*check_bytes(changed).all_findings()], f"byte {at} becomes {byte}"


def amounts(found: list[Any]) -> list[Any]:
    return [
        (each.header.payment.cents, [(claim.charge_cents, claim.paid_cents) for claim in each.claims]) for each in found
    ]


def test_files_torn_and_spliced_at_random_are_survived() -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    files = [content for content, _ in COMPACT.values()]
    for _ in range(FUZZ_ROUNDS):
        content = torn(chance, files)
        check_bytes(content).as_json()
        assert write_json(read_json(content)) == content
        for _, reader in COMPACT.values():
            read_or_refuse(reader, content)


def torn(chance: random.Random, files: list[bytes]) -> bytes:
    """Pieces of one to three files, some with other delimiters and line ends, a few bytes spoilt."""
    parts = []
    for _ in range(chance.randint(1, 3)):
        content = chance.choice(files)
        if chance.random() < 0.3:
            content = content.translate(bytes.maketrans(b"*:~", chance.choice((b"|>'", b"~*:", b"^;\x1d"))))
        content = content.replace(b"~", b"~" + chance.choice((b"", b"", b"\n", b"\r\n")))
        start, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
        parts.append(chance.choice((content, content[:end], content[start:end])))
    spoilt = bytearray(b"".join(parts))
    for _ in range(chance.randint(0, 5)):
        if spoilt:
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
    return bytes(spoilt)


@pytest.mark.parametrize(
    ("content", "readable"),
    [
        (b"", False),
        (b"\x00" * 4096, False),
        (COMPACT["835"][0].decode().encode("utf-16"), False),
        (b"\xef\xbb\xbf" + COMPACT["835"][0], True),
        (COMPACT["835"][0] + b"\x00" * 500, True),
        (b"ISA" * 10_000, False),
    ],
)
def test_what_is_no_plain_text_is_told_and_no_byte_is_lost(content: bytes, readable: bool) -> None:
    report = check_bytes(content)
    assert report.readable is readable
    assert report.error if not readable else [*report.all_findings()]
    assert write_json(read_json(content)) == content


def patterns() -> Iterator[re.Pattern[str]]:
    """Every compiled expression of the package: those of its modules, and one for each segment of each guide."""
    for found in pkgutil.iter_modules(clearinghouse.x12.__path__):
        module = importlib.import_module(f"clearinghouse.x12.{found.name}")
        yield from (value for value in vars(module).values() if isinstance(value, re.Pattern))
    for guide in MAPS:
        yield from (segment_pattern(node.table) for node in guide_for(guide).segments)


def nests(parsed: Any, inside: bool = False) -> bool:
    """Whether an unbounded repeat stands inside another."""
    for operation, argument in parsed:
        name = str(operation)
        repeats = name in ("MAX_REPEAT", "MIN_REPEAT")
        unbounded = repeats and argument[1] is re._constants.MAXREPEAT  # type: ignore[attr-defined]
        if unbounded and inside:
            return True
        below = [argument[2]] if repeats else argument[1] if name == "BRANCH" else [argument]
        for part in below:
            part = part[-1] if isinstance(part, tuple) and name in ("SUBPATTERN", "ASSERT", "ASSERT_NOT") else part
            if hasattr(part, "getwidth") and nests(part, inside or unbounded):
                return True
    return False


def test_no_expression_repeats_without_end_inside_a_repeat_without_end() -> None:
    found = {each.pattern for each in patterns()}
    assert len(found) > 300
    assert [pattern for pattern in found if nests(re._parser.parse(pattern))] == []  # type: ignore[attr-defined]
    assert nests(re._parser.parse(r"x(?:a+b)*y"))  # type: ignore[attr-defined]


_MEASURED = """
import re, sys
from pathlib import Path
from clearinghouse.x12.check import check_file
from clearinghouse.x12.read_835 import stream_835
from clearinghouse.x12.read_837 import stream_837
from clearinghouse.x12.read_json import rewrites_same, stream_json
path = Path(sys.argv[1])
def run():
    check_file(path)
    for _ in (stream_835 if path.suffix == ".835" else stream_837)(path):
        pass
    with open(sys.argv[1] + ".json", "w") as out:
        stream_json(path, "", out.write)
    assert rewrites_same(path)
run()
# Not getrusage: its peak is handed down by the process that started this one.
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.fault("F38")
@pytest.mark.parametrize("kind", ["835", "837P"])
def test_memory_does_not_grow_with_the_file(kind: str, tmp_path: Path) -> None:
    small, large = (peak_kilobytes(kind, copies, tmp_path) for copies in (300, 6000))
    assert large < small + 40_000, "twenty times the file took more than 40 MB more"


def peak_kilobytes(kind: str, copies: int, folder: Path) -> int:
    """Peak memory of a process that checks one transaction set of so many claims, reads it, and writes it as JSON."""
    content, _ = COMPACT[kind]
    begin, end = (b"~CLP*", b"~PLB*") if kind == "835" else (b"~CLM*", b"~SE*")
    head, tail = content.index(begin), content.index(end)
    path = folder / f"{copies}.{kind[:3]}"
    grown = content[:head] + content[head:tail] * copies + content[tail:]
    before, after = re.split(rb"~SE\*\d+\*", grown)
    path.write_bytes(before + b"~SE*%d*" % before.count(b"~") + after)
    done = subprocess.run([sys.executable, "-c", _MEASURED, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)
