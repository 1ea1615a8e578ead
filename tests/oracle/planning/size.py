"""How many hosts to add: every number, and every mix of two models, tried in turn.

A number is enough when the requests, carried out one after the other by first fit, all succeed: first fit has no ties,
so there is one outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from tests.oracle.planning import rules, shrink
from tests.oracle.planning.rules import Call, Cloud

Doc = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """A model of host and what one costs: like a host of the file, or of a size in a cluster."""

    name: str
    price: float
    like: str | None = None
    cpu: int = 0
    memory: int = 0
    cluster: str = ""

    def entry(self, doc: Doc, number: int) -> Doc:
        """The host of the file that one more of this model is; it takes VMs whatever state the one it is like is in."""
        name = f"{self.name}-{number}"
        if self.like is None:
            size = {"cpuNum": self.cpu, "totalPhysicalMemory": self.memory}
            return {"name": name, "cluster": self.cluster, **size}
        return {**next(host for host in doc["hosts"] if host["name"] == self.like), "name": name, "state": "Enabled"}


def grown(doc: Doc, models: Sequence[Model], counts: Sequence[int]) -> Doc:
    """The scenario with so many more hosts; one like a host with a local disk brings such a disk."""
    hosts, storages = list(doc["hosts"]), [dict(storage) for storage in doc["primaryStorages"]]
    for model, count in zip(models, counts, strict=True):
        for number in range(1, count + 1):
            entry = model.entry(doc, number)
            hosts.append(entry)
            for storage in storages:
                shares = [share for share in storage.get("localHosts", ()) if share["host"] == model.like]
                more = [{**share, "host": entry["name"]} for share in shares]
                if more:
                    storage["localHosts"] = [*storage["localHosts"], *more]
    return {**doc, "hosts": hosts, "primaryStorages": storages}


def calls_of(doc: Doc) -> list[tuple[Call, int]]:
    """The requests of a scenario in their order, with the number of names of each."""
    result = []
    for entry in doc.get("requests", ()):
        body = entry["cloneVmInstance"]
        group = next((tag.split("::")[1] for tag in entry.get("systemTags", ())), None)
        call = Call(
            entry["vm"],
            account=entry.get("account"),
            group=group,
            is_full=body.get("full", False),
            cluster=body.get("clusterUuid"),
            host=body.get("hostUuid"),
        )
        result.append((call, len(body["names"])))
    return result


def places_all(cloud: Cloud, calls: Sequence[tuple[Call, int]]) -> bool:
    """Whether every clone of every call is placed by first fit, in this very cloud."""
    for at, (call, names) in enumerate(calls):
        opened = rules.open_call(cloud, call, names)
        if opened is None:
            return False
        for turn in range(names):
            vm = rules.clone_of(cloud, call, f"clone-{at}-{turn}")
            choices = rules.clone_choices(cloud, opened, vm)
            if not choices or choices[0].storage is None:
                return False
            rules.start_clone(cloud, opened, vm, choices[0])
    return True


def is_enough(doc: Doc, models: Sequence[Model], counts: Sequence[int]) -> bool:
    """Whether so many more hosts are enough for all requests."""
    larger = grown(doc, models, counts)
    cloud = rules.cloud_of(larger)
    return not rules.settle(cloud) and places_all(cloud, calls_of(larger))


def fewest(doc: Doc, model: Model, most: int) -> int | None:
    """The smallest number that is enough, None where none up to *most* is."""
    return next((number for number in range(most + 1) if is_enough(doc, [model], [number])), None)


def cheapest(doc: Doc, models: Sequence[Model], most: int) -> float | None:
    """The price of the cheapest mix of up to so many hosts, None where none is enough."""
    mixes = [counts for counts in product(range(most + 1), repeat=len(models)) if sum(counts) <= most]
    ranked = sorted(mixes, key=lambda counts: cost(models, counts))
    return next((cost(models, counts) for counts in ranked if is_enough(doc, models, counts)), None)


def replaces(doc: Doc, old: Sequence[str], model: Model, count: int) -> bool:
    """Whether so many of a model take the place of hosts: their VMs fill what is there by first fit, then the clones.

    VMs of one size on shared storage; of several the order would matter.
    """
    larger = grown(doc, [model], [count])
    rest, moving = shrink.without(rules.cloud_of(larger), old)
    for vm in moving:
        target = next((host.name for host in rest.usable() if rules.can_place(rest, vm, host.name)), None)
        if target is None:
            return False
        rules.place(rest, vm, target)
    return places_all(rest, calls_of(larger))


def cost(models: Sequence[Model], counts: Sequence[int]) -> float:
    """What so many hosts cost."""
    return sum(model.price * count for model, count in zip(models, counts, strict=True))
