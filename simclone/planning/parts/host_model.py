"""A kind of host to add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from simclone.planning.arguments import check_fields
from simclone.scenario.load import Scenario

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of host to add: *like* one that is there, or of *cpu_num* cores and *memory* bytes in *cluster*.

    *disk* is the bytes each brings to every local storage of its cluster, *disks* to those named. *devices* are whole
    PCI devices by specification, *labels* go before those of the host it is like. Labels that name a place (a rack,
    and what affinity groups and incidents go by) are not copied: without a value of its own, new hosts are spread
    over the places that the hosts of the cluster have, the emptiest first.
    """

    name: str
    price: float = 1.0
    like: str | None = None
    cpu_num: int | None = None
    memory: int | None = None
    cluster: str | None = None
    disk: int | None = None
    disks: Mapping[str, int] = field(default_factory=dict)
    devices: Mapping[str, int] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def shown(self) -> str:
        """The name, and the host it is like."""
        return self.name if self.like is None or self.like in self.name else f"{self.name} (like {self.like})"

    def change(self, count: int, labels: Mapping[str, str] | None = None) -> Mapping[str, object]:
        """So many more of it, as a change; *labels* beside its own."""
        values = {
            "like": self.like,
            "cpuNum": self.cpu_num,
            "totalPhysicalMemory": self.memory,
            "cluster": self.cluster,
            "localStorage": self.disk,
            "localStorages": dict(self.disks) or None,
            "pciDevices": None if self.devices is None else dict(self.devices),
            "labels": {**(labels or {}), **self.labels} or None,
        }
        named = {"name": f"{self.name}-{{n}}", "count": count}
        return {"addHosts": {**{key: value for key, value in values.items() if value is not None}, **named}}

    def changes(self, count: int, places: Mapping[Labels, int] | None = None) -> list[Mapping[str, object]]:
        """So many more of it, as changes: each host where the fewest hosts are of *places*."""
        if not places:
            return [self.change(count)] if count else []
        new = dict.fromkeys(places, 0)
        queue = sorted((hosts, labels) for labels, hosts in places.items())
        for _ in range(count):
            hosts, labels = heappop(queue)
            new[labels] += 1
            heappush(queue, (hosts + 1, labels))
        return [self.change(part, dict(labels)) for labels, part in new.items() if part]


def place_keys(scenario: Scenario) -> set[str]:
    """Labels that say where a host stands: the rack, and those that affinity groups and incidents go by."""
    keys = {"rack"}
    keys |= {group.over for group in scenario.doc.affinity_groups or ()} - {"host", "cluster", "zone"}
    return keys | {key for incident in scenario.doc.incidents for key in getattr(incident, "label", None) or ()}


def places_of(scenario: Scenario, model: Model, gone: Sequence[str] = ()) -> dict[Labels, int]:
    """The places over which new hosts of a model are spread, those of the hosts of its cluster, with their hosts.

    Empty where the hosts there carry no such label, or the model has a value for each. Hosts that are *gone* leave
    their places to the new ones.
    """
    names = scenario.resolved.names
    clusters = [doc.name for doc in names.docs("cluster")]
    attached = scenario.resolved.attached.host_cluster
    hosts = names.docs("host")
    like = next((row for row, doc in enumerate(hosts) if model.like in (doc.name, doc.uuid)), None)
    cluster = model.cluster or (clusters[0 if like is None else attached[like]] if clusters else "")
    keys = sorted(place_keys(scenario) - set(model.labels))
    counts: dict[Labels, int] = {}
    for row, doc in enumerate(hosts):
        location = tuple((key, doc.labels[key]) for key in keys if key in doc.labels)
        if location and clusters[attached[row]] == cluster:
            counts[location] = counts.get(location, 0) + (doc.name not in gone)
    widest = max((len(location) for location in counts), default=0)
    return {location: count for location, count in sorted(counts.items()) if len(location) == widest}


__all__ = ["Labels", "Model", "place_keys", "places_of"]
