"""Start a stopped or only recorded VM, stop, reboot, pause.

Rule: rules/host-selection.md#start, rules/host-capacity.md#return.
"""

from __future__ import annotations

from msgspec.structs import replace

from simclone.allocator.host.request import START, HostRequest
from simclone.allocator.host.strategies import DESIGNATED, LEAST_VM
from simclone.allocator.rules import quota
from simclone.engine.context import Context, Outcome, operation_error, wrapped
from simclone.engine.operations.create_vm import start_new, stop_row
from simclone.engine.start_workflow import run_stages
from simclone.engine.waits import Work, Workflow
from simclone.model.cloud import Cloud
from simclone.model.vms import NONE
from simclone.placement.search import bindings
from simclone.placement.start_stages import LATER_START, Start
from simclone.records import ErrorCode
from simclone.vocabulary import VmState

START_FAILED = "VM.1001"


def wrong_state(cloud: Cloud, vm: int, operation: str) -> ErrorCode:
    """The error of an operation that a VM's state does not allow."""
    state = cloud.vms.state_name(vm)
    cause = ErrorCode(code="VM.1010", details=f"the VM is {state}", reason="vm.state")
    return operation_error(f"{operation} is not possible for a VM in state {state}", "vm.state", cause)


def volumes_of(cloud: Cloud, vm: int) -> list[int]:
    """The VM's volumes that lie on a storage."""
    return [row for row in cloud.vms.volumes[vm] if cloud.volumes.storage[row] != NONE]


def existing_request(cloud: Cloud, vm: int, operation: str, strategy: str | None) -> HostRequest:
    """What a VM that has volumes asks the host allocator."""
    table, shape, volumes = cloud.vms, cloud.vms.shape_of(vm), cloud.volumes
    storages = frozenset(volumes.storage[row] for row in volumes_of(cloud, vm))
    local = frozenset(volumes.host[row] for row in volumes_of(cloud, vm)) - {NONE}
    sizes = [row for row in volumes_of(cloud, vm) if volumes.host[row] != NONE]
    root, group = table.root[vm], table.group[vm]

    def known(row: int) -> int | None:
        return None if row == NONE else row

    return HostRequest(
        cpu=table.cpu[vm],
        memory=table.memory[vm],
        strategy=strategy,
        vm=vm,
        account=table.account[vm],
        operation=operation,
        volume_sizes=sum(volumes.size[row] for row in sizes),
        snapshot_sizes=sum(cloud.snapshots.size[s] for row in sizes for s in volumes.snapshots.get(row, ())),
        l3s=tuple(cloud.nics.l3[nic] for nic in cloud.vms.nics[vm]),
        image=shape.image,
        architecture=shape.architecture,
        hypervisor=shape.hypervisor_type or _hypervisor(cloud, vm),
        required_storages=storages,
        vm_cluster=known(table.cluster[vm]),
        last_host=known(table.last_host[vm]),
        current_host=known(table.host[vm]),
        root_storage=known(volumes.storage[root]) if root != NONE else None,
        volume_storages=storages,
        volume_hosts=local,
        root_ready=root != NONE,
        group=known(group),
        bindings=bindings(cloud, shape.tags),
        tags=shape.tags,
    )


def _hypervisor(cloud: Cloud, vm: int) -> str | None:
    cluster = cloud.vms.cluster[vm]
    return None if cluster == NONE else cloud.clusters[cluster].hypervisor_type


def start_request(cloud: Cloud, vm: int, host: int | None, cluster: int | None) -> HostRequest:
    """The host request of a later start; where it is Designated follows rules/host-selection.md#start."""
    current = cloud.vms.cluster[vm]
    cluster = cluster if host is None else None
    moved = cluster is not None and cluster != current
    has_nic = bool(cloud.vms.nics[vm])
    designated = host is not None or moved or not has_nic
    strategy = DESIGNATED if designated else cloud.vms.shape_of(vm).strategy or LEAST_VM
    request = existing_request(cloud, vm, START, strategy)
    own = None if has_nic or current == NONE or host is not None else current
    target = own if cluster is None else cluster
    return replace(request, host=host, clusters=() if target is None else (target,))


def start_vm(
    ctx: Context, vm: int, *, host: int | None = None, cluster: int | None = None, asker: int | None = None
) -> Workflow[Outcome]:
    """The API call; *asker* is the account that asks when it is not the administrator."""
    cloud = ctx.cloud
    state = cloud.vms.state_name(vm)
    if state not in ("Stopped", "Created"):
        return Outcome(vm, wrong_state(cloud, vm, "start"))
    cpu, memory = cloud.vms.cpu[vm], cloud.vms.memory[vm]
    if asker is not None and asker >= 0:
        error = quota.refusal(cloud, cloud.vms.account[vm], quota.start_asks(cpu, memory))
        if error is not None:
            return Outcome(vm, error)
    if state == "Created":
        wish = cloud.vms.wishes[vm]
        if host is not None or cluster is not None:
            wish = replace(wish, host=host, cluster=cluster)
            ctx.ledger.set_wish(vm, wish)
        failed = yield from start_new(ctx, vm, cloud.vms.names[vm])
    else:
        failed = yield from restart(ctx, vm, start_request(cloud, vm, host, cluster))
    return Outcome(vm, None if failed is None else wrapped(START_FAILED, failed))


def restart(ctx: Context, vm: int, request: HostRequest) -> Workflow[ErrorCode | None]:
    """Start a VM that has volumes; when it fails it stays as it was."""
    ledger, vms = ctx.ledger, ctx.cloud.vms
    before = {"state": vms.state[vm], "host": vms.host[vm], "last_host": vms.last_host[vm], "cluster": vms.cluster[vm]}
    ledger.vms.set(vm, state=VmState.STARTING)
    start = Start(ledger, vm, vms.wishes[vm], ctx.next_occasion(vm), request)
    error = yield from run_stages(ctx, LATER_START, start, "")
    ledger.vms.set(vm, **({"state": VmState.RUNNING} if error is None else before))
    return error


def stop_vm(ctx: Context, vm: int) -> Workflow[Outcome]:
    """Stop a running or paused VM; its host's capacity returns at once."""
    if ctx.cloud.vms.state_name(vm) not in ("Running", "Paused", "Unknown"):
        return Outcome(vm, wrong_state(ctx.cloud, vm, "stop"))
    yield Work("stop", ("host", ctx.cloud.vms.host[vm]), vm=vm)
    stop_row(ctx, vm)
    return Outcome(vm)


def reboot_vm(ctx: Context, vm: int) -> Workflow[Outcome]:
    """Restart a running VM in place."""
    if ctx.cloud.vms.state_name(vm) != "Running":
        return Outcome(vm, wrong_state(ctx.cloud, vm, "reboot"))
    yield Work("reboot", ("host", ctx.cloud.vms.host[vm]), vm=vm)
    return Outcome(vm)


def pause_vm(ctx: Context, vm: int) -> Workflow[Outcome]:
    """Suspend a running VM on its host; it keeps everything."""
    if ctx.cloud.vms.state_name(vm) != "Running":
        return Outcome(vm, wrong_state(ctx.cloud, vm, "pause"))
    yield Work("pause", ("host", ctx.cloud.vms.host[vm]), vm=vm)
    ctx.ledger.vms.set(vm, state=VmState.PAUSED)
    return Outcome(vm)
