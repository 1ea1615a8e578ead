"""Measured use: averages over windows are counted by hand, and the minimum-usage strategies follow them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simclone.api import load, run
from simclone.errors import InvalidInput
from simclone.units import SECOND
from tests.time.worlds import Doc, at, cloud, host_of, hosts, request, running, simulation, vm, world

MIN_CPU = {"strategy": "MinimumCPUUsageHostAllocatorStrategy"}
MIN_MEMORY = {"strategy": "MinimumMemoryUsageHostAllocatorStrategy"}


def used_ppm(made: Any, column: str = "cpu_use_ppm") -> list[int]:
    """The measured column of all hosts."""
    found: list[int] = made.ctx.cloud.fleet.array(made.ctx.cloud.fleet.cells[column]).tolist()
    return found


def busy(cpu: Any, memory: Any = 0) -> Doc:
    """A VM's utilisation."""
    return {"utilisation": {"cpu": cpu, "memory": memory}}


def test_before_the_first_window_hosts_show_what_stands() -> None:
    """One VM of 1 vCPU at 60 % on a host of 4 threads is 15 %; memory at half of 1 of 4,000 GiB."""
    made = simulation(cloud(running("a", **busy(0.6, 0.5)), incidents=[]))
    assert used_ppm(made) == [150_000, 0]
    assert used_ppm(made, "memory_use_ppm") == [125, 0]


