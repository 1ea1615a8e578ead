"""Incidents and what the platform does by itself; after each of them the independent audit finds nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from simclone.api import load
from simclone.engine.run_loop import RunLoop
from simclone.errors import InvalidInput
from simclone.units import GIB, MIB, SECOND
from simclone.workload.distributions import Distribution
from simclone.workload.failure_presets import FAILURE_PRESETS
from tests.time.worlds import (
    HA,
    Doc,
    at,
    audited,
    cloud,
    fail,
    host_events,
    host_of,
    hosts,
    outcomes,
    request,
    running,
    simulation,
    state,
    stream,
    used,
    vm,
    world,
)


def whole(doc: Doc) -> dict[str, list[bool]]:
    """The outcomes of an audited run by request."""
    made = simulation(doc).run()
    assert not audited(made)
    return outcomes(made.result())


# ---------------------------------------------------------------- a host fails


def test_a_vm_with_ha_starts_elsewhere() -> None:
    """It is running on the other host at once, and the dead host forgets it."""
    made = simulation(cloud(running("a", **HA), incidents=[fail()]))
    assert (state(at(made, 9), "a"), host_of(made, "a")) == ("Running", "h1")
    at(made, 10)
    assert (state(made, "a"), host_of(made, "a"), host_of(made, "a", "last_host")) == ("Running", "h2", "h1")
    assert (used(made, "h1"), used(made, "h2")) == (0, 1)


def test_a_clone_inherits_ha_and_starts_elsewhere() -> None:
    """The tag goes over to clones, so they survive their host; their lives end when they were to end."""
    doc = world(
        vms=[vm("v", state="Stopped", **HA)],
        hosts=hosts(2),
        workload=[stream({"every": 100}, lifetime=250)],
        incidents=[fail(350, "h1"), fail(355, "h2", repairAfter=1)],
        run={"horizon": 1000},
    )
    made = simulation(doc)
    at(made, 351)
    assert used(made, "h1") == 0
    assert used(made, "h2") == made.tally.now[0] > 1
    at(made, 1000)
    assert made.result().totals.ended > 3


def test_restarting_takes_its_time() -> None:
    """Detection, allocation and start come one after the other; until then the VM is Unknown on the dead host."""
    timing = {"detectFailure": 60, "allocateHost": 5, "startOnHypervisor": 10}
    made = simulation(cloud(running("a", **HA), incidents=[fail()], timing=timing, run={"timing": "model"}))
    at(made, 74)
    assert (state(made, "a"), used(made, "h1"), used(made, "h2")) == ("Unknown", 1, 0)
    at(made, 75)
    assert (state(made, "a"), used(made, "h1"), used(made, "h2")) == ("Unknown", 1, 1)
    at(made, 85)
    assert (state(made, "a"), used(made, "h1"), used(made, "h2")) == ("Running", 0, 1)


def test_a_host_that_is_back_before_the_failure_is_noticed_starts_its_vm_itself() -> None:
    """A repair inside the time of detection: one start, no second VM anywhere."""
    timing = {"detectFailure": 60}
    incidents = [fail(repairAfter=20)]
    made = simulation(cloud(running("a", **HA), incidents=incidents, timing=timing, run={"timing": "model"}))
    at(made, 200)
    assert state(made, "a") == "Running"
    assert used(made, "h1") + used(made, "h2") == 1


def test_a_vm_without_ha_stays_unknown_and_holds_its_host() -> None:
    """Nobody restarts it; its host's capacity is taken until the host is back, then it is Stopped."""
    made = simulation(cloud(running("a"), incidents=[fail(repairAfter=90)]))
    at(made, 99)
    assert (state(made, "a"), host_of(made, "a"), used(made, "h1")) == ("Unknown", "h1", 1)
    at(made, 100)
    assert (state(made, "a"), host_of(made, "a"), used(made, "h1")) == ("Stopped", None, 0)
    assert host_of(made, "a", "last_host") == "h1"


