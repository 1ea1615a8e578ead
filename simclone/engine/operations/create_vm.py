"""Create one VM: API checks, the row, and its first start (rules/vm-life.md#create)."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from simclone.allocator.rules import quota
from simclone.engine.context import Context, Outcome, invalid_argument, operation_error, wrapped
from simclone.engine.start_workflow import run_stages
from simclone.engine.waits import Work, Workflow, run_now
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, Shape, Wish
from simclone.model.vms import NONE
from simclone.placement.start_stages import FIRST_START, Start
from simclone.records import ErrorCode
from simclone.vocabulary import HostState, Status, VmState


class NewVm(Struct, frozen=True):
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
    vm = ledger.vms.add(
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
    ledger.set_wish(vm, new.wish)
    if new.group is not None:
        ledger.vms.join_group(vm, new.group)
    return vm


def create_vm(ctx: Context, new: NewVm, strategy: str = "InstantStart") -> Workflow[Outcome]:
    """The API call: refused before a row exists, or created and (unless JustCreate) started."""
    error = create_refusal(ctx.cloud, new, strategy)
    if error is not None:
        return Outcome(NONE, error)
    wish = replace(new.wish, paused=strategy == "CreateStopped")
    vm = add_row(ctx, replace(new, wish=normalised(ctx.cloud, new.shape, wish)))
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
        return replace(wish, cluster=None, zone=None)
    if wish.cluster is not None:
        return replace(wish, zone=None)
    if wish.zone is None and shape.l3s:
        return replace(wish, zone=cloud.l3s[shape.l3s[0]].zone)
    return wish


def create_refusal(cloud: Cloud, new: NewVm, strategy: str) -> ErrorCode | None:
    """The API's checks before anything exists (rules/quotas.md#api-check, rules/states.md#effect)."""
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
    ledger.vms.set(vm, state=VmState.STARTING)
    start = Start(ledger, vm, wish, ctx.identity(vm), announce=ctx.announce if ctx.watch is not None else None)
    error = yield from run_stages(ctx, FIRST_START, start, request)
    if error is not None:
        ledger.vms.set(vm, state=VmState.CREATED)
        ledger.vms.remove(vm)
        return error
    last = NONE if wish.cloned else cloud.vms.host[vm]
    ledger.vms.set(vm, state=VmState.PAUSED if wish.paused else VmState.RUNNING, last_host=last)
    return None


def settle_lost(ctx: Context, vm: int) -> None:
    """A VM lost with its host, found after the host came back: it is Stopped, as the others of that host are."""
    host = ctx.cloud.vms.host[vm]
    if ctx.cloud.vms.state_name(vm) == "Unknown" and host != NONE and ctx.cloud.fleet.status[host] == CONNECTED:
        stop_row(ctx, vm)


def vms_on(ctx: Context, host: int) -> list[int]:
    """VM rows on a host, oldest first."""
    vms = ctx.cloud.vms
    result: list[int] = np.flatnonzero((vms.array(vms.host) == host) & (vms.array(vms.alive) == 1)).tolist()
    return result


def stop_row(ctx: Context, vm: int) -> None:
    """Return the host's capacity; the VM remembers the host as its last."""
    host = ctx.cloud.vms.host[vm]
    ctx.ledger.hosts.end(vm, "stop")
    ctx.ledger.vms.set(vm, state=VmState.STOPPED, host=NONE, last_host=host)


def create_now(ctx: Context, new: NewVm, strategy: str = "InstantStart") -> Outcome:
    """`create_vm` without a clock."""
    return run_now(create_vm(ctx, new, strategy))
