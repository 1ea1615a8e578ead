"""Small clouds to clone in, and a laboratory that runs operations on one and reads its books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simclone.audit import replay
from simclone.changes.load import scenario_of
from simclone.check.operations import OPERATIONS, Stage
from simclone.check.questions import QUESTIONS
from simclone.engine.opening import open_context
from simclone.engine.results.records import answer_records, figures
from simclone.engine.waits import Locked, Together, Work, Workflow
from simclone.units import GIB
from simclone.wire.response import render_answer

Doc = dict[str, Any]
Answer = dict[str, Any]

NO_HOST = "HOST_ALLOCATION.1000"
START_FAILED = "VM.1001"
CONFIG = {"kvm.reservedMemory": 0}


def hosts(many: int, gib: int = 64, **more: Any) -> list[Doc]:
    """Hosts host-1, host-2, … of 16 cores; without reserve each takes gib / 8 VMs of the offering."""
    return [{"name": f"host-{n}", "cpuNum": 16, "totalPhysicalMemory": gib * GIB, **more} for n in range(1, many + 1)]


def vm(name: str, host: str = "host-1", storage: str = "nfs-1", **more: Any) -> Doc:
    """A running VM of 1 vCPU and 8 GiB, taken as it is."""
    usual = {"instanceOffering": "small", "image": "centos", "l3Networks": ["l3-1"]}
    return {"name": name, **usual, "host": host, "primaryStorage": storage, **more}


def local(*gib: int, name: str = "local-1", **more: Any) -> Doc:
    """A local storage to which host-1, host-2, … bring *gib*."""
    shares = [{"host": f"host-{n}", "totalCapacity": size * GIB} for n, size in enumerate(gib, 1)]
    return {"name": name, "type": "LocalStorage", "localHosts": shares, **more}


def nfs(gib: int, name: str = "nfs-1", **more: Any) -> Doc:
    """A shared storage."""
    return {"name": name, "type": "NFS", "totalCapacity": gib * GIB, **more}


def network(many: int, **more: Any) -> Doc:
    """The network l3-1 with *many* addresses."""
    return {"name": "l3-1", "ipRanges": [{"start": "10.0.0.1", "end": f"10.0.0.{many}"}], **more}


def world(config: Doc | None = None, **changes: Any) -> Doc:
    """Three hosts of 64 GiB, a large NFS, the source VM ``web`` on host-1 with a root of 20 GiB; *changes* by key."""
    usual = {
        "hosts": hosts(3),
        "primaryStorages": [nfs(2000)],
        "backupStorages": [{"name": "store"}],
        "images": [{"name": "centos", "size": 20 * GIB, "actualSize": 2 * GIB}],
        "l3Networks": [network(99)],
        "instanceOfferings": [{"name": "small", "cpuNum": 1, "memorySize": 8 * GIB}],
        "vms": [vm("web")],
        "globalConfig": {**CONFIG, **(config or {})},
    }
    return {**usual, **changes}


def group(policy: str, name: str = "group") -> list[Doc]:
    """One affinity group."""
    return [{"name": name, "policy": policy}]


IN_GROUP = ["affinityGroupUuid::group"]


class Lab:
    """A cloud in progress: operations by their name in cases, books by name."""

    def __init__(self, doc: Doc, seed: int = 0) -> None:
        self.ctx = open_context(scenario_of(doc), seed=seed)
        self.cloud, self.ledger = self.ctx.cloud, self.ctx.ledger
        self.stage = Stage(self.ctx)

    def do(self, op: str, **spec: Any) -> Answer:
        """Run an operation and look whether the books still agree."""
        (answer,) = OPERATIONS[op](self.stage, spec)
        self.ledger.check()
        return answer

    def ask(self, op: str, **step: Any) -> Answer:
        """Ask a question."""
        return QUESTIONS[op](self.stage, {"op": op, **step})

    def clone(self, *names: str, source: str = "web", **spec: Any) -> Answer:
        """A clone call; one name unless more are given."""
        return self.do("cloneVmInstance", sourceVm=source, names=list(names or ("new",)), **spec)

    def body(self, style: str = "server") -> Doc:
        """The last clone answer as it is sent."""
        return render_answer(self.cloud, self.stage.answers[-1], style)

    def vm(self, name: str) -> Answer:
        """A VM as it stands."""
        return self.ask("assertVm", vm=name)

    def host(self, name: str) -> Answer:
        """A host's record."""
        return self.ask("assertHost", host=name)

    def row(self, kind: str, name: str) -> int:
        """The row of a named object."""
        return self.cloud.find(kind, name)

    def free(self, storage: str = "nfs-1") -> float:
        """Available capacity of a storage in GiB."""
        return self.cloud.storages[self.row("primaryStorage", storage)].available / GIB

    def share(self, host: str, storage: str = "local-1") -> float:
        """What of a host's share of a local storage is available, in GiB."""
        where = {"localStorageHost": {"primaryStorage": storage, "host": host}}
        return self.ask("assertCapacity", target=where)["availableCapacity"] / GIB

    def ips(self) -> int:
        """Addresses of l3-1 in use."""
        return int(self.ask("assertCapacity", target={"l3Network": "l3-1"})["usedIps"])

    def members(self) -> list[str]:
        """The members of the group, sorted."""
        return sorted(self.ask("assertAffinityUsage", affinityGroup="group")["vms"])

    def usage(self, account: str = "team") -> Answer:
        """What an account uses."""
        return self.ask("assertQuotaUsage", account=account)

    def images(self) -> list[str]:
        """Images that are there, by name."""
        return [one.name for row, one in enumerate(self.cloud.images) if self.cloud.image_states[row] != 2]

    def snapshots(self, source: str = "web") -> list[str]:
        """Snapshots of a VM's volumes, by name."""
        snapshots, volumes = self.cloud.snapshots, self.cloud.volumes
        owners = self.cloud.vms.volumes[self.row("vm", source)]
        return [snapshots.names[row] for owner in owners for row in volumes.snapshots.get(owner, ())]

    def caches(self, storage: str = "nfs-1") -> int:
        """How many images a storage caches, per host on a local one."""
        return len(self.cloud.storages[self.row("primaryStorage", storage)].caches)

    def loose(self, name: str) -> int:
        """Unattached volumes of a name that still are there."""
        volumes = self.cloud.volumes
        rows = [row for row, one in enumerate(volumes.names) if one == name and volumes.alive[row]]
        return sum(volumes.vm[row] < 0 for row in rows)

    def ended(self, target: str, since: int = 0) -> list[tuple[str, int]]:
        """Holds taken back by a rollback on a kind of target: (target, its first amount)."""
        return [
            (one.target, one.amounts[0][1])
            for one in self.ledger.events[since:]
            if one.kind == "end" and one.cause == "rollback" and one.target.startswith(target)
        ]

    def audit(self) -> list[str]:
        """What the independent auditor finds wrong."""
        answers = answer_records(self.stage.answers)
        records = {"opening": self.ctx.opening, "closing": figures(self.cloud), "answers": answers}
        return [f"{one.rule}: {one.text}" for one in replay(records, self.ledger.events)]


def drive(workflow: Workflow[Any], *, backwards: bool = False, seen: Callable[[Work], None] | None = None) -> Any:
    """Run a workflow to its end, parallel parts in their order or from last to first; *seen* is shown every step."""
    answer: Any = None
    try:
        while True:
            wait = workflow.send(answer)
            answer = None
            if isinstance(wait, Together):
                jobs = list(reversed(wait.jobs)) if backwards else list(wait.jobs)
                answer = [drive(job, backwards=backwards, seen=seen) for job in jobs]
                answer = answer[::-1] if backwards else answer
            elif isinstance(wait, Locked):
                answer = drive(wait.job, backwards=backwards, seen=seen)
            elif seen is not None:
                seen(wait)
    except StopIteration as end:
        return end.value


def outcomes(answer: Answer) -> tuple[bool, int, str]:
    """ok, numberOfClonedVm and batch of a clone answer that came to a result."""
    return answer["ok"], answer["numberOfClonedVm"], answer["batch"]


def refused(answer: Answer) -> tuple[bool, str, str]:
    """ok, code and reason of an operation that failed as a whole."""
    return answer["ok"], answer["errorCode"], answer["reason"]
