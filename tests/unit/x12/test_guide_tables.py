"""Guide tables: which versions are taken, that every correction is needed and sourced, and a cache that cannot hurt."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from clearinghouse.x12 import guide, guide_tables
from clearinghouse.x12.acknowledgement_999 import write_999
from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.write_277ca import write_277ca
from clearinghouse.x12.write_835 import write_835
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import (
    ENVELOPE,
    acknowledgement,
    dependent_transaction,
    institutional_transaction,
    professional_transaction,
    remittance,
    status_transaction,
)

INSTITUTIONAL = write_837(institutional_transaction(), ENVELOPE).decode()
PROFESSIONAL = write_837(professional_transaction(), ENVELOPE).decode()
DEPENDENT = write_837(dependent_transaction(), ENVELOPE).decode()
STATUS = write_277ca(status_transaction(), ENVELOPE).decode()
ANSWER = write_999(acknowledgement(), ENVELOPE).decode()
WRITTEN = {
    "837I": INSTITUTIONAL,
    "837P": PROFESSIONAL,
    "835": write_835(remittance(), ENVELOPE).decode(),
    "277CA": STATUS,
    "999": ANSWER,
}
CORRECTIONS = tomllib.loads(Path(guide_tables.__file__).with_name("guide_overlay.toml").read_text())["correction"]
ADDRESS = "N3*9 PLAN WAY~\nN4*AUSTIN*TX*787010000~\n"


def recounted(text: str) -> str:
    """The file with SE01 made right again."""
    head, _, rest = text.partition("~\nSE*")
    count = head.partition("~\nST*")[2].count("~") + 2
    return f"{head}~\nSE*{count}*{rest.partition('*')[2]}"


def before(text: str, place: str, added: str) -> str:
    """The file with segments added before a place in it."""
    assert place in text
    return recounted(text.replace(place, added + place, 1))


def codes(text: str) -> list[str]:
    """What our check finds, SNIP 1 and 2."""
    return [found.code for found in check_bytes(text.encode(), deep=False).all_findings()]


def bare_status(levels: int) -> str:
    """A 277CA that ends at the information receiver (2), or whose provider has no trace (3)."""
    values = status_transaction()
    source = values.sources[0]
    receiver = source.receivers[0]
    provider = replace(receiver.providers[0], trace_number="", statuses=(), quantities=(), amounts=())
    receiver = replace(receiver, providers=(provider,) if levels > 2 else ())
    return write_277ca(replace(values, sources=(replace(source, receivers=(receiver,)),)), ENVELOPE).decode()


# By what an entry of the overlay corrects: a file that the guide allows and that it is needed for.
NEEDING = {
    ("005010X223A2", "2310F"): before(INSTITUTIONAL, "NM1*71*", "NM1*DN*1*REFER*ANN****XX*1777777768~\n"),
    ("005010X223A2", "2330C"): before(DEPENDENT, "LX*1~", "NM1*72*1~\nREF*G2*X1~\nNM1*71*1~\nREF*G2*X2~\n"),
    ("005010X222A1", "2330C"): before(
        before(
            PROFESSIONAL,
            "LX*1~",
            "SBR*S*18*******CI~\nOI***Y***Y~\nNM1*IL*1*DOE*JANE****MI*OTH1~\nNM1*PR*2*SECOND PLAN*****PI*7777~\n",
        ),
        "LX*1~",
        "NM1*85*2~\nREF*G2*X1~\nNM1*DN*1~\nREF*G2*X2~\n",
    ),
    ("005010X223A2", "2420D"): before(
        INSTITUTIONAL, "LX*2~", "NM1*DN*1*A*B****XX*1777777768~\nNM1*82*1*C*D****XX*1888888876~\n"
    ),
    ("005010X222A1", "2420G"): before(
        PROFESSIONAL, "LX*2~", f"NM1*PW*2~\n{ADDRESS}NM1*82*1*C*D****XX*1888888876~\nPRV*PE*PXC*101YA0400X~\n"
    ),
    ("005010X223A2", "2010AC"): before(
        INSTITUTIONAL,
        "HL*2*1*22*",
        f"NM1*PE*2*PLAN*****PI*77~\n{ADDRESS}REF*EI*123456789~\nNM1*87*2~\n{ADDRESS}",
    ),
    ("005010X214", "2200C"): bare_status(3),
    ("005010X214", "2000C"): bare_status(2),
    ("005010X214", "2200C STC"): recounted(STATUS.replace("STC*A1:19:PR**WQ*1050~\n", "", 1)),
    ("005010X223A2", "ST_LOOP ST"): INSTITUTIONAL.replace("005010X223A2", "005010X223A1"),
    ("005010X231A1", "ST_LOOP ST"): ANSWER.replace("005010X231A1", "005010X231"),
}


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Tables compiled anew, into a cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    _forget()
    yield tmp_path
    _forget()


def _forget() -> None:
    guide_tables.read_guide.cache_clear()
    guide._guide.cache_clear()


def _names(correction: dict[str, Any]) -> tuple[str, str]:
    return correction["guide"], " ".join([correction["loops"][0], *filter(None, [correction.get("segment")])])


@pytest.mark.parametrize("correction", CORRECTIONS, ids=lambda each: " ".join(_names(each)))
def test_each_correction_has_a_source_and_without_it_a_file_the_guide_allows_is_refused(
    correction: dict[str, Any], own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert correction["reason"] and correction["source"]
    needing = NEEDING[_names(correction)]
    assert codes(needing) == []
    without = [each for each in CORRECTIONS if each is not correction]
    monkeypatch.setattr(guide_tables, "_corrections", lambda: without)
    monkeypatch.setenv("XDG_CACHE_HOME", str(own_cache / "without"))
    _forget()
    assert codes(needing) != []


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        *(("837I", f"005010X223{errata}") for errata in ("", "A1", "A2", "A3")),
        *(("837P", f"005010X222{errata}") for errata in ("", "A1", "A2")),
        *(("835", f"005010X221{errata}") for errata in ("", "A1")),
        ("277CA", "005010X214"),
        *(("999", f"005010X231{errata}") for errata in ("", "A1")),
    ],
)
def test_a_guide_is_taken_under_every_version_it_is_announced_as(kind: str, version: str) -> None:
    text = WRITTEN[kind]
    announced = guide_tables.KINDS
    (own,) = [name for name, its in announced.items() if its == kind]
    assert codes(text.replace(own, version)) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("005010X223A2", "004010X096A1", "004010X096A1 is not version 5010"),
        ("*00501*", "*00401*", "another version (ISA12)"),
        ("005010X223A2", "005010X279A1", "not one of the guides checked here"),
    ],
)
def test_another_version_or_guide_is_refused_plainly(old: str, new: str, says: str) -> None:
    found = [*check_bytes(INSTITUTIONAL.replace(old, new).encode()).all_findings()]
    assert any(each.code == "version-unsupported" and says in each.message for each in found)


def _cached(folder: Path) -> Path:
    (file,) = (folder / "cleanclaim" / "guides").glob("005010X223A2-*.json")
    return file


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"children": 3}', b'{"loop": "ST_LOOP", "children": []}'])
def test_a_spoilt_cache_is_compiled_anew(own_cache: Path, content: bytes) -> None:
    assert codes(INSTITUTIONAL) == []
    whole = _cached(own_cache).read_bytes()
    _cached(own_cache).write_bytes(content)
    _forget()
    assert codes(INSTITUTIONAL) == []
    assert json.loads(whole) == json.loads(_cached(own_cache).read_bytes())


def test_a_cache_that_cannot_be_written_is_done_without(own_cache: Path) -> None:
    (own_cache / "cleanclaim").write_text("a file where the folder should be")
    assert codes(INSTITUTIONAL) == []


def test_two_that_compile_at_once_leave_one_whole_table(own_cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        tables = [*pool.map(lambda _: guide_tables.read_guide.__wrapped__("005010X223A2"), range(4))]
    assert all(table == tables[0] for table in tables)
    assert [each.suffix for each in (own_cache / "cleanclaim" / "guides").iterdir()] == [".json"]


def test_another_version_of_pyx12_has_a_table_of_its_own(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert codes(INSTITUTIONAL) == []
    first = _cached(own_cache).name
    monkeypatch.setattr(guide_tables, "version", lambda name: "4.0.1")
    assert guide_tables._cache_file("005010X223A2").name != first
