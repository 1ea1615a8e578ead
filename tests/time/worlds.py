"""Small clouds in time, simulations that can be stopped half-way, and the statistics the tests compare with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from simclone.api import load
from simclone.audit import Violation, replay
from simclone.changes.schedule import actions_of
from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.engine.operations.create_vm import NewVm, create_vm
from simclone.engine.prepare import requests_of, simulation_of
from simclone.engine.results.result import RunResult
from simclone.engine.run_loop import Observer, RunLoop
from simclone.engine.timing import timing_of
from simclone.engine.workflow_driver import WorkflowDriver
from simclone.model.inventory import Wish
from simclone.units import GIB, SECOND

Doc = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
DAY = ROOT / "scenarios" / "data" / "azure-vm-2017-day"
TRACES = ROOT.parent / "shared" / "traces"
STRICT = {"host.cpu.overProvisioning.ratio": 1, "kvm.reservedMemory": 0, "vm.deletionPolicy": "Direct"}
"""One thread is one vCPU, and a clone that ends leaves nothing behind."""


def hosts(many: int, cpu: int = 4, **more: Any) -> list[Doc]:
    """Hosts h1, h2, … with memory enough for any number of vCPUs."""
    return [{"name": f"h{n}", "cpuNum": cpu, "totalPhysicalMemory": 4000 * GIB, **more} for n in range(1, many + 1)]


def vm(name: str, **more: Any) -> Doc:
    """A VM of 1 vCPU and 1 GiB."""
    return {"name": name, "instanceOffering": "unit", "image": "image", "l3Networks": ["l3"], **more}


def world(config: Doc | None = None, **changes: Any) -> Doc:
    """Two hosts of 4 vCPU, a vast NFS, a network without addresses, the stopped source ``v``; *changes* by key."""
    usual: Doc = {
        "hosts": hosts(2),
        "primaryStorages": [{"name": "nfs", "type": "NFS", "totalCapacity": "100000T"}],
        "backupStorages": [{"name": "store", "type": "ImageStoreBackupStorage"}],
        "images": [{"name": "image", "size": "1GiB", "actualSize": 0}],
        "l2Networks": [{"name": "l2"}],
        "l3Networks": [{"name": "l3", "l2Network": "l2", "dhcp": False, "ipRanges": []}],
        "instanceOfferings": [{"name": "unit", "cpuNum": 1, "memorySize": "1GiB"}],
        "vms": [vm("v", state="Stopped")],
        "globalConfig": {**STRICT, **(config or {})},
    }
    return {**usual, **changes}


def request(at: float, *names: str, source: str = "v", **more: Any) -> Doc:
    """A clone request at *at* seconds."""
    return {"name": f"request-{names[0]}", "at": at, "vm": source, "cloneVmInstance": {"names": list(names), **more}}


def stream(arrivals: Doc, name: str = "stream", **more: Any) -> Doc:
    """A stream of clones of ``v``."""
    return {"name": name, "vm": "v", "arrivals": arrivals, **more}


def simulation(doc: Doc, seed: int | None = None, observers: Iterable[Observer] = ()) -> RunLoop:
    """A scenario's simulation at t = 0."""
    scenario = load(doc)
    ctx = open_context(scenario, seed=seed)
    made = simulation_of(scenario, ctx, requests_of(scenario)[0], actions=actions_of(scenario, ctx))
    made._observers = tuple(observers)
    return made


def finished(doc: Doc, seed: int | None = None) -> RunResult:
    """The result of a run to its end, unaudited: runs that keep a summary have nothing to audit."""
    return simulation(doc, seed).run().result()


def audited(made: RunLoop) -> list[Violation]:
    """What the independent replay finds wrong so far."""
    result = made.result()
    return replay(result.records(), result.events)


def opened(doc: Doc) -> tuple[Context, WorkflowDriver]:
    """The cloud of a scenario with a clock, nothing scheduled."""
    scenario = load(doc)
    ctx = open_context(scenario)
    return ctx, WorkflowDriver(ctx, timing_of(scenario))


