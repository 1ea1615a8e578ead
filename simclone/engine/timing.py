"""How long the steps of a workflow take (clone-storage-affinity.md 8.2, 3.12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from simclone.chance import Chance, Identity
from simclone.scenario.incident_docs import Step, StepTimeDoc, law_of
from simclone.scenario.load import Scenario
from simclone.units import MIB, SECOND, java_round
from simclone.workload.distributions import Distribution

UNIT = float(1 << 64)


@dataclass(frozen=True, slots=True)
class StepTime:
    """A drawn duration in seconds, plus bytes over *bytes_per_s* where the step moves any."""

    base: Distribution | None = None
    bytes_per_s: int = 0

    def microseconds(self, size: int, uniform: float) -> int:
        """The duration of a step that moves *size* bytes, by inverse transform of *uniform* in (0, 1)."""
        seconds = 0.0 if self.base is None else float(self.base.quantile(np.array([uniform]))[0])
        moved = size / self.bytes_per_s if self.bytes_per_s else 0.0
        return max(java_round((seconds + moved) * SECOND), 0)


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations by step name; a step that is not named takes none."""

    steps: Mapping[str, StepTime] = field(default_factory=dict)

    def duration(self, step: str, size: int, chance: Chance, who: Identity) -> int:
        """Microseconds of one step. The draw is keyed by who does it and which step it is."""
        found = self.steps.get(step)
        if found is None:
            return 0
        uniform = (chance.key(who, f"timing/{step}") + 0.5) / UNIT
        return found.microseconds(size, uniform)


def constant(seconds: float, bytes_per_s: int = 0) -> StepTime:
    """A fixed duration."""
    return StepTime(Distribution.of(seconds), bytes_per_s)


INSTANT = Timing()

ZSTACK = Timing(
    {
        # one at a time on a management node: the slope of the published creation times
        "allocateHost": constant(0.1027),
        "dryRun": constant(0.1027),
        # what a single creation takes beside it
        "startOnHypervisor": constant(0.41),
        "takeSnapshot": constant(1.0),
        "commitImage": constant(0.5, 400 * MIB),
        "cacheImage": constant(0.0, 400 * MIB),
        "createDataVolume": constant(0.5, 400 * MIB),
        "flatten": constant(0.0, 200 * MIB),
        "migrate": constant(2.0, 800 * MIB),
        "stop": constant(5.0),
        "reboot": constant(8.0),
    }
)
"""One parameter set: creation times as published (1.55, 11.33, 103 s for 10, 100, 1000 VMs), bytes over usual links."""


def timing_of(scenario: Scenario) -> Timing:
    """The durations of a scenario: none, the published set, or the file's own over no others."""
    kind, folder = scenario.run.timing, Path(scenario.path).parent
    if kind == "instant":
        return INSTANT
    own = {name: _step(doc, folder) for name, doc in scenario.doc.timing.items()}
    return Timing({**ZSTACK.steps, **own} if kind == "zstack" else own)


def _step(doc: Step, folder: Path) -> StepTime:
    if isinstance(doc, StepTimeDoc):
        return StepTime(law_of(doc.seconds, folder), doc.bytes_per_second or 0)
    return StepTime(law_of(doc, folder))
