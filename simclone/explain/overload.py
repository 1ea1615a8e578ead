"""Where a cloud holds more than it has: hosts, primary storages and their shares, devices, limits of accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from simclone.allocator.rules import quota
from simclone.model.cloud import Cloud
from simclone.model.settings import QUOTA_DEFAULTS
from simclone.units import format_size

_OBJECTS = {"host": "host", "devices": "host", "storage": "primary storage", "quota": "account"}
SHOWN = 3
"""So many overloads are told one by one."""


@dataclass(frozen=True, slots=True)
class Overload:
    """*amount* more than there is: *kind* is host, storage, devices or quota, *where* the object's name.

    *resource* is vCPUs, memory, reserved memory, space, a device specification, or a limit's name; amounts of memory,
    reserved memory and space are bytes.
    """

    kind: str
    where: str
    resource: str
    amount: int
    on_host: str = ""

    @property
    def text(self) -> str:
        """What is wrong, without the object's name."""
        size = format_size(self.amount) if self.resource in ("memory", "reserved memory", "space") else str(self.amount)
        if self.resource == "reserved memory":
            return f"is {size} into its reserved memory"
        if self.kind == "storage" and self.on_host:
            return f"holds {size} more than its disks on {self.on_host} have"
        if self.kind in ("storage", "quota"):
            return f"holds {size}{'' if self.kind == 'storage' else f' of {self.resource}'} more than it has"
        return f"holds {size} {'' if self.resource == 'memory' else f'{self.resource} '}more than it has"

    def summary(self) -> str:
        """``host h1 holds 8 vCPUs more than it has``."""
        return f"{_OBJECTS[self.kind]} {self.where} {self.text}"


def of_host(name: str, available_cpu: int, available_memory: int, reserved_memory: int) -> Iterator[Overload]:
    """Of a host by its reported figures: vCPUs and bytes."""
    if available_cpu < 0:
        yield Overload("host", name, "vCPUs", -available_cpu)
    if available_memory < reserved_memory:
        yield Overload("host", name, "reserved memory", reserved_memory - available_memory)


def of_storage(name: str, available: int, shares: Iterable[tuple[str, int]]) -> Iterator[Overload]:
    """Of a primary storage and of its *shares* by host, by their reported bytes."""
    if available < 0:
        yield Overload("storage", name, "space", -available)
    for host, free in shares:
        if free < 0:
            yield Overload("storage", name, "space", -free, host)


def overloads(cloud: Cloud) -> tuple[Overload, ...]:
    """Everything that holds more than it has, hosts first, in the order of the file."""
    fleet = cloud.fleet
    result: list[Overload] = []
    over = (fleet.array(fleet.available_cpu) < 0) | (
        fleet.array(fleet.available_memory) < fleet.array(fleet.reserved_memory)
    )
    for row in np.flatnonzero(over & (fleet.array(fleet.exists) == 1)).tolist():
        figures = fleet.available_cpu[row], fleet.available_memory[row], fleet.reserved_memory[row]
        result += of_host(fleet.names[row], *figures)
    for storage in cloud.storages:
        shares = storage.shares
        rows = [] if shares is None else np.flatnonzero(shares.array(shares.available) < 0).tolist()
        free = [(fleet.names[row], shares.available[row]) for row in rows] if shares is not None else []
        result += of_storage(storage.name, storage.available, free)
    for spec, held in fleet.devices_held.items():
        present = fleet.devices.get(spec, {})
        result += [
            Overload("devices", fleet.names[row], spec, count - present.get(row, 0))
            for row, count in sorted(held.items())
            if count > present.get(row, 0)
        ]
    for account, item in enumerate(cloud.accounts):
        used = quota.usage(cloud, account)
        result += [
            Overload("quota", item.name, name, used[name] - cloud.limit(account, name))
            for name in QUOTA_DEFAULTS
            if used[name] > cloud.limit(account, name)
        ]
    return tuple(result)


def grown(before: Iterable[Overload], after: Iterable[Overload]) -> tuple[Overload, ...]:
    """Overloads of *after* that were smaller, or none, before."""
    known = {(item.kind, item.where, item.resource, item.on_host): item.amount for item in before}
    return tuple(
        item for item in after if item.amount > known.get((item.kind, item.where, item.resource, item.on_host), 0)
    )


def notes_of(items: Sequence[Overload], when: str = "at the start") -> tuple[str, ...]:
    """Overloads in words: the first of them, and how many more there are."""
    lines = [f"{when} {item.summary()}" for item in items[:SHOWN]]
    more = len(items) - SHOWN
    return tuple([*lines, f"{when} {more} more of this kind"] if more > 0 else lines)
