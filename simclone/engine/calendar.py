"""The calendar: SimPy's event loop with calls at times, equal times by class of event.

SimPy lives in this file, in `engine.queues` and in `engine.workflow_driver`, and nowhere else. This file alone
knows fields of SimPy's environment that it does not document; look here first when SimPy is upgraded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import simpy

ENDS, REPAIRS, FAILURES, RECALCULATION, ARRIVALS = 1, 2, 3, 4, 5
"""Classes of events at equal times, in this order; steps of workflows go with the ends."""


class ScheduledCall:
    """As much of an event as SimPy's loop looks at: one call when its time has come.

    A whole `simpy.Event` with a callback costs twice as much, and a run makes one for the end of every clone.
    """

    __slots__ = ("_action", "_arguments", "_before", "_ok", "callbacks")

    def __init__(self, before: Callable[[], None], action: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self._before, self._action, self._arguments = before, action, arguments
        self._ok = True
        self.callbacks: tuple[Callable[[object], None], ...] | None = (self,)

    def __call__(self, _: object) -> None:
        """Make the call."""
        self._before()
        self._action(*self._arguments)


class Calendar(simpy.Environment):
    """Events to come, in whole microseconds; *before_call* runs before every scheduled call."""

    def __init__(self, start_us: int, before_call: Callable[[], None]) -> None:
        super().__init__(initial_time=start_us)
        self._before_call = before_call

    @property
    def now_us(self) -> int:
        """The time."""
        return cast("int", self._now)

    @property
    def pending(self) -> int:
        """The number of events to come."""
        return len(self._queue)

    def call_at(self, when_us: int, kind: int, action: Callable[..., None], *arguments: Any) -> None:
        """Call *action* at a time, or now if that is past; equal times go by *kind*, then by order of asking."""
        now_us = self._now
        call = ScheduledCall(self._before_call, action, arguments)
        self.schedule(cast("Any", call), cast("Any", kind), when_us - now_us if when_us > now_us else 0)
