"""``simclone schema``."""

from __future__ import annotations

import click


@click.command(name="schema")
@click.argument("kind", type=click.Choice(["scenario", "case", "answer"]), default="scenario")
def command(kind: str) -> None:
    """Print the JSON Schema (2020-12) of a scenario file, a case file, or the API's answer."""
    from simclone.cli.output import print_json

    if kind == "answer":
        from simclone.wire.schema import answer_schema

        print_json(answer_schema())
        return
    from simclone.changes.load import scenario_schema
    from simclone.scenario.schema import case_schema

    print_json(scenario_schema() if kind == "scenario" else case_schema())
