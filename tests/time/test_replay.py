"""Recorded traces on clouds with room for all: what simclone sees is what the trace says, counted independently."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from simclone.engine.results.result import Totals
from simclone.scenario.traces import pods_scenario
from simclone.units import GIB, MIB, SECOND
from tests.time.worlds import DAY, TRACES, Doc, audited, finished, hosts, simulation, vm, world

HUAWEI = TRACES / "huawei-east-1" / "Huawei-East-1-lt.csv"
AZURE = TRACES / "azure-vm-2017-window"


def shared(path: Path) -> pytest.MarkDecorator:
    """Skips where a trace beside the clone is missing."""
    return pytest.mark.skipif(not path.exists(), reason=f"{path.name} is not beside the clone")


def shape_name(cpu: float, gib: float) -> str:
    """The source VM of a shape, as a trace stream names it unless told otherwise."""
    return f"source-{cpu:g}-vcpu-{gib:g}-gib"


HOME = {"lastHost": "h1", "primaryStorage": "nfs"}


def room_for_all(shapes: Iterable[tuple[int, float]], trace: Doc, **run: Any) -> Doc:
    """Sixty hosts of a thousand vCPU, a source for each shape, the trace.

    No cards: among so many, one of 2^32 drawn MACs comes twice, and the platform refuses the second.
    """
    named = {shape_name(cpu, gib): (cpu, round(gib * GIB)) for cpu, gib in shapes}
    return world(
        hosts=hosts(60, cpu=1000),
        instanceOfferings=[{"name": one, "cpuNum": cpu, "memorySize": size} for one, (cpu, size) in named.items()],
        vms=[vm(one, state="Stopped", instanceOffering=one, l3Networks=[], **HOME) for one in named],
        workload=[{"name": "trace", "trace": trace}],
        run=run,
    )


# ---------------------------------------------------------------- the shipped day, counted with plain Python


@dataclass(frozen=True)
class Recorded:
    """A VM of the day: whole seconds, halves for the middle of a bin; *end* None for none."""

    at: int
    end: float | None
    cpu: int
    gib: float
    batch: int
    turn: int


def day() -> list[Recorded]:
    """The day's VMs as its README says to read them."""
    sizes = {}
    for line in (DAY / "flav_map.txt").read_text().split("\n"):
        if line:
            shape, letter = line.split(" ")
            sizes[letter] = (int(shape.split(",")[0]), float(shape.split(",")[1]))
    bins: dict[int, list[int]] = {}
    for line in (DAY / "v1.interval_map.txt").read_text().split("\n"):
        if line:
            second, number = map(int, line.split(" "))
            bins.setdefault(number, []).append(second)
    lives = {number: (min(found) + max(found)) / 2 if number else 150.0 for number, found in bins.items()}
    vms: list[Recorded] = []
    batch, turns = 0, 0
    texts = [(DAY / name).read_text().split("\n") for name in ("v1.dev.txt", "v1.dev.c2100000.txt")]
    for kinds, ends in zip(*texts, strict=True):
        if not kinds:
            continue
        at = int(kinds.split(" ")[0])
        shapes: dict[str, int] = {}
        for letter, life in zip(kinds.split(" ")[1].split(","), ends.split(" ")[1].split(","), strict=True):
            if letter == "|":
                batch += 1
                turns += len(shapes)
                shapes = {}
            elif letter:
                turn = turns + shapes.setdefault(letter, len(shapes))
                end = at + lives[int(life[1:])] if life[0] == "U" else None
                vms.append(Recorded(at, end, *sizes[letter], batch, turn))
    return vms


SHAPES = {(1, 0.75), (1, 1.75), (1, 2), (16, 112), (2, 14), (2, 16), (2, 3.5), (2, 4)} | {
    (4, 28),
    (4, 32),
    (4, 7),
    (4, 8),
    (8, 14),
    (8, 16),
    (8, 56),
    (8, 64),
}
HORIZON_S = 2_400_000
"""After every end of the day; VMs without one are counted up to here."""


