"""Garbage collection during a run: what a simulation makes lives long, so it is seldom worth looking through."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG, MIDDLE, OLD = 100_000, 50, 100


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Inside, the collector waits for many more objects; what was set before is set again afterwards."""
    before = gc.get_threshold()
    if before[0] == 0 or before[0] >= YOUNG:
        yield
        return
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)
