"""`cleanclaim serve` as its own process, started again when it dies, as an operator's supervisor would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from gateway.errors import Unavailable

_START_S = 60.0
_STOP_S = 30.0


class ServeProcess:
    """One running server of a site."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = folder / "run" / "ports.json"
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def ports(self) -> Mapping[str, int]:
        """The doors' ports by name; the server is started when it is not running. Raises Unavailable."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            found = self._written()
            if found is not None:
                return found
            assert self._process is not None, "it was just started"
            if self._process.poll() is not None:
                self._start()
            time.sleep(0.05)
        raise Unavailable(f"the server did not come up; its log is {self._folder / 'run' / 'serve.log'}")

    def _start(self) -> None:
        self._ports.parent.mkdir(parents=True, exist_ok=True)
        self._ports.unlink(missing_ok=True)
        self.starts += 1
        command = [sys.executable, "-m", "gateway.cli", "serve", "--site", str(self._folder)]
        with (self._folder / "run" / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1"}
            )

    def _written(self) -> Mapping[str, int] | None:
        """The ports this very process wrote; an earlier one's file does not count."""
        assert self._process is not None, "ports are asked of a started server"
        try:
            found = json.loads(self._ports.read_text())
        except (OSError, ValueError):
            return None
        return found["ports"] if found["pid"] == self._process.pid else None

    def stop(self) -> None:
        """Ask it to stop, and wait."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
