"""Calls that end after their timeout, and migrations of memory that is written meanwhile."""

from __future__ import annotations

import pytest

from simclone.api import load
from simclone.engine.timing import Dirty, precopy_seconds
from simclone.errors import InvalidInput
from simclone.units import MIB
from tests.time.worlds import Doc, at, cloud, running, simulation, stream, used, world


def test_clones_of_a_call_that_timed_out_live_their_time_and_end() -> None:
    """The call of 10 s is answered after 9; its clones come at 10 all the same, live 50 s and are gone."""
    doc = world(
        {"apiTimeout.cloneVmInstance": 9},
        workload=[stream({"every": 1000}, lifetime=50, batch=2)],
        timing={"takeSnapshot": 10},
        run={"timing": "model", "horizon": 1900},
    )
    made = simulation(doc)
    at(made, 1011)
    assert made.tally.now[0] == 2
    at(made, 1059)
    assert made.tally.now[0] == 2
    at(made, 1061)
    assert made.tally.now[0] == 0
    totals = made.run().result().totals
    assert (totals.placed, totals.ended) == (0, totals.asked)


def test_dirty_memory_lengthens_a_migration_round_by_round() -> None:
    """1 GiB at 128 MiB/s, a half written again: 8 + 4 + 2 + 1 + 0.5 s, and the last quarter second halted."""
    step = {"bytesPerSecond": 128 * MIB, "dirtyBytesPerSecond": 64 * MIB}
    for written, seconds in (({}, 8 + 4 + 2 + 1 + 0.5 + 0.25), ({"maxRounds": 1}, 8 + 4), ({"downtime": 3}, 14)):
        incidents = [{"at": 10, "host": "h1", "event": "maintain"}]
        doc = cloud(running("a"), incidents=incidents, timing={"migrate": {**step, **written}}, run={"timing": "model"})
        made = simulation(doc)
        at(made, 10 + seconds - 0.001)
        assert (used(made, "h1"), used(made, "h2")) == (1, 1), "both hosts are held"
        at(made, 10 + seconds)
        assert (used(made, "h1"), used(made, "h2")) == (0, 1)


def test_memory_written_faster_than_copied_ends_after_the_rounds() -> None:
    """It never converges: every round copies everything, and so does the last halt."""
    assert precopy_seconds(100, 10, Dirty(20, max_rounds=4)) == pytest.approx(50)


@pytest.mark.parametrize(
    ("timing", "words"),
    [
        ({"migrate": {"dirtyBytesPerSecond": 5}}, "bytesPerSecond"),
        ({"stop": {"bytesPerSecond": 5, "dirtyBytesPerSecond": 5}}, "in step migrate"),
    ],
)
def test_dirty_memory_where_it_means_nothing_is_a_fault(timing: Doc, words: str) -> None:
    """Only a migration copies memory, and it needs a bandwidth."""
    with pytest.raises(InvalidInput) as caught:
        load(world(timing=timing, run={"timing": "model"}))
    assert words in "\n".join(map(str, caught.value.faults))
