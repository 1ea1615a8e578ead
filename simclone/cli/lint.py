"""``simclone lint``."""

from __future__ import annotations

import click


@click.command(name="lint")
@click.argument("scenario", type=click.Path(allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="Print findings as one JSON document.")
def command(scenario: str, as_json: bool) -> None:
    """Look through SCENARIO for what will fail or surprise before it is run; exit 1 when something will fail."""
    from dataclasses import asdict

    from simclone import api
    from simclone.cli.output import console, print_json, table
    from simclone.explain.lint import lint
    from simclone.explain.lint_finding import ERROR

    result = lint(api.load(scenario))
    if as_json:
        print_json({"findings": [asdict(element) for element in result]})
    elif result:
        rows = [(item.severity, item.path, item.message, item.fix) for item in result]
        console().print(table("Findings", ("severity", "where", "what", "what would help"), rows))
    else:
        click.echo(f"{scenario}: nothing found")
    if any(entry.severity == ERROR for entry in result):
        raise SystemExit(1)
