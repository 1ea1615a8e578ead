"""Host allocation: filter flows, sort flows, the strategies that chain them, and the test of a reservation."""
