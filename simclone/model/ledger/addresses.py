"""Cards and addresses."""

from __future__ import annotations

from typing import TypeVar

from simclone.errors import InvariantViolation
from simclone.model.inventory import IpRange
from simclone.model.ledger.part import LedgerPart
from simclone.model.vms import NONE, Nics

K = TypeVar("K")


class AddressLedger(LedgerPart):
    """Cards, the addresses they hold, and address ranges."""

    def add_card(self, vm: int, l3: int, device: int, mac: int) -> int:
        """A card without address."""
        row, table = self.journal.add_row(self.cloud.nics), self.cloud.nics
        table.alive[row], table.vm[row], table.l3[row] = 1, vm, l3
        table.device[row], table.mac[row], table.born_us[row] = device, mac, self.journal.now_us
        self.journal.append(self.cloud.vms.nics[vm], row)
        self.journal.put(self.cloud.nics.macs, (mac, device & 0xFF), row)
        return row

    def remove_card(self, nic: int, cause: str = "") -> None:
        """Take a card away; its address is returned."""
        table = self.cloud.nics
        self.return_address(nic, cause)
        self.journal.write(self.cloud.nics, Nics.alive, nic, 0)
        self._forget(self.cloud.nics.macs, (table.mac[nic], table.device[nic] & 0xFF))
        vm = table.vm[nic]
        self.journal.put(self.cloud.vms.nics, vm, [row for row in self.cloud.vms.nics[vm] if row != nic])

    def return_address(self, nic: int, cause: str) -> None:
        """A card's address returns; the card stays."""
        table = self.cloud.nics
        if table.ip[nic] != NONE:
            self.end(table.l3[nic], table.ip[nic], cause)
            self.journal.write(self.cloud.nics, Nics.ip, nic, NONE)

    def hold(self, l3: int, ip: int, nic: int = NONE) -> None:
        """Take an address; *nic* is the card that gets it, if any."""
        used = self.cloud.pools[l3].used
        if ip in used:
            raise InvariantViolation(f"address {ip} on {self.cloud.l3s[l3].name} taken twice")
        self.journal.put(used, ip, nic)
        if nic != NONE:
            self.journal.write(self.cloud.nics, Nics.ip, nic, ip)
        if self.journal.recording:
            self.journal.show("hold", ("nic", nic), ("l3", l3), ("ip",), (ip,))

    def end(self, l3: int, ip: int, cause: str = "") -> None:
        """Give an address back."""
        used = self.cloud.pools[l3].used
        if ip not in used:
            raise InvariantViolation(f"address {ip} on {self.cloud.l3s[l3].name} returned twice")
        nic = used[ip]
        self._forget(used, ip)
        if self.journal.recording:
            self.journal.show("end", ("nic", nic), ("l3", l3), ("ip",), (ip,), cause)

    def _forget(self, mapping: dict[K, int], key: K) -> None:
        if self.journal.undo is not None:
            self.journal.undo.append((mapping.__setitem__, (key, mapping[key])))
        del mapping[key]

    def set_cursor(self, l3: int, ip: int) -> None:
        """Where AscDelayRecycle goes on."""
        self.journal.set_attribute(self.cloud.pools[l3], "cursor", ip)

    def add_range(self, l3: int, one: IpRange) -> None:
        """Add an address range to a network."""
        self.journal.append(self.cloud.pools[l3].ranges, one)
        self.journal.emit("set", "range", f"l3/{l3}", (("start", one.start), ("end", one.end)), "add")
