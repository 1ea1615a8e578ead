"""What a file can only say once all changes are made: where the VMs of hosts go that leave or go into maintenance.

A kind that puts VMs off their host marks the host in the data. When every change of a list is made, the file is opened
once as it stands, with the hosts that leave closed; their VMs move by live migration, the largest first, and the hosts
they come to are written into the file. So the changed file holds every VM where it was promised to be.
"""

from __future__ import annotations

from collections.abc import Iterator

from simclone.changes.entries import LEAVING, MAINTAINED, take_out
from simclone.changes.evacuate import Evacuation, move_away, move_disks
from simclone.changes.kind import Data
from simclone.changes.load import scenario_from
from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.engine.operations.hosts import change_host_state
from simclone.engine.waits import run_now
from simclone.errors import Fault, UnplacedVms
from simclone.model.vms import NONE
from simclone.scenario.reading.paths import expand_counted


def settle(data: Data, path: str) -> None:
    """Write where VMs of marked hosts go, and take out hosts that leave; raises UnplacedVms naming all that stay."""
    leaving: list[str] = data.pop(LEAVING, [])
    maintained: list[str] = data.pop(MAINTAINED, [])
    if not (leaving or maintained):
        return
    expand_counted(data, "vms")
    words = {host[key] for host in data["hosts"] if host["name"] in leaving for key in ("name", "uuid") if key in host}
    if any(_concerns(vm, words, {*maintained}) for vm in data["vms"]):
        _move(data, path, leaving, maintained, words)
    for host in data["hosts"]:
        if host["name"] in maintained:
            host["state"] = "Maintenance"
    take_out(data, words)


def _concerns(vm: Data, words: set[str], maintained: set[str]) -> bool:
    return vm.get("host") in words | maintained or vm.get("lastHost") in words


def _move(data: Data, path: str, leaving: list[str], maintained: list[str], words: set[str]) -> None:
    """Open the file with the hosts that leave closed, empty them, and write what became of their VMs."""
    for vm in data["vms"]:
        if vm.get("host") in words and vm.get("primaryStorage") is None:
            del vm["host"]
    scenario = scenario_from(_closed(data, words), path, "")
    ctx = open_context(scenario)
    faults = [*_empty_leaving(ctx, leaving), *_empty_maintained(ctx, maintained)]
    if faults:
        raise UnplacedVms(faults)
    for entry, uuid in zip(data["vms"], scenario.vm_uuids, strict=True):
        if _concerns(entry, words, {*maintained}):
            _write(ctx, entry, ctx.cloud.find("vm", uuid), words)


def _closed(data: Data, words: set[str]) -> Data:
    hosts = [
        {**host, "state": "Disabled"} if host["name"] in words and host.get("state", "Enabled") == "Enabled" else host
        for host in data["hosts"]
    ]
    return {**data, "hosts": hosts}


def _empty_leaving(ctx: Context, leaving: list[str]) -> Iterator[Fault]:
    """Faults of VMs, and of disks of stopped VMs, that cannot leave."""
    hosts = [ctx.cloud.find("host", name) for name in leaving]
    evacuation = move_away(ctx, hosts) if hosts else Evacuation((), ())
    vms, names = ctx.cloud.vms, ctx.cloud.fleet.names
    search = "no order and no target lets all leave" if evacuation.proved else "no way was found in a bounded search"
    for vm, reason in evacuation.stuck:
        text = f"VM {vms.names[vm]} of {names[vms.host[vm]]} finds no other host ({reason}); {search}"
        yield Fault("removeHosts", text, "room on the hosts that stay")
    for vm, reason in move_disks(ctx, hosts).stuck:
        text = f"the disks of VM {vms.names[vm]} on {names[vms.last_host[vm]]} find no other host ({reason})"
        yield Fault("removeHosts", text, "room for them on the local disks of a host that stays")


def _empty_maintained(ctx: Context, maintained: list[str]) -> Iterator[Fault]:
    for name in maintained:
        outcome = run_now(change_host_state(ctx, ctx.cloud.find("host", name), "maintain"))
        if outcome.error is not None:
            text = f"host {name} cannot go into maintenance: {outcome.error.root.details} ({outcome.error.root_reason})"
            yield Fault(
                "maintainHost", text, "room on other hosts, or host.maintenance.policy StopVmOnMigrationFailure"
            )


def _write(ctx: Context, entry: Data, vm: int, words: set[str]) -> None:
    vms, names = ctx.cloud.vms, ctx.cloud.fleet.names
    if vms.state_name(vm) == "Stopped":
        entry["state"] = "Stopped"
        entry.pop("host", None)
        if vms.last_host[vm] != NONE:
            entry["lastHost"] = names[vms.last_host[vm]]
    elif entry.get("primaryStorage") is not None:
        entry["host"] = names[vms.host[vm]]
    if entry.get("lastHost") in words:
        del entry["lastHost"]
