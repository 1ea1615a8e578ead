"""The contract of a flow, and the two faces of a host it is written for.

A filter flow says everything about a request once (`facts`), then judges hosts by elementwise `tests`. The same test
line runs on whole columns and on the numbers of a single host; both give the same truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud
from simclone.model.columns import BoolArray, IntArray
from simclone.model.fleet import Fleet
from simclone.records import PAGE_MARKER, ErrorCode
from simclone.vocabulary import Reason

NO_AVAILABLE_HOST = "HOST_ALLOCATION.1000"
PAGE_NOT_DONE = PAGE_MARKER
OPERATION_ERROR = "SYS.1006"
INTERNAL_ERROR = "SYS.1000"
LASTING = frozenset({"static", "state"})
"""What changes only by an administrator's act."""
Counts = tuple[tuple[str, int], ...]
"""Hosts refused, by reason."""


class HostArrays:
    """The array face: ``hosts.available_cpu`` is the column of the hosts at hand."""

    __slots__ = ("_fleet", "index")

    def __init__(self, fleet: Fleet, index: IntArray) -> None:
        self._fleet, self.index = fleet, index

    def __getattr__(self, name: str) -> IntArray:
        column = self._fleet.array(self._fleet.cells[name])
        return column if len(self.index) == len(column) else column[self.index]


class HostRow:
    """The scalar face: ``host.available_cpu`` is a Python int."""

    __slots__ = ("_fleet", "index")

    def __init__(self, fleet: Fleet, index: int) -> None:
        self._fleet, self.index = fleet, index

    def __getattr__(self, name: str) -> int:
        return self._fleet.cells[name][self.index]


class Candidates:
    """The hosts a flow is handed, ascending by rank; *first* when no flow chose before it."""

    __slots__ = ("cloud", "first", "index", "page")

    def __init__(self, cloud: Cloud, index: IntArray, *, first: bool = False, page: int = 0) -> None:
        self.cloud, self.index, self.first, self.page = cloud, index, first, page

    @property
    def hosts(self) -> HostArrays:
        """The array face of the candidates."""
        return HostArrays(self.cloud.fleet, self.index)

    def clusters(self) -> list[int]:
        """The clusters they stand in, ascending."""
        found: list[int] = np.unique(self.cloud.fleet.array(self.cloud.fleet.cluster)[self.index]).tolist()
        return found

    def any(self, truth: Any) -> bool:
        """True when an elementwise truth over the candidates holds for at least one."""
        return bool(np.any(truth))


class _Nobody(Candidates):
    """For facts that no candidate matters to."""

    def __init__(self) -> None:
        pass


NOBODY: Candidates = _Nobody()


@dataclass(frozen=True, slots=True)
class Skip:
    """The flow does not take part; if it was first, the next one is."""


@dataclass(frozen=True, slots=True)
class Pass:
    """The flow has nothing to say: all candidates stay."""


@dataclass(frozen=True, slots=True)
class HardStop:
    """The search ends now. *immediate* errors are answered as they are, the others close the page series."""

    error: ErrorCode
    immediate: bool = False


@dataclass(frozen=True, slots=True)
class Test:
    """One elementwise question; hosts for which `keep` is false are refused for a reason, shown by its code."""

    __test__: ClassVar[bool] = False

    why: Reason
    keep: Callable[[Any, Any], Any]

    @property
    def reason(self) -> str:
        """The code of the reason."""
        return self.why.code


