"""``simclone whatif``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simclone.cli.planning import answer_options, changes_of, run_options, scenario_argument, show

if TYPE_CHECKING:
    from simclone.planning.replication.plan import Plan


@click.command(name="whatif")
@scenario_argument
@click.option(
    "--change",
    "changes",
    multiple=True,
    metavar="CHANGE",
    help="A change, such as 'addHosts: {like: host-1}'; all are made together. Instead of the file's whatif: block.",
)
@click.option(
    "--stack",
    "stacks",
    multiple=True,
    metavar="NAME,NAME",
    help="Also these what-ifs of the file together; may be repeated.",
)
@click.option(
    "--commit", metavar="NAME,NAME", help="Write the scenario with these what-ifs made (or with the changes: all)."
)
@click.option("--out", type=click.Path(dir_okay=False), help="The new file of --commit.")
@run_options
@answer_options
def command(
    scenario: str,
    changes: tuple[str, ...],
    stacks: tuple[str, ...],
    commit: str | None,
    out: str | None,
    plan: Plan,
    **shown: Any,
) -> None:
    """SCENARIO before and after its what-ifs: success, and room for more."""
    from simclone import api
    from simclone.changes.load import write_scenario
    from simclone.planning.whatif import beside, stacked, whatif
    from simclone.scenario.writing import refuse_taken

    if (commit is None) != (out is None):
        raise click.UsageError("--commit and --out go together")
    if changes and commit not in (None, "all"):
        raise click.UsageError("with --change all changes are written: --commit all")
    if out is not None:
        refuse_taken(out)
    loaded = api.load(scenario)
    if changes:
        made = api.change(loaded, changes_of(changes))
        show(beside(loaded.name, {"as it is": loaded, "changed": made}, plan), **shown)
    else:
        show(whatif(loaded, stacks=[one.split(",") for one in stacks], plan=plan), **shown)
    if commit is not None and out is not None:
        write_scenario(made if changes else stacked(loaded, commit.split(",")), out)
        click.echo(f"written to {out}", err=True)
