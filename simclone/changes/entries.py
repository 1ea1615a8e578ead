"""Entries of a scenario's data that several kinds of changes look up."""

from __future__ import annotations

from collections.abc import Iterable

from simclone.changes.kind import Data, DocKind
from simclone.errors import Fault, InvalidInput
from simclone.scenario.document.base import Name, Positive, PositiveSize
from simclone.scenario.findings import nearest
from simclone.scenario.reading.paths import expand_counted

START_FIGURES = ("availableCpu", "availableMemory", "totalCpu")
"""Figures of a host's start state or derived ones, which a machine of another size does not keep."""


LEAVING = "leaving hosts"
"""Where data that is being changed lists hosts that will be taken out; no key of a file."""
MAINTAINED = "maintained hosts"
"""Where it lists hosts that will go into maintenance."""


class MachineKind(DocKind):
    """A change that says what a machine is: like a host that is there, or of a size."""

    like: Name | None = None
    """The host that each is like."""
    cpu_num: Positive | None = None
    """The cores of each."""
    total_physical_memory: PositiveSize | None = None
    """The memory of each, in bytes."""


def host_entry(data: Data, name: str, path: str) -> Data:
    """The entry of a host by name or uuid, an entry of its own; raises InvalidInput with *path*."""
    expand_counted(data, "hosts")
    return named_entry(data["hosts"], name, path, "host")


def named_entry(entries: Iterable[Data], name: str, path: str, kind: str) -> Data:
    """The entry with a name or uuid; raises InvalidInput with *path*."""
    listed = list(entries)
    for entry in listed:
        if name in (entry["name"], entry.get("uuid")):
            return entry
    known = nearest(name, (entry["name"] for entry in listed))
    raise InvalidInput([Fault(path, f"there is no {kind} {name!r}", known)])


def check_known(names: list[str], known: Iterable[str], path: str) -> None:
    """Raise InvalidInput with a fault for each of *names* that is not *known*."""
    words = set(known)
    faults = [
        Fault(f"{path}.{row}", f"{name!r} is not there", nearest(name, words))
        for row, name in enumerate(names)
        if name not in words
    ]
    if faults:
        raise InvalidInput(faults)


def only_cluster(data: Data) -> str:
    """The cluster of hosts that name none: the first, or the one that is implied."""
    clusters = data.get("clusters") or [{"name": "cluster"}]
    return str(clusters[0]["name"])


def write_clusters(data: Data) -> None:
    """Make every host say its cluster, also where there is only one."""
    only = only_cluster(data)
    data.setdefault("clusters", [{"name": only}])
    for host in data.setdefault("hosts", []):
        host.setdefault("cluster", only)


def replace_attachments(data: Data, old: set[str], new: list[str]) -> None:
    """Make attachments to one of the clusters *old* attachments to all of *new*."""
    for key in ("primaryStorages", "l2Networks", "l3Networks"):
        for entry in data.get(key, ()):
            listed = entry.get("attachedClusters")
            if listed is not None and old & set(listed):
                others = [name for name in listed if name not in old]
                entry["attachedClusters"] = [*dict.fromkeys([*others, *new])]


def machine(data: Data, doc: MachineKind, path: str, cluster: str | None = None) -> Data:
    """The entry of a machine without a name: like another host, or of the size *doc* gives; raises InvalidInput."""
    if doc.like is not None:
        left_out: set[str] = {"uuid", "name", "state", "status", *START_FIGURES, "reservedMemory"}
        like = host_entry(data, doc.like, f"{path}.like")
        entry = {key: value for key, value in like.items() if key not in left_out}
        return entry if cluster is None else {**entry, "cluster": cluster}
    size = {"cpuNum": doc.cpu_num, "totalPhysicalMemory": doc.total_physical_memory}
    lacking = [key for key, value in size.items() if value is None]
    if lacking:
        raise InvalidInput([Fault(f"{path}.{key}", "is missing", "like, or cpuNum and memory") for key in lacking])
    return size if cluster is None else {**size, "cluster": cluster}


def storage_entry(data: Data, name: str, path: str) -> Data:
    """The entry of a primary storage by name or uuid; raises InvalidInput with *path*."""
    return named_entry(data.get("primaryStorages", ()), name, path, "primary storage")


def attach(entry: Data, cluster: str) -> None:
    """Attach a storage or network to a cluster; one that names no clusters serves all of its zone already."""
    listed = entry.get("attachedClusters")
    if listed is not None and cluster not in listed:
        entry["attachedClusters"] = [*listed, cluster]


def take_out(data: Data, gone: set[str]) -> None:
    """Take hosts out of the data, by name, with all that names them but VMs."""
    data["hosts"] = [host for host in data["hosts"] if host["name"] not in gone]
    for group in data.get("hostGroups", ()):
        group["hosts"] = [name for name in group.get("hosts", ()) if name not in gone]
    for storage in data.get("primaryStorages", ()):
        if storage.get("localHosts") is not None:
            expand_counted(storage, "localHosts", "host")
            storage["localHosts"] = [share for share in storage["localHosts"] if share["host"] not in gone]
        if "hostLinks" in storage:
            storage["hostLinks"] = [link for link in storage["hostLinks"] if link["host"] not in gone]
    for key, field in (("incidents", "host"), ("resourceConfig", "resource")):
        if key in data:
            data[key] = [entry for entry in data[key] if entry.get(field) not in gone]
