"""The fast driver: hosts stand in the chain's order, kept up to date from what the ledger touched.

It answers as the plain driver does, Steps included, or says that it cannot (None). It can where every flow is brief or
has facts that last while only VMs come and go, and the reservation tests nothing the flows do not. Where an order is
more than one key of the host, the hosts that are left are sorted.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np
from msgspec.structs import replace

from simclone.allocator.host.chain import NO_MORE_PAGES, cloud_pages, merged
from simclone.allocator.host.filters.affinity import AffinityGroupFlow
from simclone.allocator.host.filters.capacity import HostCapacityFlow
from simclone.allocator.host.filters.devices import PciDeviceFlow
from simclone.allocator.host.flow import (
    NO_COLUMN,
    NOBODY,
    PAGE_NOT_DONE,
    Candidates,
    Figure,
    Pass,
)
from simclone.allocator.host.index.build import class_of
from simclone.allocator.host.index.groups import GroupRule, choose_by_affinity, prefers, rule_of
from simclone.allocator.host.index.hints import hint_of
from simclone.allocator.host.index.ordering import ordering
from simclone.allocator.host.index.per_decision import Loss, adjust_steps, apply_filters, draw_any, emptied_steps
from simclone.allocator.host.index.request_class import FREE, RequestClass
from simclone.allocator.host.index.sorted_hosts import EVERYBODY, Choice, SortedHosts
from simclone.allocator.host.order import first_tried
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import Strategy
from simclone.chance import Identity
from simclone.model.cloud import Cloud
from simclone.reason import NO_AVAILABLE_HOST
from simclone.records import Decision, ErrorCode, Placed, Step, Unplaced
from simclone.vocabulary import Purpose

MOST_CLASSES, MOST_SORTED, MOST_KEPT, MOST_KNOWN = 256, 4096, 64, 4096
KeyFields = tuple[str, tuple[Any, ...], object]
_fields_of = attrgetter(*(name for name in HostRequest.__struct_fields__ if name not in ("vm", "image")))


class RequestKey:
    """Requests that are alike, with their class on each page that was looked at; None where the index cannot answer.

    Earlier classes are *kept* by page and the clusters their candidates were in: near the end of its room a cloud comes
    back to the same ones again and again.
    """

    __slots__ = ("groups", "kept", "pages")

    def __init__(self, strategy: Strategy | None = None) -> None:
        filters = () if strategy is None else strategy.filters
        self.groups = any(isinstance(item, AffinityGroupFlow) for item in filters)
        self.pages: dict[int, tuple[SortedHosts, RequestClass] | None] = {}
        self.kept: dict[tuple[int, tuple[int, ...]], tuple[SortedHosts, RequestClass]] = {}

    def keep(self, page: int, entry: tuple[SortedHosts, RequestClass] | None) -> None:
        """Answer a page by a request class from now on."""
        self.pages[page] = entry
        if entry is not None:
            if len(self.kept) >= MOST_KEPT:
                self.kept.clear()
            self.kept[page, entry[1].clusters] = entry

    def forget(self) -> None:
        """Nothing holds any more."""
        self.pages.clear()
        self.kept.clear()


NEVER = RequestKey()
"""Stands for requests nobody has made yet."""


class HostIndex:
    """The orders of one cloud; dropped whenever an administrator changes something."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._epoch = cloud.config_version
        self._sorted: dict[tuple[Figure, bool, bool, bytes], SortedHosts] = {}
        self._asking: dict[str, bool] = {}
        self._of_host: list[list[SortedHosts]] = [[] for _ in range(cloud.fleet.row_count)]
        self._known: dict[int, tuple[HostRequest, RequestKey]] = {}
        self._request_keys: dict[KeyFields, RequestKey | None] = {}
        self._ungrouped: dict[tuple[tuple[Any, ...], int | None], HostRequest] = {}

    def decide(
        self,
        request: HostRequest,
        identity: Identity,
        strategy_of: Callable[[HostRequest, Cloud], Strategy],
        *,
        dry: bool = False,
    ) -> Decision | None:
        """The plain driver's decision, or None where only that can tell; *dry* answers a dry run of one VM."""
        cloud = self._cloud
        if cloud.changed_hosts or cloud.config_version != self._epoch:
            self._update()
        if request.group is not None:
            return self._of_group(request, identity, strategy_of, dry)
        known = self._known.get(id(request))
        if known is not None and known[0] is request:
            request_key: RequestKey | None = known[1]
        else:
            request_key = self._key_of(strategy_of(request, cloud), request)
        if request_key is None:
            return None
        entry = request_key.pages.get(0)
        if entry is not None and not entry[1].stale and self._facts_hold(entry[1], request):
            sorted_hosts, request_class = entry
            if request_class.room and not request_class.asks_each:
                host = self._dry(request_class, identity) if dry else sorted_hosts.best(request_class, identity)
                return Placed(
                    host, 0, (), () if not cloud.record_steps else self._steps(sorted_hosts, request_class, [])
                )
        return self._search(request_key, strategy_of(request, cloud), request, identity, dry)

    def _of_group(
        self,
        request: HostRequest,
        identity: Identity,
        strategy_of: Callable[[HostRequest, Cloud], Strategy],
        dry: bool,
    ) -> Decision | None:
        """The decision for a member of a group, on the order of those in none; None where only the plain driver can."""
        rule = rule_of(request, self._cloud)
        bare = self._ungroup(request)
        strategy = strategy_of(bare, self._cloud)
        idle = rule is not None and (
            isinstance(rule, Pass) or (not rule.hard and (dry or not prefers(strategy.sorters)))
        )
        if idle and not self._asks_all(strategy):
            return self.decide(bare, identity, strategy_of, dry=dry)
        request_key = self._key_of(strategy, bare)
        if request_key is None or not request_key.groups:
            return None
        member = (None if isinstance(rule, Pass) else rule, request)
        return self._search(request_key, strategy, bare, identity, dry, member)

    def _asks_all(self, strategy: Strategy) -> bool:
        """Whether a strategy has flows without a hint, which may read whatever a request says."""
        asks = self._asking.get(strategy.name)
        if asks is None:
            asks = self._asking[strategy.name] = any(hint_of(flow) is None for flow in strategy.filters)
        return asks

    def _refuse_by_rule(
        self,
        sorted_hosts: SortedHosts,
        request_class: RequestClass,
        choice: Choice,
        request: HostRequest,
        steps: list[Step],
    ) -> ErrorCode:
        """Why a page has no host for a member although it has one for others, its steps put on."""
        sorted_hosts.count(request_class)
        error = request_class.parts[request_class.rule_position].flow.refuses(request, self._cloud, None, NOBODY)
        steps.extend(
            emptied_steps(
                request_class, (Loss(request_class.rule_position, ((choice.reason, request_class.room),)),), error
            )
        )
        return error

    def _ungroup(self, request: HostRequest) -> HostRequest:
        """The same request in no group, one for all that are alike."""
        key = (_fields_of(request), request.image)
        result = self._ungrouped.get(key)
        if result is None:
            if len(self._ungrouped) > MOST_KNOWN:
                self._ungrouped.clear()
            result = self._ungrouped[key] = replace(request, group=None)
        return result

    def _facts_hold(self, request_class: RequestClass, request: HostRequest) -> bool:
        """Whether the facts of a class still hold; asked only when amounts have changed, or for another image."""
        if request_class.amounts != self._cloud.usage_version or request_class.image != request.image:
            if not request_class.facts_hold(request, self._cloud):
                return False
            request_class.amounts, request_class.image = self._cloud.usage_version, request.image
        return True

    def _search(
        self,
        request_key: RequestKey,
        strategy: Strategy,
        request: HostRequest,
        identity: Identity,
        dry: bool,
        member: tuple[GroupRule | None, HostRequest] | None = None,
    ) -> Decision | None:
        """Page by page, whatever has to be made or made anew on the way; for a *member* of a group by its rule."""
        own_request = request if member is None else member[1]
        steps: list[Step] = []
        errors: list[ErrorCode] = []
        limit = self._page_limit()
        page = 0
        while True:
            result = self._class_on(request_key, strategy, request, page)
            if result is None:
                return None
            sorted_hosts, request_class = result
            choice = _choice(request_class, member)
            if choice is None:
                answer = self._by_flows(sorted_hosts, request_class, strategy, own_request, identity, dry, steps)
            else:
                answer = self._by_choice(sorted_hosts, request_class, choice, own_request, identity, dry, steps)
            if answer is None or isinstance(answer, Placed):
                return answer
            if not limit:
                return Unplaced(ErrorCode(NO_AVAILABLE_HOST, answer.details, reason=answer.reason), (), tuple(steps))
            errors.append(answer)
            page += 1
            if page * limit >= request_class.first_kept:
                steps.append(_last_page_step(request_class, page))
                series = [ErrorCode(PAGE_NOT_DONE, error.details, reason=error.reason) for error in errors]
                return Unplaced(merged(list(dict.fromkeys(series))), (), tuple(steps))

    def _by_choice(
        self,
        sorted_hosts: SortedHosts,
        request_class: RequestClass,
        choice: Choice,
        own_request: HostRequest,
        identity: Identity,
        dry: bool,
        steps: list[Step],
    ) -> Placed | ErrorCode | None:
        """A page's host by the order, or why it has none, its steps put on; None where only the plain driver can."""
        host = self._pick(sorted_hosts, request_class, identity, choice, dry)
        if host >= 0:
            lost = ((choice.reason, request_class.room - choice.count),) if request_class.room > choice.count else ()
            losses = (Loss(request_class.rule_position, lost),) if choice.hard else ()
            return Placed(host, request_class.page, (), self._steps(sorted_hosts, request_class, steps, losses))
        if request_class.room:
            return self._refuse_by_rule(sorted_hosts, request_class, choice, own_request, steps)
        return self._refused(sorted_hosts, request_class, own_request, steps)

    def _by_flows(
        self,
        sorted_hosts: SortedHosts,
        request_class: RequestClass,
        strategy: Strategy,
        own_request: HostRequest,
        identity: Identity,
        dry: bool,
        steps: list[Step],
    ) -> Placed | ErrorCode | None:
        """The same where flows are asked and sorters are run for this decision alone."""
        cloud = self._cloud
        if request_class.per_decision is None:
            return None
        filtered = apply_filters(request_class, own_request, cloud)
        if filtered is None:
            return None
        if len(filtered.hosts):
            host: int | ErrorCode = draw_any(filtered.hosts, cloud, identity) if dry else -1
            if not dry:
                chance = cloud.chance.order(identity, Purpose.HOST)
                host = first_tried(own_request, cloud, filtered.hosts, strategy.sorters, chance)
            if isinstance(host, ErrorCode):
                return None
            return Placed(
                host, request_class.page, (), self._steps(sorted_hosts, request_class, steps, filtered.losses)
            )
        if filtered.error is None:
            return self._refused(sorted_hosts, request_class, own_request, steps)
        sorted_hosts.count(request_class)
        steps.extend(emptied_steps(request_class, filtered.losses, filtered.error))
        return filtered.error

    def _pick(
        self, sorted_hosts: SortedHosts, request_class: RequestClass, identity: Identity, choice: Choice, dry: bool
    ) -> int:
        """The host of a page; -1 where the choice leaves none."""
        if not (request_class.room if choice is EVERYBODY else choice.count):
            return -1
        if dry:
            return self._dry(request_class, identity, choice)
        return (
            sorted_hosts.best(request_class, identity)
            if choice is EVERYBODY
            else sorted_hosts.best_of(request_class, identity, choice)
        )

    # -- what is known ---------------------------------------------------------------------------------

    def _update(self) -> None:
        cloud = self._cloud
        if cloud.config_version != self._epoch:
            self._epoch = cloud.config_version
            self._forget()
        touched = cloud.changed_hosts
        if touched:
            for host in touched:
                for sorted_hosts in self._of_host[host]:
                    sorted_hosts.repair(host)
            touched.clear()

    def _forget(self) -> None:
        """Drop all orders and what leads to them."""
        self._sorted.clear()
        self._known.clear()
        self._of_host = [[] for _ in range(self._cloud.fleet.row_count)]
        for request_key in self._request_keys.values():
            if request_key is not None:
                request_key.forget()

    def _key_of(self, strategy: Strategy, request: HostRequest) -> RequestKey | None:
        """What a request has in common with others; only the second of its like is worth a class."""
        if request.list_all or not (request.l3s or request.allow_no_l3):
            return None
        image = None if request.image is None else self._image(request.image)
        key: KeyFields = (strategy.name, _fields_of(request), image)
        request_key = self._request_keys.get(key, NEVER)
        if request_key is NEVER:
            self._request_keys[key] = None
            return None
        if request_key is None:
            request_key = self._request_keys[key] = RequestKey(strategy)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known[id(request)] = (request, request_key)
        return request_key

    def _image(self, row: int) -> object:
        """Everything a flow may ask of an image but its name and where it is cached, which it is asked again."""
        image = self._cloud.images[row]
        shown = (image.media_type, image.format, image.size, image.actual_size, image.architecture)
        return (*shown, image.backup_storages)

    def _class_on(
        self, request_key: RequestKey, strategy: Strategy, request: HostRequest, page: int
    ) -> tuple[SortedHosts, RequestClass] | None:
        """The request class of a request on a page, made when it is not there or its facts no longer hold."""
        if page not in request_key.pages:
            return self._build(request_key, strategy, request, page)
        entry = request_key.pages[page]
        if entry is None:
            return None
        request_class = entry[1]
        if not self._facts_hold(request_class, request):
            return self._build(request_key, strategy, request, page, request_class)
        if request_class.stale:
            now = tuple([row for row, count in enumerate(request_class.by_cluster) if count])
            if now and now != request_class.clusters:
                again = self._reuse(request_key, request, page, entry, now)
                return again or self._build(request_key, strategy, request, page, request_class)
            request_class.stale = False
        return entry

    def _reuse(
        self,
        request_key: RequestKey,
        request: HostRequest,
        page: int,
        old: tuple[SortedHosts, RequestClass],
        now: tuple[int, ...],
    ) -> tuple[SortedHosts, RequestClass] | None:
        """The class of when candidates last were in the clusters they are in *now*, if its facts still hold."""
        entry = request_key.kept.get((page, now))
        if entry is None or entry[0] is not old[0] or not entry[1].facts_hold(request, self._cloud):
            return None
        sorted_hosts, request_class = entry
        sorted_hosts.add(request_class, old[1])
        request_class.image = request.image
        request_key.pages[page] = entry
        return entry

    def _build(
        self,
        request_key: RequestKey,
        strategy: Strategy,
        request: HostRequest,
        page: int,
        instead: RequestClass | None = None,
    ) -> tuple[SortedHosts, RequestClass] | None:
        request_class = class_of(strategy, request, self._cloud, page)
        entry = None
        if request_class is not None and _reserves_alike(request_class, self._cloud):
            sorted_hosts = self._order(strategy, request, request_class)
            sorted_hosts.add(request_class, instead if instead in sorted_hosts.classes else None)
            entry = (sorted_hosts, request_class)
        request_key.keep(page, entry)
        return entry

    def _order(self, strategy: Strategy, request: HostRequest, request_class: RequestClass) -> SortedHosts:
        """The order a strategy's sorters come down to; by rank where that is more than one key."""
        candidates = Candidates(self._cloud, np.flatnonzero(request_class.early == FREE))
        one_key = ordering(strategy, request, candidates)
        request_class.asks_each = request_class.asks_each or one_key is None
        figure, drawn, rotates = one_key or (NO_COLUMN, False, False)
        page = request_class.inside
        key = (figure, drawn, rotates, page.tobytes())
        sorted_hosts = self._sorted.get(key)
        if sorted_hosts is None or len(sorted_hosts.classes) >= MOST_CLASSES:
            if sorted_hosts is not None:
                self._drop(sorted_hosts)
            if len(self._sorted) >= MOST_SORTED:
                self._forget()
            sorted_hosts = self._sorted[key] = SortedHosts(self._cloud, figure, page, drawn=drawn, rotates=rotates)
            for host in sorted_hosts.hosts:
                self._of_host[host].append(sorted_hosts)
        return sorted_hosts

    def _drop(self, sorted_hosts: SortedHosts) -> None:
        """Forget an order that holds as many request classes as it can, and all of them."""
        for request_key in self._request_keys.values():
            if request_key is not None and any(
                entry and entry[0] is sorted_hosts for entry in request_key.pages.values()
            ):
                request_key.forget()
        for host in sorted_hosts.hosts:
            self._of_host[host].remove(sorted_hosts)

    # -- answers ---------------------------------------------------------------------------------------

    def _dry(self, request_class: RequestClass, identity: Identity, choice: Choice = EVERYBODY) -> int:
        """Any survivor of a page, drawn as the plain driver draws it."""
        if choice.only:
            return draw_any(choice.hosts, self._cloud, identity)
        filtered = request_class.open.nonzero()[0]
        filtered = np.setdiff1d(filtered, choice.hosts, assume_unique=True) if choice.hosts else filtered
        return draw_any(filtered, self._cloud, identity)

    def _steps(
        self, sorted_hosts: SortedHosts, request_class: RequestClass, steps: list[Step], losses: tuple[Loss, ...] = ()
    ) -> tuple[Step, ...]:
        if not self._cloud.record_steps:
            return ()
        sorted_hosts.count(request_class)
        if request_class.kept_steps is None:
            request_class.kept_steps = request_class.steps()
        return (*steps, *(adjust_steps(request_class.kept_steps, losses) if losses else request_class.kept_steps))

    def _refused(
        self, sorted_hosts: SortedHosts, request_class: RequestClass, own_request: HostRequest, steps: list[Step]
    ) -> ErrorCode | None:
        """Why a page has no host, its steps put on; None where that is not told by counts."""
        sorted_hosts.count(request_class)
        answer = request_class.answer
        if answer is None:
            position = request_class.emptying_position()
            part = request_class.parts[position]
            hint = hint_of(part.flow)
            if hint is None:
                return None
            error = hint.refusal_by_counts(
                part.flow, own_request, self._cloud, part.facts, request_class.refused(position)
            )
            if error is None:
                return None
            answer = (error, request_class.steps(position, error))
            request_class.answer = None if hint.depends_on_usage else answer
        steps.extend(answer[1])
        return answer[0]

    def _page_limit(self) -> int:
        """Hosts a page may hold; 0 where there are no pages."""
        settings = self._cloud.settings
        if not settings.flag("hostAllocator.usePagination") or not cloud_pages(self._cloud):
            return 0
        return int(settings.values["hostAllocator.paginationLimit"])


def _last_page_step(request_class: RequestClass, page: int) -> Step:
    """The step of the page behind the last."""
    refused, text = request_class.first_refused, NO_MORE_PAGES.details or ""
    return Step(request_class.parts[0].flow.name, page, request_class.before[0], 0, "emptied", refused, text)


def _choice(request_class: RequestClass, member: tuple[GroupRule | None, HostRequest] | None) -> Choice | None:
    """What there is to choose from by the order; None where a decision must see for itself."""
    if request_class.asks_each:
        return None
    if member is None:
        return EVERYBODY
    return None if member[0] is None else choose_by_affinity(request_class, member[0])


def _reserves_alike(request_class: RequestClass, cloud: Cloud) -> bool:
    """Whether the reservation of a request tests no more than the flows of its request class do."""
    if not isinstance(request_class.parts[request_class.threshold_position].flow, HostCapacityFlow):
        return False
    asks = cloud.settings.profile != "open" and request_class.request.tags.devices
    return not asks or any(isinstance(part.flow, PciDeviceFlow) for part in request_class.parts)
