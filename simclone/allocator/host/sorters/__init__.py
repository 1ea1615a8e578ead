"""The sort flows, a few to a file by subject."""
