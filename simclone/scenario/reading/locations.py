"""Lines and columns of paths in YAML or JSON text; composed only when there is a fault to place."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from simclone.scenario.findings import Path

Place = tuple[int, int]
NOWHERE: Place = (0, 0)


def compose(text: str, *, tabs: bool = False) -> Node | None:
    """The nodes of a document with their marks; None when it has no readable structure.

    *tabs* says that tabs are blanks, as in JSON.
    """
    try:
        node: Any = YAML(typ="safe", pure=True).compose(text.replace("\t", " ") if tabs else text)
    except (YAMLError, ValueError, RecursionError):
        return None
    return node if isinstance(node, Node) else None


def locate(root: Node | None, path: Path) -> Place:
    """Line and column (from 1) of a path, or of its nearest part that is there."""
    if root is None:
        return NOWHERE
    node, position = root, _mark(root)
    for part in path:
        below = _below(node, part)
        if below is None:
            break
        node, position = below
    return position


def _below(node: Node, part: str | int) -> tuple[Node, Place] | None:
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], _mark(node.value[part])
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, _mark(key)
    return None


def _mark(node: Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def duplicates(root: Node | None) -> list[tuple[Path, Place]]:
    """Every key that stands twice in one mapping: path and place of its second appearance."""
    result: list[tuple[Path, Place]] = []
    stack: list[tuple[Node, Path]] = [(root, ())] if root is not None else []
    visited: set[int] = set()
    while stack:
        node, path = stack.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, MappingNode):
            known: set[str] = set()
            for key, value in node.value:
                if isinstance(key.value, str):
                    if key.value in known:
                        result.append(((*path, key.value), _mark(key)))
                    known.add(key.value)
                    stack.append((value, (*path, key.value)))
        elif isinstance(node, SequenceNode):
            stack.extend((value, (*path, position)) for position, value in enumerate(node.value))
    return sorted(result, key=lambda one: one[1])


def place_of(text: str, position: int) -> Place:
    """Line and column of a character position."""
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
