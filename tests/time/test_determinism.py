"""The same run twice is the same run, whoever watches it, however it is driven, whatever else happens beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import simclone
from simclone.engine.results.result import RunResult
from simclone.engine.run_loop import Observer, RunLoop
from simclone.errors import InvalidInput
from simclone.records import CloneAnswer
from simclone.units import SECOND
from simclone.workload.streams import Arrival, merged
from tests.time.worlds import Doc, audited, finished, hosts, request, simulation, stream, world

BUSY_RUN = {"timing": "zstack", "horizon": 1800, "seed": 11}


def busy(**more: Any) -> Doc:
    """Two streams, requests, retries, a failure and a repair on five small hosts, in the published durations."""
    doc = world(
        {"vm.deletionPolicy": "Delay", "vm.expungePeriod": 300, "host.reportHostCapacityInterval": 600},
        hosts=hosts(5, cpu=6),
        requests=[request(100, "x", "y"), request(100, "z")],
        workload=[
            stream({"poisson": {"perHour": 120}}, "few", lifetime={"exponential": {"mean": 300}}),
            stream(
                {"renewal": {"uniform": {"low": 1, "high": 90}}},
                "many",
                lifetime={"exponential": {"mean": 400}},
                batch={"geometric": {"mean": 3}},
                retry={"times": 2, "backoff": 30},
                allOrNothing=True,
            ),
        ],
        incidents=[{"at": 500, "host": "h2", "event": "fail", "repairAfter": 900}],
        run=BUSY_RUN,
    )
    return {**doc, **more}


def everything(result: RunResult) -> list[Any]:
    """All a run leaves, to be compared."""
    host_figures = {name: column.tolist() for name, column in result.before.items()}
    books = [result.records(), result.totals, dict(result.waited_us), result.ledger.now_us, host_figures]
    return [result.decisions, result.events, result.answers, *books]


@pytest.fixture(scope="module")
def plain() -> list[Any]:
    """All that the busy run leaves when nobody interferes."""
    return everything(finished(busy()))


def test_the_busy_run_is_busy() -> None:
    """What the other tests compare holds refusals, waits, ends and a few hundred events, and the audit is clean."""
    made = simulation(busy()).run()
    totals = made.result().totals
    assert totals.ended > 50
    assert totals.reasons
    assert made.result().waited_us
    assert len(made.result().events) > 1000
    assert not audited(made)


# ---------------------------------------------------------------- seeds


def test_the_same_seed_gives_the_same_run(plain: list[Any]) -> None:
    """Decisions, events, answers, books and totals are equal one by one."""
    assert everything(finished(busy())) == plain


def test_the_face_of_a_run_is_the_same_twice() -> None:
    """The decision log and the fingerprint that users see are equal for equal seeds and differ for others."""
    first, second, other = (simclone.run(busy(), seed=seed) for seed in (5, 5, 6))
    assert first.decision_log() == second.decision_log() != other.decision_log()
    assert first.fingerprint == second.fingerprint != other.fingerprint
    assert (first.seed, other.seed) == (5, 6)


def test_a_replication_is_another_run_of_the_same_seed() -> None:
    """Replications differ from each other, each is the same twice."""
    first, again, other = (simclone.run(busy(), replication=number) for number in (0, 0, 1))
    assert first.fingerprint == again.fingerprint != other.fingerprint


# ---------------------------------------------------------------- one thing does not move another


def arrivals_of(doc: Doc, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Arrival], RunResult]:
    """The arrivals a run was given, and its result."""
    seen: list[Arrival] = []

    def noted(*given: Any) -> Iterator[Arrival]:
        for arrival in merged(*given):
            seen.append(arrival)
            yield arrival

    monkeypatch.setattr("simclone.engine.prepare.merged", noted)
    return seen, finished(doc)


FAILING: Doc = {
    "hosts": "all",
    "every": {"exponential": {"mean": 900}},
    "event": "fail",
    "repairAfter": {"exponential": {"mean": 60}},
}


@pytest.mark.parametrize(
    "change",
    [
        {"incidents": [FAILING]},
        {"incidents": [{"at": 10, "globalConfig": {"host.cpu.overProvisioning.ratio": 3}}]},
        {"run": {**BUSY_RUN, "timing": "instant"}},
        {"hosts": hosts(2, cpu=3)},
        {"requests": []},
    ],
    ids=["incidents", "setting", "timing", "hosts", "requests"],
)
def test_arrivals_do_not_depend_on_what_happens(change: Doc, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times, sizes and lifetimes of the streams stay when incidents, settings, durations, hosts or requests change."""
    before, first = arrivals_of(busy(), monkeypatch)
    after, second = arrivals_of(busy(**change), monkeypatch)
    assert before == after
    assert len(before) > 70
    assert everything(first) != everything(second), "the change mattered"


