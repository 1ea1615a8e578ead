"""Workflows in simulated time: run to the first real wait at once, from there on as SimPy processes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from simclone.chance import Identity
from simclone.engine.calendar import Calendar
from simclone.engine.context import Context
from simclone.engine.queues import Queues, Slots
from simclone.engine.timing import Timing
from simclone.engine.waits import Locked, Together, Work, Workflow, run_now


class WorkflowDriver:
    """Runs workflows on a calendar; all times are whole microseconds."""

    def __init__(self, ctx: Context, timing: Timing) -> None:
        self.ctx, self.timing = ctx, timing
        ctx.instant = not timing.steps
        self.calendar = Calendar(ctx.ledger.now_us, self._set_time)
        self.queues = Queues(self.calendar, ctx)
        self.waited: dict[int, int] = {}
        self._vms: dict[int, Slots] = {}

    @property
    def now_us(self) -> int:
        """The time."""
        return self.calendar.now_us

    def _set_time(self) -> None:
        self.ctx.ledger.now_us = self.calendar.now_us

    def at(self, when_us: int, kind: int, action: Callable[..., None], *arguments: Any) -> None:
        """Call *action* at a time; equal times go by *kind*, then by order of asking."""
        self.calendar.call_at(when_us, kind, action, *arguments)

    def start(self, workflow: Workflow[Any], done: Callable[[Any], None]) -> None:
        """Run a workflow to its first real wait now; only from there on is it a process."""
        if not self.timing.steps:
            done(run_now(workflow))
            return
        driver = self._drive(workflow)
        try:
            first = next(driver)
        except StopIteration as end:
            done(end.value)
            return
        self.calendar.process(self._rest(driver, first, done))

    def _rest(
        self, driver: Generator[simpy.Event, Any, Any], first: simpy.Event, done: Callable[[Any], None]
    ) -> Generator[simpy.Event, Any, None]:
        event = first
        while True:
            value = yield event
            self._set_time()
            try:
                event = driver.send(value)
            except StopIteration as end:
                done(end.value)
                return

    def _drive(self, workflow: Workflow[Any]) -> Generator[simpy.Event, Any, Any]:
        answer: Any = None
        try:
            while True:
                wait = workflow.send(answer)
                if isinstance(wait, Together):
                    answer = yield from self._together(wait)
                elif isinstance(wait, Locked):
                    answer = yield from self._locked(wait)
                else:
                    yield from self._work(wait)
                    answer = None
        except StopIteration as end:
            return end.value

    def _locked(self, wait: Locked) -> Generator[simpy.Event, Any, Any]:
        slot = self._vms.setdefault(wait.vm, Slots(self.calendar, 1))
        turn = slot.enter()
        if turn is not None:
            yield turn
        try:
            return (yield from self._drive(wait.job))
        finally:
            slot.leave()
            if not slot.taken:
                self._vms.pop(wait.vm, None)

    def _together(self, wait: Together) -> Generator[simpy.Event, Any, list[Any]]:
        results: list[Any] = [None] * len(wait.jobs)
        left = len(wait.jobs)
        gate: simpy.Event | None = None
        for position, job in enumerate(wait.jobs):

            def finished(value: Any, place: int = position) -> None:
                nonlocal left
                results[place] = value
                left -= 1
                if not left and gate is not None:
                    gate.succeed()

            self.start(job, finished)
        if left:
            gate = simpy.Event(self.calendar)
            yield gate
        return results

    def _work(self, work: Work) -> Generator[simpy.Event, Any, None]:
        held: list[Slots] = []
        try:
            came = self.now_us
            for slot in self.queues.slots(work) if self.timing.steps else ():
                turn, requested = slot.enter(), self.now_us
                if turn is not None:
                    yield turn
                slot.entered += 1
                slot.waited_us += self.now_us - requested
                held.append(slot)
            if work.vm >= 0 and self.now_us > came:
                self.waited[work.vm] = self.waited.get(work.vm, 0) + self.now_us - came
            if work.begin is not None:
                work.begin()
            size = work.size() if callable(work.size) else work.size
            taken = self.timing.duration(work.name, size, self.ctx.cloud.chance, self._who(work))
            if taken:
                yield self.calendar.timeout(taken)
        finally:
            for slot in reversed(held):
                slot.leave()

    def _who(self, work: Work) -> Identity:
        return self.ctx.identity(work.vm) if work.vm >= 0 else Identity("step", 0)
