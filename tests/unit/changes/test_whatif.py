"""Changes to a scenario: each does what it says to the file's data, and says what is wrong with itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import simclone
from simclone.changes.demand import scaled_names
from simclone.changes.whatif import change_scenario, what_if
from simclone.engine.opening import open_context
from simclone.errors import InvalidInput
from simclone.scenario.reading.paths import get_path, set_path
from simclone.scenario.writing import data_of
from simclone.units import GIB
from tests.time.worlds import Doc, hosts, request, vm, world

SCENARIOS = sorted((Path(__file__).resolve().parents[3] / "scenarios").glob("**/*.yaml"))


def two_clusters() -> Doc:
    """Three hosts of which two stand in the first cluster, a VM pinned to each cluster's first host."""
    doc = world(hosts=hosts(3, cpu=4), vms=[vm("v"), vm("w", host="h3")], requests=[request(0, "a", "b")])
    doc["clusters"] = [{"name": "c1"}, {"name": "c2"}]
    for row, one in enumerate(doc["hosts"]):
        one["cluster"] = "c2" if row == 2 else "c1"
    doc["primaryStorages"][0]["attachedClusters"] = ["c1", "c2"]
    return doc


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_change_of_nothing_changes_nothing(path: Path) -> None:
    """Data taken out of a scenario and put back gives the same run."""
    scenario = simclone.load(path)
    same = change_scenario(scenario, [{"set": {"about": "the same"}}])
    assert simclone.run(same).fingerprint == simclone.run(scenario).fingerprint
    assert same.sha256 != scenario.sha256
    assert not same.expect


def test_hosts_join_leave_and_change_size() -> None:
    """New hosts stand at the end, gone ones take their references along, replaced ones keep name and place."""
    scenario = simclone.load(two_clusters())
    grown = data_of(change_scenario(scenario, [{"addHosts": {"like": "h3", "count": 2, "name": "x{n}"}}]))
    assert [(one["name"], one["cluster"]) for one in grown["hosts"][3:]] == [("x1", "c2"), ("x2", "c2")]
    less = data_of(change_scenario(scenario, [{"removeHosts": ["h3"]}]))
    assert [one["name"] for one in less["hosts"]] == ["h1", "h2"]
    assert "host" not in less["vms"][1]
    size = {"cpuNum": 64, "totalPhysicalMemory": "1TiB"}
    new = data_of(change_scenario(scenario, [{"replaceHosts": {"cluster": "c1", **size}}]))
    assert [one["cpuNum"] for one in new["hosts"]] == [64, 64, 4]
    assert data_of(change_scenario(scenario, [{"addHosts": {"cluster": "c1", **size}}]))["hosts"][3]["name"] == "new-1"


def test_clusters_merge_and_split() -> None:
    """Hosts and attachments follow; a split and a merge give back what there was."""
    scenario = simclone.load(two_clusters())
    one = data_of(change_scenario(scenario, [{"mergeClusters": {"clusters": ["c1", "c2"], "into": "c1"}}]))
    assert {host["cluster"] for host in one["hosts"]} == {"c1"}
    assert one["primaryStorages"][0]["attachedClusters"] == ["c1"]
    split = change_scenario(scenario, [{"splitCluster": {"cluster": "c1", "hosts": ["h2"], "into": "c3"}}])
    assert [host["cluster"] for host in data_of(split)["hosts"]] == ["c1", "c3", "c2"]
    assert data_of(split)["primaryStorages"][0]["attachedClusters"] == ["c2", "c1", "c3"]
    back = change_scenario(split, [{"mergeClusters": {"clusters": ["c3"], "into": "c1"}}])
    assert simclone.run(back).fingerprint == simclone.run(scenario).fingerprint


def test_demand_grows_and_shrinks() -> None:
    """Names of requests and rates of streams."""
    scenario = simclone.load(two_clusters())
    assert len(simclone.run(change_scenario(scenario, [{"demand": 2.5}])).clones) == 5
    assert scaled_names(["a", "b"], 2.0) == ["a", "b", "a-2", "b-2"]
    stream = {"name": "s", "vm": "v", "arrivals": {"poisson": {"perHour": 10}}}
    doc = {**two_clusters(), "workload": [stream], "run": {"horizon": 3600}}
    faster = data_of(change_scenario(simclone.load(doc), [{"demand": 3.0}]))
    assert faster["workload"][0]["arrivals"]["poisson"]["perHour"] == 30
    lawless = {**stream, "arrivals": {"renewal": {"law": "exponential", "mean": 5}}}
    with pytest.raises(InvalidInput, match=r"workload\.0"):
        change_scenario(simclone.load({**doc, "workload": [lawless]}), [{"demand": 3.0}])


