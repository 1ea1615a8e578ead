"""A host dies and comes back: VMs become Unknown, those with HA start elsewhere.

Rule: rules/host-capacity.md#unknown-keeps-capacity.
"""

from __future__ import annotations

from dataclasses import replace

from simclone.allocator.host.request import START
from simclone.allocator.host.strategies import LEAST_VM
from simclone.engine.allocation import allocation, decided
from simclone.engine.context import Context, Outcome
from simclone.engine.operations.create_vm import host_lost, settle_lost, stop_row
from simclone.engine.operations.hosts import vms_on
from simclone.engine.operations.start_vm import existing_request
from simclone.engine.waits import Work, Workflow
from simclone.model.inventory import CONNECTED, DISCONNECTED
from simclone.model.vms import NONE, STATE
from simclone.records import Placed

RESTARTED = ("NeverStop", "OnHostFailure", "FaultTolerance")
_LIVING = ("Running", "Paused")


def ha_of(ctx: Context, vm: int) -> str:
    """The HA level of a VM: the value of its tag ``ha::…``, None without one."""
    tags = ctx.cloud.vms.shape(vm).system_tags
    return next((tag.removeprefix("ha::") for tag in tags if tag.startswith("ha::")), "None")


def fail_host(ctx: Context, host: int) -> list[int]:
    """The host is gone: its VMs are Unknown and go on holding it. Returns those HA must restart."""
    ctx.ledger.set_host(host, "fail", status=DISCONNECTED)
    hit = [vm for vm in vms_on(ctx, host) if ctx.cloud.vms.state_name(vm) in _LIVING]
    for vm in hit:
        ctx.ledger.set_vm(vm, state=STATE["Unknown"])
    return [vm for vm in hit if ha_of(ctx, vm) in RESTARTED]


def restart_elsewhere(ctx: Context, vm: int) -> Workflow[Outcome]:
    """HA start of an Unknown VM: fresh capacity elsewhere first, then the dead host forgets it."""
    ledger, cloud = ctx.ledger, ctx.cloud
    yield Work("detectFailure", vm=vm)
    if not cloud.vms.get("alive", vm) or cloud.vms.state_name(vm) != "Unknown":
        return Outcome(vm)
    dead = cloud.vms.get("host", vm)
    work, view = allocation(ctx, vm)
    yield work
    if not cloud.vms.get("alive", vm) or cloud.vms.state_name(vm) != "Unknown":
        return Outcome(vm)
    strategy = cloud.vms.shape(vm).strategy or LEAST_VM
    request = replace(existing_request(cloud, vm, START, strategy), soft_avoid=frozenset({dead}), scene="Auto")
    ctx.announce(request, view.seen)
    decision = decided(ctx, request, ctx.next_occasion(vm), view)
    ctx.note("ha", cloud.vms.names[vm], "host", strategy, decision)
    if not isinstance(decision, Placed):
        return Outcome(vm, decision.error)
    ledger.hold_target(vm, decision.host)
    yield Work("startOnHypervisor", ("host", decision.host), vm=vm)
    lost = host_lost(ctx, decision.host)
    if lost is not None:
        ledger.end_target(vm, "rollback")
        settle_lost(ctx, vm)
        return Outcome(vm, lost)
    ledger.move_hold(vm)
    cluster = cloud.fleet.get("cluster", decision.host)
    ledger.set_vm(vm, host=decision.host, last_host=dead, cluster=cluster, state=STATE["Running"])
    return Outcome(vm)


def repair_host(ctx: Context, host: int) -> list[int]:
    """The host is back, empty: VMs that were not restarted are Stopped. Returns those HA wants running."""
    ctx.ledger.set_host(host, "repair", status=CONNECTED)
    waiting = []
    for vm in vms_on(ctx, host):
        if ctx.cloud.vms.state_name(vm) == "Unknown" and ctx.cloud.vms.get("move_host", vm) == NONE:
            stop_row(ctx, vm)
            waiting.append(vm)
    ctx.ledger.recalculate_host(host)
    return [vm for vm in waiting if ha_of(ctx, vm) in RESTARTED]
