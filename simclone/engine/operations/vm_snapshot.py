"""What of a VM changes with time, taken at one moment."""

from __future__ import annotations

from simclone.model.cloud import Cloud
from simclone.records import VmSnapshot


def snapshot(cloud: Cloud, vm: int) -> VmSnapshot:
    """The VM as it stands."""
    vms, volumes = cloud.vms, cloud.volumes
    cells, ips, storage, home = vms.cells, cloud.nics.cells("ip"), volumes.cells("storage"), volumes.cells("host")
    cards = tuple(vms.nics[vm])
    return VmSnapshot(
        vm=vm,
        state=vms.state_name(vm),
        host=cells("host")[vm],
        last_host=cells("last_host")[vm],
        cluster=cells("cluster")[vm],
        cpu=cells("cpu")[vm],
        memory=cells("memory")[vm],
        nics=cards,
        ips=tuple([ips[nic] for nic in cards]),
        volumes=tuple([(volume, storage[volume], home[volume]) for volume in vms.volumes[vm]]),
        born_us=cells("born_us")[vm],
        changed_us=cells("changed_us")[vm],
    )
