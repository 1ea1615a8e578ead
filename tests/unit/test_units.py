"""Exact amounts: Java's rounding, ratios, sizes, dates."""

from __future__ import annotations

import math
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simclone.allocator.rules.capacity import least_available
from simclone.units import (
    GIB,
    KIB,
    MAX_AMOUNT,
    MIB,
    TIB,
    divided,
    format_size,
    java_round,
    multiplied,
    parse_size,
    wire_date,
)

RATIOS = st.sampled_from([1.0, 1.1, 1.2, 1.5, 2.0, 3.0, 0.5])


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(0.5, 1), (1.5, 2), (2.5, 3), (2.4999, 2), (-0.5, 0), (-1.5, -1), (-1.6, -2), (-2.5, -2), (0.0, 0), (7.0, 7)],
)
def test_java_round_sends_halves_towards_plus_infinity(value: float, rounded: int) -> None:
    """Java's Math.round is floor(x + 0.5), unlike Python's banker's rounding."""
    assert java_round(value) == rounded


@pytest.mark.parametrize(
    ("ratio", "down", "fit", "left"),
    [
        (1.0, 8589934592, 7, 8589934592),
        (1.2, 7158278827, 9, 4294967293),
        (1.5, 5726623061, 11, 5726623065),
        (2.0, 4294967296, 15, 4294967296),
        (3.0, 2863311531, 23, 2863311523),
    ],
)
def test_the_vectors_of_ratios(ratio: float, down: int, fit: int, left: int) -> None:
    """8 GiB VMs on a 64 GiB host that keeps 1 GiB: bytes charged, how many fit, what is left."""
    assert divided(8 * GIB, ratio) == down
    free, placed = 64 * GIB, 0
    while multiplied(free, ratio) >= 8 * GIB and free - GIB >= divided(8 * GIB, ratio):
        free, placed = free - divided(8 * GIB, ratio), placed + 1
    assert (placed, free) == (fit, left)


@pytest.mark.parametrize(("many", "drift"), [(1, 0), (2, 1), (5, 2), (10, 3)])
def test_rounding_drift_of_ratio_one_and_a_half(many: int, drift: int) -> None:
    """The sum of roundings exceeds the rounding of the sum by 1, 2 and 3 bytes (rules/host-capacity.md#vectors)."""
    assert many * divided(GIB, 1.5) - divided(many * GIB, 1.5) == drift


@given(st.integers(0, MAX_AMOUNT))
def test_ratio_one_changes_nothing(amount: int) -> None:
    """At ratio 1 amounts stay exact, also where a double could not hold them."""
    assert divided(amount, 1.0) == multiplied(amount, 1.0) == amount


@given(st.integers(0, 1 << 45), RATIOS)
def test_division_and_multiplication_are_java_roundings(amount: int, ratio: float) -> None:
    """Both directions round once, halves up, in IEEE doubles."""
    assert divided(amount, ratio) == math.floor(amount / ratio + 0.5)
    assert multiplied(amount, ratio) == math.floor(amount * ratio + 0.5)


@given(st.integers(1, 1 << 45), RATIOS)
def test_least_available_is_the_smallest_that_looks_big_enough(memory: int, ratio: float) -> None:
    """One byte less and memUp(free) falls below the request."""
    least = least_available(memory, ratio)
    assert multiplied(least, ratio) >= memory
    assert multiplied(least - 1, ratio) < memory


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("1K", KIB),
        ("1kb", KIB),
        ("1.5GiB", 3 * GIB // 2),
        ("256GiB", 256 * GIB),
        ("10T", 10 * TIB),
        (" 2 M ", 2 * MIB),
        ("1P", 1 << 50),
        (512, 512),
        ("0.5KiB", 512),
    ],
)
def test_sizes_are_binary(text: object, amount: int) -> None:
    """Sizes with a unit are binary multiples, as in ZStack."""
    assert parse_size(text) == amount


@pytest.mark.parametrize("text", ["", "x", "1X", "-1", -1, 1.5, True, None, "1.1B", "0.3K", "9E", 1 << 63, "9000000T"])
def test_what_is_no_size_is_refused_with_a_reason(text: object) -> None:
    """Fractions of bytes, negative, boolean and unknown spellings raise ValueError that says why."""
    with pytest.raises(ValueError, match=r"size|bytes|EiB"):
        parse_size(text)


@given(st.integers(0, MAX_AMOUNT))
def test_integers_are_their_own_size(amount: int) -> None:
    """Every byte count of a database column is read as it is, also as text."""
    assert parse_size(amount) == parse_size(str(amount)) == amount


@given(st.integers(-(1 << 60), 1 << 60))
def test_format_names_the_largest_unit_that_fits(amount: int) -> None:
    """What people read is the size within 5 % of a unit, with its sign."""
    number, unit = format_size(amount).split()
    base = {"B": 1, "KiB": KIB, "MiB": MIB, "GiB": GIB, "TiB": TIB, "PiB": 1 << 50}[unit]
    assert abs(float(number) * base - amount) <= base / 20 + abs(amount) * 1e-9


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "Nov 14, 2017 10:20:57 PM"),
        (1_000_000 * 5943, "Nov 15, 2017 12:00:00 AM"),
        (1_000_000 * (5943 + 43200), "Nov 15, 2017 12:00:00 PM"),
        (999_999, "Nov 14, 2017 10:20:57 PM"),
    ],
)
def test_dates_are_written_as_the_api_writes_them(at: int, text: str) -> None:
    """US English month, twelve hours, AM and PM, whole seconds."""
    assert wire_date(datetime(2017, 11, 14, 22, 20, 57), at) == text
