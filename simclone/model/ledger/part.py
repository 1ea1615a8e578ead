"""What every part of the ledger has: the cloud it writes and the journal it writes through."""

from __future__ import annotations

from simclone.model.ledger.journal import Journal


class LedgerPart:
    """A part of the ledger with verbs of its own; whatever it writes goes through the shared journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal, self.cloud = journal, journal.cloud
