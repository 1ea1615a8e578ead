"""Entries that stand for many: ``count: 40`` with a name such as ``h{n:03}``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from simclone.scenario.findings import Findings, Path

_PATTERN = re.compile(r"\{n(?::0(\d{1,2}))?\}")


def numbered(pattern: str, number: int) -> str:
    """The name of the *number*-th (from 1) of a pattern.

    >>> numbered("h{n:03}", 7), numbered("web-{n}", 7)
    ('h007', 'web-7')
    """
    return _PATTERN.sub(lambda match: str(number).zfill(int(match.group(1) or 0)), pattern)


def has_number(pattern: str) -> bool:
    """True when a name holds a place for a number."""
    return _PATTERN.search(pattern) is not None


def expanded(docs: list[Any], paths: list[Path], findings: Findings, field: str = "name") -> Iterator[tuple[Any, Path]]:
    """Every single entry with the path of the entry it came from."""
    for doc, path in zip(docs, paths, strict=True):
        count = getattr(doc, "count", None)
        if count is None:
            yield doc, path
            continue
        pattern = getattr(doc, field)
        if not has_number(pattern):
            findings.add(
                (*path, field), f"{pattern!r} would name {count} entries", "a place for the number: {n} or {n:03}"
            )
            continue
        for unique in ("uuid", "ips"):
            if getattr(doc, unique, None):
                findings.add((*path, unique), f"cannot be given for {count} entries at once")
        for number in range(1, count + 1):
            yield doc.model_copy(update={field: numbered(pattern, number), "count": None}), path
