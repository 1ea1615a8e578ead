"""Questions planners ask: how much more fits, how many hosts, what survives, when it runs out, which is better."""
