"""Streams: what is asked for, drawn with the same uniforms whatever else there is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simclone.chance import draw, mix
from simclone.errors import InvalidInput
from simclone.traces.batches import batched
from simclone.traces.cutting import Cut
from simclone.units import SECOND
from simclone.workload import open_trace
from simclone.workload.arrivals import process_of
from simclone.workload.clock import Clock
from simclone.workload.distributions import Distribution
from simclone.workload.draws import per_clone
from simclone.workload.replay import Replay, vm_name
from simclone.workload.streams import MOST_CLONES, Arrival, Retry, StreamSpec, arrivals, merged

DAY = Path(__file__).resolve().parents[3] / "scenarios" / "data" / "azure-vm-2017-day"
DAY_START_S, DAY_S = 1_886_400, 86_400
DAY_US = DAY_S * SECOND

WEB = StreamSpec(
    name="web",
    clock=Clock(datetime(2024, 1, 1)),
    process=process_of({"poisson": {"perHour": 120}}),
    mix=(("small", 3.0), ("large", 1.0)),
    batch=Distribution.of({"geometric": {"mean": 3}}),
    lifetime=Distribution.of({"exponential": {"mean": 600}}),
)


def drawn(spec: StreamSpec = WEB, seed: int = 1, replication: int = 0, days: float = 1) -> list[Arrival]:
    """The requests of a stream."""
    return list(arrivals(spec, seed, replication, round(days * DAY_US)))


def test_the_same_seed_is_the_same_stream() -> None:
    """A stream is a function of name, seed and replication."""
    assert drawn() == drawn()
    firsts = {
        drawn(spec, seed, replication)[0].at_us
        for spec in (WEB, replace(WEB, name="db"))
        for seed in (1, 2, 1 << 80)
        for replication in (0, 1)
    }
    assert len(firsts) == 12


def test_a_stream_holds_what_was_asked_for() -> None:
    """Mix, batch sizes and lifetimes follow their laws, and lifetimes inside a batch are independent."""
    found = drawn(days=20)
    vms = Counter(one.vm for one in found)
    low, high = stats.binom(len(found), 0.75).interval(0.999)
    assert low <= vms["small"] <= high
    assert set(vms) == {"small", "large"}
    sizes = np.array([one.count for one in found])
    assert abs(sizes.mean() - 3) < 3.29 * (6 / len(found)) ** 0.5
    lives = np.array([life for one in found for life in one.lifetimes_us], float) / SECOND
    assert len(lives) == sizes.sum()
    assert stats.kstest(lives, stats.expon(scale=600).cdf).pvalue > 0.001
    pairs = np.array([one.lifetimes_us[:2] for one in found if one.count > 1], float)
    assert abs(stats.spearmanr(pairs[:, 0], pairs[:, 1]).statistic) < 3.29 / len(pairs) ** 0.5
    assert [one.ordinal for one in found] == list(range(len(found)))
    assert all(one.source == "web" and one.at_us < 20 * DAY_US for one in found)


def test_another_stream_moves_nothing() -> None:
    """Adding a stream, before or behind, or changing it, leaves the others as they are."""
    alone = drawn()
    for other in (replace(WEB, name="db"), replace(WEB, name="db", batch=Distribution.of(50))):
        for specs in ([WEB, other], [other, WEB]):
            assert [one for one in merged(specs, 1, 0, DAY_US) if one.source == "web"] == alone


def test_another_parameter_moves_nothing_else() -> None:
    """Batch, lifetime, mix and flags change only themselves: as many uniforms are used whatever comes out."""
    base = drawn()
    times = [one.at_us for one in base]
    bigger = drawn(replace(WEB, batch=Distribution.of({"geometric": {"mean": 30}})))
    assert [(one.at_us, one.vm, one.ordinal) for one in bigger] == [(one.at_us, one.vm, one.ordinal) for one in base]
    shared = [(a.lifetimes_us, b.lifetimes_us) for a, b in zip(base, bigger, strict=True)]
    assert all(b[: len(a)] == a[: len(b)] for a, b in shared)
    forever = drawn(replace(WEB, lifetime=None))
    assert all(one.lifetimes_us == (None,) * one.count for one in forever)
    assert [(one.at_us, one.vm, one.count) for one in forever] == [(one.at_us, one.vm, one.count) for one in base]
    single = drawn(replace(WEB, mix=(("other", 1.0),)))
    assert [(one.at_us, one.lifetimes_us) for one in single] == [(one.at_us, one.lifetimes_us) for one in base]
    faster = drawn(replace(WEB, process=process_of({"poisson": {"perHour": 240}})))
    assert [one.count for one in faster[: len(base)]] == [one.count for one in base]
    assert [abs(2 * fast.at_us - slow) <= 1 for fast, slow in zip(faster, times, strict=False)].count(False) == 0


def test_longer_lives_are_longer_for_everybody() -> None:
    """Lifetimes of two laws of one shape are ordered clone by clone, as inverse transforms are."""
    longer = drawn(replace(WEB, lifetime=Distribution.of({"exponential": {"mean": 601}})))
    pairs = [
        (a, b)
        for one, other in zip(drawn(), longer, strict=True)
        for a, b in zip(one.lifetimes_us, other.lifetimes_us, strict=True)
    ]
    assert all(a is not None and b is not None and a <= b for a, b in pairs)


def test_the_uniforms_of_clones_are_keyed_draws() -> None:
    """Each clone's uniform is the keyed draw of its position, with the request's uniform as the key."""
    found = per_clone(np.array([0.25, 0.75]), np.array([2, 1]))
    key, other = mix((1 << 51) + 1), mix(3 * (1 << 51) + 1)
    words = [draw(key, 0), draw(key, 1), draw(other, 0)]
    assert found.tolist() == [(word >> 11) * 2.0**-53 for word in words]


def test_what_a_spec_says_is_passed_on() -> None:
    """Retry, account, body and the flag stand in every arrival."""
    spec = replace(WEB, retry=Retry(3, 5 * SECOND), account="team", body={"full": True}, all_or_nothing=True)
    one = drawn(spec)[0]
    assert (one.retry.times, one.retry.backoff_us, one.account, one.all_or_nothing) == (3, 5 * SECOND, "team", True)
    assert one.body == {"full": True}


def test_sizes_and_lives_without_measure_are_cut() -> None:
    """A batch has at least one clone and at most MOST_CLONES, and a life beyond all time is forever."""
    endless = replace(WEB, lifetime=Distribution.of({"pareto": {"scale": 1e9, "shape": 0.2}}), batch=Distribution.of(0))
    lives = [one.lifetimes_us for one in drawn(endless)]
    assert {len(one) for one in lives} == {1}
    assert 0 < sum(one == (None,) for one in lives) < len(lives)
    wide = replace(WEB, lifetime=None, batch=Distribution.of({"choice": [{"value": 1e12}]}))
    assert next(arrivals(wide, 1, 0, DAY_US)).count == MOST_CLONES


def test_merged_streams_are_in_order_of_time_then_declaration() -> None:
    """At equal times the stream declared first comes first."""
    one, two = (replace(WEB, name=name, process=process_of({"every": every})) for name, every in (("b", 60), ("a", 30)))
    found = [(item.at_us // SECOND, item.source) for item in merged([one, two], 1, 0, 91 * SECOND)]
    assert found == [(0, "b"), (0, "a"), (30, "a"), (60, "b"), (60, "a"), (90, "a")]
    assert list(merged([], 1, 0, DAY_US)) == []


@pytest.mark.parametrize(
    "wrong", [(-1, 0, DAY_US), (1, -1, DAY_US), (1, 0, -1)], ids=["seed", "replication", "horizon"]
)
def test_nothing_is_negative(wrong: tuple[int, int, int]) -> None:
    """Seed, replication and horizon are at least 0."""
    with pytest.raises(ValueError, match="horizon, seed and replication must be at least 0"):
        arrivals(WEB, *wrong)
    assert list(arrivals(WEB, 1, 0, 0)) == []


def test_a_stream_needs_one_source_and_something_to_clone() -> None:
    """Neither and both of arrivals and trace are refused, and so is an empty mix."""
    with pytest.raises(ValueError, match="'web' needs either arrivals or a trace"):
        replace(WEB, process=None)
    with pytest.raises(ValueError, match="'web' needs either arrivals or a trace"):
        replace(WEB, replay=Replay("x"))
    with pytest.raises(ValueError, match="'web' has nothing to clone"):
        replace(WEB, mix=(("web", 0.0),))


# ---------------------------------------------------------------- replay


def replayed(how: Cut, vm_for: str = "vm", horizon_us: int = 1 << 62, seed: int = 1) -> list[Arrival]:
    """The requests of the shipped day."""
    spec = StreamSpec(name="day", clock=WEB.clock, replay=Replay(str(DAY), how, vm_for))
    return list(arrivals(spec, seed, 0, horizon_us))


FROM_ZERO = Cut(shift_us=-DAY_START_S * SECOND)


def test_a_replay_is_the_trace() -> None:
    """Counts, lifetimes and groups are the trace's, times are moved, VMs are named by their shape."""
    found = replayed(FROM_ZERO, "source-{vcpu}-vcpu-{memoryGib}-gib-{gpus}")
    batches = list(batched(open_trace(DAY)))
    assert len(found) == len(batches) == 17936
    for one, batch in zip(found, batches, strict=True):
        assert one.at_us == batch.arrival_us - DAY_START_S * SECOND
        assert (one.count, one.group) == (batch.count, batch.group)
        assert one.lifetimes_us == tuple(end if end is None else end - batch.arrival_us for end in batch.ends_us)
    assert found[0].vm == "source-1-vcpu-0.75-gib-0"
    assert [one.ordinal for one in found] == list(range(17936))


