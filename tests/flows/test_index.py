"""The index against the plain driver: equal decisions, Steps included, whatever happens in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

import simclone.engine.allocation as allocation_module
import simclone.engine.operations.clone.checks as checks_module
import simclone.placement.host as host_module
from simclone.allocator.host.index.host_index import HostIndex
from simclone.allocator.host.request import NEW_CREATE, HostRequest
from simclone.chance import Identity
from simclone.engine.context import Context
from simclone.engine.operations.clone.call import clone_now
from simclone.engine.operations.destroy_vm import destroy_vm
from simclone.engine.operations.host_failure import fail_host, repair_host
from simclone.engine.operations.hosts import change_host_state
from simclone.engine.operations.settings import update_global_config
from simclone.engine.waits import run_now
from simclone.records import CloneRequest, Decision, Placed
from simclone.units import GIB
from tests.clouds import apply, clouds, examples, opened, operations
from tests.time.worlds import Doc, hosts, simulation, stream, vm, world

FAST = host_module.HostIndex.decide


@contextmanager
def compared(seen: Counter[str]) -> Iterator[None]:
    """Inside, every decision is made both ways; *seen* counts what the index answered or left to the other."""
    real = {"decide": host_module.decide, "dry_run": host_module.dry_run}

    def fast(*given_: Any, **more: Any) -> Any:
        found = FAST(*given_, **more)
        kind = "plain" if found is None else "placed" if isinstance(found, Placed) else "refused"
        seen[f"dry {kind}" if more.get("dry") else kind] += 1
        return found

    def both(name: str) -> Any:
        def decide(request: Any, cloud: Any, identity: Any, *more: Any) -> Decision:
            found: Decision = real[name](request, cloud, identity, *more)
            if not more or more[0] is None:
                cloud.indexed = False
                plain = real[name](request, cloud, identity)
                cloud.indexed = True
                assert found == plain, f"{found}\n{plain}\n{request}"
            return found

        return decide

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host_module.HostIndex, "decide", fast)
        for name, module in (("decide", host_module), ("decide", allocation_module), ("dry_run", checks_module)):
            patch.setattr(module, name, both(name))
        yield


@given(clouds(), operations())
@settings(max_examples=examples(250))
def test_every_decision_of_generated_clouds_is_the_plain_drivers(doc: Doc, ops: list[Any]) -> None:
    """All kinds of clouds and operations, trials and refusals, small pages, groups and devices among them."""
    with compared(Counter()):
        ctx = opened(doc)
        for serial, op in enumerate([*ops, *ops]):
            apply(ctx, op, serial)


STRATEGIES = (
    "LeastVmPreferredHostAllocatorStrategy",
    "DefaultHostAllocatorStrategy",
    "simclone.FirstFit",
    "simclone.BestFit",
    "simclone.WorstFit",
    "simclone.Random",
    "simclone.RoundRobin",
    "MinimumCPUUsageHostAllocatorStrategy",
    "MinimumMemoryUsageHostAllocatorStrategy",
    "simclone.LifetimeAware",
    "StoppedVmAwareLeastVmPreferredHostAllocatorStrategy",
    "scored",
)


def fleet(dice: Random, strategy: str, ties: str, pages: int | None) -> Doc:
    """Two or three clusters of uneven hosts, their storages tight, three shapes."""
    many = dice.randint(2, 3)
    config: Doc = {
        "vm.deletionPolicy": "Direct",
        "host.cpu.overProvisioning.ratio": 1,
        "kvm.reservedMemory": "1G",
        "hostAllocator.usePagination": pages is not None,
        "hostAllocator.paginationLimit": pages or 1000,
    }
    return {
        "clusters": [{"name": f"c{n}"} for n in range(many)],
        "hosts": [
            {
                "name": f"h{n}",
                "cluster": f"c{dice.randrange(many)}",
                "cpuNum": dice.choice([2, 4, 8]),
                "totalPhysicalMemory": dice.choice([8, 16, 32]) * GIB,
                "labels": {} if n % 7 == 6 else {"rack": f"r{n % 5}"},
            }
            for n in range(14)
        ],
        "primaryStorages": [
            {
                "name": f"p{n}",
                "type": "NFS",
                "attachedClusters": [f"c{n}"],
                "totalCapacity": f"{dice.choice([60, 400])}G",
            }
            for n in range(many)
        ],
        "backupStorages": [{"name": "b", "type": "ImageStoreBackupStorage"}],
        "images": [{"name": "i", "size": 4 * GIB, "actualSize": GIB}],
        "l2Networks": [{"name": "l2"}],
        "l3Networks": [{"name": "l3", "l2Network": "l2", "dhcp": False, "ipRanges": []}],
        "accounts": [{"name": "t", "quota": {"vm.num": 9, "vm.totalNum": 900}}],
        "instanceOfferings": [
            {"name": f"o{cpu}", "cpuNum": cpu, "memorySize": memory * GIB, "allocatorStrategy": strategy}
            for cpu, memory in ((1, 2), (2, 8), (4, 4))
        ],
        "vms": [
            {"name": f"s{cpu}", "instanceOffering": f"o{cpu}", "image": "i", "l3Networks": ["l3"], "state": "Stopped"}
            for cpu in (1, 2, 4)
        ],
        "globalConfig": config,
        "strategies": {"scored": {"score": {"freeCpu": -0.7, "vmCount": 1}}} if strategy == "scored" else {},
        "resourceConfig": [
            {"resourceType": "cluster", "resource": "c0", "key": "mevoco.overProvisioning.memory", "value": 1.5}
        ],
        "run": {"tieBreak": ties, "seed": dice.randrange(1000)},
    }


def stir(ctx: Context, dice: Random, serial: int, group: str = "") -> None:
    """One thing happens: mostly clones (most in a *group*) and ends, now and then an act of administration."""
    cloud = ctx.cloud
    host = dice.randrange(cloud.fleet.row_count)
    living = [row for row in range(cloud.vms.row_count) if cloud.vms.hold_host[row] >= 0]
    turn = dice.random()
    if turn < 0.55 or not living:
        names = tuple(f"v{serial}-{n}" for n in range(dice.choice([1, 2, 5])))
        account = "t" if dice.random() < 0.1 else None
        tags = (f"affinityGroupUuid::{group}",) if group and dice.random() < 0.7 else ()
        shape = f"s{dice.choice([1, 2, 4])}"
        clone_now(ctx, CloneRequest(f"r{serial}", shape, names, account=account, ordinal=serial, system_tags=tags))
    elif turn < 0.9:
        for row in dice.sample(living, min(len(living), dice.choice([1, 2, 4]))):
            run_now(destroy_vm(ctx, row))
    elif turn < 0.93:
        run_now(change_host_state(ctx, host, dice.choice(["disable", "enable"])))
    elif turn < 0.95:
        fail_host(ctx, host)
        repair_host(ctx, host)
    elif turn < 0.96:
        ctx.ledger.set_limit(0, "vm.num", dice.choice([0, 3, 9, 50]))
    elif turn < 0.98:
        update_global_config(ctx, "kvm.reservedMemory", dice.choice(["1G", "2G", "512M"]))
    else:
        with ctx.ledger.trial():
            clone_now(ctx, CloneRequest(f"t{serial}", "s1", ("x", "y", "z"), ordinal=1_000_000 + serial))


@pytest.mark.parametrize("pages", [None, 1000, 5], ids=["unpaged", "one page", "small pages"])
@pytest.mark.parametrize("ties", ["lowestUuid", "shuffle"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_crowded_cloud_is_served_as_by_the_plain_driver(strategy: str, ties: str, pages: int | None) -> None:
    """Filling, churning and full clouds with changes in between; what the index can answer it does answer."""
    seen: Counter[str] = Counter()
    for number in range(examples(3)):
        dice = Random(f"{strategy}/{ties}/{pages}/{number}")
        with compared(seen):
            ctx = opened(fleet(dice, strategy, ties, pages))
            for serial in range(90):
                stir(ctx, dice, serial)
    assert seen["placed"] > 100
    assert seen["dry placed"] + seen["dry refused"] > 40
    assert seen["refused"] + seen["dry refused"] > 0


@pytest.mark.parametrize("pages", [None, 5], ids=["unpaged", "small pages"])
@pytest.mark.parametrize("ties", ["lowestUuid", "shuffle"])
@pytest.mark.parametrize("policy", ["antiHard", "antiSoft", "affinityHard", "affinitySoft", "spreadHard", "spreadSoft"])
@pytest.mark.parametrize("strategy", [*STRATEGIES[:4], "simclone.RoundRobin", "simclone.LifetimeAware"])
def test_members_of_groups_are_served_as_by_the_plain_driver(
    strategy: str, policy: str, ties: str, pages: int | None
) -> None:
    """Members come and go among others, with few hosts and many, whole pages and none left by the rule."""
    seen: Counter[str] = Counter()
    for number in range(examples(2)):
        dice = Random(f"{strategy}/{policy}/{ties}/{pages}/{number}")
        doc = fleet(dice, strategy, ties, pages)
        doc["affinityGroups"] = [
            {"name": "g", "policy": policy},
            {"name": "off", "policy": policy, "state": "Disabled"},
            {"name": "wide", "policy": policy, "over": dice.choice(["rack", "cluster", "zone"])},
        ]
        with compared(seen):
            ctx = opened(doc)
            for serial in range(110):
                stir(ctx, dice, serial, group=dice.choice(["g", "g", "wide"]))
    assert seen["placed"] > 3 * seen["plain"]


@pytest.mark.parametrize("pages", [None, 5], ids=["unpaged", "small pages"])
@pytest.mark.parametrize("rule", ["affinityHard", "affinitySoft", "antiHard", "antiSoft"])
@pytest.mark.parametrize("policy", ["antiHard", "affinitySoft", "spreadSoft"])
def test_rules_between_vms_and_hosts_are_served_as_by_the_plain_driver(
    policy: str, rule: str, pages: int | None
) -> None:
    """Beside the rule between the members; now and then nobody is left by the one, the other or both."""
    seen: Counter[str] = Counter()
    for number in range(examples(2)):
        dice = Random(f"{policy}/{rule}/{pages}/{number}")
        doc = fleet(dice, STRATEGIES[0], "shuffle", pages)
        doc["hostGroups"] = [{"name": "few", "hosts": dice.sample([one["name"] for one in doc["hosts"]], 4)}]
        doc["affinityGroups"] = [{"name": "g", "policy": policy, "hostRule": {"policy": rule, "hostGroup": "few"}}]
        with compared(seen):
            ctx = opened(doc)
            for serial in range(70):
                stir(ctx, dice, serial, group="g")
    assert seen["placed"] > 3 * seen["plain"]


@pytest.mark.parametrize("strategy", [STRATEGIES[0], "simclone.BestFit", "own filters"])
def test_devices_are_counted_as_by_the_plain_driver(strategy: str) -> None:
    """Hosts with devices and without, taken and given back; filters that do not ask leave it to the reservation."""
    seen: Counter[str] = Counter()
    for number in range(examples(3)):
        dice = Random(f"devices/{strategy}/{number}")
        doc = fleet(dice, strategy, "shuffle", None)
        doc["strategies"] = {
            "own filters": {"filters": ["HostCapacityAllocatorFlow", "HostStateAndHypervisorAllocatorFlow"]}
        }
        some = [{}, {"A": 1}, {"A": 2}, {"A": 5}]
        doc["hosts"] = [{**one, "pciDevices": dice.choice(some)} for one in doc["hosts"]]
        doc["hosts"][0]["pciDevices"] = {"A": 9}
        doc["instanceOfferings"][0]["systemTags"] = ["pciDeviceSpec::A::1"]
        with compared(seen):
            ctx = opened(doc)
            for serial in range(80):
                stir(ctx, dice, serial)
        assert sum(ctx.cloud.fleet.devices_held["A"].values())
    if strategy == "own filters":
        assert seen["plain"] > 10
    else:
        assert seen["placed"] > 3 * seen["plain"]


def shelved(dice: Random, strategy: str, ties: str, pages: int | None) -> Doc:
    """The same hosts with tight shares of local storage, some without one, NFS beside it in some clusters."""
    doc = fleet(dice, strategy, ties, pages)
    clusters = [one["name"] for one in doc["clusters"]]
    doc["hosts"][0]["cluster"] = "c0"
    seen_by = clusters[: dice.randint(1, len(clusters))]
    shares = [
        {"host": one["name"], "totalCapacity": f"{dice.choice([12, 30, 50])}G"}
        for one in doc["hosts"]
        if one is doc["hosts"][0] or (one["cluster"] in seen_by and dice.random() < 0.85)
    ]
    beside = dice.choice([(), (), clusters])
    shared = [one for one in doc["primaryStorages"] if one["attachedClusters"][0] in {*beside} - {*seen_by[1:]}]
    local = {"name": "local", "type": "LocalStorage", "attachedClusters": seen_by, "localHosts": shares}
    doc["primaryStorages"] = [local, *shared]
    doc["images"] = [{"name": f"i{gib}", "size": gib * GIB, "actualSize": GIB} for gib in (2, 5, 9)]
    home = {"lastHost": shares[0]["host"], "primaryStorage": "local"}
    doc["vms"] = [{**one, **home, "image": f"i{dice.choice([2, 5, 9])}"} for one in doc["vms"]]
    return doc


@pytest.mark.parametrize("pages", [None, 5], ids=["unpaged", "small pages"])
@pytest.mark.parametrize("ties", ["lowestUuid", "shuffle"])
@pytest.mark.parametrize("strategy", STRATEGIES[:4])
def test_shares_of_local_storage_are_served_as_by_the_plain_driver(strategy: str, ties: str, pages: int | None) -> None:
    """Shares fill and empty on hosts that have them, with groups and shared storage beside them."""
    seen: Counter[str] = Counter()
    for number in range(examples(3)):
        dice = Random(f"local/{strategy}/{ties}/{pages}/{number}")
        doc = shelved(dice, strategy, ties, pages)
        doc["affinityGroups"] = [{"name": "g", "policy": dice.choice(["antiHard", "affinitySoft"])}]
        with compared(seen):
            ctx = opened(doc)
            for serial in range(90):
                stir(ctx, dice, serial, group=dice.choice(["", "g"]))
    assert seen["placed"] > 100


@pytest.mark.parametrize("pages", [None, 3], ids=["unpaged", "small pages"])
def test_shares_that_are_full_are_refused_by_the_index_too(pages: int | None) -> None:
    """Six shares of 13 GiB hold two roots of 5 GiB each, above a reserve of 1 GiB, and the source has one of them."""
    seen: Counter[str] = Counter()
    doc = fleet(Random("shares"), STRATEGIES[0], "shuffle", pages)
    doc["hosts"] = [{"name": f"h{n}", "cluster": "c0", "cpuNum": 32, "totalPhysicalMemory": 64 * GIB} for n in range(6)]
    shares = [{"host": f"h{n}", "totalCapacity": "13G"} for n in range(6)]
    local = {"name": "local", "type": "LocalStorage", "attachedClusters": ["c0"], "localHosts": shares}
    doc["primaryStorages"] = [local]
    doc["images"] = [{"name": "i", "size": 5 * GIB, "actualSize": GIB}]
    doc["vms"] = [{**doc["vms"][0], "lastHost": "h0", "primaryStorage": "local"}]
    doc["run"]["profile"] = "cloud"
    doc["fidelity"] = {"cloudPaging": True}
    answers = []
    with compared(seen):
        ctx = opened(doc)
        for serial in range(5):
            names = tuple(f"v{serial}-{n}" for n in range(4))
            answers.append(clone_now(ctx, CloneRequest(f"r{serial}", "s1", names, ordinal=serial)))
    assert [one.element_reasons() for one in answers[:3]] == [{}, {}, {"storage.local": 1}]
    assert answers[3].succeeded == answers[4].succeeded == 0
    assert seen["refused"] + seen["dry refused"] >= 2


def test_a_group_that_fills_its_pages_is_refused_by_the_index_too() -> None:
    """One member a host on two pages of five: the eleventh finds none on either, and the plain driver is not asked."""
    seen: Counter[str] = Counter()
    doc = fleet(Random("group"), STRATEGIES[0], "shuffle", 5)
    doc["hosts"] = [
        {"name": f"h{n}", "cluster": "c0", "cpuNum": 32, "totalPhysicalMemory": 64 * GIB} for n in range(10)
    ]
    doc["affinityGroups"] = [{"name": "g", "policy": "antiHard"}]
    doc["run"]["profile"] = "cloud"
    doc["fidelity"] = {"cloudPaging": True}
    tags = ("affinityGroupUuid::g",)
    with compared(seen):
        ctx = opened(doc)
        seen.clear()
        for serial in range(4):
            names = tuple(f"v{serial}-{n}" for n in range(4))
            answer = clone_now(ctx, CloneRequest(f"r{serial}", "s1", names, ordinal=serial, system_tags=tags))
    assert answer.element_reasons() == {"affinity.antiHard": 4}
    assert seen["refused"] == 6
    assert seen["plain"] == 1  # only the second of a kind is worth an index


@pytest.mark.parametrize("bound", ["MOST_CLASSES", "MOST_SORTED"])
def test_what_is_full_is_left_and_made_anew(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two of them only, three shapes and the orders of their pages take turns, and all is still right."""
    monkeypatch.setattr(f"simclone.allocator.host.index.host_index.{bound}", 2)
    seen: Counter[str] = Counter()
    dice = Random("full")
    with compared(seen):
        ctx = opened(fleet(dice, STRATEGIES[0], "shuffle", 5))
        for serial in range(120):
            stir(ctx, dice, serial)
    assert seen["placed"] > 20


