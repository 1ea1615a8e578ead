"""Text into plain data, with the line and column of everything that is wrong with it."""
