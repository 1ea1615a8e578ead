"""Frozen records: what was decided, what went wrong, what happened. Data only, no rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from msgspec import Struct

PAGE_MARKER = "NO_AVAILABLE_HOST_BUT_PAGINATION_HAS_NOT_DONE"
"""The allocator's internal marker for unfinished paging; visible as a nested cause only."""


class ErrorCode(Struct, frozen=True, gc=False):
    """An error as the API reports it (rules/errors.md#codes).

    *reason* is simclone's own short constant for tables and tests (``host.memory``, ``ip.exhausted``, …); it is
    never part of an answer. *causes* is filled for lists only.
    """

    code: str | None
    details: str | None = None
    cause: ErrorCode | None = None
    causes: tuple[ErrorCode, ...] = ()
    description: str | None = None
    reason: str = ""
    opaque: Mapping[str, object] | None = None

    def chain(self) -> Iterator[ErrorCode]:
        """This error and its causes, outermost first; a list continues with its first member."""
        error: ErrorCode | None = self
        while error is not None:
            yield error
            error = error.cause or (error.causes[0] if error.causes else None)

    @property
    def root(self) -> ErrorCode:
        """The deepest cause."""
        *_, last = self.chain()
        return last

    @property
    def root_code(self) -> str:
        """The code of the deepest cause; below the paging marker, or instead of it, counts "no host"."""
        codes = [item.code for item in self.chain() if item.code is not None]
        if PAGE_MARKER in codes or not codes:
            return "HOST_ALLOCATION.1000"
        return codes[-1]

    @property
    def root_reason(self) -> str:
        """The reason of the outermost error that has one: wrappers have none, whoever refused says why."""
        return next((error.reason for error in self.chain() if error.reason), "")


