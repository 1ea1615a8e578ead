"""Hosts by sort key and by the request classes that cannot have them; the best host of a class is found at the top."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import chain
from typing import TypeAlias, TypeVar

from sortedcontainers import SortedList

NOWHERE = 1 << 62
FEW = 512
"""So many hosts are sooner sorted than counted again and again."""


T = TypeVar("T")
Slots: TypeAlias = list[T] | dict[int, T]


def slots(hosts: Sequence[int], most: int, value: T) -> Slots[T]:
    """A place for each of some hosts, of *most* there are: a list where they are most of them, else a dict."""
    return [value] * most if 2 * len(hosts) > most else dict.fromkeys(hosts, value)


class Bucket:
    """Hosts of one level that the same classes cannot have; the lowest rank is at hand, stale entries go when met."""

    __slots__ = ("heap", "level", "mask", "size")

    def __init__(self, level: int, mask: int) -> None:
        self.level, self.mask, self.size = level, mask, 0
        self.heap: list[int] = []


class Buckets:
    """The order of all hosts. With *ranked* the n-th lowest rank of a level can be asked for, else only the lowest."""

    def __init__(self, hosts: Sequence[int], most: int, *, ranked: bool) -> None:
        self.ranked = ranked
        self.keys: list[int] = []
        self._rows: dict[int, dict[int, Bucket]] = {}
        self._most = most
        self._at: Slots[Bucket | None] = slots(hosts, most, None)
        self._lists: dict[Bucket, SortedList] = {}

    def put(self, host: int, level: int, mask: int) -> None:
        """Move a host to a level and the request classes that cannot have it."""
        old = self._at[host]
        if old is not None:
            if old.level == level and old.mask == mask:
                return
            old.size -= 1
            if self.ranked:
                self._lists[old].remove(host)
        row = self._rows.get(level)
        if row is None:
            row = self._rows[level] = {}
            insort(self.keys, level)
        bucket = row.get(mask)
        if bucket is None:
            bucket = row[mask] = Bucket(level, mask)
            if self.ranked:
                self._lists[bucket] = SortedList()
        bucket.size += 1
        self._at[host] = bucket
        if self.ranked:
            self._lists[bucket].add(host)
            return
        heappush(bucket.heap, host)
        if len(bucket.heap) > 2 * bucket.size + 64:
            bucket.heap = list({entry for entry in bucket.heap if self._at[entry] is bucket})
            heapify(bucket.heap)

    def from_level(self, low: int, bit: int) -> tuple[int, list[Bucket]]:
        """The best level not below *low* with hosts a request class may have, and their buckets; `NOWHERE` for none."""
        keys, rows = self.keys, self._rows
        for position in range(bisect_left(keys, low), len(keys)):
            result: list[Bucket] = []
            for bucket in rows[keys[position]].values():
                if bucket.size and not bucket.mask & bit:
                    result.append(bucket)
            if result:
                return keys[position], result
        return NOWHERE, []

    def level(self, host: int) -> int:
        """The level a host stands at."""
        bucket = self._at[host]
        return NOWHERE if bucket is None else bucket.level

    def lowest(self, buckets: list[Bucket]) -> int:
        """The lowest rank in some buckets that are not empty."""
        best, at = -1, self._at
        for bucket in buckets:
            heap = bucket.heap
            while at[heap[0]] is not bucket:
                heappop(heap)
            if best < 0 or heap[0] < best:
                best = heap[0]
        return best

    def lowest_without(self, buckets: list[Bucket], without: Sequence[int]) -> int:
        """The lowest rank in some buckets, not counting those *without*; there is one."""
        away, at = set(without), self._at
        return min(host for bucket in buckets for host in bucket.heap if at[host] is bucket and host not in away)

    def behind(self, buckets: list[Bucket], host: int) -> int:
        """The lowest rank in some buckets above that of a host, the lowest of all where none is above."""
        result = -1
        for bucket in buckets:
            hosts = self._lists[bucket]
            position = hosts.bisect_right(host)
            if position < len(hosts) and (result < 0 or hosts[position] < result):
                result = hosts[position]
        return min(self._lists[bucket][0] for bucket in buckets) if result < 0 else result

    def nth_without(self, buckets: list[Bucket], position: int, without: Sequence[int]) -> int:
        """The host at *position* among some buckets, ascending by rank, not counting those *without* (ascending)."""
        passed, result = 0, self.nth(buckets, position)
        while passed < bisect_right(without, result):
            passed = bisect_right(without, result)
            result = self.nth(buckets, position + passed)
        return result

    def nth(self, buckets: list[Bucket], position: int) -> int:
        """The host at *position* among some buckets, ascending by rank."""
        if len(buckets) == 1:
            return int(self._lists[buckets[0]][position])
        lists = [self._lists[bucket] for bucket in buckets]
        if sum([bucket.size for bucket in buckets]) <= FEW:
            result: int = sorted(chain.from_iterable(lists))[position]
            return result
        low, high = 0, self._most - 1
        while low < high:
            middle = (low + high) // 2
            if sum(bucket.bisect_right(middle) for bucket in lists) > position:
                high = middle
            else:
                low = middle + 1
        return low
