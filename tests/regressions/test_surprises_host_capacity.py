"""Surprises 10 to 19 of host allocation: what fits, pages and errors, states of hosts and clusters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simclone.api import run
from simclone.engine.operations.hosts import change_cluster_state
from simclone.records import PAGE_MARKER
from simclone.units import GIB
from simclone.vocabulary import VmState
from tests.regressions.host_worlds import (
    CPU_RATIO,
    LAST_HOST,
    MEMORY_RATIO,
    PAGE,
    RESERVED,
    SEEDS,
    Doc,
    World,
    audit_opened,
    chain,
    chances,
    host,
    hosts_of,
    offering,
    standing,
    stopped,
    world,
)

DEAD_SETTINGS: list[Doc] = [
    {},
    {"kvm.reservedCpu": 0},
    {"kvm.reservedCpu": 1_000_000},
    *({f"hostAllocator.reservedCapacity.{level}Level": False} for level in ("zone", "cluster", "host")),
]


@pytest.fixture(autouse=True)
def audited() -> Iterator[None]:
    """Every world a test opened is audited."""
    yield
    audit_opened()


# -- 10 to 13: what fits -------------------------------------------------------------------------------------------


def test_surprise_10_a_vm_must_be_smaller_than_the_host() -> None:
    """A VM as large as the host's memory is refused however high the ratio, but only by the filter, not the reserve.

    Rule: rules/host-capacity.md#smaller-than-the-host.
    """
    shapes = [offering("small"), offering("equal", 1, 8), offering("less", 1, 7)]
    doc = world([host("h1", 16), host("h2", 8)], config={MEMORY_RATIO: 4.0}, instanceOfferings=shapes)
    one = World(doc)
    answer = one.create("equal", instanceOffering="equal", host="h2")
    assert (answer["rootErrorCode"], answer["reason"]) == ("HOST_ALLOCATION.1000", "host.physicalMemory")
    assert hosts_of(one.burst("less", 4, instanceOffering="less", host="h2")) == ["h2"] * 4
    assert one.free("h2") == (156, GIB)
    assert one.create("guest", instanceOffering="equal", host="h1")["host"] == "h1"
    one.done("stop", vm="less-1")
    assert one.done("migrate", vm="guest", host="h2")["host"] == "h2"  # the chain of a migration has no such filter
    assert one.free("h2") == (156, 3 * GIB // 4)
    unchecked = World({**doc, "globalConfig": {**doc["globalConfig"], "hostAllocator.checkHostMem": False}})
    assert unchecked.create("equal", instanceOffering="equal", host="h2")["ok"]


def test_surprise_11_dead_settings_change_nothing() -> None:
    """Reserved CPU and the three switches of the reserve levels stand in the settings and decide nothing.

    Rule: rules/host-capacity.md#dead-settings.
    """
    prints = set()
    for dead in DEAD_SETTINGS:
        hosts = [host("h1", 5, cpu=2), host("h2", 5, cpu=2)]
        doc = world(hosts, config={**dead, RESERVED: GIB}, vms=[standing("source", "h1", 1)])
        one = World(doc)
        for value in (0, GIB):  # taken up anew at a recalculation
            one.done("updateGlobalConfig", key=RESERVED, value=value)
        assert sum(answer["ok"] for answer in one.burst("vm", 9)) == 7  # 2 × (5 - 1) GiB, one taken
        assert (one.free("h1"), one.free("h2")) == ((16, GIB), (16, GIB))
        doc["requests"] = [{"name": "batch", "vm": "source-1", "cloneVmInstance": {"names": list("abcdefghi")}}]
        made = run(doc, seed=3)
        assert made.answers[0].succeeded == 7
        prints.add(made.fingerprint)
    assert len(prints) == 1


def test_surprise_12_threads_are_never_compared() -> None:
    """A VM of 64 vCPUs lands on a host of 16 threads, for only the over-provisioned total counts.

    Rule: rules/host-capacity.md#threads-never-compared.
    """
    shapes = [offering("small"), offering("wide", 64, 1)]
    one = World(world([host("h1", cpu=16)], instanceOfferings=shapes))
    assert [answer["ok"] for answer in one.burst("wide", 3, instanceOffering="wide")] == [True, True, False]
    assert one.free("h1") == (32, 62 * GIB)
    assert one.create("more", instanceOffering="wide")["reason"] == "host.cpu"


@pytest.mark.parametrize(
    ("small_host", "lacking"),
    [
        (host("h2", 4), "host.memory"),
        (host("h2", 64, cpu=1), "host.cpu"),
        (host("h2", 8), "host.reservedMemory"),
    ],
)
def test_surprise_13_migration_lists_ignore_capacity(small_host: Doc, lacking: str) -> None:
    """A host without room is offered as a target, and the migration fails with an error that has no code of its own."""
    shapes = [offering("small"), offering("large", 16, 8)]
    doc = world([host("h1"), small_host], config={RESERVED: GIB}, instanceOfferings=shapes)
    one = World({**doc, "vms": [standing("vm", "h1", 1, shape="large")]})
    assert one.offered("migrate", vm="vm-1")["hosts"] == ["h2"]
    full = one.free("h2")
    answer = one.do("migrate", vm="vm-1")
    assert (answer["ok"], answer["errorCode"], answer["reason"]) == (False, None, lacking)
    assert (one.vm("vm-1")["host"], one.free("h2")) == ("h1", full)
    assert one.offered("create", instanceOffering="large", image="image", l3Networks=["l3"])["hosts"] == ["h1"]
    one.done("changeHostState", host="h1", event="maintain")  # an evacuation stops what it cannot move
    assert one.vm("vm-1")["state"] == "Stopped"


# -- 14 to 16: pages and errors ------------------------------------------------------------------------------------


def paged(limit: int = 2, **config: object) -> Doc:
    """Five hosts in pages of *limit*: the first two carry VMs, the others are empty."""
    shapes = [offering("small"), offering("sticky", strategy=LAST_HOST)]
    doc = world([host(f"h{n}") for n in range(1, 6)], config={PAGE: limit, **config}, instanceOfferings=shapes)
    return {**doc, "vms": [standing("one", "h1", 3), standing("two", "h2", 4), stopped("v", "h4", shape="sticky")]}


def test_surprise_14_the_first_page_with_a_survivor_wins() -> None:
    """Hosts behind the first page are neither compared, nor listed, nor remembered as the last host."""
    new = {"instanceOffering": "small", "image": "image", "l3Networks": ["l3"]}
    for seed in SEEDS:
        one = World(paged(), seed)
        assert one.create("new")["host"] == "h1"  # 3 VMs against 4, and 0 on page two
        assert sorted(one.offered("create", **new)["hosts"]) == ["h1", "h2"]
        assert one.done("start", vm="v-1")["host"] in ("h1", "h2")
        assert one.pages() == [0]
        for name in ("h1", "h2"):
            one.done("changeHostState", host=name, event="disable")
        assert one.create("late")["host"] in ("h3", "h4")
        assert one.pages() == [0, 1]
        whole = World(paged(limit=5), seed)
        assert whole.create("new")["host"] in ("h3", "h4", "h5")
        assert whole.done("start", vm="v-1")["host"] == "h4"
        unpaged = World(paged(**{"hostAllocator.usePagination": False}), seed)
        assert unpaged.create("new")["host"] in ("h3", "h4", "h5")


def test_surprise_14_a_page_is_500_hosts() -> None:
    """With the shipped limit the 501st host is not offered to anybody while one of the first 500 will do."""
    doc = world([host("h{n:03}", count=501)])
    one = World(doc)
    found = one.offered("create", instanceOffering="small", image="image", l3Networks=["l3"])
    assert (found["count"], "h501" in found["hosts"]) == (500, False)


def test_surprise_15_every_failure_speaks_of_pagination() -> None:
    """Three levels even for one host, the reason in the innermost; what was short is the same text for all causes."""
    shapes = [offering("small"), offering("new", 4, 8)]
    cases = {
        "host.cpu": world([host("h1", 64, cpu=3)], config={CPU_RATIO: 1}, instanceOfferings=shapes),
        "host.memory": world([host("h1", 64)], vms=[standing("vm", "h1", 60)], instanceOfferings=shapes),
        "host.physicalMemory": world([host("h1", 8)], instanceOfferings=shapes),
        "host.reservedMemory": world([host("h1", 64)], config={RESERVED: 60 * GIB}, instanceOfferings=shapes),
    }
    texts = set()
    for reason, doc in cases.items():
        error = World(doc).error("new", instanceOffering="new")
        assert chain(error) == ["SYS.1006", "HOST_ALLOCATION.1000", PAGE_MARKER]
        assert error.root.cause is None
        assert (error.root_code, error.root_reason) == ("HOST_ALLOCATION.1000", reason)
        texts.add(tuple(one.details for one in error.chain()))
        off = {**doc, "globalConfig": {**doc["globalConfig"], "hostAllocator.usePagination": False}}
        assert chain(World(off).error("new", instanceOffering="new")) == ["SYS.1006", "HOST_ALLOCATION.1000"]
    assert len(texts) == 1
    networks = {"l2Networks": [{"name": "l2", "attachedClusters": []}]}
    first = World(world([host("h1")], **networks)).error("new")
    assert (chain(first), first.root_reason) == (["SYS.1006", "HOST_ALLOCATION.1000"], "network.l2")


def test_surprise_16_dead_hosts_take_places_on_a_page() -> None:
    """With cards the page is cut before states are looked at, so dead hosts push good ones to a later page."""
    dead = [host("h1", state="Disabled"), host("h2", status="Disconnected")]
    good = [host("h3"), host("h4")]
    one = World(world([*dead, *good], config={PAGE: 2}))
    assert one.create("carded")["host"] in ("h3", "h4")
    assert one.pages() == [0, 1]
    assert one.create("bare", l3Networks=[], zone="zone")["host"] in ("h3", "h4")
    assert one.pages() == [0]
    # h2, with VMs, shares its page with a dead host only; without cards the empty h3 shares it
    half = world([host("h1", status="Disconnected"), *[host(f"h{n}") for n in (2, 3)]], config={PAGE: 2})
    half["vms"] = [standing("old", "h2", 5)]
    assert chances(half) == {"h2": len(SEEDS)}
    assert set(chances(half, l3Networks=[], zone="zone")) == {"h2", "h3"}


# -- 17 to 19: states ----------------------------------------------------------------------------------------------


def test_surprise_17_a_disabled_cluster_is_only_its_hosts() -> None:
    """Disabling a cluster disables its hosts once: one enabled or added later, or out of maintenance, takes VMs."""
    doc = world([host("h1"), host("h2"), host("h3", state="Maintenance"), host("h4", state="PreMaintenance")])
    one = World(doc)
    change_cluster_state(one.ctx, one.row("cluster", "cluster"), "disable")
    assert [one.host(f"h{n}")["state"] for n in range(1, 5)] == [
        "Disabled",
        "Disabled",
        "Maintenance",
        "PreMaintenance",
    ]
    assert one.create("refused")["reason"] == "host.state"
    one.done("changeHostState", host="h1", event="enable")
    assert one.create("first")["host"] == "h1"
    one.done("addHost", name="h5", cluster="cluster", cpuNum=16, totalPhysicalMemory=64 * GIB)
    assert one.create("second")["host"] == "h5"
    one.done("changeHostState", host="h3", event="enable")
    assert one.create("third")["host"] == "h3"
    named = one.create("named", cluster="cluster")
    assert (named["errorCode"], named["rootErrorCode"], named["reason"]) == ("SYS.1006", "SYS.1006", "request.refused")
    whole = World(doc)
    whole.done("changeZoneState", zone="zone", event="disable")
    whole.done("changeHostState", host="h2", event="enable")
    assert whole.create("named", zone="zone")["reason"] == "request.refused"
    assert whole.create("anywhere")["host"] == "h2"
    assert whole.create("there", host="h2")["host"] == "h2"


def test_surprise_18_a_named_host_in_maintenance_passes_the_check() -> None:
    """The API refuses a named host that is Disabled or not Connected; in maintenance only the allocator does."""
    hosts = [
        host("h1", state="Disabled"),
        host("h2", status="Disconnected"),
        host("h3", state="PreMaintenance"),
        host("h4", state="Maintenance"),
        host("h5"),
    ]
    one = World(world(hosts))
    for name in ("h1", "h2"):
        error = one.error("new", host=name)
        assert (chain(error), error.root_reason) == (["SYS.1006"], "request.refused")
    assert one.ctx.decisions == []
    for name in ("h3", "h4"):
        error = one.error("new", host=name)
        assert chain(error) == ["SYS.1006", "HOST_ALLOCATION.1000", PAGE_MARKER]
        assert error.root_reason == "host.state"
    assert len(one.ctx.decisions) == 2
    assert one.create("new", host="h5")["host"] == "h5"


def test_surprise_19_unknown_vms_keep_their_reservation() -> None:
    """A dead host still counts its VMs and what they hold, while the platform's summary forgets the whole host.

    Rule: rules/host-capacity.md#unknown-keeps-capacity.
    """
    shapes = [offering("small"), offering("half", 1, 8)]
    one = World(world([host("h1", 16), host("h2", 16)], instanceOfferings=shapes))
    before = [one.create(name, host="h1", instanceOffering="half")["host"] for name in ("a", "b")]
    assert before == ["h1", "h1"]
    assert one.capacity("report", "all")["totalMemory"] == 32 * GIB
    one.done("setHostStatus", host="h1", status="Disconnected")
    for name in ("a", "b"):
        one.ctx.ledger.vms.set(one.row("vm", name), state=VmState.UNKNOWN)
    assert one.free("h1") == (158, 0)
    report = one.capacity("report", "all")
    assert (report["totalMemory"], report["availableMemory"], report["totalCpu"]) == (16 * GIB, 16 * GIB, 160)
    one.done("updateGlobalConfig", key=RESERVED, value=1)  # a recalculation counts Unknown VMs too
    assert one.free("h1") == (158, 0)
    one.done("updateGlobalConfig", key=RESERVED, value=0)
    # the same VMs again need room elsewhere
    assert hosts_of(one.burst("again", 2, instanceOffering="half")) == ["h2", "h2"]
    assert one.create("third", instanceOffering="half")["reason"] == "host.memory"
    one.done("setHostStatus", host="h1", status="Connected")
    assert one.create("fourth", instanceOffering="half")["reason"] == "host.memory"
