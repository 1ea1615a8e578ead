"""Places in a scenario's data by dotted path, such as ``hosts.host-3.cpuNum`` or ``requests.0.at``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simclone.errors import Fault, InvalidInput
from simclone.scenario.findings import nearest
from simclone.scenario.reading.expand import numbered

_FLAT = frozenset({"globalConfig", "fidelity", "quota"})
"""Mappings whose keys hold dots themselves."""
_COUNTED = frozenset({"hosts", "vms"})


def expand_counted(data: dict[str, Any], key: str, field: str = "name") -> None:
    """Put every single entry in the place of those that stand for many; names (in *field*) and order stay."""
    result: list[Any] = []
    for entry in data.get(key, ()):
        count = entry.get("count")
        if count is None:
            result.append(entry)
            continue
        others = {name: value for name, value in entry.items() if name != "count"}
        result.extend({**others, field: numbered(entry[field], number)} for number in range(1, count + 1))
    data[key] = result


def get_path(data: dict[str, Any], path: str) -> Any:
    """The value at *path*, None where nothing stands; raises InvalidInput for a path that leads nowhere."""
    parent, key = _parent(data, path)
    if isinstance(parent, list):
        return parent[int(key)]
    return parent.get(key)


def set_path(data: dict[str, Any], path: str, value: Any) -> None:
    """Write *value* at *path*, or take the key out for None; raises InvalidInput for a path that leads nowhere.

    Entries of lists are named by their name, uuid or place from 0; one of many equal ones (``count``) becomes an
    entry of its own.
    """
    parent, key = _parent(data, path)
    if isinstance(parent, list):
        parent[int(key)] = value
    elif value is None:
        parent.pop(key, None)
    else:
        parent[key] = value


def _parent(data: dict[str, Any], path: str) -> tuple[Any, str]:
    """The container of the last step, and that step."""
    matching: Any = data
    others, finished = path, ""
    while True:
        if isinstance(matching, list):
            name, others = _entry(matching, others, path)
        else:
            name, _, others = others.partition(".")
        if not others:
            return matching, name
        finished = f"{finished}.{name}" if finished else name
        if finished in _COUNTED and any("count" in entry for entry in matching.get(name, ())):
            expand_counted(matching, name)
        below = matching[int(name)] if isinstance(matching, list) else matching.setdefault(name, {})
        if name in _FLAT:
            return below, others
        if not isinstance(below, dict | list):
            raise InvalidInput([Fault(path, f"{finished} holds no further keys", "a path of the scenario's file")])
        matching = below


def _entry(entries: list[Any], rest: str, path: str) -> tuple[str, str]:
    """Which entry of a list the path goes on with, by place, name or uuid (names may hold dots), and what is left."""
    head, _, tail = rest.partition(".")
    if head.isdigit() and int(head) < len(entries):
        return head, tail
    result = [
        (len(word), str(index_in_list))
        for index_in_list, entry in enumerate(entries)
        for word in _words(entry)
        if rest == word or rest.startswith(f"{word}.")
    ]
    if not result:
        known = nearest(head, (word for entry in entries for word in _words(entry)))
        hint = f"a place from 0 to {len(entries) - 1}" if entries else "an entry, but the list is empty"
        raise InvalidInput([Fault(path, f"there is no {head!r}", known or hint)])
    length, position = max(result)
    return position, rest[length + 1 :]


def _words(entry: Any) -> Iterator[str]:
    for key in ("name", "uuid", "host"):
        if isinstance(entry, dict) and isinstance(entry.get(key), str):
            yield entry[key]
