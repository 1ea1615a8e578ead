"""The standard placement workload: how fast the same functions answer that everything else calls."""
