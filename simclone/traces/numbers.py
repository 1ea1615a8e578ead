"""Exact numbers out of text: whole ones, and seconds and sizes with a fraction, as integers of the base unit.

A float would do for the published files, but not for every file somebody cuts or makes, and amounts are exact
integers everywhere in simclone. Every parser raises ValueError with a reason for the reader to report.
"""

from __future__ import annotations

from collections.abc import Callable

from simclone.traces.lines import shown
from simclone.units import MAX_AMOUNT, SECOND

Parser = Callable[[str], int]

LATEST_US = MAX_AMOUNT // 2
"""The longest time a trace may give, so that an arrival plus a lifetime is still a 64-bit amount."""

_MOST_DIGITS = len(str(MAX_AMOUNT))
_SECOND_DIGITS = 6
_SHORT = 12
"""Fewer digits of whole seconds are in range whatever they are."""


def whole(scale: int = 1, *, least: int = 0, most: int = MAX_AMOUNT) -> Parser:
    """A parser of whole numbers from *least* to *most* (both in the unit of the file) that answers × *scale*.

    >>> whole(1000)("16"), whole()("0")
    (16000, 0)
    """

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"{shown(text)} is not a whole number")
        number = int(text) if len(text) <= _MOST_DIGITS else most + 1
        if not least <= number <= most or number * scale > MAX_AMOUNT:
            raise ValueError(f"{shown(text)} is out of range")
        return number * scale

    return parse


def seconds(text: str) -> int:
    """Microseconds of decimal seconds, which may be negative; finer than a microsecond is refused.

    >>> seconds("194.0"), seconds("0.25"), seconds("-3")
    (194000000, 250000, -3000000)
    """
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    before, dot, after = digits.partition(".")
    if len(before) < _SHORT and (after == "0" or not dot) and before.isascii() and before.isdigit():
        return sign * int(before) * SECOND
    if not (digits.isascii() and before.isdigit() and (after.isdigit() or not dot)):
        raise ValueError(f"{shown(text)} is not a number of seconds")
    after = after.rstrip("0")
    if len(after) > _SECOND_DIGITS:
        raise ValueError(f"{shown(text)} is finer than a microsecond")
    if len(before) > _MOST_DIGITS or (micros := int(before + after.ljust(_SECOND_DIGITS, "0"))) > LATEST_US:
        raise ValueError(f"{shown(text)} is out of range")
    return sign * micros


count = whole()
"""A parser of plain counts."""

moment = whole(SECOND, most=LATEST_US // SECOND)
"""A parser of whole seconds that answers microseconds."""


def share(text: str) -> int:
    """Parts per million of a decimal number from 0 to 1.

    >>> share("0.25"), share("1")
    (250000, 1000000)
    """
    parts = seconds(text)
    if not 0 <= parts <= SECOND:
        raise ValueError(f"{shown(text)} is not from 0 to 1")
    return parts
