"""`headroom` against making clones one after the other under the restated rules."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from tests.oracle.planning import headroom, rules
from tests.oracle.planning.clouds import Doc, clouds, examples, sources

POLICIES = ("antiHard", "affinityHard", "antiSoft")


def answer(doc: Doc, source: str, **more: Any) -> Any:
    """The only room of the package's answer."""
    (room,) = simclone.headroom(doc, vm=source, **more).rooms
    return room


@st.composite
def asked(draw: st.DrawFn, **more: Any) -> tuple[Doc, str]:
    """A cloud, mostly with the usual strategy, and one of its sources."""
    doc = draw(clouds(strategy=draw(st.sampled_from([None, None, rules.FIRST_FIT])), **more))
    return doc, draw(st.sampled_from(sources(doc)))


@given(asked())
@settings(max_examples=examples(100))
def test_room_of_one_offering(case: tuple[Doc, str]) -> None:
    """Counted on columns or in calls, the number is one that single calls may come to."""
    doc, source = case
    possible = headroom.room(rules.cloud_of(doc), rules.Call(source))
    for method in ({}, {"one_by_one": True}):
        found = answer(doc, source, **method)
        assert found.until_failure in possible
        assert found.total in possible
        assert found.until_failure <= found.total


@given(asked(has_quotas=True))
@settings(max_examples=examples(50))
def test_room_of_an_account(case: tuple[Doc, str]) -> None:
    """Limits of the account that asks, and those of the source's owner in the dry run, end the count."""
    doc, source = case
    possible = headroom.room(rules.cloud_of(doc), rules.Call(source, account="u"))
    assert answer(doc, source, account="u").total in possible


@given(asked(policies=POLICIES))
@settings(max_examples=examples(50))
def test_room_of_members_of_a_group(case: tuple[Doc, str]) -> None:
    """Clones that join a group with members keep its rule."""
    doc, source = case
    possible = headroom.room(rules.cloud_of(doc), rules.Call(source, group="g"))
    assert answer(doc, source, system_tags=["affinityGroupUuid::g"]).total in possible


@given(asked(most_hosts=4), st.integers(2, 3))
@settings(max_examples=examples(50))
def test_whole_batches(case: tuple[Doc, str], size: int) -> None:
    """Calls of so many names that are served whole."""
    doc, source = case
    possible = headroom.whole_calls(rules.cloud_of(doc), rules.Call(source), size)
    assert answer(doc, source, batch=size).batches in possible


@given(asked(most_hosts=4), st.sampled_from([{"unit": 2, "wide": 1}, {"tall": 1, "odd": 1}, {"wide": 1, "unit": 3}]))
@settings(max_examples=examples(50))
def test_a_mix_in_turn(case: tuple[Doc, str], weights: dict[str, int]) -> None:
    """Two offerings by weight, each until it finds no place."""
    doc, source = case
    kinds = [rules.Call(source, offering=name) for name in weights]
    possible = headroom.mix(rules.cloud_of(doc), kinds, list(weights.values()))
    rooms = {room.name: room.total for room in simclone.headroom(doc, vm=source, mix=weights).rooms}
    assert tuple(rooms[name] for name in weights) in possible


@given(asked(most_hosts=4, most_vms=4), st.integers(1, 2))
@settings(max_examples=examples(60))
def test_room_beside_lost_hosts(case: tuple[Doc, str], size: int) -> None:
    """The worst set of hosts that are lost, whose VMs start elsewhere first."""
    doc, source = case
    possible = headroom.rooms_after_loss(rules.cloud_of(doc), rules.Call(source), size)
    found = answer(doc, source, survive=size).with_failures
    assert found.total in possible[found.hosts]
    assert min(map(min, possible.values())) <= found.total <= min(map(max, possible.values()))
