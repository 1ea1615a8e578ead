"""The planning questions: the one register from which commands, public names and report sections follow.

A question is one module of this package, named as its command, with a function of the same name: its signature and the
`Option` of each parameter give the command its options, its docstring the sentence, its `Answer` class the section of
the page. A line here names it, with what else of its module is public. Installed distributions add theirs by entry
points of the group ``simclone.questions``: the entry point's name is the command, its object the function.
"""

from __future__ import annotations

from collections.abc import Mapping

GROUP = "simclone.questions"
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "headroom": (),
    "size": ("refresh",),
    "shrink": (),
    "survive": (),
    "drain": (),
    "rebalance": (),
    "runway": (),
    "compare": ("strategy_variants", "whatif_variants", "change_variants"),
    "sweep": ("hypercube",),
    "sensitivity": (),
    "slo": (),
    "whatif": (),
    "bound": (),
}
"""Name of a question → other public names of its module, in the order people meet them."""


def module_of(name: str) -> str:
    """The module of a question."""
    return f"simclone.planning.{name}"


def public_names() -> dict[str, str]:
    """Every public name that questions bring, with its module."""
    return {name: module_of(question) for question, others in QUESTIONS.items() for name in (question, *others)}
