"""Incidents name what exists and say when and what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from simclone.model.settings import DEFINITIONS, canonical
from simclone.scenario.checking.names import Directory
from simclone.scenario.checking.workload import check_duration
from simclone.scenario.document.incidents import STEPS, FaultDoc, IncidentDoc, Step, StepTimeDoc
from simclone.scenario.document.scenario import ScenarioDoc
from simclone.scenario.findings import nearest
from simclone.scenario.reading.expand import has_number, numbered
from simclone.workload.failure_presets import FAILURE_PRESETS

STORAGE_EVENTS = ("fail", "repair", "disable", "enable", "fill")
_PLACES = (("host", "host"), ("cluster", "cluster"), ("zone", "zone"), ("primary_storage", "primaryStorage"))
MOST_CORES = 1_000_000
HOST_EVENTS = ("fail", "repair", "disable", "enable", "maintain")


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
    """One target each, a time or a law, an event that suits the target."""
    for row, doc in enumerate(docs):
        path = ("incidents", row)
        targets = doc.targets()
        if len(targets) != 1:
            expected = "one of host, hosts, cluster, zone, label, primaryStorage, globalConfig, addHosts"
            names.findings.add(path, f"has {len(targets)} targets", expected)
            continue
        if doc.preset is not None and not _check_preset(names, doc, path):
            continue
        if (doc.at is None) == (doc.gap_law() is None):
            names.findings.add(path, "needs a time", "one of at, every and preset")
        _check_wave(names, doc, path)
        _check_target(names, doc, targets[0], path)
        check_duration(names, doc.every, (*path, "every"), folder, above_zero=True)
        check_duration(names, doc.repair_after, (*path, "repairAfter"), folder, above_zero=False)
    _check_new_names(names, docs)


def _check_preset(names: Directory, doc: IncidentDoc, path: tuple[str | int, ...]) -> bool:
    """True when there is such a preset; it is about failures."""
    if doc.preset not in FAILURE_PRESETS:
        names.findings.add(
            (*path, "preset"), f"unknown preset {doc.preset!r}", nearest(str(doc.preset), FAILURE_PRESETS)
        )
        return False
    if doc.event != "fail":
        names.findings.add((*path, "preset"), f"goes with failures, not with event {doc.event}", "event: fail")
    return True


def _check_wave(names: Directory, doc: IncidentDoc, path: tuple[str | int, ...]) -> None:
    if doc.wave is None:
        return
    if doc.event != "maintain" or doc.at is None:
        names.findings.add((*path, "wave"), "has no meaning here", "event: maintain and at")
    if doc.repair_after is None:
        names.findings.add(
            (*path, "repairAfter"), "is missing: the next wave waits for the hosts to be back", "seconds"
        )


def _check_new_names(names: Directory, docs: Sequence[IncidentDoc]) -> None:
    """Hosts that join have names of their own, and room in the columns."""
    taken = set(names.kinds["host"].rows)
    for row, doc in enumerate(docs):
        new = doc.add_hosts
        if new is None:
            continue
        path = ("incidents", row, "addHosts")
        if new.count > 1 and not has_number(new.name):
            names.findings.add((*path, "name"), f"names {new.count} hosts alike", "a pattern such as host-{n}")
        if new.cpu_num > MOST_CORES:
            names.findings.add((*path, "cpuNum"), f"{new.cpu_num} cores", f"at most {MOST_CORES}")
        result = (
            {numbered(new.name, number) for number in range(1, new.count + 1)} if has_number(new.name) else {new.name}
        )
        if result & taken:
            names.findings.add((*path, "name"), f"{min(result & taken)!r} exists", "a name of its own")
        taken |= result


def _check_target(names: Directory, doc: IncidentDoc, target: str, path: tuple[str | int, ...]) -> None:
    for key, kind in (
        ("host", "host"),
        ("cluster", "cluster"),
        ("zone", "zone"),
        ("primary_storage", "primaryStorage"),
    ):
        if target == key:
            names.find(kind, getattr(doc, key), (*path, kind))
    if target == "add_hosts" and doc.add_hosts is not None:
        names.find("cluster", doc.add_hosts.cluster, (*path, "addHosts", "cluster"))
    if target == "global_config":
        _check_settings(names, doc, path)
    if target in ("global_config", "add_hosts"):
        if doc.event is not None:
            names.findings.add((*path, "event"), "has no meaning here", "no event")
        return
    known = STORAGE_EVENTS if target == "primary_storage" else HOST_EVENTS
    if doc.event not in known:
        names.findings.add((*path, "event"), f"{doc.event!r} does not suit the target", ", ".join(known))
    if doc.event == "fill" and doc.available_physical_capacity is None:
        names.findings.add(path, "fills without saying how far", "availablePhysicalCapacity")


def _check_settings(names: Directory, doc: IncidentDoc, path: tuple[str | int, ...]) -> None:
    for key, value in (doc.global_config or {}).items():
        try:
            DEFINITIONS[canonical(key)].parse(value)
        except KeyError:
            names.findings.add((*path, "globalConfig", key), f"unknown setting {key!r}", nearest(key, DEFINITIONS))
        except ValueError as error:
            names.findings.add((*path, "globalConfig", key), f"{value!r} is not a value of {key}", str(error))
