"""Exact numbers out of text: whole ones, and seconds and sizes with a fraction, as integers of the base unit.

A float would do for the published files, but not for every file somebody cuts or makes, and amounts are exact
integers everywhere in simclone. Every parser raises ValueError with a reason for the reader to report.
"""

from __future__ import annotations

from collections.abc import Callable

from simclone.traces.lines import shown
from simclone.units import MAX_AMOUNT, SECOND, parse_size

Parser = Callable[[str], int]

LATEST_US = MAX_AMOUNT // 2
"""The longest time a trace may give, so that an arrival plus a lifetime is still a 64-bit amount."""

_MOST_DIGITS = len(str(MAX_AMOUNT))
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


def decimal(text: str, digits: int, unit: str, finest: str, most: int = LATEST_US) -> int:
    """A decimal number × 10 ** *digits*, exactly; *unit* and *finest* name the number and its last digit in faults.

    >>> decimal("-0.25", 3, "milliseconds", "a microsecond")
    -250
    """
    sign, unsigned = (-1, text[1:]) if text.startswith("-") else (1, text)
    before, dot, after = unsigned.partition(".")
    if not (unsigned.isascii() and before.isdigit() and (after.isdigit() or not dot)):
        raise ValueError(f"{shown(text)} is not a number of {unit}")
    after = after.rstrip("0")
    if len(after) > digits:
        raise ValueError(f"{shown(text)} is finer than {finest}")
    if len(before) > _MOST_DIGITS or (amount := int(before + after.ljust(digits, "0"))) > most:
        raise ValueError(f"{shown(text)} is out of range")
    return sign * amount


def seconds(text: str) -> int:
    """Microseconds of decimal seconds, which may be negative; finer than a microsecond is refused.

    >>> seconds("194.0"), seconds("0.25"), seconds("-3")
    (194000000, 250000, -3000000)
    """
    before, dot, after = text.partition(".")
    if len(before) < _SHORT and (after == "0" or not dot) and before.isascii() and before.isdigit():
        return int(before) * SECOND
    return decimal(text, 6, "seconds", "a microsecond")


def milliseconds(text: str) -> int:
    """Microseconds of decimal milliseconds, which may be negative.

    >>> milliseconds("1.5")
    1500
    """
    return decimal(text, 3, "milliseconds", "a microsecond")


def vcpus(text: str) -> int:
    """Thousandths of a decimal number of vCPU.

    >>> vcpus("0.25"), vcpus("16")
    (250, 16000)
    """
    if text.startswith("-"):
        raise ValueError(f"{shown(text)} is not a number of vCPU")
    return decimal(text, 3, "vCPU", "1/1000 vCPU", MAX_AMOUNT)


def sizes(unit: str) -> Parser:
    """A parser of decimal numbers of *unit* (such as GiB) that answers whole bytes.

    >>> sizes("GiB")("0.5")
    536870912
    """

    def parse(text: str) -> int:
        if not text.isascii() or not text[:1].isdigit() or not text[-1:].isdigit():
            raise ValueError(f"{shown(text)} is not a number of {unit}")
        return parse_size(f"{text}{unit}")

    return parse


count = whole()
"""A parser of plain counts."""

MOST_COPIES = 1_000_000
COPIES_EXPECTED = f"a whole number from 1 to {MOST_COPIES}"
copies = whole(least=1, most=MOST_COPIES)
"""A parser of how many like VMs one line stands for."""

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