def test_a_vm_with_ha_and_no_room_waits_for_its_host() -> None:
    """It stays Unknown on the dead host and is started when that is back."""
    vms = [running("a", **HA), *(running(f"b{n}", "h2") for n in range(4))]
    made = simulation(cloud(*vms, incidents=[fail(repairAfter=90)]))
    at(made, 99)
    assert (state(made, "a"), host_of(made, "a"), used(made, "h1")) == ("Unknown", "h1", 1)
    at(made, 100)
    assert (state(made, "a"), host_of(made, "a"), used(made, "h1")) == ("Running", "h1", 1)


def test_a_failed_host_takes_no_clones() -> None:
    """While it is away all clones go to the other host, afterwards to the emptier one."""
    asked = [request(20, "a", "b"), request(200, "c", "d")]
    made = simulation(world(requests=asked, incidents=[fail(repairAfter=100)]))
    at(made, 150)
    assert (used(made, "h1"), used(made, "h2")) == (0, 2)
    at(made, 200)
    assert (used(made, "h1"), used(made, "h2")) == (2, 2)


def test_the_end_of_a_clone_that_was_unknown_frees_its_host() -> None:
    """A clone on a dead host is destroyed when its life ends, and the host is free."""
    doc = world(
        hosts=hosts(1),
        workload=[stream({"every": 50}, lifetime=100)],
        incidents=[fail(60)],
        run={"horizon": 400},
    )
    made = simulation(doc)
    at(made, 61)
    assert used(made, "h1") > 0
    at(made, 400)
    assert used(made, "h1") == 0


def test_failing_twice_and_repairing_twice_is_failing_and_repairing_once() -> None:
    """Incidents that overlap leave no hold behind."""
    incidents = [fail(10, repairAfter=50), fail(20, repairAfter=10), fail(25)]
    made = simulation(cloud(running("a"), running("b", **HA), incidents=incidents))
    at(made, 26)
    at(made, 100)
    assert (state(made, "a"), state(made, "b"), host_of(made, "b")) == ("Stopped", "Running", "h2")
    assert (used(made, "h1"), used(made, "h2")) == (0, 1)


# ---------------------------------------------------------------- maintenance, disabling


def test_maintenance_moves_vms_away() -> None:
    """Running VMs go to the other host; the host takes nobody until it is enabled again."""
    incidents = [{"at": 10, "host": "h1", "event": "maintain", "repairAfter": 100}]
    asked = [request(50, "c"), request(120, "d")]
    made = simulation(cloud(running("a"), running("b"), incidents=incidents, requests=asked))
    at(made, 60)
    assert [host_of(made, name) for name in "abc"] == ["h2"] * 3
    assert used(made, "h1") == 0
    at(made, 120)
    assert host_of(made, "d") == "h1"


@pytest.mark.parametrize(
    ("policy", "state_", "left"), [("JustMigrate", "Running", 1), ("StopVmOnMigrationFailure", "Stopped", 0)]
)
def test_maintenance_without_room_follows_the_policy(policy: str, state_: str, left: int) -> None:
    """What cannot be moved keeps the host out of maintenance, or is stopped (rules/states.md#maintenance)."""
    config = {"host.maintenance.policy": policy}
    doc = cloud(running("a"), incidents=[{"at": 10, "host": "h1", "event": "maintain"}], hosts=hosts(1))
    made = simulation({**doc, "globalConfig": {**doc["globalConfig"], **config}})
    at(made, 10)
    assert (state(made, "a"), used(made, "h1")) == (state_, left)
    assert made.ctx.cloud.fleet.state[0] == (0 if policy == "JustMigrate" else 3)


def test_migrations_of_a_maintenance_take_their_time() -> None:
    """Two moves of 10 s come one after the other; both hosts are held meanwhile."""
    incidents = [{"at": 10, "host": "h1", "event": "maintain"}]
    doc = cloud(running("a"), running("b"), incidents=incidents, timing={"migrate": 10}, run={"timing": "model"})
    made = simulation(doc)
    at(made, 25)
    assert (used(made, "h1"), used(made, "h2")) == (1, 2)
    at(made, 30)
    assert (used(made, "h1"), used(made, "h2")) == (0, 2)


