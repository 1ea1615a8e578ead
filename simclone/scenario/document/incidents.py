"""Incidents as a file writes them: at a time, or again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from simclone.scenario.document.base import Count, Doc, Name, Positive, PositiveSize, Scalar, Size
from simclone.scenario.document.distributions import DistributionDoc, Law, plain
from simclone.scenario.document.requests import Seconds
from simclone.workload.distributions import Distribution
from simclone.workload.failure_presets import FAILURE_PRESETS

STEPS = (
    "dryRun",
    "syncVolumeSize",
    "takeSnapshot",
    "commitImage",
    "createVm",
    "allocateHost",
    "allocateAddress",
    "cacheImage",
    "startOnHypervisor",
    "createDataVolume",
    "deleteTemporaryImages",
    "flatten",
    "migrate",
    "stop",
    "reboot",
    "pause",
    "destroy",
    "expunge",
    "recover",
    "detectFailure",
)
"""The steps a timing block may name."""

HostEvent = Literal["fail", "repair", "disable", "enable", "maintain"]
StorageEvent = Literal["fail", "repair", "disable", "enable", "fill"]


class NewHostsDoc(Doc):
    """Hosts that join a cluster: *count* of them, with *localStorage* bytes for each local storage attached."""

    name: Name
    cluster: Name
    cpu_num: Positive
    total_physical_memory: PositiveSize
    count: Count = 1
    local_storage: Size | None = None


class IncidentDoc(Doc):
    """Something that happens *at* a time, or at random *every* so many seconds to each of its targets.

    *repairAfter* undoes a failure (a number or a distribution); a *preset* gives both laws of a failure as published,
    and those given beside it go first. Targets fail each by itself, or all *together*. *fill* leaves
    *availablePhysicalCapacity* bytes. With *wave*, so many hosts at once go into maintenance, and the next ones when
    these are back.
    """

    name: Name | None = None
    at: Seconds | None = None
    every: Law | None = None
    host: Name | None = None
    hosts: Literal["all"] | None = None
    cluster: Name | None = None
    zone: Name | None = None
    label: Annotated[dict[Name, Name], Field(min_length=1, max_length=1)] | None = None
    primary_storage: Name | None = None
    event: HostEvent | StorageEvent | None = None
    repair_after: Law | None = None
    preset: Name | None = None
    wave: Count | None = None
    together: bool = False
    available_physical_capacity: Size | None = None
    global_config: dict[Name, Scalar] | None = None
    add_hosts: NewHostsDoc | None = None

    def gap_law(self) -> Law | None:
        """The time from one event to the next: as given, else the preset's."""
        return self.every if self.every is not None or self.preset is None else _preset(self.preset)[0]

    def repair_law(self) -> Law | None:
        """The time until it is undone: as given, else the preset's."""
        return self.repair_after if self.repair_after is not None or self.preset is None else _preset(self.preset)[1]

    def targets(self) -> list[str]:
        """The keys that say what it happens to."""
        keys = ("host", "hosts", "cluster", "zone", "label", "primary_storage", "global_config", "add_hosts")
        return [key for key in keys if getattr(self, key) is not None]


def _preset(name: str) -> tuple[DistributionDoc, DistributionDoc]:
    result = FAILURE_PRESETS[name]
    return DistributionDoc.model_validate(result.every), DistributionDoc.model_validate(result.repair_after)


class FaultDoc(Doc):
    """A fault injected into a step, with a probability, at most *count* times; *code* is the error it answers."""

    step: Name
    name: Name | None = None
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    count: Count | None = None
    code: Name = "SYS.1006"


class StepTimeDoc(Doc):
    """How long a step takes: seconds, and bytes per second where it moves any.

    A migration with *dirtyBytesPerSecond* copies memory in rounds, as many as *maxRounds*, until what is left takes at
    most *downtime* seconds.
    """

    seconds: Law = 0.0
    bytes_per_second: PositiveSize | None = None
    dirty_bytes_per_second: PositiveSize | None = None
    max_rounds: Count = 30
    downtime: Seconds = 0.3


Step = StepTimeDoc | Law


def law_of(law: float | DistributionDoc, folder: Path) -> Distribution:
    """The distribution a document describes; data files are looked for in *folder*."""
    return Distribution.of(plain(law)).within(folder)
