"""Typed reading of a mapping whose scalars may all be text, collecting every problem with its key path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta, tzinfo
from difflib import get_close_matches
from enum import StrEnum
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.errors import ConfigurationError

_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_UNITS_BYTES: Final = {"B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3}
_TRUE: Final = frozenset({"true", "yes", "on"})
_FALSE: Final = frozenset({"false", "no", "off"})

Choice = TypeVar("Choice", bound=StrEnum)
Default = TypeVar("Default", str, int)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a profile: the path of the key (`sftp.host_keys[1].key`) and what to write there."""

    path: str
    message: str


class ProfileError(ConfigurationError):
    """The partner profile cannot be used."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.found = tuple(problems)
        super().__init__([f"{problem.path}: {problem.message}" for problem in self.found])


class Fields:
    """One level of the mapping. A wrong or missing value is noted as a problem and read as its default."""

    def __init__(self, mapping: object, path: str, problems: list[Problem]) -> None:
        self.path = path
        self._problems = problems
        self._read: set[str] = set()
        if mapping is not None and not isinstance(mapping, Mapping):
            self.note("", "should be a mapping of keys to values")
        self._values: dict[str, object] = {}
        if isinstance(mapping, Mapping):
            self._values = {str(key): value for key, value in mapping.items()}

    def note(self, key: str, message: str) -> None:
        """Record a problem with `key` of this level (or with the level itself, for an empty key)."""
        self._problems.append(Problem(self._path_of(key), message))

    def has(self, key: str) -> bool:
        """Whether the key holds anything at all."""
        return self._raw(key) is not None

    def text(self, key: str, default: str | None = None, pattern: str = "", wanted: str = "") -> str:
        """The value as text, required unless there is a default, matching `pattern` whole (in words: `wanted`)."""
        raw = self._raw(key)
        if raw is None:
            return self._missing(key, default, "")
        if isinstance(raw, Mapping | list | tuple):
            self.note(key, "should be one value")
            return default or ""
        value = str(raw)
        if pattern and not re.fullmatch(pattern, value):
            self.note(key, f"should be {wanted or pattern}")
            return default or ""
        return value

    def integer(self, key: str, default: int | None = None, minimum: int = 0, maximum: int = 2**31) -> int:
        """A whole number within its bounds."""
        raw = self._raw(key)
        if raw is None:
            return self._missing(key, default, minimum)
        if not re.fullmatch(r"[0-9]{1,12}", str(raw)) or not minimum <= int(str(raw)) <= maximum:
            self.note(key, f"should be a whole number from {minimum} to {maximum}")
            return minimum if default is None else default
        return int(str(raw))

    def boolean(self, key: str, default: bool) -> bool:
        """`true` or `false`."""
        raw = self._raw(key)
        word = str(raw).lower()
        if raw is None or word in _TRUE | _FALSE:
            return default if raw is None else word in _TRUE
        self.note(key, "should be true or false")
        return default

    def choice(self, key: str, kind: type[Choice], default: Choice) -> Choice:
        """One of the words of `kind`."""
        raw = self._raw(key)
        if raw is None:
            return default
        if str(raw) not in {member.value for member in kind}:
            self.note(key, "should be one of " + ", ".join(member.value for member in kind))
            return default
        return kind(str(raw))

    def duration(self, key: str, default: timedelta, wanted: str = "a duration such as 30s, 5m, 4h or 2d") -> timedelta:
        """A number with its unit (`30s`, `5m`, `4h`, `2d`); seconds where none is given."""
        raw = self._raw(key)
        if raw is None:
            return default
        found = re.fullmatch(r"([0-9]{1,9})([smhd]?)", str(raw))
        if not found:
            self.note(key, f"should be {wanted}")
            return default
        return timedelta(seconds=int(found[1]) * _UNITS_S[found[2] or "s"])

    def octets(self, key: str, default: int) -> int:
        """A size with its unit (`10MB`); bytes where none is given."""
        raw = self._raw(key)
        if raw is None:
            return default
        found = re.fullmatch(r"([0-9]{1,12})(B|KB|MB|GB)?", str(raw))
        if not found:
            self.note(key, "should be a size such as 500KB, 10MB or 1GB")
            return default
        return int(found[1]) * _UNITS_BYTES[found[2] or "B"]

    def day(self, key: str) -> date | None:
        """A date as YYYY-MM-DD, or None."""
        raw = self._raw(key)
        if raw is None or (isinstance(raw, date) and not hasattr(raw, "hour")):
            return raw
        try:
            return date.fromisoformat(str(raw))
        except ValueError:
            self.note(key, "should be a date as YYYY-MM-DD")
            return None

    def days(self, key: str) -> list[date]:
        """A list of dates as YYYY-MM-DD; empty when absent."""
        found = []
        for text in self.texts(key):
            try:
                found.append(date.fromisoformat(text))
            except ValueError:
                self.note(key, f"should be dates as YYYY-MM-DD, and {text!r} is none")
        return found

    def time_of_day(self, key: str) -> time | None:
        """An hour as HH:MM, or None."""
        text = self.text(key, default="", pattern=r"([01][0-9]|2[0-3]):[0-5][0-9]", wanted="an hour as HH:MM")
        return time.fromisoformat(text) if text else None

    def time_zone(self, key: str, default: tzinfo) -> tzinfo:
        """A time zone by its name, such as America/Chicago."""
        name = self.text(key, default="")
        try:
            return ZoneInfo(name) if name else default
        except (ZoneInfoNotFoundError, ValueError):
            self.note(key, "should be the name of a time zone such as America/Chicago")
            return default

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when absent."""
        return tuple(str(item) for item in self._items(key))

    def section(self, key: str) -> Fields:
        """The level below a key; empty when absent."""
        return Fields(self._raw(key), self._path_of(key), self._problems)

    def sections(self, key: str) -> list[Fields]:
        """The levels in a list below a key; none when absent."""
        where = self._path_of(key)
        return [Fields(item, f"{where}[{at}]", self._problems) for at, item in enumerate(self._items(key))]

    def refuse_unknown(self) -> None:
        """Note every key that nothing asked for: a misspelt key must not be a silent default."""
        for key in self._values:
            if key not in self._read:
                close = get_close_matches(key, sorted(self._read), 1)
                self.note(key, "is not a key of a partner profile" + (f"; did you mean {close[0]!r}?" if close else ""))

    def _items(self, key: str) -> tuple[object, ...]:
        raw = self._raw(key)
        if raw is None:
            return ()
        if not isinstance(raw, list | tuple):
            self.note(key, "should be a list")
            return ()
        return tuple(raw)

    def _raw(self, key: str) -> object:
        self._read.add(key)
        value = self._values.get(key)
        return None if isinstance(value, str) and value in {"", "null", "~"} else value

    def _path_of(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def _missing(self, key: str, default: Default | None, stand_in: Default) -> Default:
        if default is None:
            self.note(key, "is missing")
            return stand_in
        return default
