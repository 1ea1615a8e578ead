"""The register of trace formats, and the reader that recognises the format of a trace by its contents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from simclone.errors import Fault, InvalidInput
from simclone.installed import PlugIn, entry_points_of, plug_in
from simclone.traces import azure, huawei, openb, plain
from simclone.traces.column_map import ColumnMap
from simclone.traces.lines import AnyPath, FaultList, numbered_lines, shown
from simclone.traces.mapped import read_mapped
from simclone.traces.rows import VmRow
from simclone.traces.trace_format import TraceFormat

FORMATS: Mapping[str, TraceFormat] = {
    "azure": azure.FORMAT,
    "huawei": huawei.FORMAT,
    "openb": openb.PODS,
    "openb-hosts": openb.HOSTS,
    "plain": plain.FORMAT,
}
"""The built-in formats by name."""

ENTRY_POINTS = "simclone.traces"
"""The group in which other packages name formats: an entry point is a `TraceFormat`."""

ENOUGH = 0.5
"""The share of a format that must be recognised for its reader to say what is wrong with the rest."""


@cache
def formats() -> Mapping[str, TraceFormat]:
    """Every format by name: the built-in ones, then those of installed packages.

    Raises `InvalidInput` for an entry point that is not a format, or has the name of another one.
    """
    known = dict(FORMATS)
    for point in entry_points_of(ENTRY_POINTS):
        path = f"{ENTRY_POINTS}.{point.name}"
        trace_format = point.load()
        if not isinstance(trace_format, TraceFormat):
            raise InvalidInput([Fault(path, f"{point.value} is not a trace format", "a TraceFormat")])
        if point.name in known:
            raise InvalidInput([Fault(path, "this name is taken", "a name of its own")])
        known[point.name] = trace_format
    return known


def open_trace(path: AnyPath, columns: ColumnMap | None = None) -> Iterator[VmRow]:
    """The VMs of the trace at *path*, in order of arrival.

    Without *columns* the format is recognised by what is there: at least half of it must be familiar for its reader
    to say what is wrong with the rest. With *columns* the trace is a table that the map describes. Raises
    `InvalidInput` at once where no format fits (a host list has no VMs) and for a pipe or device, which cannot be
    read twice; and while iterating for faults further on.
    """
    faults = FaultList(path)
    trace = Path(path)
    if trace.exists() and not (trace.is_file() or trace.is_dir()):
        faults.add("is a pipe or a device, which can be read only once", "a file or a directory")
        raise faults.error()
    if columns is not None:
        return read_mapped(path, columns)
    number, line = (0, "") if trace.is_dir() else next(numbered_lines(path, faults), (0, ""))
    faults.raise_any()
    known = formats().values()
    best = _best(trace, line)
    if best.recognise(trace, line) < ENOUGH and not trace.is_dir():
        titles = ", ".join(trace_format.title for trace_format in known if trace_format.read_vms is not None)
        expected = f"{titles}, or another table with a column map"
        faults.add(f"no known trace begins with {shown(line)}", expected, line=number, column=1)
    elif best.read_vms is None:
        faults.add(f"{best.title} has no VMs", "a trace of VMs", line=number, column=1)
    else:
        return best.read_vms(path)
    raise faults.error()


def format_origin(path: AnyPath) -> PlugIn | None:
    """The entry point of the installed format that reads the trace at *path*; None for a built-in one and for none."""
    installed = {point.name: point for point in entry_points_of(ENTRY_POINTS)}
    trace = Path(path)
    if not installed or not (trace.is_file() or trace.is_dir()):
        return None
    faults = FaultList(path)
    number_and_line = (0, "") if trace.is_dir() else next(numbered_lines(path, faults), (0, ""))
    best = _best(trace, number_and_line[1])
    name = next(name for name, trace_format in formats().items() if trace_format is best)
    return plug_in(installed[name]) if name in installed else None


def _best(trace: Path, line: str) -> TraceFormat:
    """The format that recognises most of a trace that begins with *line*."""
    return max(formats().values(), key=lambda trace_format: trace_format.recognise(trace, line))