def test_disabling_leaves_vms_and_refuses_new_ones() -> None:
    """A disabled host keeps its VMs and takes clones again when enabled."""
    incidents = [{"at": 10, "host": "h1", "event": "disable"}, {"at": 100, "host": "h1", "event": "enable"}]
    asked = [request(50, "c"), request(100, "d")]
    assert whole(cloud(running("a"), incidents=incidents, requests=asked, hosts=hosts(1))) == {
        "request-c": [False],
        "request-d": [True],
    }


# ---------------------------------------------------------------- many hosts at once


PLACES: Doc = {
    "zones": [{"name": "z1"}, {"name": "z2"}],
    "clusters": [{"name": "c1", "zone": "z1"}, {"name": "c2", "zone": "z1"}, {"name": "c3", "zone": "z2"}],
    "hosts": [
        {
            "name": f"h{n}",
            "cluster": f"c{(n + 1) // 2}",
            "cpuNum": 4,
            "totalPhysicalMemory": "64GiB",
            "labels": {"rack": f"r{n % 2}"},
        }
        for n in range(1, 7)
    ],
    "primaryStorages": [],
    "backupStorages": [],
    "images": [],
    "l2Networks": [],
    "l3Networks": [],
    "vms": [],
}


@pytest.mark.parametrize(
    ("target", "rows"),
    [
        ({"host": "h3"}, [2]),
        ({"cluster": "c2"}, [2, 3]),
        ({"zone": "z1"}, [0, 1, 2, 3]),
        ({"label": {"rack": "r1"}}, [0, 2, 4]),
        ({"hosts": "all"}, [0, 1, 2, 3, 4, 5]),
    ],
    ids=["host", "cluster", "zone", "label", "all"],
)
def test_a_failure_strikes_every_host_of_its_target(target: Doc, rows: list[int]) -> None:
    """A host, a cluster, a zone, a label or all: all of them fail at the moment and are back after the repair."""
    incidents = [{"at": 10, **target, "event": "fail", "repairAfter": 30}]
    made = simulation(world(**PLACES, incidents=incidents))
    at(made, 10)
    result = made.result()
    assert host_events(result, "fail") == [(10.0, row) for row in rows]
    assert [row for row in range(6) if made.ctx.cloud.fleet.status[row]] == rows
    at(made, 40)
    assert host_events(made.result(), "repair") == [(40.0, row) for row in rows]
    assert not made.ctx.cloud.fleet.array(made.ctx.cloud.fleet.status).any()


def test_a_rack_that_fails_sends_its_vms_elsewhere() -> None:
    """Four hosts in two racks: every VM with HA runs in the other rack afterwards."""
    fleet = [{**one, "labels": {"rack": f"r{n % 2}"}} for n, one in enumerate(hosts(4))]
    vms = [running(f"a{n}", f"h{n % 4 + 1}", **HA) for n in range(8)]
    incidents = [{"at": 10, "label": {"rack": "r0"}, "event": "fail"}]
    made = simulation(cloud(*vms, hosts=fleet, incidents=incidents))
    at(made, 10)
    assert [used(made, f"h{n}") for n in range(1, 5)] == [0, 4, 0, 4]
    assert {state(made, f"a{n}") for n in range(8)} == {"Running"}


# ---------------------------------------------------------------- storage


@pytest.mark.parametrize("event", ["fail", "disable"])
def test_a_storage_that_is_away_takes_no_clones(event: str) -> None:
    """Clones are refused until the storage is repaired or enabled."""
    back = {"fail": "repair", "disable": "enable"}[event]
    incidents = [
        {"at": 10, "primaryStorage": "nfs", "event": event},
        {"at": 100, "primaryStorage": "nfs", "event": back},
    ]
    asked = [request(5, "a"), request(50, "b"), request(100, "c")]
    assert whole(world(incidents=incidents, requests=asked)) == {
        "request-a": [True],
        "request-b": [False],
        "request-c": [True],
    }


