"""The extensions run inside ZStack's FilterFlow, each a flow of its own here: architecture and local storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simclone.allocator.host.flow import Candidates, FilterFlow, FlowFacts, Pass, Test, refusal
from simclone.allocator.host.request import NEW_CREATE, START, HostRequest
from simclone.allocator.lookups import Lookup, Sparse
from simclone.allocator.rules.storage_capacity import ShareThreshold, share_threshold, shares_that_fit
from simclone.model.cloud import Cloud
from simclone.model.columns import BoolArray
from simclone.records import ErrorCode
from simclone.vocabulary import HOST_ARCHITECTURE, STORAGE_LOCAL, STORAGE_LOCAL_HOST


@dataclass(frozen=True, slots=True)
class ArchitectureFacts:
    """*code* of the wanted CPU architecture."""

    code: int


class ArchitectureFlow(FilterFlow):
    """Hosts of the architecture of the request or its image."""

    name: ClassVar[str] = "FilterFlow/Architecture"
    tests: ClassVar[tuple[Test, ...]] = (Test(HOST_ARCHITECTURE, lambda host, facts: host.architecture == facts.code),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The wanted architecture's code."""
        image = None if request.image is None else cloud.images[request.image]
        architecture = request.architecture or (image.architecture if image else None)
        return Pass() if architecture is None else ArchitectureFacts(cloud.code("architecture", architecture))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Names it."""
        return refusal(HOST_ARCHITECTURE, f"no host is of architecture {cloud.decode('architecture', facts.code)}")


@dataclass(frozen=True, slots=True)
class LocalFacts:
    """*fits*: per host whether local storage allows it.

    Where a new VM goes, *checked* are hosts whose shares matter, and *thresholds* what those must have by storage.
    """

    fits: Lookup | Sparse
    checked: BoolArray | None = None
    thresholds: tuple[tuple[int, ShareThreshold], ...] = ()


class LocalStorageFlow(FilterFlow):
    """New VMs: local shares large enough, where only local storage is attached or one is demanded.

    A VM with a volume on local storage starts only on the host that holds it.
    """

    name: ClassVar[str] = "FilterFlow/LocalStorage"
    tests: ClassVar[tuple[Test, ...]] = (Test(STORAGE_LOCAL, lambda host, facts: facts.fits[host.index] == 1),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Per host whether it may take the VM."""
        if request.operation == START:
            if not request.volume_hosts:
                return Pass()
            return LocalFacts(Sparse(dict.fromkeys(sorted(request.volume_hosts), 1), cloud.fleet.row_count))
        local = [row for row, storage in enumerate(cloud.storages) if storage.per_host]
        if request.operation != NEW_CREATE or not local:
            return Pass()
        return self._shares(request, cloud, local)

    def _shares(self, request: HostRequest, cloud: Cloud, local: list[int]) -> LocalFacts:
        demanded = bool(request.required_storages & set(local)) and not request.dry_run
        only = [
            demanded or ({cloud.storages[row].per_host for row in cloud.storages_of(cluster)} == {True})
            for cluster in range(len(cloud.clusters))
        ]
        checked = np.asarray(only, dtype=np.bool_)[cloud.fleet.array(cloud.fleet.cluster)]
        has = np.zeros(cloud.fleet.row_count, dtype=np.bool_)
        fits, thresholds = has.copy(), []
        for row in local:
            if request.required_storages and row not in request.required_storages:
                continue
            threshold = share_threshold(cloud, row, request.disk_size)
            thresholds.append((row, threshold))
            has |= threshold.present
            fits |= shares_that_fit(cloud, row, threshold)
        return LocalFacts(Lookup(~checked | ~has | fits), checked & has, tuple(thresholds))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Says where the VM could have started, or how much disk was asked."""
        if request.operation == START:
            names = ", ".join(cloud.fleet.uuids[host] for host in sorted(request.volume_hosts))
            return refusal(STORAGE_LOCAL_HOST, f"the VM can start only on host [{names}], which is not available")
        return _no_share(request)


def _no_share(request: HostRequest) -> ErrorCode:
    return refusal(STORAGE_LOCAL, f"no host has local storage for {request.disk_size} bytes of disk")
