"""Series of places, storages and queues."""

from __future__ import annotations

from simclone.api import run
from tests.time.worlds import hosts, request, stream, world


def test_series_of_queues_count_waiters_and_waits() -> None:
    """Four allocations of 10 s one at a time: at 15 s one is in, two wait, and the second has waited 10 s."""
    doc = world(
        requests=[request(0, "a", "b", "c", "d")],
        timing={"allocateHost": 10},
        run={"timing": "model", "sample": 15, "horizon": 60},
    )
    found = run(doc).queues
    one = found[(found.queue == "host-allocator") & (found.at_s == 15.0)].iloc[0]
    assert (one.waiting, one.busy, one.entered - 1, one.waited_s) == (2, 1, 2, 10.0), "and the dry run"
    last = found[(found.queue == "host-allocator") & (found.at_s == 60.0)].iloc[0]
    assert (last.waiting, last.busy, last.entered - 1, last.waited_s) == (0, 0, 4, 60.0)


def test_series_of_places_add_up() -> None:
    """Hosts add up to clusters, clusters to zones, and those to what the run says of itself."""
    doc = world(
        workload=[stream({"poisson": {"perHour": 60}}, lifetime=600)],
        run={"horizon": 7200, "sample": 600, "series": ["zones", "clusters", "hosts", "storages"]},
        hosts=hosts(5),
    )
    made = run(doc)
    places, totals = made.places, made.series
    for column in ("vms", "held_cpu_vcpus", "held_memory_bytes", "available_cpu_vcpus"):
        sums = places.groupby(["at_s", "kind"])[column].sum().unstack()
        assert (sums["host"] == sums["cluster"]).all()
        assert (sums["host"] == sums["zone"]).all()
    held = places[places.kind == "zone"].held_cpu_vcpus.tolist()
    assert held == totals.cpu_vcpus.tolist()
    assert max(held) > 3
    storage = made.storage_series
    assert storage.at_s.nunique() == len(totals)
    assert storage.volumes.max() > 3
