"""Incidents name what exists and say when and what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from simclone.scenario.checking.names import Directory
from simclone.scenario.checking.workload import check_duration
from simclone.scenario.document.incidents import STEPS, FaultDoc, IncidentDoc, Step, StepTimeDoc
from simclone.scenario.document.kinds import Change
from simclone.scenario.document.scenario import ScenarioDoc
from simclone.scenario.findings import nearest
from simclone.workload.failure_presets import FAILURE_PRESETS

_TARGETS = (("host", "host"), ("cluster", "cluster"), ("zone", "zone"), ("primary_storage", "primaryStorage"))


def check_horizon(names: Directory, doc: ScenarioDoc) -> None:
    """Streams that draw arrivals and incidents that repeat need an end; a trace ends by itself."""
    if doc.run.horizon is not None:
        return
    if any(item.trace is None for item in doc.workload):
        names.findings.add(("workload",), "never ends", "run.horizon: seconds")
    for row, incident in enumerate(doc.incidents):
        if incident.at is None and (incident.every is not None or incident.preset is not None):
            names.findings.add(("incidents", row, "every"), "never ends", "run.horizon: seconds")


def check_timing(names: Directory, steps: Mapping[str, Step], kind: str, folder: Path | None) -> None:
    """A timing block names steps that exist, gives them durations, and is looked at at all."""
    for step, law in steps.items():
        if step not in STEPS:
            names.findings.add(("timing", step), f"unknown step {step!r}", nearest(step, STEPS))
        inner = law.seconds if isinstance(law, StepTimeDoc) else law
        path = ("timing", step, "seconds") if isinstance(law, StepTimeDoc) else ("timing", step)
        if isinstance(law, StepTimeDoc) and law.dirty_bytes_per_second is not None:
            if step != "migrate":
                names.findings.add(("timing", step, "dirtyBytesPerSecond"), "has no meaning here", "in step migrate")
            if law.bytes_per_second is None:
                names.findings.add(("timing", step, "bytesPerSecond"), "is missing", "bytes per second")
        check_duration(names, inner, path, folder, above_zero=False)
    if kind == "instant" and steps:
        names.findings.add(("timing",), "is not looked at", "run.timing: model or zstack")


FAULTY = (
    "allocateHost",
    "allocateAddress",
    "cacheImage",
    "startOnHypervisor",
    "takeSnapshot",
    "commitImage",
    "createDataVolume",
)
"""The steps a fault can strike."""


def check_faults(names: Directory, docs: Sequence[FaultDoc]) -> None:
    """Faults name steps that can be struck."""
    for row, doc in enumerate(docs):
        if doc.step not in FAULTY:
            names.findings.add(("faults", row, "step"), f"{doc.step!r} cannot be struck", nearest(doc.step, FAULTY))


def check_incidents(names: Directory, docs: Sequence[IncidentDoc], folder: Path | None) -> None:
    """A time or a law each, targets that exist, and what the kind of its change demands."""
    positions = names.stood("incidents", len(docs))
    by_kind: dict[type[Change], list[tuple[tuple[str | int, ...], Change]]] = {}
    for row, doc in zip(positions, docs, strict=True):
        path = ("incidents", row)
        if doc.change is None and len(doc.target_keys()) != 1:
            continue
        if doc.preset is not None and not _check_preset(names, doc, path):
            continue
        if (doc.at is None) == (doc.gap_law() is None):
            names.findings.add(path, "needs a time", "one of at, every and preset")
        _check_wave(names, doc, path)
        _check_target(names, doc, path)
        check_duration(names, doc.every, (*path, "every"), folder, above_zero=True)
        check_duration(names, doc.repair_after, (*path, "repairAfter"), folder, above_zero=False)
        if doc.change is not None:
            by_kind.setdefault(type(doc.made), []).append((path, doc.made))
    for kind, incidents in by_kind.items():
        kind.check_incidents(names, incidents)


def _check_preset(names: Directory, doc: IncidentDoc, path: tuple[str | int, ...]) -> bool:
    """True when there is such a preset; it is about failures."""
    if doc.preset not in FAILURE_PRESETS:
        names.findings.add(
            (*path, "preset"), f"unknown preset {doc.preset!r}", nearest(str(doc.preset), FAILURE_PRESETS)
        )
        return False
    if doc.change is None or not doc.made.has_presets:
        names.findings.add((*path, "preset"), f"goes with failures, not with event {doc.event}", "event: fail")
    return True


def _check_wave(names: Directory, doc: IncidentDoc, path: tuple[str | int, ...]) -> None:
    if doc.wave is None:
        return
    if doc.change is None or not doc.made.in_waves or doc.at is None:
        names.findings.add((*path, "wave"), "has no meaning here", "event: maintain and at")
    if doc.repair_after is None:
        names.findings.add(
            (*path, "repairAfter"), "is missing: the next wave waits for the hosts to be back", "seconds"
        )


def _check_target(names: Directory, doc: IncidentDoc, path: tuple[str | int, ...]) -> None:
    for key, kind in _TARGETS:
        if getattr(doc, key) is not None:
            names.find(kind, getattr(doc, key), (*path, kind))
    if not doc.target_keys() and doc.event is not None:
        names.findings.add((*path, "event"), "has no meaning here", "no event")
