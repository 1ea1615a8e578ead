"""Affinity membership and state, limits, address ranges, cards, image and backup storage state."""

from __future__ import annotations

from simclone.allocator.rules.affinity import enable_refusal, join_refusal
from simclone.chance import Identity
from simclone.engine.context import Context, Outcome, invalid_argument, operation_error
from simclone.model.inventory import IpRange
from simclone.model.settings import QUOTA_DEFAULTS
from simclone.placement.start_stages import take_address
from simclone.records import ErrorCode
from simclone.vocabulary import ObjectState


def add_vm_to_affinity_group(ctx: Context, group: int, vm: int) -> Outcome:
    """Make a VM a member, if the rules allow it now (rules/affinity.md#membership)."""
    refused = join_refusal(ctx.cloud, group, vm)
    if refused is not None:
        return Outcome(vm, operation_error(refused, "affinity.join"))
    ctx.ledger.vms.join_group(vm, group)
    return Outcome(vm)


def remove_vm_from_affinity_group(ctx: Context, group: int, vm: int) -> Outcome:
    """End a membership; only Running and Stopped members can leave."""
    if vm not in ctx.cloud.groups[group].members:
        return Outcome(vm, operation_error("the VM is not in the group", "affinity.leave"))
    if ctx.cloud.vms.state_name(vm) not in ("Running", "Stopped"):
        return Outcome(vm, operation_error("only a running or stopped VM can leave a group", "affinity.leave"))
    ctx.ledger.vms.leave_group(vm)
    return Outcome(vm)


def change_affinity_group_state(ctx: Context, group: int, event: str) -> Outcome:
    """Enable or disable; enabling a hard group checks its running members first."""
    refused = enable_refusal(ctx.cloud, group) if event == "enable" else None
    if refused is not None:
        return Outcome(group, operation_error(refused, "affinity.enable"))
    ctx.ledger.set_group(group, enabled=event == "enable")
    return Outcome(group)


def set_group_policy(ctx: Context, group: int, policy: str) -> Outcome:
    """Set the policy of an affinity group, whatever its members."""
    ctx.ledger.set_group(group, policy=policy)
    return Outcome(group)


def drop_host_rule(ctx: Context, group: int) -> Outcome:
    """Take away the VM-host rule of an affinity group."""
    ctx.ledger.set_group(group, host_rule=None)
    return Outcome(group)


def attach_l2_network(ctx: Context, l2: int, cluster: int) -> Outcome:
    """Make a layer-2 network reach a cluster."""
    ctx.ledger.attach_l2(l2, cluster)
    return Outcome(l2)


def update_quota(ctx: Context, account: int, name: str, value: int) -> Outcome:
    """Change a limit of an account."""
    if name not in QUOTA_DEFAULTS:
        return Outcome(account, invalid_argument(f"unknown quota {name!r}"))
    ctx.ledger.set_limit(account, name, value)
    return Outcome(account)


def add_ip_range(ctx: Context, l3: int, start: int, end: int) -> Outcome:
    """Add a range to a network; it must not overlap another."""
    pool = ctx.cloud.pools[l3]
    if start > end or any(start <= range_.end and range_.start <= end for range_ in pool.ranges):
        return Outcome(l3, invalid_argument("the range is reversed or overlaps another"))
    uuid = ctx.cloud.born("ipRange", len(pool.ranges))
    ctx.ledger.addresses.add_range(l3, IpRange(uuid, start, end))
    return Outcome(l3)


def allocate_ip(ctx: Context, l3: int) -> int | ErrorCode:
    """Take one address of a network, for no card."""
    identity = Identity("api", ctx.next_ordinal("api"))
    return take_address(ctx.ledger, l3, None, ctx.cloud.chance.key(identity, "ip"))


def release_ip(ctx: Context, l3: int, ip: int) -> Outcome:
    """Give an address back."""
    if ip not in ctx.cloud.pools[l3].used:
        return Outcome(l3, operation_error("the address is not taken", "ip.free"))
    ctx.ledger.addresses.end(l3, ip, "release")
    return Outcome(l3)


def detach_l3_network(ctx: Context, vm: int, l3: int) -> Outcome:
    """Take away a VM's card on a network."""
    for nic in ctx.cloud.vms.nics[vm]:
        if ctx.cloud.nics.l3[nic] == l3:
            ctx.ledger.addresses.remove_card(nic, "detach")
            return Outcome(vm)
    return Outcome(vm, operation_error("the VM has no card on that network", "network.nic"))


def change_image_state(ctx: Context, image: int, event: str) -> Outcome:
    """Enable or disable an image."""
    name = ctx.cloud.images[image].name
    ctx.ledger.set_state(
        ctx.cloud.image_states, image, ObjectState.ENABLED if event == "enable" else ObjectState.DISABLED, name, event
    )
    return Outcome(image)


def change_backup_storage_state(ctx: Context, row: int, event: str) -> Outcome:
    """Enable or disable a backup storage."""
    ctx.ledger.set_backup(row, state=ObjectState.ENABLED if event == "enable" else ObjectState.DISABLED)
    return Outcome(row)
