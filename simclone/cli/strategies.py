"""``simclone strategies``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from simclone.scenario.load import Scenario

OWN = "this file"
PROFILES = ("cloud", "open")


def rows(profile: str, own: Mapping[str, object] | None = None) -> list[dict[str, str]]:
    """The host strategies of a profile and a file's *own*: where each comes from, its chain of filters and sorters."""
    from simclone.allocator.host.plugins import strategy_origins
    from simclone.allocator.host.strategies import named, names

    composed = own or {}
    origins = {name: str(origin) for name, origin in strategy_origins().items()} | dict.fromkeys(composed, OWN)
    chains = {name: named(profile, name, composed) for name in (*names(profile), *composed)}
    return [
        {
            "strategy": name,
            "origin": origins.get(name, "built in"),
            "filters": ", ".join(flow.name for flow in chain.filters),
            "sorters": ", ".join(flow.name for flow in chain.sorters),
        }
        for name, chain in chains.items()
    ]


def rows_of(scenario: Scenario) -> list[dict[str, str]]:
    """What a scenario may name under its profile, its own strategies among them."""
    from simclone.engine.opening import own_strategies

    profile = scenario.run.profile
    return rows(profile, own_strategies(profile, scenario.strategies))


@click.command(name="strategies")
@click.argument("scenario", required=False, type=click.Path(allow_dash=True))
@click.option("--profile", type=click.Choice(PROFILES), help="Of the allocator, without SCENARIO.  [default: cloud]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(scenario: str | None, profile: str | None, as_json: bool) -> None:
    """List the host strategies with their origin and their chains.

    With SCENARIO, those it may name: of its profile, and its own.
    """
    from simclone.cli.output import show_rows

    if scenario is None:
        show_rows("strategies", rows(profile or PROFILES[0]), as_json=as_json)
        return
    if profile is not None:
        raise click.UsageError("SCENARIO says its profile; leave --profile out")
    from simclone.changes.load import as_scenario

    show_rows("strategies", rows_of(as_scenario(scenario)), as_json=as_json)
