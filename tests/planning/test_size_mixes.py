"""Mixes of host models and N+k against every mix in turn; what is written is what was promised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from simclone.changes.whatif import change_scenario
from simclone.cli.parsers import models_of
from simclone.errors import InvalidInput
from simclone.planning.parts import mix_search
from simclone.planning.parts.size_trials import Trials
from simclone.units import GIB
from tests.clouds import examples
from tests.time.worlds import Doc, finished, hosts, request, vm, world

ONE = simclone.ReplicationPlan(replications=1)
KINDS = {"unit": (1, 1), "wide": (3, 1), "tall": (1, 3), "gpu": (2, 1)}
MOST = 6


@st.composite
def clusters(draw: st.DrawFn) -> Doc:
    """One or two clusters, each with a storage of its own and hosts; full clones of a VM in each, some with a GPU."""
    names = [f"c{n}" for n in range(draw(st.integers(1, 2)))]
    new_hosts, sources, asked = [], [], []
    for at, name in enumerate(names):
        cpu = draw(st.integers(1, 4))
        new_hosts.append({**hosts(1, cpu=cpu)[0], "name": f"h{at}", "cluster": name, "totalPhysicalMemory": 4 * GIB})
        kind = draw(st.sampled_from(sorted(KINDS)))
        storage = {"state": "Stopped", "lastHost": f"h{at}", "primaryStorage": f"nfs-{name}"}
        sources.append(vm(f"v{at}", instanceOffering=kind, **storage))
        clones = [f"n{at}{number}" for number in range(draw(st.integers(0, 4)))]
        asked += [request(at, *clones, source=f"v{at}", full=True)] if clones else []
    offerings = [{"name": name, "cpuNum": cpu, "memorySize": size * GIB} for name, (cpu, size) in KINDS.items()]
    offerings[-1]["systemTags"] = ["pciDeviceSpec::A100::1"]
    storages = [
        {"name": f"nfs-{name}", "type": "NFS", "totalCapacity": "100T", "attachedClusters": [name]} for name in names
    ]
    return world(
        clusters=[{"name": name} for name in names],
        hosts=new_hosts,
        primaryStorages=storages,
        instanceOfferings=offerings,
        vms=sources,
        requests=asked,
    )


@st.composite
def models_for(draw: st.DrawFn, doc: Doc) -> list[simclone.Model]:
    """Two models with prices, in any of the clusters, some with a GPU."""
    names = [cluster["name"] for cluster in doc["clusters"]]
    return [
        simclone.Model(
            f"m{at}",
            float(draw(st.integers(1, 5))),
            cpu_num=draw(st.integers(1, 6)),
            memory=draw(st.integers(2, 8)) * GIB,
            cluster=draw(st.sampled_from(names)),
            devices={"A100": 1} if draw(st.booleans()) else None,
        )
        for at in range(2)
    ]


def grown(doc: Doc, models: Sequence[simclone.Model], counts: Sequence[int]) -> Doc:
    """The cloud with so many hosts of each model, written down here."""
    new = [
        {
            "name": f"{model.name}-{number}",
            "cluster": model.cluster,
            "cpuNum": model.cpu_num,
            "totalPhysicalMemory": model.memory,
            "pciDevices": dict(model.devices or {}),
        }
        for model, count in zip(models, counts, strict=True)
        for number in range(1, count + 1)
    ]
    return {**doc, "hosts": [*doc["hosts"], *new]}


def complete(doc: Doc) -> bool:
    """Whether every name is placed."""
    totals = finished(doc).totals
    return totals.placed == totals.asked


def price(models: Sequence[simclone.Model], counts: Sequence[int]) -> float:
    """What they cost."""
    return sum(count * model.price for count, model in zip(counts, models, strict=True))


@given(st.data())
@settings(max_examples=examples(60))
def test_no_mix_is_cheaper(data: st.DataObject) -> None:
    """Of all mixes of up to six of each the cheapest that places everything costs what is said, or none does."""
    doc = data.draw(clusters())
    models = data.draw(models_for(doc))
    answer = simclone.size(doc, models, most=2 * MOST, plan=ONE)
    good = [mix for mix in product(range(MOST + 1), repeat=2) if complete(grown(doc, models, mix))]
    assert (answer.counts is None) == (not good)
    if answer.counts is not None:
        assert complete(grown(doc, models, answer.counts))
        least = min(price(models, mix) for mix in good)
        assert answer.cost is not None
        assert answer.cost == least if answer.proved else answer.cost >= least
        assert answer.bound is None or answer.bound <= least
        assert answer.proved, "so few mixes can all be looked at"
        assert [complete(grown(doc, models, mix)) for mix in answer.alternatives] == [True] * len(answer.alternatives)


@pytest.mark.parametrize("every", [0, 64], ids=["by the largest", "each"])
def test_mixes_stand_for_smaller_ones(monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    """GPU hosts take all VMs, others only those without: the cheapest mix has both, also where few mixes are run."""
    monkeypatch.setattr(mix_search, "EVERY_MIX", every)
    offerings = [
        {"name": "unit", "cpuNum": 1, "memorySize": GIB},
        {"name": "gpu", "cpuNum": 1, "memorySize": GIB, "systemTags": ["pciDeviceSpec::A100::1"]},
    ]
    where = {"state": "Stopped", "lastHost": "h1", "primaryStorage": "nfs"}
    doc = world(
        clusters=[{"name": "c"}],
        hosts=hosts(1, cpu=1),
        instanceOfferings=offerings,
        vms=[vm("v", **where), vm("g", **(where | {"instanceOffering": "gpu"}))],
        requests=[request(1, *(f"g{n}" for n in range(10)), source="g"), request(2, *(f"u{n}" for n in range(30)))],
    )
    gpu = simclone.Model("gpu", 9.0, cpu_num=4, memory=64 * GIB, cluster="c", devices={"A100": 4})
    plain = simclone.Model("plain", 3.0, cpu_num=4, memory=64 * GIB, cluster="c")
    answer = simclone.size(doc, [gpu, plain], plan=ONE)
    good = [mix for mix in product(range(11), repeat=2) if complete(grown(doc, [gpu, plain], mix))]
    assert answer.cost == min(price([gpu, plain], mix) for mix in good) == price([gpu, plain], (3, 7))
    assert (answer.proved, answer.gap) == (True, 0.0)
    assert "the cheapest mix" in answer.summary()


def test_a_search_that_ends_early_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without runs left the cheapest found is told with the bound, which knows no clusters, and the gap."""
    monkeypatch.setattr(mix_search, "FEWEST_RUNS", 0)
    monkeypatch.setattr(mix_search, "MOST_RUNS", 0)
    answer = simclone.size(two_clusters(22), [in_cluster("a", 1.0), in_cluster("b", 3.0)], plan=ONE)
    assert (answer.counts, answer.proved, answer.bound, answer.gap) == ((5, 5), False, 9.0, 11.0)
    assert "cheapest found, not below 9 in any mix: a gap of 11" in answer.summary()


