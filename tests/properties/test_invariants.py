"""What must hold after every operation on every cloud: books, rules, refusals, leftovers, trials and forks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simclone.engine.operations.clone.copies as copies
from simclone.engine.context import Context
from simclone.engine.operations.clone.call import clone_now
from simclone.model.ledger.ledger import Ledger
from simclone.records import CloneAnswer, Placed
from simclone.units import divided
from tests.clouds import Doc, Seen, apply, clone_request, clouds, differing, dump, examples, opened, operations, watched
from tests.oracle.restatement import Chain

SMALL, LARGE = 80, 200


def holds_left(ledger: Ledger) -> Counter[tuple[str, str]]:
    """Holds without an end by (owner, target), from the event log alone; never below zero, never above one."""
    left: Counter[tuple[str, str]] = Counter()
    for event in ledger.events:
        if event.kind not in ("hold", "end") or (event.cause == "resize" and event.target.startswith("host/")):
            continue
        key = (event.subject, event.target)
        left[key] += 1 if event.kind == "hold" else -1
        assert left[key] in (0, 1), f"{key} is held {left[key]} times after {event}"
    return +left


def holds_there(ledger: Ledger) -> Counter[tuple[str, str]]:
    """The same from the tables as they stand."""
    cloud, there = ledger.cloud, Counter[tuple[str, str]]()
    for vm in range(cloud.vms.row_count):
        if cloud.vms.hold_host[vm] >= 0:
            there[f"vm/{vm}", f"host/{cloud.vms.hold_host[vm]}"] += 1
    for nic in range(cloud.nics.row_count):
        if cloud.nics.ip[nic] >= 0:
            there[f"nic/{nic}", f"l3/{cloud.nics.l3[nic]}"] += 1
    for number, one in ledger.space.holds.items():
        there[f"space/{number}", f"storage/{one.storage}"] += 1
    for row, backups in cloud.image_space.items():
        if cloud.images[row].temporary:
            there.update((f"image/{row}", f"backup/{backup}") for backup in backups)
    return there


def check_books(ctx: Context) -> None:
    """Both books balance; counts, cards, addresses and members agree with the rows."""
    ledger, cloud = ctx.ledger, ctx.cloud
    ledger.check()
    alive = [vm for vm in range(cloud.vms.row_count) if cloud.vms.alive[vm]]
    on = Counter(cloud.vms.host[vm] for vm in alive)
    assert cloud.fleet.array(cloud.fleet.vm_count).tolist() == [on[host] for host in range(cloud.fleet.row_count)]
    stopped = [vm for vm in alive if cloud.vms.state_name(vm) == "Stopped"]
    last = Counter(cloud.vms.last_host[vm] for vm in stopped)
    assert cloud.fleet.array(cloud.fleet.stopped_count).tolist() == [
        last[host] for host in range(cloud.fleet.row_count)
    ]
    for vm in range(cloud.vms.row_count):
        holding = cloud.vms.hold_host[vm]
        assert holding == (cloud.vms.host[vm] if vm in alive else -1), "a VM holds the host it is on, no other"
    for row, group in enumerate(cloud.groups):
        assert set(group.members) == {vm for vm in alive if cloud.vms.group[vm] == row}
        counts = Counter(cloud.vms.host[vm] for vm in group.members if cloud.vms.host[vm] >= 0)
        assert {host: many for host, many in group.counts.items() if many} == dict(counts)
    for l3, pool in enumerate(cloud.pools):
        cards = [n for n in range(cloud.nics.row_count) if cloud.nics.alive[n] and cloud.nics.l3[n] == l3]
        taken = [cloud.nics.ip[nic] for nic in cards if cloud.nics.ip[nic] >= 0]
        assert sorted(taken) == sorted(pool.used), "addresses taken equal cards with an address"
        assert all(any(one.start <= ip <= one.end for one in pool.ranges) for ip in taken)
    for storage in cloud.storages:
        if storage.shares is not None:
            for name in ("available", "held", "drift"):
                assert int(storage.shares.array(storage.shares.cells[name]).sum()) == getattr(storage, name), (
                    f"{storage.name} {name}"
                )


@given(clouds(), operations())
@settings(max_examples=examples(LARGE))
def test_books_balance_after_every_operation(doc: Doc, ops: list[Any]) -> None:
    """After each operation both books balance, and every count beside them equals a recount of the rows."""
    ctx = opened(doc)
    check_books(ctx)
    for serial, op in enumerate(ops):
        apply(ctx, op, serial)
        check_books(ctx)


@given(clouds(), operations())
@settings(max_examples=examples(LARGE))
def test_every_hold_ends_exactly_once(doc: Doc, ops: list[Any]) -> None:
    """In the event log each hold has one end or is still there; amounts add up to the held columns."""
    ctx = opened(doc)
    for serial, op in enumerate(ops):
        apply(ctx, op, serial)
    assert holds_left(ctx.ledger) == holds_there(ctx.ledger)
    for name in ("cpu", "memory"):
        sums: Counter[str] = Counter()
        for event in ctx.ledger.events:
            if event.kind in ("hold", "end") and event.target.startswith("host/"):
                sums[event.target] += dict(event.amounts)[name] * (1 if event.kind == "hold" else -1)
        held = ctx.cloud.fleet.array(ctx.cloud.fleet.cells[f"held_{name}"]).tolist()
        assert [sums[f"host/{host}"] for host in range(len(held))] == held


@given(clouds(), operations())
@settings(max_examples=examples(LARGE))
def test_a_placement_never_overcommits_its_host(doc: Doc, ops: list[Any]) -> None:
    """The host of a new placement keeps its reserve after it, and without drift what is really held fits too."""
    placed: list[int] = []

    def decided(seen: Seen) -> None:
        if isinstance(seen.decision, Placed):
            placed.append(seen.decision.host)

    with watched(decided):
        ctx = opened(doc)
        for serial, op in enumerate(ops):
            placed.clear()
            apply(ctx, op, serial)
            table = ctx.cloud.fleet
            drift = {event.target for event in ctx.ledger.events if event.kind == "drift"}
            for host in placed:
                room = table.total_memory[host] - table.reserved_memory[host]
                assert table.available_memory[host] >= table.reserved_memory[host]
                assert table.available_cpu[host] >= 0
                if f"host/{host}" not in drift:
                    here = [vm for vm in range(ctx.cloud.vms.row_count) if ctx.cloud.vms.hold_host[vm] == host]
                    ratio = ctx.cloud.fleet.memory_ratio(host)
                    assert sum(divided(ctx.cloud.vms.memory[vm], ratio) for vm in here) <= room
                    assert sum(ctx.cloud.vms.cpu[vm] for vm in here) <= table.total_cpu[host]


def broken_rule(seen: Seen) -> str | None:
    """The hard rule a placement breaks, judged on the cloud as it was when it was decided."""
    request, cloud, host = seen.request, seen.cloud, seen.decision.host  # type: ignore[union-attr]
    group = None if request.group is None else cloud.groups[request.group]
    if group is None or not group.enabled:
        return None
    others = [cloud.vms.host[vm] for vm in group.members if vm != request.vm and cloud.vms.host[vm] >= 0]
    fleet = cloud.fleet

    def domain(one: int) -> Any:
        if group.over in ("host", "cluster", "zone"):
            return one if group.over == "host" else fleet.cells[group.over][one]
        return fleet.labels[one].get(group.over, one)

    many = Counter(domain(one) for one in others)
    if group.policy == "antiHard" and many[domain(host)]:
        return "antiHard"
    if group.policy == "affinityHard" and others and not many[domain(host)]:
        return "affinityHard"
    if group.policy == "spreadHard" and not Chain(request, cloud).rule_allows(host):
        return "spreadHard"
    rule = group.host_rule
    if rule is not None and rule.policy.endswith("Hard"):
        inside = host in cloud.host_groups[rule.group].hosts
        if inside != (rule.policy == "affinityHard"):
            return "hostRule"
    return None


@given(clouds(profile="cloud"), operations())
@settings(max_examples=examples(LARGE))
def test_hard_rules_hold_after_every_start(doc: Doc, ops: list[Any]) -> None:
    """No start, clone or migration puts a member where its group's hard rule or hard host rule forbids it."""

    def decided(seen: Seen) -> None:
        if isinstance(seen.decision, Placed):
            assert broken_rule(seen) is None, f"{broken_rule(seen)}: {seen.request}"

    with watched(decided):
        ctx = opened(doc)
        for serial, op in enumerate(ops):
            apply(ctx, op, serial)


