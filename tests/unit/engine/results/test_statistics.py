"""Statistics of small worlds, worked out by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

import simclone
from simclone.api import Run
from simclone.engine.results.statistics import statistics_of
from simclone.errors import InvalidInput
from simclone.units import GIB


def world(**more: Any) -> Run:
    """A run over two hosts of 4 vCPUs and 8 GiB after the reserve; *web* (1 vCPU, 4 GiB) stands on the first."""
    base: dict[str, Any] = {
        "name": "small",
        "globalConfig": {"host.cpu.overProvisioning.ratio": 1, "kvm.reservedMemory": "1GiB"},
        "hosts": [host("h1", "r1"), host("h2", "r2")],
        "primaryStorages": [{"name": "nfs", "type": "NFS", "totalCapacity": "1TiB"}],
        "backupStorages": [{"name": "store"}],
        "images": [{"name": "image", "size": "10GiB", "actualSize": "1GiB", "backupStorages": ["store"]}],
        "instanceOfferings": [
            {"name": "small", "cpuNum": 1, "memorySize": "4GiB"},
            {"name": "big", "cpuNum": 2, "memorySize": "8GiB"},
            {"name": "tiny", "cpuNum": 1, "memorySize": "1GiB"},
        ],
        "vms": [vm("web", "h1", "small")],
    }
    return simclone.run(base | more)


def host(name: str, rack: str, **more: Any) -> dict[str, Any]:
    """A host."""
    return {"name": name, "cpuNum": 4, "totalPhysicalMemory": "9GiB", "labels": {"rack": rack}, **more}


def vm(name: str, where: str, offering: str = "tiny", **more: Any) -> dict[str, Any]:
    """A VM that is taken as it stands."""
    base = {"name": name, "instanceOffering": offering, "image": "image", "host": where, "primaryStorage": "nfs"}
    return base | more


def ask(names: str, at: float = 0, **body: Any) -> dict[str, Any]:
    """A request for clones of *web*."""
    return {"name": f"ask-{names}-{at}", "at": at, "vm": "web", "cloneVmInstance": {"names": list(names), **body}}


TIMED = {
    "requests": [ask("abc", at=10)],
    "timing": {"allocateHost": 2, "startOnHypervisor": 5},
    "run": {"timing": "model", "horizon": 100},
}
"""Hosts are allocated one at a time until 12, 14 and 16 s; c waits one second more for a's start on its host."""


def test_success_and_reasons() -> None:
    """Three of four fit, the fourth finds no memory."""
    found = world(requests=[ask("abcd")]).statistics()
    assert (found.asked, found.placed, found.success_ratio) == (4, 3, 0.75)
    assert found.reasons == {"host.memory": 1}


def test_a_call_that_names_nobody_counts_as_one() -> None:
    """A body that cannot be read is one failure, not a success of nothing; the summary agrees with the records."""
    run = world(requests=[ask("a"), ask("b", at=1, full="maybe")])
    found = run.statistics()
    assert (found.asked, found.placed, found.success_ratio) == (2, 1, 0.5)
    assert run.summary() == "small: 1 of 2 clones placed by 2 requests. Not placed: 1 for request.invalid."
    assert list(run.clones["asked_s"]) == [0.0]


def test_nothing_asked_is_no_ratio() -> None:
    """Ratios and quantiles over nothing are None, a missing value in the frame."""
    found = world().statistics()
    assert (found.asked, found.success_ratio, found.wait_p50_s, found.answer_p99_s) == (0, None, None, None)
    assert found.affinity_compliance_ratio is None
    frame = found.to_frame()
    assert list(frame.columns) == ["statistic", "key", "value"]
    assert str(frame["value"].dtype) == "float64"
    assert frame.set_index("statistic").loc["success_ratio", "value"] != 0
    assert "placed 0 of 0 (none)" in found.summary()


def test_waits_and_answers() -> None:
    """Waits are 0, 2 and 5 s, the call takes 12."""
    run = world(**TIMED)
    found = run.statistics()
    assert (found.wait_p50_s, found.wait_p95_s, found.wait_p99_s) == (2.0, 5.0, 5.0)
    assert (found.answer_p50_s, found.answer_p95_s, found.answer_p99_s) == (12.0, 12.0, 12.0)
    assert list(run.clones.columns)[-3:] == ["asked_s", "answered_s", "wait_s"]
    assert sorted(run.clones["wait_s"]) == [0.0, 2.0, 5.0]
    assert set(run.clones["asked_s"]) == {10.0}
    assert set(run.clones["answered_s"]) == {22.0}


def test_a_call_that_fails_as_a_whole_has_times() -> None:
    """Every name of a refused call has its times in the clones frame."""
    run = world(requests=[ask("ab", at=3)], run={"maxNames": 1})
    assert run.clones[["ok", "asked_s", "answered_s", "wait_s"]].values.tolist() == [[False, 3.0, 3.0, 0.0]] * 2


def test_use_over_time() -> None:
    """web stands all the time, the clones for 88, 86 and 84 of 100 seconds."""
    found = world(**TIMED).statistics()
    assert found.span_s == 100.0
    assert found.mean_vms == found.mean_cpu_vcpus == (100 + 88 + 86 + 84) / 100
    assert found.mean_memory_bytes == 358 * 4 * GIB / 100
    assert (found.peak_vms, found.peak_cpu_vcpus, found.peak_memory_bytes) == (4, 4, 16 * GIB)
    assert (found.total_cpu_vcpus, found.total_memory_bytes) == (8, 18 * GIB)
    assert found.mean_cpu_util_ratio == 3.58 / 8
    assert found.peak_memory_util_ratio == 16 / 18


