"""Durations and queues: published creation times, who waits for whom, whole microseconds, no needless events."""

from __future__ import annotations

from typing import Any

import pytest
import simpy

from simclone.engine.calendar import ARRIVALS, ENDS, FAILURES, RECALCULATION, REPAIRS
from simclone.engine.context import Context
from simclone.engine.queues import Slots
from simclone.engine.timing import ZSTACK, Timing, constant
from simclone.engine.waits import Together, Work, Workflow
from simclone.engine.workflow_driver import WorkflowDriver
from simclone.records import CloneAnswer
from simclone.units import MIB, SECOND
from tests.time.worlds import Doc, audited, creation, hosts, opened, request, simulation, stream, vm, world

PARALLEL = {"hostAllocator.hostAllocator.concurrent": True, "hostAllocator.hostAllocator.concurrent.level": 255}


# ---------------------------------------------------------------- published times


@pytest.mark.parametrize(("many", "published_s"), [(10, 1.55), (100, 11.33), (1000, 103.0)], ids=["10", "100", "1000"])
def test_creation_takes_as_long_as_published(many: int, published_s: float) -> None:
    """10, 100 and 1000 VMs created at once take the published 1.55, 11.33 and 103 s, give or take 15 %."""
    ctx, clock = opened(world(hosts=hosts(20, cpu=1000), run={"timing": "zstack"}))
    outcomes: list[Any] = []
    for number in range(many):
        clock.start(creation(ctx, number), outcomes.append)
    clock.calendar.run()
    assert len(outcomes) == many
    assert all(one.ok for one in outcomes)
    assert clock.now_us / SECOND == pytest.approx(published_s, rel=0.15)
    ctx.ledger.check()


def test_one_creation_takes_as_long_as_published() -> None:
    """A single VM takes the published 0.51 s."""
    ctx, clock = opened(world(run={"timing": "zstack"}))
    clock.start(creation(ctx, 0), lambda _: None)
    clock.calendar.run()
    assert clock.now_us / SECOND == pytest.approx(0.51, rel=0.15)


# ---------------------------------------------------------------- queues


def clock_of(timing: Timing, config: Doc | None = None) -> tuple[Context, WorkflowDriver]:
    """A clock with durations of its own."""
    ctx, _ = opened(world(config))
    return ctx, WorkflowDriver(ctx, timing)


def finishes(clock: WorkflowDriver, jobs: dict[str, list[Work]]) -> dict[str, int]:
    """When each job, all started at once, has done its steps, in seconds."""
    found: dict[str, int] = {}

    def job(steps: list[Work]) -> Workflow[None]:
        yield from steps

    for name, steps in jobs.items():

        def done(_: object, name: str = name) -> None:
            found[name] = clock.now_us // SECOND

        clock.start(job(steps), done)
    clock.calendar.run()
    return found


def test_a_host_starts_one_vm_at_a_time_inside_ten_slots() -> None:
    """Ten pending starts fill the host's queue: an eleventh command waits although only one start is going on."""
    _, clock = clock_of(Timing({"startOnHypervisor": constant(10), "stop": constant(1)}))
    start, stop = Work("startOnHypervisor", ("host", 0)), Work("stop", ("host", 0))
    jobs = {f"start-{n}": [start] for n in range(10)} | {"stop": [stop], "elsewhere": [Work("stop", ("host", 1))]}
    found = finishes(clock, jobs)
    assert [found[f"start-{n}"] for n in range(10)] == [10 * (n + 1) for n in range(10)]
    assert found["stop"] == 11, "it enters when the first start leaves"
    assert found["elsewhere"] == 1


def test_nine_pending_starts_leave_a_slot_for_other_commands() -> None:
    """With nine starts a stop does not wait, and ten stops go at once, the eleventh after them."""
    _, clock = clock_of(Timing({"startOnHypervisor": constant(10), "stop": constant(1)}))
    stop = Work("stop", ("host", 0))
    jobs = {f"start-{n}": [Work("startOnHypervisor", ("host", 0))] for n in range(9)}
    assert finishes(clock, {**jobs, "stop": [stop]})["stop"] == 1
    _, clock = clock_of(Timing({"stop": constant(1)}))
    found = finishes(clock, {f"stop-{n}": [stop] for n in range(11)})
    assert sorted(found.values()) == [1] * 10 + [2]


