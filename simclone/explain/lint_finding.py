"""One finding of lint."""

from __future__ import annotations

from dataclasses import dataclass

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True)
class LintFinding:
    """Something that will fail (error) or surprise (warning); *path* is where it stands, *fix* what would help."""

    severity: str
    path: str
    message: str
    fix: str
