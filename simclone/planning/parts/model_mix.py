"""What no mix of host models can cost less than, by linear programming over kinds of VMs."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simclone.allocator.rules.capacity import ANYTHING, charged, checks_physical, need_of
from simclone.changes.whatif import change_scenario
from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.errors import InvalidInput
from simclone.planning.parts.demand import requested_clones
from simclone.planning.parts.host_loss import usable_hosts
from simclone.scenario.load import Scenario

if TYPE_CHECKING:
    from simclone.planning.parts.host_model import Model

Kind = tuple[int, int, tuple[tuple[str, int], ...]]
"""vCPUs, bytes and PCI devices of a VM."""
SLACK = 1 - 1e-9
"""A solver lets so little pass; a bound must stay one."""


class MixBound:
    """Necessary conditions for a mix: vCPUs, memory and devices of what is asked for, whole VMs of one kind per host.

    VMs are cut in pieces and existing hosts added up, so a mix that fails here fails in every run; *kinds* are the
    names by size, of which *needed* must be placed.
    """

    def __init__(self, scenario: Scenario, models: Sequence[Model], needed: int, kinds: dict[Kind, int]) -> None:
        self.prices = np.array([model.price for model in models], dtype=float)
        self.kinds, self.needed = kinds, needed
        self._specs = sorted({spec for *_, devices in kinds for spec, _ in devices})
        sizes = [_Size.of_model(scenario, model, kinds, self._specs) for model in models]
        self._rows, self._limits = self._conditions(sizes, _Size.of_free(open_context(scenario), kinds, self._specs))

    def _conditions(self, sizes: Sequence[_Size], free: _Size) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows over (hosts of each model, VMs of each kind on each model, VMs of each kind on existing hosts)."""
        kinds, models = list(self.kinds), len(sizes)
        width = models + len(kinds) * (models + 1)
        rows: list[NDArray[np.float64]] = []
        limits: list[float] = []

        def add(entries: dict[int, float], limit: float) -> None:
            row = np.zeros(width)
            row[list(entries)] = list(entries.values())
            scale = max(float(np.abs(row).max(initial=0.0)), 1.0)
            rows.append(row / scale)
            limits.append(limit / scale)

        for group, size in enumerate((*sizes, free)):
            columns = [models + group * len(kinds) + at for at in range(len(kinds))]
            amounts = zip(*(_amounts(kind, size, self._specs) for kind in kinds), strict=True)
            for have, need in zip(size.amounts, amounts, strict=True):
                entries = {column: SLACK * value for column, value in zip(columns, need, strict=True)}
                if group < models:
                    entries[group] = -float(have)
                add(entries, 0.0 if group < models else float(have))
            for column, takes in zip(columns, size.takes, strict=True):
                add({column: 1.0} | ({group: -float(takes)} if group < models else {}), takes * (group == models))
        for at, count in enumerate(self.kinds.values()):
            add({models + group * len(kinds) + at: 1.0 for group in range(models + 1)}, float(count))
        add(dict.fromkeys(range(models, width), -1.0), -float(self.needed))
        return np.array(rows), np.array(limits)

    def cheapest(self, more: float = 1.0) -> tuple[int, ...] | None:
        """The cheapest mix for so many times the VMs needed, None where there is none."""
        from scipy.optimize import LinearConstraint, milp

        width, models = self._rows.shape[1], len(self.prices)
        costs, whole = np.zeros(width), np.zeros(width, dtype=np.int64)
        costs[:models], whole[:models] = self.prices, 1
        limits = self._limits.copy()
        limits[-1 - len(self.kinds) :] *= more
        constraints = LinearConstraint(self._rows, -np.inf, limits + 1e-9)
        result = milp(costs, constraints=constraints, integrality=whole, options={"mip_rel_gap": 0.0})
        return None if result.x is None else tuple(round(value) for value in result.x[:models].tolist())

    def cost(self) -> float | None:
        """A cost no mix is below, None where no mix can do."""
        counts = self.cheapest()
        return None if counts is None else float(np.dot(counts, self.prices))

    def allows(self, counts: Sequence[int]) -> bool:
        """Whether a mix may be enough as far as these conditions go."""
        from scipy.optimize import linprog

        models = len(self.prices)
        limits = self._limits + 1e-9 - self._rows[:, :models] @ np.array(counts, dtype=float)
        result = linprog(np.zeros(self._rows.shape[1] - models), A_ub=self._rows[:, models:], b_ub=limits)
        return bool(result.status != 2)


