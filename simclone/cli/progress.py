"""What watches a run from the command line: a line of progress on a terminal, and Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from simclone.cli.output import clock_text, console
from simclone.engine.run_loop import Observer
from simclone.records import CloneAnswer

REDRAW_S = 0.1


class Stop(Observer):
    """Ends a run between two events after Ctrl-C; a second Ctrl-C ends it at once."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, *_: object) -> None:
        """The first Ctrl-C; the next is the system's own."""
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def moved(self, at_us: int) -> None:
        """Raise KeyboardInterrupt if it was asked for."""
        if self.asked:
            raise KeyboardInterrupt


class ProgressLine(Observer):
    """Simulated time, clones and failures on a line that is redrawn; the rest by rich."""

    def __init__(self, progress: Progress, horizon_s: float | None) -> None:
        self._progress = progress
        self._task = progress.add_task("simulating", total=horizon_s, simulated="0:00:00", clones=0, failures=0)
        self._clones = self._failures = 0
        self._next = 0.0

    def answered(self, at_us: int, answer: CloneAnswer) -> None:
        """Count the names."""
        placed = answer.succeeded if answer.error is None else 0
        self._clones += placed
        self._failures += len(answer.request.names) - placed

    def moved(self, at_us: int) -> None:
        """Redraw, not more often than somebody could see."""
        now = monotonic()
        if now < self._next:
            return
        self._next = now + REDRAW_S
        seconds = at_us // 1_000_000
        self._progress.update(
            self._task,
            completed=seconds,
            simulated=clock_text(seconds),
            clones=self._clones,
            failures=self._failures,
        )


@contextmanager
def watching(horizon_s: float | None) -> Iterator[list[Observer]]:
    """Observers of a run: one that minds Ctrl-C and, where standard error is a terminal, one that shows progress."""
    stop = Stop()
    mind = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    if mind:
        signal.signal(signal.SIGINT, stop.ask)
    try:
        if not sys.stderr.isatty():
            yield [stop]
            return
        with _progress(horizon_s) as progress:
            yield [stop, ProgressLine(progress, horizon_s)]
    finally:
        if mind:
            signal.signal(signal.SIGINT, before)


def _progress(horizon_s: float | None) -> Progress:
    columns = [
        TextColumn("simulated {task.fields[simulated]}"),
        BarColumn(),
        TextColumn("wall"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[clones]} clones, {task.fields[failures]} failures"),
    ]
    if horizon_s is not None:
        columns += [TextColumn("left"), TimeRemainingColumn()]
    return Progress(*columns, console=console(stderr=True), transient=True)
