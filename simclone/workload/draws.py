"""The uniforms of a stream: one generator per named stream, the same number for every request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from zlib import crc32

import numpy as np
import numpy.typing as npt

from simclone.chance import mix
from simclone.workload.laws import Floats

GAP, SIZE, OFFSET, MIX, BATCH, LIFE = range(6)
"""What each uniform of a request is for; one that is not needed is drawn all the same."""
DRAWS = 6
ROWS = 256
"""Requests drawn at once; it changes no draw."""


@dataclass(slots=True)
class Block:
    """The uniforms of consecutive requests from ordinal *first* on: ``u[GAP]`` are those of all gaps."""

    first: int
    u: Floats


def generator(stream: str, seed: int, replication: int) -> np.random.Generator:
    """The generator of one named stream, whatever other streams there are."""
    key = (replication, crc32(stream.encode()))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def blocks(stream: str, seed: int, replication: int) -> Iterator[Block]:
    """The uniforms of a stream, without end."""
    drawn = generator(stream, seed, replication)
    first = 0
    while True:
        yield Block(first, np.ascontiguousarray(drawn.random((ROWS, DRAWS)).T))
        first += ROWS


def per_clone(u: Floats, counts: npt.NDArray[np.int64]) -> Floats:
    """Independent uniforms for each clone of requests of *counts* clones, made from one uniform per request."""
    ends = np.cumsum(counts)
    position = np.arange(ends[-1], dtype=np.uint64) - np.repeat((ends - counts).astype(np.uint64), counts)
    keys = _mixed((u * 2.0**53).astype(np.uint64) + np.uint64(1))
    return np.asarray((_mixed(np.repeat(keys, counts) ^ position) >> np.uint64(11)) * 2.0**-53)


def _mixed(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return cast(npt.NDArray[np.uint64], mix(cast(Any, words)))
