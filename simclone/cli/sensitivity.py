"""``simclone sensitivity``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simclone.cli.planning import answer_options, pairs_of, run_options, scenario_argument, show

if TYPE_CHECKING:
    from simclone.planning.replication.plan import Plan


@click.command(name="sensitivity")
@scenario_argument
@click.option(
    "--range",
    "ranges",
    multiple=True,
    required=True,
    metavar="PATH=LOW:HIGH",
    help="A path of the file, or demand (a factor), and its ends; may be repeated.",
)
@click.option("--figure", default="success_ratio", show_default=True, help="What is looked at.")
@run_options
@answer_options
def command(scenario: str, ranges: tuple[str, ...], figure: str, plan: Plan, **shown: Any) -> None:
    """Which parameter of SCENARIO moves the figure most, one at a time (a tornado)."""
    from simclone.planning.sweep import sensitivity

    show(sensitivity(scenario, ranges_of(ranges), figure=figure, plan=plan), **shown)


def ranges_of(texts: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """Ranges by path; raises UsageError."""
    found = {}
    for path, rest in pairs_of(texts, "PATH=LOW:HIGH").items():
        low, sign, high = rest.partition(":")
        try:
            found[path] = (float(low), float(high))
        except ValueError:
            raise click.UsageError(f"{rest!r} is no range LOW:HIGH") from None
        if not sign:
            raise click.UsageError(f"{rest!r} is no range LOW:HIGH")
    return found
