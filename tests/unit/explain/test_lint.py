"""Lint: each kind of trouble is found where it stands, errors really fail, and sound files are left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import simclone
from simclone.cli import cli
from simclone.explain.lint import lint
from simclone.explain.lint_finding import ERROR
from simclone.units import GIB
from tests.time.worlds import Doc, hosts, request, vm, world

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"
UNIT = {"name": "unit", "cpuNum": 1, "memorySize": "1GiB"}
SMALL = [{**one, "totalPhysicalMemory": 8 * GIB} for one in hosts(2)]


def found(doc: Doc) -> list[tuple[str, str]]:
    """Severity and place of everything found."""
    return [(one.severity, one.path) for one in lint(simclone.load(doc))]


TROUBLE: dict[str, tuple[Doc, tuple[str, str], bool]] = {
    "a dead setting": (world({"kvm.reservedCpu": 4}), ("warning", "globalConfig.kvm.reservedCpu"), False),
    "an offering as large as the host": (
        world(hosts=SMALL, instanceOfferings=[UNIT, {"name": "big", "cpuNum": 1, "memorySize": 8 * GIB}]),
        (ERROR, "instanceOfferings.1"),
        False,
    ),
    "too many vCPUs": (
        world(instanceOfferings=[UNIT, {"name": "wide", "cpuNum": 64, "memorySize": GIB}]),
        (ERROR, "instanceOfferings.1"),
        False,
    ),
    "an image nobody keeps": (
        world(backupStorages=[{"name": "store", "type": "ImageStoreBackupStorage", "status": "Disconnected"}]),
        (ERROR, "images.0"),
        True,
    ),
    "a network without storage": (
        world(primaryStorages=[{"name": "nfs", "type": "NFS", "totalCapacity": "10T", "state": "Disabled"}]),
        (ERROR, "l3Networks.0"),
        True,
    ),
    "a cluster without hosts": (
        world(clusters=[{"name": "c"}, {"name": "d"}], hosts=[{**one, "cluster": "c"} for one in hosts(2)]),
        ("warning", "clusters.1"),
        False,
    ),
    "a group larger than the cloud": (
        world(
            affinityGroups=[{"name": "g", "policy": "antiHard"}],
            requests=[{**request(0, "a", "b", "c"), "systemTags": ["affinityGroupUuid::g"]}],
        ),
        (ERROR, "affinityGroups.0"),
        True,
    ),
    "a quota below the request": (
        world(
            accounts=[{"name": "t", "quota": {"vm.num": 1}}],
            requests=[{**request(0, "a", "b"), "account": "t"}],
        ),
        (ERROR, "requests.0"),
        True,
    ),
    "two requests above a quota that holds for each": (
        world(
            accounts=[{"name": "t", "quota": {"vm.cpuNum": 3}}],
            requests=[{**request(at, f"a{at}", f"b{at}"), "account": "t"} for at in (5, 0)],
        ),
        (ERROR, "requests.0"),
        True,
    ),
    "more clones than addresses": (
        world(
            l3Networks=[{"name": "l3", "l2Network": "l2", "ipRanges": [{"start": "10.0.0.1", "end": "10.0.0.3"}]}],
            requests=[request(0, "a", "b"), request(1, "c", "d")],
        ),
        (ERROR, "requests.1"),
        True,
    ),
    "a key the API does not know": (
        world(requests=[request(0, "a", nmaes=["b"])]),
        (ERROR, "requests.0"),
        True,
    ),
    "a host that is not there": (
        world(requests=[request(0, "a", hostUuid="h9")]),
        (ERROR, "requests.0"),
        True,
    ),
    "a binding against the wish": (
        world(
            clusters=[{"name": "c"}, {"name": "d"}],
            hosts=[{**one, "cluster": "cd"[n]} for n, one in enumerate(hosts(2))],
            requests=[{**request(0, "a", clusterUuid="c"), "systemTags": ["resourceBindings::Cluster:d"]}],
        ),
        (ERROR, "requests.0.systemTags"),
        False,
    ),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_is_found_where_it_stands(name: str) -> None:
    """Its severity and path; what is said to fail does fail when it is run."""
    doc, wanted, fails = TROUBLE[name]
    assert wanted in found(doc)
    if fails:
        asked = doc.get("requests") or [request(0, "a")]
        assert simclone.run({**doc, "vms": [PLACED], "requests": asked}).reasons()


PLACED = vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs")


def test_a_sound_file_is_left_alone() -> None:
    """Nothing about the plain world."""
    assert found(world(requests=[request(0, "a")])) == []


def test_a_request_for_a_clone_made_before_is_not_judged() -> None:
    """The clone is not there yet when lint looks; incidents make of an error a warning."""
    doc = world(requests=[request(0, "a"), {**request(1, "b"), "vm": "a"}])
    assert found(doc) == []
    late = world(
        accounts=[{"name": "t", "quota": {"vm.num": 1}}],
        requests=[{**request(9, "a", "b"), "account": "t"}],
        incidents=[{"at": 5, "host": "h1", "event": "disable"}],
    )
    assert found(late) == [("warning", "requests.0")]


def test_vms_without_a_place_are_told() -> None:
    """They stand in the file, and no storage takes them."""
    nfs = {"name": "nfs", "type": "NFS", "totalCapacity": "1G"}
    doc = world(vms=[vm("v", state="Stopped"), vm("w")], primaryStorages=[nfs])
    assert [severity for severity, path in found(doc) if path.startswith("vms")] == [ERROR] * 2


def test_errors_come_first() -> None:
    """Warnings after them."""
    doc = world({"kvm.reservedCpu": 4}, instanceOfferings=[UNIT, {"name": "w", "cpuNum": 64, "memorySize": GIB}])
    assert [severity for severity, _ in found(doc)] == [ERROR, "warning"]


@pytest.mark.parametrize(
    ("name", "code"), [("quickstart", 0), ("affinity-hard", 1), ("physical-memory", 1), ("host-state", 1)]
)
def test_the_command(name: str, code: int) -> None:
    """1 when something will fail, and one document with --json."""
    path = str(SCENARIOS / f"{name}.yaml")
    assert CliRunner().invoke(cli, ["lint", path]).exit_code == code
    done = CliRunner().invoke(cli, ["lint", path, "--json"])
    assert done.exit_code == code
    assert bool(json.loads(done.output)["findings"]) is bool(code)
