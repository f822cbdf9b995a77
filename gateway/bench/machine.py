"""What the figures were measured on: processor, memory, system, and the versions of ours and of the references."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

REFERENCES = ("pyx12", "oxedi", "x12sdk", "hl7apy", "fhir.resources", "sqlalchemy", "paramiko")


def describe_machine() -> str:
    """One line: what a reader needs to judge whether figures of two runs may be compared."""
    packages = ", ".join(f"{name} {version_of(name) or 'not installed'}" for name in ("cleanclaim", *REFERENCES))
    return (
        f"{_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}; {packages}"
    )


def version_of(package: str) -> str:
    """The installed version of a package; empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def titled(package: str) -> str:
    """The name a reference goes by in the table: package and version."""
    return f"{package} {version_of(package)}".strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _memory_gb() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    except (OSError, ValueError, AttributeError):
        return 0.0
