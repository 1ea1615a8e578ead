"""Scenarios read with every kind of change that is registered; see `simclone.scenario.load` for each function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simclone.changes.register import known_kinds
from simclone.scenario import load as reader
from simclone.scenario import rewrite, schema, writing
from simclone.scenario.load import Case, Given, Scenario, load_case


def load(path: str | Path) -> Scenario | Case:
    """The case (a file with ``steps``) or scenario at *path*; raises InvalidInput with every fault."""
    return reader.load(path, kinds=known_kinds())


def load_scenario(path: str | Path) -> Scenario:
    """The scenario at *path* (``-`` is stdin); raises InvalidInput with every fault."""
    return reader.load_scenario(path, kinds=known_kinds())


def as_scenario(source: Given) -> Scenario:
    """A scenario from a file's path or from plain data; raises InvalidInput with every fault, or TypeError."""
    return reader.as_scenario(source, kinds=known_kinds())


def scenario_of(data: Mapping[str, object], name: str = "<data>") -> Scenario:
    """A scenario from plain data in the file's spelling; raises InvalidInput with every fault."""
    return reader.scenario_of(data, name, kinds=known_kinds())


def scenario_from(data: Mapping[str, object], path: str, digest: str) -> Scenario:
    """A scenario from plain data made of the file at *path*, where its data files lie; raises InvalidInput."""
    return reader.scenario_from(data, path, digest, kinds=known_kinds())


def with_incidents(scenario: Scenario, incidents: Sequence[Mapping[str, object]]) -> Scenario:
    """The scenario with more incidents, checked like those of its file; raises InvalidInput with every fault."""
    return reader.with_incidents(scenario, incidents, kinds=known_kinds())


def write_scenario(scenario: Scenario, path: str | Path) -> Path:
    """Write a scenario as a new file; raises InvalidInput where it is no scenario seen from there."""
    return writing.write_scenario(scenario, path, kinds=known_kinds())


def rewritten(path: str | Path) -> tuple[str, bool]:
    """A file's text in the current version, and whether it differs; raises InvalidInput."""
    return rewrite.rewritten(path, kinds=known_kinds())


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file."""
    return schema.scenario_schema(known_kinds())


__all__ = [
    "Given",
    "as_scenario",
    "load",
    "load_case",
    "load_scenario",
    "rewritten",
    "scenario_from",
    "scenario_of",
    "scenario_schema",
    "with_incidents",
    "write_scenario",
]