def test_a_replay_reads_no_further_than_it_is_asked() -> None:
    """The first requests come without the rest of the trace."""
    spec = StreamSpec(name="day", clock=WEB.clock, replay=Replay(str(DAY)))
    assert len(list(islice(arrivals(spec, 1, 0, 1 << 62), 3))) == 3
    assert len(replayed(FROM_ZERO, horizon_us=3600 * SECOND)) < 1000


def test_a_scaled_replay_stretches_everything() -> None:
    """Twice the time between arrivals, twice the lifetimes, as many VMs at once."""
    plain, slow = replayed(Cut()), replayed(Cut(scale=2.0))
    assert [one.at_us for one in slow] == [2 * one.at_us for one in plain]
    assert slow[5].lifetimes_us == tuple(life and 2 * life for life in plain[5].lifetimes_us)


def test_a_thinned_replay_keeps_a_share_of_the_groups() -> None:
    """About that share is kept, whole groups, more of them with a larger share, others with another seed."""
    whole = Counter(one.group for one in replayed(Cut()))
    some, more = replayed(Cut(thin=0.3)), replayed(Cut(thin=0.6))
    low, high = stats.binom(len(whole), 0.3).interval(0.999)
    kept = Counter(one.group for one in some)
    assert low <= len(kept) <= high
    assert all(whole[group] == count for group, count in kept.items())
    assert {one.ordinal for one in some} < {one.ordinal for one in more}
    assert some != replayed(Cut(thin=0.3), seed=2)


