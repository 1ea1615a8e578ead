"""``simclone size``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simclone.cli.planning import answer_options, model_of, run_options, scenario_argument, show

if TYPE_CHECKING:
    from simclone.planning.replication.plan import Plan


@click.command(name="size")
@scenario_argument
@click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="like=HOST,price=N",
    help="A host model to add (also name=, cpu=, memory=, cluster=); several are mixed by price.",
)
@click.option("--target", type=float, help="Share of names that must be placed (default: every one in every run).")
@click.option("--most", type=int, default=10_000, show_default=True, help="Hosts to try at most.")
@click.option(
    "--replace", "old", multiple=True, help="A host that goes, its place is taken by the model; may be repeated."
)
@run_options
@answer_options
def command(
    scenario: str,
    models: tuple[str, ...],
    target: float | None,
    most: int,
    old: tuple[str, ...],
    plan: Plan,
    **shown: Any,
) -> None:
    """The fewest hosts (or the cheapest mix) to add to SCENARIO so that its requests succeed."""
    from simclone.planning.size import refresh, size

    chosen = [model_of(one) for one in models]
    if old and len(chosen) > 1:
        raise click.UsageError("--replace takes one --model")
    if old:
        show(refresh(scenario, old, chosen[0], target=target, plan=plan), **shown)
    else:
        show(size(scenario, chosen, target=target, most=most, plan=plan), **shown)
