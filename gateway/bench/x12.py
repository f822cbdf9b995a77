"""The X12 stage: guide check of an 837 and reading of an 835, against pyx12, oxedi, x12sdk and a bare split."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from clearinghouse.x12.check import check_bytes, check_file
from clearinghouse.x12.read_835 import RemittanceEnd, stream_835
from clearinghouse.x12.referee import ask_referee
from gateway.bench.children import run_task
from gateway.bench.machine import titled, version_of
from gateway.bench.rows import Row, compared
from gateway.bench.timing import Best, on_processor, sized
from gateway.bench.x12_files import claims_file, remittance_file, segments_in

ROUNDS = 3
_DIFFERENT = "every name, number, date and amount differs; no file is seen twice"
_FLAT, _MEGABYTES = 1.25, 300.0


# --- 837: the guide check --------------------------------------------------------------------------------------------


def check(scale: float) -> list[dict[str, Any]]:
    """Claims a second through the guide check: clean files, then files where every tenth claim has a defect."""
    count = sized(400, scale, 3)
    ask_referee(claims_file("warm", 2))
    check_bytes(claims_file("warm", 2))
    clean, defective = _Race(count, claims_file, clean=True), _Race(count, with_defects, clean=False)
    judge, budget = f"{titled('pyx12')}, maps cached", ">= 50x pyx12"
    rows = [
        compared(
            "837I check, SNIP 1-2", clean.shallow.per_second, "claims/s", judge, clean.theirs.per_second,
            budget=budget, at_least_ratio=50.0 if clean.agreed else float("inf"), note=f"{clean.verdict}; {_DIFFERENT}",
        ),
        compared(
            "837I check, SNIP 1-2, a defect in every tenth claim",
            defective.shallow.per_second, "claims/s", judge, defective.theirs.per_second, note=defective.verdict,
        ),
        compared(
            "837I check, SNIP 1-5", clean.deep.per_second, "claims/s", judge, clean.theirs.per_second,
            note="pyx12 itself judges SNIP 1-2",
        ),
        compared(
            "837I check, SNIP 1-2, beside a split", clean.shallow.per_second, "claims/s", "str.split",
            clean.split.per_second, note="split into segments and elements, nothing judged",
        ),
    ]  # fmt: skip
    return [row.document() for row in rows]


class _Race:
    """Both judges over the same files, in turns."""

    def __init__(self, count: int, make: Callable[[str, int], bytes], *, clean: bool) -> None:
        self.shallow, self.deep, self.theirs, self.split = Best(), Best(), Best(), Best()
        self.agreed = True
        for number in range(ROUNDS):
            self._round(count, make(f"first {number}", count), make(f"second {number}", count), clean)

    def _round(self, count: int, first: bytes, second: bytes, clean: bool) -> None:
        seconds, complaints = on_processor(partial(ask_referee, first))
        self.theirs.take(count, seconds)
        seconds, report = on_processor(partial(check_bytes, first, deep=False))
        self.shallow.take(count, seconds)
        self.agreed = self.agreed and (not complaints) is clean and (not any(report.all_findings())) is clean
        seconds, _ = on_processor(partial(check_bytes, second))
        self.deep.take(count, seconds)
        seconds, _ = on_processor(partial(_split, second))
        self.split.take(count, seconds)

    @property
    def verdict(self) -> str:
        """What the two judges said of the same bytes."""
        return "same verdict" if self.agreed else "THE VERDICTS DIFFER"


def with_defects(seed: str, count: int) -> bytes:
    """A file of claims of which every tenth, from the first, has a release of information code no guide knows."""
    head, *claims = claims_file(seed, count).split(b"CLM*")
    for place in range(0, len(claims), 10):
        claims[place] = claims[place].replace(b"**A*Y*Y~", b"**A*Y*Q~", 1)
    return b"CLM*".join([head, *claims])


def _split(content: bytes) -> int:
    """Segments and elements and nothing else, one segment at a time."""
    return sum(len(segment.split("*")) for segment in content.decode().split("~"))


# --- 835: reading to balanced values ---------------------------------------------------------------------------------


def read(scale: float) -> list[dict[str, Any]]:
    """Segments a second from the bytes of an 835 to its values, balance checked."""
    count, few = sized(2000, scale, 3), sized(300, scale, 3)
    oxedi, models = _oxedi(), _x12sdk_models()
    read_values(remittance_file("warm", 2))
    ours, split, theirs, modelled = Best(), Best(), Best(), Best()
    for number in range(ROUNDS):
        content = remittance_file(f"read {number}", count)
        segments = segments_in(content)
        ours.take(segments, on_processor(partial(read_values, content))[0])
        split.take(segments, on_processor(partial(_split, content))[0])
        if oxedi is not None:
            theirs.take(segments, on_processor(partial(oxedi, content))[0])
        if models is not None:
            small = remittance_file(f"models {number}", few)
            modelled.take(segments_in(small), on_processor(partial(models, small))[0])
    rows = [
        _against("835 read to balanced values, beside oxedi", ours, "oxedi", theirs, ">= 0.5x oxedi", 0.5,
                 "oxedi is compiled (Rust) and keeps columns; ours are typed values, claim by claim"),
        _against("835 read to balanced values, beside x12sdk", ours, "x12sdk", modelled, ">= 20x x12sdk", 20.0,
                 f"x12sdk reads to models, {few} claims a file"),
        compared("835 read to balanced values, beside a split", ours.per_second, "segments/s", "str.split",
                 split.per_second, note="split into segments and elements, nothing kept"),
    ]  # fmt: skip
    return [row.document() for row in rows]


def read_values(content: bytes | Path) -> None:
    """Every claim of the file to values. Raises ValueError for an end that does not balance."""
    for event in stream_835(content):
        if isinstance(event, RemittanceEnd) and not event.balanced:
            raise ValueError("the bench's own 835 does not balance")


def _against(name: str, ours: Best, package: str, theirs: Best, budget: str, at_least: float, note: str) -> Row:
    installed = bool(version_of(package))
    return compared(
        name,
        ours.per_second,
        "segments/s",
        titled(package),
        theirs.per_second if installed else None,
        budget=budget,
        at_least_ratio=at_least,
        note=note if installed else f"{package} is not installed: pip install {package} and measure again",
    )


def _oxedi() -> Callable[[bytes], object] | None:
    """Bytes to oxedi's tables and diagnostics; None where oxedi is not installed."""
    if not version_of("oxedi"):
        return None
    found: Callable[[bytes], object] = import_module("oxedi").parse
    return found


