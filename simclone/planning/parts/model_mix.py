"""The cheapest mix of host models by linear programming: what no mix can be below, and where to begin looking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from simclone.allocator.rules.capacity import room
from simclone.changes.whatif import change_scenario
from simclone.engine.opening import open_context
from simclone.planning.parts.demand import demand_of
from simclone.planning.parts.host_loss import usable_hosts
from simclone.scenario.load import Scenario

if TYPE_CHECKING:
    from simclone.planning.parts.host_model import Model

ROUNDING = 1 - 1e-9
"""Each VM's share of a host's memory is rounded; so little of the need may be saved by that."""
Mix = Callable[[float], tuple[int, ...] | None]


def cheapest(scenario: Scenario, models: Sequence[Model], target: float | None) -> tuple[float | None, Mix]:
    """A cost no mix is below, and the cheapest mix for so many times the need (None where there is none).

    vCPUs and memory only, as if VMs could be cut in pieces; the need is what all names of the requests take, or
    nothing is known of it (a workload with lifetimes), then there is no bound.
    """
    need = demand_of(scenario, 1.0 if target is None else target)
    if need is None:
        return None, lambda more: None
    cpu, memory = need
    sizes = [_size(scenario, model) for model in models]
    free_cpu, free_memory = _free(scenario)

    def mix(more: float) -> tuple[int, ...] | None:
        from scipy.optimize import LinearConstraint, milp

        rows = np.array([[size[0] for size in sizes], [item[1] for item in sizes]], dtype=float)
        least = np.array([cpu * more - free_cpu, memory * more * ROUNDING - free_memory], dtype=float)
        prices = np.array([model.price for model in models])
        scale = np.maximum(rows.max(axis=1), 1.0)
        limits = LinearConstraint(rows / scale[:, None], np.maximum(least, 0) / scale, np.inf)
        result = milp(prices, constraints=limits, integrality=np.ones(len(models), dtype=np.int64))
        return None if result.x is None else tuple(round(value) for value in result.x.tolist())

    least = mix(1.0)
    bound = None if least is None else sum(count * model.price for count, model in zip(least, models, strict=True))
    return bound, mix


def _size(scenario: Scenario, model: Model) -> tuple[int, int]:
    """vCPUs and bytes of VM memory an empty host of a model offers."""
    fleet = change_scenario(scenario, [model.change(1)]).build().cloud.fleet
    before = {doc.name for doc in scenario.resolved.names.docs("host")}
    row = next(row for row, name in enumerate(fleet.names) if name not in before)
    return fleet.total_cpu[row], room(fleet, row)


def _free(scenario: Scenario) -> tuple[int, int]:
    """vCPUs and bytes of VM memory that are free once the VMs of the file are placed."""
    cloud = open_context(scenario).cloud
    fleet = cloud.fleet
    hosts = usable_hosts(cloud)
    return sum(max(fleet.available_cpu[host], 0) for host in hosts), sum(room(fleet, host) for host in hosts)