@pytest.mark.parametrize(("parallel", "level", "last"), [(False, 10, 6), (True, 1, 6), (True, 4, 2)])
def test_the_allocators_level_counts_only_when_it_is_concurrent(parallel: bool, level: int, last: int) -> None:
    """Six allocations of a second: one after the other unless concurrent, then so many at once."""
    key = "hostAllocator.hostAllocator.concurrent"
    _, clock = clock_of(Timing({"allocateHost": constant(1)}), {key: parallel, f"{key}.level": level})
    found = finishes(clock, {str(n): [Work("allocateHost", ("host-allocator",))] for n in range(6)})
    assert max(found.values()) == last


def test_queues_serve_in_order_of_coming() -> None:
    """The turn goes to who came first, even when others come while it is served."""
    env = simpy.Environment()
    slot, served = Slots(env, 1), list[str]()

    def customer(name: str, comes: int) -> Any:
        yield env.timeout(comes)
        turn = slot.enter()
        if turn is not None:
            yield turn
        served.append(name)
        yield env.timeout(5)
        slot.leave()

    for name, comes in (("c", 2), ("a", 0), ("b", 1), ("d", 5), ("e", 5)):
        env.process(customer(name, comes))
    env.run()
    assert served == ["a", "b", "c", "d", "e"]
    assert (slot.taken, len(slot.waiters), env.now) == (0, 0, 25)


def test_a_step_that_takes_no_time_still_waits_its_turn() -> None:
    """A command without a duration stands in the queue behind those that have one."""
    _, clock = clock_of(Timing({"allocateHost": constant(3)}))
    jobs = {"slow": [Work("allocateHost", ("host-allocator",))], "quick": [Work("dryRun", ("host-allocator",))]}
    assert finishes(clock, jobs) == {"slow": 3, "quick": 3}


def test_together_ends_with_the_last_and_keeps_the_given_order() -> None:
    """Workflows at once: the answer comes when the slowest is done, results in the order they were given."""
    _, clock = clock_of(Timing({"stop": constant(1), "reboot": constant(7)}))

    def job(step: str) -> Workflow[str]:
        yield Work(step)
        return step

    def all_of_them() -> Workflow[list[str]]:
        found: list[str] = yield Together([job("reboot"), job("stop"), job("pause")])
        return found

    found: list[Any] = []
    clock.start(all_of_them(), found.append)
    clock.calendar.run()
    assert found == [["reboot", "stop", "pause"]]
    assert clock.now_us == 7 * SECOND


# ---------------------------------------------------------------- the image cache


LOCAL = {"type": "LocalStorage", "localHosts": [{"host": f"h{n}", "totalCapacity": "9T"} for n in (1, 2)]}


@pytest.mark.parametrize(
    ("storage", "downloads"), [({"type": "NFS", "totalCapacity": "9T"}, 1), (LOCAL, 2)], ids=["shared", "local"]
)
def test_an_image_is_downloaded_once_for_each_cache(storage: Doc, downloads: int) -> None:
    """Clones on one cache wait for its one download of 4 s and then find the image; local hosts have one each."""
    doc = world(
        PARALLEL,
        images=[{"name": name, "size": "1GiB", "actualSize": 400 * MIB} for name in ("image", "fresh")],
        primaryStorages=[{"name": "nfs", **storage}],
        timing={"cacheImage": {"bytesPerSecond": 100 * MIB}},
        run={"timing": "model"},
    )
    ctx, clock = opened(doc)
    ended: list[float] = []
    for number in range(6):
        clock.start(creation(ctx, number, image="fresh"), lambda _: ended.append(clock.now_us / SECOND))
    clock.calendar.run()
    assert ended == [4.0] * 6
    fresh = ctx.cloud.find("image", "fresh")
    assert sum(image == fresh for image, _ in ctx.cloud.storages[0].caches) == downloads
    clock.start(creation(ctx, 6, image="fresh"), lambda _: ended.append(clock.now_us / SECOND))
    clock.calendar.run()
    assert ended[-1] == 4.0, "later ones download nothing"
    ctx.ledger.check()


# ---------------------------------------------------------------- equal times


