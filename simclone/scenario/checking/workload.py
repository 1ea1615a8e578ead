"""The streams of a workload: what they name is there, and what they say goes together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from simclone.errors import InvalidInput
from simclone.scenario.checking.names import Directory
from simclone.scenario.document.distributions import DistributionDoc, plain
from simclone.scenario.document.workload import ArrivalsDoc, TraceDoc, WorkloadDoc, process_data, replay_of
from simclone.scenario.findings import Path, dotted
from simclone.traces.column_map import ColumnMap
from simclone.traces.formats import open_trace
from simclone.workload.arrivals import process_of
from simclone.workload.distributions import KINDS, Distribution
from simclone.workload.replay import vm_name

LOOKED_AT = 50_000
"""So many rows of a trace are looked at for the VMs it needs."""

NOT_WITH_TRACE = ("vm", "mix", "arrivals", "batch", "lifetime", "growthPer30Days")


def check_workload(names: Directory, docs: Sequence[WorkloadDoc], folder: FilePath | None = None) -> None:
    """All faults of all streams; with the *folder* of the file, traces are looked at too."""
    holders: dict[str, Path] = {}
    for position, doc in zip(names.stood("workload", len(docs)), docs, strict=True):
        path: Path = ("workload", position)
        holder = holders.setdefault(doc.name, path)
        if holder != path:
            names.findings.add((*path, "name"), f"{doc.name!r} is taken by {dotted(holder)}")
        _check(names, doc, path, folder)


def _check(names: Directory, doc: WorkloadDoc, path: Path, folder: FilePath | None) -> None:
    names.account(doc.account, (*path, "account"))
    if doc.vm is not None:
        names.find("vm", doc.vm, (*path, "vm"))
    for position, item in enumerate(doc.mix or ()):
        names.find("vm", item.vm, (*path, "mix", position, "vm"))
    if doc.mix and not sum(entry.weight for entry in doc.mix):
        names.findings.add((*path, "mix"), "the weights are all 0", "one above 0")
    if doc.trace is None:
        _check_drawn(names, doc, path)
    else:
        for key in NOT_WITH_TRACE:
            if key in doc.given():
                names.findings.add((*path, key), "does not go with trace, which says it", "one of the two")
        _check_trace(names, doc.trace, (*path, "trace"), folder)
    for law, where in laws(doc, path):
        _check_law(names, law, where, folder)


def _check_drawn(names: Directory, doc: WorkloadDoc, path: Path) -> None:
    if doc.arrivals is None:
        names.findings.add((*path, "arrivals"), "is missing", "arrivals or trace")
    else:
        _check_arrivals(names, doc.arrivals, (*path, "arrivals"))
    if doc.vm is None and doc.mix is None:
        names.findings.add((*path, "vm"), "is missing", "vm or mix")
    elif doc.vm is not None and doc.mix is not None:
        names.findings.add((*path, "mix"), "does not go with vm", "one of the two")


def _check_arrivals(names: Directory, doc: ArrivalsDoc, path: Path) -> None:
    data = process_data(doc)
    if not data and _said_wrong(names, path):
        return
    if len(data) != 1:
        known = ", ".join(ArrivalsDoc(every=1).model_dump(by_alias=True))
        names.findings.add(path, "says how twice" if data else "says nothing", f"exactly one of {known}")
    elif not data.keys() & {"renewal", "bursts"}:
        _try(names, (*path, *data), lambda: process_of(data))
    elif doc.renewal == 0:
        names.findings.add((*path, "renewal"), "the gaps are all 0", "a mean above 0")


def laws(doc: WorkloadDoc, path: Path) -> Iterator[tuple[Any, Path]]:
    """The distributions of a stream and where they stand."""
    result = [(doc.batch, (*path, "batch")), (doc.lifetime, (*path, "lifetime"))]
    if doc.arrivals is not None:
        result.append((doc.arrivals.renewal, (*path, "arrivals", "renewal")))
        if doc.arrivals.bursts is not None:
            result.append((doc.arrivals.bursts.size, (*path, "arrivals", "bursts", "size")))
    yield from result


def check_duration(names: Directory, law: Any, path: Path, folder: FilePath | None, *, above_zero: bool) -> None:
    """A law of durations: as any law, never endless, and with *above_zero* of a mean above 0."""
    count = len(names.findings.found)
    _check_law(names, law, path, folder)
    if law is None or len(names.findings.found) > count:
        return
    try:
        result = Distribution.of(plain(law)).within(folder or FilePath())
        shares = np.linspace(0.001, 0.999, 512)
        matches = np.asarray(result.quantile(shares), dtype=float)
    except ValueError as error:
        names.findings.add(path, str(error))
        return
    if not np.all(np.isfinite(matches)):
        names.findings.add(path, "may take for ever", "a finite duration")
    elif above_zero and float(matches.mean()) <= 0:
        names.findings.add(path, "is 0", "a mean above 0")


def _check_law(names: Directory, law: Any, path: Path, folder: FilePath | None) -> None:
    if not isinstance(law, DistributionDoc):
        return
    data = plain(law)
    kinds = [key for key in data if key in KINDS]
    if not kinds and _said_wrong(names, path):
        return
    if len(kinds) != 1:
        message = f"{' and '.join(kinds)} at once" if kinds else "says nothing"
        names.findings.add(path, message, f"exactly one of {', '.join(KINDS)}")
    elif "field" in data and kinds != ["fromTrace"]:
        names.findings.add((*path, "field"), f"does not go with {kinds[0]}", "only with fromTrace")
    elif kinds == ["fromTrace"]:
        _opens(names, data["fromTrace"], (*path, "fromTrace"), folder)
    elif _try(names, (*path, kinds[0]), lambda: Distribution.of(data)) and path[-1] == "renewal":
        _try(names, (*path, kinds[0]), lambda: process_of({"renewal": data}))


def _said_wrong(names: Directory, path: Path) -> bool:
    """True when something in a part of the file was already faulted and left out."""
    return any(known[: len(path)] == path for known in names.findings.known)


def _try(names: Directory, path: Path, make: Callable[[], object]) -> bool:
    """True when *make* does not raise ValueError, whose sentence else becomes a fault."""
    try:
        make()
    except ValueError as error:
        names.findings.add(path, str(error))
        return False
    return True


def _opens(names: Directory, file: str, path: Path, folder: FilePath | None, columns: ColumnMap | None = None) -> bool:
    """True when there is a trace; what is wrong with its beginning is a fault."""
    if folder is None:
        return False
    try:
        next(iter(open_trace(folder / file, columns)), None)
    except InvalidInput as error:
        names.findings.add(path, str(error.faults[0]))
        return False
    return True


def _check_trace(names: Directory, doc: TraceDoc, path: Path, folder: FilePath | None) -> None:
    if _said_wrong(names, (*path, "map")) or not _try(names, (*path, "map"), doc.columns):
        return
    if not _try(names, path, lambda: replay_of(doc, folder or FilePath())):
        return
    if "{" not in doc.vm_for:
        names.find("vm", doc.vm_for, (*path, "vmFor"))
        if doc.map is not None:
            _opens(names, doc.path, (*path, "path"), folder, doc.columns())
    elif _opens(names, doc.path, (*path, "path"), folder, doc.columns()):
        _check_shapes(names, doc, path, folder or FilePath())


def _check_shapes(names: Directory, doc: TraceDoc, path: Path, folder: FilePath) -> None:
    rows = islice(open_trace(folder / doc.path, doc.columns()), LOOKED_AT)
    try:
        shapes = dict.fromkeys((row.cpu_milli, row.memory_bytes, row.gpus) for row in rows)
    except InvalidInput as error:
        names.findings.add((*path, "path"), str(error.faults[0]))
        return
    for shape in shapes:
        names.find("vm", vm_name(doc.vm_for, *shape), (*path, "vmFor"))
