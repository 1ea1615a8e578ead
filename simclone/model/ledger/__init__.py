"""The parts of the ledger, one file a subject; `simclone.model.ledger.ledger` puts them together."""

from __future__ import annotations
