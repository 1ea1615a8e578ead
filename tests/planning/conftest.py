"""The command line called in this process, as the command line's own tests do."""

from __future__ import annotations

from tests.cli.conftest import here

__all__ = ["here"]
