"""One common shape for every recorded workload: VM rows, host rows, and batches of like VMs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import Struct


class VmRow(Struct, frozen=True, gc=False):
    """One VM as a trace recorded it.

    *arrival_us* and *end_us* are microseconds from the start of the trace (never before it); *end_us* is None
    when the VM was still running at the end of the record, and equals *arrival_us* for a lifetime of zero:
    handle ends before arrivals at equal times. *cpu_milli* is in 1/1000 vCPU, *memory_bytes* in bytes, *gpus*
    counts whole devices. *group* numbers what one tenant asked for at once, from 0 in file order, None where
    the trace does not record it. *name* is the trace's own, or made from the arrival where it has none. No
    trace records disks.
    """

    arrival_us: int
    end_us: int | None
    cpu_milli: int
    memory_bytes: int
    gpus: int
    group: int | None
    name: str


@dataclass(frozen=True, slots=True)
class HostRow:
    """One real host: *cpu_milli* in 1/1000 vCPU, *memory_bytes* in bytes, *gpus* devices of type *model*.

    *model* is empty for a host without GPUs. Source: the openb node list. Disks and networks are not
    recorded.
    """

    name: str
    cpu_milli: int
    memory_bytes: int
    gpus: int
    model: str


class Batch(Struct, frozen=True, gc=False):
    """One request for *count* copies of one shape, as a clone request is.

    Units are those of `VmRow`. *ends_us* has *count* members, in the order of the rows; *group* is the rows'
    group, so the several batches of a mixed group can be told to belong together.
    """

    arrival_us: int
    cpu_milli: int
    memory_bytes: int
    gpus: int
    count: int
    ends_us: tuple[int | None, ...]
    group: int | None


def copy_row(row: VmRow, count: int) -> Iterator[VmRow]:
    """*count* VMs like *row*; several get their names by number.

    >>> [vm.name for vm in copy_row(VmRow(0, None, 1000, 1 << 30, 0, None, "a"), 2)]
    ['a-1', 'a-2']
    """
    if count == 1:
        yield row
        return
    for number in range(1, count + 1):
        name = f"{row.name}-{number}"
        yield VmRow(row.arrival_us, row.end_us, row.cpu_milli, row.memory_bytes, row.gpus, row.group, name)
