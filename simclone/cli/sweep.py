"""``simclone sweep``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simclone.cli.planning import answer_options, pairs_of, run_options, scenario_argument, show, value_of

if TYPE_CHECKING:
    from simclone.planning.replication.plan import Plan


@click.command(name="sweep")
@scenario_argument
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="PATH=V1,V2,…",
    help="Values of a path of the file, or of demand (a factor); may be repeated.",
)
@click.option(
    "--range", "ranges", multiple=True, metavar="PATH=LOW:HIGH", help="A range for a Latin hypercube; may be repeated."
)
@click.option("--points", type=int, default=20, show_default=True, help="Points of the hypercube.")
@click.option("--whole", multiple=True, metavar="PATH", help="A path whose values are whole numbers.")
@click.option("--figure", default="success_ratio", show_default=True, help="What is told at each point.")
@run_options
@answer_options
def command(
    scenario: str,
    values: tuple[str, ...],
    ranges: tuple[str, ...],
    points: int,
    whole: tuple[str, ...],
    figure: str,
    plan: Plan,
    **shown: Any,
) -> None:
    """Run SCENARIO at every combination of values, or at points spread over ranges."""
    from simclone.cli.sensitivity import ranges_of
    from simclone.planning.sweep import hypercube, sweep

    if bool(values) == bool(ranges):
        raise click.UsageError("either --set or --range")
    if ranges:
        found = hypercube(scenario, ranges_of(ranges), points, whole=whole, figure=figure, plan=plan)
    else:
        listed = {path: value_of(f"[{rest}]") for path, rest in pairs_of(values, "PATH=V1,V2").items()}
        found = sweep(scenario, listed, figure=figure, plan=plan)
    show(found, **shown)
