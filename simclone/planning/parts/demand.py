"""What the requests of a scenario ask for in all, where that can be told without running it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.scenario.document.requests import RequestDoc
from simclone.scenario.load import Scenario


@dataclass(frozen=True, slots=True)
class RequestedClones:
    """Clones one request asks for: names, and vCPUs and bytes of each; nothing where it will not run them."""

    request: str
    names: int
    vm: int
    cpu: int
    memory: int
    starts: bool


def requested_clones(ctx: Context, scenario: Scenario) -> Iterator[RequestedClones]:
    """Every request of the file's list; malformed ones ask for nothing."""
    for doc in scenario.requests:
        names = doc.clone_vm_instance.get("names")
        if not isinstance(names, list) or doc.vm not in scenario.resolved.names.kinds["vm"].rows:
            continue
        vm = ctx.cloud.find("vm", doc.vm)
        table = ctx.cloud.vms
        yield RequestedClones(doc.name or "", len(names), vm, table.cpu[vm], table.memory[vm], _starts(doc))


def _starts(doc: RequestDoc) -> bool:
    return bool(doc.clone_vm_instance.get("strategy", "InstantStart") == "InstantStart")


def demand_of(scenario: Scenario, share: float = 1.0) -> tuple[int, int] | None:
    """The least vCPUs and the least bytes of VM memory that a *share* of all names takes.

    None with a workload, whose clones come and go.
    """
    if scenario.doc.workload:
        return None
    ctx = open_context(scenario)
    requested = [requested_clone for requested_clone in requested_clones(ctx, scenario) if requested_clone.starts]
    cpu = sorted(item.cpu for item in requested for _ in range(item.names))
    memory = sorted(entry.memory for entry in requested for _ in range(entry.names))
    count = ceil(share * len(cpu) - 1e-9)
    return sum(cpu[:count]), sum(memory[:count])