def test_a_window_is_averaged_over_the_time_vms_stood() -> None:
    """A clone that came 150 s before the end of a window of 600 s counts a quarter; then it counts whole."""
    doc = world(
        vms=[vm("v", state="Stopped", **busy(1.0))],
        hosts=hosts(1),
        requests=[request(450, "c")],
        run={"horizon": 3000},
    )
    made = simulation(doc)
    assert used_ppm(at(made, 599)) == [0]
    assert used_ppm(at(made, 600)) == [250_000 // 4]
    assert used_ppm(at(made, 1200)) == [250_000]


def test_a_vm_that_left_counts_for_the_time_it_stood() -> None:
    """Half a window at full use of one of four threads; nothing in the next."""
    doc = world(
        vms=[vm("v", state="Stopped", **busy(1.0))],
        hosts=hosts(1),
        workload=[{"name": "s", "vm": "v", "arrivals": {"every": 10_000}, "lifetime": 300}],
        run={"horizon": 12_000, "utilisationWindow": 2000},
    )
    made = simulation(doc)
    first = made.peek()
    assert first == 10_000 * SECOND or used_ppm(at(made, 9_999)) == [0]
    assert used_ppm(at(made, 12_000)) == [250_000 * 300 // 2000]


def test_the_host_with_least_use_gets_the_clone_though_it_has_more_vms() -> None:
    """Three idle VMs are less than a busy one; by counts the clone would go to the other host."""
    idle = [running(f"i{n}", "h1", **busy(0.01)) for n in range(3)]
    vms = [*idle, running("b", "h2", **busy(0.9))]
    doc = cloud(*vms, incidents=[], requests=[request(10, "c", source="v")])
    for strategy, host in ((MIN_CPU, "h1"), ({}, "h2")):
        doc["vms"] = [vm("v", state="Stopped", **strategy), *vms]
        assert host_of(at(simulation(doc), 10), "c") == host


def test_memory_use_drives_the_memory_strategy() -> None:
    """CPU says h2, memory says h1."""
    vms = [running("a", "h1", **busy(0.9, 0.1)), running("b", "h2", **busy(0.1, 0.9))]
    for strategy, host in ((MIN_MEMORY, "h1"), (MIN_CPU, "h2")):
        doc = cloud(*vms, incidents=[], requests=[request(10, "c")])
        doc["vms"][0] = vm("v", state="Stopped", **strategy)
        assert host_of(at(simulation(doc), 10), "c") == host


def test_a_daily_curve_follows_the_clock() -> None:
    """Busy from noon: with t = 0 at 11:50 the window up to 12:00 is idle, the one after is busy."""
    curve = [0.0] * 12 + [1.0] * 12
    doc = cloud(running("a", **busy({"daily": curve})), incidents=[], hosts=hosts(1))
    doc["run"] = {"horizon": 5000, "start": "2024-05-01T11:50:00Z"}
    made = simulation(doc)
    assert used_ppm(at(made, 600)) == [0]
    assert used_ppm(at(made, 1200)) == [250_000]


def test_a_recorded_course_is_followed(tmp_path: Path) -> None:
    """Steps of a file; what is before its first row is idle, the last value stays."""
    (tmp_path / "use.csv").write_text("second,share\n600,0.5\n1200,0.25\n")
    doc = cloud(running("a", **busy({"recorded": str(tmp_path / "use.csv")})), incidents=[], hosts=hosts(1))
    doc["run"] = {"horizon": 5000}
    made = simulation(doc)
    found = [used_ppm(at(made, end))[0] for end in (600, 1200, 1800, 2400)]
    assert found == [0, 125_000, 62_500, 62_500]


def test_drawn_use_has_its_mean_and_moves_no_other_draw() -> None:
    """200 VMs of uniform use average a half of their quarter; clones placed by count stand where they stood without."""
    law = {"uniform": {"low": 0, "high": 1}}
    vms = [running(f"a{n}", f"h{n % 2 + 1}", **busy(law)) for n in range(200)]
    doc = cloud(*vms, incidents=[], hosts=hosts(2, cpu=400), requests=[request(700, "c", "d")])
    doc["run"] = {"horizon": 1200}
    made = simulation(doc)
    assert sum(used_ppm(made)) / 2 == pytest.approx(125_000, abs=11_000)
    first = used_ppm(made)
    assert used_ppm(at(made, 600)) == first, "the first window is what stood at its begin"
    assert used_ppm(at(made, 1200)) != first
    plain = cloud(*(running(f"a{n}", f"h{n % 2 + 1}") for n in range(200)), incidents=[])
    plain |= {"hosts": hosts(2, cpu=400), "requests": doc["requests"]}
    other = at(simulation(plain), 1200)
    assert [host_of(made, name) for name in "cd"] == [host_of(other, name) for name in "cd"]


def test_both_hosts_of_a_migration_count_while_both_are_held() -> None:
    """Two windows of a move of 1,200 s: source and target both carry the VM, then only the target."""
    incidents = [{"at": 600, "host": "h1", "event": "maintain"}]
    doc = cloud(running("a", **busy(1.0)), incidents=incidents, timing={"migrate": 1200})
    doc["run"] = {"timing": "model", "horizon": 4000}
    made = simulation(doc)
    assert used_ppm(at(made, 1200)) == [250_000, 250_000]
    assert used_ppm(at(made, 2400)) == [0, 250_000]


def test_series_show_measured_use_per_place() -> None:
    """A cluster's use is that of its threads together; without measuring it is not a number."""
    doc = cloud(running("a", **busy(0.8)), incidents=[], run={"horizon": 1200, "sample": 600})
    doc["run"]["series"] = ["clusters", "hosts"]
    found = run(doc).places
    last = found[found.at_s == 1200.0]
    assert last[last.kind == "host"].cpu_use_ratio.tolist() == [0.2, 0.0]
    assert last[last.kind == "cluster"].cpu_use_ratio.tolist() == [0.1]
    doc["vms"] = [vm("v", state="Stopped"), running("a")]
    assert run(doc).places.cpu_use_ratio.isna().all()


@pytest.mark.parametrize(
    ("use", "words"),
    [
        ({"daily": [0.5] * 23}, "23 values"),
        ({"daily": [0.5] * 24, "constant": 1}, "exactly one"),
        ({"recorded": "nowhere.csv"}, "nowhere.csv"),
        ({"exponential": {"mean": 0}}, "more than 0"),
        (1.5, "at most 1"),
    ],
)
def test_wrong_use_is_a_fault(use: Any, words: str) -> None:
    """Each with its place."""
    doc = cloud(running("a", **busy(use)), incidents=[])
    with pytest.raises(InvalidInput) as caught:
        load(doc)
    text = "\n".join(map(str, caught.value.faults))
    assert words in text
    assert "vms.1.utilisation" in text
