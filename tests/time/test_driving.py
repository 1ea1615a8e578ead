"""A simulation in the hand: steps, pauses, requests put in, branches that go another way."""

from __future__ import annotations

from typing import Any

import pytest

import simclone
from simclone.errors import InvalidInput
from tests.time.worlds import HA, Doc, hosts, request, stream, vm, world

BUSY: Doc = {
    "hosts": hosts(4, cpu=6),
    "vms": [vm("v", state="Stopped", **HA)],
    "workload": [stream({"poisson": {"perHour": 120}}, lifetime={"exponential": {"mean": 600}}, batch=2)],
    "incidents": [{"hosts": "all", "every": {"exponential": {"mean": 9000}}, "event": "fail", "repairAfter": 300}],
    "run": {"timing": "zstack", "horizon": 7200, "seed": 5},
}


def body(*names: str) -> Doc:
    """A clone request's body."""
    return {"cloneVmInstance": {"names": list(names)}}


def log(run: Any) -> tuple[str, list[Any]]:
    """Everything a run did."""
    return run.fingerprint, [*run.result.events]


def test_stepping_and_pausing_change_nothing() -> None:
    """By single steps, by pauses and at once: one event log."""
    at_once = simclone.run(world(**BUSY))
    stepped = simclone.Simulation(world(**BUSY))
    times = []
    while (ahead := stepped.peek()) is not None:
        times.append(ahead)
        assert stepped.step()
        assert stepped.now == ahead
    assert not stepped.step()
    assert times == sorted(times)
    paused = simclone.Simulation(world(**BUSY))
    for at in (0, 10.5, 10.5, 3600):
        assert paused.pause_at(at).now == at
    assert log(at_once) == log(stepped.run().result()) == log(paused.run().result())
    assert at_once.result.totals == paused.result().result.totals


def test_a_fork_is_the_run_itself() -> None:
    """Forked behind, here and ahead, with requests put in on the way: each goes on exactly as the original does."""
    made = simclone.Simulation(world(**BUSY)).pause_at(1000)
    made.ask("v", body("x", "y"))
    made.pause_at(2000)
    made.ask("v", body("z"))
    twins = [made.fork_at(at) for at in (2500, None)]
    past = made.fork_at(1500)
    assert [one.now for one in (*twins, past)] == [2500, 2000, 1500]
    assert log(made.run().result()) == log(twins[0].run().result()) == log(twins[1].run().result())
    names = {answer.request.name for answer in past.run().result().answers}
    assert {"driver-0", "driver-1"} & names == {"driver-0"}, "what was asked later is not asked in the past"


def test_a_fork_goes_another_way_with_an_incident_and_leaves_the_original() -> None:
    """The twin loses a host; arrivals are the same in both, and the original never hears of it."""
    made = simclone.Simulation(world(**BUSY)).pause_at(1000)
    twin = made.fork_at(incidents=[{"at": 1000, "host": "h1", "event": "disable"}])
    plain, other = made.run().result(), twin.run().result()
    assert log(plain) == log(simclone.run(world(**BUSY)))
    asked = [[(one.request.name, one.request.at_us) for one in run.answers] for run in (plain, other)]
    assert dict(asked[0]).keys() == dict(asked[1]).keys()
    late = other.clones[(other.clones.asked_s > 1000) & other.clones.ok]
    assert len(late)
    assert "h1" not in set(late.host)
    assert "h1" in set(plain.clones[plain.clones.asked_s > 1000].host)


def test_results_on_the_way_add_up() -> None:
    """A result can be taken at any time and says how far it is; the audit finds nothing in it."""
    made = simclone.Simulation(world(**BUSY))
    before = made.pause_at(600).result()
    after = made.pause_at(1200).result()
    assert before.interrupted
    assert before.result.totals.asked < after.result.totals.asked
    assert not before.audit()
    assert not after.audit()
    assert not made.run().result().interrupted
    assert "at 7200 s" in repr(made)


def test_what_is_asked_by_hand_is_answered_like_any_request() -> None:
    """In a still cloud a request put in is answered at once, under the name it was given."""
    made = simclone.Simulation(world(requests=[request(50, "a")]))
    name = made.ask("v", body("b", "c"))
    (answer,) = made.result().answers
    assert (answer.request.name, answer.succeeded) == (name, 2)
    assert len(made.run().result().answers) == 2


def test_a_clone_asked_for_by_hand_is_explained_by_the_run_it_was_in() -> None:
    """The third of three names on two hosts of one vCPU: both were full by then."""
    made = simclone.Simulation(world(hosts=hosts(2, cpu=1), requests=[request(50, "a")])).pause_at(60)
    made.ask("v", body("b", "c"))
    story = made.result().explain("c")
    assert [(one.available_cpu, one.reason) for one in story.hosts] == [(0, "host.cpu")] * 2


def test_wrong_calls_are_faults() -> None:
    """Times that are none or have passed, bodies that are none, incidents before the fork or of no host."""
    made = simclone.Simulation(world()).pause_at(10)
    for call in (
        lambda: made.pause_at(9),
        lambda: made.run(float("nan")),
        lambda: made.run(-1),
        lambda: made.ask("v", {"nothing": 1}),
        lambda: made.fork_at(10, incidents=[{"at": 5, "host": "h1", "event": "fail"}]),
        lambda: made.fork_at(10, incidents=[{"at": 15, "host": "h9", "event": "fail"}]),
        lambda: made.fork_at(10, incidents=[{"at": 15, "host": "h1", "event": "explode"}]),
    ):
        with pytest.raises(InvalidInput):
            call()
    made.run(10)
