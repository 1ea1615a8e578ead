"""Utilisation of VMs: every course can be followed."""

from __future__ import annotations

from pathlib import Path

from simclone.errors import InvalidInput
from simclone.scenario.checking.names import Directory
from simclone.scenario.document.usage import CourseDoc, Use, UtilisationDoc, course_of


def check_use(names: Directory, folder: Path | None) -> None:
    """All faults of all courses; one that several VMs share is looked at once."""
    known: set[str] = set()
    for row, doc in enumerate(names.docs("vm")):
        use: UtilisationDoc | None = doc.utilisation
        if use is None or (key := use.key()) in known:
            continue
        known.add(key)
        for name, course in (("cpu", use.cpu), ("memory", use.memory)):
            _check(names, course, (*names.kinds["vm"].paths[row], "utilisation", name), folder)


def _check(names: Directory, course: Use, path: tuple[str | int, ...], folder: Path | None) -> None:
    if folder is None and isinstance(course, CourseDoc) and course.recorded is not None:
        names.findings.add((*path, "recorded"), "a file is looked for beside the scenario, and there is none", "a file")
        return
    try:
        course_of(course, folder or Path())
    except InvalidInput as error:
        names.findings.add(path, str(error.faults[0]))
    except ValueError as error:
        names.findings.add(path, str(error))
