"""The installed command as its users know it: started as a process, judged by its output and exit code."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import gone_with_us

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        """Its standard output as the one JSON document it must be."""
        return json.loads(self.out)


class Cleanclaim:
    """Runs the command in one folder."""

    def __init__(self, command: str, folder: Path) -> None:
        self._command = command
        self.folder = folder
        self._environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100"}
        self._environment.pop("CLEANCLAIM_SITE", None)

    def run(self, *arguments: str | Path) -> Ended:
        """Run to the end; no command ever shows a traceback."""
        done = subprocess.run(
            [self._command, *map(str, arguments)],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def shipped(self, path: str) -> str:
        """A mapping file as it comes with the command, wherever that is installed."""
        python = Path(self._command).parent / "python"
        found = "import mappings, pathlib, sys; print(pathlib.Path(*mappings.__path__, sys.argv[1]).read_text())"
        command = [python, "-c", found, path]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def json(self, *arguments: str | Path) -> Any:
        """Run with --json; standard output is one document and nothing else."""
        return self.run(*arguments, "--json").answer

    @contextmanager
    def started(self, *arguments: str | Path, until: str = "ready") -> Iterator[Running]:
        """Start, wait for a line that begins with ``until``, and stop it at the end if it still runs."""
        process = subprocess.Popen(
            gone_with_us([self._command, *map(str, arguments)]),
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        try:
            yield Running(process, _read_until(process, until))
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


@dataclass(slots=True)
class Running:
    """A command that runs."""

    process: subprocess.Popen[bytes]
    said: list[str]

    def wait_for(self, beginning: str) -> list[str]:
        """The lines it says from now on, until one begins so."""
        return _read_until(self.process, beginning)

    def stop(self, number: int = signal.SIGTERM) -> Ended:
        """Ask it to stop, and wait."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return Ended(self.process.returncode, "\n".join(self.said) + "\n" + out.decode(), err.decode())


def route_to(site: Path, port: int) -> None:
    """Have a demo site's connection lead to the sandbox's port; to be put in force."""
    connection = site / "mappings" / "clearinghouses" / "sandbox.yaml"
    settings = connection.read_text()
    assert "port: 2222" in settings
    connection.write_text(settings.replace("port: 2222", f"port: {port}"))


def _read_until(process: subprocess.Popen[bytes], beginning: str) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    rest = b""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        readable, _, _ = select.select([process.stdout], [], [], 0.2)
        chunk = os.read(process.stdout.fileno(), 65536) if readable else b""
        if readable and not chunk:
            break
        *whole, rest = (rest + chunk).split(b"\n")
        lines += [line.decode() for line in whole]
        if any(line.startswith(beginning) for line in lines):
            return lines
    assert process.stderr is not None
    process.kill()
    raise AssertionError(f"it never said {beginning!r}: {lines} {process.stderr.read().decode()}")
