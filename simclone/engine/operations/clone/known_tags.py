"""The first words of known system tags: the platform's (rules/system-tags.md#known) and those that flows declare."""

from __future__ import annotations

from functools import cache

from simclone.allocator.host.strategies import declared_tags, package_tags

PLATFORM_TAGS = frozenset(
    {
        "autoScalingGroupUuid",
        "bootMode",
        "bootOrder",
        "capability",
        "cdroms",
        "cdromUuid",
        "ceph",
        "cleanTraffic",
        "consolePassword",
        "cpuCores",
        "cpuSockets",
        "cpuThreads",
        "createWithoutCdRom",
        "customMac",
        "customNicUuid",
        "deleteWithInstance",
        "directoryUuid",
        "driver",
        "ephemeral",
        "GuestTools",
        "ha",
        "hostname",
        "inhibitHA",
        "ioThreadPin",
        "ipv4Gateway",
        "ipv4Netmask",
        "ipv6Gateway",
        "ipv6Prefix",
        "iso",
        "kvm",
        "l3",
        "localStorage",
        "mdevDeviceSpec",
        "networkInboundBandwidth",
        "networkOutboundBandwidth",
        "nicMultiQueueNum",
        "notSupportActualSize",
        "overwriteBy",
        "packer",
        "pciDevice",
        "primaryStorage",
        "primaryStorageUuidForDataVolume",
        "primaryStorageVolumeProvisioningStrategy",
        "qxlMemory",
        "RDPEnable",
        "reservedCpu",
        "reservedMemory",
        "resourceConfig",
        "rootPassword",
        "securityElementEnable",
        "securityLevel",
        "soundType",
        "sshkey",
        "staticIp",
        "thinProvisioningInitializeSize",
        "usbRedirect",
        "userdata",
        "VDIMonitorNumber",
        "vmConsoleMode",
        "vmCpuPinning",
        "vmEmulatorPinning",
        "vmMachineType",
        "vmNumaEnable",
        "vmPriority",
        "vmSchedulingRuleGroupUuid",
        "volumeMaxIncrementalSnapshotNum",
        "volumeProvisioningStrategy",
        "volumeTotalBandwidth",
        "volumeTotalIOPS",
        "volumeTotalIops",
        "vRingBufferSize",
    }
)


@cache
def known_tags() -> frozenset[str]:
    """The tags of the platform and of all flows, those of other packages included."""
    return PLATFORM_TAGS | declared_tags() | package_tags()
