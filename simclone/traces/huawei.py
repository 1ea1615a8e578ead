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
from simclone.traces.tables import Chronology, Column, Record, read_table
from simclone.units import GIB, SECOND

COLUMNS = (
    Column("vmid", "a whole number larger than in the row before"),
    Column("cpu", "vCPU, a whole number of at least 1", whole(1000, least=1)),
    Column("mem", "GiB, a whole number of at least 1", whole(GIB, least=1)),
    Column("at", "seconds from the start of the trace, at least 0", seconds),
    Column("lt", "seconds of life, at least 0", seconds),
)
_VMID, _CPU, _MEM, _AT, _LT = range(len(COLUMNS))


def read_vms(path: AnyPath) -> Iterator[VmRow]:
    """The VMs of a file in order of arrival; *group* is None and *gpus* 0, as neither is recorded.

    Raises `InvalidInput` while iterating; see `simclone.traces.tables.read_table`.
    """
    return read_table(path, COLUMNS, _Builder().row)


class _Builder:
    def __init__(self) -> None:
        self._last_vmid = -1
        self._arrivals = Chronology(_AT)

    def row(self, record: Record) -> VmRow:
        vmid = self._vmid(record)
        arrival = record.amount(_AT)
        if arrival < 0:
            record.fault(_AT, "before the start of the trace")
        self._arrivals.check(record, arrival)
        lifetime = record.amount(_LT)
        if lifetime < 0:
            record.fault(_LT, f"ends {-lifetime / SECOND:g} s before it arrives")
        cpu, memory = record.amount(_CPU), record.amount(_MEM)
        return VmRow(arrival, arrival + lifetime, cpu, memory, 0, None, str(vmid))

    def _vmid(self, record: Record) -> int:
        vmid = record.amount(_VMID)
        if record.good and vmid <= self._last_vmid:
            record.fault(_VMID, f"vmid {vmid} after {self._last_vmid}")
        self._last_vmid = max(self._last_vmid, vmid)
        return vmid
