"""Strategies, filters and scorers a document names are registered."""

from __future__ import annotations

from simclone.allocator.host import strategies
from simclone.allocator.host.sorters.textbook import SCORERS
from simclone.allocator.primary_storage.chain import STRATEGIES as STORAGE_STRATEGIES
from simclone.scenario.checking.names import Directory
from simclone.scenario.findings import nearest


def check_strategies(names: Directory, profile: str) -> None:
    """Every strategy is one of the profile's, or the file's own; its parts are known."""
    own = names.doc.strategies
    known = {*strategies.names(profile), *own, "Mevoco"}
    for kind, key, field in (
        ("instanceOffering", "allocatorStrategy", "allocator_strategy"),
        ("vm", "strategy", "strategy"),
    ):
        for row, doc in enumerate(names.docs(kind)):
            _known(names, (*names.kinds[kind].paths[row], key), getattr(doc, field), known, "host strategy")
    for row, doc in enumerate(names.docs("diskOffering")):
        path = (*names.kinds["diskOffering"].paths[row], "allocatorStrategy")
        _known(names, path, doc.allocator_strategy, set(STORAGE_STRATEGIES), "storage strategy")
    flows = set(strategies.flow_names(profile))
    for name, result in own.items():
        for position, flow in enumerate(result.filters or ()):
            _known(names, ("strategies", name, "filters", position), flow, flows, "filter")
        for scorer in result.score:
            _known(names, ("strategies", name, "score", scorer), scorer, set(SCORERS), "scorer")


def _known(names: Directory, path: tuple[str | int, ...], name: str | None, known: set[str], what: str) -> None:
    if name is not None and name not in known:
        names.findings.add(path, f"unknown {what} {name!r}", nearest(name, known))
