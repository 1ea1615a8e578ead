"""Workloads: what is asked of a cloud, and when.

====================  =====================================================================================
`open_trace`          the VMs of any trace simclone knows, whatever its format
`rows`                the common shape: `VmRow`, `HostRow`, `Batch`; exact integers
`batches`             rows into requests for several copies of one shape
`azure_window`        a window of the Azure VM trace of 2017; `azure_slots`, `azure_maps`: its files
`huawei`              Huawei-East-1
`openb`               hosts and pods of Alibaba's openb cluster
`plain_csv`           a plain table anybody can write, read and written
`cutting`             a window, a share, another pace of a trace
`distributions`       laws out of plain data, by inverse transform; `laws`, `values`, `recorded`: its parts
`arrivals`            when requests come; `clock`, `hours`, `bursts`: its parts
`streams`             `StreamSpec` into `Arrival`s; `draws`: the uniforms, `replay`: a trace as a stream
`fit`                 a recorded trace into a stream that resembles it; `goodness`: how well
`tables`, `lines`     how a file is read: one line at a time, faults with their places
`numbers`             exact numbers out of text
====================  =====================================================================================

Every reader is a generator that holds one line (of Azure: one slot), takes gzip, a byte order mark and CRLF,
and raises `InvalidInput` for a file of another shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from simclone.traces import azure_window, huawei, openb, plain_csv
from simclone.traces.lines import AnyPath, FaultList, numbered_lines, shown
from simclone.traces.rows import VmRow
from simclone.traces.tables import Column

_TABLES: tuple[tuple[Sequence[Column], Callable[[AnyPath], Iterator[VmRow]] | None], ...] = (
    (huawei.COLUMNS, huawei.read_vms),
    (openb.POD_COLUMNS, openb.read_pods),
    (openb.HOST_COLUMNS, None),
    (plain_csv.COLUMNS, plain_csv.read_vms),
)
_AZURE_LINE = re.compile(r"\d+ (?:[a-z]|[UC]\d+),.*", re.ASCII)
_KNOWN = "a directory with an Azure window, or a table of Huawei-East-1, of openb pods, or a plain one"


def open_trace(path: AnyPath) -> Iterator[VmRow]:
    """The VMs of the trace at *path*, its format told from what is there.

    A directory (or one of the two window files in it) is an Azure window; a table is known by its header, of
    which at least half must be familiar for its reader to say what is wrong with the rest. Raises
    `InvalidInput` at once where no format fits (a host list has no VMs), and while iterating for faults
    further on.
    """
    if Path(path).is_dir():
        return azure_window.read_vms(path)
    faults = FaultList(path)
    number, line = next(numbered_lines(path, faults), (0, ""))
    faults.raise_any()
    if _AZURE_LINE.fullmatch(line):
        return azure_window.read_vms(_window_of(Path(path), faults))
    columns, reader = max(_TABLES, key=lambda table: _familiar(line, table[0]))
    if _familiar(line, columns) < 0.5:
        faults.add(f"no known trace begins with {shown(line)}", _KNOWN, line=number, column=1)
    elif reader is None:
        faults.add("a list of hosts has no VMs", _KNOWN, line=number, column=1)
    else:
        return reader(path)
    raise faults.error()


def _familiar(header: str, columns: Sequence[Column]) -> float:
    """Which part of *columns* a header has."""
    result = header.split(",")
    return sum(column.name in result for column in columns) / len(columns)


def _window_of(path: Path, faults: FaultList) -> Path:
    """The directory of a window given by one of its files."""
    names = (azure_window.FLAVOURS_FILE, azure_window.DURATIONS_FILE)
    if path.name.removesuffix(".gz") not in names:
        faults.add("an Azure window under another name", f"{' beside '.join(names)}", line=1, column=1)
    faults.raise_any()
    return path.parent