@contextmanager
def counting_work() -> Iterator[list[str]]:
    """Notes which clone calls got past their checks: step 4, the first that writes."""
    begun: list[str] = []
    real = copies.take_snapshots

    def take(ctx: Context, job: Any) -> Any:
        begun.append(job.request.name)
        return real(ctx, job)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "take_snapshots", take)
        yield begun


def clones_of(ctx: Context, ops: list[Any]) -> Iterator[tuple[dict[str, Any], CloneAnswer]]:
    """Carry out the stream; for each clone call the books before it and its answer."""
    for serial, op in enumerate(ops):
        if op[0] != "clone":
            apply(ctx, op, serial)
            continue
        request = clone_request(ctx, op[1], op[2], serial)
        if request is not None:
            before = dump(ctx.ledger)
            yield before, clone_now(ctx, request)


@given(clouds(), operations())
@settings(max_examples=examples(LARGE))
def test_a_call_refused_by_a_check_writes_nothing(doc: Doc, ops: list[Any]) -> None:
    """When a pre-check, the dry run or the search for backup storage refuses a call, both books stay as they were."""
    with counting_work() as begun:
        ctx = opened(doc)
        for before, answer in clones_of(ctx, ops):
            if answer.request.name not in begun:
                assert answer.error is not None
                assert not answer.clones
                assert differing(before, dump(ctx.ledger)) == []


