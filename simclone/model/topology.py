"""Who is attached to whom, resolved once into small tables; forgotten when an attachment changes."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from simclone.model.columns import BoolArray
from simclone.model.storage import PrimaryStorage

MOST_KEPT = 4096


class Attachments:
    """Cached answers about storages, networks and clusters. The ledger calls `forget` when it changes one."""

    def __init__(self) -> None:
        self._storages: dict[int, tuple[int, ...]] = {}
        self._masks: dict[frozenset[int], BoolArray] = {}
        self._networks: dict[tuple[int, ...], frozenset[int]] = {}
        self._lasting: dict[Hashable, Any] = {}
        self._epoch = -1

    def remembered(self, epoch: int) -> dict[Hashable, Any]:
        """What others worked out from what only an administrator changes; empty again after every such act."""
        if epoch != self._epoch or len(self._lasting) >= MOST_KEPT:
            self._epoch = epoch
            self._lasting.clear()
        return self._lasting

    def forget(self) -> None:
        """Drop everything that was resolved."""
        self._storages.clear()
        self._networks.clear()

    def storages_of(self, storages: list[PrimaryStorage], cluster: int) -> tuple[int, ...]:
        """Primary storages attached to a cluster, ascending by uuid."""
        result = self._storages.get(cluster)
        if result is None:
            result = tuple(row for row, storage in enumerate(storages) if cluster in storage.clusters)
            self._storages[cluster] = result
        return result

    def clusters_of(self, attached: list[set[int]], l2s: tuple[int, ...], clusters: int) -> frozenset[int]:
        """Clusters that have every one of *l2s* attached; all of them when there is none."""
        result = self._networks.get(l2s)
        if result is None:
            result = frozenset(range(clusters)).intersection(*(attached[l2] for l2 in l2s))
            self._networks[l2s] = result
        return result

    def mask(self, clusters: frozenset[int], size: int) -> BoolArray:
        """A truth per cluster; not to be written."""
        result = self._masks.get(clusters)
        if result is None or len(result) != size:
            result = np.zeros(size, dtype=np.bool_)
            result[list(clusters)] = True
            result.flags.writeable = False
            self._masks[clusters] = result
        return result
