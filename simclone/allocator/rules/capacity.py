"""Whether a VM fits a host: vCPUs, memory after over-provisioning, the reserve (rules/host-capacity.md#ratios)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray
from simclone.model.fleet import Fleet
from simclone.units import MAX_AMOUNT, divided, multiplied
from simclone.vocabulary import HOST_CPU, HOST_MEMORY, HOST_PHYSICAL_MEMORY, HOST_RESERVED_MEMORY, Reason

CHECK_PHYSICAL = "hostAllocator.hostAllocator.checkHostMem"


ANYTHING = -MAX_AMOUNT // 2
"""A threshold that every host reaches."""


@dataclass(frozen=True, slots=True)
class Need:
    """What the columns of a host must reach for one VM: vCPUs and bytes.

    *physical* is what its physical memory must exceed (`ANYTHING` where nobody compares), *least* the smallest free
    memory that looks large enough after over-provisioning, *above_reserve* what must be free above the reserve.
    """

    cpu: int
    physical: int
    least: int
    above_reserve: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why a VM does not fit a host: the first test it fails; the host lacks *cpu* vCPUs and *memory* bytes in all."""

    reason: Reason
    cpu: int
    memory: int


def charged(memory: int, ratio: float) -> int:
    """The bytes that *memory* bytes of a VM take of a host over-provisioned by *ratio*."""
    return divided(memory, ratio)


@lru_cache(maxsize=1 << 16)
def least_available(memory: int, ratio: float) -> int:
    """The smallest free host memory whose over-provisioned view is at least *memory* bytes.

    >>> least_available(10, 1.0), least_available(10, 3.0)
    (10, 4)
    """
    guess = max(int(memory / ratio) - 2, 0)
    while multiplied(guess, ratio) < memory:
        guess += 1
    return guess


def need_of(cpu: int, memory: int, ratio: float, physical: int = ANYTHING) -> Need:
    """What a host over-provisioned by *ratio* must have; nothing asked for means nothing tested."""
    if not memory:
        return Need(cpu or ANYTHING, physical, ANYTHING, ANYTHING)
    return Need(cpu or ANYTHING, physical, least_available(memory, ratio), charged(memory, ratio))


def checks_physical(cloud: Cloud) -> bool:
    """Whether a VM must be smaller than the physical memory of its host."""
    return cloud.settings.flag(CHECK_PHYSICAL)


def room(fleet: Fleet, host: int) -> int:
    """Bytes of VM memory a host can still promise: what is free above the reserve, times its ratio."""
    free = fleet.available_memory[host] - fleet.reserved_memory[host]
    return multiplied(max(free, 0), fleet.memory_ratio(host))


def offered(fleet: Fleet, host: int) -> int:
    """Bytes of VM memory an empty host can promise."""
    return multiplied(fleet.total_memory[host] - fleet.reserved_memory[host], fleet.memory_ratio(host))


def shortfall(fleet: Fleet, host: int, cpu: int, memory: int, physical: int = ANYTHING) -> Shortfall | None:
    """Why *cpu* vCPUs and *memory* bytes do not fit a host as the host filter looks at it, or None.

    *physical* is what the host's physical memory must exceed.
    """
    need, available = need_of(cpu, memory, fleet.memory_ratio(host), physical), fleet.available_memory[host]
    missing = (
        (HOST_CPU, need.cpu - fleet.available_cpu[host]),
        (HOST_PHYSICAL_MEMORY, need.physical + 1 - fleet.total_memory[host]),
        (HOST_MEMORY, need.least - available),
        (HOST_RESERVED_MEMORY, need.above_reserve + fleet.reserved_memory[host] - available),
    )
    reason = next((reason for reason, amount in missing if amount > 0), None)
    if reason is None:
        return None
    return Shortfall(reason, max(missing[0][1], 0), max(0, *(amount for _, amount in missing[1:])))


def reservation_shortfall(fleet: Fleet, host: int, cpu: int, memory: int) -> Reason | None:
    """Why *cpu* vCPUs and *memory* bytes cannot be reserved on a host, or None (rules/host-capacity.md#reservation).

    The reservation looks neither at the physical memory nor at the over-provisioned view of what is free.
    """
    if cpu and fleet.available_cpu[host] - cpu < 0:
        return HOST_CPU
    above = fleet.available_memory[host] - charged(memory, fleet.memory_ratio(host))
    if memory and above - fleet.reserved_memory[host] < 0:
        return HOST_RESERVED_MEMORY if above >= 0 else HOST_MEMORY
    return None


def vms_that_fit(fleet: Fleet, host: int, cpu: int, memory: int, physical: int = ANYTHING) -> int | None:
    """How many VMs of one size a host takes one after the other, by its own capacity; None where nothing limits it."""
    need = need_of(cpu, memory, fleet.memory_ratio(host), physical)
    if shortfall(fleet, host, cpu, memory, physical) is not None:
        return 0
    charge = charged(memory, fleet.memory_ratio(host))
    spare = fleet.available_memory[host] - max(need.least, need.above_reserve + fleet.reserved_memory[host])
    times = [fleet.available_cpu[host] // cpu] if cpu else []
    times += [spare // charge + 1] if memory and charge else []
    return min(times, default=None)


def times_it_fits(fleet: Fleet, cpu: int, memory: int) -> IntArray:
    """How many VMs of one size each host takes by vCPUs and memory above the reserve alone, shape (hosts,)."""
    by_class = [max(charged(memory, ratio), 1) for ratio in fleet.memory_ratios]
    charge = fleet.by_ratio_class(by_class)
    above = fleet.array(fleet.available_memory) - fleet.array(fleet.reserved_memory)
    times: IntArray = np.minimum(above // charge, fleet.array(fleet.available_cpu) // max(cpu, 1))
    return times
