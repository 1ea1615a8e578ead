"""Expectations are compared as the conformance README says, and the cases hold."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import simclone
from simclone import api
from simclone.changes.load import load_case
from simclone.check.compare import differences
from simclone.check.operations import OPERATIONS
from simclone.check.questions import QUESTIONS
from simclone.check.run import CaseResult, run_steps
from simclone.scenario.schema import case_schema

REPO = Path(__file__).resolve().parents[2]
OWN = sorted((REPO / "tests" / "cases").glob("*.json"))
SHARED = REPO.parent / "shared" / "conformance"
CONFORMANCE = sorted(SHARED.glob("*/*.json"))
SEEDS = range(5)
FREE = ("hostIn", "hostNot", "primaryStorageIn", "ipInRange", "distinctHosts", "failedErrorCodes", '"ge"', '"le"')
"""What a case says where the allocator is free to choose."""


def judged(path: Path, seed: int | None = None) -> CaseResult:
    """The verdict on a case run with a seed."""
    case = load_case(path)
    steps = [step.given() for step in case.steps]
    return run_steps(case.build(seed=seed), steps, name=case.name, topic=case.doc.topic or "")


def free_to_choose(path: Path) -> bool:
    """Whether a case leaves a choice open."""
    return any(word in path.read_text("utf-8") for word in FREE)


def name_of(path: Path) -> str:
    """A readable id."""
    return path.stem


# --- comparison ------------------------------------------------------------------------------------------------------

HOLDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing is expected": ({}, {"ok": True}),
    "absent keys are not checked": ({"ok": True}, {"ok": True, "host": "h1"}),
    "a number": ({"results": 3}, {"results": 3}),
    "null": ({"host": None}, {"host": None}),
    "gt": ({"n": {"gt": 2}}, {"n": 3}),
    "ge": ({"n": {"ge": 3}}, {"n": 3}),
    "lt": ({"n": {"lt": 4}}, {"n": 3}),
    "le": ({"n": {"le": 3}}, {"n": 3}),
    "ne": ({"n": {"ne": 4}}, {"n": 3}),
    "two bounds": ({"n": {"ge": 3, "lt": 4}}, {"n": 3}),
    "one of several hosts": ({"hostIn": ["h1", "h2"]}, {"host": "h2"}),
    "one of several storages": ({"primaryStorageIn": ["a", "b"]}, {"primaryStorage": "a"}),
    "none of several hosts": ({"hostNot": ["h1", "h2"]}, {"host": "h3"}),
    "lowest address of a range": ({"ipInRange": ["10.0.0.9", "10.0.0.10"]}, {"ip": "10.0.0.9"}),
    "highest address of a range": ({"ipInRange": ["10.0.0.9", "10.0.0.10"]}, {"ip": "10.0.0.10"}),
    "contains all": ({"contains": ["a", "b"]}, {"vms": ["b", "c", "a"]}),
    "contains nothing": ({"contains": []}, {"vms": []}),
    "not contains": ({"notContains": ["x", "y"]}, {"vms": ["a"]}),
    "codes in any order": ({"failedErrorCodes": ["a", "b"]}, {"failedErrorCodes": ["b", "a"]}),
    "members in any order": ({"vms": ["a", "b"]}, {"vms": ["b", "a"]}),
    "hosts in any order": ({"hosts": ["a", "b"]}, {"hosts": ["b", "a"]}),
    "networks in order": ({"l3Networks": ["a", "b"]}, {"l3Networks": ["a", "b"]}),
    "a part of an object": ({"rootVolume": {"size": 1}}, {"rootVolume": {"size": 1, "host": None}}),
    "bounds within": ({"perHost": {"h1": {"ge": 1}}}, {"perHost": {"h1": 2, "h2": 0}}),
    "by name": ({"perName": {"a": {"hostIn": ["h1"]}}}, {"perName": {"a": {"host": "h1"}, "b": {}}}),
    "volumes in order": ({"dataVolumes": [{"size": 1}, {"size": 2}]}, {"dataVolumes": [{"size": 1}, {"size": 2}]}),
    "the other spelling of the quota error": ({"errorCode": "QUOTA_EXCEEDING"}, {"errorCode": "ID.1003"}),
}
FAILS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "another number": ({"results": 3}, {"results": 4}, "results"),
    "a missing fact": ({"results": 3}, {}, "results"),
    "null is not a host": ({"host": None}, {"host": "h1"}, "host"),
    "a host is not null": ({"host": "h1"}, {"host": None}, "host"),
    "gt": ({"n": {"gt": 3}}, {"n": 3}, "n"),
    "ge": ({"n": {"ge": 4}}, {"n": 3}, "n"),
    "lt": ({"n": {"lt": 3}}, {"n": 3}, "n"),
    "le": ({"n": {"le": 2}}, {"n": 3}, "n"),
    "ne": ({"n": {"ne": 3}}, {"n": 3}, "n"),
    "one bound of two": ({"n": {"ge": 3, "lt": 3}}, {"n": 3}, "n"),
    "bounds of nothing": ({"n": {"ge": 0}}, {}, "n"),
    "none of the hosts": ({"hostIn": ["h1", "h2"]}, {"host": "h3"}, "hostIn"),
    "no host at all": ({"hostIn": ["h1"]}, {"host": None}, "hostIn"),
    "no host is none of them either": ({"hostNot": ["h1"]}, {"host": None}, "hostNot"),
    "none of the storages": ({"primaryStorageIn": ["a"]}, {"primaryStorage": "b"}, "primaryStorageIn"),
    "below the range": ({"ipInRange": ["10.0.0.9", "10.0.0.10"]}, {"ip": "10.0.0.8"}, "ipInRange"),
    "above the range": ({"ipInRange": ["10.0.0.9", "10.0.0.10"]}, {"ip": "10.0.0.11"}, "ipInRange"),
    "no address": ({"ipInRange": ["10.0.0.9", "10.0.0.10"]}, {}, "ipInRange"),
    "contains one of two": ({"contains": ["a", "b"]}, {"vms": ["a"]}, "contains"),
    "not contains one of two": ({"notContains": ["a", "b"]}, {"vms": ["b"]}, "notContains"),
    "one code too many": ({"failedErrorCodes": ["a"]}, {"failedErrorCodes": ["a", "a"]}, "failedErrorCodes"),
    "a code as often as it comes": ({"vms": ["a", "a", "b"]}, {"vms": ["a", "b", "b"]}, "vms"),
    "networks out of order": ({"l3Networks": ["a", "b"]}, {"l3Networks": ["b", "a"]}, "l3Networks"),
    "a part of an object": ({"rootVolume": {"size": 1}}, {"rootVolume": {"size": 2}}, "rootVolume.size"),
    "an object that is not there": ({"rootVolume": {"host": "h1"}}, {"rootVolume": None}, "rootVolume"),
    "a name that is not there": ({"perName": {"a": {"ok": True}}}, {"perName": {}}, "perName.a"),
    "bounds within": ({"perHost": {"h1": {"ge": 1}}}, {"perHost": {"h1": 0}}, "perHost.h1"),
    "a volume too few": ({"dataVolumes": [{}, {}]}, {"dataVolumes": [{}]}, "dataVolumes"),
    "the second volume": ({"dataVolumes": [{}, {"size": 1}]}, {"dataVolumes": [{}, {"size": 2}]}, "dataVolumes.1.size"),
    "some volumes for none": ({"dataVolumes": []}, {"dataVolumes": [{"size": 1}]}, "dataVolumes"),
}


@pytest.mark.parametrize("name", HOLDS)
def test_an_expectation_holds(name: str) -> None:
    """No difference is reported where the expectation holds."""
    expect, found = HOLDS[name]
    assert differences(expect, found) == []


@pytest.mark.parametrize("name", FAILS)
def test_an_expectation_fails(name: str) -> None:
    """Exactly one difference is reported, under the path of what differs."""
    expect, found, path = FAILS[name]
    assert [one[0] for one in differences(expect, found)] == [path]


def test_a_forbidden_host() -> None:
    """`hostNot` lists the hosts that are forbidden; one of them is a difference."""
    assert [one[0] for one in differences({"hostNot": ["h1", "h2"]}, {"host": "h2"})] == ["hostNot"]


def test_all_differences_are_reported() -> None:
    """Every expectation is looked at, with the wanted and the found value."""
    expect = {"ok": True, "results": 2, "perName": {"a": {"host": "h1", "state": "Running"}}}
    found = {"ok": False, "results": 2, "perName": {"a": {"host": "h2", "state": "Stopped"}}}
    assert differences(expect, found) == [
        ("ok", True, False),
        ("perName.a.host", "h1", "h2"),
        ("perName.a.state", "Running", "Stopped"),
    ]


# --- cases -----------------------------------------------------------------------------------------------------------

ROOM = "reserve-leaves-room-for-three"


def own(name: str) -> dict[str, Any]:
    """An own case as data, to be changed."""
    found: dict[str, Any] = json.loads((REPO / "tests" / "cases" / f"{name}.json").read_text("utf-8"))
    return found


def verdict(data: dict[str, Any], folder: Path) -> CaseResult:
    """The verdict on a case given as data."""
    path = folder / "case.json"
    path.write_text(json.dumps(data), "utf-8")
    return api.check_path(path)


def test_there_are_own_cases() -> None:
    """The shipped counterpart is there."""
    assert len(OWN) >= 6


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_an_own_case_passes(path: Path) -> None:
    """Each shipped case passes, with every seed."""
    result = api.check_path(path)
    assert (result.verdict, result.failures, result.name) == ("passed", (), path.stem)
    assert [judged(path, seed).failures for seed in SEEDS] == [()] * len(SEEDS)


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_an_own_case_is_well_formed(path: Path) -> None:
    """Each shipped case fits the schema and names its operations."""
    data = json.loads(path.read_text("utf-8"))
    jsonschema.validate(data, case_schema())
    assert data["id"] == path.stem
    assert data["ops"] == sorted({step["op"] for step in data["steps"]})


@pytest.mark.shared
@pytest.mark.skipif(not CONFORMANCE, reason="the conformance cases are not beside the clone")
@pytest.mark.parametrize("path", CONFORMANCE, ids=name_of)
def test_a_conformance_case_passes(path: Path) -> None:
    """Each conformance case passes, with every seed where it leaves a choice open."""
    result = api.check_path(path)
    assert (result.verdict, result.failures, result.unsupported) == ("passed", (), ())
    if free_to_choose(path):
        assert [judged(path, seed).failures for seed in SEEDS] == [()] * len(SEEDS)


@pytest.mark.shared
@pytest.mark.skipif(not CONFORMANCE, reason="the conformance cases are not beside the clone")
def test_every_operation_of_the_conformance_cases_is_known() -> None:
    """No case is left out for an operation nobody implements, and every operation implemented is used."""
    used = {step["op"] for path in CONFORMANCE for step in json.loads(path.read_text("utf-8"))["steps"]}
    assert used <= set(OPERATIONS) | set(QUESTIONS)
    assert sum(free_to_choose(path) for path in CONFORMANCE) > 20


def test_a_changed_expectation_fails(tmp_path: Path) -> None:
    """A case with one number altered fails in that step, with both values."""
    data = own(ROOM)
    data["steps"][1]["expect"]["numberOfClonedVm"] = 6
    result = verdict(data, tmp_path)
    assert result.verdict == "failed"
    (failure,) = result.failures
    assert (failure.step, failure.op, failure.path) == (2, "cloneVmInstance", "numberOfClonedVm")
    assert (failure.expected, failure.got) == (6, 5)


def _leaves(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    return [at] if children is None else [leaf for key, one in children for leaf in _leaves(one, (*at, key))]


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_every_expectation_is_looked_at(path: Path, tmp_path: Path) -> None:
    """Each single number, truth or code of an expectation, altered, makes the case fail."""
    data = own(path.stem)
    for number, step in enumerate(data["steps"]):
        for leaf in _leaves(step.get("expect", {})):
            changed = copy.deepcopy(data)
            target = changed["steps"][number]["expect"]
            for key in leaf[:-1]:
                target = target[key]
            value = target[leaf[-1]]
            if isinstance(value, bool):
                target[leaf[-1]] = not value
            elif isinstance(value, int) and not {"ge", "le"} & set(leaf):
                target[leaf[-1]] = value + 1
            elif isinstance(value, str) and not {"hostIn", "primaryStorageIn", "ipInRange", "notContains"} & set(leaf):
                target[leaf[-1]] = "HOST.1005" if "rrorCode" in str(leaf) else f"{value}x"
            else:
                continue
            try:
                assert verdict(changed, tmp_path).verdict == "failed", (number + 1, *leaf)
            except simclone.InvalidInput:
                continue  # a value outside its vocabulary is refused when the file is read


def test_a_failing_arrangement_ends_the_case(tmp_path: Path) -> None:
    """When the scene cannot be set, the steps after it are not judged and the case fails."""
    data = own(ROOM)
    data["steps"][0]["spec"]["image"] = "alpine"
    data["steps"][0]["spec"]["host"] = "elm"
    data["hosts"][0]["totalPhysicalMemory"] = "4GiB"
    result = verdict(data, tmp_path)
    assert result.verdict == "failed"
    assert {one.step for one in result.failures} == {1}


def test_an_unknown_operation_is_unsupported(tmp_path: Path) -> None:
    """A case with operations nobody implements is not run at all, and they are named."""
    data = own(ROOM)
    data["steps"] += [{"op": op, "spec": {}, "expect": {"ok": True}} for op in ("teleport", "beam", "teleport")]
    result = verdict(data, tmp_path)
    assert (result.verdict, result.unsupported, result.failures) == ("unsupported", ("beam", "teleport"), ())


def test_a_counted_create_is_expected_for_each(tmp_path: Path) -> None:
    """The expectation of a create with *count* holds for each VM; each that fails is a failure of the step."""
    data = own(ROOM)
    spec = {"name": "many", "count": 7, "instanceOffering": "six", "image": "alpine", "l3Networks": ["office"]}
    data["steps"] = [{"op": "create", "spec": spec, "expect": {"ok": True}}]
    result = verdict(data, tmp_path)
    assert [(one.step, one.path, one.got) for one in result.failures] == [(1, "ok", False)]


# --- scenarios -------------------------------------------------------------------------------------------------------


def scenario(**expect: Any) -> dict[str, Any]:
    """A small cloud with one request of three names, and what is expected of it."""
    return {
        "name": "small",
        "globalConfig": {"kvm.reservedMemory": 0},
        "hosts": [{"name": name, "cpuNum": 4, "totalPhysicalMemory": "8GiB"} for name in ("h1", "h2")],
        "primaryStorages": [{"name": "nfs", "type": "NFS", "totalCapacity": "1TiB"}],
        "backupStorages": [{"name": "store"}],
        "images": [{"name": "image", "size": "10GiB", "backupStorages": ["store"]}],
        "instanceOfferings": [{"name": "o", "cpuNum": 1, "memorySize": "4GiB"}],
        "vms": [
            {"name": "web", "instanceOffering": "o", "image": "image", "host": "h1"},
            {"name": "db", "instanceOffering": "o", "image": "image", "host": "h1"},
        ],
        "requests": [{"name": "ask", "vm": "web", "cloneVmInstance": {"names": ["a", "b", "c"]}}],
        "expect": {"ask": expect},
    }


@pytest.mark.parametrize(
    ("expect", "path"),
    [
        ({"ok": True, "numberOfClonedVm": 2, "batch": "PARTIAL", "results": 3, "distinctHosts": 1}, None),
        ({"numberOfClonedVm": {"ge": 1, "le": 2}, "perHost": {"h2": 2, "h1": 0}}, None),
        ({"reasons": {"host.memory": 1}}, None),
        ({"perName": {"a": {"hostIn": ["h1", "h2"], "hostNot": ["h1"], "memorySize": 4 << 30}}}, None),
        ({"perName": {"a": {"rootVolume": {"primaryStorage": "nfs"}}}}, None),
        ({"failedErrorCodes": ["VM.1001"], "failedRootErrorCodes": ["HOST_ALLOCATION.1000"]}, None),
        ({"numberOfClonedVm": 3}, "numberOfClonedVm"),
        ({"ok": False}, "ok"),
        ({"reasons": {"host.memory": 2}}, "reasons.host.memory"),
        ({"perHost": {"h2": {"lt": 2}}}, "perHost.h2"),
        ({"perName": {"a": {"host": "h1"}}}, "perName.a.host"),
        ({"perName": {"a": {"hostNot": ["h1", "h2"]}}}, "perName.a.hostNot"),
        ({"failedErrorCodes": []}, "failedErrorCodes"),
    ],
    ids=str,
)
def test_a_scenario_is_checked(expect: dict[str, Any], path: str | None) -> None:
    """A scenario's `expect` is compared with the answer to the request of that name."""
    result = simclone.run(scenario(**expect)).check()
    assert [one.path for one in result.failures] == ([] if path is None else [path])
    assert result.verdict == ("passed" if path is None else "failed")
    assert {one.op for one in result.failures} <= {"ask"}


@pytest.mark.parametrize(
    "expect",
    [
        {"perName": {"x": {"ok": True}}},
        {"perHost": {"h9": 1}},
        {"numberOfClones": 2},
        {"batch": "MOSTLY"},
        {"numberOfClonedVm": {"atLeast": 2}},
    ],
    ids=str,
)
def test_an_expectation_of_nothing_is_a_fault(expect: dict[str, Any]) -> None:
    """An expectation that names what is not there would hold or fail for no reason, so it is refused."""
    with pytest.raises(simclone.InvalidInput):
        simclone.run(scenario(**expect))
