"""What a trace format is: how it is recognised by its contents, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from simclone.traces.lines import AnyPath
from simclone.traces.rows import VmRow

Reader = Callable[[AnyPath], Iterator[VmRow]]


@dataclass(frozen=True, slots=True)
class TraceFormat:
    """One format; *title* names it in messages ("a table of Huawei-East-1").

    *recognise* is called with a path and the first line of the file there (empty for a directory) and answers from 0
    to 1 how much of the format it finds: the share of the columns, for a table (`CsvTable.recognise`).
    *read_vms* reads the VMs of a path in order of arrival and raises `InvalidInput` for what is wrong; None for a
    format that holds no VMs.
    """

    title: str
    recognise: Callable[[Path, str], float]
    read_vms: Reader | None = None
