"""VMs, volumes, cards and snapshots as growable columns; a row is never reused."""

from __future__ import annotations

from typing import ClassVar

from simclone.model.columns import Columns
from simclone.model.inventory import Shape, Wish

VM_STATES = (
    "Created",
    "Starting",
    "Running",
    "Stopping",
    "Stopped",
    "Rebooting",
    "Destroying",
    "Destroyed",
    "Migrating",
    "Expunging",
    "Pausing",
    "Paused",
    "Resuming",
    "VolumeMigrating",
    "VolumeRecovering",
    "Error",
    "NoState",
    "Unknown",
    "Crashed",
)
STATE = {name: code for code, name in enumerate(VM_STATES)}
VOLUME_STATUSES = ("NotInstantiated", "Creating", "Ready", "Deleted", "Migrating")
VOLUME_STATUS = {name: code for code, name in enumerate(VOLUME_STATUSES)}
ROOT, DATA = 0, 1
VOLUME_TYPES = ("Root", "Data")
NONE = -1
"""Stands where ZStack has null."""


class Vms(Columns):
    """One row per VM ever made. *alive* 0 means the row is gone from the database.

    *host*, *last_host*, *cluster*, *root*, *group* are rows or `NONE`; *cpu* vCPUs, *memory* bytes,
    *hold_…* what it holds of a host, *move_…* of the target of a migration under way. *until_us* is when it will end,
    or `NONE` where nobody knows or asks.
    """

    FIELDS: ClassVar[tuple[str, ...]] = (
        "alive",
        "state",
        "host",
        "last_host",
        "cluster",
        "zone",
        "shape",
        "account",
        "cpu",
        "memory",
        "root",
        "group",
        "hold_host",
        "hold_cpu",
        "hold_memory",
        "move_host",
        "move_cpu",
        "move_memory",
        "born_us",
        "until_us",
        "changed_us",
        "source",
        "ordinal",
        "position",
        "occasion",
    )
    UNSET: ClassVar[frozenset[str]] = frozenset(
        {"host", "last_host", "cluster", "root", "group", "hold_host", "move_host", "until_us"}
    )

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

    def shape(self, vm: int) -> Shape:
        """The shape of a VM."""
        return self.shapes[self._cells["shape"][vm]]

    def state_name(self, vm: int) -> str:
        """The state of a VM in ZStack's word."""
        return VM_STATES[self._cells["state"][vm]]

    def copy(self) -> Vms:
        """An independent copy."""
        twin = Vms(1)
        self._copy_into(twin)
        twin.names, twin.uuids = list(self.names), dict(self.uuids)
        twin.shapes, twin.sources = list(self.shapes), list(self.sources)
        twin._shape_rows, twin._source_rows = dict(self._shape_rows), dict(self._source_rows)
        twin.volumes = {vm: list(rows) for vm, rows in self.volumes.items()}
        twin.by_name = {name: list(rows) for name, rows in self.by_name.items()}
        twin.wishes = dict(self.wishes)
        twin.nics = {vm: list(rows) for vm, rows in self.nics.items()}
        return twin


class Volumes(Columns):
    """One row per volume. *size* is virtual, *actual_size* what the storage reports as written, both bytes.

    *space* is the hold of its space or `NONE`; *storage* and *host* (local storage) its place.
    """

    FIELDS: ClassVar[tuple[str, ...]] = (
        "alive",
        "type",
        "status",
        "vm",
        "storage",
        "host",
        "size",
        "actual_size",
        "space",
        "account",
        "image",
        "offering",
        "device",
        "born_us",
        "last_vm",
    )
    UNSET: ClassVar[frozenset[str]] = frozenset(
        {"vm", "storage", "host", "space", "image", "offering", "device", "last_vm"}
    )

    def __init__(self, capacity: int = 64) -> None:
        super().__init__(capacity)
        self.names: list[str] = []
        self.uuids: dict[int, str] = {}
        self.tags: dict[int, tuple[str, ...]] = {}
        self.snapshots: dict[int, list[int]] = {}

    def copy(self) -> Volumes:
        """An independent copy."""
        twin = Volumes(1)
        self._copy_into(twin)
        twin.names, twin.uuids, twin.tags = list(self.names), dict(self.uuids), dict(self.tags)
        twin.snapshots = {volume: list(rows) for volume, rows in self.snapshots.items()}
        return twin


class Nics(Columns):
    """One row per card; *ip* is an integer or `NONE`, *mac* 32 drawn bits; `macs` maps (mac, device) to its card."""

    FIELDS: ClassVar[tuple[str, ...]] = ("alive", "vm", "l3", "ip", "device", "mac", "born_us")
    UNSET: ClassVar[frozenset[str]] = frozenset({"ip"})

    def __init__(self, capacity: int = 64) -> None:
        super().__init__(capacity)
        self.macs: dict[tuple[int, int], int] = {}

    def copy(self) -> Nics:
        """An independent copy."""
        twin = Nics(1)
        self._copy_into(twin)
        twin.macs = dict(self.macs)
        return twin


class Snapshots(Columns):
    """One row per volume snapshot; *space* is the hold of its bytes."""

    FIELDS: ClassVar[tuple[str, ...]] = ("alive", "volume", "storage", "size", "space", "account", "born_us")

    def __init__(self, capacity: int = 16) -> None:
        super().__init__(capacity)
        self.names: list[str] = []

    def copy(self) -> Snapshots:
        """An independent copy."""
        twin = Snapshots(1)
        self._copy_into(twin)
        twin.names = list(self.names)
        return twin
