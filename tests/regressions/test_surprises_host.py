"""Surprises 1 to 9 of host allocation: which strategy runs, what it counts, what is returned, what fits.

The other numbers stand in the files beside this one; the last test sees that none is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simclone.allocator.host.request import MIGRATE, HostRequest
from simclone.records import Placed
from simclone.units import GIB, MIB
from tests.regressions.host_worlds import (
    DEFAULT,
    DESIGNATED,
    LAST_HOST,
    LEAST,
    LOCAL_MIGRATE,
    MEMORY_RATIO,
    RESERVED,
    SEEDS,
    STOPPED_AWARE,
    Doc,
    World,
    audit_opened,
    chances,
    host,
    hosts_of,
    local,
    nfs,
    offering,
    standing,
    stopped,
    world,
)

EXCEPTIONS: dict[int, str] = {}
"""Numbers the program cannot show, each with its reason; at most five."""


@pytest.fixture(autouse=True)
def audited() -> Iterator[None]:
    """Every world a test opened is audited."""
    yield
    audit_opened()


# -- 1 to 5: who is chosen -----------------------------------------------------------------------------------------


def raw(seed: int) -> World:
    """Two hosts, one with five VMs, and a VM made of plain numbers that the allocator has placed."""
    plain = {"name": "raw", "cpuNum": 1, "memorySize": GIB, "image": "image", "l3Networks": ["l3"]}
    return World(world([host("h1"), host("h2")], vms=[standing("old", "h1", 5), plain]), seed)


def test_surprise_01_no_offering_vm_is_placed_at_random() -> None:
    """A VM made from cpuNum and memorySize lands on a full host as readily as on an empty one, until restarted."""
    first = {raw(seed).vm("raw")["host"] for seed in SEEDS}
    assert first == {"h1", "h2"}
    for seed in SEEDS:
        one = raw(seed)
        assert one.last_strategy == DESIGNATED
        assert one.vm("raw")["allocatorStrategy"] is None
        one.done("stop", vm="raw")
        assert one.done("start", vm="raw")["host"] == "h2"
        assert one.last_strategy == LEAST


def test_surprise_01_an_offering_that_names_no_strategy_means_least_vm() -> None:
    """An offering stored without a strategy gets LeastVm, so only a VM without any offering is placed at random."""
    doc = world([host("h1"), host("h2")], instanceOfferings=[offering("small"), offering("plain", strategy=None)])
    assert chances({**doc, "vms": [standing("old", "h1", 5)]}, instanceOffering="plain") == {"h2": len(SEEDS)}


def test_surprise_02_a_vm_without_cards_is_designated() -> None:
    """Without a card the offering's LeastVm is not asked: any host at first, then always the one it was on."""
    doc = world([host("h1"), host("h2")], vms=[standing("old", "h1", 5)])
    assert chances(doc) == {"h2": len(SEEDS)}
    assert set(chances(doc, l3Networks=[], zone="zone")) == {"h1", "h2"}
    for seed in SEEDS:
        one = World(doc, seed)
        for name, cards in (("bare", []), ("carded", ["l3"])):
            made = one.create(name, l3Networks=cards, host="h1")
            assert made["host"] == "h1"
            one.done("stop", vm=name)
        assert one.done("start", vm="bare")["host"] == "h1"
        assert one.last_strategy == DESIGNATED
        assert one.done("start", vm="carded")["host"] == "h2"
        assert one.last_strategy == LEAST


def test_surprise_03_least_vm_counts_rows_not_load() -> None:
    """One row is one VM, however large, paused, unknown or an appliance; stopped ones are not on the host any more."""
    shapes = [offering("small"), offering("huge", 128, 512)]
    large = [host("h1", 1024), host("h2", 1024)]
    big = world(
        large, vms=[standing("huge", "h1", 1, shape="huge"), standing("tiny", "h2", 2)], instanceOfferings=shapes
    )
    assert chances(big) == {"h1": len(SEEDS)}
    tie = world([host("h1", 1024), host("h2", 4)])
    assert set(chances(tie)) == {"h1", "h2"}
    for seed in SEEDS:
        one = World(world([host("h1"), host("h2")], vms=[standing("old", "h2", 2)]), seed)
        for name, kind in (("a", "UserVm"), ("b", "ApplianceVm"), ("c", "UserVm")):
            assert one.create(name, host="h1", type=kind)["ok"]
        one.done("pause", vm="a")
        assert one.create("new-1")["host"] == "h2"  # 2 against 3 rows
        one.done("stop", vm="a")
        one.done("stop", vm="c")
        assert one.create("new-2")["host"] == "h1"  # 3 against 1


