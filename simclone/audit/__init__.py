"""An independent re-check of a run from its records alone; it never calls the allocator or the ledger.

`replay` returns what is wrong; an empty list means every rule held at every event.
"""

from simclone.audit.replay import Violation, replay

__all__ = ["Violation", "replay"]