@pytest.mark.parametrize("event", ["fail", "disable"])
def test_a_storage_comes_back_after_its_repair(event: str) -> None:
    """``repairAfter`` undoes what was done to the storage."""
    incidents = [{"at": 10, "primaryStorage": "nfs", "event": event, "repairAfter": 90}]
    asked = [request(50, "b"), request(100, "c")]
    assert whole(world(incidents=incidents, requests=asked)) == {"request-b": [False], "request-c": [True]}


def test_a_full_storage_takes_no_clones() -> None:
    """Filled by others to the last bytes it refuses clones; emptied again it takes them."""
    incidents = [
        {"at": 10, "primaryStorage": "nfs", "event": "fill", "availablePhysicalCapacity": 1},
        {"at": 100, "primaryStorage": "nfs", "event": "fill", "availablePhysicalCapacity": "90T"},
    ]
    asked = [request(5, "a"), request(50, "b"), request(100, "c")]
    storages = [{"name": "nfs", "type": "NFS", "totalCapacity": "100T"}]
    assert whole(world(incidents=incidents, requests=asked, primaryStorages=storages)) == {
        "request-a": [True],
        "request-b": [False],
        "request-c": [True],
    }


# ---------------------------------------------------------------- settings and hosts


def test_a_setting_takes_effect_at_its_time() -> None:
    """Six unit VMs do not fit on four threads until the ratio is 2, and new ones do not when it is 1 again."""
    key = "host.cpu.overProvisioning.ratio"
    incidents = [{"at": 100, "globalConfig": {key: 2}}, {"at": 200, "globalConfig": {key: 1}}]
    asked = [
        request(50, *(f"a{n}" for n in range(5))),
        request(100, "b", "c"),
        request(200, "d"),
    ]
    found = whole(world(hosts=hosts(1), incidents=incidents, requests=asked))
    assert sum(found["request-a0"]) == 4
    assert found["request-b"] == [True, True]
    assert found["request-d"] == [False]


def test_hosts_that_join_take_clones_at_once() -> None:
    """Three hosts join a full cloud; a request of the same moment finds room on them."""
    new = {"name": "new-{n}", "cluster": "c", "cpuNum": 2, "totalPhysicalMemory": 64 * GIB, "count": 3}
    doc = world(
        clusters=[{"name": "c"}],
        hosts=hosts(1, cluster="c"),
        incidents=[{"at": 100, "addHosts": new}],
        requests=[request(1, "a", "b", "c", "d"), request(50, "e"), request(100, *(f"f{n}" for n in range(7)))],
    )
    made = simulation(doc)
    at(made, 100)
    found = outcomes(made.result())
    assert (sum(found["request-a"]), sum(found["request-e"]), sum(found["request-f0"])) == (4, 0, 6)
    assert made.ctx.cloud.fleet.names == ["h1", "new-1", "new-2", "new-3"]
    assert [used(made, f"new-{n}") for n in (1, 2, 3)] == [2, 2, 2]


# ---------------------------------------------------------------- again and again


def test_constant_laws_give_a_regular_rhythm() -> None:
    """The next failure comes a gap after the repair: every 100 s with repairs of 10 s is a rhythm of 110 s."""
    incidents = [{"host": "h1", "every": 100, "event": "fail", "repairAfter": 10}]
    result = at(simulation(world(incidents=incidents, run={"horizon": 500})), 500).result()
    assert [when for when, _ in host_events(result, "fail")] == [100, 210, 320, 430]
    assert [when for when, _ in host_events(result, "repair")] == [110, 220, 330, 440]