def _reaches(columns: tuple[tuple[str, int], ...], least: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    ((first, _), *rest) = columns

    def keep(host: Any, facts: Any) -> Any:
        value = getattr(host, first)
        for name, sign in rest:
            value = value + sign * getattr(host, name)
        return value >= least(facts, host)

    return keep


@dataclass(frozen=True, slots=True)
class Floor(Test):
    """A test that a sum of columns reaches a floor; the floor may differ by memory-ratio class only.

    The first column counts as it is, the others with their sign.

    Said this way, one look at a host tells which of many shapes it is too small for.
    """

    columns: tuple[tuple[str, int], ...] = ()
    least: Callable[[Any, Any], Any] = lambda facts, host: 0

    @classmethod
    def of(cls, reason: Reason, columns: tuple[tuple[str, int], ...], least: Callable[[Any, Any], Any]) -> Floor:
        """The floor of a sum of columns."""
        return cls(reason, _reaches(columns, least), columns, least)


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """The one test of a flow said of figures beside the host columns: on *hosts*, a host's cell must reach *least*.

    Hosts that are *shut* fail whatever their cells say; all others pass.
    """

    cells: memoryview[int]
    least: int
    hosts: BoolArray
    shut: BoolArray


class FilterFlow:
    """Base of all filter flows.

    *reads* names the kinds of columns and aggregates the tests depend on: static, capacity, count, state, affinity,
    storage, utilisation, lifetime. *aggregates* names what `facts` asks of the candidates as a set. A flow with *hard*
    ends the search when it leaves nobody. The facts of a *fleeting* one can change with what VMs hold or use; a *brief*
    one asks nothing of the candidates, and is quick to ask for every decision anew.
    """

    name: ClassVar[str]
    reads: ClassVar[frozenset[str]]
    aggregates: ClassVar[frozenset[str]] = frozenset()
    hard: ClassVar[bool] = False
    fleeting: ClassVar[bool] = False
    brief: ClassVar[bool] = False
    tests: ClassVar[tuple[Test, ...]]

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """Everything the tests need that is not a property of one host, or `Skip`, `Pass`, `HardStop`."""
        raise NotImplementedError

    def still(self, request: HostRequest, cloud: Cloud, facts: Any, clusters: Sequence[int]) -> bool | None:
        """Whether facts of before hold good, the candidates standing in the same *clusters*; None: ask anew each time.

        Asked while nothing has changed but what VMs hold. What a flow reads besides states and attachments can have.
        """
        return True if not self.aggregates and self.reads <= LASTING else None

    def watch(self, cloud: Cloud, facts: Any) -> Watch | None:
        """The test by what it reads, where facts say nothing else that VMs change; None where that is not so."""
        return None

    def refuses_by_counts(self, request: HostRequest, cloud: Cloud, facts: Any, refused: Counts) -> ErrorCode | None:
        """`refuses` from the number of hosts each test refused first; None where that does not tell."""
        return None

    def keep(self, host: Any, facts: Any) -> Any:
        """The whole verdict: every test holds."""
        verdict: Any = True
        for test in self.tests:
            verdict = verdict & test.keep(host, facts)
        return verdict

    def refuses(self, request: HostRequest, cloud: Cloud, facts: Any, candidates: Candidates) -> ErrorCode:
        """The reason when nobody is left; its code may be rewritten by the chain."""
        raise NotImplementedError


Figure = tuple[str, int, int]
"""A key that is one column: its name, its sign, and what is added."""
NO_COLUMN: Figure = ("", 0, 0)
"""For a key that is not one column."""


class SortFlow:
    """Base of all sort flows; smaller keys come first.

    *by* says a key that is one column; *width* is the bits a key needs, *skip_next* ends the chain after this flow, a
    *whole_set* flow orders all candidates at once through `arrange`. One that *rotates* puts hosts by rank, beginning
    behind the one that was placed on last.
    """

    name: ClassVar[str]
    reads: ClassVar[frozenset[str]]
    by: ClassVar[Figure] = NO_COLUMN
    width: ClassVar[int] = 1
    skip_next: ClassVar[bool] = False
    whole_set: ClassVar[bool] = False
    rotates: ClassVar[bool] = False

    def figure(self, facts: Any) -> Figure:
        """The column the key comes down to under some facts, or `NO_COLUMN`."""
        return self.by if facts is None else NO_COLUMN

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """What key and preference need, or `Pass`, `HardStop`."""
        return None

    def key(self, host: Any, facts: Any) -> Any:
        """A non-negative integer, elementwise; equal keys keep their order."""
        column, sign, base = self.figure(facts)
        if not column:
            return host.index * 0
        return base + sign * getattr(host, column)

    def preferred(self, host: Any, facts: Any) -> Any:
        """Which hosts the next sorter sees, elementwise."""
        return host.index >= 0

    def arrange(self, hosts: list[int], request: HostRequest, cloud: Cloud) -> list[int]:
        """The order of a *whole_set* flow, given the hosts in drawn order."""
        raise NotImplementedError


def refusal(reason: Reason, details: str, code: str = OPERATION_ERROR) -> ErrorCode:
    """An error of the allocator."""
    return ErrorCode(code=code, details=details, reason=reason.code)
