"""What exists in a cloud: inventory, settings, topology, hosts, VMs, storage, and the ledger, their only writer."""
