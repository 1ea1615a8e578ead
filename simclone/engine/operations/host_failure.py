"""A host dies and comes back: VMs become Unknown, those with HA start elsewhere.

Rule: rules/host-capacity.md#unknown-keeps-capacity.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from simclone.allocator.host.request import START
from simclone.allocator.host.strategies import LEAST_VM
from simclone.engine.allocation import allocation, decide_in_view
from simclone.engine.context import Context, Outcome
from simclone.engine.operations.create_vm import settle_lost, stop_row, vms_on
from simclone.engine.operations.start_vm import existing_request, start_vm
from simclone.engine.waits import Work, Workflow, alone
from simclone.model.inventory import CONNECTED, DISCONNECTED
from simclone.model.vms import NONE
from simclone.placement.start_stages import host_lost
from simclone.records import Placed
from simclone.vocabulary import VmState

RESTARTED = ("NeverStop", "OnHostFailure", "FaultTolerance")
_LIVING = ("Running", "Paused")


def ha_of(ctx: Context, vm: int) -> str:
    """The HA level of a VM: the value of its tag ``ha::…``, None without one."""
    return ctx.cloud.vms.shape_of(vm).tags.ha


def fail_host(ctx: Context, host: int) -> list[int]:
    """The host is gone: its VMs are Unknown and go on holding it. Returns those HA must restart."""
    ctx.ledger.hosts.set(host, "fail", status=DISCONNECTED)
    hit = [vm for vm in vms_on(ctx, host) if ctx.cloud.vms.state_name(vm) in _LIVING]
    for vm in hit:
        ctx.ledger.vms.set(vm, state=VmState.UNKNOWN)
    return [vm for vm in hit if ha_of(ctx, vm) in RESTARTED]


def restart_elsewhere(ctx: Context, vm: int) -> Workflow[Outcome]:
    """HA start of an Unknown VM: fresh capacity elsewhere first, then the dead host forgets it."""
    ledger, cloud = ctx.ledger, ctx.cloud
    yield Work("detectFailure", vm=vm)
    if not cloud.vms.alive[vm] or cloud.vms.state_name(vm) != "Unknown":
        return Outcome(vm)
    dead = cloud.vms.host[vm]
    work, view = allocation(ctx, vm)
    yield work
    if not cloud.vms.alive[vm] or cloud.vms.state_name(vm) != "Unknown":
        return Outcome(vm)
    strategy = cloud.vms.shape_of(vm).strategy or LEAST_VM
    request = replace(existing_request(cloud, vm, START, strategy), soft_avoid=frozenset({dead}), scene="Auto")
    ctx.announce(request, view.seen)
    decision = decide_in_view(ctx, request, ctx.next_occasion(vm), view)
    ctx.note("ha", cloud.vms.names[vm], "host", strategy, decision)
    if not isinstance(decision, Placed):
        return Outcome(vm, decision.error)
    ledger.hosts.hold_target(vm, decision.host)
    yield Work("startOnHypervisor", ("host", decision.host), vm=vm)
    lost = host_lost(ctx.cloud, decision.host)
    if lost is not None:
        ledger.hosts.end_target(vm, "rollback")
        settle_lost(ctx, vm)
        return Outcome(vm, lost)
    ledger.hosts.move_hold(vm)
    cluster = cloud.fleet.cluster[decision.host]
    ledger.vms.set(vm, host=decision.host, last_host=dead, cluster=cluster, state=VmState.RUNNING)
    return Outcome(vm)


def repair_host(ctx: Context, host: int) -> list[int]:
    """The host is back, empty: VMs that were not restarted are Stopped. Returns those HA wants running."""
    ctx.ledger.hosts.set(host, "repair", status=CONNECTED)
    waiting = []
    for vm in vms_on(ctx, host):
        if ctx.cloud.vms.state_name(vm) == "Unknown" and ctx.cloud.vms.move_host[vm] == NONE:
            stop_row(ctx, vm)
            waiting.append(vm)
    ctx.ledger.hosts.recalculate(host)
    return [vm for vm in waiting if ha_of(ctx, vm) in RESTARTED]


def restart_after_repair(ctx: Context, host: int) -> Iterator[Workflow[Outcome]]:
    """Bring a host back and start the VMs that HA wants running."""
    for vm in repair_host(ctx, host):
        yield alone(vm, start_vm(ctx, vm))
