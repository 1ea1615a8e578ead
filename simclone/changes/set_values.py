"""Values at any path of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from simclone.changes.global_config import GlobalConfig
from simclone.changes.kind import Data, ValueKind
from simclone.scenario.document.base import Name
from simclone.scenario.reading.paths import set_path

_SETTINGS = "globalConfig."


class SetValues(ValueKind[Annotated[dict[Name, Any], Field(min_length=1)]]):
    """Values by dotted path, such as ``hosts.host-3.cpuNum``; null takes a key out."""

    key: ClassVar[str] = "set"
    prices: ClassVar[Mapping[str, float]] = {
        "stopSource": 2.0,
        "addIpRange": 3.0,
        "copyImage": 3.0,
        "dropWish": 4.0,
        "growStorage": 15.0,
        "addBackupStorage": 20.0,
    }

    def to_file(self, data: Data) -> None:
        """Write the values; raises InvalidInput for a path that leads nowhere."""
        for path, value in self.root.items():
            if path.startswith(_SETTINGS):
                GlobalConfig({path.removeprefix(_SETTINGS): value}).to_file(data)
            else:
                set_path(data, path, value)
