"""Every registered flow tells the same truth in its array face and in its scalar face."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simclone.allocator.host.flow import FilterFlow, Test
from simclone.allocator.host.sorters.textbook import SCORERS, WeightedScoreSortFlow
from simclone.allocator.host.strategies import TABLES, Strategy
from simclone.allocator.lookups import Lookup, Sparse
from simclone.vocabulary import Reason, Subject
from tests.clouds import apply, clouds, examples, opened, operations, requests
from tests.flows.conformance import candidate_sets, check_filter, check_sorter

PROFILES = ("open", "cloud")


def _flows(profile: str, kind: str) -> list[Any]:
    found = {flow.name: flow for one in TABLES[profile].values() for flow in getattr(one, kind)}
    return list(found.values())


WEIGHED = WeightedScoreSortFlow(
    tuple((name, weight) for name, weight in zip(SCORERS, (1000, 500, -700, -1, 3), strict=True))
)


@pytest.mark.parametrize("profile", PROFILES)
def test_both_faces_of_every_flow_agree(profile: str) -> None:
    """Each test, key and preference of each filter and sorter gives one host what it gives the column."""
    spoke: set[str] = set()
    filters, sorters = _flows(profile, "filters"), [*_flows(profile, "sorters"), WEIGHED]

    @settings(max_examples=examples(100))
    @given(st.data())
    def all_agree(data: Any) -> None:
        ctx = opened(data.draw(clouds(profile=profile)))
        for serial, op in enumerate(data.draw(operations())):
            apply(ctx, op, serial)
        cloud = ctx.cloud
        cloud.fleet.monitored = data.draw(st.booleans())
        for host in range(cloud.fleet.row_count):
            cloud.fleet.cpu_use_ppm[host] = data.draw(st.integers(0, 1_000_000))
        for turn in range(5):
            request = data.draw(requests(cloud, turn))
            for candidates in candidate_sets(cloud):
                spoke.update(flow.name for flow in filters if check_filter(flow, request, cloud, candidates))
                spoke.update(flow.name for flow in sorters if check_sorter(flow, request, cloud, candidates))

    all_agree()
    silent = {flow.name for flow in [*filters, *sorters]} - spoke - {"QuotaAllocatorFlow"}
    assert not silent, f"never compared: {sorted(silent)}"


@pytest.mark.parametrize("profile", PROFILES)
def test_every_strategy_has_flows_under_its_own_name(profile: str) -> None:
    """A table's key is its strategy's name, and no two flows of different kind share one."""
    for name, strategy in TABLES[profile].items():
        assert isinstance(strategy, Strategy)
        assert strategy.name == name
        assert strategy.filters
    by_name: dict[str, set[type]] = {}
    for flow in [*_flows(profile, "filters"), *_flows(profile, "sorters")]:
        by_name.setdefault(flow.name, set()).add(type(flow))
    assert all(len(kinds) == 1 for kinds in by_name.values())


def test_the_conformance_check_catches_a_flow_with_two_truths() -> None:
    """A flow whose scalar face disagrees with its array face does not pass."""

    class Liar(FilterFlow):
        name = "Liar"
        tests = (
            Test(
                Reason("lie", "it lies", Subject.HOST),
                lambda host, facts: (host.index >= 0) & (isinstance(host.index, int)),
            ),
        )

        def facts(self, request: Any, cloud: Any, candidates: Any) -> Any:
            return None

    ctx = opened({"hosts": [{"name": "h", "cpuNum": 1, "totalPhysicalMemory": 1}], "clusters": [], "vms": []})
    with pytest.raises(AssertionError, match="Liar"):
        check_filter(Liar(), None, ctx.cloud, next(iter(candidate_sets(ctx.cloud))))  # type: ignore[arg-type]


@given(st.dictionaries(st.integers(0, 9), st.integers(-5, 5)), st.integers(-1, 1))
def test_lookup_and_sparse_answer_one_host_like_a_column(values: dict[int, int], default: int) -> None:
    """A fact per host read for one index is the same item the array face reads, as a Python int."""
    import numpy as np

    index = np.arange(10)
    sparse, lookup = Sparse(values, 10, default), Lookup([values.get(host, default) for host in range(10)])
    for fact in (sparse, lookup):
        assert fact[index].tolist() == [values.get(host, default) for host in range(10)]
        assert [fact[host] for host in range(10)] == fact[index].tolist()
        assert type(fact[3]) is int