def test_surprise_03_a_fresh_host_takes_a_whole_burst() -> None:
    """Until the counts are level every new VM goes to the empty host, large or small."""
    doc = world([host("h1", 512), host("h2", 512), host("fresh", 8)])
    doc["vms"] = [standing("one", "h1", 6), standing("two", "h2", 6)]
    for seed in SEEDS:
        assert hosts_of(World(doc, seed).burst("new", 6)) == ["fresh"] * 6


def test_surprise_04_stopped_aware_ignores_running_vms() -> None:
    """Only stopped VMs that remember a host count against it; equal hosts are taken in hash order, not by chance."""
    shapes = [offering("small"), offering("aware", strategy=STOPPED_AWARE)]
    doc = world([host("h1"), host("h2")], vms=[standing("on", "h1", 9), stopped("off", "h2")], instanceOfferings=shapes)
    assert chances(doc) == {"h2": len(SEEDS)}
    assert chances(doc, instanceOffering="aware") == {"h1": len(SEEDS)}
    # buckets of these uuids in a HashMap of 16: h1 9, h2 2, h3 10 (String.hashCode xor its high half)
    hosts = [host(f"h{n}", 5, uuid=letter * 32) for n, letter in enumerate("bef", 1)]
    for seed in SEEDS:
        equal = World(world(hosts, instanceOfferings=shapes), seed)
        placed = hosts_of(equal.burst("new", 12, instanceOffering="aware"))
        assert placed == ["h2"] * 5 + ["h1"] * 5 + ["h3"] * 2


@pytest.mark.parametrize(
    ("memory", "config", "winner"),
    [
        (5, {}, "h1"),
        (6, {}, "h2"),  # 10 > 4 + 6 does not hold
        (6, {MEMORY_RATIO: 2.0}, "h2"),  # nor does over-provisioning make it hold
        (5, {RESERVED: 4 * GIB}, "h1"),  # 10 > 4 + 5 holds although 4 of the 10 are reserved
    ],
)
def test_surprise_04_stopped_aware_tests_raw_capacity_strictly(memory: int, config: Doc, winner: str) -> None:
    """A host must have strictly more bytes than its stopped VMs and the new one need, ratio and reserve left out."""
    shapes = [offering("small"), offering("four", 1, 4), offering("new", 1, memory, STOPPED_AWARE)]
    hosts = [host("h1", 10), host("h2", 64)]
    doc = world(hosts, config=config, instanceOfferings=shapes)
    doc["vms"] = [stopped("four", "h1", shape="four"), stopped("two", "h2", 2)]
    assert chances(doc, instanceOffering="new") == {winner: len(SEEDS)}


def avoiding(seed: int, doc: Doc, avoided: set[str], **more: Any) -> list[str]:
    """The order of hosts with some softly avoided."""
    one = World(doc, seed)
    return one.order(HostRequest(1, GIB, l3s=(0,), soft_avoid=frozenset(one.row("host", h) for h in avoided), **more))


def test_surprise_05_soft_avoid_needs_a_sorter_after_it() -> None:
    """Softly avoided hosts are passed over under LeastVm only; under the others the order stays the drawn one."""
    doc = world([host("h1"), host("h2")], vms=[standing("old", "h2", 3)])
    assert {avoiding(seed, doc, {"h1"}, strategy=LEAST)[0] for seed in SEEDS} == {"h2"}
    for strategy in (DEFAULT, DESIGNATED, LAST_HOST):
        orders = [avoiding(seed, doc, {"h1"}, strategy=strategy) for seed in SEEDS]
        assert orders == [avoiding(seed, doc, set(), strategy=strategy) for seed in SEEDS]
        assert {order[0] for order in orders} == {"h1", "h2"}
    shares = world([host("h1"), host("h2")], primaryStorages=[local("disk", {"h1": 500, "h2": 500})])
    shares["vms"] = [standing("old", "h2", 3, "disk")]
    move: Doc = {
        "strategy": LOCAL_MIGRATE,
        "operation": MIGRATE,
        "root_storage": 0,
        "required_storages": frozenset({0}),
    }
    assert {avoiding(seed, shares, {"h1"}, **move)[0] for seed in SEEDS} == {"h1"}


