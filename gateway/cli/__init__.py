"""The command-line door. Start-up stays light: each command imports what it needs when it runs."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from gateway.wiring.collector import THRESHOLDS


def main() -> None:
    """Run the command this process was started as, and exit with its code."""
    gc.set_threshold(*THRESHOLDS)  # what is imported stays, and looking through it again and again takes a tenth of it
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command: 0 well, 1 something was found or failed, 2 unreadable or misuse. Never raises."""
    from gateway.cli.app import app
    from gateway.cli.failures import answer_failure

    try:
        code = app(args=list(arguments), prog_name="cleanclaim", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:
        return answer_failure(error, as_json="--json" in arguments)
    return code if isinstance(code, int) else 0
