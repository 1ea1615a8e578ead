"""The most clones that run together, by integer programming whose solution is checked in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import gcd

import numpy as np

from simclone.allocator.rules.capacity import ANYTHING, charged, checks_physical, need_of
from simclone.engine.context import Context
from simclone.planning.parts.clone_limits import (
    CloneKind,
    CloneLimits,
    account_limits,
    free_addresses,
    share_room,
    storage_room,
    weight_of,
)
from simclone.planning.parts.host_loss import usable_hosts

SOLVE_S = 60.0
MOST_SUMS = 50_000
"""So many sums of sizes are written out at most to see which a host can reach."""
MOST_SETS = 20_000
"""So many sets of clones on hosts are written out at most."""
OF_HOST = {"takes": 2, "cpu": 1, "memory": 1, "device": 1, "share": 2}
"""Limits of a host, with the position of its group in their keys."""
Pattern = dict[int, int]
"""Clones by variable."""
ANY = -1
"""The storage of a clone without a root volume that takes room."""


@dataclass(frozen=True, slots=True)
class EqualHosts:
    """Equal usable hosts: free vCPUs, bytes above the reserve, free and physical bytes, ratio, place, devices, shares.

    *host* is the row of one of them, which stands for all where no request names a host.
    """

    free_cpu: int
    room: int
    free: int
    physical: int
    ratio: float
    cluster: int
    zone: int
    devices: tuple[tuple[str, int], ...]
    shares: tuple[tuple[int, int, int, int], ...]
    host: int


def host_groups(ctx: Context, kinds: Sequence[CloneKind], single: int) -> list[tuple[EqualHosts, int]]:
    """Usable hosts, equal ones together with their number; each by itself where there are at most *single*."""
    cloud, fleet = ctx.cloud, ctx.cloud.fleet
    specs = sorted({spec for kind in kinds for spec, _ in kind.devices})
    named = {kind.host for kind in kinds}
    counts: dict[tuple[object, ...], int] = {}
    groups: dict[tuple[object, ...], EqualHosts] = {}
    hosts = usable_hosts(cloud)
    for row in hosts:
        free = fleet.available_memory[row]
        group = EqualHosts(
            max(fleet.available_cpu[row], 0),
            max(free - fleet.reserved_memory[row], 0),
            max(free, 0),
            fleet.total_memory[row],
            fleet.memory_ratio(row),
            fleet.cluster[row],
            fleet.zone[row],
            tuple((spec, max(int(fleet.free_devices(spec)[row]), 0)) for spec in specs),
            _shares(ctx, row),
            row,
        )
        alone = len(hosts) <= single or row in named
        key = (*(getattr(group, name) for name in EqualHosts.__slots__ if name != "host"), row if alone else ANY)
        groups.setdefault(key, group)
        counts[key] = counts.get(key, 0) + 1
    return [(group, counts[key]) for key, group in groups.items()]


def _shares(ctx: Context, host: int) -> tuple[tuple[int, int, int, int], ...]:
    """Local storages of a host with what is free of its share."""
    result = []
    for row in ctx.cloud.storages_of(ctx.cloud.fleet.cluster[host]):
        shares = ctx.cloud.storages[row].shares
        if shares is not None and host < shares.row_count and shares.present[host]:
            physical = (shares.total_physical[host], shares.available_physical[host])
            result.append((row, shares.available[host], *physical))
    return tuple(result)


def takes(group: EqualHosts, kind: CloneKind, checked: bool) -> int:
    """How many clones of a kind an otherwise unchanged host of a group takes at most, storage aside."""
    if group.zone != kind.zone or group.cluster not in kind.clusters or kind.host not in (None, group.host):
        return 0
    need = need_of(kind.cpu, kind.memory, group.ratio, kind.memory if checked else ANYTHING)
    too_small = need.physical >= group.physical or need.cpu > group.free_cpu
    if too_small or need.above_reserve > group.room or need.least > group.free:
        return 0
    charge, free = charged(kind.memory, group.ratio), dict(group.devices)
    parts = [(group.free_cpu, kind.cpu), (group.room, charge)]
    parts += [(free.get(spec, 0), count) for spec, count in kind.devices]
    return min((have // amount for have, amount in parts if amount), default=1 << 30)


@dataclass(slots=True)
class _Row:
    """Σ weight × variable ≤ limit, in whole numbers; *each* host of a group has the limit, *hosts* there are."""

    weights: dict[int, int] = field(default_factory=dict)
    limit: int = 0
    hosts: int = 1


@dataclass(frozen=True, slots=True)
class MostClones:
    """The most clones that run, and whether whole clones were counted host by host and the count can be reached.

    *tight* are storages of which no more root fits.
    """

    most: int
    exact: bool
    tight: tuple[int, ...] = ()


class BoundModel:
    """Variables are clones of a kind on a group of hosts with the root on a storage."""

    def __init__(self, ctx: Context, limits: CloneLimits, groups: Sequence[tuple[EqualHosts, int]]) -> None:
        self.ctx, self.kinds, self.groups = ctx, list(limits.kinds), groups
        self.counts = [limits.kinds[kind] for kind in self.kinds]
        self.checked = checks_physical(ctx.cloud)
        self.rows: dict[tuple[object, ...], _Row] = {}
        self.upper: list[int] = []
        self._columns: dict[int, list[int]] = {}
        for at, kind in enumerate(self.kinds):
            for number in range(len(groups)):
                self._add_variables(at, kind, number)

    def _add_variables(self, at: int, kind: CloneKind, number: int) -> None:
        group, hosts = self.groups[number]
        most = min(takes(group, kind, self.checked) * hosts, self.counts[at])
        if most <= 0:
            return
        for storage, taken, room, local in self._storages(kind, group):
            column = len(self.upper)
            self._columns.setdefault(number, []).append(column)
            self.upper.append(min(most, (room // taken) * (hosts if local else 1)) if taken else most)
            self._put(("kind", at), column, 1, self.counts[at])
            self._put(("takes", at, number), column, 1, takes(group, kind, self.checked), hosts)
            self._put(("cpu", number), column, kind.cpu, group.free_cpu, hosts)
            self._put(("memory", number), column, charged(kind.memory, group.ratio), group.room, hosts)
            for spec, count in kind.devices:
                self._put(("device", number, spec), column, count, dict(group.devices).get(spec, 0), hosts)
            if taken:
                key = ("share", storage, number) if local else ("storage", storage)
                self._put(key, column, taken, room, hosts if local else 1)
            for card in kind.cards:
                self._put(("network", card), column, 1, free_addresses(self.ctx, card))
            for name, limit in account_limits(self.ctx, kind.account).items():
                self._put(("quota", kind.account, name), column, weight_of(kind, name), max(limit, 0))

    def _put(self, key: tuple[object, ...], column: int, weight: int, limit: int, hosts: int = 1) -> None:
        if not weight:
            return
        row = self.rows.setdefault(key, _Row({}, limit, hosts))
        row.limit = max(row.limit, limit)
        row.weights[column] = row.weights.get(column, 0) + weight

    def _storages(self, kind: CloneKind, group: EqualHosts) -> list[tuple[int, int, int, bool]]:
        """Storages a root may be on: row, what it takes, what may be taken in all, whether it is the host's own."""
        cloud = self.ctx.cloud
        result = []
        for row in cloud.storages_of(group.cluster):
            if kind.storages is not None and row not in kind.storages:
                continue
            local = cloud.storages[row].per_host
            space = (
                share_room(self.ctx, row, group.host, kind.root) if local else storage_room(self.ctx, row, kind.root)
            )
            if space is not None:
                result.append((row, *space, local))
        return result if kind.root else [(ANY, 0, 0, False)] if result else []

    def solve(self, most_variables: int) -> MostClones:
        """The most clones; beyond *most_variables* they may be cut in pieces.

        Where a solver's tolerance lets a host have more than it holds, the hosts' limits are replaced by the sets of
        clones that each takes, and solved again.
        """
        if not self.upper:
            return MostClones(0, True)
        whole = len(self.upper) <= most_variables
        most, counts = self._solved(whole, {})
        if whole and counts is not None and not self._holds(counts):
            patterns = self._patterns()
            if patterns:
                most, counts = self._solved(whole, patterns)
        most = min(most, sum(self.counts))
        single = all(row.hosts == 1 for row in self.rows.values())
        exact = whole and single and counts is not None and sum(counts) == most and self._holds(counts)
        return MostClones(most, exact, () if counts is None else self._tight(counts))

    def _solved(self, whole: bool, patterns: Mapping[int, Sequence[Pattern]]) -> tuple[int, list[int] | None]:
        """A count no solution is above, and a solution; *patterns* are the sets of clones a host of a group takes."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import coo_array

        entries, limits = self._entries(patterns)
        hosts = [self.groups[number][1] for number, sets in patterns.items() for _ in sets]
        upper = np.array([*self.upper, *hosts], dtype=float)
        rows, columns, values = zip(*entries, strict=True)
        matrix = coo_array((values, (rows, columns)), shape=(len(limits), len(upper))).tocsc()
        costs = np.zeros(len(upper))
        costs[: len(self.upper)] = -1
        result = milp(
            costs,
            constraints=LinearConstraint(matrix, -np.inf, np.array(limits)),
            bounds=Bounds(0, upper),
            integrality=np.full(len(upper), int(whole), dtype=np.int64),
            options={"time_limit": SOLVE_S, "mip_rel_gap": 0.0},
        )
        dual = result.mip_dual_bound
        best = dual if dual is not None else result.fun if result.fun is not None else -float(sum(self.upper))
        counts = None if result.x is None else [round(value) for value in result.x[: len(self.upper)].tolist()]
        return int(np.floor(-best + 1e-6)), counts

    def _entries(self, patterns: Mapping[int, Sequence[Pattern]]) -> tuple[list[tuple[int, int, float]], list[float]]:
        """Rows, columns and values of the limits, and what each row is at most."""
        entries: list[tuple[int, int, float]] = []
        limits: list[float] = []
        for row in self.rows.values():
            scale, limit = _scaled(row)
            entries += [(len(limits), column, weight / scale) for column, weight in row.weights.items()]
            limits.append(limit)
        first = len(self.upper)
        for number, sets in patterns.items():
            for column in self._columns[number]:
                parts = [(first + at, pattern.get(column, 0)) for at, pattern in enumerate(sets)]
                entries += [(len(limits), column, 1.0)]
                entries += [(len(limits), at, -float(count)) for at, count in parts if count]
                limits.append(0.0)
            entries += [(len(limits), first + at, 1.0) for at in range(len(sets))]
            limits.append(float(self.groups[number][1]))
            first += len(sets)
        return entries, limits

    def _patterns(self) -> dict[int, list[Pattern]]:
        """The largest sets of clones a host of each group takes; empty where there are too many."""
        result: dict[int, list[Pattern]] = {}
        for number, columns in self._columns.items():
            own = [row for key, row in self.rows.items() if key[0] in OF_HOST and key[OF_HOST[str(key[0])]] == number]
            result[number] = sets = list(islice(_largest_sets(columns, own, self.counts_of(columns)), MOST_SETS + 1))
            if sum(map(len, result.values())) > MOST_SETS or len(sets) > MOST_SETS:
                return {}
        return result

    def counts_of(self, columns: Sequence[int]) -> dict[int, int]:
        """How many clones of each column there can be."""
        return {column: self.upper[column] for column in columns}

    def _holds(self, counts: Sequence[int]) -> bool:
        """Whether a solution keeps every limit in whole numbers."""
        return all(
            sum(weight * counts[column] for column, weight in row.weights.items()) <= row.limit * row.hosts
            for row in self.rows.values()
        )

    def _tight(self, counts: Sequence[int]) -> tuple[int, ...]:
        """Storages (rows) with no room for one more root."""
        result: Mapping[int, None] = {
            int(str(key[1])): None
            for key, row in self.rows.items()
            if key[0] in ("storage", "share")
            and sum(weight * counts[column] for column, weight in row.weights.items()) + min(row.weights.values())
            > row.limit * row.hosts
        }
        return tuple(result)


def _largest_sets(columns: Sequence[int], rows: Sequence[_Row], upper: Mapping[int, int]) -> Iterator[Pattern]:
    """Sets of clones that a host takes by its *rows*, all to which no clone of the last column can be added."""

    def extend(at: int, chosen: Pattern, left: list[int]) -> Iterator[Pattern]:
        column = columns[at]
        weights = [row.weights.get(column, 0) for row in rows]
        most = min(
            (have // weight for have, weight in zip(left, weights, strict=True) if weight), default=upper[column]
        )
        most = min(most, upper[column])
        if at + 1 == len(columns):
            yield {**chosen, column: most}
            return
        for count in range(most, -1, -1):
            less = [have - count * weight for have, weight in zip(left, weights, strict=True)]
            yield from extend(at + 1, {**chosen, column: count}, less)

    return extend(0, {}, [row.limit for row in rows])


def _scaled(row: _Row) -> tuple[float, float]:
    """What to divide weights by, and a limit that no rounding of a solver turns into one more clone.

    The largest sum of weights that the limit allows, and half of what the next sum is above it: the sums are
    multiples of a common divisor, or few enough to be written out.
    """
    divisor = gcd(*row.weights.values())
    weights = {column: weight // divisor for column, weight in row.weights.items()}
    limit = row.limit // divisor
    largest = max(weights.values())
    reached, following = _reachable(sorted(set(weights.values())), limit)
    margin = (following - reached) / 2 if row.hosts == 1 else 0.25
    return float(divisor * largest), (reached * row.hosts + margin) / largest


def _reachable(weights: Sequence[int], limit: int) -> tuple[int, int]:
    """The largest sum of any numbers of *weights* up to *limit*, and the smallest above it; the limit where too many.

    >>> _reachable([3, 5], 7), _reachable([2], 9)
    ((6, 8), (8, 10))
    """
    if limit < 0:
        return 0, 1
    if len(weights) == 1:
        reached = limit // weights[0] * weights[0]
        return reached, reached + weights[0]
    sums = {0}
    for weight in weights:
        if sum(limit // weight + 1 - total // weight for total in sums if total <= limit) > MOST_SUMS:
            return limit, limit + 1
        sums |= {
            total + number * weight
            for total in sums
            if total <= limit
            for number in range(1, (limit - total) // weight + 2)
        }
    return max(total for total in sums if total <= limit), min(total for total in sums if total > limit)


__all__ = ["BoundModel", "EqualHosts", "MostClones", "host_groups", "takes"]
