"""``simclone migrate``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="migrate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("-o", "--out", type=click.Path(dir_okay=False), help="Write here (default: standard output).")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def command(file: str, out: str | None, force: bool) -> None:
    """Rewrite FILE in the current schema version; comments and order stay."""
    from simclone.changes.load import rewritten

    if out is not None and Path(out).exists() and not force:
        raise click.UsageError(f"{out} exists; choose another name or pass --force")
    text, changed = rewritten(file)
    if out is None:
        click.echo(text, nl=False)
    else:
        Path(out).write_text(text, "utf-8")
    click.echo("migrated" if changed else "already in the current version", err=True)
