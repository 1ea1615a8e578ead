"""Quick records are what the plain dataclasses are, and a log of events reads like the list it stands for."""

from __future__ import annotations

import pickle
from copy import copy, deepcopy
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from inspect import signature
from typing import Any

import pytest

from simclone.model.ledger.events import EventLog
from simclone.quick import changed, quick
from simclone.records import Event


@dataclass(frozen=True, slots=True)
class Plain:
    """Two fields, one with a default."""

    name: str
    amounts: tuple[int, ...] = (1, 2)


@quick
@dataclass(frozen=True, slots=True)
class Made:
    """As `Plain`."""

    name: str
    amounts: tuple[int, ...] = (1, 2)


def test_a_quick_record_is_as_its_plain_twin() -> None:
    """Fields, defaults, text, hash, equality, copies."""
    plain, made = Plain("a"), Made("a")
    assert asdict(plain) == asdict(made)
    assert repr(made) == repr(plain).replace("Plain", "Made")
    assert hash(made) == hash(plain)
    assert made == Made(name="a", amounts=(1, 2)) != Made("b")
    assert type(made) is Made
    assert list(signature(Made).parameters) == [one.name for one in fields(Plain)]
    for twin in (copy(made), deepcopy(made), pickle.loads(pickle.dumps(made)), replace(made), changed(made)):
        assert twin == made
        assert type(twin) is Made
    assert changed(made, name="b") == replace(made, name="b") == Made("b")


def test_a_quick_record_stays_as_it_is() -> None:
    """No field can be written, none added, none left out."""
    made = Made("a")
    for name in ("name", "amounts", "other"):
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            setattr(made, name, "b")
    with pytest.raises(TypeError):
        Made()  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        changed(made, other=1)
    assert made == Made("a")


def test_what_the_constructor_cannot_do_is_refused() -> None:
    """Default factories, fields without a place in the constructor, work after it."""

    @dataclass(frozen=True, slots=True)
    class Factory:
        rows: list[int] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Derived:
        name: str = field(init=False, default="")

    @dataclass(frozen=True, slots=True)
    class Late:
        name: str

        def __post_init__(self) -> None:
            """Something."""

    for cls in (Factory, Derived, Late):
        with pytest.raises(TypeError):
            quick(cls)


def a_log() -> tuple[EventLog, list[Event]]:
    """Three rows of every spelling, and the events they stand for."""
    log = EventLog()
    log.rows.append((5, "hold", "vm", 1, "host", 2, ("cpu", "memory"), (3, 4), "why"))
    log.rows.append((6, "set", "host", None, "host/2", None, None, (("state", 1),), ""))
    log.rows.append((7, "vm", "vm", 1, "account", -1, (), (), ""))
    events = [
        Event(0, 5, "hold", "vm/1", "host/2", (("cpu", 3), ("memory", 4)), "why"),
        Event(1, 6, "set", "host", "host/2", (("state", 1),)),
        Event(2, 7, "vm", "vm/1", "account/-1"),
    ]
    return log, events


def test_a_log_reads_like_a_list() -> None:
    """Length, places, slices, order, equality, text."""
    log, events = a_log()
    found: Any = log
    assert len(log) == 3
    assert (log[0], log[-1], log[1:], list(log)) == (events[0], events[-1], events[1:], events)
    assert found == events
    assert found == tuple(events)
    assert found == a_log()[0]
    assert found != events[:2]
    assert found != 3
    assert repr(log) == repr(events)
    assert list(pickle.loads(pickle.dumps(log))) == events


def test_a_standing_log_does_not_grow() -> None:
    """What happens later is in the log that goes on only."""
    log, events = a_log()
    before = log.standing()
    assert list(log) == events
    log.rows.append((8, "vm", "vm", 2, "account", -1, (), (), ""))
    assert len(before) == 3
    assert list(before) == events
    assert [one.serial for one in log] == [0, 1, 2, 3]
