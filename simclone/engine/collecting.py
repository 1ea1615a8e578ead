"""Garbage collection during a run: what a simulation makes lives long, so it is seldom worth looking through."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG, MIDDLE, OLD = 1_000_000, 50, 100
MANY = 1_000_000
"""So many objects, made by runs and not yet looked through, may hold runs that nobody needs any more."""


class _Unseen:
    """Objects made by the runs since the last whole look."""

    count = 0


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Inside, the collector waits for many more objects; what was set before is set again afterwards.

    What was made inside counts as old then: freezing and unfreezing moves it there without a look at any of it.
    Before a run it is looked through if it has become much, so that of many runs only the last stays in memory.
    """
    before = gc.get_threshold()
    if before[0] == 0 or before[0] >= YOUNG:
        yield
        return
    if _Unseen.count > MANY:
        gc.collect()
        _Unseen.count = 0
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    begun = _allocated()
    try:
        yield
    finally:
        _Unseen.count += max(_allocated() - begun, 0)
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        gc.set_threshold(*before)


def _allocated() -> int:
    """Objects made and not freed, from anywhere, by the counters of the collector under the thresholds of a run."""
    young, middle, old = gc.get_count()
    return young + YOUNG * (middle + MIDDLE * old)
