"""Several allocations at once: filters see an older cloud than the reservation, and what that breaks is counted."""

from __future__ import annotations

from simclone.api import run
from simclone.audit import replay
from tests.time.worlds import Doc, audited, hosts, outcomes, request, simulation, vm, world

AT_ONCE = {"hostAllocator.hostAllocator.concurrent": True}
SLOW = {"timing": {"allocateHost": 1}, "run": {"timing": "model"}}


def burst(config: Doc, many: int = 8, **more: Doc) -> Doc:
    """One call of many names whose allocations take a second each."""
    return world(config, requests=[request(0, *(f"c{n}" for n in range(many)))], **SLOW, **more)


def test_one_after_the_other_is_the_default() -> None:
    """Eight allocations of a second take eight; nothing races."""
    made = simulation(burst({})).run()
    (answer,) = made.result().answers
    assert answer.ended_us == 8_000_000
    assert made.result().totals.concurrent_placements == 0


def test_at_once_they_take_as_long_as_one() -> None:
    """Ten at once by default; the level is the number of slots."""
    for level, seconds in ((10, 1), (4, 2), (3, 3)):
        config = {**AT_ONCE, "hostAllocator.hostAllocator.concurrent.level": level}
        made = simulation(burst(config)).run()
        (answer,) = made.result().answers
        assert answer.ended_us == seconds * 1_000_000
        assert made.result().totals.concurrent_placements == 8
        assert not audited(made)


def test_all_see_the_same_counts_so_the_spread_is_lost() -> None:
    """By fewest VMs eight clones spread evenly over eight hosts; at once each takes its own luck."""
    counts = []
    for config in ({}, AT_ONCE):
        made = simulation(burst(config, hosts=hosts(8, cpu=100))).run()
        counts.append(sorted(made.ctx.cloud.fleet.array(made.ctx.cloud.fleet.vm_count).tolist()))
    assert counts[0] == [1] * 8
    assert counts[1][-1] > 1
    assert sum(counts[1]) == 8


def test_capacity_is_never_over_reserved() -> None:
    """Twelve see room for one on each of four hosts; the reservation lets exactly those through."""
    made = simulation(burst(AT_ONCE, 12, hosts=hosts(4, cpu=1))).run()
    result = made.result()
    assert result.totals.placed == 4
    assert not audited(made)
    assert result.totals.rule_violations == {}


def test_a_hard_group_holds_because_the_reservation_asks_again() -> None:
    """Five names in an antiHard group on three hosts: three are placed, also at once."""
    doc = burst(AT_ONCE, 5, hosts=hosts(3, cpu=10), affinityGroups=[{"name": "apart", "policy": "antiHard"}])
    doc["requests"][0]["systemTags"] = ["affinityGroupUuid::apart"]
    made = simulation(doc).run()
    assert sum(outcomes(made.result())["request-c0"]) == 3
    assert made.result().totals.rule_violations == {}
    assert not audited(made)


def test_a_limit_that_only_the_filters_know_is_broken_and_counted() -> None:
    """At most one VM per host, five names, three hosts: one after the other three fit; at once all do, two too many."""
    offering = {"strategy": "MaxInstancePerHostHostAllocatorStrategy", "systemTags": ["maxInstancePerHost::1"]}
    doc = burst({}, 5, hosts=hosts(3, cpu=10), vms=[vm("v", state="Stopped", **offering)])
    doc["requests"][0]["systemTags"] = offering["systemTags"]
    assert run(doc).result.totals.placed == 3
    doc["globalConfig"] |= AT_ONCE
    made = simulation(doc).run()
    counts = made.ctx.cloud.fleet.array(made.ctx.cloud.fleet.vm_count).tolist()
    found = run(doc).statistics()
    assert sum(counts) == found.placed == 5
    over = sum(count - 1 for count in counts if count > 1)
    assert found.breaches == {"host.maxInstances": over}
    assert found.breach_ratio == over / 5
    assert "broke a rule in the race" in found.summary()


def test_a_quota_can_be_slipped_past() -> None:
    """Running limits are a filter too: two may run, but three allocations at once all see none running."""
    account = {"name": "t", "quota": {"vm.num": 2, "vm.totalNum": 100}}
    doc = burst({}, 1, accounts=[account])
    doc["requests"] = [{**request(0, f"c{n}"), "account": "t"} for n in range(3)]
    placed = []
    for config in ({}, AT_ONCE):
        doc["globalConfig"] |= config
        found = run(doc).statistics()
        placed.append((found.placed, dict(found.breaches)))
    assert placed[0] == (2, {})
    assert placed[1][0] == 3
    assert sum(placed[1][1].values()) == 1
    assert "quota" in next(iter(placed[1][1]))


def test_the_explanation_shows_what_the_filters_saw() -> None:
    """The host a racing clone got had no VMs in its eyes, though it has two by now."""
    doc = burst(AT_ONCE, 6, hosts=hosts(1, cpu=100))
    found = run(doc)
    story = found.explain("c5")
    assert {verdict.host: verdict.vm_count for verdict in story.hosts} == {"h1": 0}
    assert not replay(found.result.records(), found.result.events)
