"""VMs, volumes, cards and snapshots as growable columns; a row is never reused."""

from __future__ import annotations

from simclone.model.columns import NO_ROW, IntColumn, IntTable
from simclone.model.inventory import Shape, Wish
from simclone.vocabulary import VmState, VolumeStatus, VolumeType

VM_STATES = tuple(state.word for state in VmState)
VOLUME_STATUSES = tuple(status.word for status in VolumeStatus)
VOLUME_TYPES = tuple(kind.word for kind in VolumeType)
ROOT, DATA = (int(kind) for kind in VolumeType)
NONE = NO_ROW
"""Stands where ZStack has null."""


class Vms(IntTable):
    """One row per VM ever made. *alive* 0 means the row is gone from the database.

    *host*, *last_host*, *cluster*, *root*, *group* are rows or `NONE`; *cpu* vCPUs, *memory* bytes,
    *hold_…* what it holds of a host, *move_…* of the target of a migration under way. *until_us* is when it will end,
    or `NONE` where nobody knows or asks.
    """

    alive = IntColumn()
    state = IntColumn()
    host = IntColumn(NO_ROW)
    last_host = IntColumn(NO_ROW)
    cluster = IntColumn(NO_ROW)
    zone = IntColumn()
    shape = IntColumn()
    account = IntColumn()
    cpu = IntColumn()
    memory = IntColumn()
    root = IntColumn(NO_ROW)
    group = IntColumn(NO_ROW)
    hold_host = IntColumn(NO_ROW)
    hold_cpu = IntColumn()
    hold_memory = IntColumn()
    move_host = IntColumn(NO_ROW)
    move_cpu = IntColumn()
    move_memory = IntColumn()
    born_us = IntColumn()
    until_us = IntColumn(NO_ROW)
    changed_us = IntColumn()
    source = IntColumn()
    ordinal = IntColumn()
    position = IntColumn()
    occasion = IntColumn()

    def __init__(self, capacity: int = 64) -> None:
        super().__init__(capacity)
        self.names: list[str] = []
        self.uuids: dict[int, str] = {}
        self.shapes: list[Shape] = []
        self.sources: list[str] = []
        self.volumes: dict[int, list[int]] = {}
        self.nics: dict[int, list[int]] = {}
        self.by_name: dict[str, list[int]] = {}
        self.wishes: dict[int, Wish] = {}
        self._shape_rows: dict[Shape, int] = {}
        self._source_rows: dict[str, int] = {}
        self._latest: tuple[Shape | None, int] = (None, NONE)

    def shape_row(self, shape: Shape) -> int:
        """The row of a shape, made when new; the one asked for last is at hand."""
        latest, row = self._latest
        if latest is shape:
            return row
        row = self._shape_rows.setdefault(shape, len(self.shapes))
        if row == len(self.shapes):
            self.shapes.append(shape)
        self._latest = (shape, row)
        return row

    def source_row(self, source: str) -> int:
        """The row of a request source, made when new."""
        row = self._source_rows.get(source)
        if row is None:
            row = self._source_rows[source] = len(self.sources)
            self.sources.append(source)
        return row

    def shape_of(self, vm: int) -> Shape:
        """The shape of a VM."""
        return self.shapes[self.shape[vm]]

    def state_name(self, vm: int) -> str:
        """The state of a VM in ZStack's word."""
        return VM_STATES[self.state[vm]]

    def copy(self) -> Vms:
        """An independent copy."""
        twin = Vms(1)
        self.copy_columns(twin)
        twin.names, twin.uuids = list(self.names), dict(self.uuids)
        twin.shapes, twin.sources = list(self.shapes), list(self.sources)
        twin._shape_rows, twin._source_rows = dict(self._shape_rows), dict(self._source_rows)
        twin.volumes = {vm: list(rows) for vm, rows in self.volumes.items()}
        twin.by_name = {name: list(rows) for name, rows in self.by_name.items()}
        twin.wishes = dict(self.wishes)
        twin.nics = {vm: list(rows) for vm, rows in self.nics.items()}
        return twin


class Volumes(IntTable):
    """One row per volume. *size* is virtual, *actual_size* what the storage reports as written, both bytes.

    *space* is the hold of its space or `NONE`; *storage* and *host* (local storage) its place.
    """

    alive = IntColumn()
    type = IntColumn()
    status = IntColumn()
    vm = IntColumn(NO_ROW)
    storage = IntColumn(NO_ROW)
    host = IntColumn(NO_ROW)
    size = IntColumn()
    actual_size = IntColumn()
    space = IntColumn(NO_ROW)
    account = IntColumn()
    image = IntColumn(NO_ROW)
    offering = IntColumn(NO_ROW)
    device = IntColumn(NO_ROW)
    born_us = IntColumn()
    last_vm = IntColumn(NO_ROW)

    def __init__(self, capacity: int = 64) -> None:
        super().__init__(capacity)
        self.names: list[str] = []
        self.uuids: dict[int, str] = {}
        self.tags: dict[int, tuple[str, ...]] = {}
        self.snapshots: dict[int, list[int]] = {}

    def copy(self) -> Volumes:
        """An independent copy."""
        twin = Volumes(1)
        self.copy_columns(twin)
        twin.names, twin.uuids, twin.tags = list(self.names), dict(self.uuids), dict(self.tags)
        twin.snapshots = {volume: list(rows) for volume, rows in self.snapshots.items()}
        return twin


class Nics(IntTable):
    """One row per card; *ip* is an integer or `NONE`, *mac* 32 drawn bits; `macs` maps (mac, device) to its card."""

    alive = IntColumn()
    vm = IntColumn()
    l3 = IntColumn()
    ip = IntColumn(NO_ROW)
    device = IntColumn()
    mac = IntColumn()
    born_us = IntColumn()

    def __init__(self, capacity: int = 64) -> None:
        super().__init__(capacity)
        self.macs: dict[tuple[int, int], int] = {}

    def copy(self) -> Nics:
        """An independent copy."""
        twin = Nics(1)
        self.copy_columns(twin)
        twin.macs = dict(self.macs)
        return twin


class Snapshots(IntTable):
    """One row per volume snapshot; *space* is the hold of its bytes."""

    alive = IntColumn()
    volume = IntColumn()
    storage = IntColumn()
    size = IntColumn()
    space = IntColumn()
    account = IntColumn()
    born_us = IntColumn()

    def __init__(self, capacity: int = 16) -> None:
        super().__init__(capacity)
        self.names: list[str] = []

    def copy(self) -> Snapshots:
        """An independent copy."""
        twin = Snapshots(1)
        self.copy_columns(twin)
        twin.names = list(self.names)
        return twin