def test_surprise_05_a_fully_avoided_tier_still_leads() -> None:
    """When every host of the best storage tier is to be avoided, sorting ends and just these hosts come first."""
    doc = world(
        [host("c1", cluster="ceph"), host("c2", cluster="ceph"), host("n1", cluster="plain")],
        clusters=[{"name": "ceph"}, {"name": "plain"}],
        primaryStorages=[nfs("rbd", 9000, "ceph", kind="Ceph", cephFsid="f"), nfs("nfs", 9000, "plain")],
        backupStorages=[{"name": "store", "type": "Ceph", "cephFsid": "f"}],
        vms=[standing("old", "c1", 5, "rbd")],
    )
    orders = [avoiding(seed, doc, {"c1", "c2"}, strategy=LEAST, image=0) for seed in SEEDS]
    assert {order[2] for order in orders} == {"n1"}
    assert {order[0] for order in orders} == {"c1", "c2"}  # nor are their VMs counted any more
    assert {avoiding(seed, doc, set(), strategy=LEAST, image=0)[0] for seed in SEEDS} == {"c2"}


# -- 6 to 8: what is lost ------------------------------------------------------------------------------------------


def split(used: int = 0, **parts: Any) -> Doc:
    """Cluster one: a host of 10 vCPUs before two storages of 30 GiB. Cluster two: a fuller host before a large one."""
    shapes = [offering("small"), offering("used", 1, 8), offering("new", 3, 4)]
    return world(
        [host("h1", 64, cpu=1, cluster="one"), host("h2", 64, cluster="two")],
        clusters=[{"name": "one"}, {"name": "two"}],
        primaryStorages=[nfs("left", 30, "one"), nfs("right", 30, "one"), nfs("big", 900, "two")],
        images=[{"name": "image", "size": 40 * GIB}, {"name": "little", "size": GIB}],
        instanceOfferings=shapes,
        vms=[
            standing("used", "h1", used, "left", "used", image="little"),
            standing("old", "h2", used + 1, "big", image="little"),
        ][not used :],
        **parts,
    )


def test_surprise_06_a_host_whose_storage_fails_is_not_replaced() -> None:
    """Two half-empty storages together pass the host filter; that neither takes the disk fails the VM, not the host.

    Rule: rules/primary-storage.md#failed-storage-fails-the-vm.
    """
    for seed in SEEDS:
        one = World(split(), seed)
        answer = one.create("new")
        assert (answer["errorCode"], answer["rootErrorCode"], answer["reason"]) == (
            "SYS.1006",
            "SYS.1006",
            "storage.virtual",
        )
        (record,) = [made for made in one.ctx.decisions if made.subject == "new"]
        assert isinstance(record.decision, Placed)
        assert one.cloud.fleet.names[record.decision.host] == "h1"
        assert one.per_host() == {"h1": 0, "h2": 1}
        assert one.create("there", cluster="two")["host"] == "h2"


def test_surprise_06_local_and_shared_storage_are_tried_in_turn() -> None:
    """In a cluster with local and shared storage the next combination is tried after one failed.

    Rule: rules/primary-storage.md#failed-storage-fails-the-vm.
    """
    one = World(mixed(900))
    made = one.create("new")
    assert (made["host"], made["rootVolume"]["primaryStorage"]) == ("h1", "nfs")
    tried = [record.decision for record in one.ctx.decisions if record.subject == "new"]
    assert [decision.host for decision in tried if isinstance(decision, Placed)] == [0, 0]


def mixed(shared: int, **parts: Any) -> Doc:
    """One usable host whose 45 GiB of local disk hold a root of 40 GiB but not its image of 10 GiB, and an NFS.

    A disabled host's local disk makes the sum large enough for the host filter.
    """
    return world(
        [host("h1", 64), host("h2", 64, state="Disabled")],
        primaryStorages=[local("disk", {"h1": 45, "h2": 100}), nfs("nfs", shared)],
        images=[{"name": "image", "size": 40 * GIB, "actualSize": 10 * GIB}, {"name": "little", "size": GIB}],
        instanceOfferings=[offering("small", 1, 4), offering("used", 1, 16)],
        vms=[standing("used", "h1", 1, "nfs", "used", image="little")],
        **parts,
    )


