"""All hosts under one sort key, kept up to date; the best one of a request class at any time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from simclone.allocator.host.flow import Figure
from simclone.allocator.host.index.buckets import NOWHERE, Bucket, Buckets, Slots, slots
from simclone.allocator.host.index.request_class import FREE, RequestClass
from simclone.allocator.host.index.thresholds import CellThresholdTable, ThresholdTable
from simclone.chance import Identity, below, draw
from simclone.errors import InvariantViolation
from simclone.model.cloud import Cloud
from simclone.model.columns import BoolArray
from simclone.vocabulary import Purpose

_HOST = Purpose.HOST.value


class Choice(Struct, frozen=True, gc=False):
    """Of the hosts open to a request class *count* remain: all, all but *hosts* (ascending), or *only* those.

    *hard* says that the others were filtered out, for a *reason* given by its code; else the order puts them last.
    """

    count: int
    hosts: Sequence[int] = ()
    only: bool = False
    hard: bool = False
    reason: str = ""


EVERYBODY = Choice(0)
"""All hosts open to a request class, however many there are."""


class SortedHosts:
    """The hosts of a page under one sort key, with the request classes that ask by it.

    Equals are *drawn*, or the lowest rank of them is taken, or they *rotate*: the next behind the last one placed on.
    """

    def __init__(self, cloud: Cloud, figure: Figure, page: BoolArray, *, drawn: bool, rotates: bool = False) -> None:
        self._cloud, self._page = cloud, page
        self.hosts: list[int] = np.flatnonzero(page).tolist()
        column, self._sign, self._base = figure
        self._column = cloud.fleet.cells[column] if column else None
        size = cloud.fleet.row_count
        self.levels = Buckets(self.hosts, size, ranked=drawn or rotates)
        self.drawn, self.rotates = drawn, rotates
        self.thresholds = ThresholdTable(cloud.fleet)
        self.classes: list[RequestClass] = []
        self.log: list[int] = []
        self._longest = 8 * len(self.hosts) + 4096
        self._closed, self._small, self._below = (slots(self.hosts, size, 0) for _ in range(3))
        self._cell_table = CellThresholdTable(self.hosts, size)
        self._blocked, self._put = self.thresholds.blocked, self.levels.put
        self._highest = -NOWHERE
        self._cluster = cloud.fleet.cluster
        for host in self.hosts:
            self.levels.put(host, self._level(host), 0)

    def _level(self, host: int) -> int:
        return 0 if self._column is None else self._base + self._sign * self._column[host]

    def add(self, request_class: RequestClass, instead: RequestClass | None = None) -> None:
        """Take in another request class, or one *instead* of another: only hosts it cannot have are touched."""
        if instead is None:
            request_class.bit = 1 << len(self.classes)
            self.classes.append(request_class)
        else:
            request_class.bit = instead.bit
            self.classes[self.classes.index(instead)] = request_class
        alike = instead is not None and instead.thresholds == request_class.thresholds
        if not alike:
            self.thresholds.put(request_class.bit, request_class.threshold_tests, request_class.thresholds)
        request_class.first, request_class.low, request_class.stale = None, -NOWHERE, False
        request_class.cursor, request_class.amounts, request_class.image = (
            len(self.log),
            self._cloud.usage_version,
            request_class.request.image,
        )
        self._cell_table.put(request_class.bit, request_class.cell_threshold)
        tight, below = request_class.below_thresholds(self._cloud), request_class.below_cells()
        passing = (request_class.early == FREE) & ~tight
        clusters = np.bincount(
            self._cloud.fleet.array(self._cloud.fleet.cluster)[passing], minlength=len(request_class.by_cluster)
        )
        request_class.by_cluster = clusters.tolist()
        request_class.open = passing & (request_class.late == FREE) & ~below
        request_class.room = int(np.count_nonzero(request_class.open))
        moved: set[int] = set()
        if instead is None or not np.array_equal(instead.closed, request_class.closed):
            moved |= self._mark(self._closed, request_class.bit, request_class.closed, instead)
        if not alike:
            moved |= self._mark(self._small, request_class.bit, tight, instead)
        if request_class.cell_threshold is not None or (instead is not None and instead.cell_threshold is not None):
            moved |= self._mark(self._below, request_class.bit, below, instead)
        for host in moved:
            self.levels.put(host, self._level(host), self._small[host] | self._below[host] | self._closed[host])

    def _mark(self, masks: Slots[int], bit: int, truth: Any, instead: RequestClass | None) -> set[int]:
        """Set a bit where *truth* holds, and only there; the hosts that changed."""
        moved = set()
        for host in np.flatnonzero(truth & self._page).tolist():
            if not masks[host] & bit:
                masks[host] |= bit
                moved.add(host)
        if instead is not None:
            for host in np.flatnonzero(~truth & self._page).tolist():
                if masks[host] & bit:
                    masks[host] ^= bit
                    moved.add(host)
        return moved

    def repair(self, host: int) -> None:
        """Bring one of its hosts up to date."""
        small = refused = self._blocked(host)
        flips = turned = small ^ self._small[host]
        if self._cell_table.members:
            below = self._cell_table.blocked(host)
            refused, turned = small | below, flips | (below ^ self._below[host])
            self._below[host] = below
        if turned:
            self._small[host] = small
            self._turn(host, turned, refused, flips, small)
        mask, level = refused | self._closed[host], self._level(host)
        self._put(host, level, mask)
        if level < self._highest:
            self._lower(level, mask)
        if refused or turned:  # else it was and is large enough for every request class
            self.log.append(host)
            if len(self.log) > self._longest:
                self._forget()

    def _lower(self, level: int, mask: int) -> None:
        """A host has come to a level: whoever can have it looks from there on."""
        for request_class in self.classes:
            if request_class.low > level and not mask & request_class.bit:
                request_class.low = level

    def _turn(self, host: int, turned: int, refused: int, flips: int, small: int) -> None:
        """Something has *turned* on a host for some classes, of them *flips* by the thresholds: count who is left."""
        cluster = self._cluster[host]
        for request_class in self.classes:
            bit = request_class.bit
            if not turned & bit or request_class.early[host] != FREE:
                continue
            if flips & bit:
                change = -1 if small & bit else 1
                count = request_class.by_cluster[cluster] + change
                request_class.by_cluster[cluster] = count
                if count == 0 or (count == 1 and change == 1):
                    request_class.stale = True
            now = not refused & bit
            if request_class.late[host] == FREE and now != request_class.open[host]:
                request_class.open[host] = now
                request_class.room += 1 if now else -1

    def _forget(self) -> None:
        """Start the log anew; who lags counts all hosts again when it must."""
        for request_class in self.classes:
            if request_class.cursor < len(self.log):
                request_class.first = None
            request_class.cursor = 0
        self.log.clear()

    def count(self, request_class: RequestClass) -> None:
        """Bring a request class's counts up to date."""
        if request_class.first is None:
            request_class.answer = None
            request_class.count_all(self._cloud)
        elif request_class.cursor < len(self.log):
            small, below, bit = self._small, self._below, request_class.bit
            for host in dict.fromkeys(self.log[request_class.cursor :]):
                request_class.count_again(self._cloud, host, small[host] & bit, below[host] & bit)
        request_class.cursor = len(self.log)

    def best(self, request_class: RequestClass, identity: Identity) -> int:
        """The host the chain's order gives a request class, to which one at least is open."""
        _, buckets = self._first(request_class)
        if self.rotates:
            return self._next(buckets)
        if not self.drawn:
            return self.levels.lowest(buckets)
        return self.levels.nth(buckets, self._place(identity, sum([bucket.size for bucket in buckets])))

    def best_of(self, request_class: RequestClass, identity: Identity, choice: Choice) -> int:
        """The same of a choice of the hosts open to it, which leaves one at least."""
        if choice.only:
            return self._best_of(choice.hosts, identity)
        level, buckets = self._first(request_class)
        count, out = sum([item.size for item in buckets]), self._at(level, choice.hosts)
        while count == len(out):
            level, buckets = self.levels.from_level(level + 1, request_class.bit)
            if level == NOWHERE:
                raise InvariantViolation(f"{choice.count} hosts are open to a request class, and no level has one")
            count, out = sum([bucket.size for bucket in buckets]), self._at(level, choice.hosts)
        if self.rotates:
            return self._next(buckets, out)
        if not self.drawn:
            return self.levels.lowest_without(buckets, out)
        return self.levels.nth_without(buckets, self._place(identity, count - len(out)), out)

    def _first(self, request_class: RequestClass) -> tuple[int, list[Bucket]]:
        """The best level with hosts open to a request class, and their buckets."""
        level, buckets = self.levels.from_level(request_class.low, request_class.bit)
        request_class.low = level
        if level > self._highest:
            self._highest = level
        return level, buckets

    def _best_of(self, hosts: Sequence[int], identity: Identity) -> int:
        """The one of a few hosts, ascending, that the order puts first."""
        equal = self._at(min(map(self.levels.level, hosts)), hosts)
        if self.rotates:
            position = bisect_right(equal, self._cloud.last_placed)
            return equal[position if position < len(equal) else 0]
        return equal[self._place(identity, len(equal)) if self.drawn else 0]

    def _next(self, buckets: list[Bucket], out: Sequence[int] = ()) -> int:
        """The first host of some buckets behind the one that was placed on last, none of those that are *out*."""
        result = self.levels.behind(buckets, self._cloud.last_placed)
        while result in out:
            result = self.levels.behind(buckets, result)
        return result

    def _at(self, level: int, hosts: Sequence[int]) -> Sequence[int]:
        """Those of *hosts* that stand at a level."""
        return [host for host in hosts if self.levels.level(host) == level] if hosts else hosts

    def _place(self, identity: Identity, count: int) -> int:
        """The place among so many equals, drawn."""
        return 0 if count == 1 else below(draw(self._cloud.chance.key(identity, _HOST), 0), count)
