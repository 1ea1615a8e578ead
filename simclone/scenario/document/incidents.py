"""Incidents as a file writes them: at a time, or again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SerializationInfo, SerializerFunctionWrapHandler, model_serializer

from simclone.errors import InvariantViolation
from simclone.scenario.document.base import Count, Doc, Name, PositiveSize
from simclone.scenario.document.distributions import DistributionDoc, Law, plain
from simclone.scenario.document.kinds import TARGET_KEYS, Change
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


class IncidentHead(Doc):
    """When something happens, and to what: *at* a time, or at random *every* so many seconds to each of its targets.

    *repairAfter* undoes it (a number or a distribution); a *preset* gives both laws of a failure as published, and
    those given beside it go first. Targets are struck each by itself, or all *together*. With *wave*, so many hosts
    at once go into maintenance, and the next ones when these are back.
    """

    name: Name | None = None
    """The incident's name, which keys its random draws."""
    at: Seconds | None = None
    """The time in seconds from the start."""
    every: Law | None = None
    """The law of the seconds from one event to the next."""
    host: Name | None = None
    """The host it happens to."""
    hosts: Literal["all"] | None = None
    """`all`: it happens to every host."""
    cluster: Name | None = None
    """The cluster to whose hosts it happens."""
    zone: Name | None = None
    """The zone to whose hosts it happens."""
    label: Annotated[dict[Name, Name], Field(min_length=1, max_length=1)] | None = None
    """The label of the hosts it happens to."""
    primary_storage: Name | None = None
    """The primary storage it happens to."""
    event: str | None = None
    """What happens."""
    repair_after: Law | None = None
    """The law of the seconds until it is undone."""
    preset: Name | None = None
    """The name of published laws of failure and repair."""
    wave: Count | None = None
    """How many hosts go into maintenance at once."""
    together: bool = False
    """Whether all targets are struck at the same moments."""

    def gap_law(self) -> Law | None:
        """The time from one event to the next: as given, else the preset's."""
        return self.every if self.every is not None or self.preset is None else _preset(self.preset)[0]

    def repair_law(self) -> Law | None:
        """The time until it is undone: as given, else the preset's."""
        return self.repair_after if self.repair_after is not None or self.preset is None else _preset(self.preset)[1]

    def target_keys(self) -> list[str]:
        """The keys that say what it happens to."""
        return [key for key in TARGET_KEYS if getattr(self, key) is not None]


class IncidentDoc(IncidentHead):
    """An incident: the *change* it makes, when, and to what."""

    change: Any = Field(default=None, exclude=True)

    @property
    def made(self) -> Change:
        """The change; raises InvariantViolation for an incident that the checks of the file refused."""
        if self.change is None:
            raise InvariantViolation("an incident without its change passed the checks")
        change: Change = self.change
        return change

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        written = self.made.written(mode=info.mode)
        return {**handler(self), **(written if self.target_keys() else {self.made.key: written})}


def _preset(name: str) -> tuple[DistributionDoc, DistributionDoc]:
    preset = FAILURE_PRESETS[name]
    return DistributionDoc.model_validate(preset.every), DistributionDoc.model_validate(preset.repair_after)


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