def test_equal_times_go_by_class_then_by_order_of_asking() -> None:
    """At one moment: ends, repairs, failures, recalculation, arrivals; inside a class, first asked first."""
    _, clock = clock_of(Timing())
    seen: list[tuple[int, int]] = []
    for turn in range(2):
        for kind in (ARRIVALS, FAILURES, ENDS, RECALCULATION, REPAIRS):
            clock.at(SECOND, kind, lambda one=(kind, turn): seen.append(one))
    clock.calendar.run()
    kinds = (ENDS, REPAIRS, FAILURES, RECALCULATION, ARRIVALS)
    assert seen == [(kind, turn) for kind in kinds for turn in (0, 1)]


def test_an_end_makes_room_for_an_arrival_of_the_same_moment() -> None:
    """One slot, a clone every hour that lives an hour: none is refused."""
    doc = world(
        hosts=hosts(1, cpu=1),
        workload=[stream({"every": 3600}, lifetime=3600)],
        run={"horizon": 10 * 3600},
    )
    made = simulation(doc).run()
    totals = made.result().totals
    assert totals.placed == totals.asked >= 9
    assert totals.peak[0] == 1
    assert not audited(made)


@pytest.mark.parametrize(("event", "placed"), [("fail", 0), ("disable", 0), ("maintain", 0)])
def test_a_failure_strikes_before_an_arrival_of_the_same_moment(event: str, placed: int) -> None:
    """A host that goes at t = 60 takes no clone that is asked for at t = 60."""
    doc = world(hosts=hosts(1), requests=[request(60, "a")], incidents=[{"at": 60, "host": "h1", "event": event}])
    made = simulation(doc).run()
    assert made.result().totals.placed == placed
    assert not audited(made)


def test_a_repair_helps_an_arrival_of_the_same_moment() -> None:
    """A host that is back at t = 60 takes a clone that is asked for at t = 60."""
    incidents = [{"at": 10, "host": "h1", "event": "fail", "repairAfter": 50}]
    made = simulation(world(hosts=hosts(1), requests=[request(60, "a")], incidents=incidents)).run()
    assert made.result().totals.placed == 1
    assert not audited(made)


# ---------------------------------------------------------------- whole microseconds, few events


def test_time_is_counted_in_whole_microseconds() -> None:
    """Odd durations and random gaps: the calendar, the events and the answers hold integers only."""
    doc = world(
        hosts=hosts(4, cpu=100),
        workload=[stream({"poisson": {"perHour": 7000}}, lifetime={"exponential": {"mean": 33.3}}, batch=3)],
        timing={"allocateHost": {"exponential": {"mean": 0.0123456789}}, "startOnHypervisor": 1 / 3, "stop": 1e-7},
        run={"timing": "model", "horizon": 20, "seed": 3},
    )
    made = simulation(doc)
    while made.step():
        assert type(made.driver.calendar.now) is int
    result = made.result()
    assert result.totals.requests > 20
    assert all(type(one.at_us) is int for one in result.events)
    assert all(type(one.started_us) is int and type(one.ended_us) is int for one in result.answers)
    assert all(type(one) is int for one in result.waited_us.values())
    assert result.totals.area[0] == int(result.totals.area[0])


def test_a_run_without_durations_puts_only_arrivals_and_ends_on_the_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that take no time make no SimPy event, however many clones a request asks for."""
    counted: list[simpy.Environment] = []
    schedule = simpy.Environment.schedule

    def count(self: simpy.Environment, *given: Any, **more: Any) -> None:
        counted.append(self)
        schedule(self, *given, **more)

    monkeypatch.setattr(simpy.Environment, "schedule", count)
    asked = [request(n, *(f"c{n}-{copy}" for copy in range(5))) for n in range(12)]
    made = simulation(world(hosts=hosts(3, cpu=100), requests=asked)).run()
    assert counted.count(made.driver.calendar) == 12
    doc = world(
        hosts=hosts(3, cpu=100),
        workload=[stream({"every": 60}, lifetime=90, batch=4)],
        run={"horizon": 1200},
    )
    made = simulation(doc).run()
    totals, many = made.result().totals, counted.count(made.driver.calendar)
    assert totals.ended > 50
    assert totals.requests + totals.placed <= many <= totals.requests + totals.placed + 3, "and two of upkeep"


# ---------------------------------------------------------------- answers


def answer_of(doc: Doc) -> CloneAnswer:
    """The one answer of a run."""
    made = simulation(doc).run()
    assert not audited(made)
    (answer,) = made.result().answers
    return answer


def test_elements_stand_in_order_of_completion() -> None:
    """Clones of one host end one after the other, so two hosts' clones alternate; every name is there once."""
    names = [f"c{n}" for n in range(6)]
    doc = world(
        PARALLEL,
        requests=[request(0, *names)],
        timing={"startOnHypervisor": {"uniform": {"low": 1, "high": 50}}},
        run={"timing": "model"},
    )
    answer = answer_of(doc)
    ends = [one.snapshot.changed_us for one in answer.clones if one.snapshot is not None]
    assert ends == sorted(ends)
    assert sorted(one.name for one in answer.clones) == names
    assert [one.name for one in answer.clones] != names, "this seed mixes them"
    assert answer.ended_us == ends[-1]


