"""The clock: workflows as SimPy processes, queues as counted slots, equal times by class of event."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any, cast

import simpy

from simclone.chance import Identity
from simclone.engine.context import Context
from simclone.engine.timing import Timing
from simclone.engine.waits import Locked, Together, Work, Workflow, run_now

ENDS, REPAIRS, FAILURES, RECALCULATION, ARRIVALS = 1, 2, 3, 4, 5
"""Classes of events at equal times, in this order; steps of workflows go with the ends."""


class Alarm:
    """As much of an event as SimPy's loop looks at: one call when its time has come."""

    __slots__ = ("_action", "_clock", "_given", "_ok", "callbacks")

    def __init__(self, clock: Clock, action: Callable[..., None], given: tuple[Any, ...]) -> None:
        self._clock, self._action, self._given = clock, action, given
        self._ok = True
        self.callbacks: tuple[Callable[[object], None], ...] | None = (self,)

    def __call__(self, _: object) -> None:
        """Do it, at the ledger's time."""
        clock = self._clock
        clock.ctx.ledger.now_us = clock.now_us
        self._action(*self._given)


class Slot:
    """Counted slots with waiters in order of coming; entering a free one is a method call, not an event."""

    __slots__ = ("_env", "capacity", "entered", "taken", "waited_us", "waiters")

    def __init__(self, env: simpy.Environment, capacity: int) -> None:
        self._env, self.capacity, self.taken = env, capacity, 0
        self.entered = self.waited_us = 0
        self.waiters: deque[simpy.Event] = deque()

    def enter(self) -> simpy.Event | None:
        """Take a slot, or get the event of a turn to come."""
        if self.taken < self.capacity:
            self.taken += 1
            return None
        turn = simpy.Event(self._env)
        self.waiters.append(turn)
        return turn

    def leave(self) -> None:
        """Give the slot to the next waiter, or back."""
        if self.waiters:
            self.waiters.popleft().succeed()
        else:
            self.taken -= 1


class Queues:
    """The queues of the platform; a slot is taken in order of coming and given back after the step."""

    def __init__(self, env: simpy.Environment, ctx: Context) -> None:
        self.env, self.ctx = env, ctx
        self._slots: dict[tuple[str | int, ...], Slot] = {}

    def _levels(self, queue: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], int]]:
        """The slots a queue stands for, outermost first, with their number (clone-storage-affinity.md 8.1)."""
        values = self.ctx.cloud.settings.values
        if queue[0] == "host-allocator":
            parallel = values["hostAllocator.hostAllocator.concurrent"]
            return [(queue, int(values["hostAllocator.hostAllocator.concurrent.level"]) if parallel else 1)]
        if queue[0] == "host":
            inner = ("vm-start", *queue[1:])
            return [(queue, int(values["kvm.host.syncLevel"])), (inner, int(values["kvm.vm.createConcurrency"]))]
        if queue[0] == "image-store":
            return [(queue, int(values["imagestore.imageStore.syncLevel"]))]
        return [(queue, 1)]

    def slots(self, work: Work) -> list[Slot]:
        """The slots to pass; only starts stand in the inner queue of a host."""
        if not work.queue:
            return []
        levels = self._levels(work.queue)
        if work.queue[0] == "host" and work.name != "startOnHypervisor":
            levels = levels[:1]
        found = []
        for name, capacity in levels:
            if name not in self._slots:
                self._slots[name] = Slot(self.env, capacity)
            found.append(self._slots[name])
        return found

    def waiting(self) -> int:
        """Waiters in all queues."""
        return sum(len(slot.waiters) for slot in self._slots.values())

    def figures(self) -> dict[str, tuple[int, int, int, int]]:
        """By kind of queue: waiters, busy slots, and since t = 0 those that entered and the microseconds waited."""
        sums: dict[str, tuple[int, int, int, int]] = {}
        for name, slot in self._slots.items():
            mine = (len(slot.waiters), slot.taken, slot.entered, slot.waited_us)
            past = sums.get(str(name[0]), (0, 0, 0, 0))
            sums[str(name[0])] = (past[0] + mine[0], past[1] + mine[1], past[2] + mine[2], past[3] + mine[3])
        return sums


class Clock:
    """Runs workflows in simulated time; integers of microseconds."""

    def __init__(self, ctx: Context, timing: Timing) -> None:
        self.ctx, self.timing = ctx, timing
        ctx.instant = not timing.steps
        self.env: simpy.Environment = simpy.Environment(initial_time=ctx.ledger.now_us)
        self.queues = Queues(self.env, ctx)
        self.waited: dict[int, int] = {}
        self._vms: dict[int, Slot] = {}

    @property
    def now_us(self) -> int:
        """The time."""
        return cast("int", self.env._now)

    def at(self, when_us: int, kind: int, action: Callable[..., None], *given: Any) -> None:
        """Call *action* with what is *given* at a time; equal times go by *kind*, then by order of asking."""
        now_us = self.env._now
        alarm = Alarm(self, action, given)
        self.env.schedule(cast("Any", alarm), cast("Any", kind), when_us - now_us if when_us > now_us else 0)

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
        self.env.process(self._rest(driver, first, done))

    def _rest(
        self, driver: Generator[simpy.Event, Any, Any], first: simpy.Event, done: Callable[[Any], None]
    ) -> Generator[simpy.Event, Any, None]:
        event = first
        while True:
            value = yield event
            self.ctx.ledger.now_us = self.now_us
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
        slot = self._vms.setdefault(wait.vm, Slot(self.env, 1))
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
        for place, job in enumerate(wait.jobs):

            def finished(value: Any, place: int = place) -> None:
                nonlocal left
                results[place] = value
                left -= 1
                if not left and gate is not None:
                    gate.succeed()

            self.start(job, finished)
        if left:
            gate = simpy.Event(self.env)
            yield gate
        return results

    def _work(self, work: Work) -> Generator[simpy.Event, Any, None]:
        held: list[Slot] = []
        try:
            came = self.now_us
            for slot in self.queues.slots(work) if self.timing.steps else ():
                turn, asked = slot.enter(), self.now_us
                if turn is not None:
                    yield turn
                slot.entered += 1
                slot.waited_us += self.now_us - asked
                held.append(slot)
            if work.vm >= 0 and self.now_us > came:
                self.waited[work.vm] = self.waited.get(work.vm, 0) + self.now_us - came
            if work.begin is not None:
                work.begin()
            size = work.size() if callable(work.size) else work.size
            taken = self.timing.duration(work.name, size, self.ctx.cloud.chance, self._who(work))
            if taken:
                yield self.env.timeout(taken)
        finally:
            for slot in reversed(held):
                slot.leave()

    def _who(self, work: Work) -> Identity:
        return self.ctx.identity(work.vm) if work.vm >= 0 else Identity("step", 0)
