"""Names and uuids of a document into rows: hosts, clusters and storages stand by ascending uuid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simclone.chance import place_uuid
from simclone.scenario.document.hosts import ClusterDoc, ZoneDoc
from simclone.scenario.document.networks import L2NetworkDoc
from simclone.scenario.document.scenario import TopologyDoc
from simclone.scenario.findings import Findings, Path, dotted, nearest
from simclone.scenario.reading.expand import expanded

KINDS: Mapping[str, str] = {
    "zone": "zones",
    "cluster": "clusters",
    "host": "hosts",
    "primaryStorage": "primaryStorages",
    "backupStorage": "backupStorages",
    "image": "images",
    "l2Network": "l2Networks",
    "l3Network": "l3Networks",
    "instanceOffering": "instanceOfferings",
    "diskOffering": "diskOfferings",
    "account": "accounts",
    "affinityGroup": "affinityGroups",
    "hostGroup": "hostGroups",
    "vm": "vms",
}
"""Kind → the list of a document that holds it."""
RANKED = frozenset({"cluster", "host", "primaryStorage", "backupStorage"})
ADMINISTRATOR = "admin"
UNKNOWN = -1
Places = Mapping[str, list[int]]
"""Where the entries of a list stood in the file, when some were left out."""


@dataclass(slots=True)
class Kind:
    """All entries of one kind in row order; *rows* maps names and uuids to rows."""

    docs: list[Any] = field(default_factory=list)
    uuids: list[str] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Directory:
    """Every entry of a document by kind, and the faults found on the way.

    *broken* names entries whose shape is faulty: references to them are no faults of their own.
    """

    doc: TopologyDoc
    findings: Findings
    broken: Mapping[str, frozenset[str]] = field(default_factory=dict)
    places: Places = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)

    def stood(self, key: str, size: int) -> Sequence[int]:
        """Where the *size* entries of a list stand in the file."""
        return self.places.get(key) or range(size)

    def docs(self, kind: str) -> list[Any]:
        """The entries of a kind in row order."""
        return self.kinds[kind].docs

    def words(self, kind: str) -> Iterable[str]:
        """Every name and uuid of a kind."""
        return self.kinds[kind].rows

    def find(self, kind: str, name: str, path: Path) -> int:
        """The row of a name or uuid, or `UNKNOWN` with a fault at *path*."""
        rows = self.kinds[kind].rows
        result = rows.get(name, UNKNOWN)
        if result == UNKNOWN and name not in self.broken.get(kind, ()):
            names = (doc.name for doc in self.kinds[kind].docs)
            self.findings.add(path, f"unknown {kind} {name!r}", nearest(name, names))
        return result

    def find_all(self, kind: str, names: list[str], path: Path) -> list[int]:
        """The rows of several names, those that are known."""
        result = [self.find(kind, name, (*path, position)) for position, name in enumerate(names)]
        return [row for row in result if row != UNKNOWN]

    def maybe(self, kind: str, name: str | None, path: Path) -> int | None:
        """The row of an optional name."""
        return None if name is None else self.find(kind, name, path)

    def only(self, kind: str, name: str | None, path: Path) -> int:
        """The row of a name that may be left out where there is one entry of the kind."""
        if name is not None:
            return self.find(kind, name, path)
        if len(self.kinds[kind].docs) == 1:
            return 0
        if not self.broken.get(kind):
            self.findings.add(path, "is missing", f"one of {len(self.kinds[kind].docs)} {KINDS[kind]}")
        return UNKNOWN

    def account(self, name: str | None, path: Path) -> int:
        """The row of an account; -1 is the administrator."""
        return -1 if name is None or name == ADMINISTRATOR else self.find("account", name, path)


def collect(
    doc: TopologyDoc,
    findings: Findings,
    broken: Mapping[str, frozenset[str]] | None = None,
    places: Places | None = None,
) -> Directory:
    """Every entry of *doc* under its names; duplicates become faults."""
    result = Directory(doc, findings, broken or {}, places or {})
    for kind, key in KINDS.items():
        docs = _with_implied(kind, doc)
        paths: list[Path] = [(key, position) for position in result.stood(key, len(docs))]
        result.kinds[kind] = _kind(kind, docs, paths, findings)
    accounts = result.kinds["account"]
    if ADMINISTRATOR in accounts.rows:
        path = (*accounts.paths[accounts.rows[ADMINISTRATOR]], "name")
        findings.add(path, "admin is the administrator, who is always there and has no limits")
    return result


def _with_implied(kind: str, doc: TopologyDoc) -> list[Any]:
    docs: dict[str, Any] = {"zone": doc.zones, "cluster": doc.clusters, "l2Network": doc.l2_networks}
    if kind == "zone" and not doc.zones:
        return [ZoneDoc(name="zone")]
    if kind == "cluster" and not doc.clusters and doc.hosts:
        return [ClusterDoc(name="cluster")]
    if kind == "l2Network" and not doc.l2_networks and doc.l3_networks:
        return [L2NetworkDoc(name="l2")]
    return list(docs[kind] if kind in docs else getattr(doc, _attribute(KINDS[kind])))


def _attribute(key: str) -> str:
    """The Python name of a document's list.

    >>> _attribute("l2Networks")
    'l2_networks'
    """
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def _kind(kind: str, docs: list[Any], paths: list[Path], findings: Findings) -> Kind:
    entries = list(expanded(docs, paths, findings))
    uuids = [doc.uuid or place_uuid(kind, doc.name, place) for place, (doc, _) in enumerate(entries)]
    order = list(range(len(entries)))
    first: dict[str, Path] = {}
    for position in order:
        doc, path = entries[position]
        _claim(first, doc.name, (*path, "name"), findings)
        if doc.uuid:
            _claim(first, doc.uuid, (*path, "uuid"), findings)
    if kind in RANKED:
        order.sort(key=uuids.__getitem__)
    result = Kind([entries[index_in_list][0] for index_in_list in order], [uuids[slot] for slot in order])
    result.paths = [entries[place][1] for place in order]
    result.rows = {uuid: row for row, uuid in enumerate(result.uuids)}
    result.rows.update((doc.name, row) for row, doc in enumerate(result.docs))
    return result


def _claim(first: dict[str, Path], word: str, path: Path, findings: Findings) -> None:
    holder = first.setdefault(word, path)
    if holder is not path:
        findings.add(path, f"{word!r} is taken by {dotted(holder)}")
