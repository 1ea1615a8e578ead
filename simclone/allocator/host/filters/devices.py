"""PCI devices: hosts with enough free devices of every specification a VM asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simclone.allocator.host.flow import Candidates, FilterFlow, FlowFacts, Pass, Test, refusal
from simclone.allocator.host.request import HostRequest
from simclone.allocator.lookups import Lookup
from simclone.model.cloud import Cloud
from simclone.records import ErrorCode
from simclone.vocabulary import HOST_DEVICES


@dataclass(frozen=True, slots=True)
class Facts:
    """*short*: per host how many devices are missing over all specifications."""

    short: Lookup


class PciDeviceFlow(FilterFlow):
    """Tags ``pciDeviceSpec::<spec>::<n>`` ask for n whole devices each."""

    name: ClassVar[str] = "FilterFlow/PciDevice"
    tags: ClassVar[frozenset[str]] = frozenset({"pciDeviceSpec"})
    tests: ClassVar[tuple[Test, ...]] = (Test(HOST_DEVICES, lambda host, facts: facts.short[host.index] == 0),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The shortage of each host, or `Pass` when no device is asked for."""
        asks = request.tags.devices
        if not asks or request.operation == "UpdateVm":
            return Pass()
        short = np.zeros(cloud.fleet.row_count, dtype=np.int64)
        for spec, count in asks:
            short += np.maximum(count - cloud.fleet.free_devices(spec), 0)
        return Facts(Lookup(short))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Lists what was asked."""
        names = ", ".join(f"{count} of {spec}" for spec, count in request.tags.devices)
        return refusal(HOST_DEVICES, f"no host has free PCI devices: {names}")