def test_random_failures_follow_their_laws() -> None:
    """Sixty hosts with exponential gaps: mean time between failures and to repair in their 99.9 % intervals."""
    incidents = [
        {
            "hosts": "all",
            "every": {"exponential": {"mean": 1000}},
            "event": "fail",
            "repairAfter": {"exponential": {"mean": 50}},
        }
    ]
    result = at(simulation(world(hosts=hosts(60), incidents=incidents, run={"horizon": 20_000})), 20_000).result()
    gaps, repairs = durations(host_events(result, "fail"), host_events(result, "repair"), 60)
    assert len(repairs) > 900
    for found, mean in ((gaps, 1000), (repairs, 50)):
        error = 3.3 * mean / math.sqrt(len(found))
        assert math.fsum(found) / len(found) == pytest.approx(mean, abs=error + 0.05 * mean)


def durations(
    fails: list[tuple[float, int]], repairs: list[tuple[float, int]], many: int
) -> tuple[list[float], list[float]]:
    """Times up and times down of all hosts."""
    up, down = list[float](), list[float]()
    for host in range(many):
        mine: Iterator[float] = iter(sorted(when for when, row in (*fails, *repairs) if row == host))
        last = 0.0
        for failed in mine:
            up.append(failed - last)
            last = next(mine, math.nan)
            if not math.isnan(last):
                down.append(last - failed)
    return up, down


def test_hosts_fail_independently() -> None:
    """No two of sixty hosts share a moment of failure."""
    incidents = [{"hosts": "all", "every": {"exponential": {"mean": 1000}}, "event": "fail", "repairAfter": 1}]
    result = simulation(world(hosts=hosts(60), incidents=incidents, run={"horizon": 3000})).run().result()
    times = [when for when, _ in host_events(result, "fail")]
    assert len(times) == len(set(times)) > 100


# ---------------------------------------------------------------- the platform by itself


def test_drift_is_healed_after_half_an_hour() -> None:
    """Capacity that was returned twice is counted until the next recalculation of connected hosts."""
    made = simulation(cloud(running("a"), running("b"), incidents=[], run={"horizon": 4000}))
    row = made.ctx.cloud.find("vm", "a")
    at(made, 10)
    made.ctx.ledger.hosts.return_again(row, 0)
    fleet = made.ctx.cloud.fleet
    at(made, 1799)
    assert (fleet.available_cpu[0], used(made, "h1")) == (3, 2)
    at(made, 1800)
    assert (fleet.available_cpu[0], fleet.drift_cpu[0], fleet.drift_memory[0]) == (2, 0, 0)


def test_the_drift_of_a_disconnected_host_waits_for_its_return() -> None:
    """A host that is away is not recalculated; it is when it comes back."""
    doc = cloud(running("a"), running("b"), incidents=[fail(20, repairAfter=2000)], run={"horizon": 4000})
    made = simulation(doc)
    at(made, 10)
    made.ctx.ledger.hosts.return_again(made.ctx.cloud.find("vm", "a"), 0)
    at(made, 1900)
    assert made.ctx.cloud.fleet.drift_cpu[0] == 1
    at(made, 2020)
    assert made.ctx.cloud.fleet.drift_cpu[0] == 0


def caches(made: RunLoop) -> int:
    """Temporary images that are cached on the storage."""
    cloud_ = made.ctx.cloud
    return sum(cloud_.images[image].temporary for image, _ in cloud_.storages[0].caches)


def test_orphaned_caches_are_collected_after_a_day() -> None:
    """The cache of a clone's image goes at the first collection after its last clone is gone, not before."""
    doc = world(
        vms=[vm("v", state="Stopped", rootActualSize=300 * MIB)],
        workload=[stream({"every": 40_000}, lifetime=50_000)],
        run={"horizon": 200_000},
    )
    made = simulation(doc)
    at(made, 86_399)
    before = made.ctx.cloud.storages[0].available
    arrived = made.result().totals.placed
    assert caches(made) == arrived == 3 - (made.result().answers[0].started_us > 0)
    at(made, 86_400)
    gone = arrived - caches(made)
    assert gone == 1, "one clone has ended by then"
    assert made.ctx.cloud.storages[0].available == before + 300 * MIB