def test_a_run_that_takes_no_time_has_the_mean_of_its_end() -> None:
    """Over no time the mean is what stands."""
    found = world(requests=[ask("a")]).statistics()
    assert (found.span_s, found.mean_vms, found.mean_memory_bytes) == (0.0, 2.0, 8.0 * GIB)


def test_the_series_counts_what_stood_before() -> None:
    """web is in every sample."""
    run = world(**TIMED | {"requests": [ask("a"), ask("b", at=60)], "run": TIMED["run"] | {"sample": 50}})
    assert list(run.series.columns) == ["at_s", "vms", "cpu_vcpus", "memory_bytes", "waiting"]
    assert run.series.values.tolist()[:3] == [
        [0, 1, 1, 4 * GIB, 0],
        [50, 2, 2, 8 * GIB, 0],
        [100, 3, 3, 12 * GIB, 0],
    ]


def test_no_samples_no_rows() -> None:
    """Without an interval the frame has its columns and their types."""
    frame = world().series
    assert len(frame) == 0
    assert [kind.kind for kind in frame.dtypes] == ["f", "i", "i", "i", "i"]


def test_holes_and_stranded_capacity() -> None:
    """h1 has 3 vCPUs and 4 GiB left, h2 4 and 8; a disabled host offers nothing."""
    hosts = [host("h1", "r1"), host("h2", "r2"), host("h3", "r3", state="Disabled")]
    found = world(hosts=hosts).statistics()
    assert (found.hole_cpu_vcpus, found.hole_memory_bytes) == (4, 8 * GIB)
    assert (found.total_cpu_vcpus, found.total_memory_bytes) == (8, 18 * GIB)
    assert found.stranded_cpu_ratio == {"small": 0.0, "big": 3 / 7, "tiny": 0.0}
    assert found.stranded_memory_ratio == {"small": 0.0, "big": 4 / 12, "tiny": 0.0}
    assert "stranded for big: 42.9 % of free vCPUs, 33.3 % of free memory" in found.summary()


def test_over_provisioned_memory_counts_with_its_ratio() -> None:
    """With twice the memory h1 has room for 12 GiB of VMs beside web, h2 for 16."""
    config = {
        "host.cpu.overProvisioning.ratio": 1,
        "kvm.reservedMemory": "1GiB",
        "mevoco.overProvisioning.memory": 2,
    }
    found = world(globalConfig=config).statistics()
    assert (found.total_memory_bytes, found.hole_memory_bytes) == (36 * GIB, 16 * GIB)
    assert found.peak_memory_util_ratio == 4 / 36
    assert set(found.stranded_memory_ratio.values()) == {0.0}


@pytest.mark.parametrize(
    ("group", "hosts", "share"),
    [
        ({"policy": "antiSoft"}, ["h1", "h1", "h2"], 1 / 3),
        ({"policy": "antiSoft"}, ["h1", "h2"], 1.0),
        ({"policy": "spreadSoft", "over": "rack"}, ["h1", "h1", "h1", "h2"], 1 / 4),
        ({"policy": "spreadSoft", "over": "rack", "maxSkew": 2}, ["h1", "h1", "h1", "h2"], 1.0),
        ({"policy": "antiSoft", "over": "rack"}, ["h1", "h2"], 1.0),
        ({"policy": "antiSoft", "over": "cluster"}, ["h1", "h2"], 0.0),
        ({"policy": "affinitySoft"}, ["h1", "h2"], 0.0),
        ({"policy": "affinitySoft"}, ["h1", "h1"], 1.0),
        ({"policy": "affinitySoft", "over": "cluster"}, ["h1", "h2"], 1.0),
        ({"policy": "affinityHard", "over": "rack"}, ["h1", "h1"], 1.0),
        ({"policy": "antiSoft", "state": "Disabled"}, ["h1", "h1"], None),
    ],
    ids=lambda one: str(one),
)
def test_affinity_compliance(group: dict[str, Any], hosts: list[str], share: float | None) -> None:
    """Members count that stand alone in their domain, all in one, or in one that is not ahead of the emptiest."""
    vms = [vm(f"m{place}", where, affinityGroup="g") for place, where in enumerate(hosts)]
    found = world(affinityGroups=[{"name": "g", **group}], vms=vms).statistics()
    assert found.affinity_compliance_ratio == share


@pytest.mark.parametrize("keep", ["failures", "summary"])
def test_statistics_do_not_need_the_rows(keep: str) -> None:
    """Whatever rows are kept, the statistics and the summary are those of the whole run."""
    more = TIMED | {"requests": [ask("a"), ask("bcd", at=30), ask("e", at=50, full="maybe")]}
    whole = world(**more)
    short = world(**more | {"run": TIMED["run"] | {"keep": keep}})
    assert short.statistics() == whole.statistics()
    assert short.summary() == whole.summary()
    assert len(short.answers) == (0 if keep == "summary" else 2)
    with pytest.raises(InvalidInput, match="rows were dropped"):
        short.audit()


def test_plain_data_and_records_alone() -> None:
    """The statistics are JSON, and can be had from the result without the run."""
    run = world(**TIMED)
    found = run.statistics()
    assert statistics_of(run.result) == found
    assert json.loads(json.dumps(found.to_dict()))["wait_p95_s"] == 5.0
