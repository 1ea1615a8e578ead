"""What a workflow waits for, and the driver that runs one without a clock.

A workflow is a generator. It yields `Work` (a step that may take time, in a queue), `Together` (workflows that run
at once) and `Locked` (one that needs a VM for itself), and returns its result. Without durations nothing is ever put
on a calendar.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Work(Struct, frozen=True):
    """One step: its *name*, the *queue* it stands in (kind, then what makes it one queue), the bytes it moves.

    *size* may be a function, asked when the queue has been passed, and *begin* is called then; *vm* is the row it is
    done for, -1 for none.
    """

    name: str
    queue: tuple[str | int, ...] = ()
    size: int | Callable[[], int] = 0
    vm: int = -1
    begin: Callable[[], None] | None = None


class Together(Struct, frozen=True):
    """Workflows that start at once; the answer is the list of their results, in the given order."""

    jobs: Sequence[Workflow[Any]]


class Locked(Struct, frozen=True):
    """A workflow that needs a VM for itself: operations on one VM come one after the other.

    Rule: rules/vm-life.md#create.
    """

    vm: int
    job: Workflow[Any]


Workflow = Generator[Work | Together | Locked, Any, T]


def alone(vm: int, job: Workflow[T]) -> Workflow[T]:
    """*job* with the VM for itself."""
    result: T = yield Locked(vm, job)
    return result


def run_now(workflow: Workflow[T]) -> T:
    """Run a workflow to its end in no time; parallel parts run one after the other in their order."""
    answer: Any = None
    try:
        while True:
            wait = workflow.send(answer)
            if isinstance(wait, Work) and wait.begin is not None:
                wait.begin()
            if isinstance(wait, Together):
                answer = [run_now(job) for job in wait.jobs]
            else:
                answer = run_now(wait.job) if isinstance(wait, Locked) else None
    except StopIteration as end:
        result: T = end.value
        return result
