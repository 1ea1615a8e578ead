"""Keyed draws: every random choice of a decision is a pure function of the decision's identity.

A running generator would couple decisions: one draw more here would move every draw after it. Keyed draws do
not, so two runs that differ in a setting share their luck (common random numbers), and any decision can be made
again from the ledger's state and its identity alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from typing import TypeVar

from msgspec import Struct

T = TypeVar("T")

MASK = (1 << 64) - 1


def mix(word: int) -> int:
    """The finaliser of splitmix64 (Steele, Lea, Flood, 2014), modulo 2**64."""
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


@lru_cache(maxsize=4096)
def word(text: str) -> int:
    """A text as a 64-bit word, the same on every machine."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


@lru_cache(maxsize=64)
def root(stream: str, seed: int, replication: int) -> int:
    """The first key of a *stream* of a run; *seed* may be any non-negative integer."""
    key = mix(word(stream) ^ mix((seed & MASK) + 1))
    return mix(key ^ mix((seed >> 64) & MASK) ^ replication)


@lru_cache(maxsize=256)
def _asker(seed: int, replication: int, source: str, ordinal: int, position: int) -> int:
    """What all keys of one asker begin with."""
    key = mix(root("tie", seed, replication) ^ word(source))
    return mix(mix(key ^ ordinal) ^ position)


class Identity(Struct, frozen=True, gc=False):
    """Who asks for a decision, given where the request is made.

    *source* is the arrival stream, trace, scenario list or ``api``; *ordinal* the running number inside it;
    *position* the place in ``names``; *occasion* counts retries, storage combinations, later starts and
    migrations of the same VM.
    """

    source: str
    ordinal: int
    position: int = 0
    occasion: int = 0

    def again(self, occasion: int) -> Identity:
        """The same asker on a later *occasion*."""
        return Identity(self.source, self.ordinal, self.position, occasion)


@dataclass(frozen=True, slots=True)
class Chance:
    """The luck of one run: hands out the key of a decision.

    *ties_lowest* makes every draw of a host or storage order 0: the lowest uuid wins a tie.
    """

    seed: int = 0
    replication: int = 0
    ties_lowest: bool = False

    def key(self, identity: Identity, purpose: str) -> int:
        """The key of one decision; *purpose* is host, dryRun, primaryStorage, backupStorage, ip, mac or uuid."""
        key = _asker(self.seed, self.replication, identity.source, identity.ordinal, identity.position)
        return mix(mix(key ^ word(purpose)) ^ identity.occasion)

    def order(self, identity: Identity, purpose: str) -> Order:
        """A fresh order of candidates for one decision."""
        return Order(None if self.ties_lowest else partial(self.key, identity, purpose))


def draw(key: int, turn: int) -> int:
    """The *turn*-th 64-bit draw of a key."""
    return mix(key ^ turn)


def below(word_: int, size: int) -> int:
    """A 64-bit draw as a whole number in 0 … size-1."""
    return (word_ * size) >> 64


class Order:
    """A lazy Fisher–Yates walk through classes of equal candidates; the turn runs on across classes.

    Equal to shuffling everybody and sorting stably, without touching anybody who is not asked for. The key may be a
    function that is asked when something is drawn.

    >>> sorted(Order(7).walk(range(5)))
    [0, 1, 2, 3, 4]
    >>> list(Order(None).walk("abc"))
    ['a', 'b', 'c']
    """

    __slots__ = ("_key", "_turn")

    def __init__(self, key: int | Callable[[], int] | None) -> None:
        self._key = key
        self._turn = 0

    def _draw(self) -> int:
        if callable(self._key):
            self._key = self._key()
        return draw(self._key or 0, self._turn)

    def places(self, size: int) -> Iterator[int]:
        """The places 0 … size-1 of one class in drawn order; a class of one draws nothing."""
        swapped: dict[int, int] = {}
        for step in range(size):
            other = step
            if self._key is not None and size - step > 1:
                other = step + below(self._draw(), size - step)
            matching = swapped.get(step, step)
            chosen = swapped.get(other, other)
            swapped[other] = matching
            self._turn += 1
            yield chosen

    def walk(self, members: Sequence[T]) -> Iterator[T]:
        """The members of one class, ascending by rank, in drawn order."""
        for location in self.places(len(members)):
            yield members[location]


def place_uuid(kind: str, name: str, position: int) -> str:
    """The uuid of something declared in a file without one: rank first, then a digest of kind and name.

    Ascending uuid is declaration order, so page order, first-fit order and "lowest uuid" all agree.
    """
    digest = blake2b(f"{kind}/{name}".encode(), digest_size=12).hexdigest()
    return f"{position:08x}{digest}"


@lru_cache(maxsize=4096)
def born_uuid(seed: int, kind: str, serial: int) -> str:
    """The uuid of something born in a run (a VM, volume, card, snapshot, image or job)."""
    return blake2b(f"{seed}/{kind}/{serial}".encode(), digest_size=16).hexdigest()
