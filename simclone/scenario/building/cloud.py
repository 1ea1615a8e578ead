"""A checked document into a ledger over a cloud."""

from __future__ import annotations

from simclone.chance import Chance
from simclone.errors import Fault, InvalidInput
from simclone.model.cloud import EPOCH, USAGE, Cloud
from simclone.model.fleet import Fleet
from simclone.model.inventory import HOST_STATES, OBJECT_STATES, STATUSES, Account, Cluster, Zone
from simclone.model.ledger.ledger import Ledger
from simclone.scenario.building.networks import add_networks
from simclone.scenario.building.offerings import add_groups, add_offerings
from simclone.scenario.building.storage import add_backups, add_images, add_storages
from simclone.scenario.checking.document import Resolved, check
from simclone.scenario.document.scenario import ScenarioDoc, TopologyDoc
from simclone.scenario.findings import Findings, dotted


def build(doc: TopologyDoc, *, seed: int | None = None, replication: int = 0) -> Ledger:
    """The ledger of a document at t = 0, without its VMs; raises InvalidInput (paths, no lines) when it is faulty.

    *seed* overrides the one in the document.
    """
    findings = Findings()
    resolved = check(doc, findings)
    if findings:
        raise InvalidInput([Fault(dotted(item.path), item.message, item.expected) for item in findings.found])
    return build_resolved(resolved, seed=seed, replication=replication)


def build_resolved(resolved: Resolved, *, seed: int | None = None, replication: int = 0) -> Ledger:
    """A new ledger from what `resolve` found; may be called any number of times."""
    doc, cloud = resolved.names.doc, Cloud(resolved.settings.copy())
    lowest, own = False, 0
    cloud.start = EPOCH
    if isinstance(doc, ScenarioDoc):
        cloud.start, own, lowest = doc.run.start, doc.run.seed, doc.run.tie_break == "lowestUuid"
    cloud.chance = Chance(own if seed is None else seed, replication, lowest)
    _add_places(cloud, resolved)
    _add_hosts(cloud, resolved)
    add_storages(cloud, resolved)
    add_backups(cloud, resolved)
    add_images(cloud, resolved)
    add_networks(cloud, resolved)
    add_offerings(cloud, resolved)
    add_groups(cloud, resolved)
    for row, item in enumerate(resolved.names.docs("account")):
        cloud.accounts.append(Account(resolved.names.kinds["account"].uuids[row], item.name))
        cloud.limits.append(dict(item.quota))
        cloud.usage.append([0] * len(USAGE))
    return Ledger(cloud)


def _add_places(cloud: Cloud, resolved: Resolved) -> None:
    names = resolved.names
    for uuid, doc in zip(names.kinds["zone"].uuids, names.docs("zone"), strict=True):
        cloud.zones.append(Zone(uuid, doc.name))
        cloud.zone_states.append(OBJECT_STATES.index(doc.state))
    zones = resolved.attached.cluster_zone
    for row, doc in enumerate(names.docs("cluster")):
        uuid, labels = names.kinds["cluster"].uuids[row], tuple(sorted(doc.labels.items()))
        cloud.clusters.append(Cluster(uuid, doc.name, zones[row], doc.hypervisor_type, doc.architecture, labels))
        cloud.cluster_states.append(OBJECT_STATES.index(doc.state))


def _add_hosts(cloud: Cloud, resolved: Resolved) -> None:
    names, attached = resolved.names, resolved.attached
    uuids = names.kinds["host"].uuids
    fleet = cloud.fleet = Fleet(len(uuids))
    for row, doc in enumerate(names.docs("host")):
        cluster, figures = cloud.clusters[attached.host_cluster[row]], resolved.figures.hosts[row]
        fleet.add(
            uuids[row],
            doc.name,
            {**dict(cluster.labels), **doc.labels},
            zone=attached.host_zone[row],
            cluster=attached.host_cluster[row],
            hypervisor=cloud.code("hypervisor", cluster.hypervisor_type),
            architecture=cloud.code("architecture", doc.architecture or cluster.architecture),
            os=cloud.code("os", doc.os),
            state=HOST_STATES.index(doc.state),
            status=STATUSES.index(doc.status),
            cpu_num=doc.cpu_num,
            total_cpu=figures.total_cpu,
            available_cpu=figures.available_cpu,
            drift_cpu=figures.available_cpu - figures.total_cpu,
            total_memory=figures.total_memory,
            available_memory=figures.available_memory,
            drift_memory=figures.available_memory - figures.total_memory,
            reserved_memory=figures.reserved_memory,
            ratio_class=fleet.ratio_class_of(figures.memory_ratio),
        )
        for spec, count in doc.pci_devices.items():
            fleet.devices.setdefault(spec, {})[row] = count
