"""Keyed draws: the same identity always draws the same, and a lazy walk is a shuffle."""

from __future__ import annotations

import random
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simclone.chance import MASK, Chance, Identity, Order, below, born_uuid, draw, mix, place_uuid, root, word
from tests.clouds import examples

WORDS = st.integers(0, MASK)


def _splitmix64(seed: int) -> list[int]:
    """The published generator: add the golden gamma, then finalise."""
    found = []
    for _ in range(3):
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        found.append(mix(seed))
    return found


def test_mix_is_the_finaliser_of_splitmix64() -> None:
    """The first outputs of splitmix64 seeded with 1234567 are the published ones."""
    assert _splitmix64(1234567) == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(WORDS, WORDS)
def test_mix_is_a_bijection_on_64_bits(one: int, other: int) -> None:
    """Different words mix to different words inside 64 bits."""
    assert 0 <= mix(one) <= MASK
    assert (mix(one) == mix(other)) == (one == other)


def test_key_is_root_then_each_part_mixed_in() -> None:
    """The key follows the written formula: source, ordinal, position, purpose, occasion, each mixed into the root."""
    key = root("tie", 7, 2)
    for part in (word("stream"), 5, 3, word("host"), 1):
        key = mix(key ^ part)
    assert Chance(7, 2).key(Identity("stream", 5, 3, 1), "host") == key


@pytest.mark.parametrize(
    "other",
    [
        (Chance(8, 2), Identity("stream", 5, 3, 1), "host"),
        (Chance(7, 3), Identity("stream", 5, 3, 1), "host"),
        (Chance(7, 2), Identity("trace", 5, 3, 1), "host"),
        (Chance(7, 2), Identity("stream", 6, 3, 1), "host"),
        (Chance(7, 2), Identity("stream", 5, 4, 1), "host"),
        (Chance(7, 2), Identity("stream", 5, 3, 2), "host"),
        (Chance(7, 2), Identity("stream", 5, 3, 1), "ip"),
    ],
)
def test_every_part_of_an_identity_moves_the_key(other: tuple[Chance, Identity, str]) -> None:
    """Seed, replication, source, ordinal, position, occasion and purpose each give another key."""
    chance, identity, purpose = other
    assert chance.key(identity, purpose) != Chance(7, 2).key(Identity("stream", 5, 3, 1), "host")


@given(st.integers(0, 1 << 200))
def test_any_seed_is_good(seed: int) -> None:
    """Seeds beyond 64 bits are taken whole: their high part counts."""
    assert 0 <= root("tie", seed, 0) <= MASK
    assert root("tie", seed, 0) != root("tie", seed + (1 << 64), 0)


@given(WORDS, st.integers(1, 1 << 40))
def test_below_stays_below(found: int, size: int) -> None:
    """A draw scaled to a size lies in 0 … size-1, at the exact quotient."""
    assert below(found, size) == found * size // (1 << 64)
    assert 0 <= below(found, size) < size


@given(WORDS, st.lists(st.integers(0, 40), max_size=6))
def test_walk_yields_everybody_once_and_lazily(key: int, sizes: list[int]) -> None:
    """Each class is walked through without loss or repetition, and the beginning does not depend on how far it goes."""
    order = Order(key)
    walked = [list(order.walk(range(size))) for size in sizes]
    assert [sorted(one) for one in walked] == [list(range(size)) for size in sizes]
    again = Order(key)
    for size, one in zip(sizes, walked, strict=True):
        places = again.places(size)
        assert [next(places) for _ in range(size)] == one


@given(WORDS, st.integers(1, 30))
def test_walk_is_fisher_yates_by_the_written_rule(key: int, size: int) -> None:
    """At step s the host at j = s + (u_t * (m - s) >> 64) is swapped to s and tried."""
    places = list(range(size))
    for step in range(size - 1):
        other = step + (draw(key, step) * (size - step) >> 64)
        places[step], places[other] = places[other], places[step]
    assert list(Order(key).places(size)) == places


