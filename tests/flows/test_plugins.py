"""Flows and strategies of another package: found by their entry points, nothing in simclone knows of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).parents[2]

FLOW = '''
from simclone.allocator.host.flow import FilterFlow, Pass, Test
from simclone.allocator.host.strategies import LEAST_VM, TABLES, Strategy
from simclone.allocator.lookups import Lookup
from simclone.vocabulary import Reason, Subject

LABEL = Reason("host.label", "no host that is left has the label", Subject.HOST)


class LabelFlow(FilterFlow):
    """Hosts with the label that a tag ``hostLabel::key=value`` asks for."""

    name = "mycloud.Label"
    tags = frozenset({"hostLabel"})
    tests = (Test(LABEL, lambda host, facts: facts[host.index] == 1),)

    def facts(self, request, cloud, candidates):
        label = request.tag("hostLabel")
        if label is None:
            return Pass()
        key, _, value = label.partition("=")
        return Lookup([int(labels.get(key) == value) for labels in cloud.fleet.labels])


FLOWS = (LabelFlow,)


def strategy(profile):
    usual = TABLES[profile][LEAST_VM]
    return Strategy("mycloud.LabelAware", (*usual.filters, LabelFlow()), usual.sorters)
'''

POINTS = """[simclone.flows]
labels = mycloud_labels

[simclone.strategies]
mycloud.LabelAware = mycloud_labels:strategy
"""

RUN = """
import json, sys
import simclone
from simclone.explain.verdict import verdict_of

scenario = simclone.load(sys.argv[1])
run = simclone.run(scenario)
import simclone.placement.host as host
answered = []
decide = host.HostIndex.decide
host.HostIndex.decide = lambda *args, **more: answered.append(decide(*args, **more)) or answered[-1]
again = simclone.run(scenario)
host.HostIndex.decide = lambda *args, **more: None
plain = simclone.run(scenario)
steps = [[list(map(str, step.refused)) for step in record.decision.steps if step.flow == "mycloud.Label"]
         for record in run.result.decisions]
print(json.dumps({
    "hosts": {clone.name: run.explain(clone.name).host for answer in run.result.answers for clone in answer.clones},
    "reasons": run.reasons(),
    "steps": steps,
    "same": run.fingerprint == again.fingerprint == plain.fingerprint,
    "same_steps": [one.decision for one in run.result.decisions] == [one.decision for one in plain.result.decisions],
    "by_index": sum(decision is not None for decision in answered),
    "verdict": verdict_of("host.label", None, None, ()).kind,
}))
"""


def scenario(strategy: str, **more: Any) -> dict[str, Any]:
    """Six hosts, two with the label; clones that ask for it and clones that do not."""
    hosts = [
        {"name": f"h{row}", "cpuNum": 4, "totalPhysicalMemory": "64GiB", "labels": {"disk": "ssd"} if row > 3 else {}}
        for row in range(6)
    ]
    bodies = [("ssd", ["hostLabel::disk=ssd"], 4), ("any", [], 6), ("none", ["hostLabel::disk=tape"], 1)]
    return {
        "globalConfig": {"host.cpu.overProvisioning.ratio": 1},
        "hosts": hosts,
        "primaryStorages": [{"name": "nfs", "type": "NFS", "totalCapacity": "20TiB"}],
        "backupStorages": [{"name": "imagestore"}],
        "images": [{"name": "centos", "size": "20GiB", "actualSize": "2GiB"}],
        "l3Networks": [{"name": "l3", "ipRanges": [{"start": "10.0.0.10", "end": "10.0.0.99"}]}],
        "instanceOfferings": [
            {"name": "small", "cpuNum": 1, "memorySize": "1GiB", "allocatorStrategy": strategy},
        ],
        "vms": [{"name": "vm", "instanceOffering": "small", "image": "centos", "l3Networks": ["l3"], "host": "h0"}],
        "requests": [
            {
                "name": f"{name}-{turn}",
                "at": turn,
                "vm": "vm",
                "cloneVmInstance": {"names": [f"{name}-{turn}"]},
                "systemTags": tags,
            }
            for name, tags, count in bodies
            for turn in range(count)
        ],
        **more,
    }


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder for the path, with the package and what an installer would write beside it."""
    (tmp_path / "mycloud_labels.py").write_text(FLOW, "utf-8")
    info = tmp_path / "mycloud_labels-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mycloud-labels\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(POINTS, "utf-8")
    return tmp_path


