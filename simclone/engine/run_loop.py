"""A simulation: requests arrive, are worked off in time, clones live and end, incidents happen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from msgspec.structs import replace

from simclone.engine.calendar import ARRIVALS, ENDS, RECALCULATION
from simclone.engine.collecting import collected_rarely
from simclone.engine.context import Context, Outcome
from simclone.engine.operations.clone.call import clone
from simclone.engine.operations.destroy_vm import destroy_vm, remove
from simclone.engine.operations.upkeep import collect_orphans, recalculate_drifted
from simclone.engine.results.recorder import Sampler, Tally
from simclone.engine.results.records import figures
from simclone.engine.results.result import HOST_FIGURES, RunResult, Totals
from simclone.engine.results.series import PlaceSeries
from simclone.engine.timing import INSTANT, Timing
from simclone.engine.waits import Workflow
from simclone.engine.workflow_driver import WorkflowDriver
from simclone.records import CloneAnswer, CloneRecord, CloneRequest, ErrorCode
from simclone.units import SECOND
from simclone.wire.request import ACTION, TOP_TAGS, clone_request, refuse_body
from simclone.workload.streams import Arrival

Done = Callable[[CloneAnswer], None] | None
KEEPS = ("all", "failures", "summary")
LATER = 16
"""Bits of an identity's occasion that later starts and moves use; above them count retries."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is made: *horizon_us* ends it, statistics begin at *warm_up_us*, *sample_us* is the series' interval.

    *series* are the kinds of places that get series of their own: zones, clusters, hosts, storages, queues. *keep*
    ``failures`` drops the answers of calls that succeeded and all events, ``summary`` every row.
    """

    timing: Timing = INSTANT
    horizon_us: int | None = None
    warm_up_us: int = 0
    sample_us: int | None = None
    series: Sequence[str] = ()
    keep: str = "all"


class Observer:
    """Something that watches a run; every method is optional to override and nothing it does changes the run."""

    def answered(self, at_us: int, answer: CloneAnswer) -> None:
        """A request was answered."""

    def moved(self, at_us: int) -> None:
        """Time went on."""


class RunLoop:
    """One run in the making. `step`, `run`, `peek` and `pause_at` drive it; `result` is what it has so far."""

    def __init__(
        self,
        ctx: Context,
        *,
        requests: Iterable[CloneRequest] = (),
        arrivals: Iterator[Arrival] | None = None,
        options: Options = Options(),
        observers: Iterable[Observer] = (),
    ) -> None:
        self.ctx, self.options = ctx, options
        self.driver = WorkflowDriver(ctx, options.timing)
        ctx.timed = bool(options.timing.steps)
        self.tally = Tally(ctx.ledger, options.warm_up_us)
        self._observers = tuple(observers)
        self._answers: list[CloneAnswer] = []
        self._counts = {"requests": 0, "asked": 0, "placed": 0, "ended": 0}
        self._reasons: dict[str, int] = {}
        self._background = 0
        self.steps = 0
        self._arrivals: Iterator[Arrival] = iter(()) if arrivals is None else arrivals
        self._before = {name: ctx.cloud.fleet.array(ctx.cloud.fleet.cells[name]).copy() for name in HOST_FIGURES}
        self._storage_before = tuple(storage.available for storage in ctx.cloud.storages)
        self._start = figures(ctx.cloud)
        ctx.cloud.record_steps = options.keep == "all"
        if options.keep != "all":
            ctx.ledger.recording = False
            ctx.keep_decisions = options.keep
        for request in sorted(requests, key=lambda one: one.at_us):
            self.driver.at(request.at_us, ARRIVALS, partial(self.submit, request, None))
        self._next_arrival()
        if options.horizon_us or options.timing.steps:
            self._upkeep()
        self._sampler = None
        if options.sample_us:
            positions = PlaceSeries(ctx.cloud, self.driver, options.series)
            self._sampler = Sampler(self.driver, self.tally, positions, options.sample_us, self._goes_on)

    def _goes_on(self) -> bool:
        """Whether there is more to come: a horizon ends the run, else the last event does."""
        return self.options.horizon_us is not None or self._pending > 1

    # -- driving ---------------------------------------------------------------------------------------

    @property
    def _pending(self) -> int:
        return self.driver.calendar.pending

    def peek(self) -> int | None:
        """The time of the next event in microseconds; None when the run is over."""
        if self._pending <= (self._background if self.options.horizon_us is None else 0):
            return None
        at_us = int(self.driver.calendar.peek())
        return None if self.options.horizon_us is not None and at_us > self.options.horizon_us else at_us

    def step(self) -> bool:
        """Process one event; False when the run is over."""
        if self.peek() is None:
            return False
        self.driver.calendar.step()
        self.steps += 1
        for observer in self._observers:
            observer.moved(self.driver.now_us)
        return True

    def run(self, until_us: int | None = None) -> RunLoop:
        """Process every event up to and at *until_us*, or to the end."""
        with collected_rarely():
            while True:
                at_us = self.peek()
                if at_us is None or (until_us is not None and at_us > until_us):
                    break
                self.step()
        end = until_us if until_us is not None else self.options.horizon_us
        if end is not None and end > self.ctx.ledger.now_us:
            self.ctx.ledger.now_us = end
        return self

    pause_at = run

    # -- requests --------------------------------------------------------------------------------------

    def _next_arrival(self) -> None:
        arrival = next(self._arrivals, None)
        if arrival is not None:
            self.driver.at(arrival.at_us, ARRIVALS, partial(self._arrived, arrival))

    def _arrived(self, arrival: Arrival) -> None:
        names = [f"{arrival.source}-{arrival.ordinal}-{copy}" for copy in range(arrival.count)]
        self._ask(arrival, names, list(range(arrival.count)), 0)
        self._next_arrival()

    def _ask(self, arrival: Arrival, names: list[str], places: list[int], attempt: int) -> None:
        requested = replace(
            _arrived_request(arrival, names, self.driver.now_us),
            occasion=attempt << LATER,
            stays_us=tuple([arrival.lifetimes_us[location] for location in places]),
        )
        self.submit(
            requested, partial(self._answered_arrival, arrival, places, attempt), partial(self._live, arrival, places)
        )

    def submit(self, request: CloneRequest, done: Done, late: Done = None) -> None:
        """Send a request now; *done* is told the answer, that of the timeout if the call outlives it.

        *late* is told what became of a call that was answered by its timeout, once its work has ended.
        """
        open_calls = [request]
        self.driver.start(clone(self.ctx, request), partial(self._ended, open_calls, done, late))
        if open_calls:
            limit = int(self.ctx.cloud.settings.values["apiTimeout.cloneVmInstance"]) * SECOND
            time_out = partial(self._time_out, request, limit, open_calls, done)
            self._background += 1
            self.driver.at(self.driver.now_us + limit, RECALCULATION, time_out)

    def _time_out(self, request: CloneRequest, limit: int, open_calls: list[CloneRequest], done: Done) -> None:
        """Answer a call that outlived the API's patience; its VMs stay and its work goes on."""
        self._background -= 1
        if open_calls:
            text = f"the call took longer than {limit // SECOND} s"
            error = ErrorCode("SYS.1001", text, reason="request.timeout")
            now_us = self.driver.now_us
            self._finish(open_calls, done, CloneAnswer(request, error, (), now_us - limit, now_us))

    def _ended(self, open_calls: list[CloneRequest], done: Done, late: Done, answer: CloneAnswer) -> None:
        if open_calls:
            self._finish(open_calls, done, answer)
        elif late is not None:
            late(answer)

    def _finish(self, open_calls: list[CloneRequest], done: Done, answer: CloneAnswer) -> None:
        open_calls.clear()
        self._count(answer)
        for observer in self._observers:
            observer.answered(self.driver.now_us, answer)
        if done is not None:
            done(answer)

    def _count(self, answer: CloneAnswer) -> None:
        names = len(answer.request.names)
        self._counts["requests"] += 1
        self._counts["asked"] += names
        placed = answer.succeeded if answer.error is None else 0
        self._counts["placed"] += placed
        if placed < names or answer.error is not None:
            for reason, count in failure_reasons(answer).items():
                self._reasons[reason] = self._reasons.get(reason, 0) + count
        retained = self.options.keep
        if retained == "all" or (retained == "failures" and answer.batch != "SUCCESS"):
            self._answers.append(answer)

    def _answered_arrival(self, arrival: Arrival, places: list[int], attempt: int, answer: CloneAnswer) -> None:
        winners = _winners(answer)
        failed = len(answer.request.names) - len(winners)
        if failed and arrival.all_or_nothing:
            for winner in winners:
                self._end(winner.vm)
            winners = []
        else:
            self._live(arrival, places, answer)
        if failed and attempt < arrival.retry.times:
            self._retry(arrival, places, attempt, answer, {item.position for item in winners})

    def _live(self, arrival: Arrival, places: list[int], answer: CloneAnswer) -> None:
        """The clones of an answer live from now on, each for its time."""
        now_us = self.driver.now_us
        for winner in _winners(answer):
            lifetime = arrival.lifetimes_us[places[winner.position]]
            if lifetime is not None:
                self.driver.at(now_us + lifetime, ENDS, self._end, winner.vm)

    def _retry(self, arrival: Arrival, places: list[int], attempt: int, answer: CloneAnswer, won: set[int]) -> None:
        remaining = [at for at in range(len(answer.request.names)) if at not in won]
        names = [answer.request.names[at] for at in remaining]
        again = partial(self._ask, arrival, names, [places[at] for at in remaining], attempt + 1)
        self.driver.at(self.driver.now_us + arrival.retry.backoff_us, ARRIVALS, again)

    # -- ends and upkeep -------------------------------------------------------------------------------

    def _end(self, vm: int) -> None:
        """The end of a clone's life; its disk follows the deletion policy."""
        if self.ctx.cloud.vms.alive[vm] and self.ctx.cloud.vms.state_name(vm) != "Destroyed":
            self._counts["ended"] += 1
            self.driver.start(self.ctx.alone(vm, self._finished(vm)), partial(self._destroyed, vm))

    def _finished(self, vm: int) -> Workflow[Outcome]:
        """Destroy the VM, unless somebody did while this waited for it."""
        vms = self.ctx.cloud.vms
        if not vms.alive[vm] or vms.state_name(vm) == "Destroyed":
            return Outcome(vm)
        return (yield from destroy_vm(self.ctx, vm))

    def _destroyed(self, vm: int, _: Any) -> None:
        values = self.ctx.cloud.settings.values
        if values["vm.deletionPolicy"] == "Delay" and self.ctx.cloud.vms.alive[vm]:
            after = int(values["vm.expungePeriod"]) * SECOND
            self.driver.at(self.driver.now_us + after, ENDS, partial(self._expunge, vm))

    def _expunge(self, vm: int) -> None:
        if self.ctx.cloud.vms.alive[vm] and self.ctx.cloud.vms.state_name(vm) == "Destroyed":
            remove(self.ctx, vm, "expunge")

    def _upkeep(self) -> None:
        values = self.ctx.cloud.settings.values
        for key, action in (
            ("host.reportHostCapacityInterval", recalculate_drifted),
            ("primaryStorage.imageCache.garbageCollector.interval", collect_orphans),
        ):
            self.background(partial(_seconds_of, values, key), partial(action, self.ctx))

    def background(self, interval_us: Callable[[], int], action: Callable[[], None]) -> None:
        """Do something again and again without keeping the run alive; the interval is asked each time."""

        def turn() -> None:
            self._background -= 1
            action()
            self.background(interval_us, action)

        self._background += 1
        self.driver.at(self.driver.now_us + interval_us(), RECALCULATION, turn)

    # -- the outcome -----------------------------------------------------------------------------------

    def result(self) -> RunResult:
        """The run so far; the books are checked."""
        ctx = self.ctx
        ctx.ledger.check()
        self.tally.means()
        totals = Totals(
            **self._counts,
            reasons=dict(sorted(self._reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
            peak=(self.tally.peak[0], self.tally.peak[1], self.tally.peak[2]),
            peak_at_us=(self.tally.peak_at_us[0], self.tally.peak_at_us[1], self.tally.peak_at_us[2]),
            area=(self.tally.area[0], self.tally.area[1], self.tally.area[2]),
            concurrent_placements=ctx.concurrent_placements,
            rule_violations=dict(sorted(ctx.rule_violations.items(), key=lambda pair: (-pair[1], pair[0]))),
            span_us=max(ctx.ledger.now_us - self.options.warm_up_us, 0),
        )
        return RunResult(
            ctx.ledger,
            tuple(self._answers),
            tuple(ctx.decisions),
            ctx.ledger.events.standing(),
            self._before,
            self._storage_before,
            ctx.opening,
            self._start,
            totals,
            {} if self._sampler is None else dict(self._sampler.columns),
            None if self._sampler is None else self._sampler.places,
            dict(self.driver.waited),
            self.options.keep == "all",
        )


def _seconds_of(values: Mapping[str, Any], key: str) -> int:
    """A setting in seconds as microseconds, as it is now."""
    return int(values[key]) * SECOND


def _arrived_request(arrival: Arrival, names: list[str], at_us: int) -> CloneRequest:
    """The request for *names* as the stream's body has it."""
    action = {key: value for key, value in arrival.body.items() if key not in TOP_TAGS}
    tags = {key: arrival.body[key] for key in TOP_TAGS if key in arrival.body}
    request, error = clone_request(
        {ACTION: {**action, "names": names}, **tags},
        arrival.vm,
        source=arrival.source,
        ordinal=arrival.ordinal,
        account=arrival.account,
        at_us=at_us,
    )
    if error is not None:
        raise refuse_body(error)
    return request


def _winners(answer: CloneAnswer) -> list[CloneRecord]:
    """The clones that were made; none of a call that failed as a whole."""
    return [] if answer.error is not None else [item for item in answer.clones if item.error is None]


def failure_reasons(answer: CloneAnswer) -> dict[str, int]:
    """Failed names of an answer by reason; a call that failed as a whole counts all its names."""
    if answer.error is not None:
        return {answer.error.root_reason: max(len(answer.request.names), 1)}
    return answer.element_reasons()
