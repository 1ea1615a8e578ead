"""Rows into batches: the requests for several copies of one shape that a trace holds without saying so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from simclone.traces.rows import Batch, VmRow

_Shape = tuple[int, int, int]


def batched(rows: Iterable[VmRow]) -> Iterator[Batch]:
    """The batches of *rows* (in file order), one group in memory at a time.

    Where the trace records groups (Azure), one group of one shape is one batch, and a mixed group is one
    batch for each shape, in order of first appearance. Where it does not (Huawei, openb), consecutive rows of
    equal arrival and shape are one batch; a row of another shape between them ends it.

    >>> row = VmRow(0, None, 1000, 1 << 30, 0, None, "a")
    >>> [batch.count for batch in batched([row, row])]
    [2]
    """
    for (group, arrival, _), members in groupby(rows, _run):
        for shape, ends in _by_shape(members).items():
            cpu, memory, gpus = shape
            yield Batch(arrival, cpu, memory, gpus, len(ends), tuple(ends), group)


def _run(row: VmRow) -> tuple[int | None, int, _Shape | None]:
    """What consecutive rows must share to be asked for at once."""
    return row.group, row.arrival_us, _shape(row) if row.group is None else None


def _shape(row: VmRow) -> _Shape:
    return row.cpu_milli, row.memory_bytes, row.gpus


def _by_shape(rows: Iterable[VmRow]) -> dict[_Shape, list[int | None]]:
    """The ends of *rows* by shape, shapes in order of first appearance."""
    ends: dict[_Shape, list[int | None]] = {}
    for row in rows:
        ends.setdefault(_shape(row), []).append(row.end_us)
    return ends
