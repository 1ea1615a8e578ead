"""Traces as a plain table anybody can write: ``arrival_s,end_s,vcpu,memory_gib,count``, one line per like VMs.

Seconds from the start, an empty ``end_s`` for a VM still running, vCPU down to thousandths, GiB. Behind these columns
may stand, in this order, ``gpus``, ``group`` (a number for what was asked for at once) and ``name``. Lines are sorted
by arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Context, Decimal
from itertools import groupby

from simclone.traces.lines import AnyPath
from simclone.traces.numbers import COPIES_EXPECTED, copies, seconds, sizes, vcpus
from simclone.traces.rows import Batch, VmRow, copy_row
from simclone.traces.table import Chronology, Column, CsvTable, Record
from simclone.traces.trace_format import TraceFormat
from simclone.units import GIB, SECOND

TABLE = CsvTable(
    (
        Column("arrival_s", "seconds from the start, at least 0", seconds),
        Column("end_s", "empty, or seconds from the start, not before arrival_s", seconds),
        Column("vcpu", "vCPU, down to thousandths", vcpus),
        Column("memory_gib", "GiB that are whole bytes", sizes("GiB")),
        Column("count", COPIES_EXPECTED, copies),
        Column("gpus", "devices, a whole number", required=False),
        Column("group", "empty, or a whole number", required=False),
        Column("name", "a VM name", required=False),
    )
)


def read_vms(path: AnyPath) -> Iterator[VmRow]:
    """The VMs of a plain table, *count* for each line, in file order.

    Raises `InvalidInput` while iterating; see `simclone.traces.table.CsvTable.read`.
    """
    arrivals = Chronology("arrival_s")
    for row, count in TABLE.read(path, lambda record: _build(record, arrivals)):
        yield from copy_row(row, count)


FORMAT = TraceFormat("a plain table", TABLE.recognise, read_vms)


def _build(record: Record, arrivals: Chronology) -> tuple[VmRow, int]:
    arrival, end = record.amount("arrival_s"), record.maybe("end_s")
    if arrival < 0:
        record.fault("arrival_s", "before the start of the trace")
    arrivals.check(record, arrival)
    if record.good and end is not None and end < arrival:
        record.fault("end_s", "ends before it arrives")
    cpu, memory, count = (record.amount(column) for column in ("vcpu", "memory_gib", "count"))
    gpus = record.amount("gpus") if record.has("gpus") else 0
    name = record.text("name") if record.has("name") else f"vm-{record.line - 1}"
    return VmRow(arrival, end, cpu, memory, gpus, record.maybe("group"), name), count


def write_lines(batches: Iterable[Batch], rename: str = "") -> Iterator[str]:
    """The lines of a plain table, header first, without line ends.

    VMs of a batch that end together share a line. *rename*, with ``{n}`` for a running number, gives each VM a name
    and a line of its own.
    """
    columns = [column.name for column in TABLE.columns if column.name != "name" or rename]
    yield ",".join(columns)
    number = 0
    for batch in batches:
        for end, vms in groupby(batch.ends_us):
            count = len(list(vms))
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
    units, remainder = divmod(amount, unit)
    if not remainder:
        return str(units)
    return f"{_EXACT.divide(Decimal(amount), Decimal(unit)):f}".rstrip("0")