def _x12sdk_models() -> Callable[[bytes], object] | None:
    """Bytes to x12sdk's models; None where x12sdk is not installed."""
    if not version_of("x12sdk"):
        return None
    reader = import_module("x12sdk.io").X12ModelReader

    def read_models(content: bytes) -> int:
        with reader(content.decode()) as opened:
            return sum(1 for _ in opened.models())

    return read_models


# --- memory ----------------------------------------------------------------------------------------------------------


def memory(scale: float) -> list[dict[str, Any]]:
    """The most memory a process holds that does nothing but check, or read, one file: a small one and a large one."""
    rows = [
        memory_row("837I check, peak memory", "hold_837", sized(5_000, scale, 2), sized(100_000, scale, 4)),
        memory_row("835 read, peak memory", "hold_835", sized(5_000, scale, 2), sized(100_000, scale, 4)),
    ]
    return [row.document() for row in rows]


def memory_row(name: str, task: str, few: int, many: int) -> Row:
    """The peaks of a process that does nothing but one task with a file of few claims, and of many."""
    with tempfile.TemporaryDirectory(prefix="cleanclaim-bench-") as folder:
        path = Path(folder) / "file.x12"
        make = _write_837 if task == "hold_837" else _write_835
        peaks = []
        for count in (few, many):
            make(path, count)
            peaks.append(run_task(f"x12.{task}", path=str(path)).peak_mb)
    return flat_memory(f"{name} at {many:,} claims", peaks, f"{few:,} claims")


def flat_memory(name: str, peaks: Sequence[float], few: str) -> Row:
    """A row of two peaks, of a small and of a large sample: memory must not grow from the one to the other."""
    return compared(
        name,
        peaks[1],
        "MB",
        f"the same at {few}",
        peaks[0],
        budget=f"flat (<= {_FLAT}x), under {_MEGABYTES:.0f} MB",
        at_most_ratio=_FLAT,
        at_most=_MEGABYTES,
    )


def _write_837(path: Path, count: int) -> None:
    """Transaction sets of up to a thousand claims, the same ones over and over, so that the bench holds no more."""
    claims = min(count, 1_000)
    sets = count // claims
    text = claims_file("memory", claims).decode()
    start, end = text.index("ST*837*0001*"), text.index("GE*1*")
    body = text[start + len("ST*837*0001") : end - len("0001~")]
    with path.open("w") as file:
        file.write(text[:start])
        for number in range(1, sets + 1):
            file.write(f"ST*837*{number:04d}{body}{number:04d}~")
        file.write(text[end:].replace("GE*1*", f"GE*{sets}*", 1))


def _write_835(path: Path, count: int) -> None:
    """One transaction of that many claims: up to a thousand, over and over, so that the bench holds no more either."""
    claims = min(count, 1_000)
    times = count // claims
    text = remittance_file("memory", claims).decode()
    header, body, trailer = _around_claims(text)
    paid = header.split("BPR*I*", 1)[1].split("*", 1)[0]
    segments = int(trailer.split("*", 2)[1]) + (times - 1) * body.count("~")
    _, end = trailer.split("~", 1)
    with path.open("w") as file:
        file.write(header.replace(f"BPR*I*{paid}", f"BPR*I*{Decimal(paid) * times}", 1))
        for _ in range(times):
            file.write(body)
        file.write(f"SE*{segments}*0001~{end}")


def _around_claims(text: str) -> tuple[str, str, str]:
    start, end = text.index("~CLP*") + 1, text.rindex("~SE*") + 1
    return text[:start], text[start:end], text[end:]


def hold_837(path: str) -> None:
    """Check a file to the end, which must be clean."""
    if any(check_file(Path(path)).all_findings()):
        raise ValueError("the bench's own 837 has findings")


def hold_835(path: str) -> None:
    """Read a file to the end, which must balance."""
    read_values(Path(path))
