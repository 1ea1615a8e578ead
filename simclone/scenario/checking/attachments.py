"""Who belongs to whom: clusters in zones, hosts in clusters, storages and networks attached to clusters."""

from __future__ import annotations

from dataclasses import dataclass, field

from simclone.scenario.checking.names import UNKNOWN, Directory
from simclone.scenario.findings import Path


@dataclass(slots=True)
class CheckedAttachments:
    """Rows by row; `UNKNOWN` where a fault was found."""

    cluster_zone: list[int] = field(default_factory=list)
    host_cluster: list[int] = field(default_factory=list)
    host_zone: list[int] = field(default_factory=list)
    storage_zone: list[int] = field(default_factory=list)
    storage_clusters: list[set[int]] = field(default_factory=list)
    backup_zones: list[set[int]] = field(default_factory=list)
    image_backups: list[tuple[int, ...]] = field(default_factory=list)
    l2_zone: list[int] = field(default_factory=list)
    l2_clusters: list[set[int]] = field(default_factory=list)
    l3_l2: list[int] = field(default_factory=list)
    group_hosts: list[frozenset[int]] = field(default_factory=list)


def attachments(names: Directory) -> CheckedAttachments:
    """Resolve every attachment of a document."""
    result = CheckedAttachments()
    for row, doc in enumerate(names.docs("cluster")):
        result.cluster_zone.append(names.only("zone", doc.zone, (*names.kinds["cluster"].paths[row], "zone")))
    _hosts(names, result)
    for row, doc in enumerate(names.docs("primaryStorage")):
        zone, clusters = _reach(names, result, doc, names.kinds["primaryStorage"].paths[row])
        result.storage_zone.append(zone)
        result.storage_clusters.append(clusters)
    for row, doc in enumerate(names.docs("l2Network")):
        zone, clusters = _reach(names, result, doc, names.kinds["l2Network"].paths[row])
        result.l2_zone.append(zone)
        result.l2_clusters.append(clusters)
    _images(names, result)
    _l3s(names, result)
    for row, doc in enumerate(names.docs("hostGroup")):
        path = (*names.kinds["hostGroup"].paths[row], "hosts")
        result.group_hosts.append(frozenset(names.find_all("host", doc.hosts, path)))
    return result


def _hosts(names: Directory, found: CheckedAttachments) -> None:
    clusters = names.docs("cluster")
    paths = names.kinds["host"].paths
    for row, doc in enumerate(names.docs("host")):
        cluster = names.only("cluster", doc.cluster, (*paths[row], "cluster"))
        found.host_cluster.append(cluster)
        found.host_zone.append(UNKNOWN if cluster == UNKNOWN else found.cluster_zone[cluster])
        if cluster == UNKNOWN or doc.hypervisor_type is None:
            continue
        kind = clusters[cluster].hypervisor_type
        if kind != doc.hypervisor_type:
            message = f"is {doc.hypervisor_type}, but cluster {clusters[cluster].name} is of {kind}"
            names.findings.add((*paths[row], "hypervisorType"), message, kind)


def _reach(names: Directory, found: CheckedAttachments, doc: object, path: Path) -> tuple[int, set[int]]:
    zone_name: str | None = getattr(doc, "zone", None)
    attached: list[str] | None = getattr(doc, "attached_clusters", None)
    clusters = None if attached is None else names.find_all("cluster", attached, (*path, "attachedClusters"))
    zones = {found.cluster_zone[row] for row in clusters or ()} - {UNKNOWN}
    inferred = zone_name is None and len(zones) == 1
    zone = min(zones) if inferred else names.only("zone", zone_name, (*path, "zone"))
    if clusters is None:
        return zone, {row for row, of in enumerate(found.cluster_zone) if of == zone}
    for row in clusters:
        if zone != UNKNOWN and found.cluster_zone[row] not in (zone, UNKNOWN):
            cluster, other = names.docs("cluster")[row].name, names.docs("zone")[found.cluster_zone[row]].name
            position = (*path, "attachedClusters")
            names.findings.add(
                position, f"cluster {cluster} is in zone {other}, not in {names.docs('zone')[zone].name}"
            )
    return zone, set(clusters)


def _images(names: Directory, found: CheckedAttachments) -> None:
    everywhere = range(len(names.docs("zone")))
    for row, doc in enumerate(names.docs("backupStorage")):
        path = (*names.kinds["backupStorage"].paths[row], "attachedZones")
        zones = everywhere if doc.attached_zones is None else names.find_all("zone", doc.attached_zones, path)
        found.backup_zones.append(set(zones))
    backups = range(len(names.docs("backupStorage")))
    for row, doc in enumerate(names.docs("image")):
        path = (*names.kinds["image"].paths[row], "backupStorages")
        retained = (
            backups if doc.backup_storages is None else names.find_all("backupStorage", doc.backup_storages, path)
        )
        found.image_backups.append(tuple(retained))


def _l3s(names: Directory, found: CheckedAttachments) -> None:
    for row, doc in enumerate(names.docs("l3Network")):
        path = names.kinds["l3Network"].paths[row]
        l2 = names.only("l2Network", doc.l2_network, (*path, "l2Network"))
        found.l3_l2.append(l2)
        zone = names.maybe("zone", doc.zone, (*path, "zone"))
        clusters = names.find_all("cluster", doc.attached_clusters or [], (*path, "attachedClusters"))
        if l2 == UNKNOWN:
            continue
        name = names.docs("l2Network")[l2].name
        if zone not in (None, UNKNOWN, found.l2_zone[l2]) and found.l2_zone[l2] != UNKNOWN:
            expected = names.docs("zone")[found.l2_zone[l2]].name
            names.findings.add((*path, "zone"), f"is {doc.zone}, but L2 {name} is in {expected}", expected)
        if doc.attached_clusters is not None and set(clusters) != found.l2_clusters[l2]:
            expected = (
                ", ".join(names.docs("cluster")[l2_cluster].name for l2_cluster in sorted(found.l2_clusters[l2]))
                or "none"
            )
            names.findings.add((*path, "attachedClusters"), f"differ from those of L2 {name}", expected)