def test_a_score_that_is_the_same_for_all_now_is_asked_again_later() -> None:
    """Two are asked for while all hosts are empty and equal; when some have VMs, the score prefers the others."""
    seen: Counter[str] = Counter()
    doc = fleet(Random("score"), "scored", "shuffle", None)
    doc["strategies"] = {"scored": {"score": {"vmCount": -1}}}
    doc["hosts"] = [{"name": f"h{n}", "cluster": "c0", "cpuNum": 64, "totalPhysicalMemory": 64 * GIB} for n in range(9)]
    request = HostRequest(1, GIB, "scored", l3s=(0,), zone=0, hypervisor="KVM")
    with compared(seen):
        ctx = opened(doc)
        for turn in range(2):
            host_module.decide(request, ctx.cloud, Identity("score", turn))
        clone_now(ctx, CloneRequest("r", "s4", ("a", "b")))
        fuller = set(ctx.cloud.fleet.array(ctx.cloud.fleet.vm_count).nonzero()[0].tolist())
        later = [host_module.decide(request, ctx.cloud, Identity("score", turn)) for turn in range(2, 9)]
    assert fuller
    assert {isinstance(one, Placed) and one.host not in fuller for one in later} == {True}
    assert seen["placed"] >= 7


def asked(ctx: Context, turns: int, strategy: str, **more: Any) -> list[int]:
    """The hosts of as many decisions about a small VM, which hold nothing; -1 for none."""
    request = HostRequest(1, GIB, strategy, l3s=(0,), zone=0, hypervisor="KVM", operation=NEW_CREATE, **more)
    found = [host_module.decide(request, ctx.cloud, Identity("asked", turn)) for turn in range(turns)]
    return [one.host if isinstance(one, Placed) else -1 for one in found]


