"""Create one VM: API checks, the row, and its first start (clone-storage-affinity.md 2)."""

from __future__ import annotations

from dataclasses import dataclass

from simclone.allocator.rules import quota
from simclone.engine.allocation import allocation
from simclone.engine.context import Context, Outcome, invalid_argument, operation_error, wrapped
from simclone.engine.waits import Work, Workflow, run_now
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, Shape, Wish
from simclone.model.vms import NONE
from simclone.placement import start_stages as first_start
from simclone.placement.search import Found, host_request, search
from simclone.quick import changed, quick
from simclone.records import ErrorCode, Placed
from simclone.vocabulary import HostState, Status, VmState


@quick
@dataclass(frozen=True, slots=True)
class NewVm:
    """Everything one create needs; *cpu* vCPUs, *memory* bytes, *group* an affinity group's row."""

    name: str
    shape: Shape
    cpu: int
    memory: int
    account: int
    wish: Wish
    group: int | None = None
    source: str = "api"
    ordinal: int = 0
    position: int = 0
    occasion: int = 0


def add_row(ctx: Context, new: NewVm) -> int:
    """The VM's row in state Created, in its group, with nothing reserved."""
    ledger, vms = ctx.ledger, ctx.cloud.vms
    zone = new.wish.zone
    vm = ledger.add_vm(
        new.name,
        shape=vms.shape_row(new.shape),
        account=new.account,
        cpu=new.cpu,
        memory=new.memory,
        zone=NONE if zone is None else zone,
        source=vms.source_row(new.source),
        ordinal=new.ordinal,
        position=new.position,
        occasion=new.occasion,
    )
    ledger.keep(vms.wishes, vm, new.wish)
    if new.group is not None:
        ledger.join_group(vm, new.group)
    return vm


def create_vm(ctx: Context, new: NewVm, strategy: str = "InstantStart") -> Workflow[Outcome]:
    """The API call: refused before a row exists, or created and (unless JustCreate) started."""
    error = create_refusal(ctx.cloud, new, strategy)
    if error is not None:
        return Outcome(NONE, error)
    wish = changed(new.wish, paused=strategy == "CreateStopped")
    vm = add_row(ctx, changed(new, wish=normalised(ctx.cloud, new.shape, wish)))
    if strategy == "JustCreate":
        return Outcome(vm)
    if ctx.slow:
        yield Work("createVm", vm=vm)
    failed = yield from start_new(ctx, vm, new.name)
    if failed is not None:
        return Outcome(NONE, wrapped("SYS.1006", failed))
    if strategy == "CreateStopped":
        stop_row(ctx, vm)
    return Outcome(vm)


def normalised(cloud: Cloud, shape: Shape, wish: Wish) -> Wish:
    """A named host overrides cluster and zone, a cluster the zone; the first network's zone is the default."""
    if wish.host is not None:
        return changed(wish, cluster=None, zone=None)
    if wish.cluster is not None:
        return changed(wish, zone=None)
    if wish.zone is None and shape.l3s:
        return changed(wish, zone=cloud.l3s[shape.l3s[0]].zone)
    return wish


def create_refusal(cloud: Cloud, new: NewVm, strategy: str) -> ErrorCode | None:
    """The API's checks before anything exists (host-allocation.md 5.2 and 6)."""
    shape, wish = new.shape, new.wish
    if strategy not in ("InstantStart", "CreateStopped", "JustCreate"):
        return invalid_argument(f"unknown strategy {strategy!r}")
    named = wish.host is not None or wish.cluster is not None or wish.zone is not None
    if not named and not shape.l3s:
        return invalid_argument("at least one of l3NetworkUuids, zoneUuid, clusterUuid, hostUuid is needed")
    refused = _place_refusal(cloud, wish) or _part_refusal(cloud, shape)
    if refused is not None:
        return operation_error(refused, "request.refused")
    if strategy == "JustCreate":
        return None
    capacity = shape.root_size + sum(disk.size for disk in shape.disks)
    asks = quota.create_asks(new.cpu, new.memory, len(shape.disks), capacity)
    return quota.refusal(cloud, new.account, asks)


def _place_refusal(cloud: Cloud, wish: Wish) -> str | None:
    if wish.zone is not None and cloud.zone_states[wish.zone]:
        return f"zone {cloud.zones[wish.zone].uuid} is Disabled"
    if wish.cluster is not None and cloud.cluster_states[wish.cluster]:
        return f"cluster {cloud.clusters[wish.cluster].uuid} is Disabled"
    if wish.host is not None and cloud.fleet.state[wish.host] == HostState.DISABLED:
        return f"host {cloud.fleet.uuids[wish.host]} is Disabled"
    if wish.host is not None and cloud.fleet.status[wish.host] != Status.CONNECTED:
        return f"host {cloud.fleet.uuids[wish.host]} is not Connected"
    if wish.root_storage is not None and wish.data_storage is not None:
        root, data = (cloud.storages[row] for row in (wish.root_storage, wish.data_storage))
        if not root.clusters & data.clusters:
            return "root and data primary storage have no common cluster"
    return None


