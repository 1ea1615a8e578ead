"""The most clones of all requests that could run: every subset of them and every assignment is tried.

Calls come in the order of the file. A call that its checks refuse places nothing, since every strategy meets them; else
each of its clones is placed on any host that passes every filter, or left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.planning import headroom, rules, shrink
from tests.oracle.planning.rules import Call, Cloud, OpenCall


def most(cloud: Cloud, calls: Sequence[tuple[Call, int]]) -> int:
    """The number of clones no strategy can beat."""
    states: dict[headroom.State, tuple[Cloud, int]] = {(): (cloud, 0)}
    for at, (call, names) in enumerate(calls):
        following: dict[headroom.State, tuple[Cloud, int]] = {}
        for state, count in states.values():
            after = state.copy()
            opened = rules.open_call(after, call, names)
            ended = {(): (after, count)} if opened is None else _clones(after, opened, count, at, names)
            for result, number in ended.values():
                _keep(following, result, number)
        states = following
    return max(count for _, count in states.values())


def _clones(cloud: Cloud, opened: OpenCall, count: int, at: int, names: int) -> dict[headroom.State, tuple[Cloud, int]]:
    """Clouds after an open call, by what matters to the calls that follow, with the most clones placed so far."""
    states: dict[headroom.State, tuple[Cloud, int]] = {(): (cloud, count)}
    for turn in range(names):
        following: dict[headroom.State, tuple[Cloud, int]] = {}
        for state, number in states.values():
            vm = rules.clone_of(state, opened.call, f"clone-{at}-{turn}")
            _keep(following, state, number)
            for after in shrink.starts(state, opened.call, vm):
                _keep(following, after, number + 1)
        states = following
    return states


def _keep(states: dict[headroom.State, tuple[Cloud, int]], cloud: Cloud, count: int) -> None:
    key = shrink.key_of(cloud)
    if key not in states or states[key][1] < count:
        states[key] = (cloud, count)
