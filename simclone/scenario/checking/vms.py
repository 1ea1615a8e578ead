"""The VMs of a document: what they are made of is known, and a placed one can stand where it is said to."""

from __future__ import annotations

from typing import Any

from simclone.model.storage_types import storage_type
from simclone.scenario.checking.addresses import CheckedAddresses, take
from simclone.scenario.checking.attachments import CheckedAttachments
from simclone.scenario.checking.capacities import Capacities
from simclone.scenario.checking.names import UNKNOWN, Directory
from simclone.scenario.findings import Path


def check_vms(names: Directory, found: CheckedAttachments, made: Capacities, taken: CheckedAddresses) -> None:
    """All faults of all VMs."""
    for row, doc in enumerate(names.docs("vm")):
        path = names.kinds["vm"].paths[row]
        _shape(names, doc, path)
        l3s = names.find_all("l3Network", doc.l3_networks, (*path, "l3Networks"))
        _account_and_group(names, doc, path)
        _addresses(names, doc, path, l3s, taken)
        _place(names, found, made, doc, path, l3s)


def _shape(names: Directory, doc: Any, path: Path) -> None:
    offering = names.maybe("instanceOffering", doc.instance_offering, (*path, "instanceOffering"))
    if offering is None and (doc.cpu_num is None or doc.memory_size is None):
        key = "cpuNum" if doc.cpu_num is None else "memorySize"
        names.findings.add((*path, key), "is missing", "instanceOffering, or cpuNum and memorySize")
    image = names.maybe("image", doc.image, (*path, "image"))
    root = names.maybe("diskOffering", doc.root_disk_offering, (*path, "rootDiskOffering"))
    names.find_all("diskOffering", doc.data_disk_offerings, (*path, "dataDiskOfferings"))
    if root is None and (image is None or (image != UNKNOWN and names.docs("image")[image].media_type == "ISO")):
        what = "an ISO gives no root disk size" if image is not None else "without an image the root disk has no size"
        names.findings.add((*path, "rootDiskOffering"), f"is missing: {what}")


def _account_and_group(names: Directory, doc: Any, path: Path) -> None:
    names.account(doc.account, (*path, "account"))
    group = names.maybe("affinityGroup", doc.affinity_group, (*path, "affinityGroup"))
    for position, tag in enumerate(doc.system_tags):
        if tag.startswith("affinityGroupUuid::"):
            tagged = names.find(
                "affinityGroup", tag.removeprefix("affinityGroupUuid::"), (*path, "systemTags", position)
            )
            if group not in (None, tagged, UNKNOWN):
                names.findings.add((*path, "systemTags", position), "names another group than affinityGroup")


def _addresses(names: Directory, doc: Any, path: Path, l3s: list[int], taken: CheckedAddresses) -> None:
    for network, text in doc.ips.items():
        at = (*path, "ips", network)
        l3 = names.find("l3Network", network, at)
        if l3 == UNKNOWN:
            continue
        if l3 not in l3s:
            names.findings.add(at, f"the VM has no card on {network}")
        else:
            take(taken, l3, text, at, names.findings)


def _place(names: Directory, found: CheckedAttachments, made: Capacities, doc: Any, path: Path, l3s: list[int]) -> None:
    host = names.maybe("host", doc.host, (*path, "host"))
    last = names.maybe("host", doc.last_host, (*path, "lastHost"))
    storage = names.maybe("primaryStorage", doc.primary_storage, (*path, "primaryStorage"))
    if host is not None and doc.state != "Running":
        names.findings.add((*path, "host"), f"a VM in state {doc.state} is on no host", "lastHost")
    where = last if host is None else host
    if where is None or where == UNKNOWN or found.host_cluster[where] == UNKNOWN:
        return
    key, cluster = "lastHost" if host is None else "host", found.host_cluster[where]
    name = names.docs("host")[where].name
    if storage is not None and storage != UNKNOWN and not _sees(names, found, made, where, storage):
        names.findings.add((*path, key), f"{name} does not see primary storage {doc.primary_storage}")
    for l3 in l3s:
        l2 = found.l3_l2[l3]
        if l2 != UNKNOWN and cluster not in found.l2_clusters[l2]:
            network = names.docs("l3Network")[l3].name
            names.findings.add((*path, key), f"{name} does not see L3 network {network}")


def _sees(names: Directory, found: CheckedAttachments, made: Capacities, host: int, storage: int) -> bool:
    if found.host_cluster[host] not in found.storage_clusters[storage]:
        return False
    if storage_type(names.docs("primaryStorage")[storage].type).per_host:
        return any(item == host for item, _ in made.shares[storage])
    return True