def in_cluster(name: str, cost: float) -> simclone.Model:
    """Hosts of four vCPUs in a cluster."""
    return simclone.Model(f"m-{name}", cost, cpu_num=4, memory=400 * GIB, cluster=name)


def two_clusters(names: int = 6) -> Doc:
    """Two clusters of one host of four vCPUs, each with a storage of its own and full clones beside a VM there."""
    storages = [
        {"name": f"nfs-{name}", "type": "NFS", "totalCapacity": "100T", "attachedClusters": [name]} for name in "ab"
    ]
    sources = [vm(f"v{name}", state="Stopped", lastHost=f"h{name}", primaryStorage=f"nfs-{name}") for name in "ab"]
    return world(
        clusters=[{"name": "a"}, {"name": "b"}],
        hosts=[{**hosts(1)[0], "name": f"h{name}", "cluster": name} for name in "ab"],
        primaryStorages=storages,
        vms=sources,
        requests=[request(0, *(f"{name}{n}" for n in range(names)), source=f"v{name}", full=True) for name in "ab"],
    )


def test_two_clusters_that_are_both_short_take_one_of_each() -> None:
    """No model alone is enough; one of each is, and it is proved to be the cheapest."""
    answer = simclone.size(two_clusters(), [in_cluster("a", 1.0), in_cluster("b", 3.0)], plan=ONE)
    assert (answer.counts, answer.cost, answer.proved) == ((1, 1), 4.0, True)