def test_surprise_07_a_storage_failure_returns_the_host_twice() -> None:
    """Both rollbacks give the capacity back: memory grows by one VM until the total, CPU is cut off at the total.

    Rule: rules/host-capacity.md#double-return.
    """
    one = World(split(1))
    assert one.free("h1") == (9, 56 * GIB)
    for after in ((10, 60 * GIB), (10, 64 * GIB), (10, 64 * GIB)):
        assert one.create("new", instanceOffering="new")["reason"] == "storage.virtual"
        assert one.free("h1") == after
    one.done("updateGlobalConfig", key=RESERVED, value=GIB)  # every recalculation heals it
    assert one.free("h1") == (9, 56 * GIB)
    honest = World(split(1, fidelity={"doubleReturn": False}))
    assert not honest.create("new", instanceOffering="new")["ok"]
    assert honest.free("h1") == (9, 56 * GIB)


def test_surprise_07_a_later_combination_returns_the_host_a_third_time() -> None:
    """When the next combination finds no host, the host of the one before is returned once more.

    Rule: rules/host-capacity.md#double-return.
    """
    one = World(mixed(12))
    before = one.free("h1")
    assert before == (159, 48 * GIB)
    answer = one.create("new")
    assert (answer["errorCode"], answer["reason"]) == ("SYS.1006", "storage.imageCache")  # the first one's error
    assert one.free("h1") == (160, 56 * GIB)


def test_surprise_08_a_return_is_all_or_nothing() -> None:
    """One byte of rounding above the total and the last VM to leave gives neither its memory nor its CPU back.

    Rule: rules/host-capacity.md#all-or-nothing-return.
    """
    each, both = 715_827_883, 1_431_655_765  # GIB / 1.5 and 2 * GIB / 1.5, rounded
    doc = world([host("h1", 64)], config={MEMORY_RATIO: 1.5})
    plain = World(doc)
    recalculated = World(doc)
    for one in (plain, recalculated):
        one.burst("vm", 2)
        assert one.free("h1") == (158, 64 * GIB - 2 * each)
    recalculated.done("updateGlobalConfig", key=RESERVED, value=MIB)
    assert recalculated.free("h1") == (158, 64 * GIB - both)
    for one in (plain, recalculated):
        one.done("stop", vm="vm-1")
        one.done("stop", vm="vm-2")
    assert plain.free("h1") == (160, 64 * GIB)
    assert recalculated.free("h1") == (159, 64 * GIB - both + each)


# -- 9: what fits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "fitting", "left"),
    [
        (1.0, 7, 8_589_934_592),
        (1.2, 9, 4_294_967_293),
        (1.5, 11, 5_726_623_065),
        (2.0, 15, 4_294_967_296),
        (3.0, 23, 2_863_311_523),
    ],
)
def test_surprise_09_the_ratio_multiplies_what_the_reserve_leaves(ratio: float, fitting: int, left: int) -> None:
    """A host of 64 GiB with 1 GiB reserved holds ratio × 63 GiB of VMs, not ratio × 64 GiB less one.

    Rule: rules/host-capacity.md#ratio-leaves-the-reserve.
    """
    shapes = [offering("small", 1, 8)]
    one = World(world([host("h1", 64)], config={MEMORY_RATIO: ratio, RESERVED: GIB}, instanceOfferings=shapes))
    answers = one.burst("vm", int(8 * ratio) + 1)
    assert [answer["ok"] for answer in answers] == [True] * fitting + [False] * (len(answers) - fitting)
    assert one.free("h1") == (160 - fitting, left)


# -- the list ------------------------------------------------------------------------------------------------------


def test_every_surprise_is_tested_or_excepted() -> None:
    """Each of the thirty numbers has a test whose name says it, or stands among the exceptions, never both."""
    files = Path(__file__).parent.glob("test_surprises_host*.py")
    tested = {
        int(number)
        for file in files
        for number in re.findall(r"^def test_surprise_(\d\d)_", file.read_text("utf-8"), re.M)
    }
    assert sorted([*tested, *EXCEPTIONS]) == list(range(1, 31))
    assert len(EXCEPTIONS) <= 5
