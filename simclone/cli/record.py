"""``simclone record``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="record")
@click.argument("scenario", type=click.Path(allow_dash=True))
@click.option("--seed", type=click.IntRange(0), help="Seed of all chance; overrides the file's.")
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False), help="Write the log to a file instead of standard output."
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
def command(scenario: str, seed: int | None, out: str | None, force: bool) -> None:
    """Print the decision log of SCENARIO, one line per decision, and its fingerprint."""
    from simclone import api

    if out is not None and Path(out).exists() and not force:
        raise click.UsageError(f"{out} exists; choose another name or pass --force")
    run = api.run(scenario, seed=seed)
    text = run.decision_log()
    if out is None:
        click.echo(text, nl=False)
    else:
        Path(out).write_text(text, "utf-8")
    click.echo(f"fingerprint {run.fingerprint}", err=True)