def survives(doc: Doc, lost: int) -> bool:
    """Whether equal VMs fit on the others whichever hosts are lost; counted host by host, all of one size."""
    cpus = [host["cpuNum"] for host in doc["hosts"]]
    running = sum("host" in one for one in doc["vms"]) + sum(
        len(one["cloneVmInstance"]["names"]) for one in doc["requests"]
    )
    sets = combinations(range(len(cpus)), min(lost, len(cpus)))
    return all(sum(cpu for row, cpu in enumerate(cpus) if row not in rows) >= running for rows in sets)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 8), st.integers(1, 5), st.integers(0, 2))
@settings(max_examples=examples(100))
def test_the_fewest_with_hosts_to_lose(cpus: list[int], names: int, size: int, lost: int) -> None:
    """The first of 0, 1, 2, … hosts with which whatever hosts are lost all VMs and clones run on the others."""
    fleet = [{**hosts(1, cpu=cpu)[0], "name": f"h{at}"} for at, cpu in enumerate(cpus)]
    source = vm("v", state="Stopped", lastHost="h0", primaryStorage="nfs")
    there = [vm("r", host="h0", primaryStorage="nfs")]
    asked = [request(0, *(f"n{n}" for n in range(names)))] if names else []
    doc = world(clusters=[{"name": "c"}], hosts=fleet, vms=[source, *there], requests=asked)
    model = simclone.Model("m", 2.0, cpu_num=size, memory=4000 * GIB, cluster="c")
    answer = simclone.size(doc, [model], survive=lost, plan=ONE)
    least = next(n for n in range(50) if survives(grown(doc, [model], (n,)), lost))
    assert (answer.counts, answer.survive) == ((least,), lost)


def test_a_mix_with_hosts_to_lose() -> None:
    """Eight VMs on two hosts of four: the loss of one asks for four vCPUs more, as one of four or two of two."""
    doc = world(clusters=[{"name": "c"}], requests=[request(0, *(f"n{n}" for n in range(8)))])
    small = simclone.Model("c2", 2.0, cpu_num=2, memory=400 * GIB, cluster="c")
    large = simclone.Model("c4", 3.0, cpu_num=4, memory=400 * GIB, cluster="c")
    answer = simclone.size(doc, [small, large], survive=1, plan=ONE)
    good = [mix for mix in product(range(5), repeat=2) if survives(grown(doc, [small, large], mix), 1)]
    assert answer.cost == min(price([small, large], mix) for mix in good)
    assert "with any 1 host lost" in answer.summary()


def test_local_vms_that_cannot_restart_are_named() -> None:
    """A VM on the disk of its host is no reason to add hosts without end; it is told."""
    local = {"name": "local", "type": "LocalStorage", "localHosts": [{"host": "h1", "totalCapacity": "1T"}]}
    local["localHosts"].append({"host": "h2", "totalCapacity": "1T"})
    doc = world(primaryStorages=[local], vms=[vm("v", host="h1", primaryStorage="local")], requests=[])
    answer = simclone.size(doc, [simclone.Model("m", like="h1")], survive=1, plan=ONE)
    assert answer.counts == (0,)
    assert "1 VM on local storage cannot restart on any other host, whatever is added: v" in answer.summary()


