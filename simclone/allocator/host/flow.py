"""The contract of a flow, and the two views of a host it is written for.

A filter flow says everything about a request once (`facts`), then judges hosts by elementwise `tests`. The same test
line runs on whole columns and on the numbers of a single host; both give the same truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud
from simclone.model.columns import BoolArray, IntArray
from simclone.model.fleet import Fleet
from simclone.reason import OPERATION_ERROR
from simclone.records import PAGE_MARKER, ErrorCode
from simclone.vocabulary import Reason, declare

PAGE_NOT_DONE = PAGE_MARKER
Counts = tuple[tuple[str, int], ...]
"""Hosts refused, by reason."""

Elementwise = Any
"""What elementwise arithmetic gives: an array for all hosts, a Python number or truth for one."""
HostView = Any
"""A `HostColumnView` or a `HostRowView`: the same line of a flow reads both."""
FlowFacts = Any
"""Whatever a flow's `facts` returned; each flow has a type of its own."""


class HostColumnView:
    """The column view: ``hosts.available_cpu`` is the column of the hosts at hand."""

    __slots__ = ("_fleet", "index")

    def __init__(self, fleet: Fleet, index: IntArray) -> None:
        self._fleet, self.index = fleet, index

    def __getattr__(self, name: str) -> IntArray:
        column = self._fleet.array(self._fleet.cells[name])
        return column if len(self.index) == len(column) else column[self.index]


class HostRowView:
    """The row view: ``host.available_cpu`` is a Python int."""

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
    def hosts(self) -> HostColumnView:
        """The column view of the candidates."""
        return HostColumnView(self.cloud.fleet, self.index)

    def clusters(self) -> list[int]:
        """The clusters they are in, ascending."""
        clusters: list[int] = np.unique(self.cloud.fleet.array(self.cloud.fleet.cluster)[self.index]).tolist()
        return clusters

    def any(self, truth: Elementwise) -> bool:
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
    keep: Callable[[HostView, FlowFacts], Elementwise]

    @property
    def reason(self) -> str:
        """The code of the reason."""
        return self.why.code


def _reaches(
    columns: tuple[tuple[str, int], ...], least: Callable[[FlowFacts, HostView], Elementwise]
) -> Callable[[HostView, FlowFacts], Elementwise]:
    ((first, _), *others) = columns

    def keep(host: HostView, facts: FlowFacts) -> Elementwise:
        value = getattr(host, first)
        for name, sign in others:
            value = value + sign * getattr(host, name)
        return value >= least(facts, host)

    return keep


@dataclass(frozen=True, slots=True)
class Threshold(Test):
    """A test that a sum of columns reaches a threshold, which may differ by memory-ratio class only.

    The first column counts as it is, the others with their sign. Written this way, one look at a host tells for which
    of many request classes it is too small.
    """

    columns: tuple[tuple[str, int], ...] = ()
    least: Callable[[FlowFacts, HostView], Elementwise] = lambda facts, host: 0

    @classmethod
    def of(
        cls, reason: Reason, columns: tuple[tuple[str, int], ...], least: Callable[[FlowFacts, HostView], Elementwise]
    ) -> Threshold:
        """A test that the sum of columns is at least as large."""
        return cls(reason, _reaches(columns, least), columns, least)


@dataclass(frozen=True, slots=True, eq=False)
class CellThreshold:
    """The one test of a flow said of figures beside the host columns: on *hosts*, a host's cell must reach *least*.

    Hosts that are *shut* fail whatever their cells say; all others pass.
    """

    cells: memoryview[int]
    least: int
    hosts: BoolArray
    shut: BoolArray


class FilterFlow:
    """Base of all filter flows: a name, elementwise tests, the facts they need, what is answered when nobody is left.

    *tags* are the first words of system tags the flow reads, so that a call that carries one is not refused. A flow
    that *ends_search* ends the search when it leaves nobody, also where there are further pages.
    """

    name: ClassVar[str]
    tests: ClassVar[tuple[Test, ...]]
    tags: ClassVar[frozenset[str]] = frozenset()
    ends_search: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """The reasons of the tests become known; raises InvalidInput where a code stands for another one."""
        for test in cls.__dict__.get("tests", ()):
            declare(test.why)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Everything the tests need that is not a property of one host, or `Skip`, `Pass`, `HardStop`."""
        raise NotImplementedError

    def keep(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """The whole verdict: every test holds."""
        verdict: Elementwise = True
        for test in self.tests:
            verdict = verdict & test.keep(host, facts)
        return verdict

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """The error when nobody is left: the sentence of the test that refused the last host.

        Its code may be rewritten by the chain. To be overridden by flows that can say more.
        """
        alive: Elementwise = np.ones(len(candidates.index), dtype=np.bool_)
        for test in self.tests:
            alive = alive & test.keep(candidates.hosts, facts)
            if not candidates.any(alive):
                break
        return refusal(test.why, test.why.sentence)


EVERYTHING = frozenset({"static", "state", "storage", "affinity", "capacity", "count", "utilisation", "lifetime"})
"""All kinds of figures a sort key can depend on."""
Figure = tuple[str, int, int]
"""A key that is one column: its name, its sign, and what is added."""
NO_COLUMN: Figure = ("", 0, 0)
"""For a key that is not one column."""


class SortFlow:
    """Base of all sort flows; smaller keys come first.

    *reads* names the kinds of figures key and preference depend on; without it, all. *tags* are the first words of
    system tags it reads. *by* is a key that is one column, *width* the bits a key needs. *skip_next* ends the chain
    after this flow, a *whole_set* flow orders all candidates at once through `arrange`. One that *rotates* puts hosts
    by rank, beginning behind the one that was placed on last.
    """

    name: ClassVar[str]
    reads: ClassVar[frozenset[str]] = EVERYTHING
    tags: ClassVar[frozenset[str]] = frozenset()
    by: ClassVar[Figure] = NO_COLUMN
    width: ClassVar[int] = 1
    skip_next: ClassVar[bool] = False
    whole_set: ClassVar[bool] = False
    rotates: ClassVar[bool] = False

    def figure(self, facts: FlowFacts) -> Figure:
        """The column the key comes down to under some facts, or `NO_COLUMN`."""
        return self.by if facts is None else NO_COLUMN

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """What key and preference need, or `Pass`, `HardStop`."""
        return None

    def key(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """A non-negative integer, elementwise; equal keys keep their order."""
        column, sign, base = self.figure(facts)
        if not column:
            return host.index * 0
        return base + sign * getattr(host, column)

    def preferred(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """Which hosts the next sorter sees, elementwise."""
        return host.index >= 0

    def arrange(self, hosts: list[int], request: HostRequest, cloud: Cloud) -> list[int]:
        """The order of a *whole_set* flow, given the hosts in drawn order."""
        raise NotImplementedError


def refusal(reason: Reason, details: str, code: str = OPERATION_ERROR) -> ErrorCode:
    """An error of the allocator."""
    return ErrorCode(code=code, details=details, reason=reason.code)
