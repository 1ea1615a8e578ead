"""Hosts and pods of Alibaba's "openb" cluster of 2023, read as `HostRow` and `VmRow`.

Source: the ``data/csv`` tables of hkust-adsl/kubernetes-scheduler-simulator (Apache-2.0): 1/1000 vCPU, MiB,
seconds from the start. A pod asks for whole GPUs, or for a share of one (``gpu_milli``); simclone places
devices, so a share counts as the one device it is on. Disks, networks and the host a pod landed on are not
recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from simclone.traces.lines import AnyPath
from simclone.traces.numbers import moment, whole
from simclone.traces.rows import HostRow, VmRow
from simclone.traces.table import Chronology, Column, CsvTable, Names, Record
from simclone.traces.trace_format import TraceFormat
from simclone.units import MIB

HOST_TABLE = CsvTable(
    (
        Column("sn", "a host name"),
        Column("cpu_milli", "1/1000 vCPU, a whole number of at least 1", whole(least=1)),
        Column("memory_mib", "MiB, a whole number of at least 1", whole(MIB, least=1)),
        Column("gpu", "GPUs, a whole number"),
        Column("model", "a GPU type, empty without GPUs"),
    )
)

POD_TABLE = CsvTable(
    (
        Column("name", "a pod name"),
        Column("cpu_milli", "1/1000 vCPU, a whole number"),
        Column("memory_mib", "MiB, a whole number", whole(MIB)),
        Column("num_gpu", "GPUs, a whole number"),
        Column("gpu_milli", "1/1000 GPU, a whole number up to 1000", whole(most=1000)),
        Column("gpu_spec", "GPU types joined by |"),
        Column("qos"),
        Column("pod_phase"),
        Column("creation_time", "whole seconds from the start", moment),
        Column("deletion_time", "whole seconds from the start, not before creation_time", moment),
        Column("scheduled_time", "empty, or whole seconds from creation_time to deletion_time", moment),
    )
)


def read_hosts(path: AnyPath) -> Iterator[HostRow]:
    """The hosts of a node list, in file order.

    Raises `InvalidInput` while iterating, also for a name that comes twice and for GPUs without a type or a
    type without GPUs.
    """
    names = Names("sn")

    def build(record: Record) -> HostRow:
        row = HostRow(
            name=names.check(record),
            cpu_milli=record.amount("cpu_milli"),
            memory_bytes=record.amount("memory_mib"),
            gpus=record.amount("gpu"),
            model=record.field("model"),
        )
        if record.good and bool(row.gpus) != bool(row.model):
            record.fault("model", f"{row.gpus} GPUs of type {row.model!r}")
        return row

    return HOST_TABLE.read(path, build)


def read_pods(path: AnyPath) -> Iterator[VmRow]:
    """The pods of a pod list as rows, in order of creation; *group* is None, as it is not recorded.

    A pod lives from ``creation_time`` to ``deletion_time`` whether or not it was ever scheduled; an empty
    ``deletion_time`` means still running. Raises `InvalidInput` while iterating.
    """
    names, arrivals = Names("name"), Chronology("creation_time")

    def build(record: Record) -> VmRow:
        name = names.check(record)
        created, deleted = record.amount("creation_time"), record.maybe("deletion_time")
        arrivals.check(record, created)
        _check_life(record, created, deleted)
        record.amount("gpu_milli")
        cpu, memory, gpus = (record.amount(column) for column in ("cpu_milli", "memory_mib", "num_gpu"))
        return VmRow(created, deleted, cpu, memory, gpus, None, name)

    return POD_TABLE.read(path, build)


def _check_life(record: Record, created: int, deleted: int | None) -> None:
    scheduled = record.maybe("scheduled_time")
    if not record.good:
        return
    if deleted is not None and deleted < created:
        record.fault("deletion_time", "ends before it arrives")
    elif scheduled is not None and not created <= scheduled <= (scheduled if deleted is None else deleted):
        record.fault("scheduled_time", "scheduled outside its lifetime")


PODS = TraceFormat("a table of openb pods", POD_TABLE.recognise, read_pods)
HOSTS = TraceFormat("a list of hosts", HOST_TABLE.recognise)
