"""The reasons of the package: every code that is used is declared, once, with its meaning."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import simclone
from simclone.allocator.host.strategies import TABLES
from simclone.errors import InvalidInput, UnknownName
from simclone.vocabulary import REASONS, Extent, HostState, Policy, PolicyKind, Reason, Subject, declare, reason_of

PACKAGE = Path(simclone.__file__).parent


def codes_in(text: str) -> set[str]:
    """Literal reasons of a module: ``reason=…``, the second argument of an operation error, the first of a refusal."""
    codes = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        named = [word.value for word in node.keywords if word.arg == "reason"]
        name = getattr(node.func, "id", "")
        if name == "operation_error":
            named += node.args[1:2]
        if name in ("refusal", "Test"):
            named += node.args[:1]
        codes |= {value.value for value in named if isinstance(value, ast.Constant) and isinstance(value.value, str)}
    return codes


def test_every_reason_in_the_sources_is_declared() -> None:
    """A code written somewhere in the package is one of the vocabulary."""
    used = {code for path in PACKAGE.rglob("*.py") for code in codes_in(path.read_text("utf-8"))}
    assert len(used) > 15
    assert used - set(REASONS) - {"blocked"} == set()


def test_an_undeclared_reason_is_seen() -> None:
    """The search of the sources finds a code wherever it is written."""
    text = 'E(reason="a.b")\noperation_error("why", "c.d")\nrefusal("e.f", "why")\nTest("g.h", f)\nf(reason=x)'
    assert codes_in(text) == {"a.b", "c.d", "e.f", "g.h"}


@pytest.mark.parametrize("profile", ["open", "cloud"])
def test_every_test_of_a_flow_has_a_declared_reason(profile: str) -> None:
    """What the Steps show can be judged by its meaning."""
    flows = [flow for strategy in TABLES[profile].values() for flow in strategy.filters]
    assert {test.reason for flow in flows for test in flow.tests} <= set(REASONS)


def test_an_unknown_code_is_an_error() -> None:
    """Nobody takes a reason that was never declared for a rule."""
    with pytest.raises(UnknownName, match=r"host\.memory"):
        reason_of("host.memmory")


def test_a_code_stands_for_one_reason() -> None:
    """The same reason may be declared again, another one with its code may not."""
    assert declare(reason_of("host.cpu")) is reason_of("host.cpu")
    with pytest.raises(InvalidInput, match=r"host\.cpu"):
        declare(Reason("host.cpu", "something else", Subject.HOST))
    assert reason_of("host.cpu").too_little


def test_reasons_are_told_apart_by_meaning_and_extent() -> None:
    """Too little, not allowed, and calls that are refused as a whole."""
    little = {code for code, reason in REASONS.items() if reason.too_little}
    calls = {code for code, reason in REASONS.items() if reason.extent is Extent.CALL}
    assert {"host.memory", "storage.virtual", "ip.exhausted"} <= little
    assert {"request.invalid", "vm.state"} <= calls
    assert not little & calls
    assert not {"affinity.antiHard", "host.state", "quota.vm.num"} & (little | calls)
    assert all(reason.sentence for reason in REASONS.values())


def test_policies_know_what_they_want() -> None:
    """Six policies: three kinds, hard or soft."""
    assert {(policy.kind, policy.hard) for policy in Policy} == {
        (kind, hard) for kind in PolicyKind for hard in (True, False)
    }
    assert all(policy.soft.kind is policy.kind and not policy.soft.hard for policy in Policy)


def test_codes_of_columns_stay_what_they_are() -> None:
    """The integers stand in files of runs."""
    assert [state.word for state in HostState] == ["Enabled", "Disabled", "PreMaintenance", "Maintenance"]
