"""Exact amounts: sizes in bytes, ZStack's rounding, calendar time."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from functools import lru_cache

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
MICROSECOND = 1
SECOND = 1_000_000
MAX_AMOUNT = (1 << 63) - 1
"""The largest amount a ZStack database column holds (a signed 64-bit integer)."""

_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_SIZE = re.compile(r"^\s*(\d+)(?:\.(\d+))?\s*([KMGTP]?)(?:I?B)?\s*$", re.IGNORECASE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def java_round(value: float) -> int:
    """ZStack's rounding, Java's ``Math.round``: floor(x + 0.5), halves towards plus infinity.

    >>> [java_round(x) for x in (0.5, 1.5, 2.4, -0.5)]
    [1, 2, 2, 0]
    """
    return math.floor(value + 0.5)


def divided(amount: int, ratio: float) -> int:
    """*amount* bytes as they count on a host or storage over-provisioned by *ratio* (rules/host-capacity.md#ratios).

    >>> divided(8 * GIB, 1.2)
    7158278827
    """
    return amount if ratio == 1.0 else java_round(amount / ratio)


def multiplied(amount: int, ratio: float) -> int:
    """Free bytes of a host or storage as they look to a request (rules/host-capacity.md#ratios)."""
    return amount if ratio == 1.0 else java_round(amount * ratio)


def parse_size(value: object) -> int:
    """Bytes of an integer or of a string with a binary unit; raises ValueError with a reason.

    >>> parse_size("256GiB") == 256 * GIB, parse_size("10T") == 10 * TIB, parse_size(512)
    (True, True, 512)
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("not a size")
    amount = value if isinstance(value, int) else _parse_text(value)
    if amount < 0:
        raise ValueError("negative size")
    if amount > MAX_AMOUNT:
        raise ValueError("size beyond 8 EiB")
    return amount


def _parse_text(text: str) -> int:
    match = _SIZE.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size")
    whole, fraction, unit = match.group(1), match.group(2) or "", match.group(3).upper()
    scaled: int = int(whole + fraction) << (10 * _POWERS[unit])
    amount, others = divmod(scaled, int(10 ** len(fraction)))
    if others:
        raise ValueError(f"{text!r} is not a whole number of bytes")
    return amount


def format_size(amount: int) -> str:
    """A size for people, binary units, at most one decimal.

    >>> format_size(1536 * MIB), format_size(0), format_size(-GIB)
    ('1.5 GiB', '0 B', '-1 GiB')
    """
    magnitude = abs(amount)
    for unit, base in (("PiB", 1 << 50), ("TiB", TIB), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if magnitude >= base:
            text = f"{magnitude / base:.1f}".removesuffix(".0")
            return f"{'-' if amount < 0 else ''}{text} {unit}"
    return f"{amount} B"


def plural(number: int, thing: str) -> str:
    """A number of things.

    >>> plural(1, "host"), plural(2, "host")
    ('1 host', '2 hosts')
    """
    return f"{number} {thing}{'' if number == 1 else 's'}"


@lru_cache(maxsize=1024)
def wire_date(start: datetime, at_us: int) -> str:
    """Calendar time *at_us* microseconds after *start* as the API writes dates.

    >>> wire_date(datetime(2017, 11, 14, 22, 20, 57), 0)
    'Nov 14, 2017 10:20:57 PM'
    """
    moment = start + timedelta(microseconds=at_us)
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return (
        f"{_MONTHS[moment.month - 1]} {moment.day}, {moment.year} {hour}:{moment.minute:02}:{moment.second:02} {half}"
    )
