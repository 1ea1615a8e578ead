"""VmInstanceInventory and what it holds (clone-storage-affinity.md 7); null members are left out."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from simclone.model.cloud import Cloud
from simclone.model.storage import CEPH
from simclone.model.vms import NONE, ROOT, VOLUME_STATUSES, VOLUME_TYPES
from simclone.records import VmSnapshot
from simclone.units import wire_date


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value is not None}


def _uuid(uuids: list[Any], row: int | None) -> str | None:
    if row is None or row == NONE:
        return None
    found: str = getattr(uuids[row], "uuid", uuids[row])
    return found


def render_vm(cloud: Cloud, snap: VmSnapshot) -> dict[str, Any]:
    """The inventory of a VM as it stood when the snapshot was taken."""
    vm = snap.vm
    shape, cells = cloud.vms.shape(vm), cloud.vms.cells
    zone = cells("zone")[vm] if snap.cluster == NONE else cloud.clusters[snap.cluster].zone
    root = next((row for row, _, _ in snap.volumes if cloud.volumes.get("type", row) == ROOT), None)
    hypervisor = None if snap.cluster == NONE else cloud.clusters[snap.cluster].hypervisor_type
    return _given(
        {
            "uuid": cloud.vm_uuid(vm),
            "name": cloud.vms.names[vm],
            "description": shape.description,
            "zoneUuid": _uuid(cloud.zones, zone),
            "clusterUuid": _uuid(cloud.clusters, snap.cluster),
            "imageUuid": _uuid(cloud.images, shape.image),
            "hostUuid": _uuid(cloud.fleet.uuids, snap.host),
            "lastHostUuid": _uuid(cloud.fleet.uuids, snap.last_host),
            "instanceOfferingUuid": _uuid(cloud.offerings, shape.offering),
            "rootVolumeUuid": None if root is None else cloud.volume_uuid(root),
            "platform": shape.platform,
            "architecture": shape.architecture,
            "defaultL3NetworkUuid": _uuid(cloud.l3s, shape.l3s[0]) if shape.l3s else None,
            "type": shape.vm_type,
            "hypervisorType": shape.hypervisor_type or hypervisor,
            "memorySize": snap.memory,
            "cpuNum": snap.cpu,
            "cpuSpeed": shape.cpu_speed,
            "allocatorStrategy": shape.strategy,
            "createDate": wire_date(cloud.start, snap.born_us),
            "lastOpDate": wire_date(cloud.start, snap.changed_us),
            "state": snap.state,
            "vmNics": [render_nic(cloud, snap, place) for place in range(len(snap.nics))],
            "allVolumes": [render_volume(cloud, snap, place) for place in range(len(snap.volumes))],
        }
    )


def render_nic(cloud: Cloud, snap: VmSnapshot, place: int) -> dict[str, Any]:
    """A VmNicInventory."""
    nic, ip = snap.nics[place], snap.ips[place]
    l3 = cloud.nics.get("l3", nic)
    ranges = [one for one in cloud.pools[l3].ranges if one.start <= ip <= one.end]
    device = cloud.nics.get("device", nic)
    date = wire_date(cloud.start, cloud.nics.get("born_us", nic))
    return _given(
        {
            "uuid": cloud.born("nic", nic),
            "vmInstanceUuid": cloud.vm_uuid(snap.vm),
            "l3NetworkUuid": cloud.l3s[l3].uuid,
            "ip": None if ip == NONE else str(IPv4Address(ip)),
            "mac": mac_address(cloud.nics.get("mac", nic), device),
            "netmask": ranges[0].netmask if ranges else None,
            "gateway": (ranges[0].gateway or None) if ranges else None,
            "deviceId": device,
            "createDate": date,
            "lastOpDate": date,
        }
    )


def mac_address(bits: int, device: int) -> str:
    """``fa:``, four drawn octets, the device number (clone-storage-affinity.md 4.4).

    >>> mac_address(0x01020304, 0)
    'fa:01:02:03:04:00'
    """
    octets = [0xFA, *bits.to_bytes(4, "big"), device & 0xFF]
    return ":".join(f"{one:02x}" for one in octets)


def render_volume(cloud: Cloud, snap: VmSnapshot, place: int) -> dict[str, Any]:
    """A VolumeInventory."""
    row, storage, _ = snap.volumes[place]
    cells, uuid = cloud.volumes.cells, cloud.volume_uuid(row)
    kind = VOLUME_TYPES[cells("type")[row]]
    name = f"{kind}-Volume-For-VM-{cloud.vm_uuid(snap.vm)}" if kind == "Root" else cloud.volumes.names[row]
    date = wire_date(cloud.start, cells("born_us")[row])
    return _given(
        {
            "uuid": uuid,
            "name": name,
            "primaryStorageUuid": _uuid(cloud.storages, storage),
            "vmInstanceUuid": cloud.vm_uuid(snap.vm),
            "diskOfferingUuid": _uuid(cloud.disk_offerings, cells("offering")[row]),
            "rootImageUuid": _uuid(cloud.images, cells("image")[row]),
            "installPath": install_path(cloud, row, storage),
            "type": kind,
            "format": "raw" if storage != NONE and cloud.storages[storage].type == CEPH else "qcow2",
            "size": cells("size")[row],
            "actualSize": cells("actual_size")[row],
            "deviceId": place,
            "state": "Enabled",
            "status": VOLUME_STATUSES[cells("status")[row]],
            "createDate": date,
            "lastOpDate": date,
            "isShareable": False,
        }
    )


def install_path(cloud: Cloud, volume: int, storage: int) -> str | None:
    """Where the volume's file or image lies, in the form of the API page's sample."""
    if storage == NONE:
        return None
    uuid, one = cloud.volume_uuid(volume), cloud.storages[storage]
    if one.type == CEPH:
        return f"ceph://{one.name}/{uuid}"
    account = cloud.volumes.get("account", volume)
    owner = "36c27e8ff05c4780bf6d2fa65700f22e" if account == NONE else cloud.accounts[account].uuid
    folder = "rootVolumes" if cloud.volumes.get("type", volume) == ROOT else "dataVolumes"
    return f"/{one.name}_ps/{folder}/acct-{owner}/vol-{uuid}/{uuid}.qcow2"
