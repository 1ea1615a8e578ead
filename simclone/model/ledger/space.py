"""Storage space: holds on storages, shares of local storage and OSD groups."""

from __future__ import annotations

from typing import Any, NamedTuple

from simclone.errors import InvariantViolation
from simclone.model.ledger.journal import Journal
from simclone.model.ledger.part import LedgerPart
from simclone.model.storage import ANYWHERE, LocalShares, OsdGroup, PrimaryStorage
from simclone.model.vms import NONE
from simclone.units import divided
from simclone.vocabulary import VolumeStatus

_CREATING, _READY, _DELETED = VolumeStatus.CREATING, VolumeStatus.READY, VolumeStatus.DELETED


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


class SpaceLedger(LedgerPart):
    """Space held on storages; *holds* maps the number of each hold to what it holds."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self.holds: dict[int, Space] = {}

    def hold(
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
        number, self.journal.next_hold = self.journal.next_hold, self.journal.next_hold + 1
        space = Space(storage, host, osd, size, amount, exact, owner)
        self.journal.put(self.holds, number, space)
        self._charge_space(space, amount, amount)
        if self.journal.recording:
            self._show_space("hold", number, space, amount, owner)
        return number

    def end(self, number: int, cause: str = "") -> None:
        """End a hold of space; what comes back follows the ratio of now (rules/primary-storage.md#reservation)."""
        if number not in self.holds:
            raise InvariantViolation(f"space hold {number} ended twice")
        space = self.holds[number]
        self.journal.drop(self.holds, number)
        back = space.amount if space.exact else divided(space.size, self.cloud.storage_ratio(space.storage))
        self._charge_space(space, -space.amount, -back)
        if not self.journal.recording:
            return
        if back != space.amount:
            self._show_space("drift", number, space, back - space.amount, "ratioChanged")
        self._show_space("end", number, space, space.amount, cause)

    def _show_space(self, kind: str, number: int, space: Space, amount: int, cause: str) -> None:
        after = self.cloud.storages[space.storage].available
        values = (amount, space.host, space.osd, after)
        self.journal.show(kind, ("space", number), ("storage", space.storage), _FIGURES, values, cause)

    def _charge_space(self, space: Space, held: int, recorded: int) -> None:
        storage = self.cloud.storages[space.storage]
        self.cloud.usage_version += 1
        self._charge_book(storage, held, recorded)
        if space.osd != NONE:
            self._charge_book(storage.osd_groups[space.osd], held, recorded)
        if space.host != ANYWHERE and storage.shares is not None:
            self._charge_share(storage.shares, space.host, held, recorded)
            self.journal.mark_changed(space.host)

    def _charge_share(self, shares: LocalShares, host: int, held: int, recorded: int) -> None:
        self.journal.write(shares, LocalShares.available, host, shares.available[host] - recorded)
        self.journal.write(shares, LocalShares.held, host, shares.held[host] + held)
        self.journal.write(shares, LocalShares.drift, host, shares.drift[host] + held - recorded)

    def _charge_book(self, book: PrimaryStorage | OsdGroup, held: int, recorded: int) -> None:
        self.journal.set_attribute(book, "available", book.available - recorded)
        self.journal.set_attribute(book, "held", book.held + held)
        if held != recorded:
            self.journal.set_attribute(book, "drift", book.drift + held - recorded)

    def move(self, number: int, host: int) -> int:
        """Local space that moved to another host of the same storage; returns the new hold."""
        space = self.holds[number]
        self.end(number, "move")
        return self.hold(space.owner, space.storage, space.size, host=host, exact=space.exact)

    def resize(self, number: int, size: int) -> int:
        """A volume that grew or shrank; returns the new hold."""
        space = self.holds[number]
        self.end(number, "resize")
        return self.hold(space.owner, space.storage, size, host=space.host, osd=space.osd, exact=space.exact)

    def set_storage(self, row: int, **values: Any) -> None:
        """Change state, status, attachments or figures of a primary storage."""
        storage = self.cloud.storages[row]
        self.cloud.config_version += 1
        for name, value in values.items():
            self.journal.set_attribute(storage, name, value)
        if "clusters" in values:
            self.cloud.attachments.forget()
            if self.journal.undo is not None:
                self.journal.undo.insert(0, (self.cloud.attachments.forget, ()))
        amounts = tuple((name, value) for name, value in values.items() if isinstance(value, int))
        self.journal.emit("set", "storage", f"storage/{row}", amounts)

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
        shares.reach(self.cloud.fleet.row_count)
        self.cloud.config_version += 1
        for name, value in values.items():
            self.journal.write(shares, LocalShares.COLUMNS[name], host, value)
        self.journal.emit("set", f"host/{host}", f"storage/{row}", tuple(values.items()), "share")
