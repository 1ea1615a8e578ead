"""``simclone compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simclone.cli.planning import answer_options, changes_of, run_options, scenario_argument, show

if TYPE_CHECKING:
    from simclone.planning.replication.plan import Plan


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
@click.option(
    "--cost",
    "costs",
    multiple=True,
    metavar="VARIANT=COST",
    help="What a variant costs, to be shown beside it; may be repeated.",
)
@run_options
@answer_options
def command(
    scenario: str,
    strategies: bool,
    names: tuple[str, ...],
    changes: tuple[str, ...],
    figure: str,
    costs: tuple[str, ...],
    plan: Plan,
    **shown: Any,
) -> None:
    """Rank strategies, settings or the what-ifs of SCENARIO on the same requests; not significant is said."""
    from simclone.planning import compare as comparing

    if (strategies or names) and changes:
        raise click.UsageError("strategies or changes, not both")
    if strategies or names:
        variants = comparing.strategy_variants(scenario, names)
    elif changes:
        sets = {text: [one] for text, one in zip(changes, changes_of(changes), strict=True)}
        variants = comparing.change_variants(scenario, {"as it is": [], **sets})
    else:
        variants = comparing.whatif_variants(scenario)
    priced = _costs(costs, list(variants))
    show(comparing.compare(scenario, variants, figure=figure, costs=priced, plan=plan), **shown)


def _costs(texts: tuple[str, ...], variants: list[str]) -> dict[str, float]:
    """``VARIANT=COST`` by variant; raises UsageError."""
    found = {}
    for text in texts:
        name, _, cost = text.rpartition("=")
        if name not in variants:
            raise click.UsageError(f"--cost {text!r}: no variant has this name; there is {', '.join(variants)}")
        try:
            found[name] = float(cost)
        except ValueError:
            raise click.UsageError(f"--cost {text!r}: {cost!r} is no number") from None
    return found
