"""How long the steps of a workflow take (rules/timing.md#anchors, rules/timing.md#copies)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from simclone.chance import Chance, Identity
from simclone.scenario.document.incidents import Step, StepTimeDoc, law_of
from simclone.scenario.load import Scenario
from simclone.units import MIB, SECOND, java_round
from simclone.workload.distributions import Distribution

UNIT = float(1 << 64)


@dataclass(frozen=True, slots=True)
class Dirty:
    """Memory that is written while it is copied, in bytes per second, and when the copying of rounds stops."""

    bytes_per_s: int
    max_rounds: int = 30
    downtime_s: float = 0.3


def precopy_seconds(size: int, bytes_per_s: int, dirty: Dirty) -> float:
    """The time of an iterative pre-copy of *size* bytes.

    Each round copies what was written during the one before. When what is left takes at most the downtime, or the
    rounds are used up, the VM is halted and the rest copied (Clark et al., Live Migration of Virtual Machines,
    NSDI 2005).

    >>> precopy_seconds(1000, 100, Dirty(50, downtime_s=1.25))
    18.75
    """
    total, remaining = 0.0, float(size)
    for _ in range(dirty.max_rounds):
        if remaining / bytes_per_s <= dirty.downtime_s:
            break
        taken = remaining / bytes_per_s
        total += taken
        remaining = min(float(size), dirty.bytes_per_s * taken)
    return total + remaining / bytes_per_s


@dataclass(frozen=True, slots=True)
class StepTime:
    """A drawn duration in seconds, plus bytes over *bytes_per_s* where the step moves any, again where *dirty*."""

    base: Distribution | None = None
    bytes_per_s: int = 0
    dirty: Dirty | None = None

    def microseconds(self, size: int, uniform: float) -> int:
        """The duration of a step that moves *size* bytes, by inverse transform of *uniform* in (0, 1)."""
        seconds = 0.0 if self.base is None else float(self.base.quantile(np.array([uniform]))[0])
        moved = size / self.bytes_per_s if self.bytes_per_s else 0.0
        if self.dirty is not None:
            moved = precopy_seconds(size, self.bytes_per_s, self.dirty)
        return max(java_round((seconds + moved) * SECOND), 0)


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations by step name; a step that is not named takes none."""

    steps: Mapping[str, StepTime] = field(default_factory=dict)

    def duration(self, step: str, size: int, chance: Chance, who: Identity) -> int:
        """Microseconds of one step. The draw is keyed by who does it and which step it is."""
        result = self.steps.get(step)
        if result is None:
            return 0
        uniform = (chance.key(who, f"timing/{step}") + 0.5) / UNIT
        return result.microseconds(size, uniform)


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
        written = doc.dirty_bytes_per_second
        dirty = None if written is None else Dirty(written, doc.max_rounds, doc.downtime)
        return StepTime(law_of(doc.seconds, folder), doc.bytes_per_second or 0, dirty)
    return StepTime(law_of(doc, folder))
