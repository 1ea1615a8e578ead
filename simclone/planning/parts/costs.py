"""What a scenario costs over its time: hosts, power, licences and storage, by the prices of its file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simclone.changes.add_hosts import AddHosts
from simclone.scenario.document.hosts import HostDoc
from simclone.scenario.load import Scenario
from simclone.units import GIB

MONTH_S = 365.25 * 86_400 / 12
"""Seconds of a month."""
MONTH_H = MONTH_S / 3_600


@dataclass(frozen=True, slots=True)
class Cost:
    """What a scenario costs over *months*: its hosts, their power, licences for their cores, primary storage.

    *of_horizon* says that the time is the file's horizon; else it is one month.
    """

    months: float
    hosts: float
    power: float
    licences: float
    storage: float
    of_horizon: bool = False

    @property
    def total(self) -> float:
        """All of it."""
        return self.hosts + self.power + self.licences + self.storage

    def summary(self) -> str:
        """One sentence."""
        parts = {"hosts": self.hosts, "power": self.power, "licences": self.licences, "storage": self.storage}
        words = ", ".join(f"{name} {part:.2f}" for name, part in parts.items() if part)
        time = f"over {self.months:.4g} months" if self.of_horizon else "a month"
        return f"Costs {self.total:.2f} {time}" + (f" ({words})." if words else ".")


def cost_of(scenario: Scenario) -> Cost | None:
    """What a scenario costs over its horizon, or in a month where it has none; None where nothing has such a price.

    A host costs from the time it joins, whatever state it is in; storage by its total capacity, local disks of hosts
    that join among it.
    """
    prices = scenario.doc.prices
    if not prices.runs():
        return None
    horizon = scenario.run.horizon
    span = MONTH_S if horizon is None else horizon
    hosts = power = licences = storage = 0.0
    for like, cores, disk, since in _hosts(scenario):
        months = max(span - since, 0.0) / MONTH_S
        hosts += months * prices.host_months.get(like, prices.host_month)
        power += months * MONTH_H * prices.host_watts / 1_000 * prices.power_kwh
        licences += months * cores * prices.licence_core_month
        storage += months * disk / GIB * prices.storage_gib_month
    storage += span / MONTH_S * _capacity(scenario) / GIB * prices.storage_gib_month
    return Cost(span / MONTH_S, hosts, power, licences, storage, horizon is not None)


def cost_words(scenario: Scenario) -> str:
    """The sentence about its cost with a space before it, or nothing."""
    cost = cost_of(scenario)
    return "" if cost is None else f" {cost.summary()}"


def _hosts(scenario: Scenario) -> Iterator[tuple[str, int, int, float]]:
    """Every host: the name its price goes by, cores, bytes of disk that it brings later, seconds until it joins."""
    docs: dict[str, HostDoc] = {doc.name: doc for doc in scenario.resolved.names.docs("host")}
    for name, doc in docs.items():
        yield name, doc.cpu_num, 0, 0.0
    for incident in scenario.doc.incidents:
        change = incident.change
        if isinstance(change, AddHosts) and incident.at is not None:
            like = docs.get(change.like or "")
            cores = change.cpu_num if change.cpu_num is not None else like.cpu_num if like is not None else 0
            disk = (change.local_storage or 0) + sum(change.local_storages.values())
            for _ in range(change.count):
                yield change.like or change.name, cores, disk, incident.at


def _capacity(scenario: Scenario) -> int:
    """Bytes of all primary storages in all."""
    cloud = scenario.build().cloud
    return sum(storage.total for storage in cloud.storages)


__all__ = ["MONTH_S", "Cost", "cost_of", "cost_words"]