@given(WORDS)
def test_turns_run_on_across_classes(key: int) -> None:
    """The t-th host tried uses draw t, whether the hosts stand in one class or several."""
    order = Order(key)
    list(order.walk("ab"))
    second = 0 + (draw(key, 2) * 3 >> 64)
    assert next(order.walk("cde")) == "cde"[second]


@given(st.integers(0, 50))
def test_without_chance_the_lowest_rank_wins(size: int) -> None:
    """Under tieBreak lowestUuid every class is walked in rank order."""
    assert list(Chance(3, ties_lowest=True).order(Identity("api", 1), "host").places(size)) == list(range(size))


def _chi_square(counts: Counter[tuple[int, ...]], cells: int, draws: int) -> float:
    expected = draws / cells
    return sum((counts[cell] - expected) ** 2 / expected for cell in counts) + expected * (cells - len(counts))


KEYS = (1, 0, 1, 0, 1)
DRAWS = 12_000


def test_order_is_distributed_like_a_shuffle_and_a_stable_sort() -> None:
    """Over fixed keys all 12 orders of classes of two and three come equally often, as they do by shuffling."""
    cells = {
        (*best, *rest)
        for best in permutations([h for h in range(5) if not KEYS[h]])
        for rest in permutations([0, 2, 4])
    }
    keyed: Counter[tuple[int, ...]] = Counter()
    shuffled: Counter[tuple[int, ...]] = Counter()
    dice = random.Random(20171114)
    for turn in range(DRAWS):
        order = Chance(1).order(Identity("api", turn), "host")
        keyed[(*order.walk((1, 3)), *order.walk((0, 2, 4)))] += 1
        hosts = list(range(5))
        dice.shuffle(hosts)
        shuffled[tuple(sorted(hosts, key=lambda host: KEYS[host]))] += 1
    assert set(keyed) == set(shuffled) == cells
    critical = 31.26  # 11 degrees of freedom, p = 0.001
    assert _chi_square(keyed, 12, DRAWS) < critical
    assert _chi_square(shuffled, 12, DRAWS) < critical
    assert sum((keyed[c] - shuffled[c]) ** 2 / (keyed[c] + shuffled[c]) for c in cells) < critical


@pytest.mark.parametrize("vary", ["ordinal", "position", "occasion", "seed", "replication"])
def test_first_host_is_uniform_along_every_part_of_the_identity(vary: str) -> None:
    """Whichever part of the identity counts up, the first of seven equal hosts is each of them equally often."""
    counts: Counter[tuple[int, ...]] = Counter()
    for turn in range(7_000):
        at = {"ordinal": 0, "position": 0, "occasion": 0, "seed": 0, "replication": 0, vary: turn}
        chance = Chance(at["seed"], at["replication"])
        identity = Identity("api", at["ordinal"], at["position"], at["occasion"])
        counts[(next(chance.order(identity, "host").places(7)),)] += 1
    assert _chi_square(counts, 7, 7_000) < 22.46  # 6 degrees of freedom, p = 0.001


@settings(max_examples=examples(40))
@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=30))
def test_place_uuids_ascend_in_declaration_order(names: list[str]) -> None:
    """Uuids made from place and name are 32 hex digits whose order is the order of the file."""
    made = [place_uuid("host", name, place) for place, name in enumerate(names)]
    assert made == sorted(made)
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in made)
    assert place_uuid("host", names[0], 0) != place_uuid("cluster", names[0], 0)


def test_born_uuids_differ_by_seed_kind_and_serial() -> None:
    """What is born in a run has a uuid of its own, the same on every machine."""
    made = {born_uuid(s, kind, n) for s in (0, 1) for kind in ("vm", "volume") for n in range(50)}
    assert len(made) == 200
    assert born_uuid(0, "vm", 0) == born_uuid(0, "vm", 0)
