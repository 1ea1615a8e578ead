"""An Azure window: VM arrivals in 5-minute slots with tenant batches and binned lifetimes, read as `VmRow`.

Source: Azure Public Dataset V1 in the form of huaweicloud/trace_generation_rnn (CC BY 4.0).

``U``: the VM ended after a time in that bin, and lives for the middle of it. ``C``: it was still running at
2,100,000 s, when the record ends, and has no end here; its bin must be the one that holds the time from its
arrival to that moment. A cut keeps the published slots and is read like the whole. The middle of a wide bin
can put an end a little past 2,100,000 s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simclone.traces.azure_maps import Bin, Flavour, read_bins, read_flavours
from simclone.traces.azure_slots import END_OF_BATCH, RECORD_END_S, Slot, read_slots
from simclone.traces.lines import AnyPath, FaultList, shown
from simclone.traces.rows import VmRow
from simclone.units import SECOND

FLAVOURS_FILE = "v1.dev.txt"
DURATIONS_FILE = "v1.dev.c2100000.txt"
FLAVOUR_MAP_FILE = "flav_map.txt"
INTERVAL_MAP_FILE = "v1.interval_map.txt"

_DURATION = re.compile(r"([UC])(\d{1,6})", re.ASCII)


def read_vms(directory: AnyPath) -> Iterator[VmRow]:
    """The VMs of a window, slot by slot, in file order.

    *group* is the running number of the batch in the file. VMs are named after the slot and the place in it,
    so a VM has the same name in a cut. Each of the four files may have its published name or that name with
    ``.gz``. Raises `InvalidInput` at once where files are missing, and while iterating, with up to twenty
    faults; after the first no more rows come.
    """
    return _rows(_files(directory), FaultList(directory))


def _files(directory: AnyPath) -> list[Path]:
    faults, found = FaultList(directory), []
    for name in (FLAVOURS_FILE, DURATIONS_FILE, FLAVOUR_MAP_FILE, INTERVAL_MAP_FILE):
        files = [path for path in (Path(directory, name), Path(directory, name + ".gz")) if path.is_file()]
        if not files:
            faults.add(f"{name} is missing", "the four files of an Azure window")
        found += files[:1]
    faults.raise_any()
    return found


def _rows(paths: list[Path], faults: FaultList) -> Iterator[VmRow]:
    flavours, durations, letters, intervals = paths
    maps = _Maps(
        flavours=read_flavours(letters, faults.beside(letters)),
        bins=read_bins(intervals, faults.beside(intervals)),
    )
    faults.raise_any()
    batch = 0
    for slot in read_slots(flavours, durations, faults):
        rows = maps.rows(slot, batch)
        batch += slot.flavours.items.count(END_OF_BATCH)
        if not faults:
            yield from rows
    faults.raise_any()


@dataclass(frozen=True, slots=True)
class _Maps:
    """What the items mean: *flavours* by letter, *bins* by number."""

    flavours: dict[str, Flavour]
    bins: list[Bin]

    def rows(self, slot: Slot, batch: int) -> list[VmRow]:
        """The VMs of one slot, whose first batch has the number *batch*."""
        rows: list[VmRow] = []
        arrival = slot.at_s * SECOND
        for place, letter in enumerate(slot.flavours.items):
            if letter == END_OF_BATCH:
                batch += 1
            elif letter in self.flavours:
                cpu, memory = self.flavours[letter].cpu_milli, self.flavours[letter].memory_bytes
                name = f"vm-{slot.at_s}-{len(rows)}"
                rows.append(VmRow(arrival, self._end_us(slot, place), cpu, memory, 0, batch, name))
            else:
                slot.flavours.fault(place, f"unknown flavour {shown(letter)}", f"one of {FLAVOUR_MAP_FILE}")
        return rows

    def _end_us(self, slot: Slot, place: int) -> int | None:
        """The end by the lifetime rule, None for ``C`` (and after a fault)."""
        text = slot.durations.items[place]
        match = _DURATION.fullmatch(text)
        if match is None or int(match[2]) >= len(self.bins):
            expected = f"U or C and a bin up to {len(self.bins) - 1}"
            slot.durations.fault(place, f"{shown(text)} is not a duration", expected)
            return None
        ended, held = match[1] == "U", self.bins[int(match[2])]
        if not _possible(ended, held, RECORD_END_S - slot.at_s):
            expected = f"{'at most' if ended else 'the bin of'} {RECORD_END_S - slot.at_s} s"
            slot.durations.fault(place, f"{text} is {held.least_s} to {held.most_s} s", expected)
        return slot.at_s * SECOND + held.lifetime_us if ended else None


def _possible(ended: bool, held: Bin, left_s: int) -> bool:
    """Whether a VM that arrived *left_s* before the end of the record can have a duration of that bin."""
    return held.least_s <= left_s and (ended or left_s <= held.most_s)
