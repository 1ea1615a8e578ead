"""Policy, pure: which hosts, storages, addresses and limits allow a request. Reads a cloud, writes nothing."""
