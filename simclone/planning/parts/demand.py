"""What the requests of a scenario ask for in all, where that can be told without running it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simclone.engine.context import Context
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
