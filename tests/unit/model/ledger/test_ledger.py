"""The ledger: holds with one end, ZStack's returns and their drift, recalculation, trial and fork."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simclone.engine.context import Context
from simclone.engine.operations.settings import update_global_config
from simclone.errors import InvariantViolation
from simclone.model.inventory import Shape
from simclone.units import GIB, divided
from tests.clouds import Doc, differing, dump, opened

NONE = -1


def cloud_of(ratio: float = 1.0, *, memory: int = 64 * GIB, cores: int = 16, **config: Any) -> Context:
    """Two hosts, one NFS and one local storage, one network; nothing on them."""
    doc: Doc = {
        "globalConfig": {"mevoco.overProvisioning.memory": ratio, **config},
        "hosts": [
            {"name": "h0", "cpuNum": cores, "totalPhysicalMemory": memory},
            {"name": "h1", "cpuNum": cores, "totalPhysicalMemory": memory},
        ],
        "primaryStorages": [
            {"name": "nfs", "type": "NFS", "totalCapacity": 100 * GIB},
            {"name": "local", "type": "LocalStorage", "localHosts": [{"host": "h0", "totalCapacity": 50 * GIB}]},
        ],
        "backupStorages": [{"name": "store", "totalCapacity": 100 * GIB}],
        "images": [{"name": "image", "size": GIB}],
        "l3Networks": [{"name": "l3", "ipRanges": [{"start": "10.0.0.1", "end": "10.0.0.4"}]}],
        "accounts": [{"name": "user"}],
        "affinityGroups": [{"name": "group", "policy": "antiHard"}],
    }
    return opened(doc)


def add_vm(ctx: Context, memory: int = 8 * GIB, cpu: int = 1, account: int = -1) -> int:
    """A VM row without any hold."""
    shape = ctx.cloud.vms.shape_row(Shape(strategy=None, image=None, offering=None, l3s=(), root_size=0))
    return ctx.ledger.vms.add("vm", shape=shape, cpu=cpu, memory=memory, account=account)


def running(ctx: Context, host: int = 0, memory: int = 8 * GIB, cpu: int = 1, account: int = -1) -> int:
    """A VM that runs on a host."""
    vm = add_vm(ctx, memory, cpu, account)
    ctx.ledger.hosts.hold(vm, host)
    ctx.ledger.vms.set(vm, host=host, state=2)
    return vm


def free(ctx: Context, host: int = 0) -> tuple[int, int]:
    """What the allocator reads of a host: vCPUs and bytes."""
    return ctx.cloud.fleet.available_cpu[host], ctx.cloud.fleet.available_memory[host]


def drifts(ctx: Context) -> list[tuple[str, dict[str, int]]]:
    """The drift events: cause, vCPUs and bytes."""
    found = [(one.cause, dict(one.amounts)) for one in ctx.ledger.events if one.kind == "drift"]
    return [(cause, {"cpu": amounts["cpu"], "memory": amounts["memory"]}) for cause, amounts in found]


@pytest.mark.parametrize(
    ("ratio", "fit", "left"),
    [
        (1.0, 7, 8589934592),
        (1.2, 9, 4294967293),
        (1.5, 11, 5726623065),
        (2.0, 15, 4294967296),
        (3.0, 23, 2863311523),
    ],
)
def test_the_vectors_of_ratios_in_the_books(ratio: float, fit: int, left: int) -> None:
    """As many 8 GiB VMs as the rule says leave a 64 GiB host exactly the bytes it says."""
    ctx = cloud_of(ratio)
    for _ in range(fit):
        running(ctx)
    ctx.ledger.check()
    assert free(ctx) == (160 - fit, left)
    assert left - GIB < divided(8 * GIB, ratio), "one more would take the reserve"


def test_a_hold_and_its_end_leave_nothing() -> None:
    """What a VM held comes back to the byte, without drift."""
    ctx = cloud_of(1.2)
    before = free(ctx)
    vm = running(ctx)
    assert free(ctx) == (159, 64 * GIB - 7158278827)
    ctx.ledger.hosts.end(vm, "stop")
    assert free(ctx) == before
    assert not drifts(ctx)
    ctx.ledger.check()


def test_one_owner_holds_one_host_and_ends_it_once() -> None:
    """A second hold, a second end, or removing a VM that holds is a bug and says so."""
    ctx = cloud_of()
    vm = running(ctx)
    with pytest.raises(InvariantViolation, match="already holds"):
        ctx.ledger.hosts.hold(vm, 1)
    with pytest.raises(InvariantViolation, match="holds a host"):
        ctx.ledger.vms.remove(vm)
    ctx.ledger.hosts.end(vm)
    with pytest.raises(InvariantViolation, match="holds no host"):
        ctx.ledger.hosts.end(vm)


def test_double_return_inflates_memory_while_others_occupy_the_host() -> None:
    """The second return of a failed VM adds its bytes again and is recorded as drift.

    Rule: rules/host-capacity.md#double-return.
    """
    ctx = cloud_of()
    running(ctx, cpu=4)
    running(ctx, cpu=4)
    failed = running(ctx, cpu=2)
    ctx.ledger.hosts.end(failed, "rollback")
    ctx.ledger.hosts.return_again(failed, 0)
    assert free(ctx) == (160 - 8 + 2, 64 * GIB - 8 * GIB)
    assert drifts(ctx) == [("doubleReturn", {"cpu": 2, "memory": 8 * GIB})]
    ctx.ledger.check()


def test_double_return_clamps_cpu_at_the_total() -> None:
    """vCPUs never exceed the total, while memory is inflated by a whole VM."""
    ctx = cloud_of()
    running(ctx, cpu=1)
    failed = running(ctx, cpu=3)
    ctx.ledger.hosts.end(failed)
    ctx.ledger.hosts.return_again(failed, 0)
    assert free(ctx) == (160, 64 * GIB)
    assert drifts(ctx) == [("doubleReturn", {"cpu": 1, "memory": 8 * GIB})]
    ctx.ledger.check()


def test_double_return_on_an_empty_host_returns_nothing() -> None:
    """Beyond the total the return throws: neither vCPUs nor bytes come back, and nothing drifts."""
    ctx = cloud_of()
    failed = running(ctx)
    ctx.ledger.hosts.end(failed)
    ctx.ledger.hosts.return_again(failed, 0)
    assert free(ctx) == (160, 64 * GIB)
    assert not drifts(ctx)


def test_return_is_all_or_nothing_at_one_byte_too_much() -> None:
    """After a recalculation of two 1 GiB VMs at ratio 1.5 the last return exceeds by 1 byte: even its CPU is lost."""
    ctx = cloud_of(1.5)
    first, second = running(ctx, memory=GIB, cpu=4), running(ctx, memory=GIB, cpu=4)
    ctx.ledger.hosts.recalculate(0)
    assert drifts(ctx) == [("recalculation", {"cpu": 0, "memory": 1})]
    ctx.ledger.hosts.end(first)
    ctx.ledger.hosts.end(second)
    one = divided(GIB, 1.5)
    assert free(ctx) == (160 - 4, 64 * GIB - divided(2 * GIB, 1.5) + one)
    assert drifts(ctx)[1:] == [("allOrNothingReturn", {"cpu": -4, "memory": -one})]
    ctx.ledger.check()


def test_recalculation_heals_and_says_by_how_much() -> None:
    """Every kind of drift is gone after a recalculation, which is itself an event; a second one is silent."""
    ctx = cloud_of()
    running(ctx)
    running(ctx)
    failed = running(ctx, cpu=2)
    ctx.ledger.hosts.end(failed)
    ctx.ledger.hosts.return_again(failed, 0)
    ctx.ledger.vms.set(failed, host=NONE)
    ctx.ledger.vms.remove(failed)
    ctx.ledger.hosts.recalculate(0)
    assert free(ctx) == (158, 48 * GIB)
    assert drifts(ctx)[-1] == ("recalculation", {"cpu": -2, "memory": -8 * GIB})
    many = len(ctx.ledger.events)
    ctx.ledger.hosts.recalculate(0)
    assert len(ctx.ledger.events) == many
    ctx.ledger.check()


@given(st.integers(1, 12), st.integers(1, 1 << 33), st.sampled_from([1.2, 1.5, 3.0, 1.1]))
def test_recalculation_rounds_once_on_the_sum(many: int, memory: int, ratio: float) -> None:
    """availableMemory becomes total minus one rounding of the sum, not the sum of roundings."""
    ctx = cloud_of(ratio, memory=1 << 40, **{"kvm.reservedMemory": 0})
    for _ in range(many):
        running(ctx, memory=memory)
    ctx.ledger.hosts.recalculate(0)
    assert free(ctx)[1] == (1 << 40) - divided(many * memory, ratio)
    ctx.ledger.check()


def test_recalculation_counts_by_host_and_state() -> None:
    """Rows in Stopped, Created, Destroying and Destroyed are not charged; Paused and Unknown ones are."""
    ctx = cloud_of()
    vms = [running(ctx, memory=GIB) for _ in range(6)]
    for vm, state in zip(vms, (4, 0, 6, 7, 11, 17), strict=True):
        ctx.ledger.vms.set(vm, state=state)
    ctx.ledger.hosts.recalculate(0)
    assert free(ctx) == (158, 62 * GIB)


def test_a_ratio_change_recalculates_and_may_leave_less_than_nothing() -> None:
    """A lower ratio evicts nobody: available memory goes below zero, and totals stay physical.

    Rule: rules/host-capacity.md#ratio-evicts-nobody.
    """
    ctx = cloud_of(3.0, memory=16 * GIB)
    for _ in range(4):
        running(ctx)
    assert update_global_config(ctx, "mevoco.overProvisioning.memory", 1.0).ok
    assert free(ctx)[1] == 16 * GIB - 32 * GIB
    assert ctx.cloud.fleet.total_memory[0] == 16 * GIB
    ctx.ledger.check()


def test_a_ratio_changed_between_hold_and_return_drifts() -> None:
    """What comes back follows the ratio at the time of the return; the difference is drift.

    Rule: rules/host-capacity.md#return.
    """
    ctx = cloud_of(2.0)
    running(ctx)
    vm = running(ctx)
    row = ctx.cloud.fleet.ratio_class_of(4.0)
    ctx.ledger.hosts.set(0, ratio_class=row)
    ctx.ledger.hosts.end(vm)
    assert free(ctx)[1] == 64 * GIB - 8 * GIB + 2 * GIB
    assert drifts(ctx)[0][1] == {"cpu": 0, "memory": -2 * GIB}
    ctx.ledger.check()


def test_a_cpu_ratio_change_moves_totals_at_once() -> None:
    """totalCpu is cores times ratio, availableCpu what is left of it."""
    ctx = cloud_of()
    running(ctx, cpu=7)
    assert update_global_config(ctx, "host.cpu.overProvisioning.ratio", 4).ok
    assert (ctx.cloud.fleet.total_cpu[0], free(ctx)[0]) == (64, 57)
    ctx.ledger.check()


def test_migration_moves_the_hold() -> None:
    """While a VM moves both hosts are charged; afterwards the source is free."""
    ctx = cloud_of()
    vm = running(ctx)
    ctx.ledger.hosts.hold_target(vm, 1)
    assert (free(ctx, 0), free(ctx, 1)) == ((159, 56 * GIB), (159, 56 * GIB))
    ctx.ledger.check()
    ctx.ledger.hosts.move_hold(vm)
    assert (free(ctx, 0), free(ctx, 1)) == ((160, 64 * GIB), (159, 56 * GIB))
    ctx.ledger.check()


def test_counts_follow_state_and_host() -> None:
    """VM rows count on their host in any state; stopped ones count where they ran last."""
    ctx = cloud_of()
    vm = running(ctx, cpu=3)
    assert ctx.cloud.fleet.vm_count[0] == 1
    ctx.ledger.hosts.end(vm)
    ctx.ledger.vms.set(vm, state=4, host=NONE, last_host=0)
    cells = ctx.cloud.fleet.cells
    assert [cells[name][0] for name in ("vm_count", "stopped_count", "stopped_cpu")] == [0, 1, 3]
    assert cells["stopped_memory"][0] == 8 * GIB
    ctx.ledger.vms.remove(vm)
    assert [cells[name][0] for name in ("vm_count", "stopped_count", "stopped_cpu", "stopped_memory")] == [0] * 4


def test_usage_follows_state() -> None:
    """vm.num, cpu and memory count the running, vm.totalNum everything placed that is not destroyed."""
    ctx = cloud_of()
    vm = add_vm(ctx, account=0, cpu=2)
    usage = ctx.cloud.usage[0]
    assert usage[:4] == [0, 0, 0, 0]
    ctx.ledger.vms.set(vm, state=1)
    assert usage[:4] == [0, 0, 0, 0], "Starting without a host does not count"
    ctx.ledger.vms.set(vm, host=0)
    assert usage[:4] == [1, 1, 2, 8 * GIB], "Starting on a host counts"
    ctx.ledger.vms.set(vm, state=2)
    assert usage[:4] == [1, 1, 2, 8 * GIB]
    ctx.ledger.vms.set(vm, host=NONE, last_host=0, state=4)
    assert usage[:4] == [1, 0, 0, 0]
    ctx.ledger.vms.set(vm, state=7)
    assert usage[:4] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("ratio", "exact", "taken"), [(1.0, False, 10), (2.0, False, 5), (2.0, True, 10), (3.0, False, 3)]
)
def test_space_is_divided_by_the_ratio_unless_exact(ratio: float, exact: bool, taken: int) -> None:
    """A hold takes round(size / ratio) of the recorded space; caches and the like take their size."""
    ctx = cloud_of(**{"mevoco.overProvisioning.primaryStorage": ratio})
    number = ctx.ledger.space.hold("owner", 0, 10, exact=exact)
    assert ctx.cloud.storages[0].available == 100 * GIB - taken
    ctx.ledger.check()
    ctx.ledger.space.end(number)
    assert ctx.cloud.storages[0].available == 100 * GIB
    with pytest.raises(InvariantViolation, match="ended twice"):
        ctx.ledger.space.end(number)


def test_local_space_is_charged_to_share_and_storage() -> None:
    """A host's share and the storage's sum move together."""
    ctx = cloud_of()
    one = ctx.cloud.storages[1]
    number = ctx.ledger.space.hold("owner", 1, GIB, host=0)
    assert one.shares is not None
    assert (one.available, one.shares.available[0]) == (49 * GIB, 49 * GIB)
    ctx.ledger.space.end(number)
    assert (one.available, one.shares.available[0]) == (50 * GIB, 50 * GIB)


def test_a_storage_ratio_change_drifts_at_the_end() -> None:
    """What comes back follows the ratio of now (rules/primary-storage.md#reservation); the difference is drift."""
    ctx = cloud_of(**{"mevoco.overProvisioning.primaryStorage": 2.0})
    number = ctx.ledger.space.hold("owner", 0, 8 * GIB)
    update_global_config(ctx, "mevoco.overProvisioning.primaryStorage", 1.0)
    ctx.ledger.space.end(number)
    assert ctx.cloud.storages[0].available == 104 * GIB
    ctx.ledger.check()
    assert ctx.cloud.storages[0].drift == 4 * GIB


def placed_volume(ctx: Context, storage: int, host: int = NONE) -> int:
    """A volume of 1 GiB on a storage."""
    row = ctx.ledger.volumes.add("v", type=1, size=GIB, account=-1)
    ctx.ledger.volumes.place(row, ctx.ledger.space.hold("v", storage, GIB, host=host))
    return row


def test_a_storage_counts_the_volumes_on_it() -> None:
    """One more for each that is placed, one less for each that goes."""
    ctx = cloud_of()
    first, second = placed_volume(ctx, 0), placed_volume(ctx, 0)
    assert ctx.cloud.storages[0].volume_count == 2
    ctx.ledger.volumes.remove(first)
    assert ctx.cloud.storages[0].volume_count == 1
    ctx.ledger.volumes.remove(second)
    assert ctx.cloud.storages[0].volume_count == 0
    ctx.ledger.check()


def test_a_host_that_goes_takes_its_local_share_and_volumes_along() -> None:
    """Only what lies on that host is lost; a volume removed before is not touched again."""
    ctx = cloud_of()
    gone, lost = placed_volume(ctx, 1, 0), placed_volume(ctx, 1, 0)
    ctx.ledger.volumes.remove(gone)
    local = ctx.cloud.storages[1]
    assert local.shares is not None
    ctx.ledger.volumes.forget_share(1, 0)
    volumes = ctx.cloud.volumes
    assert (volumes.storage[lost], volumes.status[lost]) == (NONE, 3)
    assert local.volume_count == 0
    assert (local.shares.present[0], local.shares.available[0]) == (0, 0)
    assert local.available == 0


def test_an_address_has_one_holder() -> None:
    """Taking a taken address, or returning a free one, is a bug and says so."""
    ctx = cloud_of()
    ctx.ledger.addresses.hold(0, 5)
    with pytest.raises(InvariantViolation, match="taken twice"):
        ctx.ledger.addresses.hold(0, 5)
    ctx.ledger.addresses.end(0, 5)
    with pytest.raises(InvariantViolation, match="returned twice"):
        ctx.ledger.addresses.end(0, 5)


@pytest.mark.parametrize("column", ["held_memory", "available_memory", "available_cpu", "drift_cpu"])
def test_check_finds_a_single_wrong_figure(column: str) -> None:
    """One byte written past the ledger is an InvariantViolation."""
    ctx = cloud_of()
    running(ctx)
    ctx.cloud.fleet.cells[column][1] += 1
    with pytest.raises(InvariantViolation, match="of host 1"):
        ctx.ledger.check()


def test_check_finds_a_wrong_storage_figure() -> None:
    """The same for a storage's recorded space and its holds."""
    ctx = cloud_of()
    ctx.cloud.storages[0].available -= 1
    with pytest.raises(InvariantViolation, match="nfs"):
        ctx.ledger.check()


def test_a_trial_undoes_also_when_it_fails() -> None:
    """An exception inside leaves the books as they were and passes on."""
    ctx = cloud_of()
    before = dump(ctx.ledger)

    def fail() -> None:
        vm = running(ctx)
        ctx.ledger.vms.join_group(vm, 0)
        ctx.ledger.addresses.hold(0, 5)
        ctx.ledger.hosts.hold(vm, 1)

    with pytest.raises(InvariantViolation, match="already holds"), ctx.ledger.trial():
        fail()
    assert differing(before, dump(ctx.ledger)) == []
    assert running(ctx) == 0


def test_a_trial_records_no_events_and_marks_touched_hosts() -> None:
    """Events are of the real run only, while hosts a trial wrote on are reported as changed for whoever caches them."""
    ctx = cloud_of()
    ctx.ledger.changed_hosts()
    many = len(ctx.ledger.events)
    with ctx.ledger.trial():
        running(ctx, host=1)
    assert len(ctx.ledger.events) == many
    assert ctx.ledger.changed_hosts() == [1]
    assert ctx.ledger.changed_hosts() == []


def test_a_host_cannot_be_added_inside_a_trial() -> None:
    """Rank order grows for good or on a fork."""
    ctx = cloud_of()
    with pytest.raises(InvariantViolation, match="fork"), ctx.ledger.trial():
        ctx.ledger.hosts.add("f" * 32, "h2", {})


def test_growing_a_table_keeps_every_row() -> None:
    """Beyond the capacity of a table rows and figures stay, in array and scalar face alike."""
    ctx = cloud_of(memory=1 << 50, cores=1000)
    vms = [running(ctx, memory=number) for number in range(1, 200)]
    assert [ctx.cloud.vms.memory[vm] for vm in vms] == list(range(1, 200))
    assert ctx.cloud.vms.array(ctx.cloud.vms.memory).tolist()[-1] == 199
    ctx.ledger.check()
