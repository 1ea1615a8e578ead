"""The VM requests of Huawei-East-1 (creations joined to deletions), read as `VmRow`.

Source: Huawei Cloud's VM-placement-dataset in the joined form, ``vmid,cpu,mem,at,lt``: vCPU, GiB, seconds
from the start of the trace, seconds of life. Its licence is CC BY-NC 4.0, so none of its data comes with
simclone. VMs still alive at the end are not in this form, hosts, tenants and disks are not recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from simclone.traces.lines import AnyPath
from simclone.traces.numbers import seconds, whole
from simclone.traces.rows import VmRow
from simclone.traces.table import Chronology, Column, CsvTable, Record
from simclone.traces.trace_format import TraceFormat
from simclone.units import GIB, SECOND

TABLE = CsvTable(
    (
        Column("vmid", "a whole number larger than in the row before"),
        Column("cpu", "vCPU, a whole number of at least 1", whole(1000, least=1)),
        Column("mem", "GiB, a whole number of at least 1", whole(GIB, least=1)),
        Column("at", "seconds from the start of the trace, at least 0", seconds),
        Column("lt", "seconds of life, at least 0", seconds),
    )
)


def read_vms(path: AnyPath) -> Iterator[VmRow]:
    """The VMs of a file in order of arrival; *group* is None and *gpus* 0, as neither is recorded.

    Raises `InvalidInput` while iterating; see `simclone.traces.table.CsvTable.read`.
    """
    return TABLE.read(path, _Builder().build)


FORMAT = TraceFormat("a table of Huawei-East-1", TABLE.recognise, read_vms)


class _Builder:
    def __init__(self) -> None:
        self._last_vmid = -1
        self._arrivals = Chronology("at")

    def build(self, record: Record) -> VmRow:
        vmid = record.amount("vmid")
        if record.good and vmid <= self._last_vmid:
            record.fault("vmid", f"vmid {vmid} after {self._last_vmid}")
        self._last_vmid = max(self._last_vmid, vmid)
        arrival = record.amount("at")
        if arrival < 0:
            record.fault("at", "before the start of the trace")
        self._arrivals.check(record, arrival)
        lifetime = record.amount("lt")
        if lifetime < 0:
            record.fault("lt", f"ends {-lifetime / SECOND:g} s before it arrives")
        return VmRow(arrival, arrival + lifetime, record.amount("cpu"), record.amount("mem"), 0, None, str(vmid))
