"""What a reader of a run should know besides its answers: over-commitment at the start, drift, leftovers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simclone.engine.results.result import RunResult
from simclone.explain.overload import of_host, of_storage
from simclone.units import format_size


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation: *kind* is ``overCommitted``, ``drift``, ``snapshot`` or ``image``; *where* names the object."""

    kind: str
    where: str
    text: str


def findings(result: RunResult) -> list[Finding]:
    """All observations of a run, hosts first."""
    return [*_over_committed(result.start), *_drift(result), *_leftovers(result)]


def _over_committed(start: Mapping[str, Any]) -> Iterator[Finding]:
    """Placed VMs of the file may ask for more than there is; real clouds do."""
    hosts = start["hosts"]
    items = [
        item
        for host in hosts
        for item in of_host(host["name"], host["available_cpu"], host["available_memory"], host["reserved_memory"])
    ]
    for storage in start["storages"]:
        shares = ((hosts[int(host)]["name"], free) for host, free in storage.get("shares", {}).items())
        items += of_storage(storage["name"], storage["available"], shares)
    for item in items:
        yield Finding("overCommitted", item.where, item.text)


def _drift(result: RunResult) -> Iterator[Finding]:
    causes: dict[tuple[str, str], int] = {}
    for event in result.events:
        if event.kind == "drift":
            causes[event.target, event.cause] = causes.get((event.target, event.cause), 0) + 1
    cloud = result.ledger.cloud
    names = {f"host/{row}": name for row, name in enumerate(cloud.fleet.names)}
    names.update({f"storage/{row}": storage.name for row, storage in enumerate(cloud.storages)})
    for (target, cause), count in causes.items():
        yield Finding("drift", names[target], f"its recorded capacity differs from what is held: {count} times {cause}")


def _leftovers(result: RunResult) -> Iterator[Finding]:
    cloud = result.ledger.cloud
    taken: dict[int, list[int]] = {}
    for row in range(cloud.snapshots.row_count):
        if cloud.snapshots.alive[row]:
            taken.setdefault(cloud.snapshots.volume[row], []).append(cloud.snapshots.size[row])
    for volume, sizes in taken.items():
        count = "one snapshot stays and takes" if len(sizes) == 1 else f"{len(sizes)} snapshots stay and take"
        yield Finding("snapshot", cloud.volumes.names[volume], f"{count} {format_size(sum(sizes))}")
    retained = [image.size for row, image in enumerate(cloud.images) if image.temporary and row in cloud.image_space]
    if retained:
        text = f"{len(retained)} temporary images stay for clones that were only created ({format_size(sum(retained))})"
        yield Finding("image", "image store", text)