def test_settings_limits_and_any_path() -> None:
    """A setting is written once whatever its spelling; figures that followed the old one are left out."""
    doc = two_clusters()
    doc["globalConfig"] = {"host.cpu.overProvisioning.ratio": 1}
    doc["hosts"][0]["totalCpu"] = 4
    doc["accounts"] = [{"name": "u", "quota": {"vm.num": 3}}]
    scenario = simclone.load(doc)
    data = data_of(
        change_scenario(
            scenario,
            [
                {"globalConfig": {"host.cpu.overProvisioning.ratio": 2}},
                {"quota": {"account": "u", "limits": {"vm.num": 9}}},
                {"set": {"hosts.h2.cpuNum": 8, "vms.v.memorySize": "2GiB", "requests.0.at": 5.0}},
            ],
        )
    )
    assert data["globalConfig"] == {"host.cpu.overProvisioning.ratio": 2}
    assert "totalCpu" not in data["hosts"][0]
    assert data["accounts"][0]["quota"] == {"vm.num": 9}
    assert (data["hosts"][1]["cpuNum"], data["vms"][0]["memorySize"], data["requests"][0]["at"]) == (8, 2 * GIB, 5.0)


def test_one_of_many_is_changed_alone() -> None:
    """An entry that stands for many is spread out; ranks and uuids stay."""
    doc = world(hosts=[{**hosts(1)[0], "name": "n{n:02}", "count": 3}], vms=[vm("v")], requests=[request(0, "a")])
    data = data_of(simclone.load(doc))
    set_path(data, "hosts.n02.cpuNum", 99)
    assert [one["name"] for one in data["hosts"]] == ["n01", "n02", "n03"]
    assert get_path(data, "hosts.1.cpuNum") == 99
    assert get_path(data, "hosts.n01.count") is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"addHosts": {"like": "nobody"}}, "addHosts.like: there is no host"),
        ({"addHosts": {"cpuNum": 4}}, "addHosts.totalPhysicalMemory: is missing"),
        ({"addHosts": {"cpuNum": 4, "totalPhysicalMemory": "1GiB"}}, "addHosts.cluster: is missing"),
        ({"removeHosts": ["h1", "zz"]}, "removeHosts.1: there is no host 'zz'"),
        ({"replaceHosts": {"cpuNum": 4, "totalPhysicalMemory": "1GiB"}}, "says not which hosts"),
        ({"replaceHosts": {"cluster": "c9", "like": "h1"}}, "has no hosts"),
        ({"mergeClusters": {"clusters": ["c7"], "into": "c1"}}, "'c7' is not there"),
        ({"splitCluster": {"cluster": "c1", "hosts": ["h1"], "into": "c2"}}, "is there already"),
        ({"moveVm": {"vm": "v", "host": "h9"}}, "there is no host 'h9'"),
        ({"moveVm": {"vm": "x", "host": "h1"}}, "'x' is not there"),
        ({"set": {"hosts.zz.cpuNum": 4}}, "there is no 'zz'"),
        ({"set": {"name.deep.er": 4}}, "holds no further keys"),
        ({"set": {"hosts.h1.cpuNun": 4}}, "cpuNun"),
        ({"demand": 0}, "more than 0"),
        ({"globalConfig": {"no.such": 1}}, "no.such"),
        ({"demand": 2.0, "removeHosts": ["h1"]}, "holds 2 changes"),
        ({}, "holds 0 changes"),
        ({"paint": "red"}, "paint"),
    ],
)
def test_a_wrong_change_says_where_and_what(change: dict[str, Any], words: str) -> None:
    """Every fault names its place."""
    with pytest.raises(InvalidInput) as caught:
        change_scenario(simclone.load(two_clusters()), [change])
    assert words in str(caught.value)


def test_a_change_at_a_later_time_is_an_incident() -> None:
    """Hosts that join at an hour serve what is asked after it; what cannot wait says so."""
    doc = world(hosts=hosts(1, cpu=2), vms=[vm("v", state="Stopped")], requests=[])
    doc["requests"] = [request(0, "a", "b", "c"), {**request(20, "d", "e"), "name": "later"}]
    doc["whatif"] = [
        {"name": "one more", "at": 10, "changes": [{"addHosts": {"like": "h1"}}]},
        {"name": "more demand", "at": 10, "changes": [{"demand": 2}]},
    ]
    scenario = simclone.load(doc)
    before, after = (simclone.run(one) for one in (scenario, what_if(scenario, scenario.doc.whatif[0])))
    first = before.result.answers[0]
    assert [one.error is None for one in first.clones] == [one.error is None for one in after.result.answers[0].clones]
    assert after.result.totals.placed > before.result.totals.placed
    with pytest.raises(InvalidInput, match="only be made before the run"):
        what_if(scenario, scenario.doc.whatif[1])


def test_a_strategy_without_filters_looks_at_nothing() -> None:
    """An empty list of filters is an empty list; a key left out stands for the usual ones."""
    doc = world(hosts=[{**hosts(1)[0], "state": "Disabled"}, *hosts(2)[1:]], requests=[request(0, "a")])
    doc["vms"] = [vm("v", state="Stopped", strategy="own", lastHost="h2", primaryStorage="nfs")]
    chains = {}
    for name, own in (("none", {"filters": []}), ("usual", {})):
        ctx = open_context(simclone.load({**doc, "strategies": {"own": {**own, "score": {"vmCount": -1.0}}}}))
        chains[name] = [flow.name for flow in ctx.cloud.strategies["own"].filters]
    assert len(chains["none"]) == 1
    assert chains["usual"][:1] == chains["none"]
    assert len(chains["usual"]) > 10