def _part_refusal(cloud: Cloud, shape: Shape) -> str | None:
    if shape.image is not None and cloud.image_states[shape.image]:
        return f"image {cloud.images[shape.image].uuid} is not Enabled"
    for l3 in shape.l3s:
        if cloud.l3s[l3].state != "Enabled":
            return f"L3 network {cloud.l3s[l3].uuid} is Disabled"
    if len(set(shape.l3s)) < len(shape.l3s) and not cloud.settings.flag("vm.multivNic.support"):
        return "two cards on one L3 network are not supported"
    return None


def start_new(ctx: Context, vm: int, request: str) -> Workflow[ErrorCode | None]:
    """The first start of a Created row; when it fails everything is undone and the row is removed."""
    ledger, cloud = ctx.ledger, ctx.cloud
    wish = cloud.vms.wishes[vm]
    ledger.set_vm(vm, state=VmState.STARTING)
    error = yield from _stages(ctx, vm, wish, request)
    if error is not None:
        first_start.undo(ledger, vm, "rollback")
        ledger.set_vm(vm, state=VmState.CREATED)
        ledger.remove_vm(vm)
        return error
    last = NONE if wish.cloned else cloud.vms.host[vm]
    ledger.set_vm(vm, state=VmState.PAUSED if wish.paused else VmState.RUNNING, last_host=last)
    return None


def _stages(ctx: Context, vm: int, wish: Wish, request: str) -> Workflow[ErrorCode | None]:
    ledger, cloud, identity, slow = ctx.ledger, ctx.cloud, ctx.identity(vm), ctx.slow
    if wish.fast_host is not None and wish.host not in (None, wish.fast_host):
        text = "creation relies on the image cache of another host"
        return operation_error(text, "storage.fastClone")
    if wish.fast_host is not None:
        wish = changed(wish, host=wish.fast_host)
    backup = first_start.choose_backup(ledger, vm, wish)
    if isinstance(backup, ErrorCode):
        return backup
    seen = None
    if slow:
        work, view = allocation(ctx, vm)
        error = yield from ctx.step(work)
        if error is not None:
            return error
        seen = view.seen
    if ctx.watch is not None:
        ctx.announce(host_request(cloud, vm, wish, backup), seen)
    found = search(ledger, vm, wish, backup, identity, seen)
    if seen is not None and isinstance(found.decisions[-1][1] if found.decisions else None, Placed):
        ctx.count_breaches(found.breaches)
    for asked, decision in found.decisions:
        ctx.note(request, cloud.vms.names[vm], "host", asked.strategy, decision)
    if not isinstance(found.outcome, Found):
        return found.outcome
    first_start.make_volumes(ledger, vm, wish, found.outcome)
    error = first_start.make_nics(ledger, vm, identity)
    if error is None and slow:
        error = yield from ctx.step(Work("allocateAddress", vm=vm))
    error = error or first_start.take_addresses(ledger, vm, wish, identity)
    if error is None and slow:
        error = yield from ctx.step(Work("cacheImage", *first_start.cache_queue(ledger, vm, wish), vm))
    error = error or first_start.cache_image(ledger, vm, wish, identity)
    if error is None and slow:
        error = yield from ctx.step(Work("startOnHypervisor", ("host", found.outcome.host), vm=vm))
    return error or host_lost(ctx, found.outcome.host)


def host_lost(ctx: Context, host: int) -> ErrorCode | None:
    """The error of a start whose host was lost on the way."""
    table = ctx.cloud.fleet
    if table.status[host] == CONNECTED and table.exists[host]:
        return None
    text = f"host {ctx.cloud.fleet.uuids[host]} was lost while the VM was being started on it"
    return ErrorCode("HOST.1010", text, reason="host.lost")


def settle_lost(ctx: Context, vm: int) -> None:
    """A VM lost with its host, found after the host came back: it is Stopped, as the others of that host are."""
    host = ctx.cloud.vms.host[vm]
    if ctx.cloud.vms.state_name(vm) == "Unknown" and host != NONE and ctx.cloud.fleet.status[host] == CONNECTED:
        stop_row(ctx, vm)


def stop_row(ctx: Context, vm: int) -> None:
    """Return the host's capacity; the VM remembers the host as its last."""
    host = ctx.cloud.vms.host[vm]
    ctx.ledger.end_host(vm, "stop")
    ctx.ledger.set_vm(vm, state=VmState.STOPPED, host=NONE, last_host=host)


def create_now(ctx: Context, new: NewVm, strategy: str = "InstantStart") -> Outcome:
    """`create_vm` without a clock."""
    return run_now(create_vm(ctx, new, strategy))