def test_destroyed_clones_are_expunged_after_their_period() -> None:
    """With delayed deletion the host is free at once, the disk and the address row after the period."""
    doc = world(
        {"vm.deletionPolicy": "Delay", "vm.expungePeriod": 500},
        workload=[stream({"every": 1000}, lifetime=100)],
        run={"horizon": 1999},
    )
    made = simulation(doc)
    while not made.result().totals.placed:
        made.step()
    born = made.driver.now_us / SECOND
    name = made.result().answers[0].clones[0].name
    row = made.ctx.cloud.find("vm", name)
    at(made, born + 99.999)
    full = made.ctx.cloud.storages[0].available
    at(made, born + 100)
    assert made.ctx.cloud.vms.state_name(row) == "Destroyed"
    assert used(made, "h1") + used(made, "h2") == 0
    assert made.ctx.cloud.storages[0].available == full
    at(made, born + 599.999)
    assert made.ctx.cloud.vms.alive[row] == 1
    at(made, born + 600)
    assert made.ctx.cloud.vms.alive[row] == 0
    assert made.ctx.cloud.storages[0].available == full + GIB


# ---------------------------------------------------------------- waves, presets, targets that fail together


def test_waves_follow_each_other_when_the_hosts_are_back() -> None:
    """Six hosts, two at once, 100 s each: three waves; VMs stay running throughout."""
    incidents = [{"at": 10, "hosts": "all", "event": "maintain", "wave": 2, "repairAfter": 100}]
    vms = [running(f"a{n}", f"h{n + 1}") for n in range(6)]
    made = simulation(cloud(*vms, hosts=hosts(6, cpu=10), incidents=incidents))
    for seconds, away in ((50, {0, 1}), (150, {2, 3}), (250, {4, 5}), (350, set())):
        at(made, seconds)
        states = made.ctx.cloud.fleet.array(made.ctx.cloud.fleet.state).tolist()
        assert {row for row, code in enumerate(states) if code == 3} == away
        assert {state(made, f"a{n}") for n in range(6)} == {"Running"}


def test_a_host_that_cannot_be_emptied_does_not_stop_the_waves() -> None:
    """No room for its VM elsewhere and JustMigrate: the host stays in service, the next wave begins."""
    incidents = [{"at": 10, "hosts": "all", "event": "maintain", "wave": 1, "repairAfter": 100}]
    doc = cloud(running("a", "h1"), running("b", "h2"), hosts=hosts(3, cpu=1), incidents=incidents)
    doc["vms"].append(running("c", "h3"))
    doc["globalConfig"]["host.maintenance.policy"] = "JustMigrate"
    made = at(simulation(doc), 10)
    assert made.ctx.cloud.fleet.array(made.ctx.cloud.fleet.state).tolist() == [0, 0, 0]
    assert len(host_events(made.result(), "maintain")) == 6, "tried and given up, three times"


def test_moves_of_a_wave_take_their_time() -> None:
    """Each host's repair is counted from the end of its evacuation."""
    incidents = [{"at": 10, "hosts": "all", "event": "maintain", "wave": 1, "repairAfter": 100}]
    doc = cloud(running("a"), hosts=hosts(2), incidents=incidents, timing={"migrate": 20}, run={"timing": "model"})
    made = at(simulation(doc), 129)
    assert made.ctx.cloud.fleet.array(made.ctx.cloud.fleet.state).tolist() == [3, 0]
    at(made, 130)
    assert made.ctx.cloud.fleet.array(made.ctx.cloud.fleet.state).tolist() == [0, 2], "the second host is being emptied"
    at(made, 150)
    assert made.ctx.cloud.fleet.array(made.ctx.cloud.fleet.state).tolist() == [0, 3]


def test_together_is_one_draw_for_all_of_a_rack() -> None:
    """Random failures of a rack hit all its hosts at the same moments; each by itself they do not."""
    fleet = [{**one, "labels": {"rack": "r"}} for one in hosts(4)]
    law = {"exponential": {"mean": 500}}
    for together, one_moment in ((True, True), (False, False)):
        incident = {"every": law, "label": {"rack": "r"}, "event": "fail", "repairAfter": 10, "together": together}
        made = simulation(world(hosts=fleet, incidents=[incident], run={"horizon": 5000})).run()
        times: dict[int, list[float]] = {}
        for when, row in host_events(made.result(), "fail"):
            times.setdefault(row, []).append(when)
        assert len(times[0]) > 3
        assert (times[0] == times[1] == times[2] == times[3]) is one_moment


