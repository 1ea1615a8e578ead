"""Storage space: holds on storages, shares of local storage and OSD groups."""

from __future__ import annotations

from typing import Any, NamedTuple

from simclone.errors import InvariantViolation
from simclone.model.cloud import Cloud
from simclone.model.ledger.journal import Journal
from simclone.model.storage import ANYWHERE, OsdGroup, PrimaryStorage
from simclone.model.vms import NONE, VOLUME_STATUS
from simclone.units import divided

_CREATING, _READY, _DELETED = (VOLUME_STATUS[name] for name in ("Creating", "Ready", "Deleted"))


_FIGURES = ("bytes", "host", "osd", "available")


class Space(NamedTuple):
    """A hold of storage bytes: *amount* was charged for *size* bytes asked."""

    storage: int
    host: int
    osd: int
    size: int
    amount: int
    exact: bool
    owner: str


class SpaceBook(Journal):
    """Verbs about space."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.spaces: dict[int, Space] = {}

    def hold_space(
        self,
        owner: str,
        storage: int,
        size: int,
        *,
        host: int = ANYWHERE,
        osd: int = NONE,
        exact: bool = False,
    ) -> int:
        """Charge *size* bytes to a storage (and a host's share or an OSD group); returns the hold.

        The charge is divided by the over-provisioning ratio unless *exact*.
        """
        amount = size if exact else divided(size, self.cloud.storage_ratio(storage))
        number, self._next = self._next, self._next + 1
        space = Space(storage, host, osd, size, amount, exact, owner)
        self._put(self.spaces, number, space)
        self._charge_space(space, amount, amount)
        if self.recording:
            self._show_space("hold", number, space, amount, owner)
        return number

    def end_space(self, number: int, cause: str = "") -> None:
        """End a hold of space; what comes back follows the ratio of now (rules/primary-storage.md#reservation)."""
        if number not in self.spaces:
            raise InvariantViolation(f"space hold {number} ended twice")
        space = self.spaces[number]
        self._drop(self.spaces, number)
        back = space.amount if space.exact else divided(space.size, self.cloud.storage_ratio(space.storage))
        self._charge_space(space, -space.amount, -back)
        if not self.recording:
            return
        if back != space.amount:
            self._show_space("drift", number, space, back - space.amount, "ratioChanged")
        self._show_space("end", number, space, space.amount, cause)

    def _show_space(self, kind: str, number: int, space: Space, amount: int, cause: str) -> None:
        after = self.cloud.storages[space.storage].available
        values = (amount, space.host, space.osd, after)
        self._show(kind, ("space", number), ("storage", space.storage), _FIGURES, values, cause)

    def _charge_space(self, space: Space, held: int, recorded: int) -> None:
        storage = self.cloud.storages[space.storage]
        self.cloud.amounts += 1
        self._charge_book(storage, held, recorded)
        if space.osd != NONE:
            self._charge_book(storage.osd_groups[space.osd], held, recorded)
        if space.host != ANYWHERE and storage.shares is not None:
            cells = storage.shares.cells
            for name, change in (("available", -recorded), ("held", held), ("drift", held - recorded)):
                self._cell(storage.shares, name, space.host, cells(name)[space.host] + change)
            self._touch(space.host)

    def _charge_book(self, book: PrimaryStorage | OsdGroup, held: int, recorded: int) -> None:
        self._attr(book, "available", book.available - recorded)
        self._attr(book, "held", book.held + held)
        if held != recorded:
            self._attr(book, "drift", book.drift + held - recorded)

    def move_space(self, number: int, host: int) -> int:
        """Local space that moved to another host of the same storage; returns the new hold."""
        space = self.spaces[number]
        self.end_space(number, "move")
        return self.hold_space(space.owner, space.storage, space.size, host=host, exact=space.exact)

    def resize_space(self, number: int, size: int) -> int:
        """A volume that grew or shrank; returns the new hold."""
        space = self.spaces[number]
        self.end_space(number, "resize")
        return self.hold_space(space.owner, space.storage, size, host=space.host, osd=space.osd, exact=space.exact)

    def set_storage(self, row: int, **values: Any) -> None:
        """Change state, status, attachments or figures of a primary storage."""
        storage = self.cloud.storages[row]
        self.cloud.epoch += 1
        for name, value in values.items():
            self._attr(storage, name, value)
        if "clusters" in values:
            self.cloud.attachments.forget()
            if self._undo is not None:
                self._undo.insert(0, (self.cloud.attachments.forget, ()))
        amounts = tuple((name, value) for name, value in values.items() if isinstance(value, int))
        self._emit("set", "storage", f"storage/{row}", amounts)

    def zero_storage(self, row: int) -> None:
        """Nobody reports this storage any more: every figure is 0, what is held shows as drift."""
        held = self.cloud.storages[row].held
        figures = ("total", "available", "total_physical", "available_physical", "system_used")
        self.set_storage(row, drift=held, **dict.fromkeys(figures, 0))

    def set_share(self, row: int, host: int, **values: int) -> None:
        """Change figures of one host's share of a local storage."""
        shares = self.cloud.storages[row].shares
        if shares is None:
            raise InvariantViolation(f"{self.cloud.storages[row].name} has no shares")
        shares.reach(self.cloud.fleet.size)
        self.cloud.epoch += 1
        for name, value in values.items():
            self._cell(shares, name, host, value)
        self._emit("set", f"host/{host}", f"storage/{row}", tuple(values.items()), "share")
