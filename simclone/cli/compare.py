"""``simclone compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simclone.cli.planning import answer_options, changes_of, run_options, scenario_argument, show

if TYPE_CHECKING:
    from simclone.planning.replicating import Plan


@click.command(name="compare")
@scenario_argument
@click.option("--strategies", is_flag=True, help="Compare host strategies (all, or those named).")
@click.option("--strategy", "names", multiple=True, help="A strategy to compare; may be repeated.")
@click.option(
    "--change",
    "changes",
    multiple=True,
    metavar="CHANGE",
    help="Compare with this change, such as 'globalConfig: {NAME: VALUE}'; may be repeated.",
)
@click.option("--figure", default="success_ratio", show_default=True, help="What they are ranked by.")
@run_options
@answer_options
def command(
    scenario: str,
    strategies: bool,
    names: tuple[str, ...],
    changes: tuple[str, ...],
    figure: str,
    plan: Plan,
    **shown: Any,
) -> None:
    """Rank strategies, settings or the what-ifs of SCENARIO on the same requests; not significant is said."""
    from simclone.planning import comparing

    if (strategies or names) and changes:
        raise click.UsageError("strategies or changes, not both")
    if strategies or names:
        variants = comparing.strategy_variants(scenario, names)
    elif changes:
        sets = {text: [one] for text, one in zip(changes, changes_of(changes), strict=True)}
        variants = comparing.change_variants(scenario, {"as it is": [], **sets})
    else:
        variants = comparing.whatif_variants(scenario)
    show(comparing.compare(scenario, variants, figure=figure, plan=plan), **shown)
