"""Small clouds of profile open and a driver for them, for the surprises of host allocation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from simclone.allocator.host.request import HostRequest
from simclone.audit import replay
from simclone.chance import Identity
from simclone.changes.load import scenario_of
from simclone.check.operations import OPERATIONS, Answer, Stage, new_vm
from simclone.check.questions import QUESTIONS
from simclone.engine.opening import open_context
from simclone.engine.operations.create_vm import create_now
from simclone.engine.results.records import answer_records, figures
from simclone.model.cloud import Cloud
from simclone.placement.host import candidates
from simclone.records import ErrorCode, Unplaced
from simclone.units import GIB

Doc = dict[str, Any]

LEAST = "LeastVmPreferredHostAllocatorStrategy"
DEFAULT = "DefaultHostAllocatorStrategy"
STOPPED_AWARE = "StoppedVmAwareLeastVmPreferredHostAllocatorStrategy"
DESIGNATED = "DesignatedHostAllocatorStrategy"
LAST_HOST = "LastHostPreferredAllocatorStrategy"
LOCAL_MIGRATE = "LocalStorageMigrateVmAllocatorStrategy"

CPU_RATIO = "host.cpu.overProvisioning.ratio"
MEMORY_RATIO = "mevoco.overProvisioning.memory"
RESERVED = "kvm.reservedMemory"
PAGE = "hostAllocator.paginationLimit"

SEEDS = range(12)
"""Seeds for tests in which chance matters: a coin shows both sides in them."""

_OPENED: list[World] = []


def host(name: str, memory: int = 64, *, cpu: int = 16, cluster: str | None = None, **more: Any) -> Doc:
    """A host of *memory* GiB and *cpu* threads."""
    place = {} if cluster is None else {"cluster": cluster}
    return {"name": name, "cpuNum": cpu, "totalPhysicalMemory": memory * GIB, **place, **more}


def offering(name: str, cpu: int = 1, memory: int = 1, strategy: str | None = LEAST, **more: Any) -> Doc:
    """An instance offering of *memory* GiB; *strategy* None leaves it out."""
    named = {} if strategy is None else {"allocatorStrategy": strategy}
    return {"name": name, "cpuNum": cpu, "memorySize": memory * GIB, **named, **more}


def nfs(name: str, capacity: int = 100_000, *clusters: str, kind: str = "NFS", **more: Any) -> Doc:
    """A shared storage of *capacity* GiB."""
    seen = {"attachedClusters": list(clusters)} if clusters else {}
    return {"name": name, "type": kind, "totalCapacity": capacity * GIB, **seen, **more}


def local(name: str, shares: dict[str, int], *clusters: str) -> Doc:
    """A local storage with the GiB each host brings."""
    seen = {"attachedClusters": list(clusters)} if clusters else {}
    parts = [{"host": host, "totalCapacity": size * GIB} for host, size in shares.items()]
    return {"name": name, "type": "LocalStorage", "localHosts": parts, **seen}


def standing(name: str, on: str, count: int, storage: str = "nfs", shape: str = "small", **more: Any) -> Doc:
    """*count* VMs ``<name>-1`` … that run on a host from the start."""
    return {
        "name": f"{name}-{{n}}",
        "count": count,
        "instanceOffering": shape,
        "image": "image",
        "l3Networks": ["l3"],
        "host": on,
        "primaryStorage": storage,
        **more,
    }


def stopped(name: str, last: str, count: int = 1, **more: Any) -> Doc:
    """*count* stopped VMs that remember a host as their last."""
    found = {**standing(name, last, count, **more), "state": "Stopped", "lastHost": last}
    found.pop("host")
    return found


def world(hosts: Iterable[Doc], *, config: Doc | None = None, **parts: Any) -> Doc:
    """A document of profile open without reserves; *parts* replace or add top-level lists."""
    doc: Doc = {
        "run": {"profile": "open"},
        "clusters": [{"name": "cluster"}],
        "hosts": list(hosts),
        "primaryStorages": [nfs("nfs")],
        "backupStorages": [{"name": "store"}],
        "images": [{"name": "image", "size": 10 * GIB}],
        "l2Networks": [{"name": "l2"}],
        "l3Networks": [{"name": "l3", "ipRanges": [{"start": "10.0.0.10", "end": "10.0.9.250"}]}],
        "instanceOfferings": [offering("small")],
        "zones": [{"name": "zone"}],
        "globalConfig": {RESERVED: 0, "primaryStorage.reservedCapacity": 0, **(config or {})},
    }
    return {**doc, **parts}


class World:
    """A cloud to which operations are done one after the other; its books are audited after the test."""

    def __init__(self, doc: Doc, seed: int = 0) -> None:
        self.ctx = open_context(scenario_of(doc), seed=seed)
        self.stage = Stage(self.ctx)
        _OPENED.append(self)

    @property
    def cloud(self) -> Cloud:
        """The cloud as it stands."""
        return self.ctx.cloud

    def all(self, op: str, **spec: Any) -> list[Answer]:
        """The answers of an operation in the spelling of the conformance cases."""
        return OPERATIONS[op](self.stage, spec)

    def do(self, op: str, **spec: Any) -> Answer:
        """The answer of an operation that has one."""
        (answer,) = self.all(op, **spec)
        return answer

    def done(self, op: str, **spec: Any) -> Answer:
        """The same for one that must succeed."""
        answer = self.do(op, **spec)
        assert answer["ok"], answer
        return answer

    def _new(self, name: str, spec: Doc) -> Doc:
        return {"name": name, "instanceOffering": "small", "image": "image", "l3Networks": ["l3"], **spec}

    def create(self, name: str, **spec: Any) -> Answer:
        """Create a VM; an argument that is None is left out."""
        given = {key: value for key, value in self._new(name, spec).items() if value is not None}
        return self.do("create", **given)

    def burst(self, name: str, count: int, **spec: Any) -> list[Answer]:
        """Create *count* VMs one after the other."""
        return self.all("create", count=count, **self._new(name, spec))

    def error(self, name: str, **spec: Any) -> ErrorCode:
        """The whole error of a create that must fail."""
        given = self._new(name, spec)
        found = create_now(self.ctx, new_vm(self.stage, given, name), given.get("strategy", "InstantStart")).error
        assert found is not None
        return found

    def vm(self, name: str) -> Answer:
        """A VM as it stands."""
        return QUESTIONS["assertVm"](self.stage, {"vm": name})

    def host(self, name: str) -> Answer:
        """A host as it stands."""
        return QUESTIONS["assertHost"](self.stage, {"host": name})

    def free(self, name: str) -> tuple[int, int]:
        """Recorded free vCPUs and bytes of a host."""
        found = self.host(name)
        return found["availableCpu"], found["availableMemory"]

    def capacity(self, kind: str, what: Any) -> Answer:
        """The figures of a target of `assertCapacity`."""
        return QUESTIONS["assertCapacity"](self.stage, {"target": {kind: what}})

    def offered(self, purpose: str, **spec: Any) -> Answer:
        """The hosts the platform offers."""
        return QUESTIONS["candidateHosts"](self.stage, {"for": purpose, "spec": spec, "expect": {}})

    def per_host(self) -> dict[str, int]:
        """Running VMs per host, hosts without any included."""
        found: dict[str, int] = QUESTIONS["assertDistribution"](self.stage, {"target": "all"})["perHost"]
        return found

    def row(self, kind: str, name: str) -> int:
        """The row of something."""
        return self.cloud.find(kind, name)

    def order(self, request: HostRequest) -> list[str]:
        """The names of the hosts a request is offered, first choice first."""
        found = candidates(request, self.cloud, Identity("test", 0))
        assert not isinstance(found, Unplaced), found
        return [self.cloud.fleet.names[row] for row in found]

    def pages(self) -> list[int]:
        """The page of the last decision's steps, without repetition."""
        return list(dict.fromkeys(step.page for step in self.ctx.decisions[-1].decision.steps))

    @property
    def last_strategy(self) -> str:
        """The chain the last decision ran."""
        return self.ctx.decisions[-1].strategy


def hosts_of(answers: Iterable[Answer]) -> list[str]:
    """The hosts of VMs that all were placed."""
    return [answer["host"] for answer in answers]


def chances(doc: Doc, name: str = "new", **spec: Any) -> Counter[str]:
    """How often each host gets the same create over all seeds."""
    return Counter(World(doc, seed).create(name, **spec)["host"] for seed in SEEDS)


def chain(error: ErrorCode) -> list[str | None]:
    """The codes of an error, outermost first."""
    return [one.code for one in error.chain()]


def audit_opened() -> None:
    """What an independent replay of every world opened since the last time finds wrong must be nothing."""
    while _OPENED:
        one = _OPENED.pop()
        one.ctx.ledger.check()
        records = {
            "opening": one.ctx.opening,
            "closing": figures(one.cloud),
            "answers": answer_records(one.stage.answers),
        }
        assert replay(records, one.ctx.ledger.events) == []
