"""The workload of a scenario file: what it means, and every fault with its path."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from simclone.scenario.checking.names import collect
from simclone.scenario.checking.shape import check_shape
from simclone.scenario.checking.workload import check_workload
from simclone.scenario.document.scenario import ScenarioDoc
from simclone.scenario.document.workload import WorkloadDoc, stream_specs
from simclone.scenario.findings import Findings, dotted
from simclone.units import SECOND
from simclone.workload.arrivals import Every, Profile
from simclone.workload.distributions import Distribution
from simclone.workload.streams import arrivals

DAY = Path(__file__).resolve().parents[4] / "scenarios" / "data" / "azure-vm-2017-day"
START = datetime(2017, 11, 14, 22, 20, 57)
ONE: dict[str, Any] = {"name": "one", "vm": "web", "arrivals": {"every": 60}}


def faults(*streams: Any, folder: Path | None = DAY.parent) -> list[str]:
    """All faults of a scenario with one VM and these streams."""
    findings = Findings()
    found = check_shape(ScenarioDoc, {"vms": [{"name": "web"}], "workload": list(streams)}, findings)
    assert found.doc is not None
    names = collect(found.doc, findings, found.broken, found.places)
    check_workload(names, found.doc.workload, folder)
    tail = [f" ({one.expected})" if one.expected else "" for one in findings.found]
    return [f"{dotted(one.path)}: {one.message}{end}" for one, end in zip(findings.found, tail, strict=True)]


def specs(*streams: dict[str, Any], folder: Path = DAY.parent) -> Any:
    """The streams of documents."""
    return stream_specs([WorkloadDoc.model_validate(one) for one in streams], START, folder)


FULL: dict[str, Any] = {
    "name": "full",
    "mix": [{"vm": "web", "weight": 2}, {"vm": "web"}],
    "arrivals": {"profile": {"perHour": [6.0] * 24, "weekday": [1, 1, 1, 1, 1, 0.5, 0.5]}},
    "batch": {"choice": [{"value": 1, "weight": 3}, {"value": 10}]},
    "lifetime": {"lognormal": {"median": 3600, "sigma": 1.2}},
    "growthPer30Days": 1.1,
    "retry": {"times": 3, "backoff": 0.5},
    "allOrNothing": True,
    "account": "admin",
    "strategy": "CreateStopped",
    "full": False,
    "systemTags": ["a::b"],
    "userTags": [],
}


def test_a_stream_with_everything() -> None:
    """Every key arrives in the spec, seconds as microseconds, body keys as they are."""
    assert faults(FULL) == []
    (spec,) = specs(FULL)
    assert spec.mix == (("web", 2), ("web", 1))
    assert spec.process == Profile((6.0,) * 24, (1.0,) * 5 + (0.5,) * 2)
    assert spec.batch == Distribution.of(FULL["batch"])
    assert spec.lifetime == Distribution.of(FULL["lifetime"])
    assert (spec.clock.start, spec.clock.growth) == (START, 1.1)
    assert (spec.retry.times, spec.retry.backoff_us) == (3, 500_000)
    assert (spec.all_or_nothing, spec.account) == (True, "admin")
    assert spec.body == {"strategy": "CreateStopped", "full": False, "systemTags": ["a::b"], "userTags": []}


def test_what_is_left_out() -> None:
    """One clone at a time, forever, no retry, nothing in the body."""
    for given in (ONE, ONE | {"lifetime": "forever", "batch": None, "arrivals": {"every": 60, "poisson": None}}):
        assert faults(given) == []
        (spec,) = specs(given)
        assert (spec.process, spec.mix, spec.lifetime, spec.batch.mean) == (Every(60.0), (("web", 1.0),), None, 1)
        assert (spec.retry.times, spec.body, spec.account, spec.all_or_nothing) == (0, {}, None, False)


@pytest.mark.parametrize(
    "how",
    [
        {"poisson": {"perHour": 30}},
        {"renewal": 30},
        {"renewal": {"weibull": {"scale": 60, "shape": 0.7}}},
        {"renewal": {"fromTrace": DAY.name, "field": "batch"}},
        {"bursts": {"perHour": 3, "size": {"fromTrace": DAY.name, "field": "batch"}, "spread": 5}},
        {"profile": {"perHour": [30] * 24}},
    ],
    ids=str,
)
def test_every_process_runs(how: dict[str, Any]) -> None:
    """Each way to write arrivals is valid and makes requests; traces are looked for beside the file."""
    given = ONE | {"arrivals": how, "lifetime": {"fromTrace": DAY.name}}
    assert faults(given) == []
    found = list(arrivals(specs(given)[0], 1, 0, 7200 * SECOND))
    assert found
    assert all(one.vm == "web" for one in found)


def test_a_trace_stream() -> None:
    """A trace is found beside the file and cut as it says."""
    trace = {"path": DAY.name, "from": 1_890_000, "to": 1_893_600, "shift": -1_890_000, "scale": 2, "vmFor": "web"}
    given = {"name": "day", "trace": trace}
    assert faults(given) == []
    found = list(arrivals(specs(given)[0], 1, 0, 1 << 62))
    assert (found[0].at_us, found[-1].at_us) == (1_890_000 * SECOND, (2 * 1_893_300 - 1_890_000) * SECOND)
    assert {one.vm for one in found} == {"web"}


def test_without_the_folder_no_file_is_opened() -> None:
    """What needs no file is checked all the same."""
    assert faults({"name": "t", "trace": {"path": "nowhere"}}, folder=None) == []
    assert faults({"name": "t", "trace": {"path": "nowhere", "vmFor": "wbe"}}, folder=None) != []


KNOWN_LAWS = (
    "constant, exponential, uniform, lognormal, weibull, gamma, pareto, geometric, empirical, choice, scipy, fromTrace"
)
KNOWN_ARRIVALS = "every, poisson, renewal, profile, bursts"

FAULTS: list[tuple[str, list[Any], list[str]]] = [
    (
        "several streams at once",
        [ONE, ONE | {"vm": "wbe", "account": "x"}, {"name": "b"}],
        [
            "workload.1.name: 'one' is taken by workload.0",
            "workload.1.account: unknown account 'x'",
            "workload.1.vm: unknown vm 'wbe' (web, the nearest known)",
            "workload.2.arrivals: is missing (arrivals or trace)",
            "workload.2.vm: is missing (vm or mix)",
        ],
    ),
    (
        "unknown keys",
        [ONE | {"lifetme": 3, "arrivals": {"poison": {"perHour": 3}}, "batch": {"exponentail": {"mean": 2}}}],
        [
            "workload.0.arrivals.poison: unknown key (poisson, the nearest known)",
            "workload.0.batch.exponentail: unknown key (exponential, the nearest known)",
            "workload.0.lifetme: unknown key (lifetime, the nearest known)",
        ],
    ),
    (
        "rates and means of zero or less",
        [
            ONE | {"arrivals": {"poisson": {"perHour": 0}}, "lifetime": {"exponential": {"mean": -3}}},
            ONE | {"name": "b", "growthPer30Days": 0, "retry": {"times": -1}, "arrivals": {"every": -1}},
        ],
        [
            "workload.0.arrivals.poisson.perHour: 0 (more than 0)",
            "workload.0.lifetime.exponential.mean: -3 (more than 0)",
            "workload.1.arrivals.every: -1 (more than 0)",
            "workload.1.growthPer30Days: 0 (more than 0)",
            "workload.1.retry.times: -1 (at least 0)",
        ],
    ),
    (
        "laws that say too little, too much, or what does not go together",
        [
            ONE | {"lifetime": {}, "batch": {"constant": 3, "geometric": {"mean": 2}}},
            ONE | {"name": "b", "lifetime": {"uniform": {"low": 4, "high": 2}}, "batch": {"geometric": {"mean": 0.5}}},
            ONE | {"name": "c", "lifetime": {"scipy": {"name": "nrom"}}, "batch": {"constant": 4, "field": "batch"}},
            ONE | {"name": "d", "arrivals": {"renewal": {"constant": 0}}},
            ONE | {"name": "e", "arrivals": {"renewal": 0}},
        ],
        [
            f"workload.0.batch: constant and geometric at once (exactly one of {KNOWN_LAWS})",
            f"workload.0.lifetime: says nothing (exactly one of {KNOWN_LAWS})",
            "workload.1.batch.geometric: geometric: mean 0.5 is below 1, the least value",
            "workload.1.lifetime.uniform: uniform: low 4 is above high 2",
            "workload.2.batch.field: does not go with constant (only with fromTrace)",
            "workload.2.lifetime.scipy: scipy.stats has no distribution 'nrom'",
            "workload.3.arrivals.renewal.constant: the gaps of renewal are all 0",
            "workload.4.arrivals.renewal: the gaps are all 0 (a mean above 0)",
        ],
    ),
    (
        "wrong types",
        [
            ONE | {"lifetime": "long", "strategy": "Fast"},
            ONE | {"name": "b", "batch": {"empirical": [3, "x"]}, "lifetime": {"empirical": []}},
            ONE | {"name": "c", "arrivals": "often"},
        ],
        [
            "workload.0.lifetime: 'long' (a number or a mapping or 'forever')",
            "workload.0.strategy: 'Fast' ('InstantStart', 'CreateStopped' or 'JustCreate')",
            "workload.1.batch.empirical.1: 'x' (a number or 'forever')",
            "workload.1.lifetime.empirical: a list (at least one entry)",
            "workload.2.arrivals: 'often' (a mapping)",
        ],
    ),
    (
        "arrivals",
        [
            ONE | {"arrivals": {}},
            ONE | {"name": "b", "arrivals": {"every": 1, "renewal": 2}},
            ONE | {"name": "c", "arrivals": {"profile": {"perHour": [1] * 23}}},
            ONE | {"name": "d", "arrivals": {"profile": {"perHour": [0] * 24}}},
            ONE | {"name": "e", "arrivals": {"bursts": {"perHour": 1, "size": {"uniform": {"low": 3, "high": 1}}}}},
        ],
        [
            f"workload.0.arrivals: says nothing (exactly one of {KNOWN_ARRIVALS})",
            f"workload.1.arrivals: says how twice (exactly one of {KNOWN_ARRIVALS})",
            "workload.2.arrivals.profile: perHour of profile needs a list of 24 numbers",
            "workload.3.arrivals.profile: perHour of profile is 0 throughout",
            "workload.4.arrivals.bursts.size.uniform: uniform: low 3 is above high 1",
        ],
    ),
    (
        "mixes",
        [ONE | {"mix": [{"vm": "wbe"}]}, {"name": "b", "mix": [{"vm": "web", "weight": 0}], "arrivals": {"every": 1}}],
        [
            "workload.0.mix.0.vm: unknown vm 'wbe' (web, the nearest known)",
            "workload.0.mix: does not go with vm (one of the two)",
            "workload.1.mix: the weights are all 0 (one above 0)",
        ],
    ),
    (
        "traces",
        [
            ONE | {"batch": 3, "trace": {"path": DAY.name, "vmFor": "web"}},
            {"name": "b", "trace": {"path": DAY.name, "vmFor": "{vpu}"}},
            {"name": "c", "trace": {"path": DAY.name, "from": 5, "to": 3}},
            {"name": "d", "trace": {"path": DAY.name, "vmFor": "web-{gpus}"}},
        ],
        [
            "workload.0.vm: does not go with trace, which says it (one of the two)",
            "workload.0.arrivals: does not go with trace, which says it (one of the two)",
            "workload.0.batch: does not go with trace, which says it (one of the two)",
            "workload.1.trace: unknown place {vpu} in vmFor; there is {vcpu}, {memoryGib}, {gpus}",
            "workload.2.trace: to must be after from",
            "workload.3.trace.vmFor: unknown vm 'web-0' (web, the nearest known)",
        ],
    ),
]


@pytest.mark.parametrize(("streams", "said"), [one[1:] for one in FAULTS], ids=[one[0] for one in FAULTS])
def test_faults_come_all_at_once_with_their_paths(streams: list[Any], said: list[str]) -> None:
    """Every mistake is named at the key that holds it, and nothing else is."""
    assert sorted(faults(*streams)) == sorted(said)


def test_traces_that_cannot_be_read_are_faults() -> None:
    """A file that is not there, or no trace, is a fault at its path."""
    lost = {"path": "nowhere"}
    found = faults({"name": "a", "trace": lost}, ONE | {"lifetime": {"fromTrace": "nowhere"}})
    assert [one.partition(":")[0] for one in found] == ["workload.0.trace.path", "workload.1.lifetime.fromTrace"]
    assert all("cannot be read: No such file or directory" in one for one in found)
    readme = {"path": f"{DAY.name}/README.md"}
    assert "no known trace begins with" in faults({"name": "a", "trace": readme})[0]
