"""An Azure window: VM arrivals in 5-minute slots with tenant batches and binned lifetimes, read as `VmRow`.

Source: Azure Public Dataset V1 in the form of huaweicloud/trace_generation_rnn (CC BY 4.0). A window is four files in
one directory, each known by its lines (see `simclone.traces.azure_files`), so that every window reads alike, whatever
its name and the time it starts. Flavours (``1800000 m,|,b,b,|``) and durations (``1800000 U1,|,U6,C38,|``) agree item
for item; ``|`` ends a batch.

``U``: the VM ended after a time in that bin, and lives for the middle of it. ``C``: it was still running when the
record ended, and has no end here; its bin must be one that holds the time from its arrival to that moment. A cut keeps
the published slots and is read like the whole. The middle of a wide bin can put an end a little past the record's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from simclone.traces.azure_files import (
    MOST_SECONDS,
    SLOT_S,
    Bin,
    Flavour,
    WindowFiles,
    find_files,
    read_bins,
    read_flavours,
    record_end_s,
    share_of_window,
)
from simclone.traces.lines import AnyPath, FaultList, column_of, numbered_lines, shown
from simclone.traces.rows import VmRow
from simclone.traces.trace_format import TraceFormat
from simclone.units import SECOND

END_OF_BATCH = "|"

_LINE = re.compile(r"(\d{1,12}) ([^ ]+)", re.ASCII)
_DURATION = re.compile(r"([UC])(\d{1,6})", re.ASCII)


def read_vms(path: AnyPath) -> Iterator[VmRow]:
    """The VMs of a window, slot by slot, in file order; *path* is its directory, or its flavours or durations.

    *group* is the running number of the batch in the file. VMs are named after the slot and the position in it, so a
    VM has the same name in a cut. Raises `InvalidInput` at once where files are missing, and while iterating, with up
    to twenty faults; after the first no more rows come.
    """
    faults = FaultList(path)
    return _read(find_files(Path(path), faults), faults)


FORMAT = TraceFormat("an Azure window", share_of_window, read_vms)


def _read(files: WindowFiles, faults: FaultList) -> Iterator[VmRow]:
    maps = _Maps(
        flavours=read_flavours(files.letters, faults.beside(files.letters)),
        bins=read_bins(files.intervals, faults.beside(files.intervals)),
        end=_RecordEnd(record_end_s(files.durations)),
    )
    faults.raise_any()
    batch = 0
    for slot in _read_slots(files, maps.end, faults):
        rows = maps.rows(slot, batch)
        batch += slot.flavours.items.count(END_OF_BATCH)
        if not faults:
            yield from rows
    faults.raise_any()


class _RecordEnd:
    """The moment at which the record ends, as far as its lines tell: it lies from *least_s* to *most_s*."""

    def __init__(self, known_s: int | None) -> None:
        self.least_s, self.most_s = (0, MOST_SECONDS) if known_s is None else (known_s, known_s)

    def allows(self, at_s: int, lifetime: Bin, *, ended: bool) -> bool:
        """True when a VM that arrived at *at_s* can have a time in that bin; a running one narrows the moment."""
        first, last = at_s + lifetime.least_s, at_s + lifetime.most_s
        if ended:
            return first <= self.most_s
        if first > self.most_s or last < self.least_s:
            return False
        self.least_s, self.most_s = max(first, self.least_s), min(last, self.most_s)
        return True

    def expected(self, at_s: int, *, ended: bool) -> str:
        """What the duration of a VM that arrived at *at_s* must be."""
        if ended:
            return f"at most {self.most_s - at_s} s"
        if self.least_s == self.most_s:
            return f"the bin of {self.most_s - at_s} s"
        return f"a bin that holds {max(self.least_s - at_s, 0)} to {self.most_s - at_s} s, as the lines before"


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of one file: its slot as written, and its items."""

    faults: FaultList
    number: int
    slot: str
    items: list[str]

    def fault(self, position: int, message: str, expected: str) -> None:
        """Reports a fault at an item."""
        column = column_of(self.items, position, len(self.slot) + 2)
        self.faults.add(message, expected, line=self.number, column=column)

    def slot_fault(self, expected: str) -> None:
        """Reports the slot itself."""
        self.faults.add(f"slot {self.slot}", expected, line=self.number, column=1)


@dataclass(frozen=True, slots=True)
class _Slot:
    """One slot: its time in seconds from the start of the original trace, and its line in each file."""

    at_s: int
    flavours: _Line
    durations: _Line


