"""Writes docs/reference/faults.md from what the fault tests showed: `python -m tests.faults.page`, by `make faults`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.faults.results import NEITHER, POSTGRES, SQLITE, Shown, collected, shown

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "faults.md"
FAULTS: Mapping[str, tuple[str, str]] = {
    "F01": (
        "the process is killed at any moment of receiving, freezing, sending, collecting or posting",
        "whoever starts next finishes; nothing is lost, nothing leaves twice, nobody touches the database by hand",
    ),
    "F02": (
        "the connection breaks at any byte of an upload under the final name",
        "in doubt and asked after; the part is removed, the same bytes go again after two agreeing looks",
    ),
    "F03": (
        "the connection breaks before the temporary file has its final name",
        "nothing was published: the leftover is cleared away and the same bytes go again",
    ),
    "F04": ("the rename is done and its answer lost", "found delivered by looking; it does not go again"),
    "F05": ("the file is closed and the answer lost", "found delivered by looking; it does not go again"),
    "F06": (
        "the partner takes the file the moment it is closed",
        "delivered: archive or answer say so; never sent again",
    ),
    "F07": (
        "the partner's disk is full in the middle of a file",
        "not sent; the part is removed, the bytes go again later",
    ),
    "F08": (
        "the partner stops answering in the middle of a file",
        "given up at a deadline, in doubt; other partners are not held up",
    ),
    "F09": ("the partner is away for an hour", "asked less and less often; the queue leaves in order once it is back"),
    "F10": ("the login is refused", "tried once; the connection is paused until a person resumes it"),
    "F11": ("the host key is another one", "stopped before the secret is sent; a second pinned key is taken as good"),
    "F12": ("the directory is missing or may not be written", "a failure that names it; other files go on"),
    "F13": ("the name is taken at the partner's", "never written over; the very same bytes there are the delivery"),
    "F14": ("several workers take one file at once", "one uploads; of claims, each is frozen once"),
    "F15": ("a sender sleeps past its lease and wakes", "fenced: it changes nothing more at the partner's"),
    "F16": ("our database is away before, between or after the steps", "not sent, or in doubt; never taken for unsent"),
    "F17": ("our database restarts in a transaction", "no half of it stays; the next pass does it"),
    "F18": ("our disk is full", "no acknowledgement, nothing half stored; it goes on once there is room"),
    "F19": ("our disk refuses a write", "no acknowledgement; what is not on disk counts as not received"),
    "F20": ("the clock jumps a day", "numbers go on upwards; a file on its way still arrives once"),
    "F21": (
        "the database is restored from an older backup",
        "nothing leaves until the numbers are beyond all that were used; what the partner has is found, not sent again",
    ),
    "F22": ("a connection is switched between test and production with files waiting", "those files never go"),
    "F23": ("a person clicks a decision twice", "one act, on record once"),
    "F24": (
        "the partner refuses an interchange",
        "its claims are freed for a new number; a duplicate's refusal proves delivery only where we sent twice",
    ),
    "F25": ("an answer never comes", "told once, listed as silent; nothing is sent again by itself"),
    "F26": ("the same 835 file comes twice", "posted once"),
    "F27": ("the same 835 comes in another envelope, or by another connection", "posted once"),
    "F28": ("an 835 of the same trace has other amounts", "quarantined; the first stays posted"),
    "F29": ("answers come in any order", "one state, the same money"),
    "F30": (
        "an 835 is cut at any segment, or any of its bytes is another",
        "no crash; a wrong amount never balances unseen",
    ),
    "F31": ("an 835 does not balance", "kept and shown; not posted by the machine"),
    "F32": ("a reversal comes before, or without, what it reverses", "the sums come out right; alone it is a conflict"),
    "F33": (
        "an answer names a claim that is not ours, or another tenant's",
        "money to suspense; no claim of ours moves",
    ),
    "F34": ("one interchange of several in a file is spoilt", "set aside alone; the others are applied"),
    "F35": ("an answer is for another receiver, or a test answer for production", "quarantined, nothing applied"),
    "F36": (
        "a file still grows, is empty, or never ends",
        "left until it is whole, and then it counts; told if never",
    ),
    "F37": (
        "names lead elsewhere, hold line ends, are no UTF-8; directories are huge",
        "refused alone; all others are fetched",
    ),
    "F38": ("an 835 of a million claims", "read in flat memory"),
    "F39": ("killed between keeping a file and letting the partner's copy go", "fetched again, and nothing changes"),
    "F40": ("an archive is a bomb, nested, or leads outside", "refused whole, kept with the reason"),
    "F41": (
        "MLLP frames come byte by byte, joined, with noise or without ends",
        "the right messages, or counted errors",
    ),
    "F42": ("killed around the commit of a message", "sent again it is stored once, with the same answer"),
    "F43": (
        "senders are slow without end, idle by the thousand, or huge",
        "limits strike; an honest sender is answered",
    ),
    "F44": ("control ids are reused; character sets and delimiters are strange", "kept, told and answered by rule"),
    "F45": ("FHIR requests race, repeat, or carry bombs", "one resource; every refusal is an OperationOutcome"),
    "F46": (
        "a webhook leads inside, redirects, hangs or fails",
        "blocked or tried again, gaps told; claims are not held up",
    ),
}
"""What happens, and what the product does then."""
_HEAD = """\
# Faults

