"""How many more clones fit, told by making one after the other.

This is what the allocator does, not what would be possible: where it may choose among equal hosts, each choice is
followed, and the answer is the set of numbers that may come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tests.oracle.planning import losses, rules
from tests.oracle.planning.rules import Call, Cloud, OpenCall

State = tuple[object, ...]


def state_of(cloud: Cloud) -> State:
    """What decides about further clones: VMs and their sizes on each host, bytes left of each storage and share."""
    hosts = tuple(tuple(sorted((vm.cpu, vm.memory) for vm in cloud.on(host))) for host in cloud.hosts)
    shares = [(name, host) for name, storage in cloud.storages.items() for host in (None, *storage.shares)]
    return hosts, tuple(rules.free_space(cloud, *share) for share in shares)


def starts(cloud: Cloud, opened: OpenCall, name: str) -> Iterator[Cloud | None]:
    """Clouds in which one more clone of an open call runs, and None where its start may fail."""
    vm = rules.clone_of(cloud, opened.call, name)
    choices = rules.clone_choices(cloud, opened, vm)
    if not choices:
        yield None
    for choice in choices:
        if choice.storage is None:
            yield None
            continue
        after = cloud.copy()
        rules.start_clone(after, replace(opened, cached=set(opened.cached)), vm, choice)
        yield after


def calls(cloud: Cloud, call: Call, size: int) -> Iterator[Cloud | None]:
    """Clouds after a call of so many names that was served whole, and None where it may not be.

    Only calls of one name cache their image here; larger ones are counted for sources without written bytes.
    """
    after = cloud.copy()
    opened = rules.open_call(after, call, size)
    if opened is None:
        yield None
        return
    assert size == 1 or not opened.written
    states: dict[State, Cloud] = {state_of(after): after}
    for turn in range(size):
        following: dict[State, Cloud] = {}
        for state in states.values():
            for result in starts(state, opened, f"more-{len(state.vms)}-{turn}"):
                if result is None:
                    yield None
                else:
                    following[state_of(result)] = result
        states = following
    yield from states.values()


def whole_calls(cloud: Cloud, call: Call, size: int) -> set[int]:
    """How many calls of so many names may be served whole, one after the other."""
    result, level, number = set[int](), {state_of(cloud): cloud}, 0
    while level:
        following: dict[State, Cloud] = {}
        for state in level.values():
            for after in calls(state, call, size):
                if after is None:
                    result.add(number)
                else:
                    following[state_of(after)] = after
        level, number = following, number + 1
    return result


def room(cloud: Cloud, call: Call) -> set[int]:
    """How many clones may be placed, one call each, before the first that fails."""
    return whole_calls(cloud, call, 1)


def one_call(cloud: Cloud, call: Call) -> set[int]:
    """How many clones one call of very many names may place before its first that fails; none when it is refused.

    Neither the full check nor a quota looks at these: both count the names of a call beforehand.
    """
    after = cloud.copy()
    opened = rules.open_call(after, call, 1)
    if opened is None:
        return {0}
    result, number = set[int](), 0
    level = {(state_of(after), frozenset[tuple[str, str | None]]()): (after, opened)}
    while level:
        following = {}
        for state, open_ in level.values():
            vm = rules.clone_of(state, call, f"more-{number}")
            choices = rules.clone_choices(state, open_, vm)
            if not choices or any(choice.storage is None for choice in choices):
                result.add(number)
            for choice in choices:
                if choice.storage is None:
                    continue
                twin, again = state.copy(), replace(open_, cached=set(open_.cached))
                rules.start_clone(twin, again, vm, choice)
                following[state_of(twin), frozenset(again.cached)] = (twin, again)
        level, number = following, number + 1
    return result


def in_turn(weights: Sequence[int]) -> Iterator[int]:
    """Kinds by weight without end: the one that is furthest behind its share comes next, the first of equals."""
    given = [0] * len(weights)
    while True:
        total = sum(given) + 1
        behind = [total * weight - had * sum(weights) for weight, had in zip(weights, given, strict=True)]
        kind = behind.index(max(behind))
        given[kind] += 1
        yield kind


def mix(cloud: Cloud, kinds: Sequence[Call], weights: Sequence[int]) -> set[tuple[int, ...]]:
    """How many of each kind may be placed in turn by weight; a kind that fails drops out, the others go on."""
    results: set[tuple[int, ...]] = set()
    zero, none = (0,) * len(kinds), (False,) * len(kinds)
    level = {(zero, none, state_of(cloud)): (zero, none, cloud)}
    for kind in in_turn(weights):
        following = {}
        for counts, ended, state in level.values():
            if all(ended):
                results.add(counts)
                continue
            if ended[kind]:
                following[counts, ended, state_of(state)] = (counts, ended, state)
                continue
            for after in calls(state, kinds[kind], 1):
                if after is None:
                    out = tuple(flag or at == kind for at, flag in enumerate(ended))
                    following[counts, out, state_of(state)] = (counts, out, state)
                else:
                    more = tuple(count + (at == kind) for at, count in enumerate(counts))
                    following[more, ended, state_of(after)] = (more, ended, after)
        level = following
        if not level:
            return results
    return results


def rooms_after_loss(cloud: Cloud, call: Call, size: int) -> dict[tuple[str, ...], set[int]]:
    """By set of so many hosts lost: clones that may fit beside today's VMs; none where one of those stays down."""
    result = {}
    for hosts in losses.sets_of(losses.losable(cloud), size):
        numbers: set[int] = set()
        for after, down in losses.outcomes(cloud, hosts):
            numbers |= {0} if down else room(after, call)
        result[hosts] = numbers
    return result
