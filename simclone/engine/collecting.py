"""Garbage collection during a run: what a simulation makes lives long, so it is seldom worth looking through."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG, MIDDLE, OLD = 1_000_000, 50, 100


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Inside, the collector waits for many more objects; what was set before is set again afterwards.

    What was made inside counts as old then: freezing and unfreezing moves it there without a look at any of it.
    """
    before = gc.get_threshold()
    if before[0] == 0 or before[0] >= YOUNG:
        yield
        return
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        gc.set_threshold(*before)
