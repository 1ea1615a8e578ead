"""What failed is asked for again: back-off, number of times, all or nothing."""

from __future__ import annotations

from typing import Any

from simclone.engine.run_loop import RunLoop
from simclone.units import SECOND
from tests.time.worlds import Doc, audited, hosts, simulation, stream, used, world


def crowded(**more: Any) -> Doc:
    """One request for three clones on a host of two threads, asked again twice, 30 s apart."""
    return world(
        hosts=hosts(1, cpu=2),
        workload=[stream({"every": 1000}, batch=3, lifetime=5000, retry={"times": 2, "backoff": 30}, **more)],
        run={"horizon": 1999},
    )


def asked(made: RunLoop) -> list[tuple[int, int, int]]:
    """Seconds since the first request, names and successes of each answer of the first arrival."""
    first = made.result().answers[0]
    mine = [one for one in made.result().answers if one.request.name == first.request.name]
    return [
        ((one.started_us - first.started_us) // SECOND, len(one.request.names), one.succeeded if not one.error else 0)
        for one in mine
    ]


def test_what_failed_is_asked_again_after_the_back_off() -> None:
    """Only the names that failed are asked again, as often as said and no more."""
    made = simulation(crowded()).run()
    assert not audited(made)
    assert asked(made) == [(0, 3, 2), (30, 1, 0), (60, 1, 0)]


def test_a_retry_that_finds_room_ends_the_retries() -> None:
    """Room that comes between the first and the second retry is found by the second."""
    doc = crowded()
    start = simulation(doc).peek()
    assert start is not None
    key = "host.cpu.overProvisioning.ratio"
    made = simulation({**doc, "incidents": [{"at": start / SECOND + 45, "globalConfig": {key: 2}}]}).run()
    assert not audited(made)
    assert asked(made) == [(0, 3, 2), (30, 1, 0), (60, 1, 1)]
    assert made.result().totals.reasons["host.cpu"] >= 2


def test_all_or_nothing_gives_back_what_it_got() -> None:
    """When one of three has no room the other two are destroyed, and all three are asked for again."""
    made = simulation(crowded(allOrNothing=True)).run()
    assert not audited(made)
    assert [names for _, names, _ in asked(made)] == [3, 3, 3]
    assert made.tally.now == [0, 0, 0]
    assert used(made, "h1") == 0


def test_all_or_nothing_with_room_is_all() -> None:
    """With room for three, three stay for their lives."""
    doc = crowded(allOrNothing=True)
    made = simulation({**doc, "hosts": hosts(1, cpu=8)}).run()
    assert not audited(made)
    assert asked(made) == [(0, 3, 3)]