def creation(ctx: Context, number: int, image: str = "image") -> Any:
    """The workflow that creates the *number*-th VM like ``v`` of an image, without the steps of a clone call."""
    cloud = ctx.cloud
    row = cloud.find("vm", "v")
    shape = replace(cloud.vms.shape_of(row), image=cloud.find("image", image))
    cpu, memory = cloud.vms.cpu[row], cloud.vms.memory[row]
    return create_vm(ctx, NewVm(f"new-{number}", shape, cpu, memory, -1, Wish(), source="new", ordinal=number))


def state(made: RunLoop, name: str) -> str:
    """The state of a VM."""
    return made.ctx.cloud.vms.state_name(made.ctx.cloud.find("vm", name))


def host_of(made: RunLoop, name: str, column: str = "host") -> str | None:
    """The host a VM is on, or in another *column* holds; None for none."""
    cloud = made.ctx.cloud
    row = cloud.vms.cells[column][cloud.find("vm", name)]
    return None if row < 0 else cloud.fleet.names[row]


def used(made: RunLoop, host: str) -> int:
    """vCPUs held of a host."""
    return made.ctx.cloud.fleet.held_cpu[made.ctx.cloud.find("host", host)]


HA = {"systemTags": ["ha::NeverStop"]}


def running(name: str, host: str = "h1", **more: Any) -> Doc:
    """A VM that runs on a host from the start."""
    return vm(name, host=host, primaryStorage="nfs", **more)


def cloud(*vms: Doc, incidents: list[Doc], **more: Any) -> Doc:
    """The source ``v``, some VMs and some incidents."""
    return world(vms=[vm("v", state="Stopped"), *vms], incidents=incidents, **more)


def fail(at: float = 10, host: str = "h1", **more: Any) -> Doc:
    """A host fails."""
    return {"at": at, "host": host, "event": "fail", **more}


def at(made: RunLoop, seconds: float) -> RunLoop:
    """The run at a moment; the books and the audit are looked at."""
    made.pause_at(round(seconds * SECOND))
    made.ctx.ledger.check()
    wrong = audited(made)
    assert not wrong, wrong[:3]
    return made


def outcomes(result: RunResult) -> dict[str, list[bool]]:
    """Successes by request, in order of names."""
    return {
        one.request.name: [clone.succeeded for clone in sorted(one.clones, key=lambda clone: clone.position)]
        or [False] * len(one.request.names)
        for one in result.answers
    }


def host_events(result: RunResult, cause: str) -> list[tuple[float, int]]:
    """Times in seconds and host rows of changes of hosts with a *cause*."""
    return [
        (event.at_us / SECOND, int(event.target.partition("/")[2]))
        for event in result.events
        if event.kind == "set" and event.subject == "host" and event.cause == cause
    ]


T99 = {19: 2.861, 24: 2.797, 29: 2.756, 39: 2.708}
"""Student's t for two-sided 99 % by degrees of freedom."""


def interval(values: Sequence[float], batches: int = 20) -> tuple[float, float]:
    """The 99 % interval of the mean of a stationary series by *batches* batch means."""
    size = len(values) // batches
    means = [math.fsum(values[n * size : (n + 1) * size]) / size for n in range(batches)]
    mean = math.fsum(means) / batches
    variance = math.fsum((one - mean) ** 2 for one in means) / (batches - 1)
    half = T99[batches - 1] * math.sqrt(variance / batches)
    return mean - half, mean + half


def erlang_b(servers: int, load_: float) -> float:
    """The share of customers that find all servers busy and leave."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load_ * blocked / (n + load_ * blocked)
    return blocked


def erlang_c(servers: int, load_: float) -> float:
    """The share of customers that wait."""
    blocked = erlang_b(servers, load_)
    return servers * blocked / (servers - load_ * (1 - blocked))
