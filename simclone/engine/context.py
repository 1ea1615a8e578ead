"""What the workflows of one run share: the ledger, the log of decisions, the identity of the next asker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from msgspec import Struct

from simclone.allocator.host.request import HostRequest
from simclone.chance import Identity
from simclone.engine.injected_faults import Faults
from simclone.engine.waits import Work, Workflow, alone
from simclone.model.cloud import Cloud
from simclone.model.inventory import ADMIN
from simclone.model.ledger.ledger import Ledger
from simclone.records import Decision, DecisionRecord, ErrorCode, Unplaced

T = TypeVar("T")
Watch = Callable[[int, HostRequest, Cloud], None]


@dataclass(slots=True)
class Context:
    """A run in progress. *max_names* bounds the names of one clone call.

    *watch* sees every host request (with the number its decision will have) before it is decided, *timed* says
    that steps take time, *instant* that all is done at once, *concurrent_placements* counts placements whose filters
    saw an older cloud, *rule_violations* those that broke a rule, by reason. *opening* holds the figures before
    anything was placed, *keep_decisions* (all, failures, summary) says which decisions stay in the log.
    """

    ledger: Ledger
    decisions: list[DecisionRecord] = field(default_factory=list)
    ordinals: dict[str, int] = field(default_factory=dict)
    max_names: int = 10_000
    watch: Watch | None = None
    opening: Mapping[str, Any] = field(default_factory=dict)
    keep_decisions: str = "all"
    noted: int = 0
    faults: Faults | None = None
    timed: bool = False
    instant: bool = False
    concurrent_placements: int = 0
    rule_violations: dict[str, int] = field(default_factory=dict)
    cloud: Cloud = field(init=False)

    def __post_init__(self) -> None:
        self.cloud = self.ledger.cloud

    def fork(self) -> Context:
        """An independent context over a copy of the cloud, for a run of its own; it records no events."""
        twin = replace(self, ledger=self.ledger.fork(), decisions=[], ordinals=dict(self.ordinals), watch=None)
        twin.rule_violations = dict(self.rule_violations)
        return twin

    def next_ordinal(self, source: str) -> int:
        """The running number of a request inside its source."""
        number = self.ordinals.get(source, 0)
        self.ordinals[source] = number + 1
        return number

    def identity(self, vm: int) -> Identity:
        """Who asks when this VM asks now."""
        table = self.cloud.vms
        source = self.cloud.vms.sources[table.source[vm]]
        return Identity(source, table.ordinal[vm], table.position[vm], table.occasion[vm])

    def next_occasion(self, vm: int) -> Identity:
        """The identity of this VM's next decision; every later start or move is a new occasion."""
        self.ledger.vms.set(vm, occasion=self.cloud.vms.occasion[vm] + 1)
        return self.identity(vm)

    @property
    def slow(self) -> bool:
        """Whether somebody may want to see each step, or a fault may strike it; else hot workflows do not stop."""
        return not self.instant or self.faults is not None

    def step(self, work: Work) -> Workflow[ErrorCode | None]:
        """One step of a workflow: the wait, then the error of a fault that strikes it."""
        yield work
        if self.faults is None:
            return None
        who = self.identity(work.vm) if work.vm >= 0 else Identity("step", 0)
        return self.faults.strike(work.name, who, self.cloud.chance)

    def alone(self, vm: int, job: Workflow[T]) -> Workflow[T]:
        """*job* with the VM for itself; where nothing takes time it has it anyway."""
        return job if self.instant else alone(vm, job)

    def announce(self, request: HostRequest, seen: Cloud | None = None) -> None:
        """Show a request and the cloud its filters see to the watcher, if there is one."""
        if self.watch is not None:
            self.watch(self.noted, request, seen or self.cloud)

    def count_violations(self, reasons: Iterable[str]) -> None:
        """One placement of several at once; *reasons* are the rules its host no longer met."""
        self.concurrent_placements += 1
        for reason in reasons:
            self.rule_violations[reason] = self.rule_violations.get(reason, 0) + 1

    def note(self, request: str, subject: str, purpose: str, strategy: str | None, decision: Decision) -> None:
        """Keep a decision for the records."""
        number, self.noted = self.noted, self.noted + 1
        target = self.keep_decisions == "all" or (self.keep_decisions == "failures" and isinstance(decision, Unplaced))
        if target:
            record = DecisionRecord(number, self.ledger.now_us, request, subject, purpose, strategy or "", decision)
            self.decisions.append(record)

    def account(self, name: str | None) -> int:
        """The row of an account; None and ``admin`` are the administrator."""
        return ADMIN if name in (None, "admin") else self.cloud.find("account", str(name))


class Outcome(Struct, frozen=True):
    """The end of one operation: the VM or volume it was about and its error, if any."""

    row: int
    error: ErrorCode | None = None

    @property
    def ok(self) -> bool:
        """True when there is no error."""
        return self.error is None


def operation_error(details: str, reason: str = "", cause: ErrorCode | None = None) -> ErrorCode:
    """``SYS.1006``: the operation failed."""
    return ErrorCode(code="SYS.1006", details=details, reason=reason, cause=cause)


def invalid_argument(details: str) -> ErrorCode:
    """``SYS.1007``: an argument of the API call is wrong."""
    return ErrorCode(code="SYS.1007", details=details, reason="request.invalid")


def not_found(kind: str, name: str) -> ErrorCode:
    """``SYS.1003``: something the call names does not exist."""
    return ErrorCode(code="SYS.1003", details=f"{kind} [uuid: {name}] is not found", reason="request.notFound")


def wrapped(code: str, error: ErrorCode) -> ErrorCode:
    """An outer error around the one that caused it; the details are the cause's own."""
    return ErrorCode(code=code, details=error.details, cause=error)
