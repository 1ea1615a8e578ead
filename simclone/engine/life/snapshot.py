"""What of a VM changes with time, taken at one moment."""

from __future__ import annotations

from simclone.model.cloud import Cloud
from simclone.records import VmSnapshot


def snapshot(cloud: Cloud, vm: int) -> VmSnapshot:
    """The VM as it stands."""
    cells, nics, volumes = cloud.vms.cells, cloud.nics, cloud.volumes
    cards = tuple(cloud.vms.nics[vm])
    return VmSnapshot(
        vm=vm,
        state=cloud.vms.state_name(vm),
        host=cells("host")[vm],
        last_host=cells("last_host")[vm],
        cluster=cells("cluster")[vm],
        cpu=cells("cpu")[vm],
        memory=cells("memory")[vm],
        nics=cards,
        ips=tuple(nics.get("ip", nic) for nic in cards),
        volumes=tuple((v, volumes.get("storage", v), volumes.get("host", v)) for v in cloud.vms.volumes[vm]),
        born_us=cells("born_us")[vm],
        changed_us=cells("changed_us")[vm],
    )