class Step(Struct, frozen=True, gc=False):
    """What one filter flow did to one page of hosts.

    *refused* counts the hosts each test refused, by reason, in the order the flow tests; a host is counted under the
    first test it failed. *page* counts from 0. *outcome* is ``kept``, ``passed`` (the flow had nothing to
    say), ``emptied`` or ``stopped`` (the search ended at once).
    """

    flow: str
    page: int
    before: int
    after: int
    outcome: str = "kept"
    refused: tuple[tuple[str, int], ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """One host the reservation refused, and why."""

    host: int
    reason: str
    text: str


class Placed(Struct, frozen=True, gc=False):
    """The host that was found; *tried* were refused at the reservation before it."""

    host: int
    page: int
    tried: tuple[Try, ...] = ()
    steps: tuple[Step, ...] = ()


class Unplaced(Struct, frozen=True, gc=False):
    """No host; *error* is what the allocator answers."""

    error: ErrorCode
    tried: tuple[Try, ...] = ()
    steps: tuple[Step, ...] = ()


Decision = Placed | Unplaced


class DecisionRecord(Struct, frozen=True, gc=False):
    """One decision of a run, with who asked.

    *subject* is the clone's or VM's name, *request* the name of the request it belongs to, *purpose*
    ``host`` or ``dryRun``, *strategy* the chain that was run.
    """

    serial: int
    at_us: int
    request: str
    subject: str
    purpose: str
    strategy: str
    decision: Decision


class Event(Struct, frozen=True, gc=False):
    """One change of the ledger.

    *kind* is ``hold``, ``end``, ``drift``, ``set``, ``vm``, ``volume``, ``device`` or ``breach``; *subject* names the
    owner, *target* the host, storage, network or account; *amounts* are exact integers, named.
    """

    serial: int
    at_us: int
    kind: str
    subject: str
    target: str
    amounts: tuple[tuple[str, int], ...] = ()
    cause: str = ""


class Tags(Struct, frozen=True, gc=False):
    """System tags, parsed once (`simclone.wire.tags`); what travels instead of texts.

    *texts* are the tags as they were written. *bindings* are (Host or Cluster, name) pairs, *group* names an affinity
    group, *static_ips* are (network, IPv4 address as an integer) pairs, *devices* (PCI specification, count) pairs.
    *others* holds every tag as (key, value), among them those that flows declare.
    """

    texts: tuple[str, ...] = ()
    bindings: tuple[tuple[str, str], ...] = ()
    group: str | None = None
    static_ips: tuple[tuple[str, int], ...] = ()
    devices: tuple[tuple[str, int], ...] = ()
    ha: str = "None"
    root_pool: str | None = None
    data_pool: str | None = None
    fast: bool = False
    flatten: bool = False
    others: tuple[tuple[str, str], ...] = ()

    def value(self, key: str) -> str | None:
        """The value of the first tag ``key::value``."""
        return next((value for known, value in self.others if known == key), None)


NO_TAGS = Tags()


class CloneRequest(Struct, frozen=True, gc=False):
    """One ``CloneVmInstance`` request, parsed; references are names or uuids as they were written.

    *name* is the request's name in its scenario, *source* and *ordinal* its identity for keyed draws, *vm* the
    source VM. None stands for what the body leaves out. *stays_us* are the lifetimes of the names where a stream knows
    them (None: without end), for a strategy that looks ahead.
    """

    name: str
    vm: str
    names: tuple[str, ...]
    strategy: str = "InstantStart"
    full: bool = False
    root_storage: str | None = None
    data_storage: str | None = None
    root_tags: tuple[str, ...] = ()
    data_tags: tuple[str, ...] = ()
    cluster: str | None = None
    host: str | None = None
    system_tags: tuple[str, ...] = ()
    user_tags: tuple[str, ...] = ()
    description: str | None = None
    account: str | None = None
    at_us: int = 0
    source: str = "api"
    ordinal: int = 0
    occasion: int = 0
    stays_us: tuple[int | None, ...] = ()


class VmSnapshot(Struct, frozen=True, gc=False):
    """What of a VM changes with time, as it stood when an answer was made; rows of `simclone.model`.

    *ips* are integers by card (-1: none), *volumes* (row, storage, host) triples, *changed_us* the last change.
    """

    vm: int
    state: str
    host: int
    last_host: int
    cluster: int
    cpu: int
    memory: int
    nics: tuple[int, ...]
    ips: tuple[int, ...]
    volumes: tuple[tuple[int, int, int], ...]
    born_us: int
    changed_us: int


class CloneRecord(Struct, frozen=True, gc=False):
    """One element of a clone answer as simclone keeps it.

    *vm* is the row in `simclone.model.vms`, *error* the element's error, *snapshot* the VM as it was answered; a name
    that got no row has -1 and None.
    """

    request: str
    position: int
    name: str
    vm: int
    error: ErrorCode | None
    snapshot: VmSnapshot | None

    @property
    def succeeded(self) -> bool:
        """True when the element carries no error."""
        return self.error is None

    @property
    def host(self) -> int:
        """The host's row as it was answered, -1 for none."""
        return -1 if self.snapshot is None else self.snapshot.host


class CloneAnswer(Struct, frozen=True, gc=False):
    """The outcome of one clone call: *error* for the call as a whole, else one element per name."""

    request: CloneRequest
    error: ErrorCode | None
    clones: tuple[CloneRecord, ...] = ()
    started_us: int = 0
    ended_us: int = 0

    @property
    def succeeded(self) -> int:
        """``numberOfClonedVm``: elements without error."""
        return sum([clone.error is None for clone in self.clones])

    def element_reasons(self) -> dict[str, int]:
        """Elements with an error by reason, in the order they are met."""
        counts: dict[str, int] = {}
        for clone in self.clones:
            if clone.error is not None:
                counts[clone.error.root_reason] = counts.get(clone.error.root_reason, 0) + 1
        return counts

    @property
    def batch(self) -> str:
        """The batch header of the answer: SUCCESS, PARTIAL or FAIL (rules/clone-call.md#answer)."""
        if self.error is not None or not self.succeeded:
            return "FAIL"
        return "SUCCESS" if self.succeeded == len(self.clones) else "PARTIAL"
