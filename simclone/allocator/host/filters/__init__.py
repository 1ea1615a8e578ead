"""The filter flows, one file each."""