def test_a_stream_does_not_move_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking one stream out leaves every arrival of the other."""
    doc = busy()
    both, _ = arrivals_of(doc, monkeypatch)
    one, _ = arrivals_of({**doc, "workload": doc["workload"][1:]}, monkeypatch)
    assert [arrival for arrival in both if arrival.source == "many"] == one


def failures(result: RunResult) -> list[tuple[int, str]]:
    """When which host failed."""
    return [(one.at_us, one.target) for one in result.events if one.cause == "fail"]


def test_an_incident_does_not_move_another() -> None:
    """Named random incidents fall at the same moments when others are added before them."""
    quiet = world(run={"horizon": 20_000, "seed": 4})
    named = {**FAILING, "name": "power"}
    alone = failures(finished({**quiet, "incidents": [named]}))
    beside = failures(finished({**quiet, "incidents": [{"at": 5, "globalConfig": {"vm.expungePeriod": 9}}, named]}))
    assert alone == beside
    assert len(alone) > 20


# ---------------------------------------------------------------- driving


@pytest.mark.parametrize("at_s", [0, 100, 512.345678, 1799, 1800])
def test_a_run_that_stopped_goes_on_as_if_it_had_not(at_s: float, plain: list[Any]) -> None:
    """A fork by replay: run to a moment, then to the end, equals the run that was never interrupted."""
    made = simulation(busy()).run(until_us=round(at_s * SECOND))
    assert made.ctx.ledger.now_us == round(at_s * SECOND)
    assert everything(made.run().result()) == plain


def test_looking_at_a_stopped_run_changes_nothing(plain: list[Any]) -> None:
    """Results asked for on the way leave the end as it was."""
    made = simulation(busy())
    for at_s in range(0, 1800, 300):
        halfway = made.pause_at(at_s * SECOND).result()
        assert halfway.totals.span_us == at_s * SECOND
        assert not audited(made)
    assert everything(made.run().result()) == plain


def test_two_forks_share_their_past() -> None:
    """Another run paused at the same moment has the same past; a change from there on moves only the future."""
    at_us = 1000 * SECOND
    one, other = (simulation(busy()).pause_at(at_us) for _ in range(2))
    past = everything(one.result())
    assert everything(other.result()) == past
    other.ctx.ledger.hosts.set(0, "fork", state=1)
    first, second = one.run().result(), other.run().result()
    assert first.events != second.events
    assert first.answers[: len(past[2])] == second.answers[: len(past[2])] == past[2]


def test_stepping_is_running(plain: list[Any]) -> None:
    """Event by event the run is the same; peek says when the next one is, and None at the end."""
    made, times = simulation(busy()), list[int]()
    while (at_us := made.peek()) is not None:
        assert made.step()
        assert made.driver.now_us == at_us
        times.append(at_us)
    assert not made.step()
    assert made.peek() is None
    assert times == sorted(times)
    assert times[-1] <= 1800 * SECOND
    assert everything(made.run().result()) == plain


def test_pausing_takes_in_the_moment_itself() -> None:
    """`pause_at` works off what happens at the moment it is given, and nothing later."""
    made = simulation(world(requests=[request(10, "a"), request(10, "b"), request(10.000001, "c")]))
    assert made.peek() == 10 * SECOND
    assert made.pause_at(10 * SECOND - 1).result().totals.requests == 0
    assert made.pause_at(10 * SECOND).result().totals.requests == 2
    assert made.peek() == 10 * SECOND + 1
    assert made.run().result().totals.requests == 3


def test_nothing_happens_after_the_horizon() -> None:
    """What is due at the horizon happens, what is due later does not, and statistics end there."""
    asked = [request(10, "a"), request(20, "b"), request(20.5, "c")]
    result = finished(world(requests=asked, run={"horizon": 20}))
    assert [one.request.name for one in result.answers] == ["request-a", "request-b"]
    assert result.totals.span_us == 20 * SECOND
    assert result.totals.area[0] == 10 * SECOND


# ---------------------------------------------------------------- what is kept, who watches


@pytest.mark.parametrize("keep", ["failures", "summary"])
def test_what_is_kept_does_not_change_the_totals(keep: str) -> None:
    """Counts, reasons, peaks and integrals are those of a run that keeps everything."""
    whole = finished(busy())
    kept = finished(busy(run={**BUSY_RUN, "keep": keep}))
    assert kept.totals == whole.totals
    assert dict(kept.waited_us) == dict(whole.waited_us)
    assert kept.records()["closing"] == whole.records()["closing"]
    assert not [one for one in kept.events if one.at_us], "only those of the cloud's making"
    assert not kept.complete
    later = [one for one in kept.decisions if one.at_us]
    assert bool(kept.answers) == bool(later) == (keep == "failures")
    if keep == "failures":
        assert kept.answers == tuple(one for one in whole.answers if one.batch != "SUCCESS")


def test_a_summary_runs_where_every_run_is_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that keeps a summary has no events to audit; asking for audits by the environment does not break it."""
    monkeypatch.setenv("SIMCLONE_AUDIT", "1")
    assert simclone.run(world(requests=[request(1, "a")], run={"keep": "summary"})).result.totals.placed == 1