def alike(many: int, **storage: Any) -> Doc:
    """So many equal hosts of one cluster with one storage and a source of 5 GiB on it."""
    doc = fleet(Random("alike"), "simclone.FirstFit", "lowestUuid", None)
    doc["hosts"] = [
        {"name": f"h{n}", "cluster": "c0", "cpuNum": 64, "totalPhysicalMemory": 64 * GIB} for n in range(many)
    ]
    doc["primaryStorages"] = [{"name": "p", "attachedClusters": ["c0"], **storage}]
    doc["images"] = [{"name": "i", "size": 5 * GIB, "actualSize": GIB}]
    doc["vms"] = [{**doc["vms"][0], "lastHost": f"h{many - 1}", "primaryStorage": "p"}]
    return doc


def test_a_share_is_watched_though_nothing_else_happens_on_its_host() -> None:
    """What a snapshot takes of a share counts at once, and so does what is given back."""
    shares = [{"host": f"h{n}", "totalCapacity": "13G"} for n in range(4)]
    seen: Counter[str] = Counter()
    with compared(seen):
        ctx = opened(alike(4, type="LocalStorage", localHosts=shares))
        size = 9 * GIB
        assert asked(ctx, 3, "simclone.FirstFit", disk_size=size) == [0, 0, 0]
        held = ctx.ledger.space.hold("snapshot", 0, 8 * GIB, host=0)
        assert asked(ctx, 2, "simclone.FirstFit", disk_size=size) == [1, 1]
        ctx.ledger.space.end(held)
        assert asked(ctx, 2, "simclone.FirstFit", disk_size=size) == [0, 0]
    assert not seen["plain"] > 1


