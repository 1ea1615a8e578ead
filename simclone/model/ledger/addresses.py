"""Cards and addresses."""

from __future__ import annotations

from typing import TypeVar

from simclone.errors import InvariantViolation
from simclone.model.inventory import IpRange
from simclone.model.ledger.journal import Journal
from simclone.model.vms import NONE, Nics

K = TypeVar("K")


class AddressBook(Journal):
    """Verbs about cards, addresses and ranges."""

    def add_nic(self, vm: int, l3: int, device: int, mac: int) -> int:
        """A card without address."""
        row, table = self._row(self.cloud.nics), self.cloud.nics
        table.alive[row], table.vm[row], table.l3[row] = 1, vm, l3
        table.device[row], table.mac[row], table.born_us[row] = device, mac, self.now_us
        self._push(self.cloud.vms.nics[vm], row)
        self._put(self.cloud.nics.macs, (mac, device & 0xFF), row)
        return row

    def remove_nic(self, nic: int, cause: str = "") -> None:
        """Take a card away; its address is returned."""
        table = self.cloud.nics
        self.return_address(nic, cause)
        self._cell(self.cloud.nics, Nics.alive, nic, 0)
        self._forget(self.cloud.nics.macs, (table.mac[nic], table.device[nic] & 0xFF))
        vm = table.vm[nic]
        self._put(self.cloud.vms.nics, vm, [row for row in self.cloud.vms.nics[vm] if row != nic])

    def return_address(self, nic: int, cause: str) -> None:
        """A card's address returns; the card stays."""
        table = self.cloud.nics
        if table.ip[nic] != NONE:
            self.end_ip(table.l3[nic], table.ip[nic], cause)
            self._cell(self.cloud.nics, Nics.ip, nic, NONE)

    def hold_ip(self, l3: int, ip: int, nic: int = NONE) -> None:
        """Take an address; *nic* is the card that gets it, if any."""
        used = self.cloud.pools[l3].used
        if ip in used:
            raise InvariantViolation(f"address {ip} on {self.cloud.l3s[l3].name} taken twice")
        self._put(used, ip, nic)
        if nic != NONE:
            self._cell(self.cloud.nics, Nics.ip, nic, ip)
        if self.recording:
            self._show("hold", ("nic", nic), ("l3", l3), ("ip",), (ip,))

    def end_ip(self, l3: int, ip: int, cause: str = "") -> None:
        """Give an address back."""
        used = self.cloud.pools[l3].used
        if ip not in used:
            raise InvariantViolation(f"address {ip} on {self.cloud.l3s[l3].name} returned twice")
        nic = used[ip]
        self._forget(used, ip)
        if self.recording:
            self._show("end", ("nic", nic), ("l3", l3), ("ip",), (ip,), cause)

    def _forget(self, mapping: dict[K, int], key: K) -> None:
        if self._undo is not None:
            self._undo.append((mapping.__setitem__, (key, mapping[key])))
        del mapping[key]

    def set_cursor(self, l3: int, ip: int) -> None:
        """Where AscDelayRecycle goes on."""
        self._attr(self.cloud.pools[l3], "cursor", ip)

    def add_range(self, l3: int, one: IpRange) -> None:
        """Add an address range to a network."""
        self._push(self.cloud.pools[l3].ranges, one)
        self._emit("set", "range", f"l3/{l3}", (("start", one.start), ("end", one.end)), "add")
