"""Facts per host, cluster, zone or class that are read for whole columns or for one host alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simclone.model.columns import IntArray


class Lookup:
    """A fact per cluster, zone, class or host: ``facts.fits[host.cluster]`` works in both views."""

    __slots__ = ("_array", "_cells")

    def __init__(self, values: Any) -> None:
        self._array: IntArray = np.asarray(values, dtype=np.int64)
        self._cells: list[int] | None = None

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, np.ndarray):
            return self._array[index]
        if self._cells is None:
            self._cells = self._array.tolist()
        return self._cells[index]


class Sparse:
    """A fact about few hosts: a default for all others."""

    __slots__ = ("_array", "_default", "_size", "values")

    def __init__(self, values: Mapping[int, int], size: int, default: int = 0) -> None:
        self.values, self._size, self._default = values, size, default
        self._array: IntArray | None = None

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, np.ndarray):
            return self.values.get(index, self._default)
        if self._array is None:
            self._array = np.full(self._size, self._default, dtype=np.int64)
            if self.values:
                self._array[list(self.values)] = list(self.values.values())
        return self._array[index]


class ByDomain:
    """A fact per domain of hosts, read by the host; *domains* has the domain of each host, *values* its fact."""

    __slots__ = ("_domains", "_values")

    def __init__(self, domains: IntArray, values: IntArray) -> None:
        self._domains, self._values = domains, values

    def __getitem__(self, index: Any) -> Any:
        fact = self._values[self._domains[index]]
        return fact if isinstance(index, np.ndarray) else int(fact)
