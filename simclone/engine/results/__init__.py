"""What a run leaves: answers, events, statistics, series."""
