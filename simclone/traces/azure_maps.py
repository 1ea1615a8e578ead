"""The two maps beside an Azure window: what a flavour letter asks for, and which durations a bin holds.

Source: ``resources/maps`` of huaweicloud/trace_generation_rnn: ``vCPU,GiB letter`` and ``seconds bin`` per
line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from simclone.traces.lines import AnyPath, FaultList, numbered_lines, shown
from simclone.units import SECOND, parse_size

SLOT_S = 300
"""Seconds of one slot; arrivals and durations are multiples of it."""

BORN_AND_GONE_US = 150 * SECOND
"""The lifetime of a VM created and deleted in one slot: the middle of that slot."""

_FLAVOUR = re.compile(r"(\d{1,6}),(\d{1,6}(?:\.\d{1,9})?) ([a-z])", re.ASCII)
_SECONDS_BIN = re.compile(r"(\d{1,12}) (\d{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Flavour:
    """What one letter asks for: *cpu_milli* in 1/1000 vCPU, *memory_bytes* in bytes."""

    cpu_milli: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The durations of one bin, from *least_s* to *most_s* seconds, both in it."""

    least_s: int
    most_s: int

    @property
    def lifetime_us(self) -> int:
        """The one lifetime a VM of this bin is given: the middle, half a slot for the bin of 0 s alone.

        >>> Bin(3900, 7200).lifetime_us, Bin(0, 0).lifetime_us
        (5550000000, 150000000)
        """
        return (self.least_s + self.most_s) * (SECOND // 2) if self.most_s else BORN_AND_GONE_US


def read_flavours(path: AnyPath, faults: FaultList) -> dict[str, Flavour]:
    """The flavours by letter; what is wrong is added to *faults*."""
    flavours: dict[str, Flavour] = {}
    for number, line in numbered_lines(path, faults):
        match = _FLAVOUR.fullmatch(line)
        if match is None:
            faults.add(f"{shown(line)} is not a flavour", "vCPU,GiB letter", line=number, column=1)
        elif match[3] in flavours:
            faults.add(f"flavour {match[3]} twice", "each letter once", line=number, column=match.start(3) + 1)
        else:
            _add_flavour(flavours, match, faults, number)
    return flavours


def _add_flavour(flavours: dict[str, Flavour], match: re.Match[str], faults: FaultList, line: int) -> None:
    try:
        memory = parse_size(f"{match[2]}GiB")
    except ValueError as error:
        faults.add(str(error), "GiB that are whole bytes", line=line, column=match.start(2) + 1)
        return
    if not int(match[1]) or not memory:
        faults.add("a flavour without vCPU or memory", "both above 0", line=line, column=1)
    flavours[match[3]] = Flavour(1000 * int(match[1]), memory)


def read_bins(path: AnyPath, faults: FaultList) -> list[Bin]:
    """The bins by number; the file lists every multiple of 300 s from 0, in order, each with its bin."""
    bins: list[Bin] = []
    for number, line in numbered_lines(path, faults):
        match, seconds = _SECONDS_BIN.fullmatch(line), (number - 1) * SLOT_S
        if match is None:
            faults.add(f"{shown(line)} is not an interval", "seconds bin", line=number, column=1)
        elif int(match[1]) != seconds:
            faults.add(f"{match[1]} s", f"{seconds} s, as every multiple of {SLOT_S}", line=number, column=1)
        elif int(match[2]) == len(bins):
            bins.append(Bin(seconds, seconds))
        elif bins and int(match[2]) == len(bins) - 1:
            bins[-1] = Bin(bins[-1].least_s, seconds)
        else:
            wanted = f"bin {len(bins) - 1} or {len(bins)}" if bins else "bin 0"
            faults.add(f"bin {match[2]}", wanted, line=number, column=match.start(2) + 1)
    return bins
