"""Faults injected into steps: by probability, at most so many times. Draws are keyed, so they move nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from simclone.chance import Chance, Identity
from simclone.records import ErrorCode
from simclone.vocabulary import injected

UNIT = float(1 << 64)


@dataclass(slots=True)
class StepFault:
    """A fault of one step: *left* None means without limit, *code* is what the step answers."""

    name: str
    step: str
    probability: float = 1.0
    left: int | None = None
    code: str = "SYS.1006"


class Faults:
    """All faults of a run."""

    def __init__(self, faults: tuple[StepFault, ...]) -> None:
        self.faults = faults

    def strike(self, step: str, who: Identity, chance: Chance) -> ErrorCode | None:
        """The error of a step that is struck now, else None."""
        for fault in self.faults:
            if fault.step != step or fault.left == 0:
                continue
            uniform = (chance.key(who, f"fault/{fault.name}") + 0.5) / UNIT
            if uniform < fault.probability:
                fault.left = None if fault.left is None else fault.left - 1
                return ErrorCode(fault.code, f"injected fault {fault.name} in step {step}", reason=injected(step).code)
        return None
