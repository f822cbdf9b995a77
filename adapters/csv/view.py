"""One row as the mapping engine reads it: a path is a column's heading, or `Heading[;]` for the pieces of a cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from adapters.csv.table import CsvFault, CsvFormatError, open_table
from adapters.mapping.view import Notation

_SPLIT = re.compile(r"(.*)\[([;,|/])\]")
Reader = Callable[["RowView"], list[tuple[str, str]]]


class RowView:
    """A row's cells by heading; upper and lower case and runs of blanks make no difference."""

    __slots__ = ("_cells",)

    def __init__(self, header: Sequence[str], cells: Sequence[str]) -> None:
        self._cells = dict(zip(map(folded, header), cells, strict=False))

    @staticmethod
    def compile(path: str) -> Reader:
        """A function from a row to [(value, heading)]; an empty cell gives none. Raises ValueError."""
        heading, separator = column_of(path)
        name = folded(heading)
        if not name:
            raise ValueError("give the heading of a column")

        def read(view: RowView) -> list[tuple[str, str]]:
            cell = view._cells.get(name, "")
            pieces = cell.split(separator) if separator else (cell,)
            return [(piece.strip(), heading) for piece in pieces if piece.strip()]

        return read

    def groups(self, name: str) -> Sequence[RowView]:  # noqa: ARG002 - the engine's Protocol
        """A row has none."""
        return ()

    @property
    def position(self) -> str:
        """What stands for the whole row in findings."""
        return "row"


def column_of(path: str) -> tuple[str, str]:
    """The heading a path names, and what its cells are split at (empty: they are not)."""
    match = _SPLIT.fullmatch(path.strip())
    return (match[1].strip(), match[2]) if match else (path.strip(), "")


def folded(heading: str) -> str:
    """A heading as it is compared."""
    return " ".join(heading.split()).casefold()


def open_row(raw: bytes, character_set: str = "") -> RowView:
    """The view of one row kept with its heading line. Raises CsvFormatError."""
    table = open_table(raw, character_set)
    row = next(table.rows(), None)
    if row is None or isinstance(row, CsvFault):
        raise CsvFormatError(row.text if row else "there is no row below the heading line")
    return RowView(table.header, row.cells)


CSV_NOTATION = Notation(name="csv", compile=RowView.compile, open_message=open_row)
