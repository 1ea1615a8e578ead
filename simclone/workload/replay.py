"""A trace as a stream: its batches as requests, one batch in memory at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from simclone.traces.batches import batched
from simclone.traces.column_map import ColumnMap
from simclone.traces.cutting import WHOLE, Cut, cut
from simclone.traces.formats import open_trace
from simclone.traces.rows import Batch
from simclone.units import GIB
from simclone.workload.draws import GAP, blocks

SOURCE = "source-{vcpu}-vcpu-{memoryGib}-gib"
"""The rule that is used where none is given."""

WORDS = ("vcpu", "memoryGib", "gpus")
"""What a rule may hold in braces."""

_WORD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Replay:
    """A trace at *path*, what of it is used, and the rule that names the VM to clone for a shape.

    *vm_for* may hold ``{vcpu}``, ``{memoryGib}`` and ``{gpus}``; without them all shapes are clones of one VM.
    *columns* says what the columns of a table mean that is of no known format.
    """

    path: str
    how: Cut = WHOLE
    vm_for: str = SOURCE
    columns: ColumnMap | None = None

    def __post_init__(self) -> None:
        for word in _WORD.findall(self.vm_for):
            if word not in WORDS:
                known = ", ".join(f"{{{name}}}" for name in WORDS)
                raise ValueError(f"unknown place {{{word}}} in vmFor; there is {known}")

    def vm(self, batch: Batch) -> str:
        """The VM that is cloned for a batch."""
        return vm_name(self.vm_for, batch.cpu_milli, batch.memory_bytes, batch.gpus)

    def batches(self, stream: str, seed: int, replication: int, horizon_us: int) -> Iterator[tuple[int, Batch]]:
        """The batches before *horizon_us* with their numbers in the trace; raises InvalidInput while iterating."""
        uniforms = (u for block in blocks(stream, seed, replication) for u in block.u[GAP].tolist())
        for number, batch in cut(batched(open_trace(self.path, self.columns)), self.how, uniforms):
            if batch.arrival_us >= horizon_us:
                return
            yield number, batch


@lru_cache(maxsize=4096)
def vm_name(rule: str, cpu_milli: int, memory_bytes: int, gpus: int) -> str:
    """The name *rule* gives for a shape.

    >>> vm_name(SOURCE, 2000, 7 << 29, 0)
    'source-2-vcpu-3.5-gib'
    """
    words = dict(zip(WORDS, (f"{cpu_milli / 1000:g}", f"{memory_bytes / GIB:g}", str(gpus)), strict=True))
    return _WORD.sub(lambda found: words[found[1]], rule)
