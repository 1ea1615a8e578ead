"""Parts of a recorded trace: a window, a share of its requests, another pace, another start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from simclone.traces.rows import Batch

MOST_SCALE = 1e6


@dataclass(frozen=True, slots=True)
class Cut:
    """What to keep of a trace and where to put it; applied in this order.

    Batches that arrive from *from_us* on and before *to_us*; of these a share of *thin*, all batches of a group or
    none; all times multiplied by *scale* (lifetimes too, so as many VMs run at once as before); then *shift_us* is
    added, and what would arrive before 0 is left out.
    """

    from_us: int = 0
    to_us: int | None = None
    thin: float = 1.0
    scale: float = 1.0
    shift_us: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.scale <= MOST_SCALE:
            raise ValueError(f"scale must be more than 0 and at most {MOST_SCALE:g}, not {self.scale:g}")
        if not 0 < self.thin <= 1:
            raise ValueError(f"thin is a share of more than 0 and at most 1, not {self.thin:g}")
        if self.from_us < 0:
            raise ValueError("from must be at least 0")
        if self.to_us is not None and self.to_us <= self.from_us:
            raise ValueError("to must be after from")

    def moved(self, at_us: int) -> int:
        """Where a moment of the trace comes to lie."""
        return (at_us if self.scale == 1.0 else round(at_us * self.scale)) + self.shift_us


WHOLE = Cut()
"""A trace as it is."""


def cut(batches: Iterable[Batch], how: Cut, uniforms: Iterator[float]) -> Iterator[tuple[int, Batch]]:
    """The batches that are kept, moved, each with its number in the trace.

    One uniform is taken for every batch from the start of the trace on, so that another window or pace keeps the
    same batches.
    """
    group, kept = None, True
    for number, (batch, u) in enumerate(zip(batches, uniforms, strict=False)):
        if batch.group is None or batch.group != group:
            group, kept = batch.group, u < how.thin
        if how.to_us is not None and batch.arrival_us >= how.to_us:
            return
        if kept and batch.arrival_us >= how.from_us and how.moved(batch.arrival_us) >= 0:
            yield number, _moved(batch, how)


def _moved(batch: Batch, how: Cut) -> Batch:
    if how.scale == 1.0 and not how.shift_us:
        return batch
    ends = tuple(None if end is None else how.moved(end) for end in batch.ends_us)
    return replace(batch, arrival_us=how.moved(batch.arrival_us), ends_us=ends)
