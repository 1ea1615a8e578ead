"""Hosts, clusters and VMs added, taken away, replaced or moved in a scenario's data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simclone.errors import Fault, InvalidInput
from simclone.scenario.document.changes import (
    AddHostsDoc,
    MergeClustersDoc,
    MoveVmDoc,
    ReplaceHostsDoc,
    SplitClusterDoc,
)
from simclone.scenario.findings import nearest
from simclone.scenario.reading.expand import has_number, numbered
from simclone.scenario.reading.paths import expand_counted

Data = dict[str, Any]
_GIVEN = ("availableCpu", "availableMemory", "totalCpu")
"""Figures of a host's start state or derived ones, which a machine of another size does not keep."""


def add_hosts(data: Data, doc: AddHostsDoc) -> None:
    """New entries at the end of the hosts; raises InvalidInput."""
    expand_counted(data, "hosts")
    pattern = doc.name if has_number(doc.name) or doc.count == 1 else f"{doc.name}-{{n}}"
    taken = {item["name"] for item in data["hosts"]}
    model, number = _machine(data, doc, "addHosts"), 0
    for _ in range(doc.count):
        number += 1
        while has_number(pattern) and numbered(pattern, number) in taken:
            number += 1
        name = numbered(pattern, number)
        data["hosts"].append({**model, "name": name})
        _share(data, doc, name)


def _machine(data: Data, doc: AddHostsDoc | ReplaceHostsDoc, path: str) -> Data:
    """The entry of a new machine, without a name."""
    cluster = doc.cluster if isinstance(doc, AddHostsDoc) else None
    if doc.like is not None:
        keep: set[str] = {"uuid", "name", "state", "status", *_GIVEN, "reservedMemory"}
        like = _host(data, doc.like, f"{path}.like")
        result = {key: value for key, value in like.items() if key not in keep}
        return result if cluster is None else {**result, "cluster": cluster}
    lacking = [key for key in ("cpuNum", "totalPhysicalMemory") if getattr(doc, _python(key)) is None]
    if lacking:
        raise InvalidInput([Fault(f"{path}.{key}", "is missing", "like, or cpuNum and memory") for key in lacking])
    result = {"cpuNum": doc.cpu_num, "totalPhysicalMemory": doc.total_physical_memory}
    clusters = [item["name"] for item in data.get("clusters", ())]
    if isinstance(doc, AddHostsDoc) and cluster is None and len(clusters) > 1:
        raise InvalidInput([Fault(f"{path}.cluster", "is missing", ", ".join(clusters))])
    matches = cluster or (clusters[0] if clusters else None)
    return result if matches is None else {**result, "cluster": matches}


def _python(key: str) -> str:
    return {"cpuNum": "cpu_num", "totalPhysicalMemory": "total_physical_memory"}[key]


def _share(data: Data, doc: AddHostsDoc, name: str) -> None:
    """What a new host brings to local storages."""
    for storage in data.get("primaryStorages", ()):
        if storage.get("localHosts") is None:
            continue
        expand_counted(storage, "localHosts", "host")
        like = next((item for item in storage["localHosts"] if item["host"] == doc.like), None)
        size = doc.local_storage if doc.local_storage is not None else like and like["totalCapacity"]
        if size is not None:
            storage["localHosts"].append({"host": name, "totalCapacity": size})


def remove_hosts(data: Data, names: list[str]) -> None:
    """Hosts go; the VMs they carried are placed by the allocator; raises InvalidInput."""
    expand_counted(data, "hosts")
    removed = {_host(data, name, f"removeHosts.{row}")["name"] for row, name in enumerate(names)}
    removed |= set(names)
    data["hosts"] = [one for one in data["hosts"] if one["name"] not in removed]
    expand_counted(data, "vms")
    for vm in data["vms"]:
        for key in ("host", "lastHost"):
            if vm.get(key) in removed:
                del vm[key]
    for group in data.get("hostGroups", ()):
        group["hosts"] = [element for element in group.get("hosts", ()) if element not in removed]
    for storage in data.get("primaryStorages", ()):
        if storage.get("localHosts") is not None:
            expand_counted(storage, "localHosts", "host")
            storage["localHosts"] = [entry for entry in storage["localHosts"] if entry["host"] not in removed]
        if "hostLinks" in storage:
            storage["hostLinks"] = [member for member in storage["hostLinks"] if member["host"] not in removed]
    for key, field in (("incidents", "host"), ("resourceConfig", "resource")):
        if key in data:
            data[key] = [item for item in data[key] if item.get(field) not in removed]


