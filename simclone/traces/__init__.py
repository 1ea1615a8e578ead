"""Recorded workloads and host lists: one file a format, read into common rows."""
