"""A distribution with a plug-in of each kind, as an installer would write it."""

from __future__ import annotations

from pathlib import Path

MODULE = '''
import os
from pathlib import Path

import simclone
from simclone.allocator.host.flow import SortFlow
from simclone.allocator.host.strategies import LEAST_VM, TABLES, Strategy
from simclone.changes.kind import HostEvent, finished
from simclone.engine.operations.hosts import set_host_status
from simclone.model.storage_types import IMAGE_STORE, StorageType
from simclone.traces.rows import VmRow
from simclone.traces.trace_format import TraceFormat

if "ACME_SEEN" in os.environ:
    Path(os.environ["ACME_SEEN"], str(os.getpid())).touch()


class LastNameFirst(SortFlow):
    """Hosts of late names first."""

    name = "acme.LastName"

    width = 24

    def key(self, host, facts):
        return (1 << 20) - host.index


class Unused(LastNameFirst):
    """Installed, and in no chain."""

    name = "acme.Unused"


FLOWS = (LastNameFirst, Unused)
STORAGE = StorageType("AcmeBlock", fed_by=(IMAGE_STORE,))
TRACE = TraceFormat("a list of seconds", lambda path, line: float(line.startswith("seconds")), lambda path: iter(
    VmRow(int(line) * 1_000_000, 60_000_000, 1000, 1 << 30, 0, None, line)
    for line in Path(path).read_text().split()[1:]))


class LosePower(HostEvent):
    """A host loses its power."""

    key = "losePower"
    event = "losePower"

    def strike(self, ctx, rows):
        for row in rows:
            yield finished(set_host_status(ctx, row, "Disconnected"))


class RegainPower(LosePower):
    """A host has power again."""

    key = "regainPower"
    event = "regainPower"


def strategy(profile):
    return Strategy("acme.LastName", TABLES[profile][LEAST_VM].filters, (LastNameFirst(),))


def unused(profile):
    return Strategy("acme.Unused", TABLES[profile][LEAST_VM].filters, (Unused(),))


def kept(source, *, out: str = "") -> str:
    """Run SCENARIO and keep the run."""
    simclone.run(source).save(out)
    return out
'''
POINTS = """[simclone.flows]
flows = acme

[simclone.strategies]
acme.LastName = acme:strategy
acme.Unused = acme:unused

[simclone.storage_types]
AcmeBlock = acme:STORAGE

[simclone.traces]
seconds = acme:TRACE

[simclone.questions]
kept = acme:kept

[simclone.changes]
losePower = acme:LosePower
regainPower = acme:RegainPower
"""


def install(folder: Path) -> None:
    """Write the distribution acme-cloud 2.5 into a folder for the path."""
    info = folder / "acme_cloud-2.5.dist-info"
    info.mkdir(parents=True)
    (folder / "acme.py").write_text(MODULE, "utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-cloud\nVersion: 2.5\n", "utf-8")
    (info / "entry_points.txt").write_text(POINTS, "utf-8")
