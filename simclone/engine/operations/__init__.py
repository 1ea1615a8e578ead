"""Administration: settings, hosts, storage, volumes, groups, limits, addresses."""
