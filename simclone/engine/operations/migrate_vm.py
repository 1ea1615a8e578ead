"""Live migration of a running VM (rules/host-selection.md#migrate)."""

from __future__ import annotations

from msgspec.structs import replace

from simclone.allocator.host.request import MIGRATE as MIGRATE_OPERATION
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import LOCAL_MIGRATE, MIGRATE
from simclone.engine.allocation import allocation, decide_in_view
from simclone.engine.context import Context, Outcome, operation_error
from simclone.engine.operations.create_vm import settle_lost
from simclone.engine.operations.start_vm import existing_request, volumes_of
from simclone.engine.waits import Work, Workflow
from simclone.model.cloud import Cloud
from simclone.model.vms import NONE
from simclone.placement.start_stages import host_lost
from simclone.records import ErrorCode, Placed


def migrate_request(cloud: Cloud, vm: int, host: int | None) -> HostRequest:
    """What a migration asks; a root on local storage runs the local chain."""
    root = cloud.vms.root[vm]
    local = root != NONE and cloud.volumes.host[root] != NONE
    current = cloud.vms.host[vm]
    request = existing_request(cloud, vm, MIGRATE_OPERATION, LOCAL_MIGRATE if local else MIGRATE)
    return replace(
        request,
        host=host,
        avoid=frozenset({current}) if current != NONE else frozenset(),
        zone=cloud.fleet.zone[current] if current != NONE else None,
        last_host=None,
    )


def migrate_vm(ctx: Context, vm: int, host: int | None = None) -> Workflow[Outcome]:
    """Move a running VM to *host* or where the allocator puts it; both hosts are held until it has moved."""
    cloud, ledger = ctx.cloud, ctx.ledger
    if cloud.vms.state_name(vm) != "Running":
        cause = ErrorCode(code="VM.1010", details=f"the VM is {cloud.vms.state_name(vm)}", reason="vm.state")
        return Outcome(vm, ErrorCode("VM.1008", "only a running VM can be migrated", cause, reason="vm.state"))
    request = migrate_request(cloud, vm, host)
    work, view = allocation(ctx, vm)
    yield work
    if cloud.vms.state_name(vm) != "Running":
        return Outcome(vm, operation_error("the VM was lost before it moved", "vm.state"))
    decision = decide_in_view(ctx, request, ctx.next_occasion(vm), view)
    ctx.note("", cloud.vms.names[vm], "host", request.strategy, decision)
    if not isinstance(decision, Placed):
        return Outcome(vm, decision.error)
    ledger.hosts.hold_target(vm, decision.host)
    yield Work("migrate", ("host", decision.host), cloud.vms.memory[vm], vm)
    source = cloud.vms.host[vm]
    lost = host_lost(ctx.cloud, decision.host)
    if lost is not None or cloud.vms.state_name(vm) != "Running":
        ledger.hosts.end_target(vm, "rollback")
        settle_lost(ctx, vm)
        return Outcome(vm, lost or operation_error("the VM was lost while it moved", "vm.state"))
    ledger.hosts.move_hold(vm)
    ledger.vms.set(vm, host=decision.host, last_host=source, cluster=cloud.fleet.cluster[decision.host])
    for volume in volumes_of(cloud, vm):
        if cloud.volumes.host[volume] == source:
            ledger.volumes.set(
                volume, space=ledger.space.move(cloud.volumes.space[volume], decision.host), host=decision.host
            )
    return Outcome(vm)