def counted(vms: list[Recorded]) -> dict[str, Any]:
    """Peaks with their times and integrals up to the horizon of VMs, vCPUs and bytes: ends before arrivals."""
    changes: list[tuple[float, int, tuple[int, int, int]]] = []
    for one in vms:
        amounts = (1, one.cpu, round(one.gib * GIB))
        changes.append((one.at, 1, amounts))
        if one.end is not None:
            changes.append((one.end, 0, amounts))
    now, peak, peak_at, area, last = [0, 0, 0], [0, 0, 0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 0.0
    for at, arrives, amounts in sorted(changes, key=lambda change: change[:2]):
        for place in range(3):
            area[place] += now[place] * (at - last)
            now[place] += amounts[place] if arrives else -amounts[place]
            if now[place] > peak[place]:
                peak[place], peak_at[place] = now[place], at
        last = at
    area = [one + here * (HORIZON_S - last) for one, here in zip(area, now, strict=True)]
    return {"peak": tuple(peak), "peak_at": tuple(peak_at), "area": tuple(area), "left": tuple(now)}


def assert_counted(vms: list[Recorded], totals: Totals) -> None:
    """Everything exactly as counted."""
    expected = counted(vms)
    assert totals.placed == totals.asked == len(vms)
    assert totals.ended == sum(one.end is not None for one in vms)
    assert totals.requests == len({one.turn for one in vms})
    assert totals.peak == expected["peak"]
    assert totals.peak_at_us[:2] == tuple(round(at * SECOND) for at in expected["peak_at"][:2])
    assert totals.area == tuple(round(one * SECOND) for one in expected["area"])
    assert totals.span_us == HORIZON_S * SECOND


def kept(vms: list[Recorded], share: float, seed: int = 0) -> list[Recorded]:
    """The batches a thin sample keeps: one row of six uniforms for each request, the first decides for its batch."""
    key = np.random.SeedSequence(seed, spawn_key=(0, crc32(b"trace")))
    uniforms = np.random.Generator(np.random.PCG64(key)).random((vms[-1].turn + 1, 6))[:, 0]
    first = {one.batch: one.turn for one in reversed(vms)}
    return [one for one in vms if uniforms[first[one.batch]] < share]


def test_a_thin_sample_of_the_day_is_counted_exactly() -> None:
    """One batch in fifty of the day: peaks, times and integrals as counted from the files with plain Python."""
    vms = kept(day(), 0.02)
    assert 1000 < len(vms) < 3000
    doc = room_for_all(SHAPES, {"path": str(DAY), "thin": 0.02}, horizon=HORIZON_S, keep="summary")
    assert_counted(vms, finished(doc).totals)


def test_half_an_hour_of_the_day_is_counted_exactly() -> None:
    """Six slots of the day at their own times: a window holds what arrives in it, whole lives included."""
    start, end = 1_900_200, 1_902_000
    vms = [one for one in day() if start <= one.at < end]
    trace = {"path": str(DAY), "from": start, "to": end}
    assert_counted(vms, finished(room_for_all(SHAPES, trace, horizon=HORIZON_S, keep="summary")).totals)


def test_a_moved_and_slowed_trace_keeps_its_peaks() -> None:
    """Shifted to 0 and twice as slow: the same VMs at once, integrals doubled, times moved."""
    start, end = 1_900_200, 1_900_800
    window = {"path": str(DAY), "from": start, "to": end}
    one, other = (
        finished(room_for_all(SHAPES, trace, horizon=horizon, keep="summary")).totals
        for trace, horizon in (
            ({**window, "shift": -start}, 600_000),
            ({**window, "scale": 2, "shift": -2 * start}, 1_200_000),
        )
    )
    assert one.peak == other.peak
    assert tuple(2 * area for area in one.area) == other.area
    assert tuple(2 * at for at in one.peak_at_us) == other.peak_at_us
    assert (one.placed, one.ended) == (other.placed, other.ended)


@pytest.mark.slow
def test_the_whole_day_is_counted_exactly() -> None:
    """80,375 VMs of the day: peaks, times and integrals as counted from the files with plain Python."""
    vms = day()
    assert len(vms) == 80_375
    assert_counted(vms, finished(room_for_all(SHAPES, {"path": str(DAY)}, horizon=HORIZON_S, keep="summary")).totals)


# ---------------------------------------------------------------- lives of no length


@pytest.mark.parametrize("timing", ["instant", "zstack"])
def test_lives_of_no_length_do_not_leak(tmp_path: Path, timing: str) -> None:
    """A VM that ends when it arrives is gone before the next arrival of the moment, and holds nothing after."""
    rows = [(n, 1, 1, n // 5 * 10, 0 if n % 2 else 7) for n in range(40)]
    path = tmp_path / "trace.csv"
    path.write_text("vmid,cpu,mem,at,lt\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    made = simulation(room_for_all([(1, 1)], {"path": str(path)}, timing=timing)).run()
    totals = made.result().totals
    assert totals.placed == totals.ended == 40
    assert made.tally.now == [0, 0, 0]
    assert not made.ctx.cloud.fleet.array(made.ctx.cloud.fleet.held_cpu).any()
    assert [one for one in made.ctx.cloud.vms.array(made.ctx.cloud.vms.alive).tolist() if one] == [1], "the source"
    assert not audited(made)


def test_a_host_of_one_vm_serves_any_number_of_lives_of_no_length() -> None:
    """Room for one VM is room for a hundred requests of one moment that live for no time."""
    doc = world(
        hosts=hosts(1, cpu=1),
        workload=[{"name": "s", "vm": "v", "arrivals": {"every": 60}, "lifetime": 0}],
        run={"horizon": 6000},
    )
    made = simulation(doc).run()
    totals = made.result().totals
    assert totals.placed == totals.asked == totals.ended >= 99
    assert totals.area == (0, 0, 0)
    assert totals.peak[0] == 1
    assert not audited(made)


# ---------------------------------------------------------------- published figures


@pytest.mark.replay
@pytest.mark.shared
@shared(HUAWEI)
def test_huaweis_published_figures_come_out() -> None:
    """116,313 VMs of 31 days: the peaks and means of the trace's README."""
    shapes = {(int(row.split(",")[1]), float(row.split(",")[2])) for row in HUAWEI.read_text().split("\n")[1:] if row}
    totals = finished(room_for_all(shapes, {"path": str(HUAWEI)}, keep="summary")).totals
    assert totals.placed == totals.asked == totals.ended == 116_313
    assert totals.peak == (2432, 4273, 8518 * GIB)
    assert totals.peak_at_us[1] == totals.peak_at_us[2] == 1_330_503 * SECOND
    means = [area / totals.span_us for area in totals.area]
    assert round(means[0]) == 747
    assert round(means[1], 1) == 1834.8
    assert round(means[2] / GIB, 1) == 3708.7


@pytest.mark.replay
@pytest.mark.shared
@shared(AZURE)
def test_azures_published_figures_come_out() -> None:
    """259,159 VMs of 3.5 days: the peaks and means of the trace's README, from the start of the slice."""
    start = 1_800_000
    totals = finished(room_for_all(SHAPES, {"path": str(AZURE), "shift": -start}, keep="summary")).totals
    assert totals.placed == totals.asked == 259_159
    assert totals.ended == 259_159 - 14_317
    assert totals.peak[:2] == (20_272, 44_122)
    assert round(totals.peak[2] / GIB) == 112_828
    assert totals.peak_at_us == tuple((at - start) * SECOND for at in (2_055_000, 2_045_400, 2_099_100))
    means = [area / totals.span_us for area in totals.area]
    assert [round(means[0]), round(means[1]), round(means[2] / GIB)] == [11_226, 25_718, 55_889]


# ---------------------------------------------------------------- pods on the hosts they were recorded on


OPENB = TRACES / "alibaba-openb-2023"
NODES, PODS = OPENB / "openb_node_list_all_node.csv", OPENB / "openb_pod_list_default.csv"


def pods() -> list[dict[str, int]]:
    """Pods by creation, with plain Python."""
    with PODS.open() as lines:
        rows = [{name: int(text) for name, text in row.items() if text.isdigit()} for row in csv.DictReader(lines)]
    return sorted(rows, key=lambda row: row["creation_time"])


def peaks(rows: list[dict[str, int]]) -> tuple[int, ...]:
    """The most pods, thousandths of a vCPU, bytes and GPUs at once, ends before arrivals."""
    changes: list[tuple[int, int, tuple[int, ...]]] = []
    for row in rows:
        amounts = (1, row["cpu_milli"], row["memory_mib"] * MIB, row["num_gpu"])
        if row["deletion_time"] > row["creation_time"]:
            changes += [(row["creation_time"], 1, amounts), (row["deletion_time"], -1, amounts)]
    now, most = [0] * 4, [0] * 4
    for _, sign, amounts in sorted(changes, key=lambda change: change[:2]):
        now = [here + sign * change for here, change in zip(now, amounts, strict=True)]
        most = [max(pair) for pair in zip(most, now, strict=True)]
    return tuple(most)


@pytest.mark.shared
@shared(PODS)
def test_openbs_pods_run_on_openbs_hosts() -> None:
    """8,152 pods on 1,523 hosts with 6,212 GPUs: all are placed, and the published peaks come out."""
    made = simulation(pods_scenario(NODES, PODS) | {"run": {"keep": "summary"}})
    devices = made.ctx.cloud.fleet.devices_held
    most_gpus = 0
    while made.step():
        most_gpus = max(most_gpus, sum(sum(held.values()) for held in devices.values()))
    totals = made.result().totals
    assert totals.placed == totals.ended == 8152
    assert (*totals.peak, most_gpus) == peaks(pods())
    assert (totals.peak[0], round(totals.peak[1] / 1000, 1), round(totals.peak[2] / GIB), most_gpus) == PUBLISHED_PEAKS
    assert not any(sum(held.values()) for held in devices.values())


PUBLISHED_PEAKS = (56, 778.5, 2450, 71)


@pytest.mark.shared
@shared(PODS)
def test_few_hosts_refuse_pods_for_gpus_too() -> None:
    """Eleven of the hosts with at most one GPU each: some pods find no GPU, some no vCPU; the audit finds nothing."""
    doc = pods_scenario(NODES, PODS, every_host=150)
    for host in doc["hosts"]:
        if "pciDevices" in host:
            host["pciDevices"] = {"gpu": 1}
    made = simulation(doc).run()
    result = made.result()
    assert set(result.totals.reasons) == {"host.cpu", "host.devices"}
    assert result.totals.placed + sum(result.totals.reasons.values()) == 8152
    assert not audited(made)