def test_shares_whose_disks_are_too_full_are_shut() -> None:
    """One is above the physical threshold whatever the books say; its host is refused and counted."""
    shares = [{"host": f"h{n}", "totalCapacity": "50G"} for n in range(3)]
    shares[0]["availablePhysicalCapacity"] = "1G"
    seen: Counter[str] = Counter()
    with compared(seen):
        ctx = opened(alike(3, type="LocalStorage", localHosts=shares))
        assert asked(ctx, 3, "simclone.FirstFit", disk_size=5 * GIB) == [1, 1, 1]
    assert seen["placed"] == 2


def test_what_a_storage_must_have_is_told_of_the_image_at_hand() -> None:
    """The first call's image is cached when its storage runs out, the second call's is not."""
    seen: Counter[str] = Counter()
    with compared(seen):
        doc = alike(3, type="NFS", totalCapacity="33G")
        doc["vms"][0]["rootActualSize"] = 2 * GIB
        ctx = opened(doc)
        said = []
        for serial in range(3):
            names = tuple(f"v{serial}-{n}" for n in range(5))
            answer = clone_now(ctx, CloneRequest(f"r{serial}", "s1", names, ordinal=serial))
            said += [one.error.root.details for one in answer.clones if one.error is not None]
    assert {str(5 * GIB) in str(one) for one in said} == {str(7 * GIB) in str(one) for one in said} == {True, False}
    assert seen["refused"] > 5


