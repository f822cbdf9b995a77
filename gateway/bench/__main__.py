"""The child's side of the bench: ``python -m gateway.bench TASK ARGUMENTS ANSWER``."""

import sys
from pathlib import Path

from gateway.bench.children import serve_task

if __name__ == "__main__":
    serve_task(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
