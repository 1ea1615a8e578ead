"""The command line: parse, call, print, exit code. One file a command; heavy imports inside its function."""

from __future__ import annotations

import io
import os
import sys

import click

from simclone.cli.lazy import LazyGroup
from simclone.cli.question_command import descriptions
from simclone.errors import InvalidInput, InvariantViolation, SimcloneError
from simclone.units import plural

COMMANDS: dict[str, str] = {
    "run": "Run a scenario: which clones succeed, where they land, why the others fail.",
    "explain": "Why one clone was placed where it is, or was not.",
    "report": "One offline page about a run, to look at and to print.",
    "check": "Run cases and scenarios with expectations; exit 1 when one does not hold.",
    "validate": "Read files and report every fault at once.",
    "lint": "Look for what will fail or surprise before anything runs; exit 1 when something will fail.",
    **{name: description["sentence"] for name, description in descriptions().items()},
    "record": "Print the decision log and fingerprint of a scenario.",
    "fit": "Fit a workload block to a recorded trace.",
    "trace": "Cut, thin, stretch or move a trace into a plain table.",
    "audit": "Re-check a run directory from its records alone; exit 1 on a violation.",
    "bench": "Measure decisions, simulations and loading on the standard workload.",
    "migrate": "Rewrite a file in the current schema version.",
    "schema": "Print the JSON Schema of scenarios, cases or answers.",
    "strategies": "List the host strategies with their origin and their chains.",
    "settings": "List the settings of globalConfig and fidelity, with their defaults.",
    "reasons": "List the reasons a clone can fail for, with what each means.",
    "docs": "Read the pages about rules, terms and decisions that ship with simclone.",
}
"""Every command with its sentence; those of planning questions come from their functions."""


@click.group(cls=LazyGroup, commands_help=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="simclone")
def cli() -> None:
    """Predict which VM clones a private cloud will make, and why the others fail.

    Exit codes: 0 done; 1 done, and a declared check failed; 2 bad usage or invalid input; 3 a bug in simclone;
    130 interrupted.
    """


def main() -> None:
    """Run the command line and exit with its code."""
    code: object = 0
    _usable_streams()
    try:
        with cli.make_context("simclone", sys.argv[1:], auto_envvar_prefix="SIMCLONE") as ctx:
            code = cli.invoke(ctx)
    except click.exceptions.Exit as end:
        code = end.exit_code
    except click.exceptions.Abort:
        _leave("interrupted", 130)
    except KeyboardInterrupt:
        _leave("interrupted", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code if error.exit_code == 2 else 2)
    except InvalidInput as error:
        count = len(error.faults)
        _leave(f"{error}\n{plural(count, 'fault')}", 2)
    except InvariantViolation as error:
        _leave(f"simclone broke a rule of its own, which is a bug: {error}", 3)
    except SimcloneError as error:
        _leave(str(error), 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        _leave(f"{error.filename or 'file'}: {error.strerror or error}", 2)
    except Exception as error:
        if os.environ.get("SIMCLONE_DEBUG"):
            raise
        _leave(f"this is a bug in simclone ({type(error).__name__}: {error}); SIMCLONE_DEBUG=1 shows where", 3)
    sys.exit(code if isinstance(code, int) else 0)


def _usable_streams() -> None:
    """A closed stream swallows what is written; one of another encoding shows ``?`` for what it cannot say."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _leave(message: str, code: int) -> None:
    click.echo(message, err=True)
    sys.exit(code)
