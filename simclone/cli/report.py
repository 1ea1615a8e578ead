"""``simclone report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simclone.cli.question_command import run_options

if TYPE_CHECKING:
    from simclone.planning.parts.answer import Answer
    from simclone.planning.replication.plan import ReplicationPlan
    from simclone.scenario.load import Scenario


@click.command(name="report")
@click.argument("scenario", metavar="SCENARIO|RUN_DIR", type=click.Path(allow_dash=True))
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False), help="The page to write.")
@click.option("--plan", "planned", is_flag=True, help="With headroom, hosts to add, survival, maintenance and more.")
@click.option("--strategies", is_flag=True, help="Compare host strategies too (with --plan).")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@run_options
def command(scenario: str, out: str, planned: bool, strategies: bool, force: bool, plan: ReplicationPlan) -> None:
    """Write one self-contained page about a scenario or a finished run: open it in a browser, print it, send it."""
    from simclone import api
    from simclone.report.page import refuse_without_library

    if strategies and not planned:
        raise click.UsageError("--strategies goes with --plan")
    refuse_without_library()
    if not force and Path(out).exists():
        raise click.UsageError(f"{out} is there already; --force replaces it")
    is_run = (Path(scenario) / "manifest.json").is_file()
    run = api.reopen(scenario) if is_run else api.run(scenario, seed=plan.seed)
    answers = _answers(run.scenario, plan, strategies) if planned else []
    words = f"simclone report {Path(scenario).name}"
    run.report(out, answers=answers, force=force, command=words + (" --plan" if planned else ""))
    click.echo(f"written to {out}", err=True)


def _answers(scenario: Scenario, plan: ReplicationPlan, strategies: bool) -> list[Answer]:
    from simclone.planning.overview import overview

    return overview(scenario, plan=plan, strategies=strategies)