def written(
    path: Path, doc: Doc, models: Sequence[simclone.Model], **more: Any
) -> Iterator[tuple[simclone.Sizing, Doc]]:
    """Every alternative of an answer, written to a file and read again."""
    count = 1 + len(simclone.size(doc, models, plan=ONE, **more).alternatives)
    for number in range(1, count + 1):
        out = path / f"{number}.yaml"
        answer = simclone.size(doc, models, plan=ONE, out=str(out), alternative=number, **more)
        yield answer, simclone.load(str(out)).doc.model_dump(by_alias=True, exclude_unset=True, mode="json")


def test_what_is_written_gives_what_was_promised(tmp_path: Path) -> None:
    """Every alternative, run anew, places everything with the hosts that were said, also with one lost."""
    doc = world(clusters=[{"name": "c"}], requests=[request(0, *(f"n{n}" for n in range(19)))])
    models = [
        simclone.Model("c3", 3.0, cpu_num=3, memory=400 * GIB, cluster="c"),
        simclone.Model("c8", 7.0, cpu_num=8, memory=400 * GIB, cluster="c"),
    ]
    results = list(written(tmp_path, doc, models, survive=1))
    assert len(results) > 1
    for at, (answer, again) in enumerate(results):
        assert answer.counts is not None
        counts = (answer.counts, *answer.alternatives)[at]
        assert len(again["hosts"]) == 2 + sum(counts)
        assert complete(again)
        assert simclone.size(again, models[:1], survive=1, plan=ONE).counts == (0,)


def test_nothing_is_written_over_a_file_or_without_an_answer(tmp_path: Path) -> None:
    """A file that is there stays; an alternative that is not there is a fault."""
    out = tmp_path / "new.yaml"
    doc = world(requests=[request(0, *(f"n{n}" for n in range(9)))])
    with pytest.raises(InvalidInput, match="there is no alternative 5"):
        simclone.size(doc, [simclone.Model("m", like="h1")], plan=ONE, out=str(out), alternative=5)
    assert not out.exists()
    out.write_text("here")
    with pytest.raises(InvalidInput, match="is there already"):
        simclone.size(doc, [simclone.Model("m", like="h1")], plan=ONE, out=str(out))


def racks_of(doc: Any, prefix: str) -> list[str]:
    """The racks of hosts by the beginning of their name."""
    data = doc.doc.model_dump(by_alias=True, mode="json")
    return sorted(host["labels"].get("rack", "") for host in data["hosts"] if host["name"].startswith(prefix))


def test_new_hosts_are_spread_over_the_racks_there_are() -> None:
    """Five like a host of rack r1, of three racks with three, one and one host: two each where there was one."""
    racks = ["r1", "r1", "r1", "r2", "r3"]
    fleet = [
        {**host, "labels": {"rack": rack, "disk": "ssd"}} for host, rack in zip(hosts(5, cpu=1), racks, strict=True)
    ]
    group = {"name": "g", "policy": "antiSoft", "over": "rack"}
    doc = world(hosts=fleet, affinityGroups=[group], requests=[request(0, *(f"n{n}" for n in range(9)))])
    scenario = simclone.load(doc)
    model = simclone.Model("m", like="h1")
    trials = Trials(scenario, [model], None, ONE)
    assert racks_of(trials.grown((4,)), "m-") == ["r2", "r2", "r3", "r3"]
    assert racks_of(trials.grown((5,)), "m-") == ["r1", "r2", "r2", "r3", "r3"]
    given_rack = Trials(scenario, [simclone.Model("m", like="h1", labels={"rack": "r9"})], None, ONE)
    assert racks_of(given_rack.grown((2,)), "m-") == ["r9", "r9"]
    labels = [host.labels for host in trials.grown((1,)).resolved.names.docs("host") if host.name == "m-1"]
    assert labels[0]["disk"] == "ssd"


