"""The installed command's whole loop against OpenSSH's own server: a login by key, files out, answers back, paid."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.command import Cleanclaim
from tests.servers import OpenSshServer

EXAMPLES = Path(__file__).parent.parent / "examples"
SITE = ("--site", "clinic")
CLEARINGHOUSE = """\
from datetime import UTC, datetime
from pathlib import Path
import sys
from clearinghouse.sandbox.clearing import Clearing
from clearinghouse.sandbox.ledger import Ledger
from clearinghouse.sandbox.payer_table import read_payer_table
name, mailbox, ledger = sys.argv[1:]
now = datetime(2026, 9, 1, 13, 0, tzinfo=UTC)
clearing = Clearing({name: Path(mailbox)}, Ledger(Path(ledger)), read_payer_table(), 1, lambda: now)
while clearing.run_once().did_something:
    pass
"""
"""The sandbox's clearinghouse on the folders that OpenSSH serves, as a program of its own beside the command."""


@pytest.fixture
def mailbox(openssh_server: OpenSshServer, request: pytest.FixtureRequest) -> Path:
    """Folders of the test's own, under a name of its own."""
    return openssh_server.new_mailbox(request.node.name.replace("_", "-"))


@pytest.fixture
def site(cleanclaim: Cleanclaim, openssh_server: OpenSshServer, mailbox: Path) -> Path:
    """The demo clinic's site with its clearinghouse at OpenSSH's server."""
    cleanclaim.json("init", "clinic", "--demo")
    folder = cleanclaim.folder / "clinic"
    connection = folder / "mappings" / "clearinghouses" / "sandbox.yaml"
    connection.write_text(_at_openssh(connection.read_text(), openssh_server, mailbox.name))
    return folder


def _at_openssh(connection: str, server: OpenSshServer, mailbox: str) -> str:
    """The connection with another server and login; the remote folders are the test's own."""
    _, algorithm, key = server.host_key_line.split()
    access = f"""
sftp:
  host: {server.host}
  port: {server.port}
  username: {server.user}
  private_key_ref: file:{server.key_file}
  host_keys: [{{alg: {algorithm}, key: {key}}}]
  allowed_ips: [127.0.0.0/8]
"""
    before, _, rest = connection.partition("\nsftp:\n")
    rest = rest[rest.index("\nupload:\n") :]
    for name in server.FOLDERS:
        rest = rest.replace(f"dir: {name}\n", f"dir: {mailbox}/{name}\n").replace(f"[{name}]", f"[{mailbox}/{name}]")
    return before + access + rest.replace("path: download", f"path: {mailbox}/download")


def _ingest(cleanclaim: Cleanclaim, case: str) -> None:
    for path in sorted((EXAMPLES / case).glob("in*")):
        source = "riverbend-hl7" if path.suffix == ".hl7" else "riverbend-fhir"
        assert cleanclaim.json("ingest", *SITE, "--source", source, path)["totals"]["refused"] == 0


def _clear(command: str, mailbox: Path, folder: Path) -> None:
    python = Path(command).with_name("python")
    arguments = [python, "-c", CLEARINGHOUSE, mailbox.name, mailbox, folder / "ledger.sqlite"]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def _listed(cleanclaim: Cleanclaim) -> list[tuple[str, str]]:
    return sorted((each["form"], each["state"]) for each in cleanclaim.json("claims", "list", *SITE)["claims"])


def test_claims_leave_by_opensshs_server_and_come_back_paid(
    cleanclaim: Cleanclaim, cleanclaim_command: str, site: Path, mailbox: Path
) -> None:
    cleanclaim.json("rosters", "import", "credentials", EXAMPLES / "roster.csv", *SITE)
    for case in ("synthetic-commercial-mh-iop", "synthetic-medicaid-sud-iop"):
        _ingest(cleanclaim, case)
    (sent,) = cleanclaim.json("exchange", "send", *SITE)["connections"]
    assert (2, 2, 0) == (sent["frozen"], sent["delivered"], sent["in_doubt"])
    uploaded = sorted(path.name for path in (mailbox / "upload").iterdir())
    assert ["837I_", "837P_"] == [name[:5] for name in uploaded], "no temporary file is left, no file is there twice"
    (again,) = cleanclaim.json("exchange", "send", *SITE)["connections"]
    assert (0, 0, 0) == (again["frozen"], again["delivered"], again["in_doubt"])

    _clear(cleanclaim_command, mailbox, cleanclaim.folder)
    assert uploaded == sorted(path.name for path in (mailbox / "archive").iterdir())
    (collected,) = cleanclaim.json("exchange", "collect", *SITE)["connections"]
    assert (10, 10, 0, []) == tuple(collected[key] for key in ("files", "applied", "set_aside", "problems"))
    assert not list((mailbox / "download").iterdir()), "what was taken is removed at the partner's"
    assert [("837I", "paid"), ("837P", "paid")] == _listed(cleanclaim)

    funnel = cleanclaim.json("funnel", *SITE)
    assert (90_000 + 47_400, 2) == (funnel["paid_cents"], funnel["paid"])
    doctor = cleanclaim.run("doctor", *SITE, "--json")
    assert doctor.code == 0, doctor.out


@pytest.mark.fault("F11")
def test_a_server_with_another_host_key_gets_nothing(cleanclaim: Cleanclaim, site: Path, mailbox: Path) -> None:
    connection = site / "mappings" / "clearinghouses" / "sandbox.yaml"
    text = connection.read_text()
    key = text.partition("key: AAAA")[2].partition("}")[0]
    connection.write_text(text.replace(key, key[:-8] + "AAAAAAAA"))
    _ingest(cleanclaim, "synthetic-medicaid-sud-iop")
    done = cleanclaim.run("exchange", "send", *SITE, "--json")
    assert done.code == 1
    (sent,) = done.answer["connections"]
    assert (1, 0) == (sent["frozen"], sent["delivered"])
    assert "host key" in sent["paused"]
    assert not list((mailbox / "upload").iterdir())
    assert [("837P", "frozen")] == _listed(cleanclaim)