Written by `make faults` from what a run of the tests showed (`tests/faults/results.json`). A test fails when a fault
has no test, or a test of a fault was not shown to pass.

What can go wrong around the gateway, what it does then, and the tests that make it happen: real servers, files and
kills. The numbers are cases that passed: on SQLite, on PostgreSQL, and of tests that ask for neither, or make a site of
their own. All are part of `make test`.

"""


def faults_page(results: Shown) -> str:
    """The whole page of what runs have shown."""
    tests = collected()
    lines = [_models(results), "", "| | what happens | what the product does | tests | SQLite | PostgreSQL | others |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for name, (what, does) in FAULTS.items():
        cells = " | ".join(map(str, _passed(results, tests[name])))
        lines += [f"| {name} | {what} | {does} | {len(tests[name])} | {cells} |"]
    for name, (what, _) in FAULTS.items():
        lines += ["", f"## {name}: {what}", ""]
        lines += [f"* {_sentence(test)} (`{path}`): {_cases(results, path, test)}" for path, test in tests[name]]
    return _HEAD + "\n".join(lines) + "\n"


def unshown(results: Shown) -> list[str]:
    """Tests of faults of which no run is kept in which they passed."""
    return sorted({f"{path}::{test}" for tests in collected().values() for path, test in tests} - set(results))


def _passed(results: Shown, tests: Iterable[tuple[str, str]]) -> Iterator[int]:
    for database in (SQLITE, POSTGRES, NEITHER):
        yield sum(results.get(f"{path}::{test}", {}).get(database, {}).get("passed", 0) for path, test in tests)


def _cases(results: Shown, path: str, test: str) -> str:
    words = ("on SQLite", "on PostgreSQL", "")
    counts = zip(_passed(results, [(path, test)]), words, strict=True)
    return ", ".join(f"{count} {word}".strip() for count, word in counts if count) or "not shown"


def _models(results: Shown) -> str:
    """What the two tests that go through everything counted themselves."""
    killed = _figures(results, "tests/faults/test_killed_everywhere.py::", ("kills",))
    model = _figures(results, "tests/faults/test_model.py::", ("runs", "kills", "files", "claims", "payments"))
    return f"""\
Two of them go through everything, on each of the databases; what they counted is of both together. `make soak
SEEDS=2000` does both at length.

* *killed everywhere* has names for the moments between the durable steps (`gateway/fault_points.py`), kills a process
  at each, and compares what the next one makes of it with an undisturbed run: {killed}.
* *the model* draws random months from a seed: feeds, people, broken connections, false answers, kills; at rest it asks
  the sandbox's own ledger what was taken, decided and paid: {model}."""


def _figures(results: Shown, file: str, words: Iterable[str]) -> str:
    """``12 kills, ... and 0 violations``, summed over the databases."""
    counted = [each for test, shown in results.items() if test.startswith(file) for each in shown.values()]
    sums = {word: sum(each.get(word, 0) for each in counted) for word in (*words, "violations")}
    *first, last = (f"{number:,} {word}" for word, number in sums.items())
    return f"{', '.join(first)} and {last}"


def _sentence(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")


if __name__ == "__main__":
    found = shown()
    if missing := unshown(found):
        raise SystemExit("not shown to pass; run `make faults`:\n" + "\n".join(missing))
    PAGE.write_text(faults_page(found))
