"""One page to bring to a meeting: sections from results, offline, the same bytes for the same run."""
