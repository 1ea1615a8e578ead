"""Wrong Python types in place of a question's arguments answer with a sentence that names the argument."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simclone
from simclone.changes.load import scenario_of
from simclone.errors import InvalidInput
from simclone.planning.arguments import check_fields, checked, faults_of
from simclone.planning.parts.host_model import Model
from simclone.planning.questions import QUESTIONS, public_names
from simclone.planning.replication.executor import Execution
from simclone.planning.replication.plan import ReplicationPlan, RunKeywords
from tests.time.worlds import request, world

WRONG: dict[str, Any] = {
    "None": None,
    "object": object(),
    "list": [object()],
    "float": 2.5,
    "text": "abc",
    "mapping": {"abc": object()},
    "number key": {7: 1},
    "nested": [["abc"], None],
}
NEEDED: Mapping[str, Any] = {
    "models": [Model("m", like="h1")],
    "model": Model("m", like="h1"),
    "old": ["h1"],
    "ranges": {"demand": (0.5, 1.5)},
    "points": 2,
    "target": 0.9,
    "names": ["simclone.FirstFit"],
    "variants": {"x": []},
}
"""Values for arguments that have no default, and for `variants` of changes."""


def scenario() -> Any:
    """One request of one name on two hosts, with a what-if."""
    doc = world(name="small", requests=[request(0, "a")], run={"horizon": 100})
    return {**doc, "whatif": [{"name": "more", "changes": [{"addHosts": {"like": "h1", "name": "n"}}]}]}


def arguments() -> list[tuple[str, str]]:
    """Every public function of the questions with each of its arguments, those of runs one by one."""
    return [
        (name, argument)
        for name in public_names()
        for parameter in inspect.signature(function(name)).parameters.values()
        for argument in (RunKeywords.__annotations__ if parameter.kind is parameter.VAR_KEYWORD else [parameter.name])
    ]


def error_of(name: str, keywords: Mapping[str, Any]) -> str | None:
    """The sentence a question refuses its arguments with; any other exception is the test's end."""
    try:
        function(name)(**keywords)
    except (simclone.InvalidInput, simclone.UnknownName) as error:
        return str(error)
    return None


def function(name: str) -> Callable[..., Any]:
    """A public function by name."""
    found: Callable[..., Any] = getattr(import_module(public_names()[name]), name)
    return found