def test_nobody_restarts_on_a_host_that_fails_at_the_same_moment() -> None:
    """Four of five hosts fail at once: each VM is decided about once, and goes to the fifth."""
    incidents = [{"at": 10, "label": {"rack": "r"}, "event": "fail"}]
    fleet = [{**one, "labels": {"rack": "r" if n < 4 else "other"}} for n, one in enumerate(hosts(5, cpu=10))]
    made = simulation(cloud(*(running(f"a{n}", f"h{n + 1}", **HA) for n in range(4)), hosts=fleet, incidents=incidents))
    at(made, 10)
    assert used(made, "h5") == 4
    assert len([one for one in made.result().decisions if one.request == "ha"]) == 4


@pytest.mark.parametrize("name", sorted(FAILURE_PRESETS))
def test_presets_say_their_source_and_have_the_means_they_state(name: str) -> None:
    """A preset in a file is the same as its two laws written out."""
    preset = FAILURE_PRESETS[name]
    assert "20" in preset.source
    assert len(preset.source) > 80
    horizon = 100 * 365 * 24 * 3600
    rarely = {
        "host.reportHostCapacityInterval": 10**9,
        "primaryStorage.imageCache.garbageCollector.interval": 10**9,
    }
    found = []
    for laws in ({"preset": name}, {"every": dict(preset.every), "repairAfter": dict(preset.repair_after)}):
        incident = {"name": "it", "host": "h1", "event": "fail", **laws}
        made = simulation(world(rarely, hosts=hosts(1), incidents=[incident], run={"horizon": horizon})).run()
        found.append((host_events(made.result(), "fail"), host_events(made.result(), "repair")))
    assert found[0] == found[1]
    assert found[0][0]


def test_the_figures_of_presets_are_those_of_their_sources() -> None:
    """1,000 of 1,800 a year, 20 of 45, 8 % a year, shape 0.7 with mean a year, median 54 and mean 355 minutes."""
    year = 365.25 * 24 * 3600
    mean = {name: Distribution.of(dict(one.every)).mean / year for name, one in FAILURE_PRESETS.items()}
    assert mean["google-2009-machine"] == pytest.approx(1800 / 1000)
    assert mean["google-2009-rack"] == pytest.approx(45 / 20)
    assert 1 - math.exp(-1 / mean["microsoft-2010-server"]) == pytest.approx(0.08, abs=1e-4)
    assert mean["lanl-2006-node"] == pytest.approx(1, abs=0.01)
    repair = Distribution.of(dict(FAILURE_PRESETS["lanl-2006-node"].repair_after))
    assert repair.mean / 60 == pytest.approx(355, abs=0.5)


@pytest.mark.parametrize(
    ("incident", "words"),
    [
        ({"at": 1, "hosts": "all", "event": "maintain", "wave": 2}, "repairAfter"),
        ({"every": 9, "hosts": "all", "event": "maintain", "wave": 2, "repairAfter": 1}, "wave"),
        ({"at": 1, "hosts": "all", "event": "fail", "wave": 2, "repairAfter": 1}, "wave"),
        ({"host": "h1", "event": "fail", "preset": "google-2009-machin"}, "google-2009-machine"),
        ({"host": "h1", "event": "maintain", "preset": "google-2009-machine"}, "event: fail"),
        ({"host": "h1", "event": "fail", "preset": "google-2009-machine", "at": 3}, "one of at, every and preset"),
    ],
)
def test_wrong_waves_and_presets_are_faults(incident: Doc, words: str) -> None:
    """Each names what was expected."""
    with pytest.raises(InvalidInput) as caught:
        load(world(incidents=[incident], run={"horizon": 100}))
    assert words in "\n".join(map(str, caught.value.faults))
