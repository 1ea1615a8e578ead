"""VmInstanceInventory and what it holds (rules/api-shapes.md#inventories); null members are left out."""

from __future__ import annotations

from typing import Any

from simclone.model.cloud import Cloud
from simclone.model.inventory import Shape
from simclone.model.vms import NONE, ROOT, VOLUME_STATUSES, VOLUME_TYPES
from simclone.records import VmSnapshot
from simclone.units import wire_date


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value is not None}


def _uuid(uuids: list[Any], row: int | None) -> str | None:
    if row is None or row == NONE:
        return None
    result: str = getattr(uuids[row], "uuid", uuids[row])
    return result


def render_vm(cloud: Cloud, snap: VmSnapshot) -> dict[str, Any]:
    """The inventory of a VM as it stood when the snapshot was taken."""
    vm, vms = snap.vm, cloud.vms
    zone = vms.zone[vm] if snap.cluster == NONE else cloud.clusters[snap.cluster].zone
    root = next((row for row, _, _ in snap.volumes if cloud.volumes.type[row] == ROOT), NONE)
    positions = (("host", snap.host), ("lastHost", snap.last_host), ("rootVolume", root))
    values = tuple([name for name, row in positions if row != NONE])
    uuid = cloud.vm_uuid(vm)
    shown = dict(_frame(cloud, vms.shape[vm], zone, snap.cluster, values))
    shown["uuid"], shown["name"] = uuid, vms.names[vm]
    if snap.host != NONE:
        shown["hostUuid"] = cloud.fleet.uuids[snap.host]
    if snap.last_host != NONE:
        shown["lastHostUuid"] = cloud.fleet.uuids[snap.last_host]
    if root != NONE:
        shown["rootVolumeUuid"] = cloud.volume_uuid(root)
    shown["memorySize"], shown["cpuNum"], shown["state"] = snap.memory, snap.cpu, snap.state
    shown["createDate"] = wire_date(cloud.start, snap.born_us)
    shown["lastOpDate"] = wire_date(cloud.start, snap.changed_us)
    shown["vmNics"] = [render_nic(cloud, snap, number, uuid) for number in range(len(snap.nics))]
    shown["allVolumes"] = [render_volume(cloud, snap, position, uuid) for position in range(len(snap.volumes))]
    return shown


def _frame(cloud: Cloud, shape_row: int, zone: int, cluster: int, given: tuple[str, ...]) -> dict[str, Any]:
    """What inventories of one shape in one cluster share, every member in its place; to be copied and filled."""
    known, key = cloud.remembered(), ("inventory", shape_row, zone, cluster, given)
    result: dict[str, Any] | None = known.get(key)
    if result is None:
        result = known[key] = _given(_members(cloud, cloud.vms.shapes[shape_row], zone, cluster, given))
    return result


def _members(cloud: Cloud, shape: Shape, zone: int, cluster: int, given: tuple[str, ...]) -> dict[str, Any]:
    """All members in the product's order; those of the single VM hold a place only."""
    hypervisor = None if cluster == NONE else cloud.clusters[cluster].hypervisor_type
    return {
        "uuid": "",
        "name": "",
        "description": shape.description,
        "zoneUuid": _uuid(cloud.zones, zone),
        "clusterUuid": _uuid(cloud.clusters, cluster),
        "imageUuid": _uuid(cloud.images, shape.image),
        "hostUuid": "" if "host" in given else None,
        "lastHostUuid": "" if "lastHost" in given else None,
        "instanceOfferingUuid": _uuid(cloud.offerings, shape.offering),
        "rootVolumeUuid": "" if "rootVolume" in given else None,
        "platform": shape.platform,
        "architecture": shape.architecture,
        "defaultL3NetworkUuid": _uuid(cloud.l3s, shape.l3s[0]) if shape.l3s else None,
        "type": shape.vm_type,
        "hypervisorType": shape.hypervisor_type or hypervisor,
        "memorySize": 0,
        "cpuNum": 0,
        "cpuSpeed": shape.cpu_speed,
        "allocatorStrategy": shape.strategy,
        "createDate": "",
        "lastOpDate": "",
        "state": "",
        "vmNics": (),
        "allVolumes": (),
    }