@pytest.mark.parametrize(("name", "argument"), arguments())
def test_a_wrong_type_is_answered_or_refused_by_name(
    name: str, argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No raw TypeError or AttributeError from within, whatever is given."""
    monkeypatch.chdir(tmp_path)
    parameters = inspect.signature(function(name)).parameters
    usual = {key: value for key, value in NEEDED.items() if key in parameters}
    usual |= {"variants": None} if name == "compare" else {}
    usual |= (
        {"replications": 2 if argument == "half_width" else 1} if "runs" in parameters and argument != "plan" else {}
    )
    usual |= {"plan": ReplicationPlan(1)} if "runs" not in parameters and "plan" in parameters else {}
    for value in WRONG.values():
        error = error_of(name, {"source": scenario(), **usual, argument: value})
        named = (argument, "'abc'", *(("abc: No such file", "<data>: ") if argument == "source" else ()))
        assert error is None or any(word in error for word in named), error


def test_the_cases_are_all_public_functions_of_the_register() -> None:
    """Each question is there with its source, and the questions that make runs with the keywords of runs."""
    pairs = set(arguments())
    assert {(name, "source") for name in QUESTIONS} <= pairs
    assert {("size", key) for key in RunKeywords.__annotations__} <= pairs
    assert len(pairs) > 100


@pytest.mark.parametrize(
    ("name", "keywords", "said"),
    [
        ("headroom", {"batch": "ten"}, "batch: 'ten' is no whole number (expected a whole number or None)"),
        ("headroom", {"survive": 1.5}, "survive: 1.5 is no whole number (expected a whole number)"),
        ("headroom", {"survive": True}, "survive: True is no whole number (expected a whole number)"),
        ("headroom", {"offerings": "unit"}, "offerings: 'unit' is no list of texts (expected a list of texts)"),
        ("headroom", {"offerings": ["unit", 3]}, "offerings.1: 3 is no text (expected a text)"),
        ("headroom", {"mix": {"unit": "x"}}, "mix.unit: 'x' is no whole number (expected a whole number)"),
        ("headroom", {"at": "noon"}, "at: 'noon' is no time"),
        ("headroom", {"at": 3}, "at: 3 is no one of 'start', 'end'"),
        ("headroom", {"one_by_one": None}, "one_by_one: is None (expected True or False)"),
        ("headroom", {"source": 3}, "source: 3 is no Scenario (expected a Scenario or a text or a path or a mapping"),
        ("size", {"models": ["h1"]}, "models.0: 'h1' is no Model (expected a Model)"),
        ("size", {"models": Model("m")}, "models: a Model is given (expected a list of Models)"),
        ("size", {"plan": 3}, "plan: 3 is no ReplicationPlan (expected a ReplicationPlan or None)"),
        ("size", {"confidence": "0.9"}, "confidence: '0.9' is no number (expected a number)"),
        ("slo", {"target": None}, "target: is None (expected a number)"),
        (
            "sensitivity",
            {"ranges": {"demand": 3}},
            "ranges.demand: 3 is no pair of numbers (expected a pair",
        ),
        ("sweep", {"values": {7: [1]}}, "values.7: 7 is no text (expected a text)"),
    ],
)
def test_the_sentence_says_what_was_expected_and_given(name: str, keywords: dict[str, Any], said: str) -> None:
    """The argument, or its part, first."""
    usual = {key: value for key, value in NEEDED.items() if key in inspect.signature(function(name)).parameters}
    with pytest.raises(InvalidInput) as caught:
        function(name)(**{"source": scenario(), **usual, **keywords})
    assert str(caught.value).startswith(said)


def test_what_other_libraries_and_paths_bring_is_taken(tmp_path: Path) -> None:
    """Numbers and lists of numpy, tuples, sets, a path for a file; a whole number where a number is wanted."""
    scenario_path = tmp_path / "s.json"
    scenario_path.write_text(json.dumps(scenario()), "utf-8")
    assert simclone.headroom(scenario_path, batch=np.int64(2), offerings={"unit"}, survive=np.int32(0)).rooms
    assert simclone.slo(scenario(), 0.9, replications=np.int64(1), tolerance=np.float64(0.5)).target == 0.9
    out = tmp_path / "new.yaml"
    simclone.whatif(scenario_of(scenario()), commit="more", out=out, replications=1)  # type: ignore[arg-type]
    assert out.exists()
    assert simclone.sensitivity(scenario(), {"demand": [1, 2]}, replications=1)  # type: ignore[dict-item]
    assert simclone.headroom(scenario(), offerings=np.array(["unit"])).rooms  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Model("m", price="much"), "price: 'much' is no number"),  # type: ignore[arg-type]
        (lambda: Model(3), "name: 3 is no text"),  # type: ignore[arg-type]
        (lambda: ReplicationPlan("ten"), "replications: 'ten' is no whole number"),  # type: ignore[arg-type]
        (lambda: ReplicationPlan(executor=4), "executor: 4 is no Execution"),  # type: ignore[arg-type]
        (lambda: Execution("two"), "jobs: 'two' is no whole number"),  # type: ignore[arg-type]
        (lambda: Execution(cluster=[]), "cluster: a list is given (expected a text or None)"),  # type: ignore[arg-type]
    ],
)
def test_what_is_handed_to_questions_is_checked_when_it_is_made(make: Callable[[], Any], said: str) -> None:
    """Models, plans, executions: field by field."""
    with pytest.raises(InvalidInput) as caught:
        make()
    assert str(caught.value).startswith(said)


def test_python_names_missing_and_unknown_arguments_itself() -> None:
    """As for any function."""

    @checked
    def ask(source: str, *, wave: int = 1) -> int:
        return wave + len(source) - 1

    assert ask("x", wave=2) == 2
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'source'"):
        ask()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'wav'"):
        ask("x", wav=1)  # type: ignore[call-arg]
    assert str(inspect.signature(ask)).startswith("(source: 'str', *, wave: 'int' = 1)")


def test_types_that_say_nothing_refuse_nothing() -> None:
    """Any and object; what can be called is all that is asked of a function."""
    assert [faults_of("x", 3, hint) for hint in (Any, object, list[Any] | int)] == [[]] * 3
    (fault,) = faults_of("x", 3, Callable[[], int])
    assert str(fault) == "x: 3 is no Callable (expected a Callable)"
    check_fields(Execution(progress=print))
