"""Traces as a plain table anybody can write: ``arrival_s,end_s,vcpu,memory_gib,count``, one line per like VMs.

Seconds from the start, an empty ``end_s`` for a VM still running, vCPU down to thousandths, GiB. Behind these columns
may stand, in this order, ``gpus``, ``group`` (a number for what was asked for at once) and ``name``. Lines are sorted
by arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Context, Decimal
from itertools import groupby

from simclone.traces.lines import AnyPath, FaultList, numbered_lines, shown
from simclone.traces.numbers import seconds, whole
from simclone.traces.rows import Batch, VmRow
from simclone.traces.tables import Chronology, Column, Record, read_table
from simclone.units import GIB, SECOND, parse_size

MOST_COPIES = 1_000_000


def _milli(text: str) -> int:
    before, _, after = text.partition(".")
    if not (text.isascii() and before.isdigit() and (after.isdigit() or "." not in text) and len(text) <= 12):
        raise ValueError(f"{shown(text)} is not a number of vCPU")
    after = after.rstrip("0")
    if len(after) > 3:
        raise ValueError(f"{shown(text)} is finer than 1/1000 vCPU")
    return int(before + after.ljust(3, "0"))


def _gib(text: str) -> int:
    if not text.isascii() or not text[:1].isdigit() or not text[-1:].isdigit():
        raise ValueError(f"{shown(text)} is not a number of GiB")
    return parse_size(f"{text}GiB")


COLUMNS = (
    Column("arrival_s", "seconds from the start, at least 0", seconds),
    Column("end_s", "empty, or seconds from the start, not before arrival_s", seconds),
    Column("vcpu", "vCPU, down to thousandths", _milli),
    Column("memory_gib", "GiB that are whole bytes", _gib),
    Column("count", f"a whole number from 1 to {MOST_COPIES}", whole(least=1, most=MOST_COPIES)),
)
MORE_COLUMNS = (
    Column("gpus", "devices, a whole number"),
    Column("group", "empty, or a whole number"),
    Column("name", "a VM name"),
)
_ARRIVAL, _END, _VCPU, _MEMORY, _COUNT = range(len(COLUMNS))


def read_vms(path: AnyPath) -> Iterator[VmRow]:
    """The VMs of a plain table, *count* for each line, in file order.

    Raises `InvalidInput` while iterating; see `simclone.traces.tables.read_table`.
    """
    head = next(numbered_lines(path, FaultList(path)), (0, ""))[1].split(",")
    columns = (*COLUMNS, *(column for column in MORE_COLUMNS if column.name in head))
    places = {column.name: place for place, column in enumerate(columns)}
    arrivals = Chronology(_ARRIVAL)
    for row, count in read_table(path, columns, lambda record: _row(record, places, arrivals)):
        yield row if count == 1 else VmRow(*_like(row), f"{row.name}-1")
        for copy in range(2, count + 1):
            yield VmRow(*_like(row), f"{row.name}-{copy}")


def _like(row: VmRow) -> tuple[int, int | None, int, int, int, int | None]:
    return row.arrival_us, row.end_us, row.cpu_milli, row.memory_bytes, row.gpus, row.group


def _row(record: Record, places: dict[str, int], arrivals: Chronology) -> tuple[VmRow, int]:
    arrival, end = record.amount(_ARRIVAL), record.maybe(_END)
    if arrival < 0:
        record.fault(_ARRIVAL, "before the start of the trace")
    arrivals.check(record, arrival)
    if record.good and end is not None and end < arrival:
        record.fault(_END, "ends before it arrives")
    cpu, memory, count = record.amount(_VCPU), record.amount(_MEMORY), record.amount(_COUNT)
    gpus = record.amount(places["gpus"]) if "gpus" in places else 0
    group = record.maybe(places["group"]) if "group" in places else None
    name = record.text(places["name"]) if "name" in places else f"vm-{record.line - 1}"
    return VmRow(arrival, end, cpu, memory, gpus, group, name), count


def written(batches: Iterable[Batch], rename: str = "") -> Iterator[str]:
    """The lines of a plain table, header first, without line ends.

    VMs of a batch that end together share a line. *rename*, with ``{n}`` for a running number, gives each VM a name
    and a line of its own.
    """
    more = ("gpus", "group", *(("name",) if rename else ()))
    yield ",".join((*(column.name for column in COLUMNS), *more))
    number = 0
    for batch in batches:
        for end, copies in groupby(batch.ends_us):
            count = len(list(copies))
            if not rename:
                yield _line(batch, end, count)
                continue
            for _ in range(count):
                number += 1
                yield f"{_line(batch, end, 1)},{rename.replace('{n}', str(number))}"


def _line(batch: Batch, end_us: int | None, count: int) -> str:
    end, group = "" if end_us is None else _decimal(end_us, SECOND), "" if batch.group is None else batch.group
    shape = f"{_decimal(batch.cpu_milli, 1000)},{_decimal(batch.memory_bytes, GIB)}"
    return f"{_decimal(batch.arrival_us, SECOND)},{end},{shape},{count},{batch.gpus},{group}"


_EXACT = Context(prec=80)


def _decimal(amount: int, unit: int) -> str:
    """An amount in a larger unit, exactly; the unit is a product of twos and fives.

    >>> _decimal(1_500_000, SECOND), _decimal(7 << 29, GIB), _decimal(300_000_000, SECOND)
    ('1.5', '3.5', '300')
    """
    whole_, rest = divmod(amount, unit)
    if not rest:
        return str(whole_)
    return f"{_EXACT.divide(Decimal(amount), Decimal(unit)):f}".rstrip("0")
