"""The fast driver: hosts stand in the chain's order, kept up to date from what the ledger touched.

It answers as the plain driver does, Steps included, or says that it cannot (None). It can where every flow is brief or
has facts that last while only VMs come and go, and the reservation tests nothing the flows do not. Where an order is
more than one key of the host, the hosts that are left are sorted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any

import numpy as np

from simclone.allocator.host.chain import NO_MORE_PAGES, cloud_pages, merged
from simclone.allocator.host.filters.affinity import AffinityGroupFlow
from simclone.allocator.host.filters.capacity import HostCapacityFlow
from simclone.allocator.host.filters.devices import PciDeviceFlow
from simclone.allocator.host.flow import (
    NO_AVAILABLE_HOST,
    NO_COLUMN,
    NOBODY,
    PAGE_NOT_DONE,
    Candidates,
    Figure,
    Pass,
)
from simclone.allocator.host.index.build import shape_of
from simclone.allocator.host.index.groups import Ruling, prefers, ruling_of, sifted
from simclone.allocator.host.index.ordering import ordering
from simclone.allocator.host.index.per_decision import Loss, any_of, emptied, lessened, sieved
from simclone.allocator.host.index.request_class import FREE, Shape
from simclone.allocator.host.index.sorted_hosts import EVERYBODY, Choice, Order
from simclone.allocator.host.order import first_tried
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import Strategy
from simclone.chance import Identity
from simclone.model.cloud import Cloud
from simclone.model.inventory import device_asks
from simclone.quick import changed
from simclone.records import Decision, ErrorCode, Placed, Step, Unplaced

MOST_SHAPES, MOST_ORDERS, MOST_KEPT, MOST_KNOWN = 256, 4096, 64, 4096
Key = tuple[str, tuple[Any, ...], object]
_ASKED = attrgetter(*(one.name for one in fields(HostRequest) if one.name not in ("vm", "image")))


class Kind:
    """Requests that are alike, with their shape on each page that was looked at; None where the index cannot answer.

    Shapes of before are *kept* by page and the clusters their candidates stood in: near the end of its room a cloud
    comes back to the same ones again and again.
    """

    __slots__ = ("groups", "kept", "pages")

    def __init__(self, strategy: Strategy | None = None) -> None:
        filters = () if strategy is None else strategy.filters
        self.groups = any(isinstance(one, AffinityGroupFlow) for one in filters)
        self.pages: dict[int, tuple[Order, Shape] | None] = {}
        self.kept: dict[tuple[int, tuple[int, ...]], tuple[Order, Shape]] = {}

    def keep(self, page: int, entry: tuple[Order, Shape] | None) -> None:
        """Answer a page by a shape from now on."""
        self.pages[page] = entry
        if entry is not None:
            if len(self.kept) >= MOST_KEPT:
                self.kept.clear()
            self.kept[page, entry[1].clusters] = entry

    def forget(self) -> None:
        """Nothing holds any more."""
        self.pages.clear()
        self.kept.clear()


NEVER = Kind()
"""Stands for a kind nobody has asked for yet."""


class HostIndex:
    """The orders of one cloud; dropped whenever an administrator changes something."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._epoch = cloud.epoch
        self._orders: dict[tuple[Figure, bool, bool, bytes], Order] = {}
        self._of_host: list[list[Order]] = [[] for _ in range(cloud.fleet.row_count)]
        self._known: dict[int, tuple[HostRequest, Kind]] = {}
        self._kinds: dict[Key, Kind | None] = {}
        self._bare: dict[tuple[tuple[Any, ...], int | None], HostRequest] = {}

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
        if cloud.touched or cloud.epoch != self._epoch:
            self._drain()
        if request.group is not None:
            return self._of_group(request, identity, strategy_of, dry)
        known = self._known.get(id(request))
        if known is not None and known[0] is request:
            kind: Kind | None = known[1]
        else:
            kind = self._kind(strategy_of(request, cloud), request)
        if kind is None:
            return None
        entry = kind.pages.get(0)
        if entry is not None and not entry[1].stale and self._lasts(entry[1], request):
            order, shape = entry
            if shape.room and not shape.each:
                host = self._dry(shape, identity) if dry else order.best(shape, identity)
                return Placed(host, 0, (), () if cloud.lean else self._told(order, shape, []))
        return self._search(kind, strategy_of(request, cloud), request, identity, dry)

    def _of_group(
        self,
        request: HostRequest,
        identity: Identity,
        strategy_of: Callable[[HostRequest, Cloud], Strategy],
        dry: bool,
    ) -> Decision | None:
        """The decision for a member of a group, on the order of those in none; None where only the plain driver can."""
        rule = ruling_of(request, self._cloud)
        bare = self._without_group(request)
        strategy = strategy_of(bare, self._cloud)
        if rule is not None and (isinstance(rule, Pass) or (not rule.hard and (dry or not prefers(strategy.sorters)))):
            return self.decide(bare, identity, strategy_of, dry=dry)
        kind = self._kind(strategy, bare)
        if kind is None or not kind.groups:
            return None
        return self._search(kind, strategy, bare, identity, dry, (rule, request))

    def _ruled_out(
        self, order: Order, shape: Shape, choice: Choice, request: HostRequest, steps: list[Step]
    ) -> ErrorCode:
        """Why a page has no host for a member although it has one for others, its steps put on."""
        order.count(shape)
        error = shape.parts[shape.rule_at].flow.refuses(request, self._cloud, None, NOBODY)
        steps.extend(emptied(shape, (Loss(shape.rule_at, ((choice.reason, shape.room),)),), error))
        return error

    def _without_group(self, request: HostRequest) -> HostRequest:
        """The same request in no group, one for all that are alike."""
        key = (_ASKED(request), request.image)
        found = self._bare.get(key)
        if found is None:
            if len(self._bare) > MOST_KNOWN:
                self._bare.clear()
            found = self._bare[key] = changed(request, group=None)
        return found

    def _lasts(self, shape: Shape, request: HostRequest) -> bool:
        """Whether a shape's facts still hold; looked into only when amounts have changed, or for another image."""
        if shape.amounts != self._cloud.amounts or shape.image != request.image:
            if not shape.still_good(request, self._cloud):
                return False
            shape.amounts, shape.image = self._cloud.amounts, request.image
        return True

    def _search(
        self,
        kind: Kind,
        strategy: Strategy,
        request: HostRequest,
        identity: Identity,
        dry: bool,
        member: tuple[Ruling | None, HostRequest] | None = None,
    ) -> Decision | None:
        """Page by page, whatever has to be made or made anew on the way; for a *member* of a group by its rule."""
        asked = request if member is None else member[1]
        steps: list[Step] = []
        errors: list[ErrorCode] = []
        limit = self._page_limit()
        page = 0
        while True:
            found = self._found(kind, strategy, request, page)
            if found is None:
                return None
            order, shape = found
            choice = _choice(shape, member)
            if choice is None:
                answer = self._by_itself(order, shape, strategy, asked, identity, dry, steps)
            else:
                answer = self._of_choice(order, shape, choice, asked, identity, dry, steps)
            if answer is None or isinstance(answer, Placed):
                return answer
            if not limit:
                return Unplaced(ErrorCode(NO_AVAILABLE_HOST, answer.details, reason=answer.reason), (), tuple(steps))
            errors.append(answer)
            page += 1
            if page * limit >= shape.left:
                steps.append(_no_more(shape, page))
                series = [ErrorCode(PAGE_NOT_DONE, error.details, reason=error.reason) for error in errors]
                return Unplaced(merged(list(dict.fromkeys(series))), (), tuple(steps))

    def _of_choice(
        self,
        order: Order,
        shape: Shape,
        choice: Choice,
        asked: HostRequest,
        identity: Identity,
        dry: bool,
        steps: list[Step],
    ) -> Placed | ErrorCode | None:
        """A page's host by the order, or why it has none, its steps put on; None where only the plain driver can."""
        host = self._pick(order, shape, identity, choice, dry)
        if host >= 0:
            lost = ((choice.reason, shape.room - choice.left),) if shape.room > choice.left else ()
            losses = (Loss(shape.rule_at, lost),) if choice.hard else ()
            return Placed(host, shape.page, (), self._told(order, shape, steps, losses))
        if shape.room:
            return self._ruled_out(order, shape, choice, asked, steps)
        return self._refused(order, shape, asked, steps)

    def _by_itself(
        self,
        order: Order,
        shape: Shape,
        strategy: Strategy,
        asked: HostRequest,
        identity: Identity,
        dry: bool,
        steps: list[Step],
    ) -> Placed | ErrorCode | None:
        """The same where brief flows are asked and sorters are run for this decision alone."""
        cloud = self._cloud
        if shape.briefs is None:
            return None
        left = sieved(shape, asked, cloud)
        if len(left.hosts):
            host: int | ErrorCode = any_of(left.hosts, cloud, identity) if dry else -1
            if not dry:
                chance = cloud.chance.order(identity, "host")
                host = first_tried(asked, cloud, left.hosts, strategy.sorters, chance)
            if isinstance(host, ErrorCode):
                return None
            return Placed(host, shape.page, (), self._told(order, shape, steps, left.losses))
        if left.error is None:
            return self._refused(order, shape, asked, steps)
        order.count(shape)
        steps.extend(emptied(shape, left.losses, left.error))
        return left.error

    def _pick(self, order: Order, shape: Shape, identity: Identity, choice: Choice, dry: bool) -> int:
        """The host of a page; -1 where the choice leaves none."""
        if not (shape.room if choice is EVERYBODY else choice.left):
            return -1
        if dry:
            return self._dry(shape, identity, choice)
        return order.best(shape, identity) if choice is EVERYBODY else order.best_of(shape, identity, choice)

    # -- what is known ---------------------------------------------------------------------------------

    def _drain(self) -> None:
        cloud = self._cloud
        if cloud.epoch != self._epoch:
            self._epoch = cloud.epoch
            self._forget()
        touched = cloud.touched
        if touched:
            for host in touched:
                for order in self._of_host[host]:
                    order.repair(host)
            touched.clear()

    def _forget(self) -> None:
        """Drop all orders and what leads to them."""
        self._orders.clear()
        self._known.clear()
        self._of_host = [[] for _ in range(self._cloud.fleet.row_count)]
        for kind in self._kinds.values():
            if kind is not None:
                kind.forget()

    def _kind(self, strategy: Strategy, request: HostRequest) -> Kind | None:
        """What a request has in common with others; only the second of a kind is worth an index."""
        if request.list_all or not (request.l3s or request.allow_no_l3):
            return None
        image = None if request.image is None else self._image(request.image)
        key: Key = (strategy.name, _ASKED(request), image)
        kind = self._kinds.get(key, NEVER)
        if kind is NEVER:
            self._kinds[key] = None
            return None
        if kind is None:
            kind = self._kinds[key] = Kind(strategy)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known[id(request)] = (request, kind)
        return kind

    def _image(self, row: int) -> object:
        """Everything a flow may ask of an image but its name and where it is cached, which it is asked again."""
        image = self._cloud.images[row]
        shown = (image.media_type, image.format, image.size, image.actual_size, image.architecture)
        return (*shown, image.backup_storages)

    def _found(self, kind: Kind, strategy: Strategy, request: HostRequest, page: int) -> tuple[Order, Shape] | None:
        """The shape of a request on a page, made when it is not there or its facts no longer hold."""
        if page not in kind.pages:
            return self._build(kind, strategy, request, page)
        entry = kind.pages[page]
        if entry is None:
            return None
        shape = entry[1]
        if not self._lasts(shape, request):
            return self._build(kind, strategy, request, page, shape)
        if shape.stale:
            now = tuple([row for row, many in enumerate(shape.by_cluster) if many])
            if now and now != shape.clusters:
                again = self._again(kind, request, page, entry, now)
                return again or self._build(kind, strategy, request, page, shape)
            shape.stale = False
        return entry

    def _again(
        self, kind: Kind, request: HostRequest, page: int, old: tuple[Order, Shape], now: tuple[int, ...]
    ) -> tuple[Order, Shape] | None:
        """The shape of when candidates last stood in the clusters they stand in *now*, if its facts still hold."""
        entry = kind.kept.get((page, now))
        if entry is None or entry[0] is not old[0] or not entry[1].still_good(request, self._cloud):
            return None
        order, shape = entry
        order.add(shape, old[1])
        shape.image = request.image
        kind.pages[page] = entry
        return entry

    def _build(
        self, kind: Kind, strategy: Strategy, request: HostRequest, page: int, instead: Shape | None = None
    ) -> tuple[Order, Shape] | None:
        shape = shape_of(strategy, request, self._cloud, page)
        entry = None
        if shape is not None and _reserved_alike(shape, self._cloud):
            order = self._order(strategy, request, shape)
            order.add(shape, instead if instead in order.shapes else None)
            entry = (order, shape)
        kind.keep(page, entry)
        return entry

    def _order(self, strategy: Strategy, request: HostRequest, shape: Shape) -> Order:
        """The order a strategy's sorters come down to; by rank where that is more than one key."""
        candidates = Candidates(self._cloud, np.flatnonzero(shape.early == FREE))
        one_key = ordering(strategy, request, candidates)
        shape.each = shape.each or one_key is None
        figure, drawn, rotates = one_key or (NO_COLUMN, False, False)
        page = shape.inside
        key = (figure, drawn, rotates, page.tobytes())
        order = self._orders.get(key)
        if order is None or len(order.shapes) >= MOST_SHAPES:
            if order is not None:
                self._leave(order)
            if len(self._orders) >= MOST_ORDERS:
                self._forget()
            order = self._orders[key] = Order(self._cloud, figure, page, drawn=drawn, rotates=rotates)
            for host in order.hosts:
                self._of_host[host].append(order)
        return order

    def _leave(self, order: Order) -> None:
        """Forget an order that holds as many shapes as it can, and all of them."""
        for kind in self._kinds.values():
            if kind is not None and any(entry and entry[0] is order for entry in kind.pages.values()):
                kind.forget()
        for host in order.hosts:
            self._of_host[host].remove(order)

    # -- answers ---------------------------------------------------------------------------------------

    def _dry(self, shape: Shape, identity: Identity, choice: Choice = EVERYBODY) -> int:
        """Any survivor of a page, drawn as the plain driver draws it."""
        if choice.only:
            return any_of(choice.hosts, self._cloud, identity)
        left = shape.open.nonzero()[0]
        left = np.setdiff1d(left, choice.hosts, assume_unique=True) if choice.hosts else left
        return any_of(left, self._cloud, identity)

    def _told(self, order: Order, shape: Shape, steps: list[Step], losses: tuple[Loss, ...] = ()) -> tuple[Step, ...]:
        if self._cloud.lean:
            return ()
        order.count(shape)
        if shape.told is None:
            shape.told = shape.steps()
        return (*steps, *(lessened(shape.told, losses) if losses else shape.told))

    def _refused(self, order: Order, shape: Shape, asked: HostRequest, steps: list[Step]) -> ErrorCode | None:
        """Why a page has no host, its steps put on; None where that is not told by counts."""
        order.count(shape)
        answer = shape.answer
        if answer is None:
            place = shape.emptied_at()
            part = shape.parts[place]
            error = part.flow.refuses_by_counts(asked, self._cloud, part.facts, shape.refused(place))
            if error is None:
                return None
            answer = (error, shape.steps(place, error))
            shape.answer = None if part.flow.fleeting else answer
        steps.extend(answer[1])
        return answer[0]

    def _page_limit(self) -> int:
        """Hosts a page may hold; 0 where there are no pages."""
        settings = self._cloud.settings
        if not settings.flag("hostAllocator.usePagination") or not cloud_pages(self._cloud):
            return 0
        return int(settings.values["hostAllocator.paginationLimit"])


def _no_more(shape: Shape, page: int) -> Step:
    """The step of the page behind the last."""
    refused, text = shape.first_refused, NO_MORE_PAGES.details or ""
    return Step(shape.parts[0].flow.name, page, shape.before[0], 0, "emptied", refused, text)


def _choice(shape: Shape, member: tuple[Ruling | None, HostRequest] | None) -> Choice | None:
    """What there is to choose from by the order; None where a decision must see for itself."""
    if shape.each:
        return None
    if member is None:
        return EVERYBODY
    return None if member[0] is None else sifted(shape, member[0])


def _reserved_alike(shape: Shape, cloud: Cloud) -> bool:
    """Whether the reservation of a request tests no more than the flows of its shape do."""
    if not isinstance(shape.parts[shape.floors_at].flow, HostCapacityFlow):
        return False
    asks = cloud.settings.profile != "open" and device_asks(shape.request.system_tags)
    return not asks or any(isinstance(part.flow, PciDeviceFlow) for part in shape.parts)
