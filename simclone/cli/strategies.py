"""``simclone strategies``."""

from __future__ import annotations

import click


def rows(profile: str) -> list[dict[str, str]]:
    """The host strategies of a profile: where each comes from, and its chain of filters and sorters."""
    from simclone.allocator.host.strategies import TABLES, named, names

    return [
        {
            "strategy": name,
            "origin": "built in" if name in TABLES[profile] else "installed",
            "filters": ", ".join(flow.name for flow in named(profile, name, {}).filters),
            "sorters": ", ".join(flow.name for flow in named(profile, name, {}).sorters),
        }
        for name in names(profile)
    ]


@click.command(name="strategies")
@click.option(
    "--profile", type=click.Choice(["cloud", "open"]), default="cloud", show_default=True, help="Of the allocator."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(profile: str, as_json: bool) -> None:
    """List the host strategies with their origin and their chains."""
    from simclone.cli.output import show_rows

    show_rows("strategies", rows(profile), as_json=as_json)
