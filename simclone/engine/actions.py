"""Actions at times: what happens to a running cloud besides requests and the ends of clones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from simclone.engine.waits import Workflow


class Timetable(Protocol):
    """What an action sees of a run: the time, and where it puts what follows from it."""

    @property
    def now_us(self) -> int:
        """The time in microseconds."""

    def at(self, when_us: int, kind: int, action: Callable[..., None], *given: Any) -> None:
        """Call *action* with what is *given* at a time; equal times go by *kind*, then by order of asking."""

    def start(self, workflow: Workflow[Any], done: Callable[[Any], None]) -> None:
        """Run a workflow to its first wait now, and on in time; *done* takes its result."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that happens at a time (microseconds); equal times go by *kind*, a class of events.

    *act* may put further actions into the timetable: repairs, the next failure, the next wave.
    """

    at_us: int
    kind: int
    act: Callable[[Timetable], None]