def _read_slots(files: WindowFiles, end: _RecordEnd, faults: FaultList) -> Iterator[_Slot]:
    """The slots whose lines fit together, in order; what is wrong with the others is added to *faults*.

    The lines are read side by side, up to the end of the shorter file, which is a fault. A line that was not text is
    left out with its fault known; what follows can no longer be paired.
    """
    of_flavours, of_durations = faults.beside(files.flavours), faults.beside(files.durations)
    latest_s = -1
    lines = zip_longest(numbered_lines(files.flavours, of_flavours), numbered_lines(files.durations, of_durations))
    for number, (flavours, durations) in enumerate(lines, 1):
        if flavours is None or durations is None:
            if not faults:
                shorter = of_flavours if flavours is None else of_durations
                shorter.add("the file ends here", "as many lines as in the other file", line=number, column=1)
            return
        if flavours[0] != durations[0]:
            return
        slot = _pair(_split(flavours, of_flavours), _split(durations, of_durations))
        if slot is not None and _is_timely(slot, latest_s, end) and _is_aligned(slot):
            latest_s = slot.at_s
            yield slot


def _split(numbered: tuple[int, str], faults: FaultList) -> _Line | None:
    """The slot and the items of one line; a comma after the last item is allowed."""
    number, text = numbered
    match = _LINE.fullmatch(text)
    if match is None:
        expected = "seconds, a space, items with commas"
        faults.add(f"{shown(text)} is not a slot", expected, line=number, column=1)
        return None
    return _Line(faults, number, match[1], match[2].removesuffix(",").split(","))


def _pair(flavours: _Line | None, durations: _Line | None) -> _Slot | None:
    if flavours is None or durations is None:
        return None
    if flavours.slot != durations.slot:
        durations.slot_fault(f"slot {flavours.slot}, as beside it")
        return None
    return _Slot(int(flavours.slot), flavours, durations)


def _is_timely(slot: _Slot, latest_s: int, end: _RecordEnd) -> bool:
    """Whether a slot is one of the record, and after the one before it."""
    if slot.at_s % SLOT_S or slot.at_s >= end.most_s:
        slot.flavours.slot_fault(f"a multiple of {SLOT_S} s below {end.most_s}")
    elif slot.at_s <= latest_s:
        slot.flavours.slot_fault(f"a slot after {latest_s}")
    else:
        return True
    return False


def _is_aligned(slot: _Slot) -> bool:
    """Whether both lines have the same batches, none of them empty and the last one ended."""
    before = END_OF_BATCH
    items = zip_longest(slot.flavours.items, slot.durations.items, fillvalue="")
    for position, (flavour, duration) in enumerate(items):
        if not flavour or not duration or (flavour == END_OF_BATCH) != (duration == END_OF_BATCH):
            slot.durations.fault(position, f"{shown(duration)} beside {shown(flavour)}", "the same batches")
            return False
        if flavour == before == END_OF_BATCH:
            slot.flavours.fault(position, "an empty batch", "a flavour")
            return False
        before = flavour
    if before != END_OF_BATCH:
        slot.flavours.fault(len(slot.flavours.items), "the last batch does not end", END_OF_BATCH)
    return before == END_OF_BATCH


@dataclass(frozen=True, slots=True)
class _Maps:
    """What the items mean: *flavours* by letter, *bins* by number, and the *end* of the record."""

    flavours: dict[str, Flavour]
    bins: list[Bin]
    end: _RecordEnd

    def rows(self, slot: _Slot, batch: int) -> list[VmRow]:
        """The VMs of one slot, whose first batch has the number *batch*."""
        rows: list[VmRow] = []
        arrival = slot.at_s * SECOND
        for position, letter in enumerate(slot.flavours.items):
            if letter == END_OF_BATCH:
                batch += 1
            elif letter in self.flavours:
                cpu, memory = self.flavours[letter].cpu_milli, self.flavours[letter].memory_bytes
                name = f"vm-{slot.at_s}-{len(rows)}"
                rows.append(VmRow(arrival, self._end_us(slot, position), cpu, memory, 0, batch, name))
            else:
                expected = f"one of {', '.join(self.flavours)}"
                slot.flavours.fault(position, f"unknown flavour {shown(letter)}", expected)
        return rows

    def _end_us(self, slot: _Slot, position: int) -> int | None:
        """The end by the lifetime rule, None for ``C`` (and after a fault)."""
        text = slot.durations.items[position]
        match = _DURATION.fullmatch(text)
        if match is None or int(match[2]) >= len(self.bins):
            expected = f"U or C and a bin up to {len(self.bins) - 1}"
            slot.durations.fault(position, f"{shown(text)} is not a duration", expected)
            return None
        ended, lifetime = match[1] == "U", self.bins[int(match[2])]
        if not self.end.allows(slot.at_s, lifetime, ended=ended):
            message = f"{text} is {lifetime.least_s} to {lifetime.most_s} s"
            slot.durations.fault(position, message, self.end.expected(slot.at_s, ended=ended))
        return slot.at_s * SECOND + lifetime.lifetime_us if ended else None
