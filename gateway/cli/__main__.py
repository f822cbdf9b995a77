"""`python -m gateway.cli` is `cleanclaim`."""

from gateway.cli import main

main()
