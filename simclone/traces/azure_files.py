"""The four files of an Azure window: which is which, and what the two small maps say.

Source of the form: ``resources`` of huaweicloud/trace_generation_rnn. A file is known by its first lines. Its published
name counts only where these do not tell (an empty or damaged file), so that its faults can still be located.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from simclone.errors import InvalidInput
from simclone.traces.lines import AnyPath, FaultList, numbered_lines, shown
from simclone.units import SECOND, parse_size

SLOT_S = 300
"""Seconds of one slot; arrivals and durations are multiples of it."""

MOST_SECONDS = 10**12
"""More than any number of seconds in the files, which have at most twelve digits."""

BORN_AND_GONE_US = 150 * SECOND
"""The lifetime of a VM created and deleted in one slot: the middle of that slot."""

_FLAVOUR = re.compile(r"(\d{1,6}),(\d{1,6}(?:\.\d{1,9})?) ([a-z])", re.ASCII)
_SECONDS_BIN = re.compile(r"(\d{1,12}) (\d{1,6})", re.ASCII)
_PUBLISHED_END = re.compile(r"\.c(\d{1,12})\.", re.ASCII)
_HEAD = 8
"""Lines of a file that are looked at to know it."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the four files: what it *holds*, what its *lines* and its published *name* are like."""

    holds: str
    lines: re.Pattern[str]
    name: re.Pattern[str]
    expected: str


_KINDS: Mapping[str, _Kind] = {
    "flavours": _Kind(
        "flavours by slot",
        re.compile(r"\d{1,12} [a-z](,.*)?", re.ASCII),
        re.compile(r"v\d+\.\w+\.txt(\.gz)?"),
        "lines such as 1800000 m,|,b,b,| (published as v1.*.txt)",
    ),
    "durations": _Kind(
        "durations by slot",
        re.compile(r"\d{1,12} [UC]\d+(,.*)?", re.ASCII),
        re.compile(r"v\d+\.\w+\.c\d+\.txt(\.gz)?"),
        "lines such as 1800000 U1,|,U6,C38,| (published as v1.*.c*.txt)",
    ),
    "letters": _Kind(
        "the flavour of each letter",
        _FLAVOUR,
        re.compile(r"flav_map\.txt(\.gz)?"),
        "lines such as 8,14 m (published as flav_map.txt)",
    ),
    "intervals": _Kind(
        "the bin of each duration",
        _SECONDS_BIN,
        re.compile(r"v\d+\.interval_map\.txt(\.gz)?"),
        "lines such as 300 1 (published as v1.interval_map.txt)",
    ),
}
_BY_SLOT = ("flavours", "durations")


@dataclass(frozen=True, slots=True)
class WindowFiles:
    """The files of one window."""

    flavours: Path
    durations: Path
    letters: Path
    intervals: Path


def share_of_window(path: Path, line: str) -> float:
    """1 for a file of slots (its first line is *line*) and for a directory with one; a quarter for any directory."""
    if not path.is_dir():
        return float(any(_KINDS[kind].lines.fullmatch(line) is not None for kind in _BY_SLOT))
    return 1.0 if any(_kind_of(file) in _BY_SLOT for file in _files_in(path)) else 0.25


def find_files(path: Path, faults: FaultList) -> WindowFiles:
    """The files of the window in a directory, or of the one that the file *path* belongs to.

    Raises `InvalidInput` where a file is missing, or where there are several of a kind and none goes with *path*.
    """
    chosen = None if path.is_dir() else path
    by_kind: dict[str, list[Path]] = {kind: [] for kind in _KINDS}
    for file in _files_in(path if chosen is None else path.parent, chosen):
        kind = _kind_of(file)
        if kind is not None:
            by_kind[kind].append(file)
    files: dict[str, Path] = {}
    for kind, about in _KINDS.items():
        candidates = by_kind[kind]
        if chosen is not None and chosen in candidates:
            candidates = [chosen]
        elif chosen is not None and kind in _BY_SLOT and len(candidates) > 1:
            candidates = [file for file in candidates if _first_slot(file) == _first_slot(chosen)]
        if len(candidates) == 1:
            files[kind] = candidates[0]
        elif candidates:
            names = ", ".join(file.name for file in candidates)
            faults.add(f"several files hold {about.holds}: {names}", "one of a kind, or the path of one of them")
        else:
            where = "in it" if chosen is None else "beside it"
            faults.add(f"no file {where} holds {about.holds}", about.expected)
    faults.raise_any()
    return WindowFiles(**files)


def record_end_s(durations: Path) -> int | None:
    """The moment at which ``C`` VMs were still running, where the name says it as published (``.c2100000.``)."""
    match = _PUBLISHED_END.search(durations.name)
    return None if match is None else int(match[1])


def _files_in(folder: Path, chosen: Path | None = None) -> list[Path]:
    """The files of a directory; of a packed and a plain one of the same name the *chosen* one counts, else the plain.

    A directory that cannot be read has none.
    """
    try:
        files = sorted(file for file in folder.iterdir() if file.is_file())
    except OSError:
        return []
    packed = [file for file in files if file.suffix == ".gz" and file.with_suffix("") in files]
    dropped = {file.with_suffix("") if file == chosen else file for file in packed}
    return [file for file in files if file not in dropped]


def _kind_of(file: Path) -> str | None:
    for line in _first_lines(file, _HEAD):
        for kind, about in _KINDS.items():
            if about.lines.fullmatch(line):
                return kind
    return next((kind for kind, about in _KINDS.items() if about.name.fullmatch(file.name)), None)


def _first_lines(file: Path, count: int) -> list[str]:
    """The first lines of a file that are text, as far as it can be read."""
    lines: list[str] = []
    try:
        for _, line in islice(numbered_lines(file, FaultList(file)), count):
            lines.append(line)
    except InvalidInput:
        return lines
    return lines


def _first_slot(file: Path) -> str:
    return "".join(_first_lines(file, 1)).partition(" ")[0]


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
    """The flavours by letter (lines ``vCPU,GiB letter``); what is wrong is added to *faults*."""
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
            expected = f"bin {len(bins) - 1} or {len(bins)}" if bins else "bin 0"
            faults.add(f"bin {match[2]}", expected, line=number, column=match.start(2) + 1)
    return bins