def test_use_that_is_measured_from_now_on_decides_from_now_on() -> None:
    """Before, VM counts do; the host that is least used then is the one that has most VMs."""
    seen: Counter[str] = Counter()
    minimum = "MinimumCPUUsageHostAllocatorStrategy"
    with compared(seen):
        ctx = opened(alike(3, type="NFS", totalCapacity="900G"))
        clone_now(ctx, CloneRequest("r", "s1", ("a", "b", "c")))
        assert set(asked(ctx, 4, minimum)) == {1}
        ctx.ledger.hosts.start_measuring()
        for host, use in ((1, 900_000), (2, 500_000)):
            ctx.ledger.hosts.measure(host, cpu_use_ppm=use)
        assert set(asked(ctx, 4, minimum)) == {0}
        ctx.ledger.hosts.measure(0, cpu_use_ppm=700_000)
        assert set(asked(ctx, 4, minimum)) == {2}
    assert seen["placed"] >= 9


def test_a_limit_that_is_lowered_is_heeded_at_once() -> None:
    """Nothing else has changed since the account's last VM; the next one is refused for its quota all the same."""
    seen: Counter[str] = Counter()
    with compared(seen):
        ctx = opened(fleet(Random("limit"), STRATEGIES[0], "lowestUuid", None))
        ctx.ledger.set_limit(0, "vm.num", 50)
        request = HostRequest(1, GIB, STRATEGIES[0], account=0, l3s=(0,), zone=0, hypervisor="KVM")
        answers = [host_module.decide(request, ctx.cloud, Identity("limit", turn)) for turn in range(3)]
        ctx.ledger.set_limit(0, "vm.num", 0)
        answers.append(host_module.decide(request, ctx.cloud, Identity("limit", 3)))
    assert [isinstance(one, Placed) for one in answers] == [True, True, True, False]
    assert seen["placed"] == 2


