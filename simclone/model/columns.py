"""Growable integer columns with two faces on one memory: an array for all rows, a memoryview for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Columns:
    """A table of exact int64 columns named in `FIELDS`.

    ``table.array("memory")`` is the numpy face of the live rows, ``table.cells("memory")[row]`` the scalar
    face: it yields and takes Python ints at half the cost of a numpy item. Both see the same memory.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ()
    UNSET: ClassVar[frozenset[str]] = frozenset()
    """Columns that hold -1 in a fresh row; the others hold 0."""

    def __init__(self, capacity: int = 16) -> None:
        self.size = 0
        self._arrays: dict[str, IntArray] = {}
        self._cells: dict[str, memoryview[int]] = {}
        self.cells: Callable[[str], memoryview[int]] = self._cells.__getitem__
        """The scalar face of a column; valid until rows are added beyond the capacity."""
        self._grow(max(capacity, 1))

    def _grow(self, capacity: int) -> None:
        for name in self.FIELDS:
            fresh = np.full(capacity, -1 if name in self.UNSET else 0, dtype=np.int64)
            if self.size:
                fresh[: self.size] = self._arrays[name][: self.size]
            self._arrays[name] = fresh
            self._cells[name] = memoryview(fresh)  # type: ignore[arg-type]
        self._capacity = capacity

    def array(self, name: str) -> IntArray:
        """All live rows of a column, shape (size,); a view, not a copy."""
        return self._arrays[name][: self.size]

    def get(self, name: str, row: int) -> int:
        """One value."""
        return self._cells[name][row]

    def put(self, name: str, row: int, value: int) -> None:
        """Write one value; for the ledger only."""
        self._cells[name][row] = value

    def _new_row(self) -> int:
        if self.size == self._capacity:
            self._grow(2 * self._capacity)
        row = self.size
        self.size += 1
        return row

    def _new_rows(self, count: int) -> int:
        """Room for *count* rows at once; the first of them."""
        if self.size + count > self._capacity:
            self._grow(max(2 * self._capacity, self.size + count))
        first = self.size
        self.size += count
        return first

    def _copy_into(self, twin: Columns) -> None:
        twin.size = self.size
        twin._grow_from(self)

    def _grow_from(self, other: Columns) -> None:
        for name in self.FIELDS:
            fresh = other._arrays[name].copy()
            self._arrays[name] = fresh
            self._cells[name] = memoryview(fresh)  # type: ignore[arg-type]
        self._capacity = other._capacity
