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
from simclone.traces.tables import Chronology, Column, Names, Record, read_table
from simclone.units import MIB

HOST_COLUMNS = (
    Column("sn", "a host name"),
    Column("cpu_milli", "1/1000 vCPU, a whole number of at least 1", whole(least=1)),
    Column("memory_mib", "MiB, a whole number of at least 1", whole(MIB, least=1)),
    Column("gpu", "GPUs, a whole number"),
    Column("model", "a GPU type, empty without GPUs"),
)
_SN, _HOST_CPU, _HOST_MEMORY, _HOST_GPU, _MODEL = range(len(HOST_COLUMNS))

POD_COLUMNS = (
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
_NAME, _CPU, _MEMORY, _GPUS, _SHARE, _, _, _, _CREATED, _DELETED, _SCHEDULED = range(len(POD_COLUMNS))


def read_hosts(path: AnyPath) -> Iterator[HostRow]:
    """The hosts of a node list, in file order.

    Raises `InvalidInput` while iterating, also for a name that comes twice and for GPUs without a type or a
    type without GPUs.
    """
    names = Names(_SN)

    def build(record: Record) -> HostRow:
        row = HostRow(
            name=names.check(record),
            cpu_milli=record.amount(_HOST_CPU),
            memory_bytes=record.amount(_HOST_MEMORY),
            gpus=record.amount(_HOST_GPU),
            model=record.texts[_MODEL],
        )
        if record.good and bool(row.gpus) != bool(row.model):
            record.fault(_MODEL, f"{row.gpus} GPUs of type {row.model!r}")
        return row

    return read_table(path, HOST_COLUMNS, build)


def read_pods(path: AnyPath) -> Iterator[VmRow]:
    """The pods of a pod list as rows, in order of creation; *group* is None, as it is not recorded.

    A pod lives from ``creation_time`` to ``deletion_time`` whether or not it was ever scheduled; an empty
    ``deletion_time`` means still running. Raises `InvalidInput` while iterating.
    """
    names, arrivals = Names(_NAME), Chronology(_CREATED)

    def build(record: Record) -> VmRow:
        name = names.check(record)
        created, deleted = record.amount(_CREATED), record.maybe(_DELETED)
        arrivals.check(record, created)
        _check_life(record, created, deleted)
        record.amount(_SHARE)
        cpu, memory, gpus = record.amount(_CPU), record.amount(_MEMORY), record.amount(_GPUS)
        return VmRow(created, deleted, cpu, memory, gpus, None, name)

    return read_table(path, POD_COLUMNS, build)


def _check_life(record: Record, created: int, deleted: int | None) -> None:
    scheduled = record.maybe(_SCHEDULED)
    if not record.good:
        return
    if deleted is not None and deleted < created:
        record.fault(_DELETED, "ends before it arrives")
    elif scheduled is not None and not created <= scheduled <= (scheduled if deleted is None else deleted):
        record.fault(_SCHEDULED, "scheduled outside its lifetime")
