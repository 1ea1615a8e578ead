"""How many hosts: against trying 0, 1, 2, … of them, mixes against every mix, and what is said where none is enough."""

from __future__ import annotations

from itertools import count, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from simclone.errors import InvalidInput
from simclone.planning import size as sizing
from simclone.planning.size import Sizing
from simclone.units import GIB
from tests.clouds import examples
from tests.planning.small import small_clouds
from tests.time.worlds import Doc, finished, hosts, request, vm, world

ONE = simclone.ReplicationPlan(replications=1)
UNIT = simclone.Model("new", 1.0, like="h1")


def grown(doc: Doc, **more: int) -> Doc:
    """The cloud with so many more hosts of 4 vCPUs and 400 GiB, or of a size by its name ``c8``."""
    new = [
        {**hosts(1, cpu=int(kind[1:]))[0], "name": f"{kind}-{n}", **({"cluster": "c0"} if "clusters" in doc else {})}
        for kind, many in more.items()
        for n in range(1, many + 1)
    ]
    return {**doc, "hosts": [*doc["hosts"], *new]}


def ratio(doc: Doc) -> float:
    """The share of names that are placed; none where the VMs of the file find no host."""
    try:
        totals = finished(doc).totals
    except InvalidInput:
        return 0.0
    return totals.placed / totals.asked if totals.asked else 1.0


@given(small_clouds(most_hosts=3, most_vms=3), st.integers(0, 12), st.sampled_from([None, 0.5, 0.9]))
@settings(max_examples=examples(200))
def test_the_smallest_number_that_is_enough(doc: Doc, names: int, target: float | None) -> None:
    """The told number is the first that reaches the target when 0, 1, 2, … more hosts are tried in turn."""
    doc["requests"] = [request(0, *(f"n{n}" for n in range(names)))] if names else []
    model = simclone.Model("c2", 3.0, cpu_num=2, memory=4000 * GIB, cluster="c0")
    found = simclone.size(doc, [model], target=target, plan=ONE)
    least = next(n for n in count() if ratio(grown(doc, c2=n)) >= (target or 1.0))
    assert found.counts == (least,)
    assert found.cost == 3.0 * least
    assert found.monotone
    for trial in found.trials:
        assert trial.ratio == ratio(grown(doc, c2=trial.counts[0]))
        assert trial.ok is (trial.ratio >= (target or 1.0))


def scattered() -> Doc:
    """A host of 8 vCPUs; two more of 4 are enough for six VMs, three are not: the fewest VMs spread the small ones."""
    sizes = (1, 2, 3, 4)
    kinds = [{"name": f"k{size}", "cpuNum": size, "memorySize": GIB} for size in sizes]
    where = {"state": "Stopped", "lastHost": "h1", "primaryStorage": "nfs"}
    vms = [vm(f"s{size}", instanceOffering=f"k{size}", **where) for size in sizes]
    asked = [request(at, f"n{at}", source=f"s{size}") for at, size in enumerate((1, 2, 1, 3, 3, 4))]
    return world(hosts=hosts(1, cpu=8), instanceOfferings=kinds, vms=vms, requests=asked)


def test_more_hosts_that_did_not_help_are_told() -> None:
    """Two are enough, three are not, four are: four is said, and that more did not always help."""
    model = simclone.Model("c4", cpu_num=4, memory=4000 * GIB)
    assert [ratio(grown(scattered(), c4=n)) == 1 for n in range(6)] == [False, False, True, False, True, True]
    found = simclone.size(scattered(), [model], plan=ONE)
    assert (found.counts, found.monotone) == ((4,), False)
    assert "more hosts did not always help" in found.summary()


def asking(names: int, **more: Any) -> Doc:
    """An empty cloud of two hosts of 4 vCPUs asked for so many units."""
    return world(requests=[request(0, *(f"n{n}" for n in range(names)))], **more)


@pytest.mark.parametrize(("names", "needed"), [(8, 0), (9, 1), (12, 1), (13, 2), (41, 9)])
def test_hosts_of_four_hold_four_units_each(names: int, needed: int) -> None:
    """Two hosts are there; every four names more take another."""
    found = simclone.size(asking(names), [UNIT], plan=ONE)
    assert found.counts == (needed,)
    assert found.figures() == {"hosts": needed, "cost": float(needed)}


def cost(models: list[simclone.Model], counts: tuple[int, ...]) -> float:
    """What they cost."""
    return sum(many * model.price for many, model in zip(counts, models, strict=True))


@pytest.mark.parametrize(
    ("small", "large", "names"), [(1.0, 1.9, 27), (1.0, 2.5, 27), (3.0, 5.0, 21), (2.0, 3.0, 14), (1.0, 10.0, 16)]
)
def test_the_cheapest_of_all_mixes(small: float, large: float, names: int) -> None:
    """No mix of hosts of 3 and 8 vCPUs that places everything is cheaper, and none is below the bound."""
    models = [simclone.Model("c3", small, cpu_num=3, memory=4000 * GIB)]
    models.append(simclone.Model("c8", large, cpu_num=8, memory=4000 * GIB))
    found = simclone.size(asking(names), models, plan=ONE)
    good = [mix for mix in product(range(9), range(5)) if ratio(grown(asking(names), c3=mix[0], c8=mix[1])) == 1]
    assert found.cost == min(cost(models, mix) for mix in good)
    assert found.counts in good
    assert found.bound is not None
    assert found.bound <= min(cost(models, mix) for mix in good)