class Curious(Observer):
    """Looks at everything, and puts its fingers where it can."""

    def __init__(self) -> None:
        self.made: RunLoop | None = None
        self.answers: list[CloneAnswer] = []
        self.times: list[int] = []

    def answered(self, at_us: int, answer: CloneAnswer) -> None:
        """Keeps the answer and tries to change it."""
        assert answer.ended_us == at_us
        self.answers.append(answer)
        with pytest.raises(AttributeError):
            answer.ended_us = 0  # type: ignore[misc]

    def moved(self, at_us: int) -> None:
        """Asks for results all the time."""
        self.times.append(at_us)
        if self.made is not None and len(self.times) % 50 == 0:
            self.made.result()
            self.made.peek()


def test_observers_do_not_change_the_run(plain: list[Any]) -> None:
    """With two that look at everything the run is the same, and both are told the same."""
    first, second = Curious(), Curious()
    made = simulation(busy(), observers=[first, second])
    first.made = second.made = made
    result = made.run().result()
    assert everything(result) == plain
    assert first.times == second.times == sorted(first.times)
    assert tuple(first.answers) == tuple(second.answers) == result.answers


class Broken(Observer):
    """Fails at everything."""

    def answered(self, at_us: int, answer: CloneAnswer) -> None:
        """Fails."""
        raise RuntimeError("an observer's own mistake")


def test_a_broken_observer_does_not_spoil_the_books() -> None:
    """An observer's exception reaches the caller; the run is whole up to there and goes on when asked."""
    asked = [request(n, f"c{n}") for n in range(3)]
    made = simulation(world(requests=asked), observers=[Broken()])
    for _ in asked:
        with pytest.raises(RuntimeError, match="own mistake"):
            made.run()
    result = made.run().result()
    assert result.totals.placed == 3
    assert not audited(made)


# ---------------------------------------------------------------- series, and runs without an end


def test_a_series_has_a_row_for_every_interval() -> None:
    """One stream, a sample every ten minutes of two hours: thirteen rows."""
    doc = world(
        hosts=hosts(1, cpu=100),
        workload=[stream({"every": 600}, lifetime=60)],
        run={"horizon": 7200, "sample": 600},
    )
    assert list(finished(doc).series["at_us"]) == [n * 600 * SECOND for n in range(13)]


def test_sampling_changes_nothing_else() -> None:
    """Totals, decisions and events are the same with and without a series."""
    without, with_ = (finished(busy(run={**BUSY_RUN, **more})) for more in ({}, {"sample": 7}))
    assert everything(without) == everything(with_)


@pytest.mark.parametrize(
    "endless",
    [
        {"workload": [stream({"poisson": {"perHour": 60}})]},
        {"incidents": [{"hosts": "all", "every": 60, "event": "fail", "repairAfter": 1}]},
    ],
    ids=["stream", "incident"],
)
def test_a_run_without_an_end_is_refused(endless: Doc) -> None:
    """A process that never ends needs a horizon: a fault of the file, not a run that hangs."""
    with pytest.raises(InvalidInput, match="horizon"):
        simclone.load(world(**endless))


def test_upkeep_does_not_prolong_a_run() -> None:
    """Without a horizon a run with durations is over with its last step; no waiting for a daily collection."""
    made = simulation(world(requests=[request(1, "a")], run={"timing": "zstack"})).run()
    result = made.result()
    assert result.totals.span_us == result.answers[0].ended_us
