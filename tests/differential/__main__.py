"""Compare by hand: `python -m tests.differential FOLDER..` for files of others, `--all` for every damage we can make.

`--all --write` also renews the counts and the page docs/reference/x12-referee.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.differential.comparison import Comparison
from tests.differential.mutations import damages
from tests.differential.page import write_page
from tests.differential.subjects import shapes


def main() -> int:
    """Exit 0 when every difference has a class, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="files, or folders of files")
    parser.add_argument("--all", action="store_true", help="every shape, whole and in every damage (minutes)")
    parser.add_argument("--write", action="store_true", help="with --all: renew the reference page")
    given = parser.parse_args()
    comparison = Comparison()
    if given.all:
        for name, content in shapes().items():
            comparison.take(name, content)
            for damage in damages(content):
                comparison.take(f"{name}, {damage}", damage.content)
    for path in given.paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and b"ISA" in (content := file.read_bytes()):
                comparison.take(str(file), content)
    print(comparison.report())
    if given.all and given.write and not comparison.unclassed:
        write_page(comparison)
    return 1 if comparison.unclassed else 0


if __name__ == "__main__":
    sys.exit(main())