def test_where_hosts_do_not_help_it_says_what_else_is_short() -> None:
    """Three addresses stay three addresses."""
    nets = [{"name": "l3", "l2Network": "l2", "ipRanges": [{"start": "10.0.0.1", "end": "10.0.0.4"}]}]
    found = simclone.size(asking(9, l3Networks=nets), [UNIT], most=300, plan=ONE)
    assert found.counts is None
    assert found.cost is None
    assert "more hosts do not help against" in found.summary()
    assert "host." not in found.notes[0]


def test_a_limit_on_hosts_is_kept() -> None:
    """Nine hosts would do, three are allowed: none is said, and no larger number was tried."""
    found = simclone.size(asking(41), [UNIT], most=3, plan=ONE)
    assert found.counts is None
    assert max(trial.counts for trial in found.trials) == (3,)
    assert "host.cpu" in found.summary()


def test_a_share_needs_fewer_hosts() -> None:
    """Half of 41 names are 21 on 5 hosts and a bit: three or four more instead of nine."""
    found = simclone.size(asking(41), [UNIT], target=0.5, plan=ONE)
    assert found.counts == (4,)


def refreshed(**more: Any) -> Sizing:
    """The first host of two goes, and hosts of 2 vCPUs come in its place, for seven units."""
    model = simclone.Model("c2", cpu_num=2, memory=4000 * GIB)
    return simclone.refresh(asking(7), ["h1"], model, plan=ONE, **more)


def test_new_hosts_take_the_place_of_old_ones() -> None:
    """Four vCPUs are left, three are missing: two hosts of 2."""
    found = refreshed()
    assert found.counts == (2,)
    assert found.notes[0] == "1 host goes"


def test_a_model_like_a_host_that_goes_keeps_its_size() -> None:
    """One of four vCPUs for one of four vCPUs."""
    assert simclone.refresh(asking(7), ["h1"], UNIT, plan=ONE).counts == (1,)


def test_a_model_like_one_of_many_that_goes_keeps_its_size() -> None:
    """The entry of the file stands for three hosts, of which the first goes."""
    doc = {**asking(11), "hosts": [{**hosts(1)[0], "name": "n{n}", "count": 3}]}
    assert simclone.refresh(doc, ["n1"], simclone.Model("new", like="n1"), plan=ONE).counts == (1,)


@pytest.mark.parametrize(
    ("models", "given_", "words"),
    [
        ([], {}, "models: there is none"),
        ([UNIT], {"target": 1.0}, "target: 1 is no share"),
        ([UNIT], {"target": 0.0}, "target: 0 is no share"),
        ([UNIT], {"most": 0}, "most: 0 is no number of hosts"),
        ([UNIT, simclone.Model("b", 0.0, like="h2")], {}, "models.b: has no price"),
        ([simclone.Model("b", like="h9")], {}, "there is no host 'h9'"),
        ([simclone.Model("b")], {}, "addHosts.cpuNum: is missing"),
    ],
)
def test_a_wrong_question_says_where(models: list[simclone.Model], given_: dict[str, Any], words: str) -> None:
    """Every fault names its place and what would be right."""
    with pytest.raises(InvalidInput) as caught:
        simclone.size(asking(9), models, **given_)
    assert words in str(caught.value)


def test_refreshing_unknown_hosts_is_a_fault() -> None:
    """Also when the model is to be like one of them."""
    with pytest.raises(InvalidInput, match="there is no host 'h9'"):
        simclone.refresh(asking(9), ["h9"], UNIT)
    with pytest.raises(InvalidInput, match="there is no host 'h9'"):
        simclone.refresh(asking(9), ["h9"], simclone.Model("n", like="h9"))


def test_models_need_names_of_their_own_and_prices_that_are_numbers() -> None:
    """Two of one name, less than nothing, not a number: every fault at once."""
    models = [simclone.Model("m", price=-1, like="h1"), simclone.Model("m", price=float("nan"), like="h1")]
    with pytest.raises(InvalidInput) as caught:
        simclone.size(world(requests=[request(0, "a")]), models)
    assert len(caught.value.faults) == 3


def test_vms_of_the_file_without_a_host_are_a_matter_of_hosts() -> None:
    """Two hundred VMs of one vCPU on hosts of one: doubling goes on past where nothing seems to change."""
    host = {"name": "h1", "cpuNum": 1, "totalPhysicalMemory": 64 * GIB}
    doc = world(
        hosts=[host], vms=[vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs"), vm("r{n}", count=200)]
    )
    found = simclone.size(
        {**doc, "requests": []}, [simclone.Model("m", like="h1")], plan=simclone.ReplicationPlan(replications=1)
    )
    assert found.counts == (199,)


def test_one_failure_behind_many_successes_is_looked_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four and five are enough, six is not, seven and more are: seven is the smallest after which all tried do."""
    good = {4, 5, *range(7, 100)}

    def trial(_: Any, counts: tuple[int, ...]) -> sizing.Trial:
        return sizing.Trial(counts, counts[0] in good, 1.0, 1.0)

    monkeypatch.setattr(sizing._Trials, "_run", trial)
    found = simclone.size(world(requests=[request(0, "a")]), [simclone.Model("m", like="h1")])
    assert (found.counts, found.monotone) == ((12,), False)


def test_a_host_that_goes_leaves_its_devices_to_those_like_it() -> None:
    """Only host-1 has the device that is asked for; one host like it takes its place."""
    path = Path(__file__).resolve().parents[2] / "scenarios" / "pci-devices.yaml"
    one = simclone.ReplicationPlan(replications=1)
    more = simclone.size(path, [simclone.Model("m", like="host-1")], plan=one).counts
    assert more is not None
    found = simclone.refresh(path, ["host-1"], simclone.Model("m", like="host-1"), plan=one)
    assert found.counts == (more[0] + 1,)
