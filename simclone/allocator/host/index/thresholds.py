"""Thresholds of many request classes at once: which of them a host is too small for, as the bits of one integer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TypeAlias

import numpy as np

from simclone.allocator.host.flow import CellThreshold, FlowFacts, Threshold
from simclone.allocator.host.index.buckets import slots
from simclone.model.fleet import Fleet

Quantity = tuple[tuple[str, int], ...]
Cells: TypeAlias = "memoryview[int]"
Table = tuple[Cells, list[tuple[Cells, int]], list[int], list[int]]
"""A quantity (its first column, the others with their signs), its thresholds ascending, who is refused below each."""


def thresholds_by_ratio(tests: Sequence[Threshold], facts: FlowFacts, classes: int) -> list[list[int]]:
    """Per memory-ratio class the threshold of each test."""
    return [[int(test.least(facts, SimpleNamespace(ratio_class=row))) for test in tests] for row in range(classes)]


class ThresholdTable:
    """For each quantity the thresholds of all request classes in order, and who is refused below each of them."""

    def __init__(self, fleet: Fleet) -> None:
        self._cells, self._classes = fleet.cells, fleet.ratio_class
        self._members: list[tuple[int, Sequence[Threshold], list[list[int]]]] = []
        self._tables: list[list[Table]] = []

    def put(self, bit: int, tests: Sequence[Threshold], thresholds: list[list[int]]) -> None:
        """A request class, known by its bit, new or instead of another; *thresholds* by class and test."""
        self._members = [member for member in self._members if member[0] != bit]
        self._members.append((bit, tests, thresholds))
        self._tables = [self._class_tables(row) for row in range(len(thresholds))]

    def _class_tables(self, ratio_class: int) -> list[Table]:
        by_quantity: dict[Quantity, dict[int, int]] = {}
        for bit, tests, thresholds in self._members:
            for test, threshold in zip(tests, thresholds[ratio_class], strict=True):
                at = by_quantity.setdefault(test.columns, {})
                at[threshold] = at.get(threshold, 0) | bit
        tables: list[Table] = []
        for columns, bits in by_quantity.items():
            ascending, masks = _stack(bits)
            others = [(self._cells[name], sign) for name, sign in columns[1:]]
            tables.append((self._cells[columns[0][0]], others, ascending, masks))
        return tables

    def blocked(self, host: int) -> int:
        """The bits of all request classes some threshold of which the host does not reach."""
        mask = 0
        for first, others, thresholds, masks in self._tables[self._classes[host]]:
            value = first[host]
            for other, sign in others:
                value += sign * other[host]
            if value < thresholds[-1]:
                mask |= masks[bisect_right(thresholds, value)]
        return mask


class CellThresholdTable:
    """Cell thresholds on *hosts*, of *most* there are: per column ascending, and who is refused below each."""

    def __init__(self, hosts: Sequence[int], most: int) -> None:
        self.members: dict[int, CellThreshold] = {}
        self._hosts, self._asked = hosts, slots(hosts, most, 0)
        self._tables: list[tuple[Cells, list[int], list[int]]] = []

    def put(self, bit: int, cell_threshold: CellThreshold | None) -> None:
        """A request class, known by its bit, new or instead of another."""
        old = self.members.pop(bit, None)
        if cell_threshold is None and old is None:
            return
        if cell_threshold is not None and old is not None and _equal(cell_threshold, old):
            self.members[bit] = cell_threshold
            return
        asks = None if cell_threshold is None else cell_threshold.hosts.tolist()
        for host in self._hosts:
            mask = self._asked[host] & ~bit
            self._asked[host] = mask | bit if asks is not None and asks[host] else mask
        if cell_threshold is not None:
            self.members[bit] = cell_threshold
        self._tables = [(cells, *_stack(bits)) for cells, bits in self._thresholds()]

    def _thresholds(self) -> list[tuple[Cells, dict[int, int]]]:
        """Per column the thresholds with the bits of who asks for them."""
        tables: list[tuple[Cells, dict[int, int]]] = []
        for bit, cell_threshold in self.members.items():
            bits = next((bits for cells, bits in tables if cells is cell_threshold.cells), None)
            if bits is None:
                bits = {}
                tables.append((cell_threshold.cells, bits))
            bits[cell_threshold.least] = bits.get(cell_threshold.least, 0) | bit
        return tables

    def blocked(self, host: int) -> int:
        """The bits of all request classes that find too little in a cell of the host."""
        bits, mask = self._asked[host], 0
        if bits:
            for cells, thresholds, masks in self._tables:
                value = cells[host]
                if value < thresholds[-1]:
                    mask |= masks[bisect_right(thresholds, value)]
        return mask & bits


def _equal(first: CellThreshold, other: CellThreshold) -> bool:
    return first.cells is other.cells and first.least == other.least and np.array_equal(first.hosts, other.hosts)


def _stack(bits: dict[int, int]) -> tuple[list[int], list[int]]:
    """The thresholds ascending, and who is refused below each."""
    ascending = sorted(bits)
    masks = [0] * (len(ascending) + 1)
    for position in range(len(ascending) - 1, -1, -1):
        masks[position] = masks[position + 1] | bits[ascending[position]]
    return ascending, masks
