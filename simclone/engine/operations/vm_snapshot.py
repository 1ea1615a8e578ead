"""What of a VM changes with time, taken at one moment."""

from __future__ import annotations

from simclone.model.cloud import Cloud
from simclone.records import VmSnapshot


def snapshot(cloud: Cloud, vm: int) -> VmSnapshot:
    """The VM as it stands."""
    vms, volumes = cloud.vms, cloud.volumes
    table, ips, storage, home = vms, cloud.nics.ip, volumes.storage, volumes.host
    cards = tuple(vms.nics[vm])
    return VmSnapshot(
        vm=vm,
        state=vms.state_name(vm),
        host=table.host[vm],
        last_host=table.last_host[vm],
        cluster=table.cluster[vm],
        cpu=table.cpu[vm],
        memory=table.memory[vm],
        nics=cards,
        ips=tuple([ips[nic] for nic in cards]),
        volumes=tuple([(volume, storage[volume], home[volume]) for volume in vms.volumes[vm]]),
        born_us=table.born_us[vm],
        changed_us=table.changed_us[vm],
    )