def test_a_host_that_joins_brings_labels_and_devices_in_the_file_and_in_the_cloud() -> None:
    """The same what-if before the run and at a time of it."""
    change = {"like": "h1", "labels": {"rack": "r2"}, "pciDevices": {"T4": 3}, "count": 2, "name": "x{n}"}
    doc = world(hosts=[{**host, "labels": {"rack": "r1"}, "pciDevices": {"A100": 1}} for host in hosts(1)])
    before = change_scenario(simclone.load(doc), [{"addHosts": change}])
    cloud = simclone.open_cloud(doc)
    assert [host.labels for host in before.resolved.names.docs("host")][1:] == [{"rack": "r2"}] * 2
    assert [dict(host.pci_devices) for host in before.resolved.names.docs("host")][1:] == [{"T4": 3}] * 2
    assert cloud is not None
    late = world(
        hosts=doc["hosts"],
        whatif=[{"name": "later", "at": 5, "changes": [{"addHosts": change}]}],
        requests=[request(10, *(f"n{n}" for n in range(12)))],
    )
    answer = simclone.whatif(late, plan=ONE)
    assert [after.success.estimate for after in answer.variants] == [pytest.approx(4 / 12), 1.0]


def test_useless_models_are_not_walked_far() -> None:
    """A model that no VM fits is given up after a few doublings, beside one that helps and alone."""
    doc = world(clusters=[{"name": "c"}], requests=[request(0, *(f"n{n}" for n in range(12)))])
    doc["instanceOfferings"] = [{"name": "unit", "cpuNum": 2, "memorySize": GIB}]
    useless = simclone.Model("tiny", 0.001, cpu_num=1, memory=400 * GIB, cluster="c")
    answer = simclone.size(doc, [useless, simclone.Model("m", 5.0, like="h1")], plan=ONE)
    assert answer.counts == (0, 4)
    assert max(sum(trial.counts) for trial in answer.trials) < 200
    alone = simclone.size(doc, [useless], plan=ONE)
    assert alone.counts is None
    assert max(sum(trial.counts) for trial in alone.trials) <= 64
    assert "the limit that remains with" in alone.summary()
    assert "host.cpu" in alone.summary()


def test_a_model_of_the_command_line_brings_disks_devices_and_labels() -> None:
    """Every key of a model has its place in the change."""
    text = "name=d,cpu=4,memory=64GiB,cluster=c,price=9,disk=2TiB,disk.fast=1TiB,device.A100=4,rack=r1,label.row=x"
    (model,) = models_of([text])
    (change,) = model.changes(3)
    assert change == {
        "addHosts": {
            "name": "d-{n}",
            "count": 3,
            "cpuNum": 4,
            "totalPhysicalMemory": 64 * GIB,
            "cluster": "c",
            "localStorage": 2048 * GIB,
            "localStorages": {"fast": 1024 * GIB},
            "pciDevices": {"A100": 4},
            "labels": {"rack": "r1", "row": "x"},
        }
    }


def test_a_model_without_a_disk_in_a_cluster_of_local_storage_is_told() -> None:
    """With a disk one host is enough, without one no number is, and why is said."""
    shares = [{"host": name, "totalCapacity": 4 * GIB} for name in ("h1", "h2")]
    local = {"name": "local", "type": "LocalStorage", "localHosts": shares}
    where = {"state": "Stopped", "lastHost": "h1", "primaryStorage": "local"}
    doc = world(primaryStorages=[local], vms=[vm("v", **where)], requests=[request(0, *"abcdefgh")])
    (bare, full) = models_of(["name=bare,cpu=8,memory=64GiB", "name=full,cpu=8,memory=64GiB,disk=1TiB"])
    assert simclone.size(doc, [full], plan=ONE).counts == (1,)
    answer = simclone.size(doc, [bare], plan=ONE)
    assert answer.counts is None
    assert "hosts of bare bring no disk to the local storage local" in answer.summary()
    assert "bring no disk" not in simclone.size(doc, [full], plan=ONE).summary()
    mixed = simclone.size(doc, [bare, full], plan=ONE)
    assert mixed.counts == (0, 1)
