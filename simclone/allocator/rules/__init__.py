"""The arithmetic of each rule, once: filters, sorters, reservation, index, statistics and planning call it."""