@pytest.mark.parametrize("page", [3, 500])
def test_clusters_that_fill_and_empty_again_answer_as_the_plain_driver(
    page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shapes of before are used again where candidates stand in the clusters of then; no decision differs."""
    uneven = [{**one, "cluster": f"c{n % 3}"} for n, one in enumerate((*hosts(6, cpu=4), *hosts(4, cpu=7)))]
    doc = world(
        {"hostAllocator.paginationLimit": page},
        clusters=[{"name": f"c{n}"} for n in range(3)],
        hosts=[{**one, "name": f"h{n}"} for n, one in enumerate(uneven)],
        primaryStorages=[
            {"name": f"nfs{n}", "type": "NFS", "totalCapacity": size, "attachedClusters": [f"c{n}"]}
            for n, size in enumerate(("25GiB", "40GiB", "1000T"))
        ],
        images=[{"name": "image", "size": "1GiB", "actualSize": "100MiB"}],
        instanceOfferings=[
            {"name": "unit", "cpuNum": 1, "memorySize": "1GiB"},
            {"name": "big", "cpuNum": 3, "memorySize": "2GiB"},
        ],
        vms=[vm("v", state="Stopped"), vm("w", state="Stopped", instanceOffering="big")],
        workload=[
            stream({"every": 3}, lifetime={"exponential": {"mean": 60}}, batch=2),
            stream({"every": 5}, "large", lifetime={"exponential": {"mean": 90}}, vm="w"),
        ],
        run={"horizon": 400},
    )
    used: list[bool] = []
    again = HostIndex._reuse

    def watched(*given: Any) -> Any:
        found = again(*given)
        used.append(found is not None)
        return found

    monkeypatch.setattr(HostIndex, "_reuse", watched)
    results = []
    for indexed in (True, False):
        made = simulation(doc)
        made.ctx.cloud.indexed = indexed
        results.append(made.run().result())
    one, other = results
    assert any(used)
    assert one.totals.reasons
    assert (one.answers, one.decisions) == (other.answers, other.decisions)
    assert list(one.events) == list(other.events)
