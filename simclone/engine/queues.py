"""The platform's queues: counted slots, taken in order of coming and given back after the step."""

from __future__ import annotations

from collections import deque

import simpy

from simclone.engine.calendar import Calendar
from simclone.engine.context import Context
from simclone.engine.waits import Work


class Slots:
    """Counted slots with waiters in order of coming.

    Not a `simpy.Resource`: there every request is an event, also when a slot is free, and most steps of most runs find
    one free. Here entering a free slot is a method call, so that a step without duration puts nothing on the calendar.
    """

    __slots__ = ("_calendar", "capacity", "entered", "taken", "waited_us", "waiters")

    def __init__(self, calendar: Calendar, capacity: int) -> None:
        self._calendar, self.capacity, self.taken = calendar, capacity, 0
        self.entered = self.waited_us = 0
        self.waiters: deque[simpy.Event] = deque()

    def enter(self) -> simpy.Event | None:
        """Take a slot, or get the event of a turn to come."""
        if self.taken < self.capacity:
            self.taken += 1
            return None
        turn = simpy.Event(self._calendar)
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

    def __init__(self, calendar: Calendar, ctx: Context) -> None:
        self.calendar, self.ctx = calendar, ctx
        self._slots: dict[tuple[str | int, ...], Slots] = {}

    def _levels(self, queue: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], int]]:
        """The slots a queue stands for, outermost first, with their number (rules/timing.md#queues)."""
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

    def slots(self, work: Work) -> list[Slots]:
        """The slots to pass; only starts stand in the inner queue of a host."""
        if not work.queue:
            return []
        levels = self._levels(work.queue)
        if work.queue[0] == "host" and work.name != "startOnHypervisor":
            levels = levels[:1]
        passed = []
        for name, capacity in levels:
            if name not in self._slots:
                self._slots[name] = Slots(self.calendar, capacity)
            passed.append(self._slots[name])
        return passed

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
