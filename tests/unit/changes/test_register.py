"""The register takes kinds that go together, and says which do not."""

from __future__ import annotations

from typing import ClassVar

import pytest

from simclone.changes.kind import Data, HostEvent
from simclone.changes.load import scenario_of
from simclone.changes.register import BUILT_IN, forget, known_kinds, make_kinds, register
from simclone.errors import InvalidInput
from tests.time.worlds import world


class Paint(HostEvent):
    """A host is painted."""

    key: ClassVar[str] = "paint"
    event: ClassVar[str] = "paint"

    def to_file(self, data: Data) -> None:
        """Nothing that the allocator reads."""


def test_a_registered_kind_is_known_until_it_is_forgotten() -> None:
    """Scenarios may write it, and are refused before and after."""
    doc = {**world(), "whatif": [{"name": "w", "changes": [{"paint": {"host": "h1"}}]}]}
    with pytest.raises(InvalidInput, match="paint"):
        scenario_of(doc)
    register(Paint)
    try:
        assert known_kinds().by_key["paint"] is Paint
        assert scenario_of(doc).doc.whatif[0].name == "w"
        assert register(Paint) is Paint, "a module that is imported again says the same again"
    finally:
        forget("paint")
    with pytest.raises(InvalidInput, match="paint"):
        scenario_of(doc)


@pytest.mark.parametrize(
    ("key", "event", "prices", "word"),
    [
        ("failHost", "paint", {}, "key 'failHost' is that of FailHost"),
        ("paint", "fail", {}, "event of a host 'fail' is that of FailHost"),
        ("paint", "paint", {"addHost": 1.0}, "price 'addHost' is that of AddHosts"),
    ],
)
def test_a_word_has_one_kind(key: str, event: str, prices: dict[str, float], word: str) -> None:
    """A key, an event of a target or a price that another kind has is refused with both names."""
    other = type("Other", (Paint,), {"key": key, "event": event, "prices": prices})
    with pytest.raises(InvalidInput) as caught:
        make_kinds([*BUILT_IN, other])
    assert [(fault.path, fault.message) for fault in caught.value.faults] == [("Other", word)]
    with pytest.raises(InvalidInput):
        register(other)
    assert other not in known_kinds().all
