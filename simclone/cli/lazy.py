"""A command group that imports a command only when it is used, so that help stays fast."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from simclone.cli.question_command import descriptions, question_command


class LazyGroup(click.Group):
    """Commands of modules ``simclone.cli.<name>``, of planning questions and of installed questions.

    What the first two say in the list of commands is known without importing them; of installed ones only the name is.
    """

    def __init__(self, *args: Any, commands_help: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._own = commands_help

    def _help(self) -> dict[str, str]:
        from simclone.planning.entry_points import question_names

        installed = dict.fromkeys(question_names(), "A question of an installed package.")
        return {**self._own, **{name: text for name, text in installed.items() if name not in self._own}}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order people meet them."""
        return list(self._help())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself, imported now."""
        if cmd_name in descriptions():
            return question_command(descriptions()[cmd_name])
        if cmd_name in self._own:
            command: click.Command = import_module(f"simclone.cli.{cmd_name}").command
            return command
        return _installed(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._help().items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As usual, with the nearest known name for a wrong one."""
        if args and not args[0].startswith("-") and args[0] not in self._own:
            known = self._help()
            if args[0] not in known:
                import difflib

                near = difflib.get_close_matches(args[0], known, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


def _installed(name: str) -> click.Command | None:
    from simclone.planning.entry_points import question_function

    function = question_function(name)
    if function is None:
        return None
    from simclone.planning.option import describe

    return question_command(describe(name, function), function)