def new_rows(before: dict[str, Any], table: Any, key: str) -> list[int]:
    """Rows made since, that are still there."""
    return [row for row in range(len(before[key]["alive"]), table.row_count) if table.alive[row]]


@given(clouds(), operations())
@settings(max_examples=examples(LARGE))
def test_a_call_leaves_exactly_what_section_1_7_says(doc: Doc, ops: list[Any]) -> None:
    """Clones that succeeded, their snapshots, image caches, a kept temporary image: nothing else is left of a call."""
    with counting_work() as begun:
        ctx = opened(doc)
        for before, answer in clones_of(ctx, ops):
            if answer.request.name in begun:
                _leftovers(ctx, before, answer)


def _leftovers(ctx: Context, before: dict[str, Any], answer: CloneAnswer) -> None:
    cloud, request = ctx.cloud, answer.request
    source = cloud.find("vm", request.vm)
    vms, nics = new_rows(before, cloud.vms, "vms"), new_rows(before, cloud.nics, "nics")
    volumes, snapshots = new_rows(before, cloud.volumes, "volumes"), new_rows(before, cloud.snapshots, "snapshots")
    made = [row for row in range(len(before["images"]), len(cloud.images)) if cloud.image_states[row] != 2]
    mine = [v for v in cloud.vms.volumes[source] if request.full or v == cloud.vms.root[source]]
    fast = "ephemeral::volume::fastCreate" in request.system_tags
    wanted_images = 0
    if answer.error is None:
        kept = request.strategy == "JustCreate" or not cloud.settings.flag("mevoco.deleteTempImages")
        wanted_images = 0 if fast or not kept else len(mine)
        assert vms == sorted(one.vm for one in answer.clones if one.error is None), "rows of failed names are removed"
        for one in answer.clones:
            state = cloud.vms.state_name(one.vm)
            ends = {"InstantStart": "Running", "CreateStopped": "Stopped", "JustCreate": "Created"}
            if one.error is None:
                assert state == ends[request.strategy]
                assert (cloud.vms.hold_host[one.vm] >= 0) == (state == "Running")
        assert len(snapshots) == len(mine), "snapshots stay"
    else:
        assert len(snapshots) <= len(mine)
        assert not answer.clones
    assert len(made) == wanted_images, "temporary images go unless they are kept"
    assert {cloud.nics.vm[nic] for nic in nics} <= set(vms), "cards of failed names are gone"
    loose = [volume for volume in volumes if cloud.volumes.vm[volume] not in vms]
    assert not loose or answer.error is not None, "only a failed full clone leaks volumes"
    assert all(cloud.volumes.names[volume].endswith("-clone") for volume in loose)
    spaces = {cloud.volumes.space[v] for v in volumes} | {cloud.snapshots.space[s] for s in snapshots}
    caches = {space for one in cloud.storages for space in one.caches.values()}
    fresh = set(ctx.ledger.space.holds) - set(before["spaces"])
    assert fresh <= spaces | caches, "space without an owner"
    gone = set(before["spaces"]) - set(ctx.ledger.space.holds)
    assert not gone, "a clone call gives back nobody else's space"


@given(clouds(), operations())
@settings(max_examples=examples(LARGE))
def test_answers_agree_with_the_ledger(doc: Doc, ops: list[Any]) -> None:
    """VM counts per host change by the clones an answer reports there; failed elements are counted nowhere."""
    ctx = opened(doc)
    for before, answer in clones_of(ctx, ops):
        if answer.error is not None:
            continue
        good = [one for one in answer.clones if one.error is None]
        assert answer.succeeded == len(good)
        assert [one.name for one in answer.clones] == list(answer.request.names)
        reported = Counter(one.snapshot.host for one in good)
        for host in range(ctx.cloud.fleet.row_count):
            change = ctx.cloud.fleet.vm_count[host] - before["hosts"]["vm_count"][host]
            assert change == reported[host], ctx.cloud.fleet.names[host]
        wanted = "FAIL" if not good else "SUCCESS" if len(good) == len(answer.clones) else "PARTIAL"
        assert answer.batch == wanted


