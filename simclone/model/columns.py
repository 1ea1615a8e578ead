"""Growable tables of integer columns with two views on one memory: an array for all rows, a memoryview for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeVar, overload

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
NO_ROW = -1
"""Stands inside tables where ZStack has null."""
Self = TypeVar("Self", bound="IntTable")


class IntColumn:
    """One int64 column of a table; a fresh row holds *fresh*.

    On the class (``Vms.cpu``) it is the column's key, on a table (``vms.cpu``) its cells: ``vms.cpu[vm]`` is a Python
    int. A table keeps its cells in its ``__dict__``, which Python looks into before it asks this descriptor, so that a
    read costs what any attribute costs: half of a look-up by the column's name, and a misspelt one is a type error.
    """

    __slots__ = ("fresh", "name")

    def __init__(self, fresh: int = 0) -> None:
        self.fresh = fresh
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, table: None, owner: type) -> IntColumn: ...
    @overload
    def __get__(self, table: IntTable, owner: type) -> memoryview[int]: ...
    def __get__(self, table: IntTable | None, owner: type) -> IntColumn | memoryview[int]:
        return self if table is None else table.cells[self.name]

    def __repr__(self) -> str:
        return f"IntColumn({self.name})"


class IntTable:
    """Rows of exact int64 columns, each declared as a `IntColumn`.

    ``table.memory[row]`` reads one value, ``table.array(table.memory)`` all of them as a numpy array of shape
    (row_count,): both see the same memory. Cells are valid until rows are added beyond the capacity. Only the ledger
    writes. `cells` finds a column whose name is data: that of a file's figure or of an extension's test.
    """

    COLUMNS: ClassVar[Mapping[str, IntColumn]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.COLUMNS = {name: value for name, value in vars(cls).items() if isinstance(value, IntColumn)}

    def __init__(self, capacity: int = 16) -> None:
        self.row_count = 0
        self.cells: dict[str, memoryview[int]] = {}
        self._capacity = 0
        self._grow(max(capacity, 1))

    def _grow(self, capacity: int) -> None:
        for name, column in self.COLUMNS.items():
            fresh = np.full(capacity, column.fresh, dtype=np.int64)
            if self.row_count:
                fresh[: self.row_count] = self.array(self.cells[name])
            self._bind(name, fresh)
        self._capacity = capacity

    def _bind(self, name: str, values: IntArray) -> None:
        cells: memoryview[int] = memoryview(values)  # type: ignore[arg-type]
        self.cells[name] = cells
        self.__dict__[name] = cells

    def array(self, cells: memoryview[int]) -> IntArray:
        """All live rows of a column of this table, shape (row_count,); a view, not a copy."""
        whole: Any = cells.obj
        column: IntArray = whole[: self.row_count]
        return column

    def put(self, column: IntColumn, row: int, value: int) -> None:
        """Write one value; for the ledger only."""
        self.cells[column.name][row] = value

    def new_row(self) -> int:
        """A fresh row; for the ledger and the builder only."""
        if self.row_count == self._capacity:
            self._grow(2 * self._capacity)
        row = self.row_count
        self.row_count += 1
        return row

    def new_rows(self, count: int) -> int:
        """Room for *count* rows at once; the first of them."""
        if self.row_count + count > self._capacity:
            self._grow(max(2 * self._capacity, self.row_count + count))
        first = self.row_count
        self.row_count += count
        return first

    def drop_last_row(self) -> None:
        """Take the last row back; its cells are as in a fresh row."""
        self.row_count -= 1
        for name, column in self.COLUMNS.items():
            self.cells[name][self.row_count] = column.fresh

    def values_of(self, row: int) -> Iterator[tuple[str, int]]:
        """Each column's name and value of one row."""
        for name, cells in self.cells.items():
            yield name, cells[row]

    def copy_columns(self: Self, twin: Self) -> None:
        """Give *twin* a copy of every column."""
        twin.row_count, twin._capacity = self.row_count, self._capacity
        for name, cells in self.cells.items():
            whole: Any = cells.obj
            twin._bind(name, whole.copy())
