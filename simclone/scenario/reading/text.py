"""YAML or JSON text into plain data, with the file, line and column of everything that is wrong with it."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node

from simclone.errors import Fault, InvalidInput
from simclone.scenario.findings import Path, dotted, single
from simclone.scenario.reading.locations import compose, duplicates, locate, place_of

STDIN = "-"
DEEPEST = 100
MOST_ENTRIES = 5_000_000


class _Plain(SafeConstructor):
    """Dates stay text, so that YAML and JSON give the same data."""


_Plain.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


class _Duplicate(Exception):
    """A JSON object has one key twice."""


@dataclass(slots=True)
class Source:
    """A file as it was read: its *name* for messages, *text*, plain *data* and the sha256 of its bytes."""

    name: str
    text: str
    is_json: bool
    digest: str
    data: Any = None
    _root: Node | None = field(default=None, repr=False)
    _composed: bool = field(default=False, repr=False)

    @property
    def folder(self) -> FilePath:
        """Where paths in the file start."""
        return FilePath() if self.name == "<stdin>" else FilePath(self.name).parent

    def nodes(self) -> Node | None:
        """The marked nodes of the text, composed at the first call."""
        if not self._composed:
            self._root, self._composed = compose(self.text, tabs=self.is_json), True
        return self._root

    def fault(self, path: Path, message: str, expected: str = "") -> Fault:
        """A fault with its place."""
        line, column = locate(self.nodes(), path)
        return Fault(dotted(path), message, expected, self.name, line, column)


def read(path: str | FilePath) -> Source:
    """The source at *path* (``-`` is stdin; JSON by extension, else YAML); raises InvalidInput."""
    raw, name = read_bytes(path)
    text = decode(raw, name)
    source = Source(name, text, FilePath(name).suffix.lower() == ".json", sha256(raw).hexdigest())
    if not text.strip():
        raise single("the file is empty", name)
    source.data = _parse_json(source) if source.is_json else _parse_yaml(source)
    if source.data is None:
        raise single("the document is empty", name)
    faults = [source.fault(path, message) for path, message in _unplain(source.data)]
    if faults:
        raise InvalidInput(faults)
    return source


def read_bytes(path: str | FilePath) -> tuple[bytes, str]:
    """The bytes at *path* and the name for messages; raises InvalidInput when they cannot be had."""
    if str(path) == STDIN:
        return sys.stdin.buffer.read(), "<stdin>"
    try:
        return FilePath(path).read_bytes(), str(path)
    except OSError as error:
        raise single(error.strerror or "cannot be read", str(path)) from None


def decode(raw: bytes, name: str) -> str:
    """UTF-8 text, a byte order mark left out; raises InvalidInput at the first bad byte."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8-sig")
        line, column = place_of(before, len(before))
        raise single(f"byte 0x{error.object[error.start]:02x} is not UTF-8", name, line, column) from None


def _parse_yaml(source: Source) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Plain
    try:
        return yaml.load(source.text)
    except DuplicateKeyError as error:
        raise _twice(source) or _marked(source, error) from None
    except MarkedYAMLError as error:
        raise _marked(source, error) from None
    except YAMLError as error:
        line, column = place_of(source.text, getattr(error, "position", 0))
        raise single(str(getattr(error, "reason", error)), source.name, line, column) from None
    except RecursionError:
        raise single("nested too deeply", source.name) from None
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise single(f"a value cannot be read: {error}", source.name) from None


def _marked(source: Source, error: MarkedYAMLError) -> InvalidInput:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return single(str(error.problem or error.context or "not YAML"), source.name, line, column)


def _parse_json(source: Source) -> Any:
    try:
        return json.loads(source.text, object_pairs_hook=_once)
    except _Duplicate:
        raise _twice(source) or single("a key stands twice", source.name) from None
    except json.JSONDecodeError as error:
        raise single(error.msg, source.name, error.lineno, error.colno) from None
    except RecursionError:
        raise single("nested too deeply", source.name) from None
    except ValueError as error:
        raise single(f"a value cannot be read: {error}", source.name) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise _Duplicate
    return result


def _twice(source: Source) -> InvalidInput | None:
    result = duplicates(source.nodes())
    faults = [Fault(dotted(path), "key stands twice", "", source.name, *position) for path, position in result]
    return InvalidInput(faults) if faults else None


def _unplain(data: Any) -> list[tuple[Path, str]]:
    """What is no plain data: keys that are not text, NaN, infinities, dangling surrogates, endless aliases."""
    result: list[tuple[Path, str]] = []
    stack: list[tuple[Any, Path]] = [(data, ())]
    entries = 0
    while stack:
        value, path = stack.pop()
        entries += 1
        if entries > MOST_ENTRIES or len(path) > DEEPEST:
            return [(path[:1], "nested too deeply, or aliases multiply without end")]
        if isinstance(value, dict):
            result.extend((path, f"key {key!r} is not text") for key in value if not isinstance(key, str))
            stack.extend((below, (*path, key)) for key, below in value.items() if isinstance(key, str))
        elif isinstance(value, list):
            stack.extend((below, (*path, position)) for position, below in enumerate(value))
        elif (message := _odd(value)) is not None:
            result.append((path, message))
    return result[::-1]


def _odd(value: Any) -> str | None:
    if isinstance(value, str):
        return None if value.isascii() or _encodes(value) else "text holds half of a surrogate pair"
    if isinstance(value, float):
        return None if math.isfinite(value) else "not a finite number"
    return None if value is None or isinstance(value, bool | int) else f"{type(value).__name__} is not plain data"


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