def test_a_window_keeps_the_same_batches() -> None:
    """What is thinned out does not depend on the window."""
    middle = (DAY_START_S + DAY_S // 2) * SECOND
    late = replayed(Cut(from_us=middle, thin=0.5))
    assert late == [one for one in replayed(Cut(thin=0.5)) if one.at_us >= middle]
    early = replayed(Cut(to_us=middle, thin=0.5))
    assert early == [one for one in replayed(Cut(thin=0.5)) if one.at_us < middle]


def test_what_would_come_before_the_start_is_left_out() -> None:
    """A shift beyond the first arrivals starts in the middle of the trace."""
    shift = -(DAY_START_S + 600) * SECOND
    assert next(one.ordinal for one in replayed(Cut(shift_us=shift))) == sum(
        one.at_us < -shift for one in replayed(Cut())
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"scale": 0.0}, "scale must be more than 0"),
        ({"scale": float("nan")}, "scale must be more than 0"),
        ({"thin": 0.0}, "thin is a share of more than 0 and at most 1, not 0"),
        ({"thin": 1.5}, "thin is a share of more than 0 and at most 1, not 1.5"),
        ({"from_us": -1}, "from must be at least 0"),
        ({"from_us": 5, "to_us": 5}, "to must be after from"),
    ],
)
def test_wrong_cuts_are_refused(wrong: dict[str, float], said: str) -> None:
    """Each figure of a cut has its bounds."""
    with pytest.raises(ValueError, match=said):
        Cut(**wrong)  # type: ignore[arg-type]


def test_a_rule_knows_its_places() -> None:
    """A name rule fills in the shape; an unknown place is refused."""
    assert vm_name("m-{vcpu}", 2500, 1 << 30, 0) == "m-2.5"
    with pytest.raises(ValueError, match=r"unknown place \{cpu\} in vmFor; there is \{vcpu\}, \{memoryGib\}, \{gpus\}"):
        Replay("x", vm_for="{cpu}")


def test_faults_of_a_trace_come_while_iterating(tmp_path: Path) -> None:
    """A missing trace and an unsorted one are InvalidInput."""
    path = tmp_path / "t.csv"
    path.write_text("arrival_s,end_s,vcpu,memory_gib,count\n5,,1,1,1\n4,,1,1,1\n")
    for name, said in (("nowhere", "cannot be read"), ("t.csv", "t.csv:3:1: arrival_s: earlier than a row before it")):
        spec = StreamSpec(name="t", clock=WEB.clock, replay=Replay(str(tmp_path / name)))
        with pytest.raises(InvalidInput, match=said):
            list(arrivals(spec, 1, 0, DAY_US))