def run(package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Python with the package on its path."""
    path = os.pathsep.join((str(package), str(REPO)))
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": path}
    )


def answer(package: Path, document: dict[str, Any]) -> dict[str, Any]:
    """What a run of a scenario says, made in a process of its own."""
    (package / "scenario.json").write_text(json.dumps(document), "utf-8")
    done = run(package, "-c", RUN, str(package / "scenario.json"))
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_a_strategy_of_another_package_filters_by_its_own_tag(package: Path) -> None:
    """Its flow places by host labels, its tag is known, its reason has a verdict, and the index answers as plain.

    Where it leaves no host the page has failed like any other (rules/host-filters.md#plug-ins).
    """
    said = answer(package, scenario("mycloud.LabelAware"))
    assert {said["hosts"][f"ssd-{turn}"] for turn in range(4)} == {"h4", "h5"}
    assert said["hosts"]["none-0"] is None
    assert len({said["hosts"][f"any-{turn}"] for turn in range(6)}) > 2
    assert said["reasons"] == {"host.label": 1}
    assert ["('host.label', 6)"] in [row for steps in said["steps"] for row in steps]
    assert said["verdict"] == "policy"
    assert said["same"]
    assert said["same_steps"]
    assert said["by_index"] > 5


def test_a_strategies_block_names_a_flow_of_another_package(package: Path) -> None:
    """The flow can be named in a file beside the built-in ones."""
    own = {"labelled": {"filters": ["HostCapacityAllocatorFlow", "mycloud.Label"], "score": {"vmCount": -1}}}
    said = answer(package, scenario("labelled", strategies=own))
    assert {said["hosts"][f"ssd-{turn}"] for turn in range(4)} == {"h4", "h5"}
    assert said["reasons"] == {"host.label": 1}
    assert said["same"]


def test_without_the_package_nothing_of_it_is_known(package: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Strategy and flow are unknown where the package is not installed."""
    path = package / "scenario.json"
    path.write_text(json.dumps(scenario("mycloud.LabelAware")), "utf-8")
    done = run(tmp_path_factory.mktemp("empty"), "-m", "simclone", "validate", str(path))
    assert done.returncode == 2
    assert "unknown host strategy 'mycloud.LabelAware'" in done.stderr + done.stdout
    assert run(package, "-m", "simclone", "validate", str(path)).returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"mycloud.Label"', '"HostCapacityAllocatorFlow"', "is built in"),
        ('Reason("host.label"', 'Reason("host.cpu"', "reason host.cpu"),
        ("FLOWS = (LabelFlow,)", "FLOWS = (LabelFlow, LabelFlow)", "is there already"),
        ("FLOWS = (LabelFlow,)", "FLOWS = (7,)", "is no flow"),
        ('Strategy("mycloud.LabelAware"', 'Strategy("other"', "cannot be registered"),
    ],
)
def test_a_package_that_registers_nonsense_is_named(package: Path, old: str, new: str, said: str) -> None:
    """A name or code that is taken, and what is no flow or strategy, are faults that name the entry point or reason."""
    module = package / "mycloud_labels.py"
    text = module.read_text("utf-8")
    assert old in text
    module.write_text(text.replace(old, new), "utf-8")
    own = {"labelled": {"filters": ["HostCapacityAllocatorFlow"], "score": {"vmCount": -1}}}
    (package / "scenario.json").write_text(json.dumps(scenario("labelled", strategies=own)), "utf-8")
    done = run(package, "-m", "simclone", "validate", str(package / "scenario.json"))
    assert done.returncode == 2
    assert said in done.stderr + done.stdout
