"""Destroy, expunge and recover VMs (rules/primary-storage.md#reservation, rules/host-capacity.md#return)."""

from __future__ import annotations

from simclone.engine.context import Context, Outcome
from simclone.engine.operations.create_vm import stop_row
from simclone.engine.operations.start_vm import wrong_state
from simclone.engine.waits import Work, Workflow
from simclone.model.vms import NONE, ROOT
from simclone.vocabulary import VmState


def destroy_vm(ctx: Context, vm: int) -> Workflow[Outcome]:
    """End a VM: host and addresses at once, disks by the deletion policy; data volumes are detached and stay."""
    ledger, cloud, vms = ctx.ledger, ctx.cloud, ctx.cloud.vms
    if vms.state_name(vm) == "Destroyed":
        return Outcome(vm, wrong_state(cloud, vm, "destroy"))
    if ctx.slow:
        yield Work("destroy", vm=vm)
    if vms.hold_host[vm] != NONE:
        stop_row(ctx, vm)
    ledger.vms.set(vm, state=VmState.DESTROYED)
    for nic in vms.nics[vm]:
        ledger.addresses.return_address(nic, "destroy")
    kinds = cloud.volumes.type
    for volume in list(vms.volumes[vm]):
        if kinds[volume] != ROOT:
            ledger.volumes.detach(volume)
    if cloud.settings.values["vm.deletionPolicy"] == "Direct" or vms.root[vm] == NONE:
        remove(ctx, vm, "direct")
    return Outcome(vm)


def remove(ctx: Context, vm: int, cause: str) -> None:
    """Take away a destroyed VM with its root volume and cards."""
    ledger, vms = ctx.ledger, ctx.cloud.vms
    for nic in list(vms.nics[vm]):
        ledger.addresses.remove_card(nic, cause)
    for volume in list(vms.volumes[vm]):
        ledger.volumes.remove(volume, cause)
    ledger.vms.remove(vm)


def expunge_vm(ctx: Context, vm: int) -> Workflow[Outcome]:
    """Remove a destroyed VM for good."""
    if ctx.cloud.vms.state_name(vm) != "Destroyed":
        return Outcome(vm, wrong_state(ctx.cloud, vm, "expunge"))
    yield Work("expunge")
    remove(ctx, vm, "expunge")
    return Outcome(vm)


def recover_vm(ctx: Context, vm: int) -> Workflow[Outcome]:
    """Turn a destroyed VM back into a stopped one."""
    if ctx.cloud.vms.state_name(vm) != "Destroyed":
        return Outcome(vm, wrong_state(ctx.cloud, vm, "recover"))
    yield Work("recover")
    ctx.ledger.vms.set(vm, state=VmState.STOPPED)
    return Outcome(vm)
