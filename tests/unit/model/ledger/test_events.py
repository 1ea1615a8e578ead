"""A log of events reads like the list it stands for."""

from __future__ import annotations

import pickle
from typing import Any

from simclone.model.ledger.events import EventLog
from simclone.records import Event


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
