"""The same stream by two plain programs, for ratios in one run: a numpy scan of all hosts, a heap of VM counts."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from time import perf_counter
from typing import Any

import numpy as np

from simclone.bench.stream import FLAVOURS, HOST_CORES, HOST_GIB, folded

PATIENCE_S = 5.0
Pick = Callable[[int, int], int]


class _Scan:
    """Free cores and GiB of every host in two arrays; each request looks at all of them."""

    def __init__(self, hosts: int, policy: str) -> None:
        self._policy = policy
        self.cores = np.full(hosts, HOST_CORES, dtype=np.int64)
        self.gib = np.full(hosts, HOST_GIB, dtype=np.int64)
        self.count = np.zeros(hosts, dtype=np.int64)
        self._fits, self._roomy = np.empty(hosts, dtype=bool), np.empty(hosts, dtype=bool)
        self._key = np.empty(hosts, dtype=np.int64)

    def pick(self, cores: int, gib: int) -> int:
        """The host a policy gives, -1 for none."""
        np.greater_equal(self.cores, cores, out=self._fits)
        np.greater_equal(self.gib, gib, out=self._roomy)
        np.logical_and(self._fits, self._roomy, out=self._fits)
        if self._policy == "first":
            host = int(self._fits.argmax())
            return host if self._fits[host] else -1
        np.copyto(self._key, {"fewest": self.count, "best": self.cores}.get(self._policy, self.cores))
        if self._policy == "worst":
            np.negative(self._key, out=self._key)
        self._key[~self._fits] = 1 << 40
        host = int(self._key.argmin())
        return host if self._key[host] != 1 << 40 else -1

    def change(self, host: int, cores: int, gib: int, sign: int) -> None:
        """A VM comes (+1) or goes (-1)."""
        self.cores[host] -= sign * cores
        self.gib[host] -= sign * gib
        self.count[host] += sign


class _Heap:
    """Hosts by VM count in a heap whose stale entries go when they are met; plain Python, fewest VMs only."""

    def __init__(self, hosts: int) -> None:
        self.cores, self.gib, self.count = [HOST_CORES] * hosts, [HOST_GIB] * hosts, [0] * hosts
        self._heap = list(range(hosts))
        heapify(self._heap)

    def pick(self, cores: int, gib: int) -> int:
        """The host with fewest VMs that is large enough, -1 for none."""
        small, heap, result = set(), self._heap, -1
        while heap:
            entry = heappop(heap)
            host = entry & 0xFFFFFFFF
            if entry >> 32 != self.count[host] or entry in small:
                continue
            if self.cores[host] >= cores and self.gib[host] >= gib:
                result = host
                break
            small.add(entry)
        for entry in small:
            heappush(heap, entry)
        return result

    def change(self, host: int, cores: int, gib: int, sign: int) -> None:
        """A VM comes (+1) or goes (-1)."""
        self.cores[host] -= sign * cores
        self.gib[host] -= sign * gib
        self.count[host] += sign
        heappush(self._heap, self.count[host] << 32 | host)


def beside(hosts: int, order: list[int], flavours: list[int], policy: str) -> dict[str, Any]:
    """Rates of both over the stream, or over as much of it as they manage in some seconds."""
    result = {"numpy_scan": _timed(_Scan(hosts, policy), order, flavours)}
    if policy == "fewest":
        result["heap"] = _timed(_Heap(hosts), order, flavours)
    return result


def _timed(program: _Scan | _Heap, order: list[int], flavours: list[int]) -> dict[str, Any]:
    where: dict[int, int] = {}
    total = decisions = 0
    begun = perf_counter()
    for act in order:
        if act < 0:
            host = where.pop(-act - 1, -1)
            if host >= 0:
                cores, gib, _ = FLAVOURS[flavours[-act - 1]]
                program.change(host, cores, gib, -1)
            continue
        cores, gib, _ = FLAVOURS[flavours[act]]
        host = program.pick(cores, gib)
        if host >= 0:
            program.change(host, cores, gib, 1)
            where[act] = host
        total = folded(total, host)
        decisions += 1
        if not decisions % 1024 and perf_counter() - begun > PATIENCE_S:
            break
    seconds = perf_counter() - begun
    whole = decisions == len(flavours)
    return {
        "placements_per_s": round(decisions / seconds),
        "decisions": decisions,
        "hash": f"{total:016x}" if whole else None,
    }
