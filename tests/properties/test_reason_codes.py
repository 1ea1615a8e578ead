"""The register of reasons says which codes of the API an error has (rules/errors.md#reasons)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

import simclone
from simclone.placement.host import decide
from simclone.records import PAGE_MARKER, ErrorCode, Unplaced
from simclone.vocabulary import REASONS
from tests.clouds import crowded_cloud, examples, opened, request_of, stir

PACKAGE = Path(simclone.__file__).parent
SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
Pair = tuple[str, str]


def pairs_of(error: ErrorCode | None) -> Iterator[Pair]:
    """Reason and code of an error and of its causes; lists without a code of their own, and pages, left out."""
    if error is None:
        return
    if error.reason and error.code not in (None, PAGE_MARKER):
        yield error.reason, str(error.code)
    for cause in (error.cause, *error.causes):
        yield from pairs_of(cause)


def unknown(pairs: set[Pair]) -> list[Pair]:
    """Those the register does not have."""
    return sorted(pair for pair in pairs if pair[1] not in REASONS[pair[0]].api_codes)


def written(text: str) -> set[Pair]:
    """Reasons and codes that stand together in a module."""
    pairs = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        named = {word.arg: word.value for word in node.keywords}
        name = getattr(node.func, "id", "")
        if name == "operation_error":
            named = {"code": ast.Constant("SYS.1006"), "reason": node.args[1] if len(node.args) > 1 else node}
        elif name == "ErrorCode" and node.args:
            named.setdefault("code", node.args[0])
        code, reason = named.get("code"), named.get("reason")
        if isinstance(code, ast.Constant) and isinstance(reason, ast.Constant) and code.value and reason.value:
            pairs.add((str(reason.value), str(code.value)))
    return pairs


def test_codes_in_the_sources_are_those_of_the_register() -> None:
    """Wherever a code and a reason are written side by side."""
    pairs = {pair for path in PACKAGE.rglob("*.py") for pair in written(path.read_text("utf-8"))}
    assert len(pairs) > 25
    assert unknown(pairs) == []


def test_a_wrong_code_in_the_sources_is_seen() -> None:
    """In each of the forms in which errors are made."""
    text = (
        'ErrorCode(code="A.1", reason="ip.free")\nErrorCode("A.2", "x", reason="ip.free")\noperation_error("x", "a.b")'
    )
    assert written(text) == {("ip.free", "A.1"), ("ip.free", "A.2"), ("a.b", "SYS.1006")}
    assert unknown({("ip.free", "A.1"), ("ip.free", "SYS.1006")}) == [("ip.free", "A.1")]


def test_errors_of_the_scenarios_have_the_codes_of_the_register() -> None:
    """Every answer and decision of the scenarios that ship."""
    pairs: set[Pair] = set()
    for path in sorted(SCENARIOS.glob("*.yaml")):
        result = simclone.run(path).result
        for answer in result.answers:
            pairs.update(pairs_of(answer.error))
            pairs.update(pair for clone in answer.clones for pair in pairs_of(clone.error))
        for record in result.decisions:
            if isinstance(record.decision, Unplaced):
                pairs.update(pairs_of(record.decision.error))
    assert len(pairs) > 20
    assert unknown(pairs) == []


@pytest.mark.parametrize("profile", ["cloud", "open"])
def test_errors_of_any_request_have_the_codes_of_the_register(profile: str) -> None:
    """Any question on crowded clouds, with pages and without."""
    pairs: set[Pair] = set()
    for number in range(examples(80)):
        dice = Random(f"codes/{profile}/{number}")
        ctx = opened(crowded_cloud(dice, profile))
        stir(ctx, dice)
        for _ in range(40):
            request = request_of(dice, ctx.cloud)
            decision = decide(request, ctx.cloud, ctx.identity(0))
            if isinstance(decision, Unplaced):
                pairs.update(pairs_of(decision.error))
    assert len(pairs) > 15
    assert unknown(pairs) == []