def replace_hosts(data: Data, doc: ReplaceHostsDoc) -> None:
    """Named hosts, or those of a cluster, take another size; raises InvalidInput."""
    expand_counted(data, "hosts")
    if (doc.hosts is None) == (doc.cluster is None):
        raise InvalidInput([Fault("replaceHosts", "says not which hosts", "hosts or cluster")])
    new = _machine(data, doc, "replaceHosts")
    keys = ("cpuNum", "totalPhysicalMemory", "pciDevices", "architecture")
    size: Data = {key: new[key] for key in keys if key in new}
    if doc.hosts is not None:
        chosen = [_host(data, name, f"replaceHosts.hosts.{row}") for row, name in enumerate(doc.hosts)]
    else:
        chosen = [entry for entry in data["hosts"] if entry.get("cluster", only_cluster(data)) == doc.cluster]
        if not chosen:
            raise InvalidInput([Fault("replaceHosts.cluster", f"{doc.cluster!r} has no hosts", "a cluster's name")])
    for item in chosen:
        for key in _GIVEN:
            item.pop(key, None)
        item.update(size)


def merge_clusters(data: Data, doc: MergeClustersDoc) -> None:
    """Clusters become one; raises InvalidInput."""
    _explicit_clusters(data)
    known = {element["name"]: element for element in data["clusters"]}
    _all_known(doc.clusters, known, "mergeClusters.clusters")
    removed = set(doc.clusters) - {doc.into}
    if doc.into not in known:
        model = {key: value for key, value in known[doc.clusters[0]].items() if key != "uuid"}
        data["clusters"].append({**model, "name": doc.into})
    data["clusters"] = [entry for entry in data["clusters"] if entry["name"] not in removed]
    _rename(data, removed, [doc.into])
    for item in data["hosts"]:
        if item["cluster"] in removed:
            item["cluster"] = doc.into
    for request in data.get("requests", ()):
        if request["cloneVmInstance"].get("clusterUuid") in removed:
            request["cloneVmInstance"]["clusterUuid"] = doc.into
    for key, field in (("incidents", "cluster"), ("resourceConfig", "resource")):
        for item in data.get(key, ()):
            if item.get(field) in removed:
                item[field] = doc.into


def split_cluster(data: Data, doc: SplitClusterDoc) -> None:
    """Hosts leave for a new cluster attached to the same storages and networks; raises InvalidInput."""
    _explicit_clusters(data)
    expand_counted(data, "hosts")
    known = {item["name"]: item for item in data["clusters"]}
    _all_known([doc.cluster], known, "splitCluster.cluster")
    if doc.into in known:
        raise InvalidInput([Fault("splitCluster.into", f"{doc.into!r} is there already", "the name of a new cluster")])
    model = {key: value for key, value in known[doc.cluster].items() if key != "uuid"}
    data["clusters"].append({**model, "name": doc.into})
    for row, name in enumerate(doc.hosts):
        _host(data, name, f"splitCluster.hosts.{row}")["cluster"] = doc.into
    _rename(data, {doc.cluster}, [doc.cluster, doc.into])


def move_vm(data: Data, doc: MoveVmDoc) -> None:
    """A VM of the file stands elsewhere; raises InvalidInput."""
    expand_counted(data, "vms")
    _host(data, doc.host, "moveVm.host")
    known = {item["name"]: item for item in data["vms"]}
    _all_known([doc.vm], known, "moveVm.vm")
    known[doc.vm]["host"] = doc.host


def _explicit_clusters(data: Data) -> None:
    """Every host says its cluster, also where there is only one."""
    only = only_cluster(data)
    data.setdefault("clusters", [{"name": only}])
    for item in data.setdefault("hosts", []):
        item.setdefault("cluster", only)


def only_cluster(data: Data) -> str:
    """The cluster of hosts that name none: the first, or the one that is implied."""
    clusters = data.get("clusters") or [{"name": "cluster"}]
    return str(clusters[0]["name"])


def _rename(data: Data, old: set[str], new: list[str]) -> None:
    """Attachments to one of *old* become attachments to all of *new*."""
    for key in ("primaryStorages", "l2Networks", "l3Networks"):
        for item in data.get(key, ()):
            listed = item.get("attachedClusters")
            if listed is not None and old & set(listed):
                retained = [name for name in listed if name not in old]
                item["attachedClusters"] = [*dict.fromkeys([*retained, *new])]


def _host(data: Data, name: str, path: str) -> Data:
    expand_counted(data, "hosts")
    for item in data["hosts"]:
        if name in (item["name"], item.get("uuid")):
            result: Data = item
            return result
    known = nearest(name, (entry["name"] for entry in data["hosts"]))
    raise InvalidInput([Fault(path, f"there is no host {name!r}", known)])


def _all_known(names: list[str], known: Iterable[str], path: str) -> None:
    faults = [
        Fault(f"{path}.{row}", f"{name!r} is not there", nearest(name, known))
        for row, name in enumerate(names)
        if name not in set(known)
    ]
    if faults:
        raise InvalidInput(faults)
