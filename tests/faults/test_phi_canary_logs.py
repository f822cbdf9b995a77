"""What libraries and Python itself would print of an exception is cut down to its kind and place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CANARY = "ZZQUAGMIRE"
BREAKING = {
    "a library's own words": "logging.getLogger('lib').error('cannot read %s', CANARY)",
    "an exception that was logged": """
try:
    raise ValueError(CANARY)
except ValueError:
    logging.getLogger('lib').exception('it broke')
""",
    "a task nobody waited for": """
import asyncio, gc
async def breaks(): raise ValueError(CANARY)
async def main():
    asyncio.create_task(breaks())
    await asyncio.sleep(0.01)
    gc.collect()
asyncio.run(main())
""",
    "a thread": """
import threading
def breaks(): raise ValueError(CANARY)
thread = threading.Thread(target=breaks)
thread.start()
thread.join()
""",
    "a statement's values": """
from sqlalchemy import text
from gateway.store.audit_chain import AuditChain
from gateway.store.database import Database
store = Database(f'sqlite:///{sys.argv[1]}/store.sqlite', AuditChain(b'key'))
try:
    with store._engine.connect() as connection:
        connection.execute(text('CREATE TABLE t (a TEXT UNIQUE)'))
        for _ in range(2):
            connection.execute(text('INSERT INTO t VALUES (:a)'), {'a': CANARY})
except Exception as error:
    print(error, file=sys.stderr)
""",
}


@pytest.mark.parametrize("broken", BREAKING)
def test_an_exception_says_its_kind_and_place_and_no_value(broken: str, tmp_path: Path) -> None:
    script = "import logging, sys\nfrom gateway.wiring.logs import log_to_stderr\nlog_to_stderr(logging.DEBUG)\n"
    script += f"CANARY = 'ZZQUA' + 'GMIRE'\n{BREAKING[broken]}"
    command = [sys.executable, "-c", script, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == ""
    assert done.stderr
    assert CANARY not in done.stderr
    if broken != "a statement's values":
        assert all(json.loads(line) for line in done.stderr.splitlines())
