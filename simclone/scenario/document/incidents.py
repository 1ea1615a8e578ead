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
    """The name; for several a pattern that holds `{n}`."""
    cluster: Name
    """The cluster they join."""
    cpu_num: Positive
    """Physical cores of each."""
    total_physical_memory: PositiveSize
    """Bytes of memory of each."""
    count: Count = 1
    """So many hosts."""
    local_storage: Size | None = None
    """Bytes that each brings to every local storage of the cluster."""


class IncidentDoc(Doc):
    """Something that happens *at* a time, or at random *every* so many seconds to each of its targets.

    *repairAfter* undoes a failure (a number or a distribution); a *preset* gives both laws of a failure as published,
    and those given beside it go first. Targets fail each by itself, or all *together*. *fill* leaves
    *availablePhysicalCapacity* bytes. With *wave*, so many hosts at once go into maintenance, and the next ones when
    these are back.
    """

    name: Name | None = None
    """The name under which statistics and events tell of it."""
    at: Seconds | None = None
    """When it happens, seconds after t = 0."""
    every: Law | None = None
    """The time from one event to the next, for each target: seconds or a law."""
    host: Name | None = None
    """The host it happens to."""
    hosts: Literal["all"] | None = None
    """`all`: every host is a target."""
    cluster: Name | None = None
    """The hosts of this cluster are targets."""
    zone: Name | None = None
    """The hosts of this zone are targets."""
    label: Annotated[dict[Name, Name], Field(min_length=1, max_length=1)] | None = None
    """The hosts with this label and value are targets."""
    primary_storage: Name | None = None
    """The primary storage it happens to."""
    event: HostEvent | StorageEvent | None = None
    """What happens to the target."""
    repair_after: Law | None = None
    """The time until it is undone: seconds or a law."""
    preset: Name | None = None
    """Published laws of failure and repair by name."""
    wave: Count | None = None
    """Maintenance of all targets, so many at once, the next ones when these are back."""
    together: bool = False
    """All targets fail at once instead of each by itself."""
    available_physical_capacity: Size | None = None
    """Event fill: bytes of the medium that stay free."""
    global_config: dict[Name, Scalar] | None = None
    """Settings that take these values."""
    add_hosts: NewHostsDoc | None = None
    """Hosts that join."""

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
    """The step it strikes."""
    name: Name | None = None
    """The name under which it is told of."""
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    """How likely it strikes each time."""
    count: Count | None = None
    """It strikes at most so often."""
    code: Name = "SYS.1006"
    """The error code it answers."""


class StepTimeDoc(Doc):
    """How long a step takes: seconds, and bytes per second where it moves any.

    A migration with *dirtyBytesPerSecond* copies memory in rounds, as many as *maxRounds*, until what is left takes at
    most *downtime* seconds.
    """

    seconds: Law = 0.0
    """How long the step takes: seconds or a law."""
    bytes_per_second: PositiveSize | None = None
    """The speed of whatever it moves."""
    dirty_bytes_per_second: PositiveSize | None = None
    """Live migration: how fast the VM writes memory meanwhile."""
    max_rounds: Count = 30
    """Live migration: rounds of copying at most."""
    downtime: Seconds = 0.3
    """Live migration: what may be left to copy while the VM stands still, in seconds."""


Step = StepTimeDoc | Law


def law_of(law: float | DistributionDoc, folder: Path) -> Distribution:
    """The distribution a document describes; data files are looked for in *folder*."""
    return Distribution.of(plain(law)).within(folder)
