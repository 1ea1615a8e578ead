"""All hosts under one sort key, kept up to date; the best one of a shape at any time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simclone.allocator.host.flow import Figure
from simclone.allocator.host.index.buckets import NOWHERE, Bucket, Levels, Slots, slots
from simclone.allocator.host.index.request_class import FREE, Shape
from simclone.allocator.host.index.thresholds import FloorTable, WatchTable
from simclone.chance import Identity, below, draw
from simclone.errors import InvariantViolation
from simclone.model.cloud import Cloud
from simclone.model.columns import BoolArray
from simclone.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Choice:
    """Of the hosts open to a shape so many are *left*: all, all but *hosts* (ascending), or *only* those.

    *hard* says that the others were filtered out, for a *reason* given by its code; else the order puts them last.
    """

    left: int
    hosts: Sequence[int] = ()
    only: bool = False
    hard: bool = False
    reason: str = ""


EVERYBODY = Choice(0)
"""All hosts open to a shape, however many there are."""


class Order:
    """The hosts of a page under one sort key, with the shapes that ask by it.

    Equals are *drawn*, or the lowest rank of them is taken, or they *rotate*: the next behind the last one placed on.
    """

    def __init__(self, cloud: Cloud, figure: Figure, page: BoolArray, *, drawn: bool, rotates: bool = False) -> None:
        self._cloud, self._page = cloud, page
        self.hosts: list[int] = np.flatnonzero(page).tolist()
        column, self._sign, self._base = figure
        self._column = cloud.fleet.cells[column] if column else None
        size = cloud.fleet.row_count
        self.levels = Levels(self.hosts, size, ranked=drawn or rotates)
        self.drawn, self.rotates = drawn, rotates
        self.floors = FloorTable(cloud.fleet)
        self.shapes: list[Shape] = []
        self.log: list[int] = []
        self._longest = 8 * len(self.hosts) + 4096
        self._shut, self._dynamic, self._poor = (slots(self.hosts, size, 0) for _ in range(3))
        self._watched = WatchTable(self.hosts, size)
        self._blocked, self._put = self.floors.blocked, self.levels.put
        self._highest = -NOWHERE
        self._cluster = cloud.fleet.cluster
        for host in self.hosts:
            self.levels.put(host, self._level(host), 0)

    def _level(self, host: int) -> int:
        return 0 if self._column is None else self._base + self._sign * self._column[host]

    def add(self, shape: Shape, instead: Shape | None = None) -> None:
        """Take in another shape, or one *instead* of another: only hosts it cannot have are touched."""
        if instead is None:
            shape.bit = 1 << len(self.shapes)
            self.shapes.append(shape)
        else:
            shape.bit = instead.bit
            self.shapes[self.shapes.index(instead)] = shape
        alike = instead is not None and instead.floors == shape.floors
        if not alike:
            self.floors.put(shape.bit, shape.floor_tests, shape.floors)
        shape.first, shape.low, shape.stale = None, -NOWHERE, False
        shape.cursor, shape.amounts, shape.image = len(self.log), self._cloud.amounts, shape.request.image
        self._watched.put(shape.bit, shape.watch)
        tight, poor = shape.too_small(self._cloud), shape.too_poor()
        passing = (shape.early == FREE) & ~tight
        clusters = np.bincount(
            self._cloud.fleet.array(self._cloud.fleet.cluster)[passing], minlength=len(shape.by_cluster)
        )
        shape.by_cluster = clusters.tolist()
        shape.open = passing & (shape.late == FREE) & ~poor
        shape.room = int(np.count_nonzero(shape.open))
        moved: set[int] = set()
        if instead is None or not np.array_equal(instead.closed, shape.closed):
            moved |= self._mark(self._shut, shape.bit, shape.closed, instead)
        if not alike:
            moved |= self._mark(self._dynamic, shape.bit, tight, instead)
        if shape.watch is not None or (instead is not None and instead.watch is not None):
            moved |= self._mark(self._poor, shape.bit, poor, instead)
        for host in moved:
            self.levels.put(host, self._level(host), self._dynamic[host] | self._poor[host] | self._shut[host])

    def _mark(self, masks: Slots[int], bit: int, truth: Any, instead: Shape | None) -> set[int]:
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
        dynamic = refused = self._blocked(host)
        flips = turned = dynamic ^ self._dynamic[host]
        if self._watched.members:
            poor = self._watched.blocked(host)
            refused, turned = dynamic | poor, flips | (poor ^ self._poor[host])
            self._poor[host] = poor
        if turned:
            self._dynamic[host] = dynamic
            self._turn(host, turned, refused, flips, dynamic)
        mask, level = refused | self._shut[host], self._level(host)
        self._put(host, level, mask)
        if level < self._highest:
            self._lower(level, mask)
        if refused or turned:  # else it was and is large enough for every shape
            self.log.append(host)
            if len(self.log) > self._longest:
                self._forget()

    def _lower(self, level: int, mask: int) -> None:
        """A host has come to a level: whoever can have it looks from there on."""
        for shape in self.shapes:
            if shape.low > level and not mask & shape.bit:
                shape.low = level

    def _turn(self, host: int, turned: int, refused: int, flips: int, dynamic: int) -> None:
        """Something has *turned* on a host for some shapes, of them *flips* by the floors: count who is left."""
        cluster = self._cluster[host]
        for shape in self.shapes:
            bit = shape.bit
            if not turned & bit or shape.early[host] != FREE:
                continue
            if flips & bit:
                change = -1 if dynamic & bit else 1
                many = shape.by_cluster[cluster] + change
                shape.by_cluster[cluster] = many
                if many == 0 or (many == 1 and change == 1):
                    shape.stale = True
            now = not refused & bit
            if shape.late[host] == FREE and now != shape.open[host]:
                shape.open[host] = now
                shape.room += 1 if now else -1

    def _forget(self) -> None:
        """Start the log anew; who lags counts all hosts again when it must."""
        for shape in self.shapes:
            if shape.cursor < len(self.log):
                shape.first = None
            shape.cursor = 0
        self.log.clear()

    def count(self, shape: Shape) -> None:
        """Bring a shape's counts up to date."""
        if shape.first is None:
            shape.answer = None
            shape.count_all(self._cloud)
        elif shape.cursor < len(self.log):
            dynamic, poor, bit = self._dynamic, self._poor, shape.bit
            for host in dict.fromkeys(self.log[shape.cursor :]):
                shape.look_again(self._cloud, host, dynamic[host] & bit, poor[host] & bit)
        shape.cursor = len(self.log)

    def best(self, shape: Shape, identity: Identity) -> int:
        """The host the chain's order gives a shape, to which one at least is open."""
        _, buckets = self._first(shape)
        if self.rotates:
            return self._next(buckets)
        if not self.drawn:
            return self.levels.lowest(buckets)
        return self.levels.nth(buckets, self._place(identity, sum([one.size for one in buckets])))

    def best_of(self, shape: Shape, identity: Identity, choice: Choice) -> int:
        """The same of a choice of the hosts open to it, which leaves one at least."""
        if choice.only:
            return self._best_of(choice.hosts, identity)
        level, buckets = self._first(shape)
        many, out = sum([one.size for one in buckets]), self._at(level, choice.hosts)
        while many == len(out):
            level, buckets = self.levels.from_level(level + 1, shape.bit)
            if level == NOWHERE:
                raise InvariantViolation(f"{choice.left} hosts are open to a shape, and no level has one")
            many, out = sum([one.size for one in buckets]), self._at(level, choice.hosts)
        if self.rotates:
            return self._next(buckets, out)
        if not self.drawn:
            return self.levels.lowest_without(buckets, out)
        return self.levels.nth_without(buckets, self._place(identity, many - len(out)), out)

    def _first(self, shape: Shape) -> tuple[int, list[Bucket]]:
        """The best level with hosts open to a shape, and their buckets."""
        level, buckets = self.levels.from_level(shape.low, shape.bit)
        shape.low = level
        if level > self._highest:
            self._highest = level
        return level, buckets

    def _best_of(self, hosts: Sequence[int], identity: Identity) -> int:
        """The one of a few hosts, ascending, that the order puts first."""
        equal = self._at(min(map(self.levels.level, hosts)), hosts)
        if self.rotates:
            place = bisect_right(equal, self._cloud.last_placed)
            return equal[place if place < len(equal) else 0]
        return equal[self._place(identity, len(equal)) if self.drawn else 0]

    def _next(self, buckets: list[Bucket], out: Sequence[int] = ()) -> int:
        """The first host of some buckets behind the one that was placed on last, none of those that are *out*."""
        found = self.levels.behind(buckets, self._cloud.last_placed)
        while found in out:
            found = self.levels.behind(buckets, found)
        return found

    def _at(self, level: int, hosts: Sequence[int]) -> Sequence[int]:
        """Those of *hosts* that stand at a level."""
        return [host for host in hosts if self.levels.level(host) == level] if hosts else hosts

    def _place(self, identity: Identity, many: int) -> int:
        """The place among so many equals, drawn."""
        return 0 if many == 1 else below(draw(self._cloud.chance.key(identity, "host"), 0), many)
