"""A checked document into a ledger over a cloud."""