class _Size:
    """What a host offers: vCPUs, bytes, devices, and how many VMs of each kind by itself."""

    def __init__(self, amounts: Sequence[int], takes: Sequence[int], ratio: float) -> None:
        self.amounts, self.takes, self.ratio = amounts, takes, ratio

    @classmethod
    def of_model(
        cls, scenario: Scenario, model: Model, kinds: Sequence[Kind] | dict[Kind, int], specs: list[str]
    ) -> _Size:
        """An empty host of a model."""
        cloud = change_scenario(scenario, [model.change(1)]).build().cloud
        before = {doc.name for doc in scenario.resolved.names.docs("host")}
        row = next(row for row, name in enumerate(cloud.fleet.names) if name not in before)
        fleet, ratio = cloud.fleet, cloud.fleet.memory_ratio(row)
        room = max(fleet.total_memory[row] - fleet.reserved_memory[row], 0)
        devices = [fleet.devices.get(spec, {}).get(row, 0) for spec in specs]
        amounts = [fleet.total_cpu[row], room, *devices]
        physical, checked = fleet.total_memory[row], checks_physical(cloud)
        size = cls(amounts, (), ratio)
        size.takes = [0 if checked and kind[1] >= physical else _times(kind, size, specs) for kind in kinds]
        return size

    @classmethod
    def of_free(cls, ctx: Context, kinds: Sequence[Kind] | dict[Kind, int], specs: list[str]) -> _Size:
        """What usable hosts have free, added up."""
        fleet = ctx.cloud.fleet
        amounts = [0] * (2 + len(specs))
        takes = [0] * len(kinds)
        smallest = max((fleet.memory_ratio(row) for row in usable_hosts(ctx.cloud)), default=1.0)
        for row in usable_hosts(ctx.cloud):
            have = [max(fleet.available_cpu[row], 0), max(fleet.available_memory[row] - fleet.reserved_memory[row], 0)]
            have += [int(fleet.free_devices(spec)[row]) for spec in specs]
            amounts = [total + part for total, part in zip(amounts, have, strict=True)]
            host = cls(have, (), fleet.memory_ratio(row))
            takes = [total + _times(kind, host, specs) for total, kind in zip(takes, kinds, strict=True)]
        return cls(amounts, takes, smallest)


def _amounts(kind: Kind, size: _Size, specs: Sequence[str]) -> list[int]:
    cpu, memory, devices = kind
    wish = dict(devices)
    return [cpu, charged(memory, size.ratio), *(wish.get(spec, 0) for spec in specs)]


def _times(kind: Kind, size: _Size, specs: Sequence[str]) -> int:
    """How many VMs of a kind fit by vCPUs, memory and devices."""
    cpu, memory, _ = kind
    need = need_of(cpu, memory, size.ratio, ANYTHING)
    if need.cpu > size.amounts[0] or need.above_reserve > size.amounts[1]:
        return 0
    parts = zip(size.amounts, _amounts(kind, size, specs), strict=True)
    return min((have // amount for have, amount in parts if amount), default=1 << 30)


def kinds_of(ctx: Context, scenario: Scenario) -> tuple[dict[Kind, int], int]:
    """Names that start by kind, and those that do not."""
    kinds: dict[Kind, int] = {}
    idle = 0
    for request in requested_clones(ctx, scenario):
        if not request.starts:
            idle += request.names
            continue
        wish: dict[str, int] = {}
        for spec, count in ctx.cloud.vms.shape_of(request.vm).tags.devices:
            wish[spec] = wish.get(spec, 0) + count
        kind = (request.cpu, request.memory, tuple(sorted(wish.items())))
        kinds[kind] = kinds.get(kind, 0) + request.names
    return kinds, idle


def bound_of(scenario: Scenario, models: Sequence[Model], target: float | None, apart: int) -> MixBound | None:
    """The conditions for a scenario's names but *apart*; None where names come and go, or VMs have no host yet."""
    if scenario.doc.workload or scenario.doc.incidents:
        return None
    try:
        ctx = open_context(scenario)
    except InvalidInput:
        return None
    kinds, idle = kinds_of(ctx, scenario)
    if not kinds:
        return None
    every = sum(kinds.values()) + idle - apart
    needed = ceil(every * (1.0 if target is None else target) - 1e-9) - idle
    return MixBound(scenario, models, max(needed, 0), kinds)


__all__ = ["MixBound", "bound_of", "kinds_of"]
