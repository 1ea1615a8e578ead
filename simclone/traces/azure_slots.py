"""The two files of an Azure window, read line by line together: one slot at a time, batches matched.

Flavours (``1800000 m,|,b,b,|``) and durations (``1800000 U1,|,U6,C38,|``) agree item for item; ``|`` ends a
batch. What an item means is not looked at here, see `simclone.traces.azure_window`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from simclone.traces.azure_maps import SLOT_S
from simclone.traces.lines import AnyPath, FaultList, column_of, numbered_lines, shown

RECORD_END_S = 2_100_000
"""The moment at which a ``C`` VM was still running; the ``c2100000`` of the durations file."""

END_OF_BATCH = "|"

_LINE = re.compile(r"(\d{1,12}) ([^ ]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one file: its slot as written, and its items."""

    faults: FaultList
    number: int
    slot: str
    items: list[str]

    def fault(self, place: int, message: str, expected: str) -> None:
        """Reports a fault at an item."""
        column = column_of(self.items, place, len(self.slot) + 2)
        self.faults.add(message, expected, line=self.number, column=column)

    def slot_fault(self, expected: str) -> None:
        """Reports the slot itself."""
        self.faults.add(f"slot {self.slot}", expected, line=self.number, column=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: its time in seconds from the start of the original trace, and its line in each file."""

    at_s: int
    flavours: Line
    durations: Line


def read_slots(flavours: AnyPath, durations: AnyPath, faults: FaultList) -> Iterator[Slot]:
    """The slots whose lines fit together, in order; what is wrong with the others is added to *faults*."""
    one, other = faults.beside(flavours), faults.beside(durations)
    latest_s = -1
    for left, right in _pairs(flavours, durations, one, other):
        slot = _paired(_split(left, one), _split(right, other))
        if slot is not None and _timely(slot, latest_s) and _aligned(slot):
            latest_s = slot.at_s
            yield slot


_Numbered = tuple[int, str]


def _pairs(
    flavours: AnyPath, durations: AnyPath, one: FaultList, other: FaultList
) -> Iterator[tuple[_Numbered, _Numbered]]:
    """The lines of both files side by side, up to the end of the shorter one, which is a fault.

    A line that was not text is left out with its fault known; what follows can no longer be paired.
    """
    both = zip_longest(numbered_lines(flavours, one), numbered_lines(durations, other))
    for number, (left, right) in enumerate(both, 1):
        if left is None or right is None:
            if not one:
                short = one if left is None else other
                short.add("the file ends here", "as many lines as in the other file", line=number, column=1)
            return
        if left[0] != right[0]:
            return
        yield left, right


def _split(numbered: _Numbered, faults: FaultList) -> Line | None:
    """The slot and the items of one line; a comma after the last item is allowed."""
    number, text = numbered
    match = _LINE.fullmatch(text)
    if match is None:
        expected = "seconds, a space, items with commas"
        faults.add(f"{shown(text)} is not a slot", expected, line=number, column=1)
        return None
    return Line(faults, number, match[1], match[2].removesuffix(",").split(","))


def _paired(flavours: Line | None, durations: Line | None) -> Slot | None:
    if flavours is None or durations is None:
        return None
    if flavours.slot != durations.slot:
        durations.slot_fault(f"slot {flavours.slot}, as beside it")
        return None
    return Slot(int(flavours.slot), flavours, durations)


def _timely(slot: Slot, latest_s: int) -> bool:
    """Whether a slot is one of the record, and after the one before it."""
    if slot.at_s % SLOT_S or slot.at_s >= RECORD_END_S:
        slot.flavours.slot_fault(f"a multiple of {SLOT_S} s below {RECORD_END_S}")
    elif slot.at_s <= latest_s:
        slot.flavours.slot_fault(f"a slot after {latest_s}")
    else:
        return True
    return False


def _aligned(slot: Slot) -> bool:
    """Whether both lines have the same batches, none of them empty and the last one ended."""
    before = END_OF_BATCH
    items = zip_longest(slot.flavours.items, slot.durations.items, fillvalue="")
    for place, (flavour, duration) in enumerate(items):
        if not flavour or not duration or (flavour == END_OF_BATCH) != (duration == END_OF_BATCH):
            slot.durations.fault(place, f"{shown(duration)} beside {shown(flavour)}", "the same batches")
            return False
        if flavour == before == END_OF_BATCH:
            slot.flavours.fault(place, "an empty batch", "a flavour")
            return False
        before = flavour
    if before != END_OF_BATCH:
        slot.flavours.fault(len(slot.flavours.items), "the last batch does not end", END_OF_BATCH)
    return before == END_OF_BATCH