def test_without_durations_elements_stand_in_order_of_names() -> None:
    """In no time, the first name is done first."""
    names = [f"c{n}" for n in range(6)]
    assert [one.name for one in answer_of(world(requests=[request(0, *names)])).clones] == names


@pytest.mark.parametrize(("limit", "error"), [(9, True), (10, False)])
def test_a_call_that_outlives_its_timeout_is_answered_with_it(limit: int, error: bool) -> None:
    """A call of 10 s is refused after 9 s of patience, and its VMs stay."""
    doc = world(
        {"apiTimeout.cloneVmInstance": limit},
        requests=[request(0, "a", "b")],
        timing={"takeSnapshot": 10},
        run={"timing": "model"},
    )
    made = simulation(doc).run()
    (answer,) = made.result().answers
    assert (answer.error is not None and answer.error.root_reason == "request.timeout") is error
    assert made.tally.now[0] == 2
    assert made.result().totals.placed == (0 if error else 2)
    assert not audited(made)


def test_a_call_that_outlives_its_timeout_is_answered_when_the_timeout_ends() -> None:
    """The caller hears of the timeout when it is over, not when the platform is done."""
    doc = world(
        {"apiTimeout.cloneVmInstance": 9},
        requests=[request(0, "a")],
        timing={"takeSnapshot": 100},
        run={"timing": "model"},
    )
    (answer,) = simulation(doc).run().result().answers
    assert answer.ended_us == 9 * SECOND


def test_the_time_of_a_clone_call_is_the_sum_of_its_steps() -> None:
    """One clone in the published set: dry run, snapshot, commit of 400 MiB, allocation, download, start."""
    doc = world(
        vms=[vm("v", state="Stopped", rootActualSize=400 * MIB)],
        requests=[request(5, "a")],
        run={"timing": "zstack"},
    )
    answer = answer_of(doc)
    assert set(ZSTACK.steps) >= {"dryRun", "takeSnapshot", "commitImage", "allocateHost", "cacheImage"}
    expected = 0.1027 + 1.0 + (0.5 + 1) + 0.1027 + 1.0 + 0.41
    assert (answer.ended_us - answer.started_us) / SECOND == pytest.approx(expected, abs=1e-5)


def test_own_durations_replace_those_of_the_published_set_one_by_one() -> None:
    """With ``timing: zstack`` a named step takes its own time and the others keep theirs; ``model`` has no others."""
    doc = world(requests=[request(0, "a")], timing={"takeSnapshot": 30}, run={"timing": "zstack"})
    zstack = answer_of(doc)
    model = answer_of({**doc, "run": {"timing": "model"}})
    assert model.ended_us == 30 * SECOND
    assert zstack.ended_us == pytest.approx((30 + 0.1027 * 2 + 0.5 + 0.41) * SECOND, abs=2)


@pytest.mark.parametrize("strategy", ["InstantStart", "CreateStopped", "JustCreate"])
def test_steps_nobody_waits_for_change_nothing(strategy: str) -> None:
    """Without durations a run that stops at every step leaves the same answers, decisions and events."""
    doc = world(
        hosts=hosts(3, cpu=2),
        requests=[request(n, f"a{n}", f"b{n}", f"c{n}", strategy=strategy) for n in range(3)],
        workload=[stream({"every": 2}, lifetime=3, batch=2)],
        run={"horizon": 20},
    )
    quick, slow = simulation(doc), simulation(doc)
    assert quick.ctx.instant
    slow.ctx.instant = False
    one, other = quick.run().result(), slow.run().result()
    assert one.totals == other.totals
    assert one.totals.ended > 0
    assert (one.answers, one.decisions) == (other.answers, other.decisions)
    assert list(one.events) == list(other.events)
    assert not audited(quick)