@given(clouds(), operations(), operations())
@settings(max_examples=examples(LARGE))
def test_a_trial_restores_every_byte(doc: Doc, before: list[Any], inside: list[Any]) -> None:
    """Whatever is done inside a trial, nested ones included, all tables, lists and figures are as before."""
    ctx = opened(doc)
    for serial, op in enumerate(before):
        apply(ctx, op, serial)
    books, events = dump(ctx.ledger), len(ctx.ledger.events)
    with ctx.ledger.trial():
        for serial, op in enumerate(inside[:-1], 100):
            apply(ctx, op, serial)
        middle = dump(ctx.ledger)
        with ctx.ledger.trial():
            apply(ctx, inside[-1], 200)
        assert differing(middle, dump(ctx.ledger)) == []
        ctx.ledger.check()
    assert differing(books, dump(ctx.ledger)) == []
    assert len(ctx.ledger.events) == events
    check_books(ctx)


@given(clouds(), operations(), operations())
@settings(max_examples=examples(SMALL))
def test_a_fork_lives_on_its_own(doc: Doc, before: list[Any], after: list[Any]) -> None:
    """A fork starts equal, does the same things to the same end, and neither side sees the other."""
    ctx = opened(doc)
    for serial, op in enumerate(before):
        apply(ctx, op, serial)
    start = dump(ctx.ledger)
    twin = Context(ctx.ledger.fork(), ordinals=dict(ctx.ordinals))
    assert differing(start, dump(twin.ledger)) == []
    answers = [apply(twin, op, 100 + serial) for serial, op in enumerate(after)]
    check_books(twin)
    assert differing(start, dump(ctx.ledger)) == [], "the fork wrote on the original"
    end = dump(twin.ledger)
    again = [apply(ctx, op, 100 + serial) for serial, op in enumerate(after)]
    assert differing(end, dump(twin.ledger)) == [], "the original wrote on the fork"
    assert differing(end, dump(ctx.ledger)) == []
    assert again == answers


@given(clouds(), operations(), st.integers(0, 99))
@settings(max_examples=examples(SMALL))
def test_recalculation_heals_every_drift_once(doc: Doc, ops: list[Any], host: int) -> None:
    """After a recalculation available figures are totals minus the rows, and a second one changes nothing."""
    ctx = opened(doc)
    for serial, op in enumerate(ops):
        apply(ctx, op, serial)
    row = host % ctx.cloud.fleet.row_count
    ctx.ledger.hosts.recalculate(row)
    check_books(ctx)
    cloud = ctx.cloud
    here = [vm for vm in range(cloud.vms.row_count) if cloud.vms.alive[vm] and cloud.vms.host[vm] == row]
    memory = divided(sum(cloud.vms.memory[vm] for vm in here), cloud.fleet.memory_ratio(row))
    assert cloud.fleet.available_memory[row] == cloud.fleet.total_memory[row] - memory
    healed, events = dump(ctx.ledger), len(ctx.ledger.events)
    ctx.ledger.hosts.recalculate(row)
    assert differing(healed, dump(ctx.ledger)) == []
    assert len(ctx.ledger.events) == events


def test_a_start_that_gets_no_address_leaves_everything() -> None:
    """A recovered VM whose second network is exhausted stays stopped, and its first card gives its address back."""
    doc: Doc = {
        "hosts": [{"name": "h0", "cpuNum": 4, "totalPhysicalMemory": "16GiB"}],
        "primaryStorages": [{"name": "p0", "type": "NFS", "totalCapacity": "500GiB"}],
        "backupStorages": [{"name": "b0"}],
        "images": [{"name": "i0", "size": "1GiB"}],
        "l2Networks": [{"name": "l2"}],
        "l3Networks": [
            {"name": "n0", "ipRanges": [{"start": "10.0.0.1", "end": "10.0.0.9"}]},
            {"name": "n1", "ipRanges": [{"start": "10.0.1.1", "end": "10.0.1.1"}]},
        ],
        "instanceOfferings": [{"name": "o0", "cpuNum": 1, "memorySize": "1GiB"}],
        "vms": [{"name": "v0", "instanceOffering": "o0", "image": "i0", "l3Networks": ["n0", "n1"]}],
    }
    ctx = opened(doc)
    apply(ctx, ("destroy", 0))
    apply(ctx, ("recover", 0))
    ctx.ledger.addresses.hold(1, ctx.cloud.pools[1].ranges[0].start)
    before = dump(ctx.ledger)
    apply(ctx, ("start", 0))
    after = dump(ctx.ledger)
    assert ctx.cloud.vms.state_name(0) == "Stopped"
    for books in (before, after):  # asking is a new occasion; round robin remembers the try
        books["vms"]["occasion"] = books["last placed"] = None
    assert differing(before, after) == []