def render_nic(cloud: Cloud, snap: VmSnapshot, place: int, vm_uuid: str) -> dict[str, Any]:
    """A VmNicInventory."""
    nic, ip, table = snap.nics[place], snap.ips[place], cloud.nics
    l3, device = table.l3[nic], table.device[nic]
    ranges = [range_ for range_ in cloud.pools[l3].ranges if range_.start <= ip <= range_.end]
    date = wire_date(cloud.start, table.born_us[nic])
    shown: dict[str, Any] = {
        "uuid": cloud.born("nic", nic),
        "vmInstanceUuid": vm_uuid,
        "l3NetworkUuid": cloud.l3s[l3].uuid,
    }
    if ip != NONE:
        shown["ip"] = ip_address(ip)
    shown["mac"] = mac_address(table.mac[nic], device)
    if ranges:
        shown["netmask"] = ranges[0].netmask
        if ranges[0].gateway:
            shown["gateway"] = ranges[0].gateway
    shown["deviceId"] = device
    shown["createDate"] = shown["lastOpDate"] = date
    return shown


def ip_address(number: int) -> str:
    """An IPv4 address in its usual form.

    >>> ip_address(0x0A000102)
    '10.0.1.2'
    """
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def mac_address(bits: int, device: int) -> str:
    """``fa:``, four drawn octets, the device number (rules/networks.md#mac).

    >>> mac_address(0x01020304, 0)
    'fa:01:02:03:04:00'
    """
    return f"fa:{bits.to_bytes(4, 'big').hex(':')}:{device & 0xFF:02x}"


def render_volume(cloud: Cloud, snap: VmSnapshot, place: int, vm_uuid: str) -> dict[str, Any]:
    """A VolumeInventory."""
    row, storage, _ = snap.volumes[place]
    table, uuid = cloud.volumes, cloud.volume_uuid(row)
    kind, offering, image = VOLUME_TYPES[table.type[row]], table.offering[row], table.image[row]
    date = wire_date(cloud.start, table.born_us[row])
    shown: dict[str, Any] = {
        "uuid": uuid,
        "name": f"{kind}-Volume-For-VM-{vm_uuid}" if kind == "Root" else cloud.volumes.names[row],
    }
    if storage != NONE:
        shown["primaryStorageUuid"] = cloud.storages[storage].uuid
    shown["vmInstanceUuid"] = vm_uuid
    if offering != NONE:
        shown["diskOfferingUuid"] = cloud.disk_offerings[offering].uuid
    if image != NONE:
        shown["rootImageUuid"] = cloud.images[image].uuid
    if storage != NONE:
        shown["installPath"] = install_path(cloud, row, storage)
    shown["type"] = kind
    shown["format"] = cloud.storages[storage].kind.volume_format if storage != NONE else "qcow2"
    shown["size"], shown["actualSize"], shown["deviceId"] = table.size[row], table.actual_size[row], place
    shown["state"], shown["status"] = "Enabled", VOLUME_STATUSES[table.status[row]]
    shown["createDate"] = shown["lastOpDate"] = date
    shown["isShareable"] = False
    return shown


def install_path(cloud: Cloud, volume: int, storage: int) -> str:
    """Where the volume's file or image lies, in the form of the API page's sample."""
    uuid, item = cloud.volume_uuid(volume), cloud.storages[storage]
    if item.kind.pooled:
        return f"ceph://{item.name}/{uuid}"
    account = cloud.volumes.account[volume]
    owner = "36c27e8ff05c4780bf6d2fa65700f22e" if account == NONE else cloud.accounts[account].uuid
    folder = "rootVolumes" if cloud.volumes.type[volume] == ROOT else "dataVolumes"
    return f"/{item.name}_ps/{folder}/acct-{owner}/vol-{uuid}/{uuid}.qcow2"
