"""What changes cost beside each other."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SerializationInfo, SerializerFunctionWrapHandler, model_serializer

from simclone.scenario.document.base import Doc, Name
from simclone.scenario.document.distributions import NotNegative


class UnitPrices(Doc):
    """What is counted on top of a fix's price, by vCPU and GiB, and the prices of hosts of one's own."""

    vcpu: NotNegative = 1.0
    """The price of a vCPU that a host grows by."""
    memory_gib: NotNegative = 1.0
    """The price of a GiB of memory that a host grows by."""
    storage_gib: NotNegative = 0.05
    """The price of a GiB that a storage grows by."""
    hosts: dict[Name, NotNegative] = Field(default_factory=dict)
    """The price of one more host like the named one, where it differs from `addHost`."""
    host_month: NotNegative = 0.0
    """The price of a host for a month of 730.5 hours, such as its rent or write-off."""
    host_months: dict[Name, NotNegative] = Field(default_factory=dict)
    """The price for a month of the named host, and of new ones like it, where it differs from `hostMonth`."""
    host_watts: NotNegative = 0.0
    """The watts that a host draws, cooling included."""
    power_kwh: NotNegative = 0.0
    """The price of a kilowatt-hour."""
    licence_core_month: NotNegative = 0.0
    """The price of licences for a core of a host for a month."""
    storage_gib_month: NotNegative = 0.0
    """The price of a GiB of primary storage's total capacity for a month."""


class PricesDoc(UnitPrices):
    """Effort or money of each kind of fix: *fixes* by key with the usual price where the file gives none.

    *given_keys* are the keys that the file gives.
    """

    fixes: dict[str, float] = Field(default_factory=dict, exclude=True)
    given_keys: frozenset[str] = Field(default=frozenset(), exclude=True)

    def runs(self) -> bool:
        """Whether anything is priced by the month."""
        power = self.host_watts * self.power_kwh
        monthly = (self.host_month, *self.host_months.values(), power, self.licence_core_month, self.storage_gib_month)
        return any(monthly)

    def of(self, key: str) -> float:
        """The price of a kind of fix."""
        return self.fixes[key]

    def host(self, like: str) -> float:
        """The price of one more host like *like*."""
        return self.hosts.get(like, self.fixes["addHost"])

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        return {**handler(self), **{key: price for key, price in self.fixes.items() if key in self.given_keys}}
